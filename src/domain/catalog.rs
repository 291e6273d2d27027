//! What is known of models: rows per (model, region), merged from mappings.
//!
//! Does not decide anything; `resolve` does, with a policy beside it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use super::id::{Geography, ModelId};
use super::region::Region;

/// One mapping object, checked and typed, before it is merged with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Name of the object.
    pub name: Box<str>,
    /// Rows of the highest priority win.
    pub priority: i32,
    /// When the rows were true.
    pub catalog_date: Option<Date>,
    /// Regions for which this mapping is complete: no row means nothing is offered there.
    pub scanned: Box<[Region]>,
    /// The models that it has rows of.
    pub models: Box<[MappedModel]>,
}

/// What one mapping says of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedModel {
    /// The direct ID.
    pub id: ModelId,
    /// Names that an application may use instead.
    pub aliases: Box<[Box<str>]>,
    /// Where the direct ID works or worked; [`DirectRow::Never`] withdraws a row of lower priority.
    pub direct: Box<[(Region, DirectRow)]>,
    /// The lifecycle fields that this mapping states.
    pub lifecycle: MappedLifecycle,
    /// Rows of profiles, one for each source region and geography.
    pub routes: Box<[MappedRoute]>,
    /// Others name profiles of this model that no scan has seen.
    pub unverified: bool,
    /// The model is served by bedrock-mantle alone.
    pub mantle_only: bool,
}

/// What a row says of the direct ID in one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectRow {
    /// It works on demand.
    Works,
    /// It worked until the model's end of life.
    Former,
    /// It does not work; withdraws what a mapping of lower priority says.
    Never,
}

/// The lifecycle fields of one mapping; a field that is not stated is taken from the next mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappedLifecycle {
    /// Stated state.
    pub state: Option<LifecycleState>,
    /// Stated dates, each for the regions named, or for all where none is named.
    pub end_of_life: Option<Box<[EndOfLife]>>,
    /// Stated successor.
    pub successor: Option<ModelId>,
}

/// One profile, seen from one source region, as one mapping states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedRoute {
    /// The profile's prefix.
    pub geography: Geography,
    /// The region that the workload calls.
    pub source: Region,
    /// Where the profile may route the request.
    pub destinations: Destinations,
    /// Whether the profile still serves.
    pub state: ProfileState,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Withdraws the row of lower priority.
    pub absent: bool,
}

/// Where a profile may route a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destinations {
    /// To these regions and no other.
    Known(Arc<[Region]>),
    /// To any commercial region.
    Anywhere,
    /// Nobody has told.
    Unknown,
}

/// Whether a profile serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileState {
    /// It serves.
    Current,
    /// It serves; the model is on its way out.
    Legacy,
    /// It served; the model has reached its end of life here.
    Retired,
}

/// How sure a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Inferred, or sources disagree.
    Medium,
    /// Seen by a scan of the API or printed by AWS.
    High,
}

/// The state of a model's life as stated; a date, where known, decides over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleState {
    /// In service.
    Active,
    /// In service, with an announced end.
    Legacy,
    /// Out of service.
    EndOfLife,
}

/// A date of end of life and the regions where it holds; all regions where none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndOfLife {
    /// The first day without service.
    pub date: Date,
    /// The regions; empty means all.
    pub regions: Box<[Region]>,
}

/// A model's place in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelIx(u32);

/// A mapping's place in the merging order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingIx(u32);

/// All mappings, merged row by row.
#[derive(Debug, Default)]
pub struct Catalog {
    models: Box<[Model]>,
    ids: HashMap<Box<str>, ModelIx>,
    mappings: Box<[(Box<str>, Option<Date>)]>,
    scanned: BTreeSet<Region>,
}

/// One model with its merged rows.
#[derive(Debug)]
pub struct Model {
    /// The direct ID.
    pub id: ModelId,
    /// Names that an application may use instead.
    pub aliases: Box<[Box<str>]>,
    /// What is known of its profiles as a whole.
    pub knowledge: Knowledge,
    /// Its merged lifecycle.
    pub lifecycle: Lifecycle,
    mapping: MappingIx,
    rows: BTreeMap<Region, Row>,
}

/// What is known of a model's profiles as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge {
    /// It has profiles.
    HasProfiles,
    /// It has none and never had.
    NeverHadProfile,
    /// Others name some; no scan has seen one.
    Unverified,
    /// It is served by bedrock-mantle alone, by its direct ID.
    MantleOnly,
}

/// A model's merged lifecycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// As stated.
    pub state: LifecycleState,
    /// Dates, each for some regions or for all.
    pub end_of_life: Box<[EndOfLife]>,
    /// The model to move to.
    pub successor: Option<ModelId>,
}

/// What is known of one (model, region): at most one geographic and one global profile, by construction.
#[derive(Debug, Default)]
pub struct Row {
    /// What is known of the direct ID, and who says it.
    pub direct: Option<(DirectRow, MappingIx)>,
    /// The geographic profile.
    pub geographic: Option<Route>,
    /// The global profile.
    pub global: Option<Route>,
}

/// A profile seen from a source region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The profile's prefix.
    pub geography: Geography,
    /// Where it may route the request.
    pub destinations: Destinations,
    /// Whether it still serves.
    pub state: ProfileState,
    /// How sure the row is.
    pub confidence: Confidence,
    /// The mapping that says so.
    pub mapping: MappingIx,
}

/// Two geographies remained for one (model, region): the first stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The mapping whose row was dropped.
    pub mapping: Box<str>,
    /// The model.
    pub model: ModelId,
    /// The source region.
    pub region: Region,
    /// The geography that stays.
    pub kept: Geography,
    /// The geography that was dropped.
    pub dropped: Geography,
}

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
        let ids = models
            .iter()
            .zip(0..)
            .map(|(model, at)| (model.id.as_str().into(), ModelIx(at)))
            .collect();
        let scanned = mappings
            .iter()
            .flat_map(|m| m.scanned.iter().copied())
            .collect();
        (
            Self {
                models,
                ids,
                mappings: names,
                scanned,
            },
            conflicts,
        )
    }

    /// The model of this exact ID.
    pub fn find(&self, id: &str) -> Option<ModelIx> {
        self.ids.get(id).copied()
    }

    /// The model at `at`.
    pub fn model(&self, at: ModelIx) -> &Model {
        &self.models[at.0 as usize]
    }

    /// All models in the order of their IDs.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// Name and date of a mapping.
    pub fn mapping(&self, at: MappingIx) -> (&str, Option<Date>) {
        let (name, date) = &self.mappings[at.0 as usize];
        (name, *date)
    }

    /// Whether some mapping is complete for `region`.
    pub fn is_scanned(&self, region: Region) -> bool {
        self.scanned.contains(&region)
    }
}

impl Model {
    /// What is known of the model in `region`.
    pub fn row(&self, region: Region) -> Option<&Row> {
        self.rows.get(&region)
    }

    /// Every region with a row, in order.
    pub fn rows(&self) -> impl Iterator<Item = (Region, &Row)> {
        self.rows.iter().map(|(region, row)| (*region, row))
    }

    /// The profile with this prefix, seen from `region`.
    pub fn route(&self, geography: &str, region: Region) -> Option<&Route> {
        self.row(region)?
            .routes()
            .find(|route| route.geography.as_str() == geography)
    }

    /// Every row of the profile with this prefix.
    pub fn routes_of<'a>(
        &'a self,
        geography: &'a str,
    ) -> impl Iterator<Item = (Region, &'a Route)> {
        self.rows()
            .flat_map(|(region, row)| row.routes().map(move |route| (region, route)))
            .filter(move |(_, route)| route.geography.as_str() == geography)
    }

    /// Whether some region has a row that says that the direct ID works.
    pub fn works_somewhere(&self) -> bool {
        self.rows
            .values()
            .any(|row| matches!(row.direct, Some((DirectRow::Works, _))))
    }

    /// The mapping of the highest priority that names the model.
    pub fn mapping(&self) -> MappingIx {
        self.mapping
    }

    /// Whether the model is past its end of life in `region`: by a date that holds there, by its stated state, or because
    /// it is past wherever it was ever served.
    pub fn is_past_end_of_life(&self, region: Region, today: Date) -> bool {
        match self.lifecycle.date_in(region) {
            Some(date) => today >= date,
            None => {
                self.lifecycle.state == LifecycleState::EndOfLife
                    || (!self.rows.is_empty()
                        && self.rows().all(|(served, row)| {
                            self.lifecycle
                                .date_in(served)
                                .is_some_and(|date| today >= date)
                                || row.is_only_former()
                        }))
            }
        }
    }
}

impl Lifecycle {
    /// The day from which the model is out of service in `region`, where known.
    pub fn date_in(&self, region: Region) -> Option<Date> {
        self.end_of_life
            .iter()
            .filter(|end| end.regions.is_empty() || end.regions.contains(&region))
            .map(|end| end.date)
            .min()
    }

    /// The state in `region` (or as a whole, where no region is known) on `today`, with the date that decides it.
    pub fn at(&self, region: Option<Region>, today: Date) -> (LifecycleState, Option<Date>) {
        let date = match region {
            Some(region) => self.date_in(region),
            None => self.end_of_life.iter().map(|end| end.date).min(),
        };
        match (date, self.state) {
            (Some(date), _) if region.is_some() && today >= date => {
                (LifecycleState::EndOfLife, Some(date))
            }
            (Some(date), LifecycleState::EndOfLife) if region.is_some() && today < date => {
                (LifecycleState::Legacy, Some(date))
            }
            (date, state) => (state, date),
        }
    }
}

impl Row {
    /// Both profiles, the geographic one first.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.geographic.iter().chain(&self.global)
    }

    /// Whether the row speaks of the past alone.
    pub fn is_only_former(&self) -> bool {
        !matches!(self.direct, Some((DirectRow::Works, _)))
            && self
                .routes()
                .all(|route| route.state == ProfileState::Retired)
    }
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

#[cfg(test)]
mod tests;
