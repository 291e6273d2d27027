//! Queries of a tree: nodes by keys, nodes by content, and the pointer of a node.

use std::fmt::Write as _;
use std::ops::Range;

use super::{Format, Kind, Membership, NodeId, PathStep, TextRef, Tree, narrow};

/// The length of a pointer that is given room at first, in bytes.
const USUAL_POINTER: usize = 64;

/// Whether two keys are the same. Few keys of one length have the same first letter, so that most need no comparison as a whole.
#[inline]
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.first() == other.first() && one == other
}

/// Adds a key to a pointer.
fn push_key(pointer: &mut String, key: &str) {
    let mut rest = key;
    while let Some(at) = rest.find(['~', '/']) {
        pointer.push_str(&rest[..at]);
        pointer.push_str(if rest[at..].starts_with('~') {
            "~0"
        } else {
            "~1"
        });
        rest = &rest[at + 1..];
    }
    pointer.push_str(rest);
}

impl Tree<'_> {
    /// Whether the node is the value of this key of a mapping.
    #[inline]
    pub fn is_under(&self, node: NodeId, key: &str) -> bool {
        self.key_bytes(node)
            .is_some_and(|bytes| is_same(bytes, key.as_bytes()))
    }

    /// The bytes of the decoded key of the node; none for an item of a sequence and for the root.
    #[inline]
    pub fn key_bytes(&self, node: NodeId) -> Option<&[u8]> {
        let key = self.node(node).step.key()?;
        Some(if key.slot == TextRef::VERBATIM {
            &self.src.as_bytes()[key.span.range()]
        } else {
            self.read(key).as_bytes()
        })
    }

    /// The value under a key of a mapping.
    pub fn get(&self, node: NodeId, key: &str) -> Option<NodeId> {
        if self.kind(node) != Kind::Mapping {
            return None;
        }
        self.children(node).find(|&child| self.is_under(child, key))
    }

    /// Whether a text or a key of a JSON document has an escape by number (`\u0041`). Other escapes stand for no letter, digit, dot,
    /// hyphen or dollar sign.
    pub fn has_numeric_escapes(&self) -> bool {
        self.has_numeric_escapes
    }

    /// The number of nodes below a node, and the node itself.
    pub fn size(&self, node: NodeId) -> usize {
        (self.node(node).next - node.0) as usize
    }

    /// All strings of the node and below it, in order.
    pub fn strings(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.within(node)
            .filter(|&node| self.kind(node) == Kind::String)
    }

    /// All keyed values below the node, in order.
    pub fn keyed(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.within(node)
            .skip(1)
            .filter(|&node| self.node(node).step.key().is_some())
    }

    /// The node and its children, their children and so on, in order.
    fn within(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.node(node).next;
        let mut at = node.0;
        std::iter::from_fn(move || {
            while at < end {
                let next = &self.nodes[at as usize];
                if next.membership == Membership::Child || at == node.0 {
                    at += 1;
                    return Some(NodeId(at - 1));
                }
                at = next.next;
            }
            None
        })
    }

    /// The strings whose spelling holds one of `offsets` into the source, which come in order; each string once.
    ///
    /// `None` where the bytes of the source do not belong to one node each in order, as behind aliases of YAML, or may stand
    /// for other characters, and where values are overridden: there every string has to be looked at.
    pub fn strings_at(&self, offsets: impl Iterator<Item = usize>) -> Option<Vec<NodeId>> {
        if self.format != Format::Json || !self.overrides.keys.is_empty() {
            return None;
        }
        let mut found = Vec::new();
        for offset in offsets {
            if let Some(node) = self.string_at(offset)
                && found.last() != Some(&node)
            {
                found.push(node);
            }
        }
        Some(found)
    }

    /// The strings of the node and below it whose spelling has this byte, in order; `None` as for [`Tree::strings_at`].
    pub fn strings_with(&self, node: NodeId, byte: u8) -> Option<Vec<NodeId>> {
        if self.format != Format::Json || !self.overrides.keys.is_empty() {
            return None;
        }
        let mut found = Vec::new();
        let Range { mut start, end } = self.raw(node);
        while let Some(at) = memchr::memchr(byte, &self.src.as_bytes()[start..end]) {
            start += at + 1;
            if let Some(string) = self.string_at(start - 1) {
                found.push(string);
                start = self.raw(string).end;
            }
        }
        Some(found)
    }

    /// The string whose spelling holds this offset into the source, of a tree whose nodes are spelled in order.
    fn string_at(&self, offset: usize) -> Option<NodeId> {
        let behind = self
            .nodes
            .partition_point(|node| node.value.start as usize <= offset);
        let at = behind.checked_sub(1)?;
        let node = &self.nodes[at];
        let holds = node.kind == Kind::String && offset < node.value.end as usize;
        holds.then(|| NodeId(narrow(at)))
    }

    /// The node that the keys lead to, step by step; a number leads to an item of a sequence, counted from 0.
    pub fn at(&self, from: NodeId, path: &[&str]) -> Option<NodeId> {
        path.iter()
            .try_fold(from, |node, step| match self.kind(node) {
                Kind::Mapping => self.get(node, step),
                Kind::Sequence => self.children(node).nth(step.parse().ok()?),
                Kind::String | Kind::Scalar => None,
            })
    }

    /// The JSON pointer (RFC 6901) that leads from one node to a node below it; from the root if it is not below.
    pub fn pointer(&self, from: NodeId, to: NodeId) -> String {
        let below = |node: &NodeId| *node != from && self.parent(*node).is_some();
        let nodes = std::iter::successors(Some(to), |node| self.parent(*node));
        let steps: Vec<_> = nodes
            .take_while(below)
            .map(|node| self.node(node).step)
            .collect();
        let mut pointer = String::with_capacity(USUAL_POINTER);
        for step in steps.iter().rev() {
            pointer.push('/');
            match step {
                PathStep::Key(key) => push_key(&mut pointer, self.read(*key)),
                // Writing to a string cannot fail.
                PathStep::Item(at) => drop(write!(pointer, "{at}")),
            }
        }
        pointer
    }
}
