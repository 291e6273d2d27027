//! Why a finding is not rewritten, in few words and with what to do about it.

use crate::domain::catalog::{Destinations, Route};
use crate::domain::judge::JudgedFinding;
use crate::domain::policy::Policy;
use crate::domain::reason::Reason;
use crate::domain::region::{Jurisdiction, Region};
use crate::domain::resolve::crossings;

/// Why `one` is not rewritten, with its region, profile or policy field, in fewer words if `brief`. `None` for a reason
/// whose name is enough.
pub(super) fn explain(
    one: &JudgedFinding<'_>,
    reason: Reason,
    policy: &Policy,
    brief: bool,
) -> Option<String> {
    let region = one.region.map(|(region, _)| region);
    let route = one.evidence.route.as_ref();
    let here = region
        .map(|region| format!(" {region}"))
        .unwrap_or_default();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the names of all others are enough"
    )]
    let text = match reason {
        Reason::OnlyGlobalServes if brief => {
            "only a global profile serves (geography.global)".to_owned()
        }
        Reason::OnlyGlobalServes => {
            format!("only the global profile serves{here}; geography.global is Never")
        }
        Reason::NothingServes => format!("no inference profile serves{here}"),
        Reason::GeographyNotAllowed => crossing(route?, region?, brief),
        Reason::DestinationNotAllowed => {
            match route.and_then(|route| disallowed_destination(route, policy)) {
                Some(to) => format!("its profile may route to {to}"),
                None => "its profile may route to a region that is not allowed".to_owned(),
            }
        }
        Reason::DestinationsUnknown => "the destinations of its profile are unknown".to_owned(),
        Reason::ReplacementNotServed => format!("its replacement is not served in{here}"),
        Reason::NoRegion => "no region is set".to_owned(),
        Reason::RegionOutOfSight => "its region cannot be read here".to_owned(),
        Reason::RegionConflict => "two region settings differ".to_owned(),
        Reason::NotARegion => "its region is not an AWS region".to_owned(),
        Reason::RegionUnknown => format!("no mapping covers it in{here}"),
        Reason::UnknownModel => "no mapping lists this model".to_owned(),
        Reason::Unverified => "its profiles are not verified yet".to_owned(),
        Reason::NeverExisted => "no profile with this prefix is known".to_owned(),
        Reason::DoublePrefix => "it has two prefixes".to_owned(),
        Reason::ProfileNotServed => format!("this profile does not serve{here}"),
        Reason::InArn => "an ARN is never edited".to_owned(),
        Reason::PercentEncoded => "percent-encoded text is never edited".to_owned(),
        Reason::OverrideNeedsWholeValue => {
            "the override is an ARN, which replaces whole values only".to_owned()
        }
        _ => return None,
    };
    Some(text)
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
