//! A tree of elements into a page with its statements: what the signature's canonical text is made of.
//!
//! Other text than the language model gets: everything that is shown counts, menus and code too, for an author's words
//! are what he signed wherever a template puts them (SPEC.md of signatures, 1.1).

use bonafide_core::signature::canonical::is_emoji_text;
use bonafide_core::signature::page::{Element, Page, PageBuilder};
use dom_query::{Document, NodeRef};

/// What HTML shows as blocks (SPEC.md, 1.1).
const BLOCKS: &str = "address article aside blockquote button caption center col colgroup dd details dialog dir div dl dt \
    fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li listing main \
    menu nav ol p plaintext pre search section summary table tbody td tfoot th thead tr ul xmp";

/// What is left out with all that it holds (SPEC.md, 1.1).
const LEFT_OUT: &str = "style noscript template title textarea select option datalist svg canvas iframe frame frameset \
    object embed audio video meter progress rp noframes noembed input";

/// The page of a parsed document.
pub(super) fn page(document: &Document) -> Page {
    let root = document.root();
    let mut page = PageBuilder::default();
    let mut node = root;
    loop {
        let entered = enter(&mut page, &node);
        if entered && let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        if entered {
            leave(&mut page, &node);
        }
        loop {
            if node.id == root.id {
                return page.finish();
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else { return page.finish() };
            leave(&mut page, &parent);
            node = parent;
        }
    }
}

/// Sees a node before its children; `false` leaves out the node and all that is in it.
fn enter(page: &mut PageBuilder, node: &NodeRef<'_>) -> bool {
    if node.is_text() {
        page.text(&node.text());
        return false;
    }
    if !node.is_element() {
        return !node.is_comment() && !node.is_doctype();
    }
    let Some(name) = node.node_name() else { return false };
    let attribute = |name: &str| node.attr(name).map(|value| value.to_string());
    match &*name {
        "br" => {
            page.line_break();
            return false;
        }
        "script" => {
            let kind = attribute("type").unwrap_or_default();
            if kind.trim().eq_ignore_ascii_case("application/human-statement+json") {
                page.script(&node.text());
            }
            return false;
        }
        "link" => {
            let relations = attribute("rel").unwrap_or_default();
            let ours =
                relations.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("human-statement"));
            if let Some(address) = attribute("href").filter(|_| ours) {
                page.link(&address);
            }
            return false;
        }
        "img" => {
            if let Some(alt) = attribute("alt").filter(|alt| is_emoji_text(alt)) {
                page.text(&alt);
            }
            return false;
        }
        _ => {}
    }
    if is_left_out(&name) || is_hidden(node) {
        return false;
    }
    page.enter(element(&name), attribute("data-human-statement").as_deref());
    true
}

fn leave(page: &mut PageBuilder, node: &NodeRef<'_>) {
    if node.is_element() {
        page.leave();
    }
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

fn is_hidden(node: &NodeRef<'_>) -> bool {
    if node.has_attr("hidden") {
        return true;
    }
    let Some(style) = node.attr("style") else { return false };
    style.split(';').filter_map(|rule| rule.split_once(':')).any(|(name, value)| {
        let value = value.trim().to_ascii_lowercase();
        let value = value.trim_end_matches("!important").trim_end();
        match name.trim().to_ascii_lowercase().as_str() {
            "display" => value == "none",
            "visibility" => value == "hidden" || value == "collapse",
            _ => false,
        }
    })
}
