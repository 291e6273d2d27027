//! The catalog of models: rows by model and region, merged from mappings.
//!
//! The catalog has no decisions; `resolve` decides, with a policy.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

mod mapping;
mod merge;
mod nearest;
mod shadowed_rows;

pub use mapping::{
    Confidence, Destinations, DirectRow, EndOfLife, LifecycleState, MappedLifecycle, MappedModel,
    MappedRoute, Mapping, ProfileState,
};
pub use shadowed_rows::{Overridden, RowName};

/// The index of a model in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelIx(u32);

/// The index of a mapping in the order of the merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingIx(u32);

/// All mappings, merged row by row.
#[derive(Debug, Default)]
pub struct Catalog {
    models: Box<[Model]>,
    ids: HashMap<Box<str>, ModelIx>,
    aliases: HashMap<Box<str>, ModelIx>,
    families: nearest::Families,
    mappings: Box<[(Box<str>, Option<Date>)]>,
    scanned: BTreeSet<Region>,
    overridden: Box<[Overridden]>,
}

/// One model with its merged rows.
#[derive(Debug)]
pub struct Model {
    /// The direct ID.
    pub id: ModelId,
    /// Names that an application may use instead.
    pub aliases: Box<[Box<str>]>,
    /// The knowledge of its profiles in all regions.
    pub knowledge: Knowledge,
    /// Its merged lifecycle.
    pub lifecycle: Lifecycle,
    mapping: MappingIx,
    rows: BTreeMap<Region, Row>,
}

/// The knowledge of a model's profiles in all regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge {
    /// The model has profiles.
    HasProfiles,
    /// The model has never had a profile.
    NeverHadProfile,
    /// Other sources name profiles, but no scan has found one.
    Unverified,
    /// Only bedrock-mantle serves the model, by its direct ID.
    MantleOnly,
}

/// A model's merged lifecycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// The stated state.
    pub state: LifecycleState,
    /// End-of-life dates, each for some regions or for all.
    pub end_of_life: Box<[EndOfLife]>,
    /// The model to use instead.
    pub successor: Option<ModelId>,
}

/// The merged row of one model and region. It has at most one geographic and one global profile.
#[derive(Debug, Default)]
pub struct Row {
    /// The state of the direct ID, with the mapping of the row.
    pub direct: Option<(DirectRow, MappingIx)>,
    /// The geographic profile.
    pub geographic: Option<Route>,
    /// The global profile.
    pub global: Option<Route>,
}

/// A profile in a source region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The profile's prefix.
    pub geography: Geography,
    /// The regions that a request may be routed to.
    pub destinations: Destinations,
    /// Whether the profile still works.
    pub state: ProfileState,
    /// The confidence of the row.
    pub confidence: Confidence,
    /// The mapping of the row.
    pub mapping: MappingIx,
}

/// Two geographies for one model and region after the merge. The first is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The mapping whose row was dropped.
    pub mapping: Box<str>,
    /// The model.
    pub model: ModelId,
    /// The source region.
    pub region: Region,
    /// The geography that was kept.
    pub kept: Geography,
    /// The geography that was dropped.
    pub dropped: Geography,
}

impl Catalog {
    /// The model with this exact ID.
    pub fn find(&self, id: &str) -> Option<ModelIx> {
        self.ids.get(id).copied()
    }

    /// The model with this alias. Of several models, the one of the mapping with the highest priority, then the first in order
    /// of IDs.
    pub fn alias(&self, name: &str) -> Option<ModelIx> {
        self.aliases.get(name).copied()
    }

    /// The model at `at`.
    pub fn model(&self, at: ModelIx) -> &Model {
        &self.models[at.0 as usize]
    }

    /// All models in the order of their IDs.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The name and the date of a mapping.
    pub fn mapping(&self, at: MappingIx) -> (&str, Option<Date>) {
        let (name, date) = &self.mappings[at.0 as usize];
        (name, *date)
    }

    /// The names of the mappings, in the order of the merge.
    pub fn mappings(&self) -> impl Iterator<Item = &str> {
        self.mappings.iter().map(|(name, _)| &**name)
    }

    /// Rows without effect, by model.
    pub fn overridden(&self) -> &[Overridden] {
        &self.overridden
    }

    /// Whether some model has a profile of this geography.
    pub fn has_geography(&self, geography: &Geography) -> bool {
        let routes = |model: &Model| {
            let mut routes = model.rows.values().flat_map(Row::routes);
            routes.any(|route| route.geography == *geography)
        };
        self.models.iter().any(routes)
    }

    /// Whether some mapping is complete for `region`.
    pub fn is_scanned(&self, region: Region) -> bool {
        self.scanned.contains(&region)
    }
}

impl Model {
    /// The row of the model in `region`.
    pub fn row(&self, region: Region) -> Option<&Row> {
        self.rows.get(&region)
    }

    /// Every region with a row, in order.
    pub fn rows(&self) -> impl Iterator<Item = (Region, &Row)> {
        self.rows.iter().map(|(region, row)| (*region, row))
    }

    /// The profile with this prefix in the source region `region`.
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

    /// Whether calls of the direct ID fail in `region`; `false` where there is no row for the region.
    pub fn direct_id_fails(&self, region: Region, today: Date) -> bool {
        self.row(region).is_some_and(|row| {
            !matches!(row.direct, Some((DirectRow::Works, _)))
                || self.is_past_end_of_life(region, today)
        })
    }

    /// Whether the direct ID works in some region.
    pub fn works_somewhere(&self) -> bool {
        self.rows
            .values()
            .any(|row| matches!(row.direct, Some((DirectRow::Works, _))))
    }

    /// The mapping of the highest priority that names the model.
    pub fn mapping(&self) -> MappingIx {
        self.mapping
    }

    /// Whether the model is past its end of life in every region that ever served it.
    pub fn is_past_everywhere(&self, today: Date) -> bool {
        if self.rows.is_empty() {
            return self.lifecycle.state == LifecycleState::EndOfLife
                || self
                    .lifecycle
                    .end_of_life
                    .iter()
                    .any(|end| today >= end.date);
        }
        self.rows
            .keys()
            .all(|region| self.is_past_end_of_life(*region, today))
    }

    /// The confidence that the model is past its end of life in a `region` where it is: that of the date, if only a date shows it.
    pub fn end_of_life_confidence(&self, region: Region) -> Confidence {
        let end = self.lifecycle.end_in(region);
        let by_date = end.filter(|_| self.lifecycle.state != LifecycleState::EndOfLife);
        by_date.map_or(Confidence::High, |end| end.confidence)
    }

    /// Whether the model is past its end of life in `region`: by a date for the region, by its stated state, or because every
    /// region that ever served the model is past it.
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
    /// The end of life in `region`, if its date is known: the entry that names the region, else the one for all others.
    pub fn end_in(&self, region: Region) -> Option<&EndOfLife> {
        let first = |holds: fn(&EndOfLife, Region) -> bool| {
            let ends = self.end_of_life.iter();
            ends.filter(|end| holds(end, region))
                .min_by_key(|end| end.date)
        };
        first(|end, region| end.regions.contains(&region))
            .or_else(|| first(|end, _| end.regions.is_empty()))
    }

    /// The first day without service in `region`, if known.
    pub fn date_in(&self, region: Region) -> Option<Date> {
        self.end_in(region).map(|end| end.date)
    }

    /// Whether the model is past its end of life in some region, by its state or by a date.
    pub fn has_ended_somewhere(&self, today: Date) -> bool {
        self.state == LifecycleState::EndOfLife
            || self.end_of_life.iter().any(|end| today >= end.date)
    }

    /// The state on `today` in `region`, or in general if no region is known, with the end of life that determines it.
    pub fn at(&self, region: Option<Region>, today: Date) -> (LifecycleState, Option<&EndOfLife>) {
        let Some(region) = region else {
            let first = self.end_of_life.iter().min_by_key(|end| end.date);
            return (self.state, first);
        };
        let end = self.end_in(region);
        let state = match (end, self.state) {
            (Some(end), _) if today >= end.date => LifecycleState::EndOfLife,
            (Some(_), LifecycleState::EndOfLife) => LifecycleState::Legacy,
            (_, state) => state,
        };
        (state, end)
    }
}

impl Row {
    /// Both profiles, the geographic one first.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.geographic.iter().chain(&self.global)
    }

    /// Whether the row has only former support: no working direct ID and no profile that is not retired.
    pub fn is_only_former(&self) -> bool {
        !matches!(self.direct, Some((DirectRow::Works, _)))
            && self
                .routes()
                .all(|route| route.state == ProfileState::Retired)
    }
}

#[cfg(test)]
mod tests;
