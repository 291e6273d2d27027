//! What the API server would respond now: the copy that a dry run creates, and what the response means. Nothing is stored.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::annotations::REWRITES;
use crate::domain::record::{Entry, Record};

/// The maximum length of the original's name in that of the copy, in bytes.
const LONGEST_NAME: usize = 40;

/// The fields of `metadata` that decide about a copy. The API server sets the others.
const METADATA: [&str; 3] = ["labels", "annotations", "ownerReferences"];

/// The fields of a Pod's `spec` that a stored Pod has and a new one may not have, or has later.
const LATER_FIELDS: [&str; 2] = ["nodeName", "ephemeralContainers"];

/// What an error of another webhook than this one ends with, when that webhook would do more than answer.
const NO_DRY_RUN: &str = "does not support dry run";

/// What is before the name of a webhook whose call fails, and whose failure policy is `Fail`.
const FAILED_CALL: &str = "failed calling webhook \"";

/// What the API server responds to the creation of a copy, as a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DryRunAnswer {
    /// What it responds.
    pub outcome: DryRunOutcome,
    /// The same as a sentence.
    pub message: String,
    /// The IDs that it replaces, by place.
    pub rewrites: Vec<RecordedRewrite>,
}

/// The kind of a response to a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum DryRunOutcome {
    /// No dry run was sent.
    NotSent,
    /// The caller may not create such objects.
    NotPermitted,
    /// A webhook of another program does more than answer, so that the API server does not call it in a dry run.
    NotSupported,
    /// This webhook denies the copy.
    Denied,
    /// The API server or another webhook refuses the copy.
    Refused,
    /// The copy is admitted, and IDs are replaced.
    Rewritten,
    /// The copy is admitted, and no ID is replaced.
    Unchanged,
    /// There is no response.
    NoResponse,
}

/// An ID that was replaced, as the record of the object has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecordedRewrite {
    /// The place by names: `app/env/BEDROCK_MODEL_ID`.
    pub at: String,
    /// The ID before.
    pub from: String,
    /// The ID after.
    pub to: String,
}

/// A copy of an object in this namespace, under a name that the API server generates, without what it has set. The copy of a record stays, so that the
/// webhook treats the IDs in it as its own.
pub fn copy_of(object: &Value, namespace: &str) -> Value {
    let mut copy = Map::new();
    for (field, value) in object.as_object().into_iter().flatten() {
        if !matches!(field.as_str(), "status" | "metadata") {
            copy.insert(field.clone(), value.clone());
        }
    }
    let mut metadata = Map::new();
    metadata.insert("namespace".to_owned(), namespace.into());
    for field in METADATA {
        if let Some(value) = object["metadata"].get(field) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    let owners = metadata.get_mut("ownerReferences");
    for owner in owners.and_then(Value::as_array_mut).into_iter().flatten() {
        // It needs a permission of its own, and no webhook reads it.
        owner
            .as_object_mut()
            .map(|owner| owner.remove("blockOwnerDeletion"));
    }
    let name = |field: &str| object["metadata"][field].as_str();
    let name = name("name")
        .or_else(|| name("generateName"))
        .unwrap_or_default();
    let name: String = name.chars().take(LONGEST_NAME).collect();
    let name = format!("{}-why-", name.trim_end_matches(['-', '.']));
    metadata.insert("generateName".to_owned(), name.into());
    copy.insert("metadata".to_owned(), metadata.into());
    if object["kind"] == "Pod"
        && let Some(spec) = copy.get_mut("spec").and_then(Value::as_object_mut)
    {
        for field in LATER_FIELDS {
            spec.remove(field);
        }
    }
    copy.into()
}

impl DryRunAnswer {
    /// No dry run was sent, for this reason.
    pub fn not_sent(message: impl Into<String>) -> Self {
        Self::of(DryRunOutcome::NotSent, message)
    }

    /// The object is a workload.
    pub fn of_workload() -> Self {
        Self::not_sent(
            "not known: a dry run of a workload creates no Pods, and these are what is rewritten",
        )
    }

    /// No response came.
    pub fn no_response(error: &str) -> Self {
        Self::of(
            DryRunOutcome::NoResponse,
            format!("there is no response: {error}"),
        )
    }

    fn of(outcome: DryRunOutcome, message: impl Into<String>) -> Self {
        Self {
            outcome,
            message: message.into(),
            rewrites: Vec::new(),
        }
    }

    /// The copy was admitted as `response`.
    pub fn admitted(copy: &Value, response: &Value) -> Self {
        let before = record_of(copy);
        let mut after = record_of(response);
        after.retain(|entry| !before.contains(entry));
        if after.is_empty() {
            let message = if before.is_empty() {
                "it admits a copy and replaces no ID"
            } else {
                "it admits a copy and keeps its IDs as they are"
            };
            return Self::of(DryRunOutcome::Unchanged, message);
        }
        let rewrites: Vec<_> = after
            .into_iter()
            .map(|entry| RecordedRewrite {
                at: entry.at,
                from: entry.from,
                to: entry.to,
            })
            .collect();
        let message = match rewrites.len() {
            1 => "it admits a copy and replaces 1 ID".to_owned(),
            count => format!("it admits a copy and replaces {count} IDs"),
        };
        Self {
            rewrites,
            ..Self::of(DryRunOutcome::Rewritten, message)
        }
    }

    /// The copy was refused with this status. Its text is used only where this webhook has written it: that of others may contain
    /// values of the object.
    pub fn refused(code: u16, reason: &str, text: &str, webhook: &str) -> Self {
        let by = text.split_once("admission webhook \"");
        let by = by.and_then(|(_, rest)| rest.split_once('"'));
        let code = format!("{code} {reason}");
        match by {
            _ if text.contains(NO_DRY_RUN) => {
                let name = by.map_or("of another program", |(name, _)| name);
                Self::of(
                    DryRunOutcome::NotSupported,
                    format!(
                        "it cannot: the webhook {name} has side effects and does not support dry runs"
                    ),
                )
            }
            Some((name, rest)) if name == webhook => {
                let denial = rest.split_once("denied the request: ");
                let denial = denial.map_or("", |(_, denial)| denial);
                Self::of(DryRunOutcome::Denied, format!("it denies a copy: {denial}"))
            }
            Some((name, _)) => Self::of(
                DryRunOutcome::Refused,
                format!("the webhook {name} refuses a copy ({code})"),
            ),
            None if text.contains(FAILED_CALL) => {
                let name = text.split_once(FAILED_CALL).map_or("", |(_, rest)| rest);
                let name = name.split('"').next().unwrap_or_default();
                Self::of(
                    DryRunOutcome::Refused,
                    format!(
                        "it refuses a copy ({code}), because the call of the webhook {name} fails"
                    ),
                )
            }
            None if text.contains("cannot create resource") => Self::of(
                DryRunOutcome::NotPermitted,
                "not known: you may not create such objects in the namespace",
            ),
            None => Self::of(
                DryRunOutcome::Refused,
                format!(
                    "it refuses a copy ({code}), before or after its webhooks; `kubectl create --dry-run=server` shows why"
                ),
            ),
        }
    }

    /// Whether the response shows that the API server calls this webhook.
    pub(super) const fn shows_a_call(&self) -> bool {
        matches!(
            self.outcome,
            DryRunOutcome::Rewritten | DryRunOutcome::Denied
        )
    }
}

/// The entries of the record of an object.
fn record_of(object: &Value) -> Vec<Entry> {
    let record = object["metadata"]["annotations"][REWRITES].as_str();
    record.map(Record::parse).unwrap_or_default().entries
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WEBHOOK: &str = "webhook-pods.bedrock-profiles.dev";

    fn entry(at: &str) -> Value {
        json!({"at": at, "from": "a.b", "to": "eu.a.b", "region": "eu-west-1", "by": "Beside"})
    }

    fn recorded(entries: &[&Value]) -> Value {
        let record = json!({"entries": entries}).to_string();
        json!({"metadata": {"annotations": {REWRITES: record}}})
    }

    #[test]
    fn a_copy_has_nothing_that_is_set_after_its_creation() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running"},
            "metadata": {"name": "chat", "uid": "u", "resourceVersion": "7", "creationTimestamp": "t", "generation": 1,
                "managedFields": [], "finalizers": ["f"], "deletionTimestamp": "t", "labels": {"app": "chat"},
                "ownerReferences": [{"kind": "ReplicaSet", "controller": true, "blockOwnerDeletion": true}]},
            "spec": {"nodeName": "n", "ephemeralContainers": [], "containers": [{"name": "app"}]}});
        let expected = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "ml", "generateName": "chat-why-", "labels": {"app": "chat"},
                "ownerReferences": [{"kind": "ReplicaSet", "controller": true}]},
            "spec": {"containers": [{"name": "app"}]}});
        assert_eq!(copy_of(&pod, "ml"), expected);
        let long = json!({"kind": "ConfigMap", "metadata": {"name": format!("{}-{}", "a".repeat(39), "b".repeat(99))}});
        let copy = copy_of(&long, "ml");
        assert_eq!(
            copy["metadata"]["generateName"],
            format!("{}-why-", "a".repeat(39))
        );
    }

    #[test]
    fn only_new_entries_of_the_record_are_rewrites() {
        let (one, other) = (&entry("app/env/A"), &entry("app/env/B"));
        let nothing = json!({"metadata": {}});
        let (of_one, of_both) = (recorded(&[one]), recorded(&[one, other]));
        for (copy, response, outcome, rewrites) in [
            (&nothing, &nothing, DryRunOutcome::Unchanged, 0),
            (&nothing, &of_both, DryRunOutcome::Rewritten, 2),
            (&of_one, &of_one, DryRunOutcome::Unchanged, 0),
            (&of_one, &of_both, DryRunOutcome::Rewritten, 1),
        ] {
            let answer = DryRunAnswer::admitted(copy, response);
            assert_eq!((answer.outcome, answer.rewrites.len()), (outcome, rewrites));
        }
    }

    #[test]
    fn the_text_of_a_refusal_is_printed_only_if_this_webhook_wrote_it() {
        use DryRunOutcome::{Denied, NotPermitted, NotSupported, Refused};
        let denied = format!(
            "admission webhook \"{WEBHOOK}\" denied the request: use eu.a.b instead of a.b"
        );
        for (text, outcome, printed) in [
            (denied.as_str(), Denied, "use eu.a.b instead of a.b"),
            (
                "admission webhook \"x.example\" denied the request: s3cr3t",
                Refused,
                "x.example",
            ),
            (
                "admission webhook \"x.example\" does not support dry run",
                NotSupported,
                "x.example",
            ),
            (
                "Internal error occurred: failed calling webhook \"x.example\": failed to call webhook: s3cr3t",
                Refused,
                "the call of the webhook x.example fails",
            ),
            (
                "Pod \"p\" is invalid: spec.x: Invalid value: \"s3cr3t\": no",
                Refused,
                "(422 Invalid)",
            ),
            (
                "pods is forbidden: User \"u\" cannot create resource \"pods\" in API group",
                NotPermitted,
                "you may not create",
            ),
        ] {
            let answer = DryRunAnswer::refused(422, "Invalid", text, WEBHOOK);
            assert_eq!(answer.outcome, outcome, "{text}");
            assert!(answer.message.contains(printed), "{}", answer.message);
            assert!(!answer.message.contains("s3cr3t"), "{}", answer.message);
        }
    }
}
