//! A tree of elements into a page with its statements: what the signature's canonical text is made of.
//!
//! Other text than the language model gets: everything that is shown counts, menus and code too, for an author's words
//! are what he signed wherever a template puts them (SPEC.md of signatures, 1.1).

mod hazards;
mod style;

use super::tree::{self, Visitor};
use bonafide_core::signature::canonical::is_emoji_text;
use bonafide_core::signature::page::{Element, Page, PageBuilder};
use dom_query::{Document, NodeRef};
use hazards::Direction;
use html5ever::ns;
use style::Effect;

/// What HTML shows as blocks (SPEC.md, 1.1).
const BLOCKS: &str = "address article aside blockquote button caption center col colgroup dd details dialog dir div dl dt \
    fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li listing main \
    menu nav ol p plaintext pre search section summary table tbody td tfoot th thead tr ul xmp";

/// What is left out with all that it holds (SPEC.md, 1.1).
const LEFT_OUT: &str = "script style noscript template title textarea select option datalist svg canvas iframe frame frameset \
    object embed audio video meter progress rp optgroup noframes noembed input";

/// Stands where something else is seen, so that it is no part of the block that follows. Canonical text has none.
const MARK: &str = "\u{200b}";

/// The page of a parsed document.
pub(super) fn page(document: &Document) -> Page {
    let mut walk = Walk::default();
    tree::walk(document, &mut walk);
    walk.page.finish()
}

/// A walk over a document.
#[derive(Debug, Default)]
struct Walk {
    page: PageBuilder,
    /// For each element with a statement that is open: what in it may show other words, in whatever block.
    signed: Vec<Option<&'static str>>,
    /// Of the elements that are open and name one.
    directions: Vec<Direction>,
}

impl Visitor for Walk {
    fn enter(&mut self, node: &NodeRef<'_>) -> bool {
        if node.is_text() {
            self.page.text(&node.text());
            return false;
        }
        if !node.is_element() {
            return !node.is_comment() && !node.is_doctype();
        }
        let Some(name) = node.node_name() else { return false };
        let attribute = |name: &str| node.attr(name).map(|value| value.to_string());
        let statement = attribute("data-human-statement");
        if is_mathml(node) {
            if hazards::is_annotation(node) {
                return false;
            }
            let around = self.direction();
            self.enter_as(node, Element::Inline, statement.as_deref());
            if let Some(why) = hazards::of_mathml(node, &name, around) {
                self.spoil(why);
            }
            return true;
        }
        if is_left_out(&name) {
            if hazards::is_shadow_root(node, &name) {
                self.spoil("a shadow tree replaces the content of an element");
            }
            if let Some(why) = hazards::of_left_out(node, &name) {
                self.spoil_place(why);
            }
        }
        match &*name {
            "br" => {
                self.page.line_break();
                return false;
            }
            "script" => {
                let kind = attribute("type").unwrap_or_default();
                if kind.trim().eq_ignore_ascii_case("application/human-statement+json") {
                    self.page.script(&node.text());
                }
                return false;
            }
            "link" => {
                let relations = attribute("rel").unwrap_or_default();
                let ours =
                    relations.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("human-statement"));
                if let Some(address) = attribute("href").filter(|_| ours) {
                    self.page.link(&address);
                }
                return false;
            }
            "img" => {
                if let Some(alt) = attribute("alt").filter(|alt| is_emoji_text(alt)) {
                    self.page.text(&alt);
                }
                return false;
            }
            _ => {}
        }
        if is_left_out(&name) {
            return false;
        }
        let style = attribute("style").unwrap_or_default();
        if let Some(hidden) = attribute("hidden") {
            // What is found on the page is shown, and a style can outdo the attribute.
            if hidden.trim().eq_ignore_ascii_case("until-found") || style::may_show(&style) {
                self.spoil_place("a hidden element may be shown");
            }
            return false;
        }
        let effect = style::effect(&style);
        if effect == Effect::Hidden {
            return false;
        }
        let element = element(&name);
        let around = self.direction();
        self.enter_as(node, element, statement.as_deref());
        if let Effect::Hazard(why) = effect {
            self.spoil(why);
        } else if let Some(why) = hazards::of_element(node, &name, element, around) {
            self.spoil(why);
        }
        true
    }

    fn leave(&mut self, node: &NodeRef<'_>) {
        if !node.is_element() {
            return;
        }
        if node.has_attr("data-human-statement")
            && let Some(Some(why)) = self.signed.pop()
        {
            self.page.hazardous(why);
            self.note(why);
        }
        if Direction::of(node).is_some() {
            self.directions.pop();
        }
        self.page.leave();
    }
}

impl Walk {
    /// The direction of the text in the element that was entered last.
    fn direction(&self) -> Direction {
        self.directions.last().copied().unwrap_or_default()
    }

    fn enter_as(&mut self, node: &NodeRef<'_>, element: Element, statement: Option<&str>) {
        self.page.enter(element, statement);
        self.directions.extend(Direction::of(node));
        if statement.is_some() {
            self.signed.push(None);
        }
    }

    /// All of the element that was entered last may show other words.
    fn spoil(&mut self, why: &'static str) {
        self.page.hazardous(why);
        self.page.text(MARK);
        self.note(why);
    }

    /// Something that is left out here may show words.
    fn spoil_place(&mut self, why: &'static str) {
        self.page.hazard(why);
        self.page.text(MARK);
        self.note(why);
    }

    fn note(&mut self, why: &'static str) {
        if let Some(signed) = self.signed.last_mut() {
            *signed = Some(why);
        }
    }
}

/// MathML has other rules for names that it shares with HTML. SVG is left out as a whole.
fn is_mathml(node: &NodeRef<'_>) -> bool {
    node.qual_name_ref().is_some_and(|name| name.ns == ns!(mathml))
}

fn element(name: &str) -> Element {
    match name {
        "html" | "head" | "body" => Element::Root,
        "a" | "abbr" | "acronym" | "b" | "bdi" | "bdo" | "big" | "cite" | "code" | "data" | "del" | "dfn"
        | "em" | "font" | "i" | "ins" | "kbd" | "label" | "mark" | "nobr" | "output" | "q" | "rb" | "rt"
        | "ruby" | "s" | "samp" | "small" | "span" | "strike" | "strong" | "sub" | "sup" | "time" | "tt"
        | "u" | "var" | "wbr" => Element::Inline,
        name if is_known_block(name) => Element::Block,
        _ => Element::Inline,
    }
}

/// Elements that HTML knows and shows as blocks; what it doesn't know is inline.
fn is_known_block(name: &str) -> bool {
    BLOCKS.split(' ').any(|known| known == name)
}

fn is_left_out(name: &str) -> bool {
    LEFT_OUT.split(' ').any(|known| known == name)
}

#[cfg(test)]
mod tests;
