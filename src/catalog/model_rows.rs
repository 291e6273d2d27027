//! The rows of one model by region, and their form in a mapping.

use std::collections::BTreeMap;

use super::rows::ProfileRow;
use crate::api::{self, DirectRegion, DirectState, Profile};
use crate::domain::catalog::{
    self as domain, Destinations, DirectRow, LifecycleState, ProfileState,
};
use crate::domain::region::Region;

/// The rows of a model, by region.
pub(super) struct ModelRows {
    /// What is not by region.
    pub(super) model: api::Model,
    pub(super) direct: BTreeMap<Region, DirectState>,
    /// By geography, without their source regions.
    pub(super) routes: BTreeMap<String, BTreeMap<Region, api::Route>>,
}

impl ModelRows {
    pub(super) fn new(id: &str) -> Self {
        Self::of(api::Model {
            model_id: id.to_owned(),
            ..api::Model::default()
        })
    }

    pub(super) fn of(mut model: api::Model) -> Self {
        let direct = std::mem::take(&mut model.direct);
        let direct = direct.iter().filter_map(|row| {
            let region = Region::from_code(&row.region)?;
            Some((region, row.state))
        });
        let direct = direct.collect();
        let mut routes: BTreeMap<String, BTreeMap<Region, api::Route>> = BTreeMap::new();
        for profile in std::mem::take(&mut model.profiles) {
            let of_geography = routes.entry(profile.geography).or_default();
            for route in profile.routes {
                let state = route.state.unwrap_or(profile.state);
                for region in &route.source_regions {
                    let Some(region) = Region::from_code(region) else {
                        continue;
                    };
                    let row = api::Route {
                        source_regions: Vec::new(),
                        state: Some(state).filter(|state| *state != api::ProfileState::Current),
                        ..route.clone()
                    };
                    of_geography.insert(region, row);
                }
            }
        }
        Self {
            model,
            direct,
            routes,
        }
    }

    /// The model with its rows; `None` if it has none and states nothing. A new model has a state.
    pub(super) fn finish(self, is_new: bool) -> Option<api::Model> {
        let mut model = self.model;
        let direct = self.direct.into_iter().map(|(region, state)| DirectRegion {
            region: region.to_string(),
            state,
        });
        model.direct = direct.collect();
        for (geography, routes) in self.routes {
            if routes.is_empty() {
                continue;
            }
            model.profiles.push(Profile {
                id: format!("{geography}.{}", model.model_id),
                geography,
                state: api::ProfileState::Current,
                routes: grouped(routes),
            });
        }
        if is_new && model.lifecycle.is_none() {
            model.lifecycle = Some(api::Lifecycle {
                state: Some(api::LifecycleState::Active),
                ..api::Lifecycle::default()
            });
        }
        let empty = api::Model {
            model_id: model.model_id.clone(),
            ..api::Model::default()
        };
        (model != empty).then_some(model)
    }
}

/// Regions with equal rows share a route.
fn grouped(rows: BTreeMap<Region, api::Route>) -> Vec<api::Route> {
    let mut routes: Vec<api::Route> = Vec::new();
    for (region, row) in rows {
        let is_equal = |route: &&mut api::Route| {
            let source_regions = route.source_regions.clone();
            **route
                == api::Route {
                    source_regions,
                    ..row.clone()
                }
        };
        if let Some(route) = routes.iter_mut().find(is_equal) {
            route.source_regions.push(region.to_string());
        } else {
            let source_regions = vec![region.to_string()];
            routes.push(api::Route {
                source_regions,
                ..row
            });
        }
    }
    routes
}

pub(super) fn route_of(profile: &ProfileRow) -> api::Route {
    let destination_regions = match &profile.destinations {
        Destinations::Anywhere => vec!["*".to_owned()],
        Destinations::Unknown => Vec::new(),
        Destinations::Known(regions) => regions.iter().map(ToString::to_string).collect(),
    };
    let state = match profile.state {
        ProfileState::Current => None,
        ProfileState::Legacy => Some(api::ProfileState::Legacy),
        ProfileState::Retired => Some(api::ProfileState::Retired),
    };
    api::Route {
        source_regions: Vec::new(),
        destination_regions,
        state,
        confidence: wire_confidence(profile.confidence),
        absent: false,
    }
}

pub(super) const fn wire_direct(row: Option<DirectRow>) -> DirectState {
    match row {
        Some(DirectRow::Works) => DirectState::Works,
        Some(DirectRow::Former) => DirectState::Former,
        // A region without a row never had one.
        Some(DirectRow::Never) | None => DirectState::Never,
    }
}

pub(super) const fn wire_state(state: LifecycleState) -> api::LifecycleState {
    match state {
        LifecycleState::Active => api::LifecycleState::Active,
        LifecycleState::Legacy => api::LifecycleState::Legacy,
        LifecycleState::EndOfLife => api::LifecycleState::EndOfLife,
    }
}

const fn wire_confidence(confidence: domain::Confidence) -> api::Confidence {
    match confidence {
        domain::Confidence::High => api::Confidence::High,
        domain::Confidence::Medium => api::Confidence::Medium,
    }
}

pub(super) fn wire_ends(lifecycle: &domain::Lifecycle) -> Vec<api::EndOfLife> {
    let ends = lifecycle.end_of_life.iter().map(|end| api::EndOfLife {
        date: end.date.to_string(),
        regions: end.regions.iter().map(ToString::to_string).collect(),
        confidence: wire_confidence(end.confidence),
    });
    ends.collect()
}
