//! Holds the shipped catalog against the facts in `tests/data/`, row by row and in both directions.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_profiles::api::{
    Confidence, DirectState, InferenceProfileMappingSpec, LifecycleState, Model, ProfileState,
    Resource, read,
};
use bedrock_profiles::catalog;

use crate::facts::{self, words};

mod corrected;
mod lifecycle;
mod listed;
mod merged;
mod scan;

/// What the catalog says about one profile and source region.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    destinations: Vec<String>,
    state: ProfileState,
    confidence: Confidence,
}

fn spec() -> InferenceProfileMappingSpec {
    catalog::builtin().unwrap().spec
}

/// Every row by profile ID and source region; one that stands twice fails.
fn rows(models: &[Model]) -> BTreeMap<(String, String), Row> {
    let mut rows = BTreeMap::new();
    for profile in models.iter().flat_map(|model| &model.profiles) {
        for route in &profile.routes {
            assert!(!route.absent, "{}: nothing to withdraw", profile.id);
            let row = Row {
                destinations: route.destination_regions.clone(),
                state: route.state.unwrap_or(profile.state),
                confidence: route.confidence,
            };
            for source in &route.source_regions {
                let key = (profile.id.clone(), source.clone());
                assert_eq!(
                    rows.insert(key, row.clone()),
                    None,
                    "{} {source}",
                    profile.id
                );
            }
        }
    }
    rows
}

/// The profile ID and the source region of every retired row.
fn retired_rows(models: &[Model]) -> BTreeSet<(String, String)> {
    let rows = rows(models).into_iter();
    rows.filter(|(_, row)| row.state == ProfileState::Retired)
        .map(|(key, _)| key)
        .collect()
}

fn by_id(models: &[Model]) -> BTreeMap<&str, &Model> {
    models
        .iter()
        .map(|model| (model.model_id.as_str(), model))
        .collect()
}

fn direct(model: &Model, state: DirectState) -> BTreeSet<&str> {
    let regions = model.direct.iter().filter(|direct| direct.state == state);
    regions.map(|direct| direct.region.as_str()).collect()
}

fn set(regions: &[String]) -> BTreeSet<&str> {
    regions.iter().map(String::as_str).collect()
}

fn confidence(word: &str) -> Confidence {
    match word {
        "high" => Confidence::High,
        "medium" => Confidence::Medium,
        other => panic!("{other}"),
    }
}

fn state(word: &str) -> ProfileState {
    match word {
        "current" => ProfileState::Current,
        "legacy" => ProfileState::Legacy,
        "eol" | "retired" => ProfileState::Retired,
        other => panic!("{other}"),
    }
}

#[test]
fn has_201_models_and_193_profiles() {
    let spec = spec();
    assert_eq!(spec.models.len(), 201);
    assert_eq!(
        spec.models
            .iter()
            .map(|model| model.profiles.len())
            .sum::<usize>(),
        193
    );
}

#[test]
fn knows_every_model_of_the_facts_and_no_other() {
    let spec = spec();
    let facts = facts::models();
    let direct_only = facts::direct_only();
    let known = facts.models.iter().map(|model| model.id.as_str());
    let known = known.chain(direct_only.iter().map(|model| model.model_id.as_str()));
    let known: BTreeSet<_> = known.chain(facts::EARLY).collect();
    assert_eq!(known.len(), 201);
    assert_eq!(
        by_id(&spec.models).into_keys().collect::<BTreeSet<_>>(),
        known
    );
}

#[test]
fn names_each_alias_once_and_never_as_a_model() {
    let spec = spec();
    let models = by_id(&spec.models);
    let mut known = BTreeSet::new();
    for alias in spec.models.iter().flat_map(|model| &model.aliases) {
        assert!(known.insert(alias), "{alias} names two models");
        assert!(!models.contains_key(alias.as_str()), "{alias} is a model");
    }
    for fact in facts::models().models {
        assert_eq!(
            models[fact.id.as_str()].aliases,
            fact.api_names,
            "{}",
            fact.id
        );
    }
}

#[test]
fn every_profile_id_is_geography_dot_model() {
    for model in spec().models {
        for profile in &model.profiles {
            assert_eq!(
                profile.id,
                format!("{}.{}", profile.geography, model.model_id)
            );
        }
    }
}

#[test]
fn serves_every_row_of_the_matrix_with_the_same_destinations() {
    let spec = spec();
    let rows = rows(&spec.models);
    for served in facts::matrix() {
        if !served.geo_profile.is_empty() {
            let expected = Row {
                destinations: words(&served.geo_destinations),
                state: state(&served.geo_status),
                confidence: confidence(&served.geo_confidence),
            };
            let key = (served.geo_profile, served.region.clone());
            assert_eq!(rows.get(&key), Some(&expected), "{key:?}");
        }
        if !served.global_profile.is_empty() {
            let row = &rows[&(served.global_profile, served.region)];
            assert_eq!(row.destinations, ["*"]);
            assert_ne!(row.state, ProfileState::Retired);
            assert_eq!(row.confidence, confidence(&served.global_confidence));
        }
    }
}

#[test]
fn the_catalog_serves_only_rows_of_the_matrix() {
    let spec = spec();
    let matrix = facts::matrix();
    let profiles = matrix.iter().flat_map(|row| {
        [&row.geo_profile, &row.global_profile].map(|profile| (profile.clone(), row.region.clone()))
    });
    let expected: BTreeSet<_> = profiles
        .filter(|(profile, _)| !profile.is_empty())
        .collect();
    let alive = rows(&spec.models).into_iter();
    let alive = alive.filter(|(_, row)| row.state != ProfileState::Retired);
    assert_eq!(alive.map(|(key, _)| key).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn has_every_profile_of_the_facts_living_or_not() {
    let spec = spec();
    let mut rows = rows(&spec.models);
    for profile in facts::models()
        .models
        .into_iter()
        .flat_map(|model| model.profiles)
    {
        for (source, destinations) in profile.destinations {
            let expected = Row {
                destinations,
                state: state(&profile.status),
                confidence: confidence(&profile.confidence),
            };
            let key = (profile.id.clone(), source);
            assert_eq!(rows.remove(&key), Some(expected), "{key:?}");
        }
    }
    assert!(rows.is_empty(), "beyond the facts: {rows:?}");
}

#[test]
fn the_catalog_has_retired_rows_and_no_rejected_ones() {
    let spec = spec();
    let models = by_id(&spec.models);
    let rows = rows(&spec.models);
    let mut counts = (0, 0);
    for gone in facts::retired() {
        let row = rows.get(&(gone.profile_id.clone(), gone.source_region.clone()));
        if gone.use_ == "reject" {
            counts.0 += 1;
            assert_eq!(row, None, "{} {}", gone.profile_id, gone.source_region);
        } else {
            counts.1 += 1;
            let row = row.unwrap();
            assert_eq!(
                (row.state, &row.destinations),
                (ProfileState::Retired, &words(&gone.destinations))
            );
            assert!(
                models[gone.model_id.as_str()]
                    .profiles
                    .iter()
                    .any(|profile| profile.id == gone.profile_id)
            );
        }
    }
    assert_eq!(counts, (13, 40));
}

#[test]
fn the_catalog_has_no_rejected_or_unobserved_profile() {
    let spec = spec();
    let shipped: BTreeSet<_> = spec
        .models
        .iter()
        .flat_map(|model| &model.profiles)
        .map(|profile| &profile.id)
        .collect();
    let mut unverified = 0;
    for fact in facts::models().models {
        unverified += fact.unverified.len();
        for id in fact.unverified.iter().chain(&fact.rejected) {
            assert!(!shipped.contains(id), "{id}");
        }
    }
    assert_eq!(unverified, 9);
}

#[test]
fn marks_models_as_unverified_where_all_their_profiles_are() {
    let spec = spec();
    let marked = spec.models.iter().filter(|model| model.unverified);
    let marked: BTreeSet<_> = marked.map(|model| model.model_id.clone()).collect();
    let facts = facts::models().models.into_iter();
    let expected = facts.filter(|fact| !fact.unverified.is_empty() && fact.profiles.is_empty());
    let mut expected: BTreeSet<_> = expected.map(|fact| fact.id).collect();
    // Client libraries name the model, and not even a profile.
    expected.insert("anthropic.claude-mythos-5-2".to_owned());
    assert_eq!(marked, expected);
}

#[test]
fn direct_ids_work_and_worked_where_the_facts_say_so() {
    let spec = spec();
    let models = by_id(&spec.models);
    for fact in facts::models().models {
        let model = models[fact.id.as_str()];
        assert_eq!(
            direct(model, DirectState::Works),
            set(&fact.direct),
            "{}",
            fact.id
        );
        assert_eq!(
            direct(model, DirectState::Former),
            set(&fact.direct_formerly),
            "{}",
            fact.id
        );
        let all = direct(model, DirectState::Works);
        assert!(all.is_disjoint(&set(&fact.direct_ambiguous)), "{}", fact.id);
    }
    for served in facts::matrix() {
        let works = direct(models[served.model_id.as_str()], DirectState::Works);
        assert_eq!(
            works.contains(served.region.as_str()),
            served.direct_on_demand == "yes"
        );
    }
}

#[test]
fn ids_that_never_had_a_profile_are_known_with_their_regions() {
    let spec = spec();
    let models = by_id(&spec.models);
    for fact in facts::direct_only() {
        let model = models[fact.model_id.as_str()];
        assert!(model.profiles.is_empty(), "{}", fact.model_id);
        let (works, lifecycle) = match fact.lifecycle.as_str() {
            "active" => (DirectState::Works, LifecycleState::Active),
            "legacy" => (DirectState::Works, LifecycleState::Legacy),
            _ => (DirectState::Former, LifecycleState::EndOfLife),
        };
        assert_eq!(
            direct(model, works),
            set(&words(&fact.on_demand_regions)),
            "{}",
            fact.model_id
        );
        assert_eq!(
            model.direct.len(),
            direct(model, works).len(),
            "{}",
            fact.model_id
        );
        let found = model.lifecycle.as_ref().unwrap();
        assert_eq!(found.state, Some(lifecycle), "{}", fact.model_id);
        let ends = found.end_of_life.iter().flatten();
        let ends: Vec<_> = ends.map(|end| (&*end.date, end.confidence)).collect();
        let expected = (!fact.eol_date.is_empty())
            .then(|| (fact.eol_date.as_str(), confidence(&fact.eol_confidence)));
        assert_eq!(ends, Vec::from_iter(expected), "{}", fact.model_id);
    }
    for id in facts::EARLY {
        assert!(models[id].profiles.is_empty() && models[id].direct.is_empty());
    }
}

#[test]
fn is_dated_complete_for_the_scanned_regions_and_of_lowest_priority() {
    let spec = spec();
    assert_eq!(spec.catalog_date.as_deref(), Some("2026-11-30"));
    assert_eq!(spec.scanned_regions, facts::models().scanned_regions);
    assert_eq!(spec.priority, -1000);
}

#[test]
fn the_applied_form_of_the_catalog_reads_back() {
    let builtin = catalog::builtin().unwrap();
    let text = serde_yaml::to_string(&builtin).unwrap();
    assert_eq!(
        read(&text, "builtin.yaml").unwrap(),
        [Resource::Mapping(builtin)]
    );
}

#[test]
fn the_mapping_in_the_docs_can_be_applied() {
    let docs = include_str!("../../docs/catalog.md");
    let blocks = docs
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    let mappings: Vec<_> = blocks
        .filter(|block| block.starts_with("apiVersion"))
        .collect();
    assert_eq!(mappings.len(), 1);
    assert_eq!(read(mappings[0], "docs/catalog.md").unwrap().len(), 1);
}

#[test]
fn the_model_in_the_docs_can_be_added_to_the_file_of_its_vendor() {
    let docs = include_str!("../../docs/catalog.md");
    let (_, rest) = docs.split_once("```yaml\n- modelId: ").unwrap();
    let (model, _) = rest.split_once("```").unwrap();
    let file = format!(
        "{}- modelId: {model}",
        include_str!("../../catalog/anthropic.yaml")
    );
    let file: serde_json::Value = serde_yaml::from_str(&file).unwrap();
    let added = file["models"].as_array().unwrap().last().unwrap().clone();
    let added: Model = serde_json::from_value(added).unwrap();
    let routes = added.profiles.iter().map(|profile| profile.routes.len());
    assert_eq!(routes.collect::<Vec<_>>(), [4, 3, 1]);
}
