//! Nodes of a tree, and the spans of their keys and values in the source.

use std::ops::Range;

use super::Kind;

/// The parent of the root.
pub(super) const NO_PARENT: u32 = u32::MAX;

/// A range of bytes of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The place of a text: spelled out in the source, or in a slot of `Tree::decoded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextRef {
    /// The characters between the quotes.
    pub(super) span: Span,
    /// [`TextRef::VERBATIM`] or the slot.
    pub(super) slot: u32,
}

/// The step from a collection to a node in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum PathStep {
    /// To the value of a mapping's key.
    Key(TextRef),
    /// To an item of a sequence, counted from 0; the root counts as one.
    Item(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) step: PathStep,
    /// The whole value, with its quotes or brackets.
    pub(super) value: Span,
    /// The slot of a scalar's text; the text's span is `value` less `quotes` on either side.
    pub(super) slot: u32,
    pub(super) parent: u32,
    /// The first node after this one and all below it.
    pub(super) next: u32,
    pub(super) kind: Kind,
    pub(super) style: Style,
    pub(super) sharing: Sharing,
    pub(super) membership: Membership,
}

/// How a node belongs to its collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    /// As one of its children.
    Child,
    /// As the value of a merge key: copies of its entries are children.
    Merge,
    /// As a value that a later one overrides.
    Overridden,
}

/// How a scalar is spelled; collections are bare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Bare,
    /// One byte of quote on either side.
    Quoted,
    /// A block scalar of YAML.
    Block,
}

/// Other uses of the bytes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Nothing: they are this node's own.
    Own,
    /// Other nodes, through YAML aliases.
    Nodes,
    /// The key of a mapping, through a YAML alias: the bytes must not be changed for the sake of a value.
    Key,
}

// === impl Span, TextRef, PathStep, Style, Node ===

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl TextRef {
    /// The slot of a text that is spelled as it reads.
    pub(super) const VERBATIM: u32 = u32::MAX;
}

impl PathStep {
    /// The step to the root.
    pub(super) const ROOT: Self = Self::Item(0);

    pub(super) fn key(self) -> Option<TextRef> {
        match self {
            Self::Key(key) => Some(key),
            Self::Item(_) => None,
        }
    }
}

impl Style {
    /// The span between the quotes.
    pub(super) fn inner(self, value: Span) -> Span {
        let quotes = u32::from(self == Self::Quoted);
        Span {
            start: value.start + quotes,
            end: value.end - quotes,
        }
    }
}

impl Node {
    pub(super) fn text(&self) -> Option<TextRef> {
        if matches!(self.kind, Kind::Mapping | Kind::Sequence) {
            return None;
        }
        Some(TextRef {
            span: self.style.inner(self.value),
            slot: self.slot,
        })
    }
}

// === free functions ===

pub(super) fn children(nodes: &[Node], node: u32) -> impl Iterator<Item = u32> + '_ {
    let end = nodes[node as usize].next;
    let first = Some(node + 1).filter(|&first| first < end);
    std::iter::successors(first, move |&child| {
        Some(nodes[child as usize].next).filter(|&next| next < end)
    })
    .filter(|&child| nodes[child as usize].membership == Membership::Child)
}

/// An offset or a count that is known to fit, since no source is larger than [`NO_PARENT`].
#[expect(
    clippy::cast_possible_truncation,
    reason = "sources of 4 GiB and more are refused before they are read"
)]
pub(super) fn narrow(offset: usize) -> u32 {
    offset as u32
}
