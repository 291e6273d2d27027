//! Second pass: collects the ConfigMaps of the files, with the content that they have after `fix`.
//!
//! In a cluster, a Pod that takes an ID from a ConfigMap gets an explicit variable when it is created. In files, the ConfigMap
//! is changed and the Pod is not. An ID that `fix` replaces in a ConfigMap is therefore reported once, at the ConfigMap. A Pod
//! is reported only if that does not help it: the ConfigMap names no region, its ID is skipped, or the new ID is one of another
//! region.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::domain::config_maps::{ConfigMap, ConfigMapIndex};
use crate::domain::judge::Judgement;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::placeholder::has_placeholder;
use crate::domain::site::Location;
use crate::text::Tree;

use super::digest::fingerprint_of;
use super::{ParsedFile, Scan};

/// The ConfigMaps of files.
///
/// Of a ConfigMap that no object refers to, only fingerprints stay in memory: for the case that two documents disagree about it.
#[derive(Debug, Default)]
pub struct ConfigMapCollector {
    /// By namespace and name; a ConfigMap that is not in the files may exist elsewhere.
    pub references: ConfigMapIndex,
    /// Namespaces and names of ConfigMaps that two documents define differently, such as two overlays of one base. They are
    /// not used.
    pub disputed: BTreeSet<(Box<str>, Box<str>)>,
    /// The fingerprint of the content, by that of namespace and name.
    contents: HashMap<u64, u64>,
    /// The fingerprints of namespace and name of those that two documents define differently.
    disputed_ids: HashSet<u64>,
}

/// A ConfigMap by its fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConfigMapDigest {
    /// That of the namespace and the name.
    pub(super) id: u64,
    /// That of the name alone, as references have it.
    pub(super) name: u64,
    /// That of the content.
    content: u64,
}

/// A ConfigMap of a file.
#[derive(Debug)]
pub(super) struct ConfigMapFacts {
    namespace: Box<str>,
    name: Box<str>,
    digest: ConfigMapDigest,
    /// The content, if an object may refer to it.
    content: Option<ConfigMap>,
}

impl ConfigMapCollector {
    /// Adds the ConfigMaps of a file, with the content that they have after `scan` has edited it.
    pub fn add(&mut self, scan: &Scan<'_>, file: &ParsedFile<'_>) {
        for facts in facts(scan, file, |_| true) {
            self.merge(facts);
        }
    }

    /// Adds a ConfigMap of which nothing else is known yet.
    pub(super) fn add_digest(&mut self, digest: ConfigMapDigest) {
        let known = self.contents.entry(digest.id).or_insert(digest.content);
        if *known != digest.content {
            self.disputed_ids.insert(digest.id);
        }
    }

    /// Whether two documents define the ConfigMap differently.
    pub(super) fn is_disputed(&self, digest: ConfigMapDigest) -> bool {
        self.disputed_ids.contains(&digest.id)
    }

    /// Adds a ConfigMap, perhaps one whose digest was added before.
    pub(super) fn merge(&mut self, facts: ConfigMapFacts) {
        let ConfigMapFacts {
            namespace,
            name,
            digest,
            content,
        } = facts;
        self.add_digest(digest);
        if self.is_disputed(digest) {
            self.references.remove(&namespace, &name);
            self.disputed.insert((namespace, name));
        } else if let Some(content) = content
            && !self.references.in_namespace(&namespace).have(&name)
        {
            self.references.insert(&namespace, &name, content);
        }
    }
}

/// The ConfigMaps of a file, with the content that they have after `scan` has edited it, if `is_needed` for the fingerprint of the name.
pub(super) fn facts(
    scan: &Scan<'_>,
    file: &ParsedFile<'_>,
    is_needed: impl Fn(ConfigMapDigest) -> bool,
) -> Vec<ConfigMapFacts> {
    let of_object = |(object, name): (Object<'_>, &str)| {
        let namespace = scan.namespace_of(&object);
        let content = if scan.selects(&object) {
            let judgement = scan.evaluate(&object, &namespace);
            read(scan, &object, &judgement)
        } else {
            ConfigMap::of(&object, &scan.view.snapshot)
        };
        let digest = ConfigMapDigest::of(&namespace.name, name, &content);
        ConfigMapFacts {
            namespace: namespace.name.clone(),
            name: name.into(),
            digest,
            content: Some(content).filter(|_| is_needed(digest)),
        }
    };
    config_maps(file).map(of_object).collect()
}

/// The digests of the ConfigMaps of a file that has no IDs, so that no edit changes them.
pub(super) fn digests(scan: &Scan<'_>, file: &ParsedFile<'_>) -> Box<[ConfigMapDigest]> {
    let of_object = |(object, name): (Object<'_>, &str)| {
        let content = ConfigMap::of(&object, &scan.view.snapshot);
        ConfigMapDigest::of(scan.namespace_name(&object), name, &content)
    };
    config_maps(file).map(of_object).collect()
}

/// Whether a text may define ConfigMaps.
pub(super) fn may_define(text: &str) -> bool {
    text.contains("ConfigMap")
}

/// The ConfigMaps of a file and their names. A template may produce any name, so one with a placeholder is no ConfigMap that is known.
fn config_maps<'a>(file: &'a ParsedFile<'_>) -> impl Iterator<Item = (Object<'a>, &'a str)> {
    let files = may_define(file.text).then_some(file).into_iter();
    let objects = files.flat_map(ParsedFile::objects);
    objects.filter_map(|object| {
        let name = object.field(&["metadata", "name"]).unwrap_or_default();
        let is_known = object.kind == ObjectKind::ConfigMap && is_literal(name);
        is_known.then_some((object, name))
    })
}

/// The fingerprints of the names of the ConfigMaps that the objects of a document refer to, and of some more.
pub(super) fn referenced_names(tree: &Tree<'_>) -> impl Iterator<Item = u64> {
    tree.keyed(tree.root()).filter_map(|node| {
        let parent = tree.parent(node)?;
        let is_reference = tree.is_under(node, "name")
            && tree
                .key(parent)
                .is_some_and(|key| key.starts_with("configMap"));
        let name = tree.text(node).filter(|_| is_reference)?;
        Some(fingerprint_of(name))
    })
}

impl ConfigMapDigest {
    fn of(namespace: &str, name: &str, content: &ConfigMap) -> Self {
        Self {
            id: fingerprint_of(&(namespace, name)),
            name: fingerprint_of(name),
            content: fingerprint_of(content),
        }
    }
}

/// Whether a name is complete: a template may produce any name.
fn is_literal(name: &str) -> bool {
    !name.is_empty() && !has_placeholder(name)
}

/// The ConfigMap, with its current values and those after `fix`.
fn read(scan: &Scan<'_>, object: &Object<'_>, judgement: &Judgement<'_>) -> ConfigMap {
    let mut map = ConfigMap::of(object, &scan.view.snapshot);
    let first = judgement.effective.as_ref().or(judgement.previews.first());
    for one in first.into_iter().flat_map(|under| &under.findings) {
        let leaf = &one.finding.site;
        let text = leaf.scalar().and_then(|node| object.tree.text(node));
        if let (Location::Data { key }, Some(text)) = (leaf.location, text)
            && let Some(changed) = one.with_answer(text)
        {
            map.change(key, &changed);
        }
    }
    map
}
