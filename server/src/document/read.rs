//! Bytes into text, and which kind of text it is.

use super::{Block, DocumentError, MAX_BYTES};
use std::io::Read;
use std::path::Path;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Plain text.
    Text,
    /// HTML or XHTML.
    Html,
    /// Markdown.
    Markdown,
}

impl Format {
    /// The kind that a file name's extension says, if it says one.
    pub fn of_extension(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "html" | "htm" | "xhtml" | "xht" => Some(Self::Html),
            "md" | "markdown" | "mdown" | "mkd" => Some(Self::Markdown),
            "txt" | "text" => Some(Self::Text),
            _ => None,
        }
    }

    /// The kind that a media type says, if it is one that is read (RFC 9110, section 8.3).
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        match media_type.split(';').next()?.trim().to_ascii_lowercase().as_str() {
            "text/html" | "application/xhtml+xml" => Some(Self::Html),
            "text/markdown" | "text/x-markdown" => Some(Self::Markdown),
            "text/plain" => Some(Self::Text),
            _ => None,
        }
    }

    /// The kind that the text looks like. Plain text unless there is good reason: a wrong guess drops text.
    pub fn sniff(text: &str) -> Self {
        let start: String = text.trim_start().chars().take(2048).collect::<String>().to_ascii_lowercase();
        let opens =
            ["<!doctype html", "<html", "<head", "<body", "<article", "<main", "<div", "<p>", "<p ", "<h1"]
                .iter()
                .any(|tag| start.starts_with(tag));
        if opens || ((start.starts_with("<?xml") || start.starts_with("<!--")) && start.contains("<html")) {
            return Self::Html;
        }
        let heading = |line: &str| {
            let rest = line.trim_start_matches('#');
            (1..=6).contains(&(line.len() - rest.len())) && rest.starts_with(' ')
        };
        let headings = text.lines().filter(|line| heading(line)).count();
        let fences = text.lines().filter(|line| line.starts_with("```")).count();
        if headings >= 2 || fences >= 2 { Self::Markdown } else { Self::Text }
    }

    /// The blocks of a document of this kind; `url` is its address, if it has one.
    ///
    /// # Errors
    /// As [`super::html_blocks`].
    pub fn blocks(self, text: &str, url: Option<&str>) -> Result<Vec<Block>, DocumentError> {
        match self {
            Self::Text => super::text_blocks(text),
            Self::Html => super::html_blocks(text, url),
            Self::Markdown => super::markdown_blocks(text),
        }
    }
}

/// Reads everything up to [`MAX_BYTES`].
///
/// # Errors
/// `Ok(Err)` if there is more, `Err` if reading fails.
pub fn limited(reader: impl Read) -> std::io::Result<Result<Vec<u8>, DocumentError>> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > MAX_BYTES { Err(DocumentError::TooLarge { limit: MAX_BYTES }) } else { Ok(bytes) })
}

/// Bytes into text: UTF-8, or UTF-16 with a byte order mark.
///
/// # Errors
/// [`DocumentError::KnownBinary`], [`DocumentError::Binary`] and [`DocumentError::NotUtf8`].
pub fn decode(bytes: Vec<u8>) -> Result<String, DocumentError> {
    if let Some((what, fix)) = known_binary(&bytes) {
        return Err(DocumentError::KnownBinary { what, fix });
    }
    let text = match bytes.get(..2) {
        Some([0xff, 0xfe]) => utf16(&bytes, u16::from_le_bytes)?,
        Some([0xfe, 0xff]) => utf16(&bytes, u16::from_be_bytes)?,
        _ => utf8(bytes)?,
    };
    match control(&text) {
        Some((offset, byte)) => Err(DocumentError::Binary { offset, byte }),
        None => Ok(text),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, DocumentError> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        // A NUL byte near an invalid sequence means that no conversion will make text of it.
        match bytes.iter().position(|&byte| byte == 0) {
            Some(offset) => DocumentError::Binary { offset, byte: 0 },
            None => DocumentError::NotUtf8 { offset, byte: bytes.get(offset).copied().unwrap_or_default() },
        }
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DocumentError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut offset = 2;
    for decoded in char::decode_utf16(pairs.iter().skip(1).map(|&pair| unit(pair))) {
        let Ok(c) = decoded else {
            return Err(DocumentError::Binary { offset, byte: bytes[offset] });
        };
        offset += 2 * c.len_utf16();
        text.push(c);
    }
    match rest.first() {
        Some(&byte) => Err(DocumentError::Binary { offset, byte }),
        None => Ok(text),
    }
}

/// The first control character, if there is a NUL or more of them than stray ones in text (one in 200).
fn control(text: &str) -> Option<(usize, u8)> {
    let is_control = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x08 | 0x1b);
    let nul = text.bytes().position(|byte| byte == 0).map(|offset| (offset, 0));
    nul.or_else(|| {
        let many = text.bytes().filter(|&byte| is_control(byte)).count() * 200 > text.len();
        let first = text.bytes().enumerate().find(|&(_, byte)| is_control(byte));
        first.filter(|_| many)
    })
}

/// File formats that people take for text, by their first bytes.
fn known_binary(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const KNOWN: &[(&[u8], &str, &str)] = &[
        (b"%PDF-", "a PDF", "extract its text first, for example with `pdftotext FILE -`"),
        (b"PK\x03\x04", "a ZIP file or an office document", "save it as plain text or HTML first"),
        (b"\xd0\xcf\x11\xe0", "an office document", "save it as plain text or HTML first"),
        (b"{\\rtf", "an RTF document", "save it as plain text or HTML first"),
        (b"\x89PNG", "an image", "give its text"),
        (b"\xff\xd8\xff", "an image", "give its text"),
        (b"GIF8", "an image", "give its text"),
        (b"\x1f\x8b", "a gzip file", "unpack it first, for example with `gunzip`"),
        (b"\x7fELF", "a program", "give a text"),
        (b"GGUF", "a model file", "give it with --model, and a text to score"),
    ];
    KNOWN.iter().find(|(magic, ..)| bytes.starts_with(magic)).map(|&(_, what, fix)| (what, fix))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decodes_utf8_and_utf16() {
        assert_eq!(decode("héllo 😀".into()).unwrap(), "héllo 😀");
        let le: Vec<u8> = "\u{feff}hé😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "\u{feff}hé😀".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!((decode(le).unwrap(), decode(be).unwrap()), ("hé😀".to_owned(), "hé😀".to_owned()));
    }

    #[test]
    fn says_where_a_text_is_not_utf8() {
        let error = decode(b"caf\xe9 au lait".to_vec()).unwrap_err();
        assert!(matches!(error, DocumentError::NotUtf8 { offset: 3, byte: 0xe9 }));
        assert!(error.to_string().contains("iconv"), "{error}");
    }

    #[test]
    fn refuses_binary_and_names_what_it_knows() {
        assert!(matches!(decode(b"abc\0def".to_vec()), Err(DocumentError::Binary { offset: 3, byte: 0 })));
        assert!(matches!(
            decode(b"\x01\x02\x03abc".to_vec()),
            Err(DocumentError::Binary { offset: 0, byte: 1 })
        ));
        assert!(matches!(decode(b"\xff\xfea\0\0".to_vec()), Err(DocumentError::Binary { offset: 4, .. })));
        assert!(matches!(decode(b"\x80\0".to_vec()), Err(DocumentError::Binary { offset: 1, .. })));
        assert!(decode(b"%PDF-1.7".to_vec()).unwrap_err().to_string().contains("pdftotext"));
        assert!(decode(format!("{}\x07", "fine ".repeat(100)).into_bytes()).is_ok());
    }

    #[test]
    fn stops_at_the_limit() {
        assert!(limited(std::io::repeat(b'a').take(MAX_BYTES as u64)).unwrap().is_ok());
        assert!(matches!(limited(std::io::repeat(b'a')).unwrap(), Err(DocumentError::TooLarge { .. })));
    }

    #[test]
    fn guesses_the_kind() {
        assert_eq!(Format::of_extension(Path::new("a.HTM")), Some(Format::Html));
        assert_eq!(Format::of_extension(Path::new("README.md")), Some(Format::Markdown));
        assert_eq!(Format::of_extension(Path::new("notes")), None);
        assert_eq!(Format::of_media_type("text/html; charset=utf-8"), Some(Format::Html));
        assert_eq!(Format::of_media_type("image/png"), None);
        assert_eq!(Format::sniff("\n<!DOCTYPE html><p>x"), Format::Html);
        assert_eq!(Format::sniff("<?xml version=\"1.0\"?>\n<html>"), Format::Html);
        assert_eq!(Format::sniff("# A\n\ntext\n\n## B\n\ntext"), Format::Markdown);
        assert_eq!(Format::sniff("I am #1 and <b> is a tag."), Format::Text);
    }

    proptest! {
        #[test]
        fn any_bytes_are_text_or_an_error(bytes: Vec<u8>) {
            if let Ok(text) = decode(bytes.clone()) {
                prop_assert!(!text.contains('\0'));
                prop_assert!(text.as_bytes() == bytes || bytes.len() >= 2);
            }
        }
    }
}
