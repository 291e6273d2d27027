//! The merge of mappings, row by row. For each profile (model, source region, geography), each direct ID (model, region) and
//! each lifecycle field, the row of the highest priority wins.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::nearest::Families;
use super::{
    Catalog, Conflict, DirectRow, EndOfLife, Knowledge, Lifecycle, LifecycleState, MappedLifecycle,
    MappedModel, MappedRoute, Mapping, MappingIx, Model, ModelIx, Overridden, Route, Row, RowName,
};
use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

impl Catalog {
    /// Merges `mappings` row by row: the highest priority wins, then the first name in ascending order.
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
                    .add(at, model);
            }
        }
        let mut report = MergeReport::default();
        let names: Box<[_]> = mappings
            .iter()
            .map(|m| (m.name.clone(), m.catalog_date))
            .collect();
        let models: Box<[Model]> = drafts
            .into_iter()
            .map(|(id, draft)| draft.finish(id, &names, &mut report))
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
                overridden: report.overridden.into(),
            },
            report.conflicts,
        )
    }
}

/// Conflicts and rows without effect that were found during a merge.
#[derive(Default)]
struct MergeReport {
    conflicts: Vec<Conflict>,
    overridden: Vec<Overridden>,
}

/// The value that is used, with its mapping.
type Stated<T> = Option<(T, MappingIx)>;

/// The models by alias. The first mapping that defines an alias wins; an alias that is a model ID is ignored.
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
    state: Stated<LifecycleState>,
    end_of_life: Stated<Box<[EndOfLife]>>,
    successor: Stated<ModelId>,
    direct: BTreeMap<Region, Stated<DirectRow>>,
    /// The value of a route is `None` if the route is withdrawn.
    routes: BTreeMap<(Region, Geography), Stated<Option<MappedRoute>>>,
    unverified: bool,
    mantle_only: bool,
    lost: Vec<ShadowedRow>,
}

/// A row without effect: the mapping that has it, and the one that takes precedence.
struct ShadowedRow {
    row: RowName,
    mapping: MappingIx,
    by: MappingIx,
}

impl Draft {
    fn new(mapping: MappingIx) -> Self {
        Self {
            mapping,
            aliases: Vec::new(),
            state: None,
            end_of_life: None,
            successor: None,
            direct: BTreeMap::new(),
            routes: BTreeMap::new(),
            unverified: false,
            mantle_only: false,
            lost: Vec::new(),
        }
    }

    /// Adds the rows of the next mapping in order. Rows that are present have the higher priority and are kept.
    fn add(&mut self, at: MappingIx, model: &MappedModel) {
        // Destructured completely, so that the compiler reports a new field.
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
        let lost = &mut self.lost;
        for (region, row) in direct {
            let slot = self.direct.entry(*region).or_default();
            set_if_absent(slot, row, at, lost, || RowName::Direct(*region));
        }
        let MappedLifecycle {
            state,
            end_of_life,
            successor,
        } = lifecycle;
        if let Some(state) = state {
            set_if_absent(&mut self.state, state, at, lost, || RowName::State);
        }
        if let Some(ends) = end_of_life {
            set_if_absent(&mut self.end_of_life, ends, at, lost, || RowName::EndOfLife);
        }
        if let Some(id) = successor {
            set_if_absent(&mut self.successor, id, at, lost, || RowName::Successor);
        }
        for route in routes {
            let MappedRoute {
                source, geography, ..
            } = route;
            let slot = self.routes.entry((*source, geography.clone())).or_default();
            let stated = (!route.absent).then(|| route.clone());
            let row = || RowName::Route(geography.clone(), *source);
            set_if_absent(slot, &stated, at, lost, row);
        }
        self.unverified |= unverified;
        self.mantle_only |= mantle_only;
    }

    fn finish(
        self,
        id: ModelId,
        names: &[(Box<str>, Option<Date>)],
        report: &mut MergeReport,
    ) -> Model {
        let name = |at: MappingIx| names[at.0 as usize].0.clone();
        report
            .overridden
            .extend(self.lost.into_iter().map(|lost| Overridden {
                mapping: name(lost.mapping),
                by: name(lost.by),
                model: id.clone(),
                row: lost.row,
            }));
        let conflict = |region, kept, dropped: Route| Conflict {
            mapping: name(dropped.mapping),
            model: id.clone(),
            region,
            kept,
            dropped: dropped.geography,
        };
        let rows = rows(self.direct, self.routes, |region, kept, dropped| {
            report.conflicts.push(conflict(region, kept, dropped));
        });
        let has_profiles = rows.values().any(|row| row.routes().next().is_some());
        let knowledge = match (has_profiles, self.mantle_only, self.unverified) {
            (true, ..) => Knowledge::HasProfiles,
            (false, true, _) => Knowledge::MantleOnly,
            (false, false, true) => Knowledge::Unverified,
            (false, false, false) => Knowledge::NeverHadProfile,
        };
        let lifecycle = Lifecycle {
            state: self
                .state
                .map_or(LifecycleState::Active, |(state, _)| state),
            end_of_life: self.end_of_life.map(|(ends, _)| ends).unwrap_or_default(),
            successor: self.successor.map(|(id, _)| id),
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

/// The rows of a model by region. Of two geographies in one region, `drop` gets the second and the name of the first.
fn rows(
    direct: BTreeMap<Region, Stated<DirectRow>>,
    routes: BTreeMap<(Region, Geography), Stated<Option<MappedRoute>>>,
    mut drop: impl FnMut(Region, Geography, Route),
) -> BTreeMap<Region, Row> {
    let mut rows: BTreeMap<Region, Row> = BTreeMap::new();
    for (region, direct) in direct {
        let Some(direct) = direct else { continue };
        if direct.0 != DirectRow::Never {
            rows.entry(region).or_default().direct = Some(direct);
        }
    }
    for ((region, _), route) in routes {
        let Some((Some(route), mapping)) = route else {
            continue;
        };
        let route = Route::of(route, mapping);
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
        drop(region, kept, dropped);
    }
    rows
}

/// Sets a field that no earlier mapping has set. A differing value of a later mapping is added to `lost`.
fn set_if_absent<T: Clone + PartialEq>(
    slot: &mut Stated<T>,
    stated: &T,
    at: MappingIx,
    lost: &mut Vec<ShadowedRow>,
    row: impl FnOnce() -> RowName,
) {
    match slot {
        None => *slot = Some((stated.clone(), at)),
        // Two values in the same mapping are not reported.
        Some((current, by)) if *by != at && current != stated => lost.push(ShadowedRow {
            row: row(),
            mapping: at,
            by: *by,
        }),
        Some(_) => {}
    }
}

/// Keeps in `slot` the route of the earlier mapping; returns the other one.
fn keep_first(slot: &mut Option<Route>, route: Route) -> Option<Route> {
    match slot {
        None => {
            *slot = Some(route);
            None
        }
        Some(current) if route.mapping < current.mapping => Some(std::mem::replace(current, route)),
        Some(_) => Some(route),
    }
}

impl Route {
    fn of(mapped: MappedRoute, mapping: MappingIx) -> Self {
        Self {
            geography: mapped.geography,
            destinations: mapped.destinations,
            state: mapped.state,
            confidence: mapped.confidence,
            mapping,
        }
    }
}
