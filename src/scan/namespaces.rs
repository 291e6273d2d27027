//! First pass: collects the namespaces of the files, with their labels and annotations.

use std::collections::BTreeMap;

use crate::domain::object::Object;
use crate::domain::policy::{NAMESPACE_NAME_LABEL, Namespace};

use super::ParsedFile;
use super::prefilter::may_define_namespaces;

/// The namespaces of files.
#[derive(Debug, Default)]
pub struct NamespaceCollector {
    /// By name.
    pub namespaces: BTreeMap<Box<str>, Namespace>,
    /// Labels and annotations for which two documents have different values, such as two overlays of one base, as `namespace: key`.
    /// They are not used.
    pub disputed: Vec<String>,
}

/// A namespace as one document defines it.
#[derive(Debug)]
pub(super) struct NamespaceFacts {
    name: Box<str>,
    labels: Vec<(Box<str>, Box<str>)>,
    annotations: Vec<(Box<str>, Box<str>)>,
}

impl NamespaceCollector {
    /// Adds the namespaces of a file.
    pub fn add(&mut self, file: &ParsedFile<'_>) {
        for facts in facts(file) {
            self.merge(facts);
        }
    }

    pub(super) fn merge(&mut self, facts: NamespaceFacts) {
        let NamespaceFacts {
            name,
            labels,
            annotations,
        } = facts;
        let known = self
            .namespaces
            .entry(name.clone())
            .or_insert_with(|| Namespace::named(&name));
        for (entries, into) in [
            (labels, &mut known.labels),
            (annotations, &mut known.annotations),
        ] {
            for (key, text) in entries {
                let label = format!("{name}: {key}");
                // The API server sets the label of the name.
                if *key == *NAMESPACE_NAME_LABEL || self.disputed.contains(&label) {
                    continue;
                }
                match into.get(&key) {
                    None => drop(into.insert(key, text)),
                    Some(stated) if *stated == text => {}
                    Some(_) => {
                        into.remove(&key);
                        self.disputed.push(label);
                    }
                }
            }
        }
    }
}

/// The namespaces that the documents of a file define, in order.
pub(super) fn facts(file: &ParsedFile<'_>) -> Vec<NamespaceFacts> {
    if !may_define_namespaces(file.text) {
        return Vec::new();
    }
    let namespaces = file.objects().filter(is_namespace);
    namespaces
        .filter_map(|object| NamespaceFacts::of(&object))
        .collect()
}

impl NamespaceFacts {
    fn of(object: &Object<'_>) -> Option<Self> {
        let name = object.field(&["metadata", "name"]);
        let name = name.filter(|name| !name.is_empty())?;
        let tree = object.tree;
        let entries = |field| {
            let entries = tree.at(object.root, &["metadata", field]).into_iter();
            let entries = entries.flat_map(|entries| tree.children(entries));
            entries
                .filter_map(|entry| Some((tree.key(entry)?.into(), tree.text(entry)?.into())))
                .collect()
        };
        Some(Self {
            name: name.into(),
            labels: entries("labels"),
            annotations: entries("annotations"),
        })
    }
}

/// Whether an object is a Namespace.
pub(super) fn is_namespace(object: &Object<'_>) -> bool {
    object.field(&["kind"]) == Some("Namespace") && object.field(&["apiVersion"]) == Some("v1")
}
