//! HTML into pieces: the main content of a page, with its paragraphs, lists and headings kept apart.
//!
//! Readability (Mozilla's heuristics, through `dom_smoothie`) finds the main content; where it finds too
//! little, as on short fragments, forums and lists of comments, all visible text that is no menu is taken.

mod parse;
mod signed;
mod tree;
mod walk;

use super::DocumentError;
use super::group::Piece;
use bonafide_core::declared::Metadata;
use bonafide_core::signature::page::Page;
use bonafide_core::text::words::count as words;
use dom_query::Document;
use dom_smoothie::{Config, Readability};
pub(crate) use parse::document as parse;
use pulldown_cmark::{Options, Parser};
use walk::{Scope, pieces};

/// A paragraph of fewer words may be a label or a menu entry: it doesn't count when extractions are compared.
const PROSE_WORDS: usize = 12;
/// Readability must find at least this share of the page's prose, or it has picked the wrong part.
const MIN_READABLE_SHARE: f64 = 0.3;

/// The pieces of a whole page or of a fragment.
///
/// # Errors
/// [`DocumentError::TooDeep`] and [`DocumentError::TooComplex`].
pub(crate) fn pieces_of_page(html: &str, url: Option<&str>) -> Result<Vec<Piece>, DocumentError> {
    let document = parse::document(html, false)?;
    let posts = posts(&document);
    let body = pieces(&document, Scope::Page);
    let readable = readable(document, url)?;

    let (in_posts, in_body, in_readable) = (prose(&posts), prose(&body), prose(&readable));
    if in_posts > in_readable {
        Ok(posts)
    } else if in_readable > 0 && in_readable as f64 >= MIN_READABLE_SHARE * in_body as f64 {
        Ok(readable)
    } else if body.iter().any(|piece| words(piece.text()) > 0) {
        Ok(body)
    } else {
        Ok(readable)
    }
}

/// What the head of a page, or any part of it, says in `meta` elements and in JSON-LD.
///
/// # Errors
/// As [`pieces_of_page`].
pub(crate) fn metadata(html: &str) -> Result<Metadata, DocumentError> {
    let document = parse::document(html, true)?;
    let mut metadata = Metadata::default();
    for meta in document.select("meta").iter() {
        // Not `itemprop`, which may be about any picture on the page.
        let name = meta.attr("name").or_else(|| meta.attr("property"));
        if let (Some(name), Some(content)) = (name, meta.attr("content")) {
            metadata.meta.push((name.to_string(), content.to_string()));
        }
    }
    for script in document.select("script[type='application/ld+json']").iter() {
        metadata.json_ld.push(script.text().to_string());
    }
    Ok(metadata)
}

/// A page with the statements in it.
///
/// # Errors
/// [`DocumentError::TooDeep`] and [`DocumentError::TooComplex`].
pub(crate) fn signed_page(html: &str) -> Result<Page, DocumentError> {
    Ok(signed::page(&parse::document(html, true)?))
}

/// The same for a Markdown text, as it is shown.
///
/// # Errors
/// As [`signed_page`].
pub(crate) fn signed_page_of_markdown(markdown: &str) -> Result<Page, DocumentError> {
    signed_page(&render_markdown(markdown, shown_markdown()))
}

/// The pieces of a Markdown text, by way of HTML, so that inline HTML needs no second set of rules.
pub(crate) fn pieces_of_markdown(markdown: &str) -> Result<Vec<Piece>, DocumentError> {
    // Other programs keep facts of a text in a block before it, which is no prose.
    let options = shown_markdown()
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS;
    let document = parse::document(&render_markdown(markdown, options), false)?;
    Ok(pieces(&document, Scope::All))
}

/// What Markdown is to a reader of a signed text (SPEC.md of signatures, 1.1).
fn shown_markdown() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
}

fn render_markdown(markdown: &str, options: Options) -> String {
    let mut html = String::with_capacity(markdown.len() + markdown.len() / 4);
    pulldown_cmark::html::push_html(&mut html, Parser::new_ext(markdown, options));
    html
}

/// The posts of a forum, a feed or a comment page, if there are several.
fn posts(document: &Document) -> Vec<Piece> {
    let pieces = pieces(document, Scope::Posts);
    let several = pieces.split(|piece| *piece == Piece::Border).filter(|post| prose(post) > 0).count() > 1;
    if several { pieces } else { Vec::new() }
}

/// The main content, empty if none is found.
fn readable(document: Document, url: Option<&str>) -> Result<Vec<Piece>, DocumentError> {
    let config = Config { disable_json_ld: true, ..Config::default() };
    let url = url.filter(|url| url::Url::parse(url).is_ok());
    let Ok(mut readability) = Readability::with_document(document, url, Some(config)) else {
        return Ok(Vec::new());
    };
    match readability.parse() {
        Ok(article) => Ok(pieces(&parse::document(&article.content, false)?, Scope::All)),
        Err(_) => Ok(Vec::new()),
    }
}

/// Words in paragraphs that are long enough to be prose.
fn prose(pieces: &[Piece]) -> usize {
    pieces
        .iter()
        .filter(|piece| matches!(piece, Piece::Body { .. }))
        .map(|piece| words(piece.text()))
        .filter(|&count| count >= PROSE_WORDS)
        .sum()
}
