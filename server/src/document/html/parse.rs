//! HTML into a tree, within bounds.
//!
//! The HTML standard's tree construction is quadratic in the nesting and in the number of unclosed formatting
//! elements, so a page of a few megabytes can ask for hours of work or for all memory. The page is therefore
//! fed to the parser in small portions, and between portions the tree is measured.

use crate::document::DocumentError;
use dom_query::{Document, NodeId};
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, ParseOpts, QualName};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The deepest nesting that is read; browsers cut at the same depth.
pub(super) const MAX_DEPTH: u32 = 512;
/// The most elements that are read.
pub(super) const MAX_ELEMENTS: usize = 200_000;
/// The most time that parsing may take: far above what a real page needs.
const MAX_TIME: Duration = Duration::from_secs(10);
/// Bytes between two measurements.
const PORTION: usize = 4096;

/// Parses a page or a fragment. `scripting`: as a browser that runs scripts does, to which `noscript` is one text.
///
/// # Errors
/// [`DocumentError::TooDeep`] and [`DocumentError::TooComplex`].
pub(crate) fn document(html: &str, scripting: bool) -> Result<Document, DocumentError> {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts { scripting_enabled: scripting, ..TreeBuilderOpts::default() },
        ..ParseOpts::default()
    };
    let mut parser = html5ever::parse_document(Measured::default(), options);
    let start = Instant::now();
    let mut rest = html;
    while !rest.is_empty() {
        let mut cut = PORTION.min(rest.len());
        while !rest.is_char_boundary(cut) {
            cut -= 1;
        }
        let (portion, tail) = rest.split_at(cut);
        parser.process(StrTendril::from_slice(portion));
        parser.tokenizer.sink.sink.check(start)?;
        rest = tail;
    }
    let measured = parser.finish();
    measured.check(start)?;
    Ok(measured.document)
}

/// The document under construction, and how large it is.
#[derive(Default)]
struct Measured {
    document: Document,
    elements: Cell<usize>,
    deepest: Cell<u32>,
    depths: RefCell<HashMap<NodeId, u32>>,
}

impl Measured {
    fn check(&self, start: Instant) -> Result<(), DocumentError> {
        if self.deepest.get() > MAX_DEPTH {
            return Err(DocumentError::TooDeep { limit: MAX_DEPTH as usize });
        }
        if self.elements.get() > MAX_ELEMENTS || start.elapsed() > MAX_TIME {
            return Err(DocumentError::TooComplex { limit: MAX_ELEMENTS });
        }
        Ok(())
    }

    fn depth(&self, node: NodeId) -> u32 {
        self.depths.borrow().get(&node).copied().unwrap_or(0)
    }

    fn place(&self, child: &NodeOrText<NodeId>, depth: u32) {
        if let NodeOrText::AppendNode(node) = child {
            self.depths.borrow_mut().insert(*node, depth);
            self.deepest.set(self.deepest.get().max(depth));
        }
    }
}

impl TreeSink for Measured {
    type Handle = NodeId;
    type Output = Self;
    type ElemName<'a> = <Document as TreeSink>::ElemName<'a>;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        self.document.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Self::ElemName<'a> {
        self.document.elem_name(target)
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        self.elements.set(self.elements.get() + 1);
        self.document.create_element(name, attrs, flags)
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.document.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> NodeId {
        self.document.create_pi(target, data)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        self.place(&child, self.depth(*parent) + 1);
        self.document.append(parent, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        self.place(&child, self.depth(*element).max(self.depth(*previous) + 1));
        self.document.append_based_on_parent_node(element, previous, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.document.append_doctype_to_document(name, public, system);
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        let contents = self.document.get_template_contents(target);
        let depth = self.depth(*target) + 1;
        self.depths.borrow_mut().insert(contents, depth);
        contents
    }

    fn same_node(&self, x: &NodeId, y: &NodeId) -> bool {
        x == y
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.document.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        self.place(&child, self.depth(*sibling));
        self.document.append_before_sibling(sibling, child);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, attrs: Vec<Attribute>) {
        self.document.add_attrs_if_missing(target, attrs);
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.document.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        // The adoption agency: `new_parent` was made for these children and is appended right after, so they
        // end up one level deeper than their number says; the bound is not that sharp.
        self.document.reparent_children(node, new_parent);
    }

    fn is_mathml_annotation_xml_integration_point(&self, handle: &NodeId) -> bool {
        self.document.is_mathml_annotation_xml_integration_point(handle)
    }
}
