//! Which profiles the service control policies of an organisation deny.
//!
//! Only their denials are compared: whether another policy on the way from the root of the organisation to the account allows an action
//! is not known from the files.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::catalog::{Catalog, ProfileState};
use crate::domain::id::Geography;
use crate::domain::region::Region;

use super::access::{ACTIONS, AccessRequest, Account, ModelAccess, ProfileRoute};
use super::document::{IamEffect, IamPolicy};
use super::evaluation::PolicyMatch;

/// A policy, and the file that it was read from.
#[derive(Debug, Clone)]
pub struct PolicySource {
    /// The file.
    pub name: String,
    /// The policy.
    pub policy: IamPolicy,
}

/// Profiles of one geography in one source region that fail for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedProfiles {
    /// The region of the call.
    pub source: Region,
    /// The geography.
    pub geography: Geography,
    /// The models.
    pub models: Vec<String>,
    /// The regions in which a request is denied; `unspecified` of a global profile.
    pub regions: Vec<String>,
    /// The statements that deny, as `FILE: SID`.
    pub statements: Vec<String>,
    /// What decides whether they apply, if that is not known: condition keys of the caller. Empty if they do.
    pub depends_on: Vec<String>,
}

/// What the policies of an organisation deny.
#[derive(Debug, Clone, Default)]
pub struct OrganisationCheck {
    /// The profiles that fail, or may fail.
    pub denied: Vec<DeniedProfiles>,
    /// The number of profiles, each in a source region, that the policies do not deny.
    pub permitted: usize,
    /// Profiles whose destinations are unknown, each in a source region, so that nothing is known of them.
    pub unknown: usize,
    /// The regions where no model is denied that some profile routes to.
    pub destinations: BTreeSet<Region>,
    /// Whether no global profile is denied.
    pub permits_global: bool,
}

/// A denial of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Denial {
    regions: BTreeSet<String>,
    statements: BTreeSet<String>,
    depends_on: BTreeSet<String>,
    is_certain: bool,
}

/// Compares every profile that works, in each of its source regions or in those of `sources`, with the policies.
pub fn check_organisation(
    policies: &[PolicySource],
    catalog: &Catalog,
    sources: &[Region],
) -> OrganisationCheck {
    let mut check = OrganisationCheck {
        permits_global: true,
        ..OrganisationCheck::default()
    };
    let mut groups: BTreeMap<(Region, String, Denial), (Geography, Vec<String>)> = BTreeMap::new();
    let (mut reached, mut denied_regions) = (BTreeSet::new(), BTreeSet::new());
    for model in catalog.models() {
        for (source, row) in model.rows() {
            if !sources.is_empty() && !sources.contains(&source) {
                continue;
            }
            let works = |state: ProfileState| state != ProfileState::Retired;
            for route in row.routes().filter(|route| works(route.state)) {
                let Some(to) = ProfileRoute::of(&route.destinations) else {
                    check.unknown += 1;
                    continue;
                };
                if let ProfileRoute::Regions(regions) = &to {
                    reached.extend(regions.iter().copied());
                }
                let id = model.id.as_str();
                let is_global = to == ProfileRoute::Global;
                let access = ModelAccess::profile(&route.geography, id, source, to);
                let Some(denial) = denial(policies, &access) else {
                    check.permitted += 1;
                    continue;
                };
                check.permits_global &= !is_global;
                if !is_global {
                    denied_regions.extend(denial.regions.iter().cloned());
                }
                let key = (source, route.geography.to_string(), denial);
                let group = groups.entry(key);
                let group = group.or_insert_with(|| (route.geography.clone(), Vec::new()));
                group.1.push(id.to_owned());
            }
        }
    }
    reached.retain(|region: &Region| !denied_regions.contains(region.as_str()));
    check.destinations = reached;
    let groups = groups.into_iter();
    check.denied = groups
        .map(
            |((source, _, denial), (geography, models))| DeniedProfiles {
                source,
                geography,
                models,
                regions: denial.regions.into_iter().collect(),
                statements: denial.statements.into_iter().collect(),
                depends_on: if denial.is_certain {
                    Vec::new()
                } else {
                    denial.depends_on.into_iter().collect()
                },
            },
        )
        .collect();
    check
}

/// What denies a call; `None` if nothing does.
fn denial(policies: &[PolicySource], access: &ModelAccess) -> Option<Denial> {
    let mut denial = Denial::default();
    for request in access.requests(Account::Any) {
        for source in policies {
            for (number, statement) in (1..).zip(&source.policy.statement) {
                if statement.effect != IamEffect::Deny {
                    continue;
                }
                for action in ACTIONS {
                    match statement.matched(action, &request) {
                        PolicyMatch::No => continue,
                        PolicyMatch::Yes => denial.is_certain = true,
                        PolicyMatch::Depends(keys) => denial.depends_on.extend(keys),
                    }
                    denial.regions.insert(region_of(&request));
                    let sid = statement.sid.clone();
                    let sid = sid.unwrap_or_else(|| format!("statement {number}"));
                    denial.statements.insert(format!("{}: {sid}", source.name));
                }
            }
        }
    }
    (!denial.regions.is_empty()).then_some(denial)
}

fn region_of(request: &AccessRequest) -> String {
    let region = request.context.get(super::access::REQUESTED_REGION);
    region.cloned().unwrap_or_default()
}
