//! Why a finding is not rewritten, in few words and with what to do about it.

use crate::domain::catalog::{Destinations, Route};
use crate::domain::judge::JudgedFinding;
use crate::domain::policy::Policy;
use crate::domain::reason::Reason;
use crate::domain::region::{Jurisdiction, Region};
use crate::domain::resolve::crossings;

/// Why `one` is not rewritten, with its region, profile or policy field, in fewer words if `brief`. `general` is the text
/// of [`ReasonWarning::Unresolved`](crate::domain::reason::ReasonWarning), which names nothing of the finding.
pub(super) fn warning_text(
    one: &JudgedFinding<'_>,
    (reason, general): (Reason, &str),
    policy: &Policy,
    brief: bool,
) -> String {
    let region = one.region.map(|chosen| chosen.region);
    let route = one.evidence.route.as_ref();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every reason has a general text"
    )]
    let specific = match (reason, region) {
        (Reason::OnlyGlobalServes, Some(region)) if !brief => Some(format!(
            "only the global profile serves {region}; geography.global is Never"
        )),
        (Reason::NothingServes, Some(region)) => {
            Some(format!("no inference profile serves {region}"))
        }
        (Reason::GeographyNotAllowed, Some(region)) => {
            route.map(|route| crossing(route, region, brief))
        }
        (Reason::DestinationNotAllowed, _) => route
            .and_then(|route| disallowed_destination(route, policy))
            .map(|to| format!("its profile may route to {to}")),
        (Reason::ReplacementNotServed, Some(region)) => {
            Some(format!("its replacement is not served in {region}"))
        }
        (Reason::RegionUnknown, Some(region)) => Some(format!("no mapping covers it in {region}")),
        (Reason::ProfileNotServed, Some(region)) => {
            Some(format!("this profile does not serve {region}"))
        }
        _ => None,
    };
    specific.unwrap_or_else(|| general.to_owned())
}

/// Which jurisdictions the profile of `route` connects, and the policy field that allows it.
fn crossing(route: &Route, region: Region, brief: bool) -> String {
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
    let (geography, from) = (&route.geography, name(&region.jurisdiction()));
    if brief {
        let to = destinations.join(",");
        format!("{geography}. routes {from} to {to}; allowed: [{geography}]")
    } else {
        let to = destinations.join(", ");
        format!(
            "{geography}. routes from {from} to {to}; to allow this: geography.allowed: [{geography}]"
        )
    }
}

/// One of the destinations that the policy does not allow.
fn disallowed_destination(route: &Route, policy: &Policy) -> Option<String> {
    let Destinations::Known(regions) = &route.destinations else {
        return Some("any region".to_owned());
    };
    regions
        .iter()
        .find(|region| !policy.allowed_destinations.matches(region.as_str()))
        .map(ToString::to_string)
}
