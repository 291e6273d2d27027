//! Events of an audit: on policies, in the namespace `default`, and on the workloads that cannot work or were not caught.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};

use super::standing::Statuses;
use super::status::Outcome;
use super::writes::Pace;
use crate::cluster::release::{MANAGED_BY, Manager};
use crate::report::grade::Grade;
use crate::report::openreports::message;
use crate::scan::cluster::{Kept, PolicySums};

/// Where events on objects without a namespace live.
const DEFAULT: &str = "default";

/// How many events an audit makes on workloads at most.
const MOST: usize = 100;

/// How long a note may be, in bytes (`noteLengthLimit` in the API server's validation).
const LONGEST_NOTE: usize = 1024;

/// How long the part of a name may be that is the object's.
const LONGEST_NAME: usize = 200;

/// What is said of one object.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    regarding: ObjectReference,
    warning: bool,
    reason: &'static str,
    note: String,
}

/// Says of each policy what is other than at its last audit.
pub(super) async fn on_policies(
    client: &Client,
    instance: &str,
    outcome: Outcome<'_>,
    statuses: &Statuses,
    pace: &mut Pace,
) {
    for said in of_policies(outcome, statuses) {
        create(client, instance, DEFAULT, &said, outcome.ended, pace).await;
    }
}

/// Says of each workload what fails, once as long as the event is kept.
pub(super) async fn on_owners(
    client: &Client,
    instance: &str,
    found: &[Kept],
    now: Timestamp,
    pace: &mut Pace,
) {
    for said in of_owners(found).into_iter().take(MOST) {
        let namespace = said.regarding.namespace.clone().unwrap_or_default();
        create(client, instance, &namespace, &said, now, pace).await;
    }
}

fn of_policies(outcome: Outcome<'_>, statuses: &Statuses) -> Vec<Said> {
    let none = PolicySums::default();
    let of_policy = |name: &str, uid: &str, last: Option<&serde_json::Value>| {
        let sums = outcome.sums.policies.get(name).unwrap_or(&none);
        let before = last.map(|last| (&last["findings"], &last["byReason"]));
        let now = (
            serde_json::json!(sums.findings),
            serde_json::json!(sums.left),
        );
        (before != Some((&now.0, &now.1))).then(|| Said {
            regarding: ObjectReference {
                api_version: Some("bedrock-profiles.dev/v1alpha1".to_owned()),
                kind: Some("InferenceProfilePolicy".to_owned()),
                name: Some(name.to_owned()),
                uid: Some(uid.to_owned()),
                ..ObjectReference::default()
            },
            warning: false,
            reason: "Audited",
            note: summary(sums, outcome.counts.objects),
        })
    };
    let all = statuses.iter();
    all.filter_map(|(name, status)| of_policy(name, &status.uid, status.last_audit.as_ref()))
        .collect()
}

/// As `12 model IDs in 4000 objects: 7 to rewrite, 5 left (5 NoRegion)`.
fn summary(sums: &PolicySums, objects: usize) -> String {
    let left: usize = sums.left.values().sum();
    let (findings, rewrite) = (sums.findings, sums.findings - left);
    let mut note =
        format!("{findings} model IDs in {objects} objects: {rewrite} to rewrite, {left} left");
    if left > 0 {
        let reasons = sums.left.iter();
        let reasons: Vec<_> = reasons
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        note = format!("{note} ({})", reasons.join(", "));
    }
    note
}

/// One for each object with something that fails; findings of one object stand side by side.
fn of_owners(found: &[Kept]) -> Vec<Said> {
    let mut all: Vec<(Said, usize)> = Vec::new();
    let fails = |kept: &&Kept| kept.record.grade() == Some(Grade::Fail) && !kept.record.shadow;
    for kept in found.iter().filter(fails) {
        let Some(object) = &kept.record.object else {
            continue;
        };
        match all.last_mut() {
            Some((said, more)) if said.regarding.uid.as_deref() == Some(&*kept.uid) => *more += 1,
            _ => {
                let regarding = ObjectReference {
                    api_version: Some(object.api_version.clone()),
                    kind: Some(object.kind.clone()),
                    name: Some(object.name.clone()),
                    namespace: Some(object.namespace.clone()),
                    uid: Some(kept.uid.to_string()),
                    ..ObjectReference::default()
                };
                let missed = kept.record.reason.is_none() && kept.record.note.is_none();
                let said = Said {
                    regarding,
                    warning: true,
                    reason: if missed { "NotCaught" } else { "CannotWork" },
                    note: message(&kept.record),
                };
                all.push((said, 0));
            }
        }
    }
    let counted = all.into_iter().map(|(mut said, more)| {
        if more > 0 {
            said.note = format!("{} (+{more})", said.note);
        }
        said
    });
    counted.collect()
}

async fn create(
    client: &Client,
    instance: &str,
    namespace: &str,
    said: &Said,
    now: Timestamp,
    pace: &mut Pace,
) {
    pace.wait().await;
    let event = event(instance, namespace, said, now);
    let api = Api::<Event>::namespaced(client.clone(), namespace);
    match api.create(&PostParams::default(), &event).await {
        // It has been said, and is kept still.
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        done => drop(pace.told(done, namespace, "event")),
    }
}

fn event(instance: &str, namespace: &str, said: &Said, now: Timestamp) -> Event {
    let mut note = said.note.clone();
    note.truncate(note.floor_char_boundary(LONGEST_NOTE));
    Event {
        metadata: ObjectMeta {
            name: Some(name(said)),
            namespace: Some(namespace.to_owned()),
            labels: Some(
                [(
                    "app.kubernetes.io/managed-by".to_owned(),
                    MANAGED_BY.to_owned(),
                )]
                .into(),
            ),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime(now)),
        reporting_controller: Some(Manager::Audit.as_str().to_owned()),
        reporting_instance: Some(instance.to_owned()),
        action: Some("Audit".to_owned()),
        reason: Some(said.reason.to_owned()),
        regarding: Some(said.regarding.clone()),
        type_: Some(if said.warning { "Warning" } else { "Normal" }.to_owned()),
        note: Some(note),
        ..Event::default()
    }
}

/// A name that the same saying gets again, so that it is kept once.
fn name(said: &Said) -> String {
    let mut hasher = DefaultHasher::new();
    (&said.regarding.uid, said.reason, &said.note).hash(&mut hasher);
    let mut object = said.regarding.name.clone().unwrap_or_default();
    object.truncate(object.floor_char_boundary(LONGEST_NAME));
    format!(
        "{}.{:016x}",
        object.trim_end_matches(['.', '-']),
        hasher.finish()
    )
}

#[cfg(test)]
mod tests;
