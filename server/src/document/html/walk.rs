//! A tree of elements into pieces, without recursion: what a reader would see as prose.

use super::tree::{self, Visitor};
use crate::document::group::Piece;
use bonafide_core::text::words::count as words;
use dom_query::{Document, NodeRef};

/// Which part of a tree is wanted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything visible.
    #[default]
    All,
    /// Everything visible but menus, page headers and footers, and asides.
    Page,
    /// Only what stands in `<article>` elements, menus and footers in them left out.
    Posts,
}

/// A list whose items have more words than this on average is a list of posts or paragraphs.
const LIST_ITEM_WORDS: usize = 40;
/// A table cell with fewer words than this holds data, not prose.
const CELL_WORDS: usize = 12;

/// Cuts a document into pieces.
pub(super) fn pieces(document: &Document, scope: Scope) -> Vec<Piece> {
    let mut walker = Walker { scope, ..Walker::default() };
    tree::walk(document, &mut walker);
    walker.finish()
}

/// What an element does to the text in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Inline,
    Break,
    Rule,
    Paragraph,
    Container,
    Heading,
    List,
    Quote,
    Cell,
    Post,
    /// Left out everywhere.
    Hidden,
    /// Left out of pages.
    Chrome,
}

fn role(name: &str) -> Role {
    match name {
        "script" | "style" | "noscript" | "template" | "head" | "title" | "pre" | "textarea" | "select"
        | "option" | "datalist" | "button" | "input" | "svg" | "math" | "canvas" | "iframe" | "frame"
        | "object" | "embed" | "audio" | "video" | "map" | "meter" | "progress" | "rt" | "rp" | "xmp"
        | "listing" | "plaintext" | "noframes" | "noembed" => Role::Hidden,
        "nav" | "footer" | "aside" | "menu" | "dialog" | "header" => Role::Chrome,
        "br" => Role::Break,
        "hr" => Role::Rule,
        "p" | "figcaption" | "summary" | "caption" | "address" => Role::Paragraph,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Role::Heading,
        "ul" | "ol" => Role::List,
        "blockquote" => Role::Quote,
        "td" | "th" => Role::Cell,
        "article" => Role::Post,
        "div" | "section" | "main" | "li" | "dl" | "dt" | "dd" | "figure" | "details" | "table" | "tbody"
        | "thead" | "tfoot" | "tr" | "form" | "fieldset" | "legend" | "center" | "hgroup" | "search"
        | "body" | "html" | "label" => Role::Container,
        _ => Role::Inline,
    }
}

#[derive(Default)]
struct Walker {
    scope: Scope,
    pieces: Vec<Piece>,
    /// The paragraph that is being read.
    text: String,
    /// Items of the outermost open list.
    items: Vec<String>,
    lists: usize,
    quotes: usize,
    posts: usize,
    heading: bool,
    cell: bool,
}

impl Visitor for Walker {
    fn enter(&mut self, node: &NodeRef<'_>) -> bool {
        if node.is_text() {
            if self.scope != Scope::Posts || self.posts > 0 {
                self.push(&node.text());
            }
            return true;
        }
        if !node.is_element() {
            return !node.is_comment() && !node.is_doctype();
        }
        let Some(name) = node.node_name() else { return false };
        let role = role(&name);
        if role == Role::Hidden || is_hidden(node) || is_code(node, &name) || is_note_mark(node, &name) {
            return false;
        }
        if self.scope != Scope::All && self.is_chrome(node, &name, role) {
            return false;
        }
        match role {
            Role::Inline => {}
            Role::Break => self.line(),
            _ => self.flush(),
        }
        match role {
            Role::List => self.lists += 1,
            Role::Quote => self.quotes += 1,
            Role::Heading => self.heading = true,
            Role::Cell => self.cell = true,
            Role::Paragraph => self.cell = false,
            Role::Post => {
                self.posts += 1;
                self.border();
            }
            _ => {}
        }
        true
    }

    /// Sees an element after its children.
    fn leave(&mut self, node: &NodeRef<'_>) {
        if !node.is_element() {
            return;
        }
        let Some(name) = node.node_name() else { return };
        let role = role(&name);
        if !matches!(role, Role::Inline | Role::Break) {
            self.flush();
        }
        match role {
            Role::List => {
                self.lists = self.lists.saturating_sub(1);
                if self.lists == 0 {
                    self.close_list();
                }
            }
            Role::Quote => self.quotes = self.quotes.saturating_sub(1),
            Role::Heading => self.heading = false,
            Role::Cell => self.cell = false,
            Role::Post => {
                self.posts = self.posts.saturating_sub(1);
                self.border();
            }
            _ => {}
        }
    }
}

impl Walker {
    /// Adds text, its white space collapsed as a browser does.
    fn push(&mut self, text: &str) {
        for c in text.chars() {
            if matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}') {
                if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
                    self.text.push(' ');
                }
            } else {
                self.text.push(c);
            }
        }
    }

    /// A line break; a second one ends the paragraph.
    fn line(&mut self) {
        while self.text.ends_with(' ') {
            self.text.pop();
        }
        if self.text.ends_with('\n') {
            self.flush();
        } else if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Ends the paragraph that is being read.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        if text.is_empty() || (self.cell && words(text) < CELL_WORDS) {
            return;
        }
        if self.heading {
            self.close_list();
            self.pieces.push(Piece::Heading(text.to_owned()));
        } else if self.lists > 0 {
            self.items.push(text.to_owned());
        } else {
            self.pieces.push(Piece::Body { text: text.to_owned(), glued: self.quotes > 0 });
        }
    }

    /// Ends the list that is being read: one piece, or a piece an item if the items are paragraphs.
    fn close_list(&mut self) {
        let items = std::mem::take(&mut self.items);
        if items.is_empty() {
            return;
        }
        let total: usize = items.iter().map(|item| words(item)).sum();
        if total > LIST_ITEM_WORDS * items.len() {
            self.pieces.extend(items.into_iter().map(Piece::body));
        } else {
            self.pieces.push(Piece::Body { text: items.join("\n"), glued: true });
        }
    }

    fn border(&mut self) {
        self.flush();
        self.close_list();
        if self.pieces.last().is_some_and(|piece| *piece != Piece::Border) {
            self.pieces.push(Piece::Border);
        }
    }

    /// Whether an element belongs to the page and not to its content.
    fn is_chrome(&self, node: &NodeRef<'_>, name: &str, role: Role) -> bool {
        let by_name = role == Role::Chrome && !(name == "header" && self.posts > 0);
        let by_role = matches!(
            node.attr("role").as_deref(),
            Some("navigation" | "banner" | "contentinfo" | "search" | "complementary" | "menu" | "menubar")
        );
        by_name || by_role
    }

    fn finish(mut self) -> Vec<Piece> {
        self.flush();
        self.close_list();
        self.pieces
    }
}

/// Whether a reader can't see the element (as far as the element itself says).
fn is_hidden(node: &NodeRef<'_>) -> bool {
    if node.has_attr("hidden") || node.attr("aria-hidden").as_deref() == Some("true") {
        return true;
    }
    node.attr("style").is_some_and(|style| {
        let style: String =
            style.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
        style.contains("display:none") || style.contains("visibility:hidden")
    })
}

/// Whether the element is code that stands by itself; a word of code in a sentence is part of the sentence.
fn is_code(node: &NodeRef<'_>, name: &str) -> bool {
    matches!(name, "code" | "samp") && node.text().contains('\n')
}

/// Whether the element is the mark of a footnote or an "edit" link.
fn is_note_mark(node: &NodeRef<'_>, name: &str) -> bool {
    match name {
        "sup" => {
            let text = node.text();
            let text = text.trim();
            text.starts_with('[') && text.ends_with(']')
                || node.has_class("footnote-reference")
                || node.has_class("reference")
        }
        "span" => node.has_class("mw-editsection"),
        _ => false,
    }
}
