//! Second pass: collects the ConfigMaps of the files, with the content that they have after `fix`.
//!
//! In a cluster, a Pod that takes an ID from a ConfigMap gets an explicit variable when it is created. In files, the ConfigMap
//! is changed and the Pod is not. An ID that `fix` replaces in a ConfigMap is therefore reported once, at the ConfigMap. A Pod
//! is reported only if that does not help it: the ConfigMap names no region, its ID is skipped, or the new ID is one of another
//! region.

use std::collections::BTreeSet;

use crate::domain::config_maps::{ConfigMap, ConfigMapIndex, Lookup};
use crate::domain::judge::Judgement;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::placeholder::has_placeholder;
use crate::domain::site::Location;

use super::{ParsedFile, Scan};

/// The ConfigMaps of files.
#[derive(Debug, Default)]
pub struct ConfigMapCollector {
    /// By namespace and name; a ConfigMap that is not in the files may exist elsewhere.
    pub references: ConfigMapIndex,
    /// Namespaces and names of ConfigMaps that two documents define differently, such as two overlays of one base. They are
    /// not used.
    pub disputed: BTreeSet<(Box<str>, Box<str>)>,
}

impl ConfigMapCollector {
    /// Adds the ConfigMaps of a file, with the content that they have after `scan` has edited it.
    pub fn add(&mut self, scan: &Scan<'_>, file: &ParsedFile<'_>) {
        if !file.text.contains("ConfigMap") {
            return;
        }
        for object in file.objects() {
            let name = object.field(&["metadata", "name"]).unwrap_or_default();
            if object.kind == ObjectKind::ConfigMap && is_literal(name) {
                let namespace = scan.namespace_of(&object);
                let map = if scan.selects(&object) {
                    let judgement = scan.evaluate(&object, &namespace);
                    read(scan, &object, &judgement)
                } else {
                    ConfigMap::of(&object, &scan.view.snapshot)
                };
                self.merge(&namespace.name, name, map);
            }
        }
    }

    fn merge(&mut self, namespace: &str, name: &str, map: ConfigMap) {
        let id = (Box::from(namespace), Box::from(name));
        let neighbours = self.references.in_namespace(namespace);
        match neighbours.look_up(name, false) {
            _ if self.disputed.contains(&id) => {}
            Lookup::Found(stated) if *stated == map => {}
            Lookup::Found(_) => {
                self.references.remove(namespace, name);
                self.disputed.insert(id);
            }
            Lookup::Absent | Lookup::Unknown => self.references.insert(namespace, name, map),
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
