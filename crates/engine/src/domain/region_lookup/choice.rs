//! The choice of a region among the settings around an ID, by claim, then by distance.

use std::collections::BTreeMap;

use super::scope::{OwnName, RegionScope, RegionSetting, ScopeKind};
use crate::domain::name_words::NameWords;
use crate::domain::policy::Policy;
use crate::domain::region::{Region, RegionReading, RegionSource};
use crate::domain::region_names::{Claim, RegionRanks};
use crate::text::NodeId;

/// A region source that is set, with its region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionAnswer {
    /// The source.
    pub source: RegionSource,
    /// The region that it sets.
    pub found: RegionReading,
    /// The names of the settings that set it; empty for annotations, the policy and the cluster.
    pub names: Vec<NamedRegion>,
}

/// The name of a setting, with its region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRegion {
    /// The name.
    pub name: Box<str>,
    /// The region.
    pub region: Region,
}

/// The region of an ID.
#[derive(Debug, Clone, Default)]
pub struct RegionChoice {
    /// The strongest source that is set.
    pub answer: Option<RegionAnswer>,
    /// The regions that give no answer, but are a conflict if they would change it.
    pub others: Vec<NamedRegion>,
    /// The answer if the regions are in conflict: the object's annotation.
    pub in_conflict: Option<RegionAnswer>,
}

impl RegionChoice {
    /// Replaces each region by the one that `targets` has for it.
    pub fn replace_regions(&mut self, targets: &BTreeMap<Region, Region>) {
        if targets.is_empty() {
            return;
        }
        let replace = |region: &mut Region| {
            if let Some(target) = targets.get(region) {
                *region = *target;
            }
        };
        for answer in self.answer.iter_mut().chain(&mut self.in_conflict) {
            match &mut answer.found {
                RegionReading::Region(region) => replace(region),
                RegionReading::Conflict(one, other) => {
                    replace(one);
                    replace(other);
                }
                RegionReading::OutOfSight | RegionReading::NotARegion(_) => {}
            }
            for one in &mut answer.names {
                replace(&mut one.region);
            }
        }
        for one in &mut self.others {
            replace(&mut one.region);
        }
    }
}

/// A scope at its place around an ID.
#[derive(Clone, Copy)]
pub(super) struct PlacedScope<'a> {
    pub(super) scope: &'a RegionScope,
    /// The branch of the scope that has the ID.
    pub(super) own_branch: Option<NodeId>,
    /// The source that the scope is reported as.
    pub(super) source: RegionSource,
    /// Whether the scope is the entry of the ID: its command, or its mapping.
    pub(super) is_entry: bool,
}

/// A setting with its claim and its distance.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) claim: Claim,
    /// The place of the name among the policy's names.
    extra: usize,
    pub(super) distance: usize,
    pub(super) source: RegionSource,
    is_entry: bool,
    pub(super) setting: &'a RegionSetting,
}

/// The order of candidates, the strongest first: the claim, the place among the policy's names, the distance.
pub(super) type CandidateOrder = (Claim, usize, usize);

/// The maximum number of other regions that are compared.
const MOST_OTHERS: usize = 64;

/// The settings of all scopes with their claims, the nearest scope first.
pub(super) fn candidates<'a>(
    scopes: &'a [PlacedScope<'a>],
    own: &'a OwnName,
    policy: &'a Policy,
    ranks: RegionRanks,
) -> Vec<Candidate<'a>> {
    let mut all = Vec::new();
    if scopes.iter().all(|place| place.scope.settings.is_empty()) {
        return all;
    }
    let words = NameWords::of(&own.path);
    for (distance, place) in scopes.iter().enumerate() {
        let own = (own, &words);
        let scope: &'a RegionScope = place.scope;
        let claims = scope.claims(own, place.own_branch, (policy, ranks));
        all.extend(claims.map(|(claim, setting)| {
            let extra = policy.extra_env_names.iter();
            let extra = extra.take_while(|name| **name != setting.name).count();
            Candidate {
                claim,
                extra: if claim == Claim::Extra { extra } else { 0 },
                distance,
                source: place.source,
                is_entry: place.is_entry,
                setting,
            }
        }));
    }
    all
}

/// The order of the strongest candidates that `fits` accepts; `None` if none of them gives an answer.
pub(super) fn best(
    candidates: &[Candidate<'_>],
    fits: impl Fn(&Candidate<'_>) -> bool,
) -> Option<CandidateOrder> {
    let fitting = candidates.iter().filter(|one| fits(one));
    let answering = fitting.filter(|one| one.claim != Claim::Other);
    answering.map(Candidate::order).min()
}

/// The strongest answer of the candidates that `fits` accepts: of the strongest claim, the nearest scope.
pub(super) fn strongest(
    candidates: &[Candidate<'_>],
    fits: impl Fn(&Candidate<'_>) -> bool,
) -> Option<RegionAnswer> {
    let best = best(candidates, &fits)?;
    let fitting = || candidates.iter().filter(|one| fits(one));
    let best = || fitting().filter(|one| one.order() == best);
    let found = combined(best().map(|one| one.setting.reading))?;
    Some(RegionAnswer {
        source: best().map(|one| one.source).min()?,
        found,
        names: best().filter_map(named).collect(),
    })
}

/// The regions of the candidates that `fits` accepts which give no answer, each region once.
pub(super) fn others(
    candidates: &[Candidate<'_>],
    fits: impl Fn(&Candidate<'_>) -> bool,
) -> Vec<NamedRegion> {
    let mut others: Vec<NamedRegion> = Vec::new();
    let fitting = candidates
        .iter()
        .filter(|one| one.claim == Claim::Other && fits(one));
    for other in fitting.filter_map(named) {
        if others.len() < MOST_OTHERS && others.iter().all(|one| one.region != other.region) {
            others.push(other);
        }
    }
    others
}

/// Whether the setting is one of the entry of the ID.
pub(super) fn is_of_entry(candidate: &Candidate<'_>) -> bool {
    candidate.is_entry
}

impl Candidate<'_> {
    pub(super) const fn order(&self) -> CandidateOrder {
        (self.claim, self.extra, self.distance)
    }

    pub(super) fn is_from(&self, source: RegionSource) -> bool {
        self.source == source
    }
}

impl RegionAnswer {
    /// The answer of a source without names.
    pub(super) fn of_source(source: RegionSource, found: RegionReading) -> Self {
        Self {
            source,
            found,
            names: Vec::new(),
        }
    }
}

impl ScopeKind {
    /// The source that a scope of this kind is reported as; `is_first` if no mapping is nearer to the ID.
    pub(super) const fn source(self, is_first: bool) -> RegionSource {
        match self {
            Self::Command => RegionSource::Beside,
            Self::Mapping if is_first => RegionSource::Beside,
            Self::Variables if is_first => RegionSource::ContainerEnv,
            Self::Mapping | Self::Variables | Self::OtherDocument => RegionSource::Document,
            Self::Data => RegionSource::ConfigMapKey,
        }
    }
}

fn named(candidate: &Candidate<'_>) -> Option<NamedRegion> {
    Some(NamedRegion {
        name: candidate.setting.name.clone(),
        region: candidate.setting.region()?,
    })
}

/// Combines the regions of settings of the same rank and distance: an unreadable value takes precedence, and two regions are a
/// conflict.
fn combined(mut all: impl Iterator<Item = RegionReading>) -> Option<RegionReading> {
    let mut combined = all.next()?;
    for other in all {
        combined = match (combined, other) {
            (RegionReading::OutOfSight, _) | (_, RegionReading::OutOfSight) => {
                RegionReading::OutOfSight
            }
            (text @ RegionReading::NotARegion(_), _) | (_, text @ RegionReading::NotARegion(_)) => {
                text
            }
            (RegionReading::Region(a), RegionReading::Region(b)) if a != b => {
                RegionReading::Conflict(a, b)
            }
            (same, _) => same,
        };
    }
    Some(combined)
}
