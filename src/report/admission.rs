//! What the webhook does about an ID, and the regions that its calls reach.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::judge::JudgedFinding;
use crate::domain::policy::{Mode, Policy};
use crate::domain::reason::Reason;

use super::severity::Severity;
use super::{FindingRecord, RecordContext};

/// What the webhook does about an ID of an object without a controller that is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum AdmissionOutcome {
    /// It replaces the ID.
    Replaced,
    /// It denies the object.
    Denied,
    /// It changes nothing.
    Unchanged,
}

impl AdmissionOutcome {
    pub(super) fn of(judged: &JudgedFinding<'_>, policy: &Policy) -> Self {
        let is_replaced = !judged.report_only && judged.resolution.target().is_some();
        match policy.mode {
            _ if judged.is_deniable(policy) => Self::Denied,
            Mode::Rewrite if is_replaced => Self::Replaced,
            Mode::Rewrite | Mode::DryRun | Mode::Deny => Self::Unchanged,
        }
    }
}

/// The regions that calls of an ID reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataReach {
    /// These: names, or `*` for any. None if the calls fail.
    Regions(BTreeSet<String>),
    /// It is not known.
    Unknown,
}

impl DataReach {
    /// The regions that calls reach under the policy in effect.
    pub fn of(one: &FindingRecord) -> Self {
        match one.at_admission() {
            AdmissionOutcome::Replaced => Self::of_profile(one),
            AdmissionOutcome::Denied => Self::Regions(BTreeSet::new()),
            AdmissionOutcome::Unchanged => Self::of_kept(one),
        }
    }

    /// The regions that calls of the ID as written reach.
    pub fn of_kept(one: &FindingRecord) -> Self {
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
            // The text is no alias or ARN, which a client may send as another ID.
            None if one.direct_id_fails && one.before == one.model_id => {
                Self::Regions(BTreeSet::new())
            }
            // The client sends a profile that another setting determines.
            Some(Reason::PrefixedByTool | Reason::ExplicitProfile) => Self::Unknown,
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

    /// The borders that calls of the finding's ID may cross on the way to these regions: pairs of source and destination
    /// jurisdictions. A direct ID is answered where it is called, and crosses none; a global profile may be answered anywhere.
    /// None if the regions are unknown.
    pub fn borders(&self, one: &FindingRecord) -> BTreeSet<[String; 2]> {
        let (Self::Regions(regions), Some(from)) = (self, one.region) else {
            return BTreeSet::new();
        };
        if regions.contains("*") {
            return BTreeSet::from([[from.jurisdiction().to_string(), "any".to_owned()]]);
        }
        let leaves = regions.iter().any(|to| to != from.as_str());
        one.crosses.iter().filter(|_| leaves).cloned().collect()
    }
}

impl FindingRecord {
    /// Whether a workload calls the ID, as far as it is known.
    pub fn is_called(&self) -> bool {
        !self.model_id.is_empty() && !self.reason.is_some_and(Reason::is_no_call)
    }

    /// What the webhook does about the ID when the object is created. The object of a controller is not denied, since its workload
    /// was. An exemption counts outside of Kubernetes objects alone: the webhook reads neither comments nor the configuration file.
    pub fn at_admission(&self) -> AdmissionOutcome {
        match self.admission {
            _ if self.exempt.is_some() && self.object.is_none() => AdmissionOutcome::Unchanged,
            AdmissionOutcome::Denied if self.seen_in.is_some() => AdmissionOutcome::Unchanged,
            AdmissionOutcome::Replaced | AdmissionOutcome::Denied | AdmissionOutcome::Unchanged => {
                self.admission
            }
        }
    }
}

/// Whether calls of the direct ID of a finding fail in its region, as far as a mapping has a row for it.
pub(super) fn direct_id_fails(judged: &JudgedFinding<'_>, context: RecordContext<'_>) -> bool {
    let catalog = &context.snapshot.catalog;
    let model = catalog.find(&judged.id).map(|at| catalog.model(at));
    let region = judged.region.map(|chosen| chosen.region);
    model
        .zip(region)
        .is_some_and(|(model, region)| model.direct_id_fails(region, context.today))
}
