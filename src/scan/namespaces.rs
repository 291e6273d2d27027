//! First pass: collects the namespaces of the files, with their labels and annotations.

use std::collections::BTreeMap;

use crate::domain::object::Object;
use crate::domain::policy::{NAMESPACE_NAME_LABEL, Namespace};

use super::ParsedFile;

/// The namespaces of files.
#[derive(Debug, Default)]
pub struct NamespaceCollector {
    /// By name.
    pub namespaces: BTreeMap<Box<str>, Namespace>,
    /// Labels and annotations for which two documents have different values, such as two overlays of one base, as `namespace: key`.
    /// They are not used.
    pub disputed: Vec<String>,
}

impl NamespaceCollector {
    /// Adds the namespaces of a file.
    pub fn add(&mut self, file: &ParsedFile<'_>) {
        if !file.text.contains("Namespace") {
            return;
        }
        for object in file.objects() {
            let name = object.field(&["metadata", "name"]).unwrap_or_default();
            if is_namespace(&object) && !name.is_empty() {
                self.merge(name, &object);
            }
        }
    }

    fn merge(&mut self, name: &str, object: &Object<'_>) {
        let tree = object.tree;
        let known = self
            .namespaces
            .entry(name.into())
            .or_insert_with(|| Namespace::named(name));
        for (field, into) in [
            ("labels", &mut known.labels),
            ("annotations", &mut known.annotations),
        ] {
            let Some(entries) = tree.at(object.root, &["metadata", field]) else {
                continue;
            };
            for entry in tree.children(entries) {
                let (Some(key), Some(text)) = (tree.key(entry), tree.text(entry)) else {
                    continue;
                };
                let label = format!("{name}: {key}");
                // The API server sets the label of the name.
                if key == NAMESPACE_NAME_LABEL || self.disputed.contains(&label) {
                    continue;
                }
                match into.get(key) {
                    None => drop(into.insert(key.into(), text.into())),
                    Some(stated) if **stated == *text => {}
                    Some(_) => {
                        into.remove(key);
                        self.disputed.push(label);
                    }
                }
            }
        }
    }
}

/// Whether an object is a Namespace.
pub(super) fn is_namespace(object: &Object<'_>) -> bool {
    object.field(&["kind"]) == Some("Namespace") && object.field(&["apiVersion"]) == Some("v1")
}
