//! Why a finding is left, in the fewest words that say what to do.

use crate::domain::catalog::{Destinations, Route};
use crate::domain::judge::Judged;
use crate::domain::policy::Policy;
use crate::domain::reason::Reason;
use crate::domain::region::{Jurisdiction, Region};
use crate::domain::resolve::crossings;

/// Why a finding is left, in the fewest words that say what to do; `None` where the reason's name says it all.
pub(super) fn explain(
    one: &Judged<'_>,
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
        reason = "the names of all others say it"
    )]
    let text = match reason {
        Reason::OnlyGlobalServes if brief => format!("only global. serves{here}"),
        Reason::OnlyGlobalServes => format!("only global. serves{here} (geography.global)"),
        Reason::NothingServes => format!("no profile serves{here}"),
        Reason::GeographyNotAllowed => crossing(route?, region?, brief),
        Reason::DestinationNotAllowed => {
            match route.and_then(|route| refused_destination(route, policy)) {
                Some(to) => format!("its profile may route to {to}"),
                None => "its profile may route elsewhere than allowed".to_owned(),
            }
        }
        Reason::DestinationsUnknown => "where its profile routes is unknown".to_owned(),
        Reason::ReplacementNotServed => format!("its replacement is not served in{here}"),
        Reason::NoRegion => "no region is set".to_owned(),
        Reason::RegionOutOfSight => "its region cannot be read here".to_owned(),
        Reason::RegionConflict => "two region settings differ".to_owned(),
        Reason::NotARegion => "its region is no AWS region".to_owned(),
        Reason::RegionUnknown => format!("nothing is known of it in{here}"),
        Reason::UnknownModel => "unknown to every mapping".to_owned(),
        Reason::Unverified => "its profiles are not verified yet".to_owned(),
        Reason::NeverExisted => "no profile with this prefix is known".to_owned(),
        Reason::DoublePrefix => "two prefixes".to_owned(),
        Reason::ProfileNotServed => format!("this profile does not serve{here}"),
        Reason::InArn => "it stands in an ARN, which is never edited".to_owned(),
        Reason::PercentEncoded => "percent-encoded IDs are left".to_owned(),
        Reason::OverrideNeedsWholeValue => {
            "the override is an ARN and needs a whole value".to_owned()
        }
        _ => return None,
    };
    Some(text)
}

/// Which border is crossed, and the one word that consents to it.
fn crossing(route: &Route, region: Region, brief: bool) -> String {
    let name = |there: &Jurisdiction| {
        if brief {
            there.to_string()
        } else {
            there.name().to_owned()
        }
    };
    let crossed: Vec<_> = crossings(&route.destinations, region)
        .iter()
        .map(|(_, to)| name(to))
        .collect();
    let (from, to, word) = (
        name(&region.jurisdiction()),
        crossed.join(if brief { "," } else { ", " }),
        &route.geography,
    );
    let field = if brief {
        "allowed"
    } else {
        "geography.allowed"
    };
    format!("{word}. leaves {from} for {to}; {field}: [{word}]")
}

/// A destination that the policy refuses, to have something to name.
fn refused_destination(route: &Route, policy: &Policy) -> Option<String> {
    let Destinations::Known(regions) = &route.destinations else {
        return Some("any region".to_owned());
    };
    regions
        .iter()
        .find(|region| !policy.allowed_destinations.matches(region.as_str()))
        .map(ToString::to_string)
}
