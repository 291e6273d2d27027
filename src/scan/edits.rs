//! Which edits of a document are made: those whose bytes mean the same wherever the document uses them.
//!
//! A YAML anchor is written once and read at several places. Where one of them would get another answer, or is no place of
//! ours to change, the anchor is left for all of them.

use std::collections::BTreeMap;

use crate::text::{NodeId, Splice, Tree};

use super::Scanned;

/// An edit that one finding asks for.
pub(super) struct Edit {
    /// The text that changes.
    pub(super) leaf: NodeId,
    /// The finding's record, as an index.
    pub(super) record: usize,
    /// The change.
    pub(super) splice: Splice,
}

/// Takes the edits of one document that can be made into `scanned`, and turns the records of the others into `SharedAnchor`.
pub(super) fn settle(tree: &Tree<'_>, edits: Vec<Edit>, scanned: &mut Scanned) {
    let (shared, own): (Vec<_>, Vec<_>) = edits
        .into_iter()
        .partition(|edit| tree.is_shared(edit.leaf));
    scanned
        .splices
        .extend(own.into_iter().map(|edit| edit.splice));
    if shared.is_empty() {
        return;
    }
    let uses = uses(tree);
    let mut anchors: BTreeMap<usize, BTreeMap<NodeId, Vec<Edit>>> = BTreeMap::new();
    for edit in shared {
        let anchor = tree.raw(edit.leaf).start;
        let leaves = anchors.entry(anchor).or_default();
        leaves.entry(edit.leaf).or_default().push(edit);
    }
    for (anchor, leaves) in anchors {
        let agree = uses.get(&anchor).is_some_and(|nodes| agree(nodes, &leaves));
        for edit in leaves.into_values().flatten() {
            if agree {
                scanned.splices.push(edit.splice);
            } else {
                scanned.findings[edit.record].leave_unmappable(true);
            }
        }
    }
}

/// Whether every use asks for the same changes.
fn agree(uses: &[NodeId], leaves: &BTreeMap<NodeId, Vec<Edit>>) -> bool {
    let changes = |node: &NodeId| {
        let edits = leaves.get(node)?;
        Some(edits.iter().map(|edit| &edit.splice).collect::<Vec<_>>())
    };
    let mut all = uses.iter().map(changes);
    let first = all.next().flatten();
    first.is_some() && all.all(|one| one == first)
}

/// The nodes of a document that share their bytes with others, by where these start.
fn uses(tree: &Tree<'_>) -> BTreeMap<usize, Vec<NodeId>> {
    let mut uses: BTreeMap<usize, Vec<NodeId>> = BTreeMap::new();
    let mut open = vec![tree.root()];
    while let Some(node) = open.pop() {
        if tree.text(node).is_some() && tree.is_shared(node) {
            uses.entry(tree.raw(node).start).or_default().push(node);
        }
        open.extend(tree.children(node));
    }
    uses
}
