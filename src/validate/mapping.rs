//! Validates an `InferenceProfileMapping`, and converts it to a [`Mapping`].

use std::collections::HashMap;
use std::sync::Arc;

use crate::api;
use crate::domain::catalog::{
    Confidence, Destinations, DirectRow, EndOfLife, LifecycleState, MappedLifecycle, MappedModel,
    MappedRoute, Mapping, ProfileState,
};
use crate::domain::region::Region;

use super::{Invalid, Problems};

/// Validates and converts a mapping.
pub fn mapping(wire: &api::InferenceProfileMapping) -> Result<Mapping, Invalid> {
    let name = wire.metadata.name.clone().unwrap_or_default();
    let spec = &wire.spec;
    let mut reader = MappingReader {
        problems: Problems::default(),
        shared: HashMap::new(),
    };
    let models = (0..)
        .zip(&spec.models)
        .filter_map(|(at, model)| reader.model(&format!("spec.models[{at}]"), model))
        .collect();
    let catalog_date = spec
        .catalog_date
        .as_deref()
        .and_then(|text| reader.problems.date(|| "spec.catalogDate".into(), text));
    let scanned = reader
        .problems
        .regions("spec.scannedRegions", &spec.scanned_regions);
    let typed = Mapping {
        name: name.as_str().into(),
        priority: spec.priority,
        catalog_date,
        scanned,
        models,
    };
    reader
        .problems
        .finish(format!("InferenceProfileMapping/{name}"), typed)
}

struct MappingReader {
    problems: Problems,
    /// Most rows share one of a few sets of destinations.
    shared: HashMap<Box<[Region]>, Arc<[Region]>>,
}

impl MappingReader {
    fn model(&mut self, field: &str, wire: &api::Model) -> Option<MappedModel> {
        let id = self
            .problems
            .model(|| format!("{field}.modelId"), &wire.model_id)?;
        let direct = (0..).zip(&wire.direct).filter_map(|(at, row): (usize, _)| {
            let region = self
                .problems
                .region(|| format!("{field}.direct[{at}].region"), &row.region)?;
            Some((region, direct_row(row.state)))
        });
        let direct = direct.collect();
        let aliases = (0..)
            .zip(&wire.aliases)
            .filter_map(|(at, alias): (usize, _)| {
                self.alias(&format!("{field}.aliases[{at}]"), alias)
            })
            .collect();
        let lifecycle = wire
            .lifecycle
            .as_ref()
            .map(|life| self.lifecycle(&format!("{field}.lifecycle"), life))
            .unwrap_or_default();
        let mut routes = Vec::new();
        for (at, profile) in wire.profiles.iter().enumerate() {
            self.profile(
                &format!("{field}.profiles[{at}]"),
                (&wire.model_id, profile),
                &mut routes,
            );
        }
        Some(MappedModel {
            id,
            aliases,
            direct,
            lifecycle,
            routes: routes.into(),
            unverified: wire.unverified,
            mantle_only: wire.mantle_only,
        })
    }

    /// A word that needs no quotes in any text format.
    fn alias(&mut self, field: &str, text: &str) -> Option<Box<str>> {
        let fits = text.bytes().any(|b| b.is_ascii_alphanumeric())
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\' | b'$'));
        if !fits {
            let message = format!(
                "`{text}` is no alias: write a word of letters, digits and signs, without white space, quotes, `\\` and `$`"
            );
            self.problems.note(field.to_owned(), message);
        }
        fits.then(|| text.into())
    }

    fn lifecycle(&mut self, field: &str, wire: &api::Lifecycle) -> MappedLifecycle {
        let state = wire.state.map(|state| match state {
            api::LifecycleState::Active => LifecycleState::Active,
            api::LifecycleState::Legacy => LifecycleState::Legacy,
            api::LifecycleState::EndOfLife => LifecycleState::EndOfLife,
        });
        let end_of_life = wire.end_of_life.as_ref().map(|ends| {
            let read = |(at, end): (usize, &api::EndOfLife)| {
                let date = self
                    .problems
                    .date(|| format!("{field}.endOfLife[{at}].date"), &end.date)?;
                let regions = self
                    .problems
                    .regions(&format!("{field}.endOfLife[{at}].regions"), &end.regions);
                Some(EndOfLife {
                    date,
                    regions,
                    confidence: confidence(end.confidence),
                })
            };
            ends.iter().enumerate().filter_map(read).collect()
        });
        let successor = wire
            .successor
            .as_deref()
            .and_then(|id| self.problems.model(|| format!("{field}.successor"), id));
        MappedLifecycle {
            state,
            end_of_life,
            successor,
        }
    }

    fn profile(
        &mut self,
        field: &str,
        (model, wire): (&str, &api::Profile),
        routes: &mut Vec<MappedRoute>,
    ) {
        let expected = format!("{}.{model}", wire.geography);
        if wire.id != expected {
            let message = format!(
                "a profile ID is its geography, a dot and the model ID: write `{expected}`"
            );
            self.problems.note(format!("{field}.id"), message);
        }
        let Some(geography) = self
            .problems
            .geography(|| format!("{field}.geography"), &wire.geography)
        else {
            return;
        };
        for (at, route) in wire.routes.iter().enumerate() {
            let field = format!("{field}.routes[{at}]");
            let destinations = self.destinations(&field, &route.destination_regions);
            for source in self
                .problems
                .regions(&format!("{field}.sourceRegions"), &route.source_regions)
            {
                routes.push(MappedRoute {
                    geography: geography.clone(),
                    source,
                    destinations: destinations.clone(),
                    state: profile_state(route.state.unwrap_or(wire.state)),
                    confidence: confidence(route.confidence),
                    absent: route.absent,
                });
            }
        }
    }

    fn destinations(&mut self, field: &str, wire: &[String]) -> Destinations {
        match wire {
            [] => Destinations::Unknown,
            [all] if all == "*" => Destinations::Anywhere,
            regions => {
                let mut regions = self
                    .problems
                    .regions(&format!("{field}.destinationRegions"), regions);
                regions.sort_unstable();
                let shared = self
                    .shared
                    .entry(regions)
                    .or_insert_with_key(|regions| regions.clone().into());
                Destinations::Known(shared.clone())
            }
        }
    }
}

const fn confidence(wire: api::Confidence) -> Confidence {
    match wire {
        api::Confidence::High => Confidence::High,
        api::Confidence::Medium => Confidence::Medium,
    }
}

const fn direct_row(wire: api::DirectState) -> DirectRow {
    match wire {
        api::DirectState::Works => DirectRow::Works,
        api::DirectState::Former => DirectRow::Former,
        api::DirectState::Never => DirectRow::Never,
    }
}

const fn profile_state(wire: api::ProfileState) -> ProfileState {
    match wire {
        api::ProfileState::Current => ProfileState::Current,
        api::ProfileState::Legacy => ProfileState::Legacy,
        api::ProfileState::Retired => ProfileState::Retired,
    }
}
