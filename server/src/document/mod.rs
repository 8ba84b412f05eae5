//! The input side: files, pages and pasted text become blocks.
//!
//! A verdict needs enough words to rest on and a reader needs to see where it applies, so text is cut into
//! paragraph groups: never across a heading, never in the middle of a paragraph unless it is very long.

pub mod declared;
pub mod fetch;
pub mod group;
pub mod html;
pub mod read;
pub mod signed;

use group::Piece;

/// The most bytes that are read from a file, a pipe or a page.
pub const MAX_BYTES: usize = 5_000_000;

/// The most characters of text that are judged at once: a few hundred pages, minutes of work on a small
/// machine.
pub const MAX_CHARS: usize = 1_000_000;

/// A run of text that gets its own label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its number in the document, from 1.
    pub id: String,
    /// Its text: paragraphs are separated by an empty line, list items by a line feed.
    pub text: String,
}

/// Why a document can't be read. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Nothing is left to judge.
    #[error(
        "there is no text to judge: the input is empty, or holds only code, tables, menus or hidden parts"
    )]
    Empty,
    /// More bytes than are read.
    #[error("the input is larger than {} MB: give the part that matters", limit / 1_000_000)]
    TooLarge {
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// More text than is judged at once.
    #[error("the text has {chars} characters and at most {limit} are judged at once: give it in parts")]
    TooMuchText {
        /// How many there are.
        chars: usize,
        /// The most that are taken.
        limit: usize,
    },
    /// A file format that is known and is not text.
    #[error("this is {what}, not text: {fix}")]
    KnownBinary {
        /// Which, with its article.
        what: &'static str,
        /// How to get its text.
        fix: &'static str,
    },
    /// Bytes that no text has.
    #[error(
        "this is not a text file (control byte 0x{byte:02x} at byte {offset}): save it as plain text, HTML or Markdown first"
    )]
    Binary {
        /// Where the first such byte stands.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// Text in another encoding than UTF-8.
    #[error(
        "byte {offset} (0x{byte:02x}) is not valid UTF-8: convert the text first, for example with `iconv -f WINDOWS-1252 -t UTF-8`"
    )]
    NotUtf8 {
        /// Where the first invalid sequence begins.
        offset: usize,
        /// Its first byte.
        byte: u8,
    },
    /// Text that declares an encoding that is not read.
    #[error(
        "the text is encoded as {charset}, and only UTF-8 is read: convert it first, for example with `iconv -f {charset} -t UTF-8`"
    )]
    Charset {
        /// The declared encoding.
        charset: String,
    },
    /// HTML whose elements are nested deeper than browsers keep them.
    #[error(
        "the HTML is nested deeper than {limit} elements: give the text itself, or the part that matters"
    )]
    TooDeep {
        /// The deepest nesting that is read.
        limit: usize,
    },
    /// HTML that would take too long or too much memory.
    #[error(
        "the HTML is too complex to read (more than {limit} elements, or seconds of work): give the text itself"
    )]
    TooComplex {
        /// The most elements that are read.
        limit: usize,
    },
}

/// Blocks of plain text, whose paragraphs are separated by empty lines.
///
/// # Errors
/// [`DocumentError::Empty`] and [`DocumentError::TooMuchText`].
pub fn text_blocks(text: &str) -> Result<Vec<Block>, DocumentError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut pieces = Vec::new();
    let mut paragraph = String::new();
    for line in text.split('\n').chain([""]) {
        if line.trim().is_empty() {
            let whole = paragraph.trim_end();
            if !whole.is_empty() {
                pieces.push(Piece::body(whole));
            }
            paragraph.clear();
        } else {
            paragraph.push_str(line.trim_end());
            paragraph.push('\n');
        }
    }
    finish(pieces)
}

/// Blocks of Markdown (CommonMark with tables, footnotes and front matter). Code blocks, tables and front
/// matter are left out; the text of links is kept.
///
/// # Errors
/// As [`html_blocks`].
pub fn markdown_blocks(markdown: &str) -> Result<Vec<Block>, DocumentError> {
    finish(html::pieces_of_markdown(markdown)?)
}

/// Blocks of an HTML page or fragment: its main content where there is one, else all its visible text.
///
/// `url` is the page's address, if it has one.
///
/// # Errors
/// [`DocumentError::TooDeep`] and [`DocumentError::TooComplex`] besides those of [`text_blocks`].
pub fn html_blocks(html: &str, url: Option<&str>) -> Result<Vec<Block>, DocumentError> {
    finish(html::pieces_of_page(html, url)?)
}

/// Groups pieces into numbered blocks.
fn finish(pieces: Vec<Piece>) -> Result<Vec<Block>, DocumentError> {
    let chars = pieces.iter().map(|piece| piece.text().chars().count()).sum();
    if chars > MAX_CHARS {
        return Err(DocumentError::TooMuchText { chars, limit: MAX_CHARS });
    }
    let blocks: Vec<Block> = group::group(pieces)
        .into_iter()
        .enumerate()
        .map(|(index, text)| Block { id: (index + 1).to_string(), text })
        .collect();
    if blocks.is_empty() { Err(DocumentError::Empty) } else { Ok(blocks) }
}

#[cfg(test)]
mod tests;
