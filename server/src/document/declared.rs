//! What a whole document declares of its blocks: in the head of a page, in front matter, or in a label for all of it.

use super::read::Format;
use super::{Block, html};
use bonafide_core::declared::{Declared, Metadata, speaks_for_all};

/// What a document says of all its text. `text` is the document, `blocks` what was cut out of it.
#[must_use]
pub fn declared(text: &str, format: Format, blocks: &[Block]) -> Declared {
    match format {
        Format::Html => {
            // HTML that can't be read says nothing here; reading its blocks tells why.
            let metadata = html::metadata(text).unwrap_or_default();
            let shown: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
            speaks_for_all(&shown.join("\n\n"), &metadata)
        }
        Format::Text | Format::Markdown => speaks_for_all(text, &Metadata::default()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;

    fn codes(text: &str, format: Format) -> Vec<String> {
        let blocks = format.blocks(text, None).unwrap_or_else(|error| panic!("{error}"));
        let declared = declared(text, format, &blocks);
        assert_eq!(declared.declares_ai, !declared.evidence.is_empty());
        declared.evidence.into_iter().map(|found| found.code).collect()
    }

    #[test]
    fn the_head_of_a_page_speaks_for_it() {
        let source = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
        let json = format!(r#"{{"@type": "Article", "digitalSourceType": "{source}"}}"#);
        let page = format!(
            "<html><head><script type='application/ld+json'>{json}</script></head><body><p>Text.</p></body></html>"
        );
        assert_eq!(codes(&page, Format::Html), ["source_generated"]);
        let meta = "<meta name='ai-disclosure' content='ai-generated'><p>Text.</p>";
        assert_eq!(codes(meta, Format::Html), ["page_disclosure"]);
        assert!(codes("<meta name='generator' content='WordPress 6.8'><p>AI</p>", Format::Html).is_empty());
    }

    #[test]
    fn front_matter_and_labels_speak_for_the_document() {
        let text = bonafide_core::declared::mark(
            &format!("# Title\n\n{}\n", "A text of some words that go on for a while. ".repeat(4)),
            &bonafide_core::declared::Marks {
                visible: Some(bonafide_core::declared::Language::English),
                metadata: Some(bonafide_core::declared::aigc::Aigc {
                    label: "1".to_owned(),
                    content_producer: "me".to_owned(),
                    ..Default::default()
                }),
                manifest: None,
            },
        );
        assert_eq!(codes(&text, Format::Markdown).len(), 2);
        assert_eq!(codes(&text, Format::Text).len(), 2);
        assert!(
            codes("# Title\n\nLabels such as AI-generated are asked for.\n", Format::Markdown).is_empty()
        );
    }
}
