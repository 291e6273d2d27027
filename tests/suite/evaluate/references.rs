//! Model IDs that a Pod takes from a ConfigMap: whose text counts, what is written, and what is left.

use std::sync::Arc;

use bedrock_profiles::domain::config_maps::{ConfigMap, ConfigMapIndex};
use bedrock_profiles::domain::object::Object;
use bedrock_profiles::text::Tree;
use serde_json::{Value, json};

use crate::evaluate::scenario::*;

mod context_rules;
mod kubelet;
mod messages;
mod patches;
mod pending;
mod precedence;
mod prefilter;
mod properties;
mod regions;
mod unresolved;

impl Scenario {
    /// Lists these ConfigMaps and no others, each in its own namespace.
    pub(crate) fn knowing(mut self, maps: &[Value]) -> Self {
        let mut references = ConfigMapIndex::of_all();
        for map in maps {
            self.take(&mut references, map);
        }
        self.view.config_maps = Arc::new(references);
        self
    }

    /// Has seen these ConfigMaps and knows of no others, as in files.
    pub(crate) fn observing(mut self, maps: &[Value]) -> Self {
        let mut references = ConfigMapIndex::default();
        for map in maps {
            self.take(&mut references, map);
        }
        self.view.config_maps = Arc::new(references);
        self
    }

    fn take(&self, references: &mut ConfigMapIndex, map: &Value) {
        let text = map.to_string();
        let tree = Tree::json(&text).unwrap();
        let object = Object::at(&tree, tree.root());
        let field = |name| object.field(&["metadata", name]).unwrap();
        let read = ConfigMap::of(&object, &self.view.snapshot);
        references.insert(field("namespace"), field("name"), read);
    }
}

/// A Pod with one container of these variables and these sources of more.
pub(crate) fn taking(env: &Value, from: &Value) -> Value {
    pod_of(&json!({ "name": "app", "env": env, "envFrom": from }))
}

/// An entry that takes a key of a ConfigMap.
pub(crate) fn key(variable: &str, map: &str, key: &str) -> Value {
    json!({ "name": variable, "valueFrom": { "configMapKeyRef": { "name": map, "key": key } } })
}

/// An entry that takes a key of a ConfigMap if it is there.
pub(crate) fn optional_key(variable: &str, map: &str, key: &str) -> Value {
    json!({ "name": variable, "valueFrom": { "configMapKeyRef": { "name": map, "key": key, "optional": true } } })
}

/// An entry that takes a key of a Secret.
pub(crate) fn secret_key(variable: &str, optional: bool) -> Value {
    json!({ "name": variable, "valueFrom": { "secretKeyRef": { "name": "s", "key": "k", "optional": optional } } })
}

/// Every key of a ConfigMap.
pub(crate) fn all_of(map: &str) -> Value {
    json!({ "configMapRef": { "name": map } })
}

/// Every key of a ConfigMap, behind a prefix.
pub(crate) fn all_behind(prefix: &str, map: &str) -> Value {
    json!({ "prefix": prefix, "configMapRef": { "name": map } })
}

/// Every key of a ConfigMap, if there is one.
pub(crate) fn all_of_optional(map: &str) -> Value {
    json!({ "configMapRef": { "name": map, "optional": true } })
}

/// Every key of a Secret, behind a prefix.
pub(crate) fn secret(prefix: &str) -> Value {
    json!({ "prefix": prefix, "secretRef": { "name": "s" } })
}
