//! Events of an audit: on policies, in the namespace `default`, and on workloads whose model IDs cannot work or were missed by the
//! webhook.

use bedrock_profiles_engine::in_group;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use super::FinishedAudit;
use super::write_limit::WriteLimiter;
use crate::audit::{PolicyStatus, PolicyStatuses, PolicyTotals, StoredFinding};
use crate::cluster::release::{MANAGED_BY, Manager};
use crate::report::content_hash;
use crate::report::messages;
use crate::report::severity::Severity;

/// The namespace of events on objects without a namespace.
const DEFAULT_NAMESPACE: &str = "default";

/// The maximum number of events on workloads for each audit.
const MAX_EVENTS: usize = 100;

/// The maximum length of a note, in bytes (`noteLengthLimit` in the API server's validation).
const MAX_NOTE: usize = 1024;

/// The maximum length of the object's name within the name of an event.
const MAX_NAME: usize = 200;

/// An event before it has a name and a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EventDraft {
    regarding: ObjectReference,
    is_warning: bool,
    reason: &'static str,
    note: String,
}

/// An event for each policy whose totals changed since its last audit.
pub(super) fn for_policies(audit: &FinishedAudit, statuses: &PolicyStatuses) -> Vec<EventDraft> {
    let mut events = Vec::new();
    for (name, status) in statuses {
        let totals = audit.totals(name);
        if is_changed(&totals, status) {
            let objects = audit.result.counts.objects;
            let note = messages::totals(objects, totals.rewrites(), &totals.unchanged);
            events.push(for_policy(name, status, note));
        }
    }
    events
}

fn is_changed(totals: &PolicyTotals, status: &PolicyStatus) -> bool {
    let Some(last) = &status.last_audit else {
        return true;
    };
    last["findings"] != json!(totals.findings) || last["byReason"] != json!(totals.unchanged)
}

fn for_policy(name: &str, status: &PolicyStatus, note: String) -> EventDraft {
    EventDraft {
        regarding: ObjectReference {
            api_version: Some(in_group!("v1alpha1").to_owned()),
            kind: Some("InferenceProfilePolicy".to_owned()),
            name: Some(name.to_owned()),
            uid: Some(status.uid.clone()),
            ..ObjectReference::default()
        },
        is_warning: false,
        reason: "AuditCompleted",
        note,
    }
}

/// One event for each object with failed findings, which are adjacent.
pub(super) fn for_owners(findings: &[StoredFinding]) -> Vec<EventDraft> {
    let is_failed = |one: &&StoredFinding| one.record.severity() == Severity::Error;
    let failed: Vec<_> = findings.iter().filter(is_failed).collect();
    failed
        .chunk_by(|one, next| one.uid == next.uid)
        .filter_map(for_owner)
        .take(MAX_EVENTS)
        .collect()
}

/// The event for the failed findings of one object: the first finding, and the number of the others.
fn for_owner(findings: &[&StoredFinding]) -> Option<EventDraft> {
    let first = findings.first()?;
    let object = first.record.object.as_ref()?;
    let mut note = messages::finding(&first.record);
    if findings.len() > 1 {
        note = format!("{note} (+{})", findings.len() - 1);
    }
    let is_missed = first.record.reason.is_none() && first.record.note.is_none();
    Some(EventDraft {
        regarding: ObjectReference {
            api_version: Some(object.api_version.clone()),
            kind: Some(object.kind.clone()),
            name: Some(object.name.clone()),
            namespace: Some(object.namespace.clone()),
            uid: Some(first.uid.to_string()),
            ..ObjectReference::default()
        },
        is_warning: true,
        reason: if is_missed {
            "MissedByWebhook"
        } else {
            "ModelUnavailable"
        },
        note,
    })
}

/// Creates events that the API server does not have yet.
pub(super) async fn create_all(
    client: &Client,
    instance: &str,
    events: &[EventDraft],
    now: Timestamp,
    limiter: &mut WriteLimiter,
) {
    for draft in events {
        limiter.wait().await;
        let namespace = draft.namespace();
        let api = Api::<Event>::namespaced(client.clone(), namespace);
        let event = draft.event(instance, now);
        match api.create(&PostParams::default(), &event).await {
            // The same event exists, because its name is derived from its content.
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            outcome => drop(limiter.is_written(outcome, namespace, "Event")),
        }
    }
}

impl EventDraft {
    fn namespace(&self) -> &str {
        let namespace = self.regarding.namespace.as_deref();
        namespace.unwrap_or(DEFAULT_NAMESPACE)
    }

    fn event(&self, instance: &str, now: Timestamp) -> Event {
        let mut note = self.note.clone();
        note.truncate(note.floor_char_boundary(MAX_NOTE));
        let label = "app.kubernetes.io/managed-by".to_owned();
        Event {
            metadata: ObjectMeta {
                name: Some(self.name()),
                namespace: Some(self.namespace().to_owned()),
                labels: Some([(label, MANAGED_BY.to_owned())].into()),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            reporting_controller: Some(Manager::Audit.as_str().to_owned()),
            reporting_instance: Some(instance.to_owned()),
            action: Some("Audit".to_owned()),
            reason: Some(self.reason.to_owned()),
            regarding: Some(self.regarding.clone()),
            type_: Some(if self.is_warning { "Warning" } else { "Normal" }.to_owned()),
            note: Some(note),
            ..Event::default()
        }
    }

    /// A name derived from the content, so that an equal event is stored once.
    fn name(&self) -> String {
        let hash = content_hash(&json!([self.regarding.uid, self.reason, self.note]));
        let mut object = self.regarding.name.clone().unwrap_or_default();
        object.truncate(object.floor_char_boundary(MAX_NAME));
        let object = object.trim_end_matches(['.', '-']);
        format!("{object}.{hash}")
    }
}

#[cfg(test)]
mod tests;
