//! A tree in the making, for front ends that know the spans of what they read.

use std::sync::OnceLock;

use super::{Format, Kind, NO_PARENT, Node, Sharing, Span, Style, Text, Tree, narrow};

/// Takes nodes in document order.
pub(super) struct Builder<'t> {
    tree: Tree<'t>,
    open: Vec<u32>,
}

/// A collection that was opened.
#[derive(Clone, Copy)]
pub(super) struct Opened(u32);

impl<'t> Builder<'t> {
    pub(super) fn new(src: &'t str, format: Format) -> Self {
        let tree = Tree {
            src,
            masked: None,
            format,
            document: Span::new(0, src.len()),
            nodes: Vec::new(),
            decoded: Vec::new(),
            places: OnceLock::new(),
        };
        Self {
            tree,
            open: Vec::new(),
        }
    }

    /// Begins a mapping or sequence, which starts at an offset.
    pub(super) fn open(&mut self, key: Text, kind: Kind, start: usize) -> Opened {
        let node = narrow(self.tree.nodes.len());
        let span = Span::new(start, start);
        self.push(key, kind, Style::Bare, span, Text::VERBATIM);
        self.open.push(node);
        Opened(node)
    }

    /// Ends it at an offset.
    pub(super) fn close(&mut self, opened: Opened, end: usize) {
        self.open.pop();
        let next = narrow(self.tree.nodes.len());
        let node = &mut self.tree.nodes[opened.0 as usize];
        node.next = next;
        node.value.end = narrow(end).max(node.value.start);
    }

    /// Adds a scalar with its text, where that differs from its spelling.
    pub(super) fn scalar(
        &mut self,
        key: Text,
        kind: Kind,
        style: Style,
        span: Span,
        text: Option<&str>,
    ) {
        let slot = self.slot(style.inner(span), text);
        self.push(key, kind, style, span, slot);
    }

    /// A key with its text, where that differs from its spelling.
    pub(super) fn key(&mut self, span: Span, text: Option<&str>) -> Text {
        let slot = self.slot(span, text);
        Text { span, slot }
    }

    pub(super) fn finish(self) -> Tree<'t> {
        self.tree
    }

    fn slot(&mut self, span: Span, text: Option<&str>) -> u32 {
        let spelled = &self.tree.src[span.range()];
        let Some(text) = text.filter(|text| *text != spelled) else {
            return Text::VERBATIM;
        };
        self.tree.decoded.push(OnceLock::from(Box::from(text)));
        narrow(self.tree.decoded.len() - 1)
    }

    fn push(&mut self, key: Text, kind: Kind, style: Style, value: Span, slot: u32) {
        self.tree.nodes.push(Node {
            key,
            value,
            slot,
            parent: self.open.last().copied().unwrap_or(NO_PARENT),
            next: narrow(self.tree.nodes.len() + 1),
            kind,
            style,
            sharing: Sharing::Own,
            hidden: false,
        });
    }
}
