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
/// Most hidden messages that are named one by one.
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
    evidence.extend(manifests.iter().map(messages::manifest));
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
    for found in aigc::find(text) {
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
    runs.retain(|run| {
        !manifests
            .iter()
            .any(|manifest| manifest.span.start <= run.span.start && run.span.end <= manifest.span.end)
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

/// Whether a part of a text stands at its start or its end, so that it speaks for the text. A part that a line with a colon
/// announces is an example.
fn is_edge(text: &str, part: &Range<usize>) -> bool {
    let nothing = |c: char| c.is_whitespace() || c == '\u{FEFF}' || is_selector(c);
    let before = text[..part.start].trim_matches(nothing);
    let after = text[part.end..].trim_matches(nothing);
    before.is_empty() || (after.is_empty() && !before.ends_with([':', '：']))
}
