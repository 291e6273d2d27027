//! The routes of data: from the region that is called to the regions that may answer.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::region::Region;
use crate::report::{AdmissionOutcome, DataReach, FindingRecord};

/// Calls from one region to the same regions, for the same reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DataRoute {
    pub(super) from: Region,
    /// The ID that is sent: a profile, or a direct ID.
    pub(super) id: String,
    /// The regions that may answer: names, or `*` for any; `None` if they are unknown.
    pub(super) to: Option<BTreeSet<String>>,
    /// The borders that may be crossed.
    pub(super) borders: BTreeSet<[String; 2]>,
    /// Who permits it.
    pub(super) consent: Consent,
    /// The objects or files, with the number of IDs of each.
    pub(super) users: BTreeMap<String, usize>,
}

/// Who permits that data crosses a border.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Consent {
    /// Nothing is crossed.
    NotNeeded,
    /// A field of a policy.
    Policy { name: String, field: &'static str },
    /// The author of the object, who has written the profile.
    Author,
}

impl DataRoute {
    /// The routes of calls under the policies in effect. Those that cross a border are first. An ID whose calls fail, or whose region
    /// is unknown, has none.
    pub(super) fn of_all(findings: &[FindingRecord]) -> Vec<Self> {
        let mut routes: BTreeMap<_, Self> = BTreeMap::new();
        for one in findings
            .iter()
            .filter(|one| !one.preview && one.is_called())
        {
            let Some(from) = one.region else { continue };
            let reach = DataReach::of(one);
            let borders = reach.borders(one);
            let to = match reach {
                DataReach::Regions(regions) if regions.is_empty() => continue,
                DataReach::Regions(regions) => Some(regions),
                DataReach::Unknown => None,
            };
            let is_replaced = one.at_admission() == AdmissionOutcome::Replaced;
            let id = match &one.after {
                Some(after) if is_replaced => after,
                _ => &one.before,
            };
            let consent = match one.consent {
                // Regions that are not known may be behind a border.
                _ if borders.is_empty() && to.is_some() => Consent::NotNeeded,
                Some(field) if is_replaced => Consent::Policy {
                    name: one.policy.clone(),
                    field,
                },
                _ => Consent::Author,
            };
            let key = (borders.is_empty(), from, id, to.clone(), consent.clone());
            let route = routes.entry(key).or_insert_with(|| Self {
                from,
                id: id.clone(),
                to,
                borders,
                consent,
                users: BTreeMap::new(),
            });
            *route.users.entry(one.place()).or_default() += 1;
        }
        routes.into_values().collect()
    }

    pub(super) fn crosses(&self) -> bool {
        !self.borders.is_empty()
    }

    /// The number of IDs.
    pub(super) fn ids(&self) -> usize {
        self.users.values().sum()
    }
}
