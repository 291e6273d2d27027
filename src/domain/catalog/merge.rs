//! Merging, row by row: for one (model, source region, geography), one (model, region) of the direct ID and each lifecycle
//! field, the row of the highest priority wins.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::super::id::{Geography, ModelId};
use super::super::region::Region;
use super::nearest::Families;
use super::{
    Catalog, Conflict, DirectRow, Knowledge, Lifecycle, LifecycleState, MappedLifecycle,
    MappedModel, MappedRoute, Mapping, MappingIx, Model, ModelIx, Route, Row,
};

impl Catalog {
    /// Merges `mappings` row by row: the highest priority wins, then the name's ascending order.
    pub fn merge(mut mappings: Vec<Mapping>) -> (Self, Vec<Conflict>) {
        mappings.sort_by(|a, b| {
            b.priority
                .cmp(&a.priority)
                .then_with(|| a.name.cmp(&b.name))
        });
        let mut drafts: BTreeMap<ModelId, Draft> = BTreeMap::new();
        for (at, mapping) in (0..).map(MappingIx).zip(&mappings) {
            for model in &mapping.models {
                drafts
                    .entry(model.id.clone())
                    .or_insert_with(|| Draft::new(at))
                    .take(at, model);
            }
        }
        let mut conflicts = Vec::new();
        let names: Box<[_]> = mappings
            .iter()
            .map(|m| (m.name.clone(), m.catalog_date))
            .collect();
        let models: Box<[Model]> = drafts
            .into_iter()
            .map(|(id, draft)| draft.finish(id, &names, &mut conflicts))
            .collect();
        let ids: HashMap<Box<str>, ModelIx> = models
            .iter()
            .zip(0..)
            .map(|(model, at)| (model.id.as_str().into(), ModelIx(at)))
            .collect();
        let families = Families::of(&models);
        let aliases = by_alias(&models, |name| ids.contains_key(name));
        let scanned = mappings
            .iter()
            .flat_map(|m| m.scanned.iter().copied())
            .collect();
        (
            Self {
                models,
                ids,
                aliases,
                families,
                mappings: names,
                scanned,
            },
            conflicts,
        )
    }
}

/// The models by their other names; the first to say a name has it, and what is a model's ID is no other name.
fn by_alias(models: &[Model], is_an_id: impl Fn(&str) -> bool) -> HashMap<Box<str>, ModelIx> {
    let mut in_order: Vec<(&Model, ModelIx)> = models.iter().zip((0..).map(ModelIx)).collect();
    in_order.sort_by_key(|(model, at)| (model.mapping, *at));
    let mut found = HashMap::new();
    for (model, at) in in_order {
        for alias in model.aliases.iter().filter(|alias| !is_an_id(alias)) {
            found.entry(alias.clone()).or_insert(at);
        }
    }
    found
}

/// A model while its rows are merged.
struct Draft {
    mapping: MappingIx,
    aliases: Vec<Box<str>>,
    lifecycle: MappedLifecycle,
    direct: BTreeMap<Region, (DirectRow, MappingIx)>,
    /// `None` withdraws the row.
    routes: BTreeMap<(Region, Geography), Option<Route>>,
    unverified: bool,
    mantle_only: bool,
}

impl Draft {
    fn new(mapping: MappingIx) -> Self {
        Self {
            mapping,
            aliases: Vec::new(),
            lifecycle: MappedLifecycle::default(),
            direct: BTreeMap::new(),
            routes: BTreeMap::new(),
            unverified: false,
            mantle_only: false,
        }
    }

    /// Takes the rows of the next mapping in order: what is there already has the higher priority and stays.
    fn take(&mut self, at: MappingIx, model: &MappedModel) {
        // Destructured whole, so that a new field cannot be forgotten here.
        let MappedModel {
            id: _,
            aliases,
            direct,
            lifecycle,
            routes,
            unverified,
            mantle_only,
        } = model;
        for alias in aliases {
            if !self.aliases.contains(alias) {
                self.aliases.push(alias.clone());
            }
        }
        for (region, row) in direct {
            self.direct.entry(*region).or_insert((*row, at));
        }
        let MappedLifecycle {
            state,
            end_of_life,
            successor,
        } = lifecycle;
        self.lifecycle.state = self.lifecycle.state.or(*state);
        self.lifecycle.end_of_life = self
            .lifecycle
            .end_of_life
            .take()
            .or_else(|| end_of_life.clone());
        self.lifecycle.successor = self
            .lifecycle
            .successor
            .take()
            .or_else(|| successor.clone());
        for route in routes {
            self.routes
                .entry((route.source, route.geography.clone()))
                .or_insert_with(|| (!route.absent).then(|| Route::of(route, at)));
        }
        self.unverified |= unverified;
        self.mantle_only |= mantle_only;
    }

    fn finish(
        self,
        id: ModelId,
        names: &[(Box<str>, Option<Date>)],
        conflicts: &mut Vec<Conflict>,
    ) -> Model {
        let mut rows: BTreeMap<Region, Row> = BTreeMap::new();
        for (region, direct) in self.direct {
            if direct.0 != DirectRow::Never {
                rows.entry(region).or_default().direct = Some(direct);
            }
        }
        for ((region, _), route) in self.routes {
            let Some(route) = route else { continue };
            let row = rows.entry(region).or_default();
            let slot = if route.geography.is_global() {
                &mut row.global
            } else {
                &mut row.geographic
            };
            let Some(dropped) = keep_first(slot, route) else {
                continue;
            };
            let kept = slot.as_ref().map_or_else(
                || dropped.geography.clone(),
                |route| route.geography.clone(),
            );
            let mapping = names[dropped.mapping.0 as usize].0.clone();
            conflicts.push(Conflict {
                mapping,
                model: id.clone(),
                region,
                kept,
                dropped: dropped.geography,
            });
        }
        let has_profiles = rows.values().any(|row| row.routes().next().is_some());
        let knowledge = match (has_profiles, self.mantle_only, self.unverified) {
            (true, ..) => Knowledge::HasProfiles,
            (false, true, _) => Knowledge::MantleOnly,
            (false, false, true) => Knowledge::Unverified,
            (false, false, false) => Knowledge::NeverHadProfile,
        };
        let lifecycle = Lifecycle {
            state: self.lifecycle.state.unwrap_or(LifecycleState::Active),
            end_of_life: self.lifecycle.end_of_life.unwrap_or_default(),
            successor: self.lifecycle.successor,
        };
        Model {
            id,
            aliases: self.aliases.into(),
            knowledge,
            lifecycle,
            mapping: self.mapping,
            rows,
        }
    }
}

/// Puts `route` into `slot` if its mapping stands before the one that is there; returns the one that had to go.
fn keep_first(slot: &mut Option<Route>, route: Route) -> Option<Route> {
    match slot {
        None => {
            *slot = Some(route);
            None
        }
        Some(there) if route.mapping < there.mapping => Some(std::mem::replace(there, route)),
        Some(_) => Some(route),
    }
}

impl Route {
    fn of(mapped: &MappedRoute, mapping: MappingIx) -> Self {
        Self {
            geography: mapped.geography.clone(),
            destinations: mapped.destinations.clone(),
            state: mapped.state,
            confidence: mapped.confidence,
            mapping,
        }
    }
}
