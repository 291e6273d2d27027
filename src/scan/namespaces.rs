//! Namespaces that stand in the files beside the objects: their labels and annotations, as a cluster would know them.

use std::collections::BTreeMap;

use crate::domain::object::Object;
use crate::domain::policy::{NAMESPACE_NAME_LABEL, Namespace};
use crate::text::Tree;

use super::{Syntax, objects, trees};

/// What is known of namespaces from texts.
#[derive(Debug, Default)]
pub struct Collected {
    /// By name.
    pub namespaces: BTreeMap<Box<str>, Namespace>,
    /// Labels and annotations that two documents state differently, such as two overlays of one base: `namespace: key`, in
    /// order. Neither is used.
    pub disputed: Vec<String>,
}

impl Collected {
    /// Takes what `text` says of namespaces. What cannot be read is passed over; the scan tells it.
    pub fn take(&mut self, text: &str, syntax: Syntax) {
        if !text.contains("Namespace") {
            return;
        }
        for tree in trees(text, syntax, "").0 {
            for root in objects(&tree) {
                let object = Object::at(&tree, root);
                let name = object.field(&["metadata", "name"]).unwrap_or_default();
                if is_namespace(&object) && !name.is_empty() {
                    self.merge(name, &tree, &object);
                }
            }
        }
    }

    fn merge(&mut self, name: &str, tree: &Tree<'_>, object: &Object<'_>) {
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
                // The API server alone sets the label of the name.
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
