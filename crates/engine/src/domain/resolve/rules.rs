//! The rules for targets: data residency, and consent to route to another jurisdiction.

use crate::domain::catalog::{Destinations, Route};
use crate::domain::id::Geography;
use crate::domain::policy::Policy;
use crate::domain::reason::Reason;
use crate::domain::region::{Jurisdiction, Region};

/// Checks whether the policy permits a profile from `source`. The caller has checked whether the policy uses global
/// profiles.
pub fn permits(route: &Route, source: Region, policy: &Policy) -> Result<(), Reason> {
    residency(&route.destinations, policy)?;
    if route.geography.is_global() {
        return Ok(());
    }
    border(&route.destinations, Some(&route.geography), source, policy)
}

/// Checks whether the policy permits the target of its override. An override without destinations is consent by itself, so
/// only `allowedDestinations` can exclude it.
pub(super) fn permits_override(
    destinations: &Destinations,
    consent: Option<&Geography>,
    source: Region,
    policy: &Policy,
) -> Result<(), Reason> {
    residency(destinations, policy)?;
    match destinations {
        Destinations::Known(_) => border(destinations, consent, source, policy),
        Destinations::Anywhere | Destinations::Unknown => Ok(()),
    }
}

/// Data residency: `allowedDestinations` applies to every target, even of an allowed geography. Only `*` permits a global
/// profile.
fn residency(destinations: &Destinations, policy: &Policy) -> Result<(), Reason> {
    let rule = &policy.allowed_destinations;
    if rule.is_empty() {
        return Ok(());
    }
    match destinations {
        Destinations::Known(regions)
            if regions.iter().all(|region| rule.matches(region.as_str())) =>
        {
            Ok(())
        }
        Destinations::Anywhere if rule.admit_everything() => Ok(()),
        Destinations::Known(_) | Destinations::Anywhere => Err(Reason::DestinationNotAllowed),
        Destinations::Unknown => Err(Reason::DestinationsUnknown),
    }
}

/// Consent: every destination is in the source's jurisdiction, unless the policy allows the geography. Profiles do not leave
/// their partition, so unknown destinations are permitted outside the commercial partition.
fn border(
    destinations: &Destinations,
    geography: Option<&Geography>,
    source: Region,
    policy: &Policy,
) -> Result<(), Reason> {
    if geography.is_some_and(|geography| policy.allowed.contains(geography)) {
        return Ok(());
    }
    match destinations {
        Destinations::Known(_) if foreign(destinations, source).next().is_none() => Ok(()),
        Destinations::Unknown if !source.is_commercial() => Ok(()),
        Destinations::Known(_) | Destinations::Anywhere => Err(Reason::GeographyNotAllowed),
        Destinations::Unknown => Err(Reason::DestinationsUnknown),
    }
}

/// The jurisdictions that a request may cross from and to; empty if the destinations are unknown.
pub fn crossings(destinations: &Destinations, source: Region) -> Vec<(Jurisdiction, Jurisdiction)> {
    foreign(destinations, source)
        .map(|jurisdiction| (source.jurisdiction(), jurisdiction))
        .collect()
}

/// The distinct jurisdictions of `destinations` other than the source's.
fn foreign(destinations: &Destinations, source: Region) -> impl Iterator<Item = Jurisdiction> + '_ {
    let regions: &[Region] = match destinations {
        Destinations::Known(regions) => regions,
        Destinations::Anywhere | Destinations::Unknown => &[],
    };
    let own = source.jurisdiction();
    let mut known = Vec::new();
    regions
        .iter()
        .map(Region::jurisdiction)
        .filter(move |jurisdiction| {
            let new = *jurisdiction != own && !known.contains(jurisdiction);
            if new {
                known.push(*jurisdiction);
            }
            new
        })
}
