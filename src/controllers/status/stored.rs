//! The stored status of an object, and when its other fields changed last.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::api::DynamicObject;
use serde::de::DeserializeOwned;

/// The statuses of one kind, by the names of the objects.
pub(super) type StoredByName<S> = BTreeMap<Box<str>, Stored<S>>;

/// The stored status of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Stored<S> {
    pub(super) uid: String,
    pub(super) generation: i64,
    /// The last write to anything but the status, by the API server's clock. A change of labels counts too, since managed
    /// fields do not distinguish it.
    pub(super) changed_at: Option<Timestamp>,
    pub(super) status: S,
}

impl<S: DeserializeOwned + Default> Stored<S> {
    /// Reads an object. An unreadable status counts as empty, and is written again.
    pub(super) fn read(object: &DynamicObject) -> Self {
        let written = object.managed_fields().iter();
        let changed_at = written
            .filter(|fields| fields.subresource.as_deref().is_none_or(str::is_empty))
            .filter_map(|fields| fields.time.as_ref())
            .chain(&object.metadata.creation_timestamp)
            .map(|time| time.0)
            .max();
        let status = object.data.get("status").cloned().unwrap_or_default();
        Self {
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            changed_at,
            status: serde_json::from_value(status).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::InferenceProfilePolicyStatus;

    fn read(status: &serde_json::Value) -> Stored<InferenceProfilePolicyStatus> {
        let fields = |time: &str, subresource: &str| json!({"manager": "m", "operation": "Apply", "time": time, "subresource": subresource});
        let object = json!({
            "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy",
            "metadata": {"name": "p", "uid": "u", "generation": 4, "creationTimestamp": "2026-11-01T00:00:00Z", "managedFields": [
                fields("2026-11-02T00:00:00Z", ""), fields("2026-11-03T00:00:00Z", "status")]},
            "status": status,
        });
        Stored::read(&serde_json::from_value(object).unwrap())
    }

    #[test]
    fn a_write_of_the_status_does_not_count_as_a_change_of_the_object() {
        let stored = read(&json!({"observedGeneration": 3}));
        assert_eq!((&*stored.uid, stored.generation), ("u", 4));
        assert_eq!(
            stored.changed_at,
            Some("2026-11-02T00:00:00Z".parse().unwrap())
        );
        assert_eq!(stored.status.observed_generation, Some(3));
    }

    #[test]
    fn an_unreadable_status_is_empty() {
        let stored = read(&json!({"observedGeneration": "three"}));
        assert_eq!(stored.status, InferenceProfilePolicyStatus::default());
    }
}
