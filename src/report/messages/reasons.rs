//! Why an ID is not rewritten, with what to do about it.

use crate::domain::annotations;
use crate::domain::catalog::{Destinations, Route};
use crate::domain::judge::{JudgedFinding, ReasonDetail};
use crate::domain::policy::Policy;
use crate::domain::reason::Reason;
use crate::domain::region::{Jurisdiction, NearestRegions, Region};
use crate::domain::region_lookup::NamedRegion;
use crate::domain::resolve::{Evidence, crossings};
use crate::domain::snapshot::Snapshot;

/// The maximum number of settings that a message lists.
const MAX_SETTINGS: usize = 3;

/// An ID that is not rewritten, for an explanation.
#[derive(Clone, Copy)]
pub struct Unchanged<'a> {
    /// The reason.
    pub reason: Reason,
    /// The region that the workload calls, if known.
    pub region: Option<Region>,
    /// The catalog rows that the result is based on.
    pub evidence: &'a Evidence,
    /// The settings that are in conflict, or that give no region.
    pub settings: &'a [NamedRegion],
    /// What the explanation names besides the reason.
    pub detail: Option<&'a ReasonDetail<'a>>,
    /// The policy of the result.
    pub policy: &'a Policy,
    /// The snapshot of the result.
    pub snapshot: &'a Snapshot,
}

impl<'a> Unchanged<'a> {
    /// A finding that is unchanged for `reason`.
    pub(super) fn of(
        one: &'a JudgedFinding<'_>,
        reason: Reason,
        policy: &'a Policy,
        snapshot: &'a Snapshot,
    ) -> Self {
        Self {
            reason,
            region: one.region.map(|chosen| chosen.region),
            evidence: &one.evidence,
            settings: &one.region_settings,
            detail: one.detail.as_ref(),
            policy,
            snapshot,
        }
    }

    /// Why the ID is not rewritten, with its region, profile or policy field, or else the description of the reason.
    pub fn message(&self) -> String {
        let specific = match self.detail {
            Some(detail) => Some(detail.to_string()),
            None => self.specific(false),
        };
        specific.unwrap_or_else(|| self.reason.description().to_owned())
    }

    /// The same for a reason that a field of the policy can change.
    pub fn what_to_change(&self) -> Option<String> {
        let by_policy = matches!(
            self.reason,
            Reason::OnlyGlobalServes
                | Reason::GeographyNotAllowed
                | Reason::DestinationNotAllowed
                | Reason::NotIncluded
        );
        by_policy.then(|| self.specific(false)).flatten()
    }

    /// The text of a warning, in fewer words if `brief`. `general` is the text of
    /// [`ReasonWarning::Unresolved`](crate::domain::reason::ReasonWarning), which names nothing of the finding.
    pub(super) fn warning_text(&self, general: &str, brief: bool) -> String {
        self.specific(brief).unwrap_or_else(|| general.to_owned())
    }

    /// Why the ID is not rewritten, with its region, profile, annotation or policy field, in fewer words if `brief`. `None` for a
    /// reason that depends on nothing of these.
    fn specific(&self, brief: bool) -> Option<String> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "every reason has a general text"
        )]
        match (self.reason, self.region) {
            (Reason::OnlyGlobalServes, _) if brief => {
                Some("only a global profile serves; geography.global: Fallback".to_owned())
            }
            (Reason::OnlyGlobalServes, Some(region)) => {
                let profile = self.profile();
                let profile = profile.as_deref().unwrap_or("a global profile");
                Some(format!(
                    "only {profile} serves {region}; to use it: geography.global: Fallback"
                ))
            }
            (Reason::NothingServes, Some(region)) => {
                Some(format!("no inference profile serves {region}"))
            }
            (Reason::GeographyNotAllowed, Some(region)) => self.crossing(region, brief),
            (Reason::DestinationNotAllowed, _) => self.destination(brief),
            (Reason::ReplacementNotServed, Some(region)) => {
                Some(format!("its replacement is not served in {region}"))
            }
            (Reason::NotIncluded, _) => Some(format!(
                "policy {} does not include the model; to replace it, add it to models.include",
                self.policy.name
            )),
            (Reason::RegionUnknown, Some(region)) => Some(unknown(region, brief)),
            (Reason::NotARegion, _) => match self.detail? {
                ReasonDetail::Misspelled(nearest) if brief => {
                    Some(format!("no AWS region; {nearest}"))
                }
                detail => Some(detail.to_string()),
            },
            (Reason::ProfileNotServed, Some(region)) => {
                Some(format!("this profile does not serve {region}"))
            }
            (Reason::NoRegion, _) if brief => {
                let cause = match self.settings {
                    [setting, ..] => format!("{} is not used", setting.name),
                    [] => "no region is set".to_owned(),
                };
                Some(format!("{cause}; set {}", annotations::REGION))
            }
            (Reason::NoRegion, _) => Some(format!(
                "no region is set{}: set AWS_REGION, or annotate {}",
                self.unused_settings(),
                annotations::REGION
            )),
            (Reason::RegionConflict, _) => Some(self.conflict(brief)),
            _ => None,
        }
    }

    /// Which region settings are in conflict.
    fn conflict(&self, brief: bool) -> String {
        match self.detail {
            Some(detail @ ReasonDetail::HelmConflict(_)) => detail.to_string(),
            _ if brief => format!("regions differ; set {}", annotations::REGION),
            _ => format!(
                "two region settings differ{}; the annotation {} decides",
                self.named_settings(),
                annotations::REGION
            ),
        }
    }

    /// A region to which the profile may route and the policy does not allow.
    fn destination(&self, brief: bool) -> Option<String> {
        let destination = self.disallowed_destination()?;
        Some(if brief {
            format!("its profile may route to {destination}")
        } else {
            format!(
                "its profile may route to {destination}, which geography.allowedDestinations does not allow"
            )
        })
    }

    /// The settings that give no region, because their names are those of many things.
    fn unused_settings(&self) -> String {
        match self.settings {
            [] => String::new(),
            settings => format!(", and {} is not used", listed(settings)),
        }
    }

    /// The settings that are in conflict, in parentheses.
    fn named_settings(&self) -> String {
        match self.settings {
            [] => String::new(),
            settings => format!(" ({})", listed(settings)),
        }
    }

    /// The profile that the policy does not permit.
    pub(super) fn profile(&self) -> Option<String> {
        let route = self.evidence.route.as_ref()?;
        let model = &self.snapshot.catalog.model(self.evidence.model?).id;
        Some(format!("{}.{model}", route.geography))
    }

    /// Which jurisdictions the profile connects, and the line of the policy that permits it.
    fn crossing(&self, region: Region, brief: bool) -> Option<String> {
        let route = self.evidence.route.as_ref()?;
        let name = |jurisdiction: &Jurisdiction| {
            if brief {
                jurisdiction.to_string()
            } else {
                jurisdiction.name().to_owned()
            }
        };
        let destinations: Vec<_> = crossings(&route.destinations, region)
            .iter()
            .map(|(_, to)| name(to))
            .collect();
        // The override of the policy is what crosses, and not the profile of the model.
        if destinations.is_empty() {
            return None;
        }
        let from = name(&region.jurisdiction());
        let allowed = self.allowed_with(route);
        Some(if brief {
            let (geography, to) = (&route.geography, destinations.join(","));
            format!("{geography}. routes {from} to {to}; geography.allowed: [{allowed}]")
        } else {
            let profile = self
                .profile()
                .unwrap_or_else(|| route.geography.to_string());
            let to = destinations.join(", ");
            format!(
                "{profile} routes from {from} to {to}; to use it: geography.allowed: [{allowed}]"
            )
        })
    }

    /// The geographies that the policy allows, and that of `route`.
    fn allowed_with(&self, route: &Route) -> String {
        let all = self.policy.allowed.iter().chain([&route.geography]);
        let names: Vec<_> = all.map(ToString::to_string).collect();
        names.join(", ")
    }

    /// One of the destinations that the policy does not allow.
    fn disallowed_destination(&self) -> Option<String> {
        let route = self.evidence.route.as_ref()?;
        let Destinations::Known(regions) = &route.destinations else {
            return Some("any region".to_owned());
        };
        regions
            .iter()
            .find(|region| !self.policy.allowed_destinations.matches(region.as_str()))
            .map(ToString::to_string)
    }
}

/// A region that no mapping covers, with the regions nearest to it if the region itself is unknown.
fn unknown(region: Region, brief: bool) -> String {
    let nearest = match region.jurisdiction() {
        Jurisdiction::Unlisted(region) => NearestRegions::of(region.as_str()),
        Jurisdiction::Listed(_) => NearestRegions::default(),
    };
    match (nearest.is_empty(), brief) {
        (true, _) => format!("no mapping covers it in {region}"),
        (false, true) => format!("{region} is unknown; {nearest}"),
        (false, false) => format!("no mapping covers it in {region}; {nearest}"),
    }
}

/// The first settings with their regions: `REGION=eu-west-1`.
fn listed(settings: &[NamedRegion]) -> String {
    let first = settings.iter().take(MAX_SETTINGS);
    let first: Vec<_> = first
        .map(|one| format!("{}={}", one.name, one.region))
        .collect();
    first.join(", ")
}
