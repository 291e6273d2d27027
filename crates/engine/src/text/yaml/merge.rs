//! Merge keys: which value of a key counts, and copies of the entries that a merge key brings in.

use super::alias::MULTIPLIED;
use super::build::{DocumentBuilder, LocatedMessage};
use crate::text::{self, Kind, Membership, MergeOrder, narrow};
use std::collections::{HashMap, HashSet};

/// A merge key, by the node of its value, and the entries that it brings in: of several mappings, those of the first one with the key.
type MergeKey = (u32, Vec<u32>);

/// What the merge keys of a mapping change.
#[derive(Default)]
struct MergeResult {
    /// Children that a merge key overrides.
    overridden: Vec<u32>,
    /// Children with the value that overrides them for kubectl.
    alternatives: Vec<(u32, u32)>,
    /// The entries to copy, in order, each with the values that override it for kubectl.
    merged: Vec<(u32, Vec<u32>)>,
}

impl DocumentBuilder<'_> {
    /// Decides the values of a mapping with merge keys, and adds what these bring in.
    pub(super) fn merge(&mut self, mapping: u32) -> Result<(), LocatedMessage> {
        let merges = self.merge_keys(mapping)?;
        let result = match self.merge_order {
            MergeOrder::Kubernetes => self.merge_in_order(mapping, &merges),
            MergeOrder::Unknown => self.merge_below_explicit(mapping, &merges)?,
        };
        let others = result.merged.iter().map(|(_, others)| others.len());
        let alternatives = result.alternatives.len() + others.sum::<usize>();
        self.count_copies(alternatives)
            .map_err(|problem| (self.end, problem))?;
        for child in result.overridden {
            self.tree.hide(child, true);
        }
        for (child, other) in result.alternatives {
            self.tree.add_alternatives(child, &[other]);
        }
        for (entry, others) in result.merged {
            let copy = narrow(self.tree.nodes.len());
            let node = self.tree.nodes[entry as usize];
            self.copy_into(entry, mapping, node.step, Membership::Child)
                .map_err(|problem| (node.value.range().start, problem))?;
            self.tree.add_alternatives(copy, &others);
        }
        self.tree.nodes[mapping as usize].next = narrow(self.tree.nodes.len());
        Ok(())
    }

    /// As kubectl reads a mapping: the last value of a key counts.
    fn merge_in_order(&self, mapping: u32, merges: &[MergeKey]) -> MergeResult {
        let mut last = HashMap::new();
        for (merge, entries) in merges {
            last.extend(
                entries
                    .iter()
                    .map(|&entry| (self.key_of(entry), (*merge, entry))),
            );
        }
        let mut result = MergeResult::default();
        for child in text::children(&self.tree.nodes, mapping) {
            let key = self.key_of(child);
            match last.get(key) {
                Some(&(merge, _)) if child < merge => result.overridden.push(child),
                Some(_) => drop(last.remove(key)),
                None => {}
            }
        }
        let entries = merges
            .iter()
            .flat_map(|(merge, entries)| entries.iter().map(|&entry| (*merge, entry)));
        let effective = entries.filter(|found| last.get(self.key_of(found.1)) == Some(found));
        result.merged = effective.map(|(_, entry)| (entry, Vec::new())).collect();
        result
    }

    /// As YAML has it: an explicit value counts, else that of the first merge key.
    ///
    /// # Errors
    /// Keys that occur often below many merge keys: each value is compared with each merged one.
    fn merge_below_explicit(
        &self,
        mapping: u32,
        merges: &[MergeKey],
    ) -> Result<MergeResult, LocatedMessage> {
        let mut compared = 0;
        let mut own: HashMap<&str, Vec<u32>> = HashMap::new();
        for child in text::children(&self.tree.nodes, mapping) {
            own.entry(self.key_of(child)).or_default().push(child);
        }
        let mut result = MergeResult::default();
        let mut positions = HashMap::new();
        for (merge, entries) in merges {
            for &entry in entries {
                let key = self.key_of(entry);
                if let Some(children) = own.get(key) {
                    compared += children.len();
                    if compared > self.copies {
                        return Err((self.end, MULTIPLIED));
                    }
                    let before = children.iter().filter(|&&child| {
                        child < *merge && !self.tree.is_same_scalar(child, entry)
                    });
                    result
                        .alternatives
                        .extend(before.map(|&child| (child, entry)));
                    continue;
                }
                let at = *positions.entry(key).or_insert(result.merged.len());
                match result.merged.get_mut(at) {
                    None => result.merged.push((entry, Vec::new())),
                    Some((first, _)) if self.tree.is_same_scalar(*first, entry) => {}
                    Some((_, others)) => others.push(entry),
                }
            }
        }
        Ok(result)
    }

    /// The merge keys of a mapping, in order.
    fn merge_keys(&self, mapping: u32) -> Result<Vec<MergeKey>, LocatedMessage> {
        let nodes = &self.tree.nodes;
        let end = nodes[mapping as usize].next;
        let mut merges = Vec::new();
        let mut child = mapping + 1;
        while child < end {
            let node = nodes[child as usize];
            if node.membership == Membership::Merge {
                let mut present = HashSet::new();
                let entries = self
                    .merged_mappings(child)?
                    .into_iter()
                    .flat_map(|source| text::children(nodes, source));
                merges.push((
                    child,
                    entries
                        .filter(|&entry| present.insert(self.key_of(entry)))
                        .collect(),
                ));
            }
            child = node.next;
        }
        Ok(merges)
    }

    /// The mappings under a merge key, the one that takes precedence first.
    fn merged_mappings(&self, merge: u32) -> Result<Vec<u32>, LocatedMessage> {
        let nodes = &self.tree.nodes;
        let sources: Vec<u32> = match nodes[merge as usize].kind {
            Kind::Sequence => text::children(nodes, merge).collect(),
            Kind::Mapping | Kind::String | Kind::Scalar => vec![merge],
        };
        let mut nodes = sources.iter().map(|&source| nodes[source as usize]);
        match nodes.find(|source| source.kind != Kind::Mapping) {
            Some(source) => Err((
                source.value.range().start,
                "a merge key takes a mapping or a list of mappings",
            )),
            None => Ok(sources),
        }
    }

    fn key_of(&self, node: u32) -> &str {
        let key = self.tree.nodes[node as usize].step.key();
        key.map_or("", |key| self.tree.read(key))
    }
}
