//! What a text, or the page around it, says itself about how it was made.
//!
//! Labels that people and machines put there, manifests of C2PA, what chatbots leave behind, and characters that can't be
//! seen. [`read`] joins them. Only a label that speaks for the text declares it; everything else is evidence beside other
//! evidence, and what may be a quotation or an example weighs next to nothing. [`mark()`] writes such labels.

pub mod aigc;
pub mod c2pa;
pub mod label;
pub mod leftover;
mod mark;
mod messages;
pub mod page;
pub mod source;

#[cfg(test)]
mod label_tests;
#[cfg(test)]
mod leftover_tests;
#[cfg(test)]
mod tests;

pub use mark::{Language, Marks, mark};
pub use messages::Code;
pub use page::Metadata;

use crate::text::hidden::{self, Class, Payload, Run, is_selector};
use crate::verdict::{Evidence, EvidenceKind, Span};
use aigc::{Aigc, Attribute};
use messages::Place;
use page::Finding;
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
    /// A label, the page or a manifest declares that a model made the text or a part of it.
    pub declares_ai: bool,
}

/// Reads all that a text and the page around it declare.
#[must_use]
pub fn read(text: &str, metadata: &Metadata) -> Declared {
    let mut evidence = Vec::new();
    let manifests = c2pa::find(text);
    let mut stated: Vec<Evidence> = manifests.iter().map(messages::manifest).collect();
    stated.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    evidence.extend(stated.into_iter().take(NAMED));
    read_hidden(text, &manifests, &mut evidence);
    for leftover in leftover::find(text) {
        let span = span(text, &leftover.bytes);
        evidence.push(messages::leftover(&leftover, &text[leftover.bytes.clone()], span));
    }
    let labels = label::find(text);
    // The first that speaks for the text says it; others repeat it.
    if let Some(label) = labels.iter().find(|label| label.own).or(labels.first()) {
        evidence.push(messages::label(label, &text[label.bytes.clone()], span(text, &label.bytes)));
    }
    let mut fields = aigc::find(text);
    fields.sort_by_key(|found| !found.own);
    for found in fields.into_iter().take(NAMED) {
        let span = span(text, &found.bytes);
        evidence.extend(if found.own {
            messages::aigc(&found.aigc, Place::Text, Some(span))
        } else {
            messages::aigc_inside(&found.aigc, span)
        });
    }
    evidence.extend(page::find(metadata).iter().filter_map(page_evidence));
    evidence.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    let declares =
        |evidence: &Evidence| evidence.kind == EvidenceKind::Declared && evidence.strength >= CERTAIN;
    let declares_ai = evidence.iter().any(declares);
    Declared { evidence, declares_ai }
}

fn page_evidence(finding: &Finding) -> Option<Evidence> {
    match finding {
        Finding::Aigc(aigc) => messages::aigc(aigc, Place::Page, None),
        Finding::SourceType(source) => Some(messages::source(*source)),
        Finding::Disclosure(name, content) => Some(messages::disclosure(name, content)),
        Finding::Generator(generator) => Some(messages::generator(generator)),
    }
}

/// Messages and long runs one by one, the rest by class. Manifests have been reported.
fn read_hidden(text: &str, manifests: &[c2pa::Manifest], evidence: &mut Vec<Evidence>) {
    let mut runs = hidden::runs(text);
    let mut rest = manifests.iter().filter(|manifest| manifest.hidden).peekable();
    runs.retain(|run| {
        while rest.next_if(|manifest| manifest.span.end <= run.span.start).is_some() {}
        rest.peek().is_none_or(|manifest| run.span.start < manifest.span.start)
    });
    let spread = hidden::spread(text, &runs);
    if let (Some(payload), Some(first), Some(last)) = (&spread, runs.first(), runs.last()) {
        hidden_message(payload, Span { start: first.span.start, end: last.span.end }, evidence);
        runs.retain(|run| run.class != Class::ZeroWidth);
    }
    let (long, short): (Vec<Run>, Vec<Run>) = runs
        .into_iter()
        .partition(|run| run.payload.is_some() || (run.count() > LONG_RUN && is_unseen(run.class)));
    for run in long.iter().take(NAMED) {
        match &run.payload {
            Some(payload) => hidden_message(payload, run.span, evidence),
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

/// A hidden message may itself be a label.
fn hidden_message(payload: &Payload, span: Span, evidence: &mut Vec<Evidence>) {
    evidence.push(messages::hidden_message(payload, span));
    let aigc = payload.text.as_deref().filter(|text| text.contains("AIGC")).and_then(Aigc::from_json);
    evidence.extend(aigc.and_then(|aigc| messages::aigc(&aigc, Place::Hidden, Some(span))));
}

/// Whether a label says that the content is generated, not only that it may be.
fn is_generated(aigc: &Aigc) -> bool {
    aigc.attribute() == Some(Attribute::Generated)
}

fn span(text: &str, bytes: &Range<usize>) -> Span {
    let start = text[..bytes.start].chars().count();
    Span { start, end: start + text[bytes.clone()].chars().count() }
}

/// Where the words of a text begin and end.
struct Edges<'a> {
    text: &'a str,
    words: Range<usize>,
}

impl<'a> Edges<'a> {
    fn new(text: &'a str) -> Self {
        let start = text.len() - text.trim_start_matches(is_nothing).len();
        let end = text.trim_end_matches(is_nothing).len().max(start);
        Self { text, words: start..end }
    }

    /// Whether a part of the text stands at its start or its end, so that it speaks for the text. A part that a line with a
    /// colon announces is an example.
    fn has(&self, part: &Range<usize>) -> bool {
        let announced = || self.text[..part.start].trim_end_matches(is_nothing).ends_with([':', '：']);
        part.start <= self.words.start || (part.end >= self.words.end && !announced())
    }
}

fn is_nothing(c: char) -> bool {
    c.is_whitespace() || c == '\u{FEFF}' || is_selector(c)
}
