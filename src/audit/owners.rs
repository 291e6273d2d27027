//! Controllers of objects, so that findings of many Pods are reported once, for their workload.

use std::collections::BTreeMap;

use crate::domain::object::{Object, ObjectKind};
use crate::text::NodeId;

/// The maximum length of a chain of owners: Knative has five, and a cycle has no end.
const MAX_CHAIN: usize = 8;

/// The owner reference of an object's controller. The controller itself may not have been listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerReference {
    /// API group and version.
    pub api_version: Box<str>,
    /// Kind.
    pub kind: Box<str>,
    /// Name.
    pub name: Box<str>,
    /// UID.
    pub uid: Box<str>,
}

/// The controllers of the listed workloads, by the UID of the workload.
#[derive(Debug, Default)]
pub struct Owners {
    controllers: BTreeMap<Box<str>, ControllerReference>,
}

impl ControllerReference {
    /// The controller of an object, as `metav1.GetControllerOf` finds it.
    pub fn of(object: &Object<'_>) -> Option<Self> {
        let tree = object.tree;
        let field = |owner, name| tree.get(owner, name).and_then(|node| tree.text(node));
        let owners = tree.at(object.root, &["metadata", "ownerReferences"])?;
        let is_controller = |owner: &NodeId| field(*owner, "controller") == Some("true");
        let owner = tree.children(owners).find(is_controller)?;
        Some(Self {
            api_version: field(owner, "apiVersion")?.into(),
            kind: field(owner, "kind")?.into(),
            name: field(owner, "name")?.into(),
            uid: field(owner, "uid")?.into(),
        })
    }
}

impl Owners {
    /// Adds an object that may own others.
    pub fn add(&mut self, object: &Object<'_>) {
        if object.kind != ObjectKind::Template {
            return;
        }
        let uid = object.field(&["metadata", "uid"]);
        if let (Some(uid), Some(controller)) = (uid, ControllerReference::of(object)) {
            self.controllers.insert(uid.into(), controller);
        }
    }

    /// The topmost known owner of a workload or a Pod; `None` where no controller owns it.
    pub fn topmost(&self, object: &Object<'_>) -> Option<ControllerReference> {
        if !matches!(object.kind, ObjectKind::Pod | ObjectKind::Template) {
            return None;
        }
        let first = ControllerReference::of(object)?;
        let chain = std::iter::successors(Some(&first), |owner| self.controllers.get(&owner.uid));
        chain.take(MAX_CHAIN).last().cloned()
    }
}

/// Whether an object of this kind runs no Pods and will not run any: a ReplicaSet of zero replicas, a finished Job or Pod.
pub fn is_finished(object: &Object<'_>, kind: &str) -> bool {
    match kind {
        "ReplicaSet" => object.field(&["spec", "replicas"]) == Some("0"),
        "Job" => is_finished_job(object),
        "Pod" => {
            let phase = object.field(&["status", "phase"]);
            matches!(phase, Some("Succeeded" | "Failed"))
        }
        _ => false,
    }
}

fn is_finished_job(job: &Object<'_>) -> bool {
    let tree = job.tree;
    let field = |condition, name| tree.get(condition, name).and_then(|node| tree.text(node));
    let conditions = tree.at(job.root, &["status", "conditions"]).into_iter();
    conditions.flat_map(|node| tree.children(node)).any(|one| {
        matches!(field(one, "type"), Some("Complete" | "Failed"))
            && field(one, "status") == Some("True")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::text::Tree;

    fn with<T>(kind: &str, object: &Value, then: impl FnOnce(&Object<'_>) -> T) -> T {
        let text = object.to_string();
        let tree = Tree::json(&text).unwrap();
        let version = match kind {
            "Pod" | "ConfigMap" => "v1",
            "Job" => "batch/v1",
            _ => "apps/v1",
        };
        then(&Object::of_kind(&tree, tree.root(), version, kind))
    }

    fn owned(uid: &str, by: &[(&str, &str, bool)]) -> Value {
        let owners: Vec<_> = by
            .iter()
            .map(|(kind, uid, controls)| {
                json!({"apiVersion": "x/v1", "kind": kind, "name": uid.to_uppercase(), "uid": uid, "controller": controls})
            })
            .collect();
        json!({"metadata": {"name": "it", "uid": uid, "ownerReferences": owners}})
    }

    fn topmost(owners: &Owners, kind: &str, object: &Value) -> Option<String> {
        let owner = with(kind, object, |object| owners.topmost(object))?;
        Some(format!("{}/{}", owner.kind, owner.name))
    }

    #[test]
    fn an_owner_chain_ends_at_the_last_known_owner_and_a_cycle_ends() {
        let mut owners = Owners::default();
        let mut add = |kind, object: &Value| with(kind, object, |object| owners.add(object));
        add("Deployment", &owned("d", &[("Revision", "r", true)]));
        add("ReplicaSet", &owned("s", &[("Deployment", "d", true)]));
        add("ReplicaSet", &owned("alone", &[]));
        add("Job", &owned("a", &[("Job", "b", true)]));
        add("Job", &owned("b", &[("Job", "a", true)]));
        let pod = |by| topmost(&owners, "Pod", &owned("p", by));
        assert_eq!(
            pod(&[("ReplicaSet", "s", true)]).as_deref(),
            Some("Revision/R")
        );
        assert_eq!(
            pod(&[("ReplicaSet", "alone", true)]).as_deref(),
            Some("ReplicaSet/ALONE")
        );
        assert_eq!(
            pod(&[("Rollout", "unseen", true)]).as_deref(),
            Some("Rollout/UNSEEN")
        );
        assert_eq!(pod(&[("Watcher", "w", false)]), None);
        assert_eq!(pod(&[]), None);
        assert!(pod(&[("Job", "a", true)]).is_some());
    }

    #[test]
    fn a_config_map_has_no_owner() {
        let owners = Owners::default();
        let object = owned("c", &[("Operator", "o", true)]);
        assert_eq!(topmost(&owners, "ConfigMap", &object), None);
    }

    #[test]
    fn a_finished_object_is_recognized_by_the_fields_of_its_kind() {
        let job =
            |kind, value| json!({"status": {"conditions": [{"type": kind, "status": value}]}});
        for (kind, object, finished) in [
            ("ReplicaSet", json!({"spec": {"replicas": 0}}), true),
            ("ReplicaSet", json!({"spec": {"replicas": 10}}), false),
            ("Deployment", json!({"spec": {"replicas": 0}}), false),
            ("Job", job("Complete", "True"), true),
            ("Job", job("Failed", "True"), true),
            ("Job", job("Failed", "False"), false),
            ("Job", job("Suspended", "True"), false),
            ("Pod", json!({"status": {"phase": "Succeeded"}}), true),
            ("Pod", json!({"status": {"phase": "Running"}}), false),
            ("Pod", json!({}), false),
        ] {
            assert_eq!(
                with(kind, &object, |one| is_finished(one, kind)),
                finished,
                "{object}"
            );
        }
    }
}
