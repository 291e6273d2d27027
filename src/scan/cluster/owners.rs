//! Who owns whom, so that what many Pods show is said once, of their workload.

use std::collections::BTreeMap;

use crate::domain::object::{Object, Sort};
use crate::text::NodeId;

/// How long a chain of owners is followed: Knative's has five, and a circle has no end.
const LONGEST: usize = 8;

/// An owner by the name that what it owns gives it; it need not have been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// API group and version.
    pub api_version: Box<str>,
    /// Kind.
    pub kind: Box<str>,
    /// Name.
    pub name: Box<str>,
    /// The identity that no other object ever has.
    pub uid: Box<str>,
}

/// The controllers of what was read.
#[derive(Debug, Default)]
pub struct Owners {
    above: BTreeMap<Box<str>, Owner>,
}

impl Owner {
    /// The controller of an object.
    pub fn of(object: &Object<'_>) -> Option<Self> {
        let tree = object.tree;
        let field = |owner, name| tree.get(owner, name).and_then(|node| tree.text(node));
        let owners = tree.at(object.root, &["metadata", "ownerReferences"])?;
        let controls = |owner: &NodeId| field(*owner, "controller") == Some("true");
        let owner = tree.children(owners).find(controls)?;
        Some(Self {
            api_version: field(owner, "apiVersion")?.into(),
            kind: field(owner, "kind")?.into(),
            name: field(owner, "name")?.into(),
            uid: field(owner, "uid")?.into(),
        })
    }
}

impl Owners {
    /// Takes an object that others may be owned by.
    pub fn take(&mut self, object: &Object<'_>) {
        let uid = object.field(&["metadata", "uid"]);
        if let (Sort::Template, Some(uid), Some(owner)) = (object.sort, uid, Owner::of(object)) {
            self.above.insert(uid.into(), owner);
        }
    }

    /// The topmost owner of a workload or a Pod, as far as owners were read; `None` where nothing controls it.
    pub fn topmost(&self, object: &Object<'_>) -> Option<Owner> {
        if !matches!(object.sort, Sort::Pod | Sort::Template) {
            return None;
        }
        let first = Owner::of(object)?;
        let chain = std::iter::successors(Some(&first), |owner| self.above.get(&owner.uid));
        chain.take(LONGEST).last().cloned()
    }
}

/// Whether nothing of an object of this kind runs any more, or will: a ReplicaSet scaled down, a Job or a Pod that has ended.
pub fn is_over(object: &Object<'_>, kind: &str) -> bool {
    match kind {
        "ReplicaSet" => object.field(&["spec", "replicas"]) == Some("0"),
        "Job" => has_ended(object),
        "Pod" => {
            let phase = object.field(&["status", "phase"]);
            matches!(phase, Some("Succeeded" | "Failed"))
        }
        _ => false,
    }
}

fn has_ended(job: &Object<'_>) -> bool {
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
    fn a_chain_is_followed_as_far_as_it_was_read_and_no_circle_for_ever() {
        let mut owners = Owners::default();
        let mut take = |kind, object: &Value| with(kind, object, |object| owners.take(object));
        take("Deployment", &owned("d", &[("Revision", "r", true)]));
        take("ReplicaSet", &owned("s", &[("Deployment", "d", true)]));
        take("ReplicaSet", &owned("alone", &[]));
        take("Job", &owned("a", &[("Job", "b", true)]));
        take("Job", &owned("b", &[("Job", "a", true)]));
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
    fn a_config_map_stands_for_itself() {
        let owners = Owners::default();
        let object = owned("c", &[("Operator", "o", true)]);
        assert_eq!(topmost(&owners, "ConfigMap", &object), None);
    }

    #[test]
    fn what_is_over_is_told_by_what_its_kind_says() {
        let ended =
            |kind, value| json!({"status": {"conditions": [{"type": kind, "status": value}]}});
        for (kind, object, over) in [
            ("ReplicaSet", json!({"spec": {"replicas": 0}}), true),
            ("ReplicaSet", json!({"spec": {"replicas": 10}}), false),
            ("Deployment", json!({"spec": {"replicas": 0}}), false),
            ("Job", ended("Complete", "True"), true),
            ("Job", ended("Failed", "True"), true),
            ("Job", ended("Failed", "False"), false),
            ("Job", ended("Suspended", "True"), false),
            ("Pod", json!({"status": {"phase": "Succeeded"}}), true),
            ("Pod", json!({"status": {"phase": "Running"}}), false),
            ("Pod", json!({}), false),
        ] {
            assert_eq!(
                with(kind, &object, |one| is_over(one, kind)),
                over,
                "{object}"
            );
        }
    }
}
