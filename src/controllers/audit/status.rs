//! What the status of a policy says of audits: `lastAudit`, and the condition `AuditIncomplete` where one had gaps.

use jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::pass::Unread;
use super::standing::{INCOMPLETE, PolicyStatus, Statuses};
use crate::api::InferenceProfilePolicy;
use crate::cluster::release::Manager;
use crate::scan::cluster::{Counts, PolicySums, Sums};

/// What an audit came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome<'a> {
    /// What was read.
    pub(super) counts: Counts,
    /// What was found.
    pub(super) sums: &'a Sums,
    /// What was not read.
    pub(super) unread: &'a [Unread],
    /// When it ended.
    pub(super) ended: Timestamp,
}

impl Outcome<'_> {
    /// Whether everything was read.
    pub(super) fn is_complete(&self) -> bool {
        self.unread.is_empty()
    }

    /// The status of a policy after this audit: the last audit stays that of a complete one.
    fn status(&self, name: &str, before: &PolicyStatus) -> Value {
        if self.is_complete() {
            let none = PolicySums::default();
            let sums = self.sums.policies.get(name).unwrap_or(&none);
            return json!({"lastAudit": last_audit(self, sums)});
        }
        let mut status = json!({"conditions": [self.incomplete(before)]});
        if let Some(last) = &before.last_audit {
            status["lastAudit"] = last.clone();
        }
        status
    }

    fn incomplete(&self, before: &PolicyStatus) -> Value {
        let gaps: Vec<_> = self.unread.iter().map(ToString::to_string).collect();
        let stood = before.incomplete.as_ref();
        let since = stood
            .filter(|condition| condition["status"] == "True")
            .map(|condition| condition["lastTransitionTime"].clone());
        let message = format!(
            "cannot list {}; the last complete audit stands",
            gaps.join(", ")
        );
        json!({
            "type": INCOMPLETE, "status": "True", "reason": "ListsHaveGaps", "message": message,
            "lastTransitionTime": since.unwrap_or_else(|| json!(seconds(self.ended))),
        })
    }
}

fn last_audit(outcome: &Outcome<'_>, sums: &PolicySums) -> Value {
    json!({
        "time": seconds(outcome.ended), "scanned": outcome.counts.objects,
        "findings": sums.findings, "byReason": sums.left,
    })
}

/// As the API server writes times.
fn seconds(time: Timestamp) -> String {
    let seconds = Timestamp::from_second(time.as_second());
    seconds.unwrap_or(time).to_string()
}

/// Writes the status of every policy. One that is gone is no error.
pub(super) async fn write(client: &Client, outcome: Outcome<'_>, statuses: &Statuses) {
    let resource = ApiResource::erase::<InferenceProfilePolicy>(&());
    let api = Api::<DynamicObject>::all_with(client.clone(), &resource);
    for (name, before) in statuses {
        let object = json!({
            "apiVersion": resource.api_version, "kind": resource.kind,
            "metadata": {"name": name}, "status": outcome.status(name, before),
        });
        let params = PatchParams::apply(Manager::Audit.as_str()).force();
        match api
            .patch_status(name, &params, &Patch::Apply(&object))
            .await
        {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => {
                tracing::warn!(policy = %name, %error, "cannot write what the audit found; the next one does");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cluster::list::Gap;

    fn sums() -> Sums {
        let sums = PolicySums {
            findings: 3,
            left: BTreeMap::from([("NoRegion", 2)]),
        };
        Sums {
            policies: BTreeMap::from([("p".to_owned(), sums)]),
            ..Sums::default()
        }
    }

    fn outcome<'a>(sums: &'a Sums, unread: &'a [Unread]) -> Outcome<'a> {
        Outcome {
            counts: Counts {
                objects: 7,
                unread: 0,
            },
            sums,
            unread,
            ended: "2026-11-23T10:00:00.5Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_complete_audit_says_what_it_found_and_takes_the_condition_away() {
        let sums = sums();
        let before = PolicyStatus {
            incomplete: Some(json!({"status": "True"})),
            ..PolicyStatus::default()
        };
        let outcome = outcome(&sums, &[]);
        assert_eq!(
            outcome.status("p", &before),
            json!({"lastAudit": {"time": "2026-11-23T10:00:00Z", "scanned": 7, "findings": 3, "byReason": {"NoRegion": 2}}})
        );
        assert_eq!(outcome.status("other", &before)["lastAudit"]["findings"], 0);
    }

    #[test]
    fn an_incomplete_audit_keeps_the_last_one_and_since_when_it_is_so() {
        let sums = sums();
        let unread = [Unread {
            resource: "pods",
            gap: Gap::Forbidden,
        }];
        let last = json!({"time": "then", "findings": 1});
        let mut before = PolicyStatus {
            last_audit: Some(last.clone()),
            ..PolicyStatus::default()
        };
        let first = outcome(&sums, &unread).status("p", &before);
        assert_eq!(first["lastAudit"], last);
        let condition = &first["conditions"][0];
        assert_eq!(condition["lastTransitionTime"], "2026-11-23T10:00:00Z");
        assert!(condition["message"].to_string().contains("pods: forbidden"));
        before.incomplete = Some(json!({"status": "True", "lastTransitionTime": "long ago"}));
        before.last_audit = None;
        let again = outcome(&sums, &unread).status("p", &before);
        assert_eq!(again["conditions"][0]["lastTransitionTime"], "long ago");
        assert_eq!(again.get("lastAudit"), None);
    }
}
