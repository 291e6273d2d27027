//! What becomes of an ID when its object is created, and which regions its calls reach.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::policy::Mode;
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::report::severity::Severity;
use crate::report::{AdmissionOutcome, FindingRecord, schema, serialize};

/// What becomes of an ID when its object is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionEffect<'r> {
    /// What the webhook does.
    pub action: EffectAction,
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

/// What the webhook does about an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum EffectAction {
    /// It replaces the ID.
    Replace,
    /// It denies the object.
    Deny,
    /// It changes nothing.
    Keep,
}

/// The regions that calls of an ID reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DataReach {
    /// These: names, or `*` for any.
    Regions(BTreeSet<String>),
    /// It is not known.
    Unknown,
}

impl<'r> AdmissionEffect<'r> {
    pub(super) fn of(one: &'r FindingRecord) -> Self {
        Self {
            action: action(one),
            reason: one.reason,
            replacement: one.after.as_deref(),
            region: one.region,
            destinations: one.destinations.as_deref(),
            policy: &one.policy,
            mode: one.mode,
        }
    }

    /// Whether the two have the same consequences. The name of the policy is none.
    pub(super) fn has_same_consequences(&self, other: &Self) -> bool {
        let consequences = |one: &Self| {
            (
                one.action,
                one.reason,
                one.region,
                one.replacement.map(str::to_owned),
                one.destinations.map(<[String]>::to_vec),
            )
        };
        consequences(self) == consequences(other)
    }
}

fn action(one: &FindingRecord) -> EffectAction {
    match one.admission {
        _ if one.exempt.is_some() => EffectAction::Keep,
        AdmissionOutcome::Replaced => EffectAction::Replace,
        // The object of a controller is not denied: its workload was.
        AdmissionOutcome::Denied if one.seen_in.is_none() => EffectAction::Deny,
        AdmissionOutcome::Denied | AdmissionOutcome::Unchanged => EffectAction::Keep,
    }
}

impl DataReach {
    /// The regions that calls reach under the policy in effect.
    pub(super) fn of(one: &FindingRecord) -> Self {
        match action(one) {
            EffectAction::Replace => Self::of_profile(one),
            EffectAction::Deny => Self::Regions(BTreeSet::new()),
            EffectAction::Keep => Self::of_kept(one),
        }
    }

    /// The regions that calls of the ID as written reach.
    pub(super) fn of_kept(one: &FindingRecord) -> Self {
        let is_profile = one
            .before
            .find(&one.model_id)
            .is_some_and(|at| one.before[..at].ends_with('.'));
        match one.reason {
            _ if one.model_id.is_empty() => Self::Unknown,
            // The call fails.
            Some(reason) if reason.is_unresolved() || Severity::of(reason) == Severity::Error => {
                Self::Regions(BTreeSet::new())
            }
            // The destinations of the finding are those of its replacement.
            None if is_profile => Self::Unknown,
            _ if is_profile => Self::of_profile(one),
            // A direct ID is answered in the region that is called.
            _ => one.region.map_or(Self::Unknown, |region| {
                Self::Regions(BTreeSet::from([region.to_string()]))
            }),
        }
    }

    fn of_profile(one: &FindingRecord) -> Self {
        one.destinations.as_ref().map_or(Self::Unknown, |regions| {
            Self::Regions(regions.iter().cloned().collect())
        })
    }
}
