//! The builder of a tree, for front ends that know the spans of their values.

use std::sync::OnceLock;

use super::{
    Format, Kind, Membership, NO_PARENT, Node, PathStep, Sharing, Span, Style, TextRef, Tree,
    narrow,
};

/// Takes nodes in document order.
pub(super) struct TreeBuilder<'t> {
    tree: Tree<'t>,
    /// The open collections, outermost first.
    open: Vec<OpenCollection>,
}

struct OpenCollection {
    node: u32,
    /// How many values came without a key.
    items: u32,
}

impl<'t> TreeBuilder<'t> {
    pub(super) fn new(src: &'t str, format: Format) -> Self {
        Self {
            tree: Tree::of_nothing(src, format),
            open: Vec::new(),
        }
    }

    /// Begins a mapping or sequence, which starts at an offset.
    pub(super) fn open(&mut self, key: Option<TextRef>, kind: Kind, start: usize) {
        let node = narrow(self.tree.nodes.len());
        let span = Span::new(start, start);
        self.push(key, kind, Style::Bare, span, TextRef::VERBATIM);
        self.open.push(OpenCollection { node, items: 0 });
    }

    /// Ends the innermost mapping or sequence at an offset.
    pub(super) fn close(&mut self, end: usize) {
        let Some(OpenCollection { node, .. }) = self.open.pop() else {
            return;
        };
        let next = narrow(self.tree.nodes.len());
        let node = &mut self.tree.nodes[node as usize];
        node.next = next;
        node.value.end = narrow(end).max(node.value.start);
    }

    /// Adds a scalar with its text, where that differs from its spelling.
    pub(super) fn scalar(
        &mut self,
        key: Option<TextRef>,
        kind: Kind,
        style: Style,
        span: Span,
        text: Option<&str>,
    ) {
        let slot = self.slot(style.inner(span), text);
        self.push(key, kind, style, span, slot);
    }

    /// A key with its text, where that differs from its spelling.
    pub(super) fn key(&mut self, span: Span, text: Option<&str>) -> TextRef {
        let slot = self.slot(span, text);
        TextRef { span, slot }
    }

    pub(super) fn finish(self) -> Tree<'t> {
        self.tree
    }

    fn slot(&mut self, span: Span, text: Option<&str>) -> u32 {
        let spelled = &self.tree.src[span.range()];
        let Some(text) = text.filter(|text| *text != spelled) else {
            return TextRef::VERBATIM;
        };
        self.tree.decoded.push(OnceLock::from(Box::from(text)));
        narrow(self.tree.decoded.len() - 1)
    }

    fn push(&mut self, key: Option<TextRef>, kind: Kind, style: Style, value: Span, slot: u32) {
        let step = key.map_or_else(|| self.item(), PathStep::Key);
        self.tree.nodes.push(Node {
            step,
            value,
            slot,
            parent: self.open.last().map_or(NO_PARENT, |open| open.node),
            next: narrow(self.tree.nodes.len() + 1),
            kind,
            style,
            sharing: Sharing::Own,
            membership: Membership::Child,
        });
    }

    /// The step to the next value without a key.
    fn item(&mut self) -> PathStep {
        let Some(open) = self.open.last_mut() else {
            return PathStep::ROOT;
        };
        let item = PathStep::Item(open.items);
        open.items += 1;
        item
    }
}
