//! The condition `Ready`, which `kubectl wait`, kstatus and Argo CD read, and `Stalled`: without it, kstatus takes an object
//! that is not ready for one in progress, forever.

use jiff::Timestamp;

use super::{StatusInputs, Stored};
use crate::api::{InferenceProfilePolicy, InferenceProfilePolicyStatus, ResourceKind};
use crate::cluster::release::{CONFIG_MAP_WEBHOOK, POD_UPDATE_WEBHOOK};
use crate::controllers::status::condition::{ConditionType, ConditionUpdate, keep};

const ACTIVE: &str = "Active";
const WEBHOOK_INACTIVE: &str = "WebhookInactive";
const NO_WEBHOOK: &str = "NoWebhook";
const NOT_ACCEPTED: &str = "NotAccepted";

/// Reasons that stay while a new leader has not observed the webhook configurations.
const KEPT: [&str; 3] = [ACTIVE, WEBHOOK_INACTIVE, NO_WEBHOOK];

/// Reasons that do not go away by waiting.
const STALLED: [&str; 2] = [NOT_ACCEPTED, NO_WEBHOOK];

/// `Ready`, and `Stalled` if waiting does not help.
pub(super) fn conditions(ready: ConditionUpdate) -> impl Iterator<Item = ConditionUpdate> {
    let is_stalled = STALLED.contains(&ready.reason);
    let stalled = is_stalled.then(|| ConditionUpdate {
        type_: ConditionType::Stalled,
        status: Some(true),
        ..ready.clone()
    });
    [ready].into_iter().chain(stalled)
}

fn ready(
    status: Option<bool>,
    reason: &'static str,
    message: impl Into<String>,
) -> ConditionUpdate {
    ConditionUpdate {
        type_: ConditionType::Ready,
        status,
        reason,
        message: message.into(),
    }
}

/// The condition of a valid mapping.
pub(super) fn in_use() -> ConditionUpdate {
    ready(Some(true), "InUse", "responses are based on it")
}

/// The condition of an invalid object.
pub(super) fn not_accepted(active: Option<i64>) -> ConditionUpdate {
    let message = format!(
        "the object is invalid, see the condition Accepted; {}",
        fallback(active)
    );
    ready(Some(false), NOT_ACCEPTED, message)
}

/// What is active instead of an invalid object, and the remedy.
pub(super) fn fallback(active: Option<i64>) -> String {
    let remedy = "correct the object and apply it again";
    active.map_or_else(
        || format!("no generation is active: {remedy}"),
        |generation| {
            format!("generation {generation} stays active until the replicas that have read it end: {remedy}")
        },
    )
}

impl StatusInputs<'_> {
    /// Whether the API server calls the webhook for the objects that the policy selects, and since when every input of its
    /// decisions is as it is now. `policy` is `None` if no form of it is active.
    pub(super) fn activity(
        &self,
        policy: Option<&InferenceProfilePolicy>,
        stored: &Stored<InferenceProfilePolicyStatus>,
    ) -> (ConditionUpdate, Option<Timestamp>) {
        let Some(policy) = policy else {
            return (not_accepted(None), None);
        };
        if !self.webhooks.complete {
            let before = keep(&stored.status.conditions, ConditionType::Ready, &KEPT);
            let pending = || {
                ready(
                    None,
                    "Pending",
                    "the webhook configurations have not been read yet",
                )
            };
            let since = stored.status.in_force_since.as_ref().map(|since| since.0);
            return (before.unwrap_or_else(pending), since);
        }
        let needed: Vec<_> = self
            .webhooks
            .by_name
            .iter()
            .filter(|(name, webhook)| webhook.exists && is_needed(policy, name))
            .collect();
        let inactive: Vec<_> = needed
            .iter()
            .filter(|(_, webhook)| !webhook.active)
            .map(|(name, _)| name.as_str())
            .collect();
        if needed.is_empty() {
            let message = "the release has no webhook configuration for the selected resources: enable one in the chart's values";
            return (ready(Some(false), NO_WEBHOOK, message), None);
        }
        if !inactive.is_empty() {
            let message = format!("inactive webhook configurations: {}", inactive.join(", "));
            return (ready(Some(false), WEBHOOK_INACTIVE, message), None);
        }
        let applied_at = needed.iter().filter_map(|(_, webhook)| webhook.applied_at);
        let applied_at = applied_at
            .max()
            .and_then(|at| Timestamp::from_second(at).ok());
        let since = [applied_at, stored.changed_at, self.mappings_changed_at];
        let since = since.into_iter().flatten().max();
        let message = "the API server calls the webhook for the selected objects";
        (ready(Some(true), ACTIVE, message), since)
    }
}

/// Whether a policy that selects these resources needs the webhook configuration: one is for ConfigMaps, one applies no policy, and
/// the others are for Pods and workloads.
fn is_needed(policy: &InferenceProfilePolicy, webhook: &str) -> bool {
    if webhook == POD_UPDATE_WEBHOOK {
        return false;
    }
    let resource = if webhook == CONFIG_MAP_WEBHOOK {
        ResourceKind::ConfigMap
    } else {
        ResourceKind::Pod
    };
    policy.spec.selects.resources.contains(&resource)
}
