//! Following aliases: copies of nodes, of which a file may have only so many.

use super::build::{AnchorTarget, COMPLEX_KEY, DocumentBuilder, LocatedMessage, PendingKey};
use crate::text::{Membership, PathStep, Sharing, narrow};
use std::ops::Range;

/// The error of a file with too many copies, or with too many values that are compared.
pub(super) const MULTIPLIED: &str = "aliases and merge keys multiply beyond reason";

impl DocumentBuilder<'_> {
    pub(super) fn alias(
        &mut self,
        anchor: usize,
        span: &Range<usize>,
    ) -> Result<(), LocatedMessage> {
        self.end = span.end;
        let Some(&anchor) = self.anchors.get(&anchor) else {
            return Err((span.start, "an alias whose anchor is not known"));
        };
        if self.awaits_key() {
            let text = match anchor {
                AnchorTarget::Key(scalar) => scalar.text(),
                AnchorTarget::Value(node) => {
                    let node = &self.tree.nodes[node as usize];
                    self.keys.push(node.value);
                    node.text().ok_or((span.start, COMPLEX_KEY))?
                }
            };
            self.key(PendingKey { text, merge: false });
            return Ok(());
        }
        match anchor {
            AnchorTarget::Key(scalar) => {
                self.keys.push(scalar.value);
                self.value(scalar, 0);
                Ok(())
            }
            AnchorTarget::Value(node) => {
                let (step, membership) = self.step();
                self.copy(node, step, membership)
                    .map_err(|problem| (span.start, problem))
            }
        }
    }

    /// Adds a copy of a node and of all below it under the innermost open collection.
    fn copy(
        &mut self,
        source: u32,
        step: PathStep,
        membership: Membership,
    ) -> Result<(), &'static str> {
        if self.open.iter().any(|open| open.node == source) {
            return Err("an alias inside its own anchor");
        }
        let end = self.tree.nodes[source as usize].next;
        for node in &mut self.tree.nodes[source as usize..end as usize] {
            node.sharing = Sharing::Nodes;
        }
        self.copy_into(source, self.parent(), step, membership)
    }

    /// Counts copies of nodes.
    pub(super) fn count_copies(&mut self, count: usize) -> Result<(), &'static str> {
        self.copies = self.copies.checked_sub(count).ok_or(MULTIPLIED)?;
        Ok(())
    }

    pub(super) fn copy_into(
        &mut self,
        source: u32,
        parent: u32,
        step: PathStep,
        membership: Membership,
    ) -> Result<(), &'static str> {
        let range = source as usize..self.tree.nodes[source as usize].next as usize;
        self.count_copies(range.len())?;
        let nodes = &mut self.tree.nodes;
        let root = nodes.len();
        let moved = narrow(root) - source;
        nodes.extend_from_within(range);
        for node in &mut nodes[root..] {
            node.next += moved;
            node.parent = node.parent.wrapping_add(moved);
        }
        nodes[root].parent = parent;
        nodes[root].step = step;
        nodes[root].membership = membership;
        let end = source + (narrow(nodes.len()) - narrow(root));
        self.tree.copy_alternatives(source, end, narrow(root));
        Ok(())
    }
}
