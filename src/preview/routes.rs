//! The regions that the data of a namespace reaches, before and after a change.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::region::Region;
use crate::report::{DataReach, FindingRecord};

use super::compare::Pair;

/// A namespace whose calls of a model reach other regions than now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteChange {
    /// The namespace; the file, for what is in no object.
    pub namespace: String,
    /// The direct ID of the model.
    pub model_id: String,
    /// The regions that would be called.
    pub from: Vec<String>,
    /// The regions that data reaches only after the change: names, or `*` for any.
    pub added: Vec<String>,
    /// The regions that data reaches only now: names, or `*` for any.
    pub removed: Vec<String>,
    /// Pairs of source and destination jurisdictions that a request may cross only after the change.
    pub new_crossings: Vec<[String; 2]>,
    /// Whether not all regions are known that data would reach.
    pub is_incomplete: bool,
    /// Whether all regions are known that data reaches now, and not all after the change.
    #[serde(skip)]
    pub is_newly_incomplete: bool,
}

/// What is known of the calls of a model in a namespace.
#[derive(Default)]
struct Calls {
    from: BTreeSet<Region>,
    now: ReachedRegions,
    planned: ReachedRegions,
}

#[derive(Default)]
struct ReachedRegions {
    regions: BTreeSet<String>,
    crossings: BTreeSet<[String; 2]>,
    is_incomplete: bool,
}

/// The namespaces and models whose reached regions differ.
pub(super) fn route_changes(pairs: &[Pair<'_>]) -> Vec<RouteChange> {
    let mut all: BTreeMap<(String, &str), Calls> = BTreeMap::new();
    for pair in pairs {
        let Some(one) = pair.record().filter(|one| one.is_called()) else {
            continue;
        };
        let calls = all.entry((namespace(one), &one.model_id)).or_default();
        calls.from.extend(pair.planned.and_then(|one| one.region));
        // Where no policy selects an object, its ID stays as it is.
        let kept = |other: Option<&FindingRecord>| other.map(DataReach::of_kept);
        let now = pair.now.map(DataReach::of).or_else(|| kept(pair.planned));
        let planned = pair.planned.map(DataReach::of).or_else(|| kept(pair.now));
        calls.now.add(now, pair.now.unwrap_or(one));
        calls.planned.add(planned, one);
    }
    let changes = all.into_iter().filter_map(|((namespace, model), calls)| {
        let Calls { from, now, planned } = calls;
        let is_newly_incomplete = planned.is_incomplete && !now.is_incomplete;
        let change = RouteChange {
            namespace,
            model_id: model.to_owned(),
            from: from.iter().map(ToString::to_string).collect(),
            added: planned.without(&now),
            // A region that is not known may be one of these.
            removed: if is_newly_incomplete {
                Vec::new()
            } else {
                now.without(&planned)
            },
            new_crossings: planned
                .crossings
                .difference(&now.crossings)
                .cloned()
                .collect(),
            is_incomplete: planned.is_incomplete,
            is_newly_incomplete,
        };
        let is_change = !change.added.is_empty()
            || !change.removed.is_empty()
            || !change.new_crossings.is_empty()
            || change.is_newly_incomplete;
        is_change.then_some(change)
    });
    changes.collect()
}

fn namespace(one: &FindingRecord) -> String {
    match &one.object {
        Some(object) if !object.namespace.is_empty() => object.namespace.clone(),
        _ => one.place(),
    }
}

impl ReachedRegions {
    fn add(&mut self, reach: Option<DataReach>, record: &FindingRecord) {
        if let Some(reach) = &reach {
            self.crossings.extend(reach.borders(record));
        }
        match reach {
            Some(DataReach::Regions(regions)) => self.regions.extend(regions),
            Some(DataReach::Unknown) => self.is_incomplete = true,
            None => {}
        }
    }

    /// The regions that `other` lacks: none if that has any region, and `*` alone if these are any.
    fn without(&self, other: &Self) -> Vec<String> {
        if other.regions.contains("*") {
            return Vec::new();
        }
        if self.regions.contains("*") {
            return vec!["*".to_owned()];
        }
        let regions = self.regions.difference(&other.regions);
        regions.cloned().collect()
    }
}
