//! The result of an audit in the status of policies: `lastAudit`, and the condition `AuditIncomplete` after an incomplete audit.

use jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::FinishedAudit;
use crate::api::InferenceProfilePolicy;
use crate::audit::{AUDIT_INCOMPLETE, PolicyStatus, PolicyStatuses};
use crate::cluster::release::Manager;

impl FinishedAudit {
    /// The status of a policy after this audit. An incomplete audit keeps the result of the last complete one.
    fn status(&self, policy: &str, before: &PolicyStatus) -> Value {
        if self.result.is_complete() {
            return json!({"lastAudit": self.last_audit(policy)});
        }
        let mut status = json!({"conditions": [self.incomplete(before)]});
        if let Some(last) = &before.last_audit {
            status["lastAudit"] = last.clone();
        }
        status
    }

    fn last_audit(&self, policy: &str) -> Value {
        let totals = self.totals(policy);
        json!({
            "time": seconds(self.ended), "scanned": self.result.counts.objects,
            "findings": totals.findings, "byReason": totals.unchanged,
        })
    }

    fn incomplete(&self, before: &PolicyStatus) -> Value {
        let lists = self.result.incomplete.iter();
        let lists: Vec<_> = lists.map(ToString::to_string).collect();
        let condition = before.incomplete.as_ref();
        let since = condition
            .filter(|condition| condition["status"] == "True")
            .map(|condition| condition["lastTransitionTime"].clone());
        let message = format!(
            "cannot list {}; status.lastAudit is the last complete audit",
            lists.join(", ")
        );
        json!({
            "type": AUDIT_INCOMPLETE, "status": "True", "reason": "ListFailed", "message": message,
            "lastTransitionTime": since.unwrap_or_else(|| json!(seconds(self.ended))),
        })
    }
}

/// A time in whole seconds, as the API server formats it.
fn seconds(time: Timestamp) -> String {
    let seconds = Timestamp::from_second(time.as_second());
    seconds.unwrap_or(time).to_string()
}

/// Writes the status of every policy. A deleted policy is no error.
pub(super) async fn write(client: &Client, audit: &FinishedAudit, statuses: &PolicyStatuses) {
    let resource = ApiResource::erase::<InferenceProfilePolicy>(&());
    let api = Api::<DynamicObject>::all_with(client.clone(), &resource);
    for (name, before) in statuses {
        let object = json!({
            "apiVersion": resource.api_version, "kind": resource.kind,
            "metadata": {"name": name}, "status": audit.status(name, before),
        });
        let params = PatchParams::apply(Manager::Audit.as_str()).force();
        match api
            .patch_status(name, &params, &Patch::Apply(&object))
            .await
        {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => {
                tracing::warn!(policy = %name, %error, "cannot write the audit result; the next audit retries");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditResult, Counts, IncompleteList, PolicyTotals};
    use crate::cluster::list::ListError;

    fn audit(incomplete: Vec<IncompleteList>) -> FinishedAudit {
        let totals = PolicyTotals {
            findings: 3,
            unchanged: [("NoRegion", 2)].into(),
        };
        let mut result = AuditResult {
            counts: Counts {
                objects: 7,
                ..Counts::default()
            },
            incomplete,
            ..AuditResult::default()
        };
        result.totals.policies.insert("p".to_owned(), totals);
        FinishedAudit {
            result,
            ended: "2026-11-23T10:00:00.5Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_complete_audit_sets_the_totals_and_clears_the_condition() {
        let before = PolicyStatus {
            incomplete: Some(json!({"status": "True"})),
            ..PolicyStatus::default()
        };
        let audit = audit(Vec::new());
        assert_eq!(
            audit.status("p", &before),
            json!({"lastAudit": {"time": "2026-11-23T10:00:00Z", "scanned": 7, "findings": 3, "byReason": {"NoRegion": 2}}})
        );
        assert_eq!(audit.status("other", &before)["lastAudit"]["findings"], 0);
    }

    #[test]
    fn an_incomplete_audit_keeps_the_last_result_and_the_transition_time() {
        let audit = audit(vec![IncompleteList {
            resource: "pods",
            error: ListError::Forbidden.into(),
        }]);
        let last = json!({"time": "then", "findings": 1});
        let mut before = PolicyStatus {
            last_audit: Some(last.clone()),
            ..PolicyStatus::default()
        };
        let first = audit.status("p", &before);
        assert_eq!(first["lastAudit"], last);
        let condition = &first["conditions"][0];
        assert_eq!(condition["lastTransitionTime"], "2026-11-23T10:00:00Z");
        assert!(condition["message"].to_string().contains("pods: forbidden"));
        before.incomplete = Some(json!({"status": "True", "lastTransitionTime": "long ago"}));
        before.last_audit = None;
        let again = audit.status("p", &before);
        assert_eq!(again["conditions"][0]["lastTransitionTime"], "long ago");
        assert_eq!(again.get("lastAudit"), None);
    }
}
