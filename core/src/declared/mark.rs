//! Labels a text as generated.
//!
//! GB 45438-2025 asks a service for a label that readers see, in the text, and for one that programs read, in the metadata of
//! the file. Plain text has no metadata. C2PA's hidden wrapper must hold a manifest store and nothing else, so the field
//! goes where services that export Markdown put it: into YAML front matter. The visible label becomes the first line after
//! it, which the standard allows and which no unfinished quotation or block of code can swallow; a manifest goes hidden to
//! the end, as its specification wants.

use super::aigc::{self, Aigc};
use super::{c2pa, is_generated, label};
use std::ops::Range;

/// The language of a visible label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// （本文由AI生成）
    Chinese,
    /// (AI-generated)
    English,
}

impl Language {
    /// The label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Chinese => "（本文由AI生成）",
            Self::English => "(AI-generated)",
        }
    }
}

/// Which labels a text gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// A line that readers see.
    pub visible: Option<Language>,
    /// The machine-readable field of GB 45438-2025.
    pub metadata: Option<Aigc>,
    /// A C2PA manifest store, signed elsewhere.
    pub manifest: Option<Vec<u8>>,
}

/// Rounds of taking out manifests. Taking out one may leave another; no honest text needs a second round.
const ROUNDS: usize = 8;

/// Puts labels into a text. What already has a label of a kind doesn't get another of it: a visible label stays, an older
/// field in the front matter and older manifests are replaced.
#[must_use]
pub fn mark(text: &str, marks: &Marks) -> String {
    let mut marked = text.to_owned();
    if let Some(language) = marks.visible {
        add_visible(&mut marked, language);
    }
    if let Some(aigc) = &marks.metadata {
        add_metadata(&mut marked, aigc);
    }
    if let Some(wrapper) = marks.manifest.as_deref().and_then(c2pa::wrap) {
        remove_manifests(&mut marked);
        marked.push_str(&wrapper);
    }
    marked
}

fn add_visible(text: &mut String, language: Language) {
    let is_whole = |label: &label::Label| label.own && label.extent == label::Extent::Whole;
    if label::find(text).iter().any(is_whole) {
        return;
    }
    let at = match aigc::front_matter(text) {
        Some(head) => text[head.end..].find('\n').map_or(text.len(), |newline| head.end + newline + 1),
        None => byte_order_mark(text),
    };
    // The closing dashes may end the text without a new line.
    let newline = if at > 0 && at == text.len() && !text.ends_with(['\n', '\u{FEFF}']) { "\n" } else { "" };
    text.insert_str(at, &format!("{newline}{}\n\n", language.label()));
}

fn add_metadata(text: &mut String, aigc: &Aigc) {
    if let Some(old) = in_front_matter(text) {
        if aigc::find(&text[..old.end]).iter().any(|found| found.aigc == *aigc) {
            return;
        }
        text.replace_range(old, "");
    } else if aigc::find(text)
        .iter()
        .any(|found| found.own && (found.aigc == *aigc || (is_generated(&found.aigc) && is_generated(aigc))))
    {
        return;
    }
    match aigc::front_matter(text) {
        Some(head) => text.insert_str(head.start, &aigc.front_matter()),
        None => text.insert_str(byte_order_mark(text), &format!("---\n{}---\n", aigc.front_matter())),
    }
}

/// The lines of an older field.
fn in_front_matter(text: &str) -> Option<Range<usize>> {
    let head = aigc::front_matter(text)?;
    let found = aigc::find(&text[..head.end]).into_iter().find(|found| found.bytes.start >= head.start)?;
    let end =
        text[found.bytes.end..head.end].find('\n').map_or(head.end, |newline| found.bytes.end + newline + 1);
    let start = text[..found.bytes.start].rfind('\n').map_or(head.start, |newline| newline + 1);
    Some(start..end)
}

fn byte_order_mark(text: &str) -> usize {
    // In front of a hidden manifest it is none.
    let is_mark = text.starts_with('\u{FEFF}')
        && c2pa::find(text).first().is_none_or(|manifest| manifest.bytes.start > 0);
    if is_mark { '\u{FEFF}'.len_utf8() } else { 0 }
}

fn remove_manifests(text: &mut String) {
    for _ in 0..ROUNDS {
        let hidden: Vec<Range<usize>> = c2pa::find(text)
            .into_iter()
            .filter(|manifest| manifest.hidden)
            .map(|manifest| manifest.bytes)
            .collect();
        if hidden.is_empty() {
            return;
        }
        for bytes in hidden.into_iter().rev() {
            text.replace_range(bytes, "");
        }
    }
}
