//! The mapping that corrects a catalog by what the Bedrock API lists. Pure.
//!
//! It has the rows of its last form, so that a region without an answer keeps them, and only rows that differ from those of the other
//! mappings, so that it ends where they are right.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::answers::ListedRegions;
use super::check::{ListedDifference, ListingEvidence, geographic};
use super::model_rows::{ModelRows, route_of, wire_direct, wire_ends, wire_state};
use super::rows::{ProfileRow, RowField, RowKey, RowValue};
use crate::api::{self, DirectState, InferenceProfileMappingSpec};
use crate::domain::catalog::{self as domain, Catalog, DirectRow, ProfileState};
use crate::domain::region::Region;

/// The mappings that a correction is for.
#[derive(Debug, Clone, Copy)]
pub struct CorrectedCatalogs<'c> {
    /// The merge of all mappings but the last form of the correction.
    pub others: &'c Catalog,
    /// The merge of all mappings.
    pub current: &'c Catalog,
    /// What the API lists.
    pub listed: &'c ListedRegions,
}

/// How a correction is written.
#[derive(Debug, Clone, Copy)]
pub struct CorrectionOptions {
    /// Whether a row that the API does not list is withdrawn.
    pub removes_missing: bool,
    /// The date of the correction.
    pub today: Date,
}

/// The spec that corrects `differences`. `last` is its last form, and gives what no row has: the priority, and what a user has added.
pub fn correction(
    last: InferenceProfileMappingSpec,
    differences: &[ListedDifference],
    catalogs: CorrectedCatalogs<'_>,
    options: CorrectionOptions,
) -> InferenceProfileMappingSpec {
    let mut models: BTreeMap<String, ModelRows> = BTreeMap::new();
    for model in last.models {
        models.insert(model.model_id.clone(), ModelRows::of(model));
    }
    for difference in differences {
        if !is_corrected(difference, catalogs, options) {
            continue;
        }
        let key = &difference.row.key;
        let rows = models.entry(key.model.to_string());
        let rows = rows.or_insert_with(|| ModelRows::new(key.model.as_str()));
        rows.correct(key, difference.row.after.as_ref(), catalogs);
    }
    let models = models.into_iter().filter_map(|(id, mut rows)| {
        let at = catalogs.others.find(&id);
        if let Some(at) = at {
            rows.drop_equal(catalogs.others.model(at));
        }
        rows.finish(at.is_none())
    });
    InferenceProfileMappingSpec {
        catalog_date: Some(options.today.to_string()),
        models: models.collect(),
        ..last
    }
}

/// Whether a correction has the row: what the API lists, and what it does not list only on demand. An answer without any row withdraws
/// none. Of a model past its end of life, only a later date is corrected: its rows follow from that.
fn is_corrected(
    difference: &ListedDifference,
    CorrectedCatalogs {
        current, listed, ..
    }: CorrectedCatalogs<'_>,
    options: CorrectionOptions,
) -> bool {
    let RowKey {
        model,
        field,
        region,
    } = &difference.row.key;
    let Some((region, answers)) = region.and_then(|region| Some((region, listed.region(region)?)))
    else {
        return false;
    };
    let model_now = current.find(model.as_str()).map(|at| current.model(at));
    if model_now.is_some_and(|model| model.is_past_end_of_life(region, options.today)) {
        let after = &difference.row.after;
        return matches!(after, Some(RowValue::Date(date, _)) if *date > options.today);
    }
    match difference.evidence {
        ListingEvidence::RecentEnd => false,
        ListingEvidence::NotListed => {
            let has_rows = match field {
                RowField::Profile(_) => {
                    answers.profiles.as_ref().is_some_and(|all| !all.is_empty())
                }
                RowField::State
                | RowField::EndOfLife
                | RowField::Successor
                | RowField::Aliases
                | RowField::Knowledge
                | RowField::Direct => answers.models.as_ref().is_some_and(|all| !all.is_empty()),
            };
            options.removes_missing && has_rows
        }
        ListingEvidence::Listed | ListingEvidence::OtherGeography => match field {
            // A mapping has one geographic profile for a model in a region, and the API would have to have one too: another one may
            // be in the rest of a list that is cut.
            RowField::Profile(geography) if !geography.is_global() => {
                let row = model_now.and_then(|model| model.row(region));
                let mut routes = row.into_iter().flat_map(domain::Row::routes);
                let has_other = routes.any(|route| {
                    route.state != ProfileState::Retired
                        && !route.geography.is_global()
                        && route.geography != *geography
                });
                answers.profiles.as_ref().is_some_and(|all| {
                    geographic(all, model).count() <= 1 && (all.is_complete() || !has_other)
                })
            }
            // Regions that disagree about it have no common state.
            RowField::State => listed.common_state(model).is_some(),
            RowField::EndOfLife
            | RowField::Successor
            | RowField::Aliases
            | RowField::Knowledge
            | RowField::Direct
            | RowField::Profile(_) => true,
        },
    }
}

impl ModelRows {
    fn correct(&mut self, key: &RowKey, after: Option<&RowValue>, catalogs: CorrectedCatalogs<'_>) {
        let Some(region) = key.region else { return };
        match (&key.field, after) {
            (RowField::Direct, after) => {
                let works = matches!(after, Some(RowValue::Direct(DirectRow::Works)));
                let state = if works {
                    DirectState::Works
                } else {
                    DirectState::Never
                };
                self.direct.insert(region, state);
            }
            (RowField::Profile(geography), after) => {
                let row = match after {
                    Some(RowValue::Profile(profile)) => listed_route(profile),
                    _ => api::Route {
                        absent: true,
                        ..api::Route::default()
                    },
                };
                let routes = self.routes.entry(geography.to_string()).or_default();
                routes.insert(region, row);
            }
            (RowField::State, Some(RowValue::State(state))) => {
                let lifecycle = self.model.lifecycle.get_or_insert_default();
                lifecycle.state = Some(wire_state(*state));
            }
            (RowField::EndOfLife, Some(RowValue::Date(date, _))) => {
                let lifecycle = self.model.lifecycle.get_or_insert_default();
                // The field merges as a whole, so it has the dates of all regions.
                let ends = lifecycle.end_of_life.get_or_insert_with(|| {
                    let at = catalogs.current.find(key.model.as_str());
                    at.map(|at| wire_ends(&catalogs.current.model(at).lifecycle))
                        .unwrap_or_default()
                });
                set_end(ends, region, *date);
            }
            _ => {}
        }
    }

    /// Drops what the other mappings have too.
    fn drop_equal(&mut self, other: &domain::Model) {
        self.direct.retain(|region, state| {
            let row = other.row(*region).and_then(|row| row.direct);
            wire_direct(row.map(|(row, _)| row)) != *state
        });
        for (geography, routes) in &mut self.routes {
            routes.retain(|region, row| match other.route(geography, *region) {
                Some(route) => route_of(&ProfileRow::from(route)) != *row,
                None => !row.absent,
            });
        }
        let Some(lifecycle) = &mut self.model.lifecycle else {
            return;
        };
        let state = wire_state(other.lifecycle.state);
        lifecycle.state.take_if(|own| *own == state);
        let ends = wire_ends(&other.lifecycle);
        lifecycle.end_of_life.take_if(|own| *own == ends);
        let successor = other.lifecycle.successor.as_ref().map(ToString::to_string);
        lifecycle
            .successor
            .take_if(|own| Some(&*own) == successor.as_ref());
        self.model
            .lifecycle
            .take_if(|own| *own == api::Lifecycle::default());
    }
}

/// Sets the date of one region.
fn set_end(ends: &mut Vec<api::EndOfLife>, region: Region, date: Date) {
    let (code, date) = (region.to_string(), date.to_string());
    ends.retain_mut(|end| {
        let names_regions = !end.regions.is_empty();
        end.regions.retain(|one| *one != code);
        !names_regions || !end.regions.is_empty()
    });
    let is_same = |end: &&mut api::EndOfLife| {
        end.date == date && !end.regions.is_empty() && end.confidence == api::Confidence::High
    };
    if let Some(end) = ends.iter_mut().find(is_same) {
        let regions: BTreeSet<_> = end.regions.drain(..).chain([code]).collect();
        end.regions.extend(regions);
    } else {
        ends.push(api::EndOfLife {
            date,
            regions: vec![code],
            confidence: api::Confidence::High,
        });
    }
}

fn listed_route(profile: &ProfileRow) -> api::Route {
    route_of(&ProfileRow {
        state: ProfileState::Current,
        ..profile.clone()
    })
}
