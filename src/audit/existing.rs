//! What the cluster already has that an audit depends on: the status of each policy, and the webhook configurations.

use std::collections::BTreeMap;

use bedrock_profiles_engine::in_group;
use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use kube::api::{DynamicObject, ListParams};
use kube::{Api, Client, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::coverage::{Coverage, Reach};
use crate::cluster::list::{ListError, ListRequest, Pager};
use crate::cluster::rbac::{MUTATING, VALIDATING};

/// The path of the list of policies.
const POLICIES: &str = concat!("/apis/", in_group!("v1alpha1/inferenceprofilepolicies"));

/// The condition of a policy whose last audit could not read every list.
pub const AUDIT_INCOMPLETE: &str = "AuditIncomplete";

/// The fields of a policy's status that an audit reads or writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyStatus {
    /// UID of the policy.
    pub uid: String,
    /// When the policy took effect.
    pub ready_since: Option<Timestamp>,
    /// `status.lastAudit`.
    pub last_audit: Option<Value>,
    /// The condition [`AUDIT_INCOMPLETE`].
    pub incomplete: Option<Value>,
}

/// The status of every policy, by name.
pub type PolicyStatuses = BTreeMap<Box<str>, PolicyStatus>;

impl PolicyStatus {
    /// When the last audit ended.
    pub fn audited(&self) -> Option<Timestamp> {
        self.last_audit
            .as_ref()
            .and_then(|last| time(&last["time"]))
    }

    /// Reads the status alone: the policy may have a spec of another version.
    fn of(policy: &DynamicObject) -> Self {
        let status = &policy.data["status"];
        let mut conditions = status["conditions"].as_array().into_iter().flatten();
        Self {
            uid: policy.uid().unwrap_or_default(),
            ready_since: time(&status["inForceSince"]),
            last_audit: status
                .get("lastAudit")
                .filter(|last| last.is_object())
                .cloned(),
            incomplete: conditions
                .find(|one| one["type"] == AUDIT_INCOMPLETE)
                .cloned(),
        }
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Lists the current status of every policy.
pub async fn list_policy_statuses(pager: &Pager) -> Result<PolicyStatuses, ListError> {
    let list = ListRequest {
        path: POLICIES.to_owned(),
        ..ListRequest::default()
    };
    let policies = pager.collect::<DynamicObject>(&list).await?;
    let statuses = policies.iter();
    Ok(statuses
        .map(|policy| (policy.name_any().into(), PolicyStatus::of(policy)))
        .collect())
}

/// Reads which writes the API server must have sent to the webhook. A webhook configuration that cannot be read covers nothing.
pub async fn read_coverage(client: &Client, statuses: &PolicyStatuses) -> Coverage {
    let ready_since = statuses
        .iter()
        .filter_map(|(name, status)| Some((name.clone(), status.ready_since?)));
    let mut coverage = Coverage {
        ready_since: ready_since.collect(),
        ..Coverage::default()
    };
    for found in named::<MutatingWebhookConfiguration>(client, MUTATING).await {
        let webhooks = found.webhooks.iter().flatten();
        coverage
            .mutating
            .extend(webhooks.filter_map(Reach::of_mutating));
    }
    for found in named::<ValidatingWebhookConfiguration>(client, VALIDATING).await {
        let webhooks = found.webhooks.iter().flatten();
        coverage
            .validating
            .extend(webhooks.filter_map(Reach::of_validating));
    }
    coverage
}

/// The objects of these names. Lists one at a time, because the permission to list is limited to the names.
async fn named<K>(client: &Client, names: &[&str]) -> Vec<K>
where
    K: kube::Resource<Scope = k8s_openapi::ClusterResourceScope, DynamicType = ()>
        + DeserializeOwned
        + Clone
        + std::fmt::Debug,
{
    let api = Api::<K>::all(client.clone());
    let mut found = Vec::new();
    for name in names {
        let only = ListParams::default().fields(&format!("metadata.name={name}"));
        found.extend(api.list(&only).await.into_iter().flatten());
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(item: Value) -> PolicyStatus {
        PolicyStatus::of(&serde_json::from_value(item).unwrap())
    }

    #[test]
    fn the_status_of_a_policy_is_read_whatever_its_spec() {
        let status_of_p = status(
            json!({"metadata": {"name": "p", "uid": "u"}, "spec": {"unknown": "field"}, "status": {
            "inForceSince": "2026-11-20T10:00:00Z", "lastAudit": {"time": "2026-11-21T10:00:00Z", "scanned": 3},
            "conditions": [{"type": "Accepted"}, {"type": AUDIT_INCOMPLETE, "status": "True"}]}}),
        );
        assert_eq!(status_of_p.uid, "u");
        let ready_since = "2026-11-20T10:00:00Z".parse().ok();
        assert_eq!(status_of_p.ready_since, ready_since);
        assert_eq!(status_of_p.audited(), "2026-11-21T10:00:00Z".parse().ok());
        assert_eq!(status_of_p.incomplete.unwrap()["status"], "True");
        let bare = status(json!({"metadata": {"name": "q"}}));
        assert_eq!((bare.audited(), bare.ready_since), (None, None));
    }
}
