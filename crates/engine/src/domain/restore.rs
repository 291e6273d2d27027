//! Restores, in an update of a rewritten Pod, the values that the update would revert to those of its manifest.
//!
//! Containers of a Pod are immutable but for their images, so the API server refuses an update with the IDs of the manifest.
//! A value is restored only where the update has exactly the text that the stored record names as the original. Everything
//! that is written comes from the stored Pod; neither policies nor mappings count.

use std::collections::BTreeMap;

use json_patch::jsonptr::{PointerBuf, Token};
use json_patch::{AddOperation, PatchOperation, ReplaceOperation};
use serde_json::{Value, json};

use crate::domain::annotations::REWRITES;
use crate::domain::environment::text_of;
use crate::domain::object::{EnvVar, Object, ObjectKind};
use crate::domain::plan::{annotation_operation, patch_text};
use crate::domain::record::{Entry, Record};
use crate::domain::site::{Location, text_sites};
use crate::text::{Kind, NodeId, Tree};

mod reverted;

use reverted::Originals;

/// The places of an updated Pod that are restored. Every value is a node of the stored Pod.
pub struct Restoration<'o, 't> {
    object: &'o Object<'t>,
    old: &'o Object<'t>,
    /// Texts of the update, each with the stored text.
    texts: Vec<(NodeId, NodeId)>,
    /// Entries of `env` in the update that refer to a ConfigMap, each with the stored entry.
    entries: Vec<(NodeId, NodeId)>,
    /// Stored entries that the update lacks, by its container.
    added: BTreeMap<NodeId, Vec<NodeId>>,
    /// The stored record, if the update has none.
    record: Option<&'t str>,
}

/// What has to be restored in the update of `old` to `object`; `None` if nothing.
pub fn restoration<'o, 't>(
    object: &'o Object<'t>,
    old: &'o Object<'t>,
) -> Option<Restoration<'o, 't>> {
    let is_pod = |object: &Object<'_>| object.kind == ObjectKind::Pod;
    let text = old
        .annotation(REWRITES)
        .filter(|_| is_pod(old) && is_pod(object))?;
    let record = Record::parse(text);
    if record.entries.is_empty() {
        return None;
    }
    let mut restoration = Restoration {
        object,
        old,
        texts: Vec::new(),
        entries: Vec::new(),
        added: BTreeMap::new(),
        record: object.annotation(REWRITES).is_none().then_some(text),
    };
    restoration.commands(&record);
    restoration.variables(&record);
    let is_empty = restoration.is_empty();
    (!is_empty).then_some(restoration)
}

impl<'t> Restoration<'_, 't> {
    /// The number of restored values; the record is not counted.
    pub fn values(&self) -> usize {
        let added: usize = self.added.values().map(Vec::len).sum();
        self.texts.len() + self.entries.len() + added
    }

    /// Whether the record is restored.
    pub fn restores_record(&self) -> bool {
        self.record.is_some()
    }

    fn is_empty(&self) -> bool {
        self.values() == 0 && self.record.is_none()
    }

    /// The changes as the text of a JSON Patch (RFC 6902) of the update, replacements before additions.
    ///
    /// # Errors
    /// None: strings always serialize.
    pub fn json_patch(&self) -> serde_json::Result<Vec<u8>> {
        let (object, old) = (self.object, self.old);
        let pointer = |node| PointerBuf::parse(object.tree.pointer(object.root, node)).ok();
        let replace = |node, value| {
            let path = pointer(node)?;
            Some(PatchOperation::Replace(ReplaceOperation { path, value }))
        };
        let texts = self
            .texts
            .iter()
            .filter_map(|(new, stored)| replace(*new, old.tree.text(*stored)?.into()));
        let entries = self
            .entries
            .iter()
            .filter_map(|(new, stored)| replace(*new, entry_of(old.tree, *stored)));
        let added = self.added.iter().filter_map(|(container, stored)| {
            let env = pointer(*container)?.with_trailing_token(Token::new("env"));
            Some(self.additions(*container, &env, stored))
        });
        let text = self.record.map(str::to_owned);
        let record = text.and_then(|text| annotation_operation(object, false, Some(text)));
        let all = texts.chain(entries).chain(added.flatten()).chain(record);
        patch_text(all)
    }

    fn additions(
        &self,
        container: NodeId,
        env: &PointerBuf,
        stored: &[NodeId],
    ) -> Vec<PatchOperation> {
        let tree = self.object.tree;
        let has_list = tree
            .get(container, "env")
            .is_some_and(|list| tree.kind(list) == Kind::Sequence);
        let values = stored.iter().map(|entry| entry_of(self.old.tree, *entry));
        let add = |path, value| PatchOperation::Add(AddOperation { path, value });
        if !has_list {
            return vec![add(env.clone(), values.collect())];
        }
        values
            .enumerate()
            .map(|(at, value)| add(env.with_trailing_token(Token::from(at)), value))
            .collect()
    }

    /// Restores arguments, commands, and commands of probes and hooks. Texts of one location correspond by their order.
    fn commands(&mut self, record: &Record) {
        let mut originals: BTreeMap<&str, Originals<'_>> = BTreeMap::new();
        for entry in &record.entries {
            originals.entry(&*entry.at).or_default().add(entry);
        }
        let by_location = |object: &Object<'t>| {
            let mut texts: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
            for site in text_sites(object) {
                if let (false, Some(node)) =
                    (matches!(site.location, Location::Env { .. }), site.scalar())
                {
                    let location = site.location.to_string();
                    if originals.contains_key(&*location) {
                        texts.entry(location).or_default().push(node);
                    }
                }
            }
            texts
        };
        let (new, stored) = (by_location(self.object), by_location(self.old));
        for (location, new) in &new {
            let (Some(stored), Some(originals)) =
                (stored.get(location), originals.get(&**location))
            else {
                continue;
            };
            if new.len() == stored.len() {
                let pairs = new.iter().copied().zip(stored.iter().copied());
                let reverted = pairs.filter(|pair| self.is_reverted(*pair, originals));
                let reverted: Vec<_> = reverted.collect();
                self.texts.extend(reverted);
            }
        }
    }

    /// Whether a text of the update is the stored one with recorded originals in place of their targets.
    fn is_reverted(&self, (new, stored): (NodeId, NodeId), originals: &Originals<'_>) -> bool {
        let new = self.object.tree.text(new);
        let stored = self.old.tree.text(stored);
        new.zip(stored)
            .is_some_and(|(new, stored)| new != stored && originals.explain(new, stored))
    }

    /// Restores variables. Entries of one name correspond by their order.
    fn variables(&mut self, record: &Record) {
        let mut by_container: BTreeMap<&str, BTreeMap<&str, Vec<&Entry>>> = BTreeMap::new();
        for entry in &record.entries {
            if let Some((container, variable)) = entry.at.split_once("/env/") {
                let variables = by_container.entry(container).or_default();
                variables.entry(variable).or_default().push(entry);
            }
        }
        let containers = |object: &Object<'t>| -> BTreeMap<&'t str, NodeId> {
            let all = object.containers();
            all.map(|node| (object.name_of(node), node)).collect()
        };
        let (new, stored) = (containers(self.object), containers(self.old));
        for (container, variables) in by_container {
            if let (Some(new), Some(stored)) = (new.get(container), stored.get(container)) {
                self.variables_of(*new, *stored, &variables);
            }
        }
    }

    fn variables_of(
        &mut self,
        new: NodeId,
        stored: NodeId,
        variables: &BTreeMap<&str, Vec<&Entry>>,
    ) {
        let new_entries = entries_by_name(self.object.tree, new, variables);
        for (name, stored) in entries_by_name(self.old.tree, stored, variables) {
            let recorded = variables.get(name).map_or(&[][..], Vec::as_slice);
            match new_entries.get(name) {
                Some(entries) if entries.len() == stored.len() => {
                    for pair in entries.iter().copied().zip(stored) {
                        self.entry(pair, recorded);
                    }
                }
                Some(_) => {}
                None => self.missing(new, name, &stored, recorded),
            }
        }
    }

    /// Restores an entry of `env`, from a literal value or from a reference.
    fn entry(&mut self, (new, stored): (NodeId, NodeId), recorded: &[&Entry]) {
        let new_entry = EnvVar::read(self.object.tree, new);
        let stored_entry = EnvVar::read(self.old.tree, stored);
        let Some(stored_value) = stored_entry
            .value
            .filter(|_| stored_entry.value_from.is_none())
        else {
            return;
        };
        if let Some(source) = new_entry.value_from {
            let reference = config_map_key(self.object.tree, source);
            let is_original = |entry: &&&Entry| {
                entry.config_map.is_some()
                    && entry.config_map == reference
                    && is_target(self.old.tree, stored_value, entry)
            };
            if recorded.iter().any(|entry| is_original(&entry)) {
                self.entries.push((new, stored));
            }
            return;
        }
        let mut originals = Originals::default();
        for entry in recorded {
            originals.add(entry);
        }
        if let Some(value) = new_entry.value
            && self.is_reverted((value, stored_value), &originals)
        {
            self.texts.push((value, stored_value));
        }
    }

    /// Restores the stored entry of a variable that the update takes from `envFrom` again.
    fn missing(&mut self, container: NodeId, name: &str, stored: &[NodeId], recorded: &[&Entry]) {
        let [stored] = stored else { return };
        let entry = EnvVar::read(self.old.tree, *stored);
        let Some(value) = entry.value.filter(|_| entry.value_from.is_none()) else {
            return;
        };
        let takes_it_again = recorded.iter().any(|entry| {
            is_target(self.old.tree, value, entry)
                && entry
                    .config_map
                    .as_deref()
                    .and_then(|text| text.split_once('/'))
                    .is_some_and(|from| takes(self.object.tree, container, from, name))
        });
        if takes_it_again {
            self.added.entry(container).or_default().push(*stored);
        }
    }
}

/// The entries of `env` of a container, by name, for these names.
fn entries_by_name<'t>(
    tree: &'t Tree<'t>,
    container: NodeId,
    names: &BTreeMap<&str, Vec<&Entry>>,
) -> BTreeMap<&'t str, Vec<NodeId>> {
    let mut entries: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
    let list = tree.get(container, "env").into_iter();
    for node in list.flat_map(|list| tree.children(list)) {
        if let Some(name) = EnvVar::read(tree, node).name
            && names.contains_key(name)
        {
            entries.entry(name).or_default().push(node);
        }
    }
    entries
}

/// An entry with a literal value.
fn entry_of(tree: &Tree<'_>, entry: NodeId) -> Value {
    json!({ "name": text_of(tree, entry, "name"), "value": text_of(tree, entry, "value") })
}

/// The name and the key, joined by a slash, of the ConfigMap that a `valueFrom` refers to.
fn config_map_key(tree: &Tree<'_>, value_from: NodeId) -> Option<String> {
    let selector = tree.get(value_from, "configMapKeyRef")?;
    let (name, key) = (
        text_of(tree, selector, "name"),
        text_of(tree, selector, "key"),
    );
    Some(format!("{name}/{key}"))
}

/// Whether the stored value has the target of the entry.
fn is_target(tree: &Tree<'_>, value: NodeId, entry: &Entry) -> bool {
    let value = tree.text(value).unwrap_or_default();
    !entry.to.is_empty() && value.contains(&*entry.to)
}

/// Whether a container takes the variable `name` from this ConfigMap and key by `envFrom`.
fn takes(tree: &Tree<'_>, container: NodeId, (map, key): (&str, &str), name: &str) -> bool {
    let items = tree.get(container, "envFrom").into_iter();
    items.flat_map(|list| tree.children(list)).any(|item| {
        let reference = tree.get(item, "configMapRef");
        let prefix = text_of(tree, item, "prefix");
        reference.is_some_and(|reference| text_of(tree, reference, "name") == map)
            && name.strip_prefix(prefix) == Some(key)
    })
}

#[cfg(test)]
mod tests;
