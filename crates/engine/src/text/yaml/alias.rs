//! Following aliases and merge keys: copies of nodes, of which the budget allows only so many.

use super::build::{AnchorTarget, COMPLEX_KEY, DocumentBuilder, LocatedMessage, PendingKey};
use crate::text::{self, Kind, Node, PathStep, Sharing, narrow};
use std::{collections::HashSet, ops::Range};

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
                let (step, hidden) = self.step();
                self.copy(node, step, hidden)
                    .map_err(|problem| (span.start, problem))
            }
        }
    }

    /// Adds what the merge keys of a mapping bring in: entries under keys that it has not, the first one of each.
    pub(super) fn merge(&mut self, mapping: u32) -> Result<(), LocatedMessage> {
        let tree = &self.tree;
        let own = text::children(&tree.nodes, mapping);
        let mut present: HashSet<String> = own
            .filter_map(|child| tree.nodes[child as usize].step.key())
            .map(|key| tree.read(key).into())
            .collect();
        for source in self.merge_sources(mapping)? {
            let entries: Vec<u32> = text::children(&self.tree.nodes, source).collect();
            for entry in entries {
                let Node { step, value, .. } = self.tree.nodes[entry as usize];
                let key = step.key().map(|key| self.tree.read(key).to_owned());
                if key.is_some_and(|key| present.insert(key)) {
                    self.copy_into(entry, mapping, step, false)
                        .map_err(|problem| (value.range().start, problem))?;
                }
            }
        }
        self.tree.nodes[mapping as usize].next = narrow(self.tree.nodes.len());
        Ok(())
    }

    /// The mappings under a mapping's merge keys, the one that takes precedence first.
    fn merge_sources(&self, mapping: u32) -> Result<Vec<u32>, LocatedMessage> {
        let nodes = &self.tree.nodes;
        let Node { next, .. } = nodes[mapping as usize];
        let mut sources = Vec::new();
        let mut child = mapping + 1;
        while child < next {
            let Node {
                hidden, kind, next, ..
            } = nodes[child as usize];
            match kind {
                _ if !hidden => {}
                Kind::Sequence => sources.extend(text::children(nodes, child)),
                Kind::Mapping | Kind::String | Kind::Scalar => sources.push(child),
            }
            child = next;
        }
        match sources
            .iter()
            .map(|&source| nodes[source as usize])
            .find(|source| source.kind != Kind::Mapping)
        {
            Some(source) => Err((
                source.value.range().start,
                "a merge key takes a mapping or a list of mappings",
            )),
            None => Ok(sources),
        }
    }

    /// Adds a copy of a node and of all below it under the innermost open collection.
    fn copy(&mut self, source: u32, step: PathStep, hidden: bool) -> Result<(), &'static str> {
        if self.open.iter().any(|open| open.node == source) {
            return Err("an alias inside its own anchor");
        }
        let end = self.tree.nodes[source as usize].next;
        for node in &mut self.tree.nodes[source as usize..end as usize] {
            node.sharing = Sharing::Nodes;
        }
        self.copy_into(source, self.parent(), step, hidden)
    }

    fn copy_into(
        &mut self,
        source: u32,
        parent: u32,
        step: PathStep,
        hidden: bool,
    ) -> Result<(), &'static str> {
        let nodes = &mut self.tree.nodes;
        let range = source as usize..nodes[source as usize].next as usize;
        self.budget = self
            .budget
            .checked_sub(range.len())
            .ok_or("aliases and merge keys multiply beyond reason")?;
        let root = nodes.len();
        let moved = narrow(root) - source;
        nodes.extend_from_within(range);
        for node in &mut nodes[root..] {
            node.next += moved;
            node.parent = node.parent.wrapping_add(moved);
        }
        nodes[root].parent = parent;
        nodes[root].step = step;
        nodes[root].hidden = hidden;
        Ok(())
    }
}
