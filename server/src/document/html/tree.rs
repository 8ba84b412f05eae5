//! A walk over a tree of elements without recursion, however deep it is.

use dom_query::{Document, NodeRef};

/// What is done at each node.
pub(super) trait Visitor {
    /// Sees a node before its children; `false` leaves out the node and all that is in it.
    fn enter(&mut self, node: &NodeRef<'_>) -> bool;

    /// Sees a node that was entered once more, after its children.
    fn leave(&mut self, node: &NodeRef<'_>);
}

/// Visits all nodes in the order of the document.
pub(super) fn walk(document: &Document, visitor: &mut impl Visitor) {
    let root = document.root();
    let mut node = root;
    loop {
        let entered = visitor.enter(&node);
        if entered && let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        if entered {
            visitor.leave(&node);
        }
        loop {
            if node.id == root.id {
                return;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else { return };
            visitor.leave(&parent);
            node = parent;
        }
    }
}
