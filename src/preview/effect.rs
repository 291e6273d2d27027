//! What becomes of an ID when its object is created.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::policy::Mode;
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::report::{AdmissionOutcome, FindingRecord, schema, serialize};

/// What becomes of an ID when its object is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionEffect<'r> {
    /// What the webhook does.
    pub outcome: AdmissionOutcome,
    /// Why the ID is not replaced, unless the policy alone is the reason.
    #[serde(serialize_with = "serialize::optional_text")]
    #[schemars(schema_with = "schema::optional_reason")]
    pub reason: Option<Reason>,
    /// The inference profile that replaces the ID, or would but for the policy.
    pub replacement: Option<&'r str>,
    /// The region that the workload calls.
    #[serde(serialize_with = "serialize::optional_text")]
    #[schemars(with = "Option<String>")]
    pub region: Option<Region>,
    /// The regions that the profile may route requests to: names, `*` for any, or null if unknown.
    pub destinations: Option<&'r [String]>,
    /// The name of the policy.
    pub policy: &'r str,
    /// The mode of the policy.
    #[serde(serialize_with = "serialize::text")]
    #[schemars(with = "String")]
    pub mode: Mode,
}

impl<'r> AdmissionEffect<'r> {
    pub(super) fn of(one: &'r FindingRecord) -> Self {
        Self {
            outcome: one.at_admission(),
            reason: one.reason,
            replacement: one.after.as_deref(),
            region: one.region,
            destinations: one.destinations.as_deref(),
            policy: &one.policy,
            mode: one.mode,
        }
    }

    /// Whether the two have the same consequences. The policy is none.
    pub(super) fn has_same_consequences(&self, other: &Self) -> bool {
        self.outcome == other.outcome
            && self.reason == other.reason
            && self.replacement == other.replacement
            && self.region == other.region
            && self.destinations == other.destinations
    }
}
