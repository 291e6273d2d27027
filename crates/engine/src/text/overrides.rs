//! Keys with several values: a key that occurs twice in its mapping, and a key that a YAML merge key brings in as well.
//!
//! kubectl, Helm and the Go clients read both in order: the last value counts, also where a merge key is behind an explicit key. By
//! YAML's own rule, and in most other languages, the explicit key counts wherever it is. Where the reader of a document is unknown,
//! the tree has the value by YAML's rule and lists the other one as an alternative.

use std::collections::BTreeMap;

use super::{Kind, Membership, NodeId, Tree};

/// Who reads the merge keys of a YAML document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MergeOrder {
    /// kubectl or Helm: a merge key overrides the keys before it.
    #[default]
    Kubernetes,
    /// Any reader: an explicit key counts, and [`Tree::alternatives`] has the value that overrides it for kubectl.
    Unknown,
}

/// A key whose value is overridden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverriddenKey {
    /// The byte offset of the key in the source.
    pub offset: usize,
    /// Whether a merge key overrides it, else the same key further below.
    pub by_merge: bool,
}

/// The keys of a document that have several values.
#[derive(Default)]
pub(super) struct Overrides {
    /// The keys that are overridden.
    pub(super) keys: Vec<OverriddenKey>,
    /// For a value, those that another reader takes instead.
    pub(super) alternatives: BTreeMap<u32, Vec<u32>>,
}

impl Tree<'_> {
    /// The keys whose values a later value overrides, in no order. Those values are no children of their mappings.
    pub fn overridden_keys(&self) -> &[OverriddenKey] {
        &self.overrides.keys
    }

    /// The values that other readers of the document take in place of this one: those of a merge key behind it. Only documents with
    /// an [unknown reader](MergeOrder::Unknown) have any.
    pub fn alternatives(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let all = self.overrides.alternatives.get(&node.0);
        all.into_iter().flatten().copied().map(NodeId)
    }

    /// The children of a mapping, each followed by its [alternatives](Tree::alternatives).
    pub fn possible_children(&self, mapping: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.children(mapping)
            .flat_map(|child| std::iter::once(child).chain(self.alternatives(child)))
    }

    /// Takes every value of the mapping whose key occurs again further below out of its children. `scratch` is reusable space.
    pub(super) fn hide_repeated(&mut self, mapping: u32, scratch: &mut Vec<u32>) {
        if self.duplicate_key(mapping, scratch).is_none() {
            return;
        }
        // Equal keys are neighbours in `scratch`, in their order in the source.
        let earlier: Vec<u32> = scratch
            .windows(2)
            .filter(|pair| self.key(NodeId(pair[0])) == self.key(NodeId(pair[1])))
            .map(|pair| pair[0])
            .collect();
        for node in earlier {
            self.hide(node, false);
        }
    }

    /// Takes a value that is overridden out of the children of its mapping.
    pub(super) fn hide(&mut self, node: u32, by_merge: bool) {
        let hidden = &mut self.nodes[node as usize];
        hidden.membership = Membership::Overridden;
        if let Some(key) = hidden.step.key() {
            let offset = key.span.range().start;
            self.overrides.keys.push(OverriddenKey { offset, by_merge });
        }
    }

    /// Adds values that other readers take in place of a value.
    pub(super) fn add_alternatives(&mut self, node: u32, others: &[u32]) {
        if !others.is_empty() {
            let all = self.overrides.alternatives.entry(node).or_default();
            all.extend_from_slice(others);
        }
    }

    /// Gives the copies of the nodes from `start` to `end` the alternatives of these nodes.
    pub(super) fn copy_alternatives(&mut self, start: u32, end: u32, copy: u32) {
        let all = self.overrides.alternatives.range(start..end);
        let copies: Vec<_> = all
            .map(|(node, others)| (node - start + copy, others.clone()))
            .collect();
        self.overrides.alternatives.extend(copies);
    }

    /// Whether two values are the same scalar.
    pub(super) fn is_same_scalar(&self, one: u32, other: u32) -> bool {
        let [one, other] = [NodeId(one), NodeId(other)];
        let is_scalar = matches!(self.kind(one), Kind::String | Kind::Scalar);
        is_scalar && self.kind(one) == self.kind(other) && self.text(one) == self.text(other)
    }
}
