//! Every sentence about hidden characters, leftovers and labels, in one place.
//!
//! None of them accuses: a label says what it says, a leftover where a text has been. [`Code`] lists them for translators;
//! each documents the `values` that its message holds.

use super::aigc::{Aigc, Attribute};
use super::c2pa::{Content, Manifest};
use super::label::{Extent, Label, Standing};
use super::leftover::{Leftover, Sort};
use super::source::{Origin, SourceType};
use crate::codes::codes;
use crate::text::hidden::{Class, Payload};
use crate::verdict::{Evidence, EvidenceKind, PointsTo, Span};

codes! {
    /// The stable names of all messages about hidden characters, leftovers and labels.
    enum Code {
        /// A hidden message. `encoding` (`tags`, `variation_selectors`, `bits`), `message`, `bytes` (its length).
        HiddenMessage = "hidden_message",
        /// A long run of hidden characters that can't be read. `count`.
        HiddenRun = "hidden_run",
        /// Characters without width. `count`.
        HiddenZeroWidth = "hidden_zero_width",
        /// Marks of direction in a text of one direction. `count`.
        HiddenBidi = "hidden_bidi",
        /// Tag characters outside of flags. `count`.
        HiddenTags = "hidden_tags",
        /// Variation selectors without a variant. `count`.
        HiddenSelectors = "hidden_selectors",
        /// Other invisible characters. `count`.
        HiddenOther = "hidden_other",
        /// Soft hyphens where no word can break. `count`.
        HiddenSoftHyphens = "hidden_soft_hyphens",
        /// Narrow no-break spaces where no language puts them. `count`.
        HiddenNarrowSpaces = "hidden_narrow_spaces",
        /// Marks of a chatbot's interface. `kind`, `product`, `example`, `count`.
        LeftoverMarkup = "leftover_markup",
        /// Links that a chatbot added its name to. `kind`, `product`, `example`, `count`.
        LeftoverLink = "leftover_link",
        /// A phrase in which a chatbot speaks of itself. `kind`, `product`, `example`, `count`.
        LeftoverPhrase = "leftover_phrase",
        /// Leftovers that may be quoted. `kind`, `product`, `example`, `count`.
        LeftoverQuoted = "leftover_quoted",
        /// A visible label that speaks for the text, or one at its edge that speaks for a part. `label`, `extent` (`whole`,
        /// `part`).
        LabelVisible = "label_visible",
        /// A line at an edge of the text that looks like a label and may be something else. `label`.
        LabelAlone = "label_alone",
        /// A visible label somewhere inside, perhaps an example. `label`, `extent`.
        LabelInside = "label_inside",
        /// China's machine-readable label: generated. `producer`, `number`, `place` (`text`, `page`, `hidden`).
        AigcGenerated = "aigc_generated",
        /// The same: perhaps generated. Values as above.
        AigcPossible = "aigc_possible",
        /// The same: suspected to be generated. Values as above.
        AigcSuspected = "aigc_suspected",
        /// The same at an edge of the text, without anything that an example would not have. `label` (1, 2 or 3).
        AigcBare = "aigc_bare",
        /// The same inside the text, perhaps an example. `label` (1, 2 or 3).
        AigcInside = "aigc_inside",
        /// The page's digital source type is a model. `term`.
        SourceGenerated = "source_generated",
        /// The page's digital source type is partly a model. `term`.
        SourceComposite = "source_composite",
        /// The page's digital source type is something else. `term`.
        SourceOther = "source_other",
        /// The page says in a `meta` element that it was generated. `name`, `content`.
        PageDisclosure = "page_disclosure",
        /// The page names a chatbot as its generator. `generator`.
        PageGenerator = "page_generator",
        /// A C2PA manifest that names a model as the source. `term`.
        C2paGenerated = "c2pa_generated",
        /// A C2PA manifest that names a model as a part of the source. `term`.
        C2paComposite = "c2pa_composite",
        /// A C2PA manifest with another source type. `term`.
        C2paOther = "c2pa_other",
        /// A C2PA manifest that names a model, but may belong to something else or names other sources too. `term`.
        C2paUnclear = "c2pa_unclear",
        /// A C2PA manifest without a source type. No values.
        C2paManifest = "c2pa_manifest",
        /// A link to a C2PA manifest kept elsewhere. `url`.
        C2paReference = "c2pa_reference",
        /// A C2PA manifest that can't be read. `reason` (`header`, `version`, `truncated`, `armour`, `not_a_store`).
        C2paDamaged = "c2pa_damaged",
    }
}

/// Longest value taken from a text, in characters.
const LONGEST: usize = 200;

struct Draft {
    kind: EvidenceKind,
    code: Code,
    points_to: PointsTo,
    strength: f64,
    span: Option<Span>,
}

impl Draft {
    fn hidden(code: Code, points_to: PointsTo, strength: f64, span: Span) -> Self {
        Self { kind: EvidenceKind::HiddenCharacters, code, points_to, strength, span: Some(span) }
    }

    fn declared(code: Code, points_to: PointsTo, strength: f64, span: Option<Span>) -> Self {
        Self { kind: EvidenceKind::Declared, code, points_to, strength, span }
    }

    fn with<const N: usize>(self, message: String, values: [(&str, String); N]) -> Evidence {
        Evidence {
            kind: self.kind,
            code: self.code.as_str().to_owned(),
            strength: self.strength,
            points_to: self.points_to,
            span: self.span,
            message,
            values: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }
}

/// A value out of a text, cut to what fits a sentence, without control characters.
fn excerpt(text: &str) -> String {
    let mut short: String =
        text.trim().chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().chars().count() > LONGEST {
        short.push('…');
    }
    short
}

pub(super) fn hidden_message(payload: &Payload, span: Span) -> Evidence {
    let message = match &payload.text {
        Some(text) => excerpt(text),
        None => excerpt(&crate::hex::hex(&payload.bytes[..payload.bytes.len().min(64)])),
    };
    let sentence = format!(
        "This text holds characters that can't be seen and that spell a message: “{message}”. Who put it there, and why, is not known."
    );
    Draft::hidden(Code::HiddenMessage, PointsTo::Neither, 0.5, span).with(
        sentence,
        [
            ("encoding", payload.encoding.as_str().to_owned()),
            ("message", message),
            ("bytes", payload.bytes.len().to_string()),
        ],
    )
}

pub(super) fn hidden_run(span: Span) -> Evidence {
    let count = (span.end - span.start).to_string();
    let sentence = format!(
        "{count} characters that can't be seen stand side by side. They may hold a message, but none that can be read here."
    );
    Draft::hidden(Code::HiddenRun, PointsTo::Neither, 0.2, span).with(sentence, [("count", count)])
}

pub(super) fn hidden(class: Class, count: usize, span: Span) -> Evidence {
    let (code, strength, what) = match class {
        Class::ZeroWidth => (Code::HiddenZeroWidth, 0.1, "characters without width"),
        Class::Bidi => (
            Code::HiddenBidi,
            0.1,
            "invisible marks for the direction of writing, which this text doesn't need",
        ),
        Class::Tag => (Code::HiddenTags, 0.15, "invisible tag characters"),
        Class::VariationSelector => {
            (Code::HiddenSelectors, 0.1, "invisible variation selectors that select nothing")
        }
        Class::Other => (Code::HiddenOther, 0.1, "characters that can't be seen"),
        Class::SoftHyphen => (Code::HiddenSoftHyphens, 0.05, "soft hyphens where no word can break"),
        Class::NarrowSpace => {
            (Code::HiddenNarrowSpaces, 0.1, "narrow no-break spaces where writers of this language have none")
        }
    };
    let sentence = format!(
        "Number of {what}: {count}. Copied pages, editors and chatbots leave such characters, so they say little."
    );
    // Some chatbots write narrow spaces by themselves; the others have many sources.
    let points_to = if class == Class::NarrowSpace { PointsTo::Ai } else { PointsTo::Neither };
    Draft::hidden(code, points_to, strength, span).with(sentence, [("count", count.to_string())])
}

pub(super) fn leftover(leftover: &Leftover, example: &str, span: Span) -> Evidence {
    let example = excerpt(example);
    let product = leftover.product;
    let (code, points_to, sentence) = match (leftover.quoted, leftover.sort) {
        (true, _) => (
            Code::LeftoverQuoted,
            PointsTo::Neither,
            format!(
                "This text has marks that {product} leaves (“{example}”), but it may only quote them: they stand in quotation marks or \
                 code, or the text is about chatbots."
            ),
        ),
        (false, Sort::Markup) => (
            Code::LeftoverMarkup,
            PointsTo::Ai,
            format!(
                "This text has a mark that {product} leaves when an answer is copied: “{example}”. At least a part of it passed through \
                 a chatbot; who wrote the rest is not said by that."
            ),
        ),
        (false, Sort::Link) => (
            Code::LeftoverLink,
            PointsTo::Ai,
            format!(
                "A link in this text was copied from a chatbot's answer (“{example}”). That says where the link was found, and little of \
                 who wrote the text."
            ),
        ),
        (false, Sort::Phrase) => (
            Code::LeftoverPhrase,
            PointsTo::Ai,
            format!("This text has a phrase in which chatbots speak of themselves: “{example}”."),
        ),
    };
    Draft { kind: EvidenceKind::Leftover, code, points_to, strength: leftover.strength, span: Some(span) }
        .with(
            sentence,
            [
                ("kind", leftover.kind.to_owned()),
                ("product", product.to_owned()),
                ("example", example),
                ("count", leftover.count.to_string()),
            ],
        )
}

pub(super) fn label(label: &Label, words: &str, span: Span) -> Evidence {
    let words = excerpt(words);
    let values = [("label", words.clone()), ("extent", label.extent.as_str().to_owned())];
    let (code, points_to, strength, sentence) = match (label.standing, label.extent) {
        (Standing::Inside, _) => (
            Code::LabelInside,
            PointsTo::Neither,
            0.2,
            format!(
                "A line inside this text looks like a label for generated text, “{words}”. It may be an example or speak for a part."
            ),
        ),
        // Which words are the model's is not said.
        (_, Extent::Part) => (
            Code::LabelVisible,
            PointsTo::Neither,
            0.5,
            format!("This text says itself that a model wrote a part of it or helped with it: “{words}”."),
        ),
        (Standing::Own, Extent::Whole) => (
            Code::LabelVisible,
            PointsTo::Ai,
            1.0,
            format!("This text says itself that it was generated: “{words}”."),
        ),
        (Standing::Alone, Extent::Whole) => (
            Code::LabelAlone,
            PointsTo::Ai,
            0.5,
            format!(
                "A line at the edge of this text looks like a label for generated text: “{words}”. It may as well be a heading, a \
                 caption or a quotation, so it declares nothing."
            ),
        ),
    };
    Draft::declared(code, points_to, strength, Some(span)).with(sentence, values)
}

/// Where the machine-readable label was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Text,
    Page,
    Hidden,
}

pub(super) fn aigc(aigc: &Aigc, place: Place, span: Option<Span>) -> Option<Evidence> {
    let (code, strength, what) = match aigc.attribute()? {
        Attribute::Generated => (Code::AigcGenerated, 1.0, "generated by a model"),
        Attribute::Possible => (Code::AigcPossible, 0.5, "perhaps generated by a model"),
        Attribute::Suspected => (Code::AigcSuspected, 0.3, "suspected to be generated by a model"),
    };
    let place = match place {
        Place::Text => "text",
        Place::Page => "page",
        Place::Hidden => "hidden",
    };
    let (producer, number) = (excerpt(&aigc.content_producer), excerpt(&aigc.produce_id));
    let by = if producer.is_empty() { String::new() } else { format!(" (producer: {producer})") };
    let sentence = format!(
        "The machine-readable label of China's GB 45438-2025 says that this content is {what}{by}. Anyone can write or remove such a label."
    );
    let values = [("producer", producer), ("number", number), ("place", place.to_owned())];
    Some(Draft::declared(code, PointsTo::Ai, strength, span).with(sentence, values))
}

pub(super) fn aigc_bare(aigc: &Aigc, span: Span) -> Option<Evidence> {
    aigc.attribute()?;
    let sentence = "A machine-readable label for generated content stands at the edge of this text, without the name of a producer or \
                    a number. It may be an example, so it declares nothing.";
    Some(
        Draft::declared(Code::AigcBare, PointsTo::Ai, 0.3, Some(span))
            .with(sentence.to_owned(), [("label", excerpt(&aigc.label))]),
    )
}

pub(super) fn aigc_inside(aigc: &Aigc, span: Span) -> Option<Evidence> {
    aigc.attribute()?;
    let sentence = "A machine-readable label for generated content stands inside this text. It may be an example or speak for a part.";
    Some(
        Draft::declared(Code::AigcInside, PointsTo::Neither, 0.1, Some(span))
            .with(sentence.to_owned(), [("label", excerpt(&aigc.label))]),
    )
}

pub(super) fn source(source: SourceType) -> Evidence {
    let (code, points_to, strength, what) = match source.origin {
        Origin::Generated => (Code::SourceGenerated, PointsTo::Ai, 1.0, "that a trained model made it"),
        Origin::Composite => (
            Code::SourceComposite,
            PointsTo::Neither,
            0.5,
            "that a trained model made a part of it or helped",
        ),
        Origin::Other => (Code::SourceOther, PointsTo::Neither, 0.1, "another origin than a trained model"),
    };
    let term = source.term;
    let sentence = format!("The page declares {what} (digital source type “{term}”).");
    Draft::declared(code, points_to, strength, None).with(sentence, [("term", term.to_owned())])
}

pub(super) fn disclosure(name: &str, content: &str) -> Evidence {
    let (name, content) = (excerpt(name), excerpt(content));
    let sentence =
        format!("The page declares in its head that its content was generated (“{name}”: “{content}”).");
    Draft::declared(Code::PageDisclosure, PointsTo::Ai, 1.0, None)
        .with(sentence, [("name", name), ("content", content)])
}

pub(super) fn generator(generator: &str) -> Evidence {
    let generator = excerpt(generator);
    let sentence = format!(
        "The page names “{generator}” as the program that generated it, which may mean its words or only its layout."
    );
    Draft::declared(Code::PageGenerator, PointsTo::Ai, 0.5, None).with(sentence, [("generator", generator)])
}

/// `own`: it speaks for the text that it stands in.
pub(super) fn manifest(manifest: &Manifest, own: bool) -> Evidence {
    const UNCHECKED: &str =
        "Neither its signature nor whether it belongs to exactly these words was checked here.";
    let span = Some(manifest.span);
    match &manifest.content {
        Content::Damaged(damage) => {
            let sentence = String::from(
                "This text holds a C2PA manifest, a statement about its origin, that can't be read: it was cut, changed or is none.",
            );
            Draft::declared(Code::C2paDamaged, PointsTo::Neither, 0.1, span)
                .with(sentence, [("reason", damage.as_str().to_owned())])
        }
        Content::Reference(url) => {
            let url = excerpt(url);
            let sentence = format!(
                "This text names a C2PA manifest, a statement about its origin, that is kept at {url}. It was not fetched."
            );
            Draft::declared(Code::C2paReference, PointsTo::Neither, 0.1, span).with(sentence, [("url", url)])
        }
        Content::Store(_) => {
            let sources = manifest.source_types();
            let Some(source) = sources.first() else {
                let sentence = format!(
                    "This text carries a C2PA manifest, a statement about its origin, which names no digital source type. {UNCHECKED}"
                );
                return Draft::declared(Code::C2paManifest, PointsTo::Neither, 0.1, span).with(sentence, []);
            };
            let term = source.term;
            let agree = sources.iter().all(|other| other.origin == source.origin);
            if source.origin != Origin::Other && !(own && agree) {
                let sentence = format!(
                    "This text holds a C2PA manifest, a statement about its origin, which names a trained model (“{term}”). But it stands \
                     inside the text, may be an example, or names other sources too, so it declares nothing. {UNCHECKED}"
                );
                return Draft::declared(Code::C2paUnclear, PointsTo::Neither, 0.2, span)
                    .with(sentence, [("term", term.to_owned())]);
            }
            let (code, points_to, strength, what) = match source.origin {
                Origin::Generated => {
                    (Code::C2paGenerated, PointsTo::Ai, 1.0, "a trained model as the source")
                }
                Origin::Composite => (
                    Code::C2paComposite,
                    PointsTo::Neither,
                    0.5,
                    "a trained model as the source of a part or as a help",
                ),
                Origin::Other => {
                    (Code::C2paOther, PointsTo::Neither, 0.1, "another source than a trained model")
                }
            };
            let sentence = format!(
                "This text carries a C2PA manifest, a statement about its origin, which names {what} (“{term}”). {UNCHECKED}"
            );
            Draft::declared(code, points_to, strength, span).with(sentence, [("term", term.to_owned())])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_snake_case() {
        let names: std::collections::BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c == '2';
        assert!(names.iter().all(|name| name.chars().all(plain)));
    }

    #[test]
    fn values_are_short_and_on_one_line() {
        assert_eq!(excerpt(" a\nb\u{7}c "), "a b c");
        assert_eq!(excerpt(&"é".repeat(500)).chars().count(), LONGEST + 1);
    }
}
