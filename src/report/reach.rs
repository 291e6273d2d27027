//! The regions that calls of an ID reach.

use std::collections::BTreeSet;

use super::severity::Severity;
use super::{AdmissionOutcome, FindingRecord};

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

impl FindingRecord {
    /// What the webhook does about the ID when the object is created: nothing about one that is exempt, and the object of a controller
    /// is not denied, since its workload was.
    pub fn at_admission(&self) -> AdmissionOutcome {
        match self.admission {
            _ if self.exempt.is_some() => AdmissionOutcome::Unchanged,
            AdmissionOutcome::Denied if self.seen_in.is_some() => AdmissionOutcome::Unchanged,
            AdmissionOutcome::Replaced | AdmissionOutcome::Denied | AdmissionOutcome::Unchanged => {
                self.admission
            }
        }
    }
}
