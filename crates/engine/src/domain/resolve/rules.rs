//! The rules that every target has to pass: consent to cross a border, and residency.

use crate::domain::catalog::{Destinations, Route};
use crate::domain::id::Geography;
use crate::domain::policy::Policy;
use crate::domain::reason::Reason;
use crate::domain::region::{Jurisdiction, Region};

/// Whether the policy permits a profile from `source`. Whether a global one is wanted at all is asked before.
pub fn permits(route: &Route, source: Region, policy: &Policy) -> Result<(), Reason> {
    residency(&route.destinations, policy)?;
    if route.geography.is_global() {
        return Ok(());
    }
    border(&route.destinations, Some(&route.geography), source, policy)
}

/// Whether the policy permits its own override. One that does not say where it routes is the policy's own word, so that only
/// a rule about destinations can refuse it.
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

/// Data residency: `allowedDestinations` binds every target, whatever `allowed` says. Only `*` admits a global profile.
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

/// Consent: without a word from the policy every destination lies in the source's own jurisdiction. A partition is never
/// left, so that unknown destinations outside the commercial one are no question.
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

/// The borders that a request may cross, as pairs of jurisdictions; none where the destinations are not known.
pub fn crossings(destinations: &Destinations, source: Region) -> Vec<(Jurisdiction, Jurisdiction)> {
    foreign(destinations, source)
        .map(|there| (source.jurisdiction(), there))
        .collect()
}

/// The distinct jurisdictions of `destinations`, other than the source's own.
fn foreign(destinations: &Destinations, source: Region) -> impl Iterator<Item = Jurisdiction> + '_ {
    let regions: &[Region] = match destinations {
        Destinations::Known(regions) => regions,
        Destinations::Anywhere | Destinations::Unknown => &[],
    };
    let own = source.jurisdiction();
    let mut seen = Vec::new();
    regions
        .iter()
        .map(Region::jurisdiction)
        .filter(move |there| {
            let new = *there != own && !seen.contains(there);
            if new {
                seen.push(*there);
            }
            new
        })
}
