//! Elements by which a reader may see other words than the ones that are counted, or in another order.

use super::{is_left_out, style};
use bonafide_core::signature::page::Element;
use dom_query::NodeRef;

/// What browsers hide by its name alone, so that a style can show it.
const HIDDEN_BY_NAME: &str = "script style noscript template title datalist rp noframes noembed";
/// Elements of MathML whose text is shown.
const MATH_TEXT: &str = "mi mn mo ms mtext";

/// Whether a template becomes the content of its parent.
pub(super) fn is_shadow_root(node: &NodeRef<'_>, name: &str) -> bool {
    name == "template" && node.has_attr("shadowrootmode")
}

/// What is shown by an element that is left out.
pub(super) fn of_left_out(node: &NodeRef<'_>, name: &str) -> Option<&'static str> {
    let is_filled = |attribute: &str| node.attr(attribute).is_some_and(|value| !value.trim().is_empty());
    let shows = match name {
        "input" => {
            let kind = node.attr("type").unwrap_or_default().trim().to_ascii_lowercase();
            match kind.as_str() {
                "hidden" | "checkbox" | "radio" | "file" | "image" | "color" | "range" => false,
                _ => is_filled("value") || is_filled("placeholder"),
            }
        }
        "textarea" => is_filled("placeholder") || has_text(node),
        "select" | "option" | "optgroup" => {
            let labelled =
                |node: &NodeRef<'_>| node.attr("label").is_some_and(|label| !label.trim().is_empty());
            has_text(node) || labelled(node) || node.descendants_it().any(|node| labelled(&node))
        }
        "object" => has_text(node),
        "iframe" => is_filled("srcdoc"),
        "svg" => shows_svg_text(node),
        name if HIDDEN_BY_NAME.split(' ').any(|hidden| hidden == name) => {
            let shown = node.attr("style").is_some_and(|style| style::may_show(&style));
            return shown.then_some("a style may show an element that is hidden by its name");
        }
        _ => false,
    };
    shows.then_some(match name {
        "svg" => "a picture holds text",
        "object" | "iframe" => "an embedded document holds text",
        _ => "a form field shows text",
    })
}

/// What speaks against an element that is counted.
pub(super) fn of_element(
    node: &NodeRef<'_>,
    name: &str,
    element: Element,
    around: Direction,
) -> Option<&'static str> {
    if node.has_attr("popover") {
        return Some("a popover is hidden until it is asked for");
    }
    if turns(node, name, element, around) {
        return Some("an element turns the direction of the text");
    }
    match name {
        "dialog" if !node.has_attr("open") => Some("a closed dialog is not shown"),
        "details" if !node.has_attr("open") => Some("details are hidden until they are opened"),
        "details" if !begins_with(node, "summary") => Some("a summary is shown before what it follows"),
        "fieldset" if !begins_with(node, "legend") => Some("a legend is shown before what it follows"),
        "table" if !is_table_in_order(node) => Some("the parts of a table are shown in another order"),
        "ol" if node.has_attr("reversed") || !starts_as_expected(node) => {
            Some("a list has numbers of its own")
        }
        "li" if node.has_attr("value") => Some("a list has numbers of its own"),
        _ => None,
    }
}

/// What speaks against an element of MathML.
pub(super) fn of_mathml(node: &NodeRef<'_>, name: &str, around: Direction) -> Option<&'static str> {
    const WHY: &str = "a formula may hide words";
    let hidden = match name {
        // An annotation that is not left out.
        "annotation" | "annotation-xml" | "mphantom" | "maction" => true,
        "semantics" => node.element_children().iter().skip(1).any(|child| !is_annotation(child)),
        name => is_left_out(name) || matches!(name, "br" | "img" | "link"),
    };
    let is_text = MATH_TEXT.split(' ').any(|known| known == name);
    let loose = || node.children_it(false).any(|child| child.is_text() && !child.text().trim().is_empty());
    let styled = node.attr("style").is_some_and(|style| style::effect(&style) != style::Effect::Shown);
    if hidden || styled || node.has_attr("hidden") || node.has_attr("mathsize") || (!is_text && loose()) {
        return Some(WHY);
    }
    turns(node, name, Element::Inline, around).then_some("an element turns the direction of the text")
}

/// Whether browsers leave out an element of MathML: an annotation behind the formula that it speaks of.
pub(super) fn is_annotation(node: &NodeRef<'_>) -> bool {
    let is_named = |node: &NodeRef<'_>, names: &[&str]| {
        node.node_name().is_some_and(|name| names.iter().any(|known| **known == *name))
    };
    is_named(node, &["annotation", "annotation-xml"])
        && node.prev_element_sibling().is_some()
        && node.parent().is_some_and(|parent| is_named(&parent, &["semantics"]))
        && !node.attr("style").is_some_and(|style| style::may_show(&style))
}

/// Whether a list begins with 1, or goes on with the number after the last one of the list before it.
fn starts_as_expected(list: &NodeRef<'_>) -> bool {
    let Some(start) = first_number(list) else { return false };
    let goes_on = |before: NodeRef<'_>| first_number(&before)?.checked_add(items(&before));
    start == 1 || previous_list(list).and_then(goes_on) == Some(start)
}

fn previous_list<'a>(list: &NodeRef<'a>) -> Option<NodeRef<'a>> {
    let mut before = list.prev_element_sibling();
    while let Some(node) = before {
        if node.node_name().as_deref() == Some("ol") {
            return Some(node);
        }
        before = node.prev_element_sibling();
    }
    None
}

/// Nothing if it is not plainly a number: browsers read some as another one.
fn first_number(list: &NodeRef<'_>) -> Option<usize> {
    let Some(start) = list.attr("start") else { return Some(1) };
    let is_plain = start.len() <= 9 && start.bytes().all(|byte| byte.is_ascii_digit());
    start.parse().ok().filter(|_| is_plain)
}

fn items(list: &NodeRef<'_>) -> usize {
    list.element_children().iter().filter(|child| child.node_name().as_deref() == Some("li")).count()
}

fn has_text(node: &NodeRef<'_>) -> bool {
    !node.text().trim().is_empty()
}

/// Whether a picture shows text; its title is none.
fn shows_svg_text(svg: &NodeRef<'_>) -> bool {
    svg.descendants_it().any(|node| match node.node_name().as_deref() {
        Some("text") => has_text(&node),
        Some("foreignObject") => node.first_child().is_some(),
        _ => false,
    })
}

/// Whether an element gives words another direction than what is around it.
///
/// A block of its own may: a quotation in another script. In a line, or for the columns of a table, it moves words.
fn turns(node: &NodeRef<'_>, name: &str, element: Element, around: Direction) -> bool {
    let moves = element == Element::Inline || name == "table";
    name == "bdo" || (moves && Direction::of(node).is_some_and(|own| own != around))
}

/// Where a line of text begins.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    #[default]
    LeftToRight,
    RightToLeft,
}

impl Direction {
    /// What an element asks for; a direction that follows from the text is none.
    pub(super) fn of(node: &NodeRef<'_>) -> Option<Self> {
        let value = node.attr("dir")?;
        if value.eq_ignore_ascii_case("ltr") {
            Some(Self::LeftToRight)
        } else if value.eq_ignore_ascii_case("rtl") {
            Some(Self::RightToLeft)
        } else {
            None
        }
    }
}

/// Whether the first child of a name, which is shown first, is the first of all. White space is nothing.
fn begins_with(node: &NodeRef<'_>, name: &str) -> bool {
    let is_it = |child: &NodeRef<'_>| child.node_name().as_deref() == Some(name);
    let counts =
        |child: &NodeRef<'_>| child.is_element() || (child.is_text() && !child.text().trim().is_empty());
    let first = node.children_it(false).find(counts);
    first.is_some_and(|first| is_it(&first)) || !node.children_it(false).any(|child| is_it(&child))
}

/// Browsers show the caption first, then the head, and the foot last.
fn is_table_in_order(table: &NodeRef<'_>) -> bool {
    let rank = |node: NodeRef<'_>| match node.node_name().as_deref() {
        Some("caption") => Some(0),
        Some("colgroup") => Some(1),
        Some("thead") => Some(2),
        Some("tbody" | "tr") => Some(3),
        Some("tfoot") => Some(4),
        _ => None,
    };
    table.children_it(false).filter_map(rank).is_sorted()
}
