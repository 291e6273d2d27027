//! The statuses of the custom resources: written by the controllers alone.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the controller found out about a mapping.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InferenceProfileMappingStatus {
    /// `Accepted`: the mapping is valid and in use. `Conflicting`: two geographies remain for one model and region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// How many models the mapping names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<i32>,
    /// How many profiles the mapping names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiles: Option<i32>,
    /// Rows of this mapping that another mapping overrides, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 512)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub overridden: Vec<String>,
    /// The generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// What the controller found out about a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InferenceProfilePolicyStatus {
    /// `Accepted`: the policy is valid and in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// What the last audit found under this policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_audit: Option<LastAudit>,
    /// Since when the policy acts as written, by the API server's clock: its last change, the last of any mapping, or the moment
    /// when the API server began to ask, whichever came last. Absent while it does not act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_since: Option<Time>,
    /// The generation of the object that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// The sums of one audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastAudit {
    /// When the audit ended.
    pub time: Time,
    /// How many objects were read.
    pub scanned: i64,
    /// How many model IDs were found.
    pub findings: i64,
    /// How many of them were left alone, by reason.
    #[serde(default)]
    pub by_reason: BTreeMap<String, i64>,
}
