//! What a text, or the page around it, says itself about how it was made.
//!
//! Labels that people and machines put there, manifests of C2PA, what chatbots leave behind, and characters that can't be
//! seen. [`read`] joins them for a whole text, [`read_part`] for a piece of one, and [`speaks_for_all`] has what a document of
//! several pieces says of all of them. Only a label that speaks for the text declares it; everything else is evidence beside
//! other evidence, and what may be a quotation or an example weighs next to nothing. [`mark()`] writes such labels.

pub mod aigc;
pub mod c2pa;
pub mod label;
pub mod leftover;
mod mark;
mod messages;
pub mod page;
mod place;
pub mod source;

#[cfg(test)]
mod human_tests;
#[cfg(test)]
mod leftover_tests;
#[cfg(test)]
mod tests;

pub use mark::{Language, Marks, mark};
pub use messages::Code;
pub use page::Metadata;

use crate::text::hidden::{self, Class, Payload, Run};
use crate::verdict::{Evidence, EvidenceKind, Span};
use aigc::Aigc;
use label::{Extent, Label};
use messages::Place;
use page::Finding;
use place::Ground;
use std::ops::Range;

/// Longest run of hidden characters that chance and editors leave.
const LONG_RUN: usize = 8;
/// Most hidden messages, manifests and machine-readable labels that are named one by one.
const NAMED: usize = 5;
/// From this strength on a finding of the kind `declared` declares the text.
const CERTAIN: f64 = 1.0;

/// What a text and its page say of their origin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Declared {
    /// The findings, strongest first.
    pub evidence: Vec<Evidence>,
    /// A label, the page or a manifest declares that a model made the text.
    pub declares_ai: bool,
}

impl Declared {
    fn new(mut evidence: Vec<Evidence>) -> Self {
        evidence.sort_by(|a, b| b.strength.total_cmp(&a.strength));
        let declares_ai = evidence.iter().any(declares);
        Self { evidence, declares_ai }
    }
}

/// Reads all that a whole text and the page around it declare.
#[must_use]
pub fn read(text: &str, metadata: &Metadata) -> Declared {
    let mut evidence = in_text(text, true);
    evidence.extend(page::find(metadata).iter().filter_map(page_evidence));
    Declared::new(evidence)
}

/// Reads a piece that was cut out of a longer document. Its edges are not the document's, so that no label in it declares
/// anything: it may be somebody else's, an example, or a label for other pieces.
#[must_use]
pub fn read_part(text: &str) -> Declared {
    Declared::new(in_text(text, false))
}

/// What speaks for all pieces of a document: its front matter, the page around it, a label in its first line, a manifest at
/// its end. A label in the last line does not: in a thread it is that of the last post. There are no places in it, because
/// those would be the document's and not a piece's.
#[must_use]
pub fn speaks_for_all(text: &str, metadata: &Metadata) -> Declared {
    let ground = Ground::new(text);
    let mut evidence: Vec<Evidence> = c2pa::find(text)
        .iter()
        .filter(|manifest| manifest.ends(text, &ground))
        .map(|manifest| messages::manifest(manifest, true))
        .collect();
    let labels = label::find(text);
    let first = labels.iter().filter(|label| label.first && label.standing == label::Standing::Own);
    evidence.extend(first.map(|label| label_evidence(text, label)));
    let fields = aigc::find(text).into_iter().filter(|found| found.standing == aigc::Standing::Head);
    evidence.extend(fields.filter_map(|found| messages::aigc(&found.aigc, Place::Text, None)));
    evidence.extend(page::find(metadata).iter().filter_map(page_evidence));
    evidence.retain(declares);
    evidence.iter_mut().for_each(|found| found.span = None);
    Declared::new(evidence)
}

fn declares(evidence: &Evidence) -> bool {
    evidence.kind == EvidenceKind::Declared && evidence.strength >= CERTAIN
}

/// What stands in a text, or in a piece of one.
fn in_text(text: &str, whole: bool) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    let ground = Ground::new(text);
    let manifests = c2pa::find(text);
    let own = |manifest: &c2pa::Manifest| whole && manifest.ends(text, &ground);
    let mut stated: Vec<Evidence> =
        manifests.iter().map(|manifest| messages::manifest(manifest, own(manifest))).collect();
    stated.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    evidence.extend(stated.into_iter().take(NAMED));
    read_hidden(text, &manifests, whole.then_some(&ground), &mut evidence);
    for leftover in leftover::find(text) {
        let span = span(text, &leftover.bytes);
        evidence.push(messages::leftover(&leftover, &text[leftover.bytes.clone()], span));
    }
    let mut labels = label::find(text);
    if !whole {
        labels.iter_mut().for_each(|label| label.standing = label::Standing::Inside);
    }
    // The one that says most; others repeat it.
    let most = labels.iter().min_by_key(|label| (label.standing, label.extent == Extent::Part));
    evidence.extend(most.map(|label| label_evidence(text, label)));
    let mut fields = aigc::find(text);
    if !whole {
        fields.iter_mut().for_each(|found| found.standing = aigc::Standing::Inside);
    }
    fields.sort_by_key(|found| found.standing);
    for found in fields.into_iter().take(NAMED) {
        let span = span(text, &found.bytes);
        evidence.extend(match found.standing {
            aigc::Standing::Head | aigc::Standing::Edge => {
                messages::aigc(&found.aigc, Place::Text, Some(span))
            }
            aigc::Standing::Bare => messages::aigc_bare(&found.aigc, span),
            aigc::Standing::Inside => messages::aigc_inside(&found.aigc, span),
        });
    }
    evidence
}

fn label_evidence(text: &str, label: &Label) -> Evidence {
    messages::label(label, &text[label.bytes.clone()], span(text, &label.bytes))
}

fn page_evidence(finding: &Finding) -> Option<Evidence> {
    match finding {
        Finding::Aigc(aigc) => messages::aigc(aigc, Place::Page, None),
        Finding::SourceType(source) => Some(messages::source(*source)),
        Finding::Disclosure(name, content) => Some(messages::disclosure(name, content)),
        Finding::Generator(generator) => Some(messages::generator(generator)),
    }
}

/// Messages and long runs one by one, the rest by class. Manifests have been reported. Without a ground no message stands at
/// an edge.
fn read_hidden(
    text: &str,
    manifests: &[c2pa::Manifest],
    ground: Option<&Ground<'_>>,
    evidence: &mut Vec<Evidence>,
) {
    let mut runs = hidden::runs(text);
    let mut rest = manifests.iter().filter(|manifest| manifest.hidden).peekable();
    runs.retain(|run| {
        while rest.next_if(|manifest| manifest.span.end <= run.span.start).is_some() {}
        rest.peek().is_none_or(|manifest| run.span.start < manifest.span.start)
    });
    let spread = hidden::spread(text, &runs);
    if let (Some(payload), Some(first), Some(last)) = (&spread, runs.first(), runs.last()) {
        hidden_message(payload, Span { start: first.span.start, end: last.span.end }, false, evidence);
        runs.retain(|run| run.class != Class::ZeroWidth);
    }
    let (long, short): (Vec<Run>, Vec<Run>) = runs
        .into_iter()
        .partition(|run| run.payload.is_some() || (run.count() > LONG_RUN && is_unseen(run.class)));
    for run in long.iter().take(NAMED) {
        match &run.payload {
            Some(payload) => {
                let at_edge = ground.is_some_and(|ground| ground.speaks(&bytes(text, run.span)));
                hidden_message(payload, run.span, at_edge, evidence);
            }
            None => evidence.push(messages::hidden_run(run.span)),
        }
    }
    let mut classes: Vec<Class> = short.iter().map(|run| run.class).collect();
    classes.sort_unstable();
    classes.dedup();
    for class in classes {
        let of_class = || short.iter().filter(|run| run.class == class);
        if let Some(first) = of_class().next() {
            evidence.push(messages::hidden(class, of_class().map(Run::count).sum(), first.span));
        }
    }
}

fn is_unseen(class: Class) -> bool {
    !matches!(class, Class::NarrowSpace | Class::SoftHyphen)
}

/// A hidden message may itself be a label. At an edge of the text a service put it there; between the words it may have come
/// with a quotation.
fn hidden_message(payload: &Payload, span: Span, at_edge: bool, evidence: &mut Vec<Evidence>) {
    evidence.push(messages::hidden_message(payload, span));
    let aigc = payload.text.as_deref().filter(|text| text.contains("AIGC")).and_then(Aigc::from_json);
    evidence.extend(aigc.and_then(|aigc| {
        if at_edge {
            messages::aigc(&aigc, Place::Hidden, Some(span))
        } else {
            messages::aigc_inside(&aigc, span)
        }
    }));
}

fn span(text: &str, bytes: &Range<usize>) -> Span {
    let start = text[..bytes.start].chars().count();
    Span { start, end: start + text[bytes.clone()].chars().count() }
}

fn bytes(text: &str, span: Span) -> Range<usize> {
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]).skip(span.start);
    let start = places.next().unwrap_or(text.len());
    let count = span.end.saturating_sub(span.start);
    start..count.checked_sub(1).and_then(|more| places.nth(more)).unwrap_or(start)
}
