//! Every region around an ID, for an explanation. An evaluation chooses one without this list.

use std::collections::BTreeSet;

use super::choice::{Candidate, best, is_of_entry};
use super::{RegionContext, RegionQuery};
use crate::domain::region::{RegionReading, RegionSource};
use crate::domain::region_names::Claim;

/// A region that is in sight of an ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionInSight {
    /// The source.
    pub source: RegionSource,
    /// The name of the setting; `None` for the value itself, an annotation, the policy and the cluster.
    pub name: Option<Box<str>>,
    /// What the name claims, which is its rank; `None` without a name.
    pub claim: Option<Claim>,
    /// The number of scopes with settings of regions that are nearer to the ID; `None` without a name.
    pub distance: Option<usize>,
    /// The region, or why there is none.
    pub reading: RegionReading,
    /// Whether it ends the search for the region. Several settings of one rank and distance end it together.
    pub decides: bool,
}

/// The sources without names, the strongest first, but for the value itself.
const UNNAMED: [RegionSource; 5] = [
    RegionSource::ObjectAnnotation,
    RegionSource::NamespaceAnnotation,
    RegionSource::PolicyDefault,
    RegionSource::Cluster,
    RegionSource::Assumed,
];

impl<'t> RegionContext<'t> {
    /// Every region that is in sight of a place: the named ones in the order of their distance, then the others by precedence. The
    /// first one that decides is the one of [`choose_region`](Self::choose_region).
    pub fn regions_in_sight(&self, place: RegionQuery<'_, 't>) -> Vec<RegionInSight> {
        let in_value = place.in_value.map(RegionReading::Region);
        let mut all: Vec<_> = in_value
            .map(|found| RegionInSight::unnamed(RegionSource::InValue, found))
            .into_iter()
            .collect();
        self.with_candidates(place, |candidates| {
            let of_entry = best(candidates, is_of_entry);
            let is_free = in_value.is_none() && of_entry.is_none() && self.annotation.is_none();
            let of_all = is_free.then(|| best(candidates, |_| true)).flatten();
            let decides = |one: &Candidate<'_>| {
                let order = Some(one.order());
                let ends = (order == of_entry && is_of_entry(one)) || order == of_all;
                ends && in_value.is_none() && one.claim != Claim::Other
            };
            // Scopes without such settings are in no list.
            let scopes: BTreeSet<_> = candidates.iter().map(|one| one.distance).collect();
            let nearer = |distance| scopes.iter().filter(|scope| **scope < distance).count();
            all.extend(candidates.iter().map(|one| RegionInSight {
                source: one.source,
                name: Some(one.setting.name.clone()),
                claim: Some(one.claim),
                distance: Some(nearer(one.distance)),
                reading: one.setting.reading,
                decides: decides(one),
            }));
        });
        let unnamed = UNNAMED.into_iter().filter_map(|source| {
            let found = self.read_source(source, place)?;
            Some(RegionInSight::unnamed(source, found))
        });
        all.extend(unnamed);
        if all.iter().all(|one| !one.decides) {
            self.mark_unnamed(place, &mut all);
        }
        all
    }

    /// Marks the strongest source without a name. The ID of another process than that of the container has a region of its own, which
    /// is out of sight.
    fn mark_unnamed(&self, place: RegionQuery<'_, 't>, all: &mut Vec<RegionInSight>) {
        let answer = self.choose_region(place).answer;
        let Some(answer) = answer else { return };
        let is_it = |one: &&mut RegionInSight| one.name.is_none() && one.source == answer.source;
        match all.iter_mut().find(is_it) {
            Some(one) => one.decides = true,
            None => all.push(RegionInSight {
                decides: true,
                ..RegionInSight::unnamed(answer.source, answer.found)
            }),
        }
    }
}

impl RegionInSight {
    const fn unnamed(source: RegionSource, reading: RegionReading) -> Self {
        Self {
            source,
            name: None,
            claim: None,
            distance: None,
            reading,
            decides: false,
        }
    }
}
