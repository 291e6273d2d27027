//! `export mapping`: all mappings as one, which merges to the same catalog alone and beside them.

use std::fs;
use std::process::Command;

use bedrock_profiles::api::{
    Confidence, DirectRegion, DirectState, EndOfLife, InferenceProfileMapping,
    InferenceProfileMappingSpec, Lifecycle, LifecycleState, Model, Profile, ProfileState, Resource,
    Route, read,
};
use bedrock_profiles::catalog::merged::merged_mapping;
use bedrock_profiles::catalog::{self, rows};
use bedrock_profiles::domain::catalog::Catalog;
use bedrock_profiles::domain::region::Region;
use bedrock_profiles::validate;
use proptest::prelude::{Just, Strategy, prop, prop_oneof};
use proptest::test_runner::TestCaseError;

use crate::properties::holds;

fn merge(mappings: &[InferenceProfileMapping]) -> Catalog {
    let valid = mappings
        .iter()
        .map(|mapping| validate::mapping(mapping).unwrap());
    Catalog::merge(valid.collect()).0
}

const ALIASES: [&str; 3] = ["alias-one", "alias-two", "alias-three"];
const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-west-2"];

/// The first difference between two catalogs, for a message.
fn difference(before: &Catalog, after: &Catalog) -> Result<(), String> {
    // `other_alias` compares aliases.
    let mut of_rows = rows::differences(before, after);
    of_rows.retain(|one| one.key.field != rows::RowField::Aliases);
    if let Some(first) = of_rows.first() {
        return Err(format!("{first:?}"));
    }
    for region in REGIONS.iter().filter_map(|code| Region::from_code(code)) {
        if before.is_scanned(region) != after.is_scanned(region) {
            return Err(format!("{region} is scanned in one only"));
        }
    }
    Ok(())
}

/// The first alias that means another model; which other models have it has no effect.
fn other_alias(before: &Catalog, after: &Catalog) -> Result<(), String> {
    let model = |catalog: &Catalog, alias: &str| {
        let at = catalog.alias(alias)?;
        Some(catalog.model(at).id.clone())
    };
    for alias in ALIASES {
        let [before, after] = [before, after].map(|catalog| model(catalog, alias));
        if before != after {
            return Err(format!("{alias}: {before:?}, then {after:?}"));
        }
    }
    Ok(())
}

/// Merges the export alone and beside the mappings, and compares it with the mappings.
fn comes_back(mappings: &[InferenceProfileMapping]) -> Result<InferenceProfileMapping, String> {
    let before = merge(mappings);
    let exported = merged_mapping("merged", mappings, &before);
    validate::mapping(&exported).map_err(|error| error.to_string())?;
    let alone = merge(std::slice::from_ref(&exported));
    difference(&before, &alone)?;
    other_alias(&before, &alone)?;
    let beside: Vec<_> = mappings.iter().chain([&exported]).cloned().collect();
    difference(&before, &merge(&beside))?;
    Ok(exported)
}

fn route() -> impl Strategy<Value = Route> {
    let state = prop_oneof![Just(None), Just(Some(ProfileState::Retired))];
    let sources = prop::sample::subsequence(&REGIONS[..], 1..=2);
    let destinations = prop_oneof![
        Just(vec![]),
        Just(vec!["*".to_owned()]),
        Just(vec!["eu-west-1".to_owned()])
    ];
    (sources, destinations, state, prop::bool::ANY).prop_map(
        |(sources, destination_regions, state, absent)| Route {
            source_regions: sources.into_iter().map(str::to_owned).collect(),
            destination_regions,
            state,
            absent,
            ..Route::default()
        },
    )
}

fn profile(model: &'static str) -> impl Strategy<Value = Profile> {
    let geographies = prop::sample::select(vec!["us", "eu", "apac", "global"]);
    (geographies, prop::collection::vec(route(), 0..3)).prop_map(move |(geography, routes)| {
        Profile {
            id: format!("{geography}.{model}"),
            geography: geography.to_owned(),
            state: ProfileState::Current,
            routes,
        }
    })
}

fn lifecycle() -> impl Strategy<Value = Option<Lifecycle>> {
    let state = prop_oneof![
        Just(None),
        Just(Some(LifecycleState::Active)),
        Just(Some(LifecycleState::EndOfLife))
    ];
    let ends = prop::option::of(prop::sample::select(vec![
        vec![],
        vec![(vec![], "2027-01-01")],
        vec![(vec!["eu-west-1".to_owned()], "2026-02-03")],
    ]));
    let successor = prop::option::of(Just("anthropic.claude-sonnet-4-6".to_owned()));
    prop::option::of(
        (state, ends, successor).prop_map(|(state, ends, successor)| Lifecycle {
            state,
            end_of_life: ends.map(|ends| {
                let end = |(regions, date): (Vec<String>, &str)| EndOfLife {
                    date: date.to_owned(),
                    regions,
                    confidence: Confidence::High,
                };
                ends.into_iter().map(end).collect()
            }),
            successor,
        }),
    )
}

fn model() -> impl Strategy<Value = Model> {
    let ids = ["anthropic.claude-sonnet-4-6", "anthropic.claude-new-9"];
    prop::sample::select(ids.to_vec()).prop_flat_map(|id| {
        let state = prop_oneof![
            Just(DirectState::Works),
            Just(DirectState::Former),
            Just(DirectState::Never)
        ];
        let direct = prop::collection::vec((prop::sample::select(REGIONS.to_vec()), state), 0..3);
        let aliases = prop::sample::subsequence(&ALIASES[..], 0..=2);
        let profiles = prop::collection::vec(profile(id), 0..3);
        let flags = (prop::bool::ANY, prop::bool::ANY);
        (direct, aliases, profiles, lifecycle(), flags).prop_map(
            move |(direct, aliases, profiles, lifecycle, (unverified, mantle_only))| Model {
                model_id: id.to_owned(),
                aliases: aliases.into_iter().map(str::to_owned).collect(),
                unverified,
                mantle_only,
                direct: direct
                    .into_iter()
                    .map(|(region, state)| DirectRegion {
                        region: region.to_owned(),
                        state,
                    })
                    .collect(),
                lifecycle,
                profiles,
            },
        )
    })
}

fn mappings() -> impl Strategy<Value = Vec<InferenceProfileMapping>> {
    let mapping = (
        -3..3i32,
        prop::collection::vec(model(), 0..3),
        prop::bool::ANY,
    );
    prop::collection::vec(mapping, 1..4).prop_map(|mappings| {
        let named = (0..).zip(mappings);
        named
            .map(|(at, (priority, models, is_scanned)): (usize, _)| {
                let scanned_regions = is_scanned.then(|| REGIONS[at].to_owned());
                let spec = InferenceProfileMappingSpec {
                    priority,
                    catalog_date: None,
                    scanned_regions: scanned_regions.into_iter().collect(),
                    models,
                };
                InferenceProfileMapping::new(&format!("m{at}"), spec)
            })
            .collect()
    })
}

#[test]
fn any_mappings_as_one_merge_to_the_same_catalog() {
    holds(300, &mappings(), |mappings| {
        comes_back(&mappings).map_err(TestCaseError::fail)?;
        Ok(())
    });
}

#[test]
fn the_catalog_with_each_generated_mapping_comes_back() {
    holds(5, &mappings(), |mut mappings| {
        mappings.push(catalog::builtin().unwrap());
        comes_back(&mappings).map_err(TestCaseError::fail)?;
        Ok(())
    });
}

#[test]
fn a_withdrawn_row_is_withdrawn_in_the_export_too() {
    let builtin = catalog::builtin().unwrap();
    let text = fs::read_to_string("docs/samples/london.yaml").unwrap();
    let [Resource::Mapping(london)] = &read(&text, "london.yaml").unwrap()[..] else {
        panic!("london.yaml has one mapping");
    };
    let exported = comes_back(&[builtin, london.clone()]).unwrap();
    assert_eq!(exported.spec.priority, 1);
    let mut models = exported.spec.models.iter();
    let model = models.find(|model| model.model_id == "anthropic.claude-sonnet-4-6");
    let london = DirectRegion {
        region: "eu-west-2".to_owned(),
        state: DirectState::Never,
    };
    assert!(model.unwrap().direct.contains(&london));
}

#[test]
fn the_printed_mapping_is_read_as_the_same_catalog() {
    let printed = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(["export", "mapping", "--name", "ours"])
        .output()
        .unwrap();
    assert!(printed.status.success());
    let text = String::from_utf8(printed.stdout).unwrap();
    let [Resource::Mapping(mapping)] = &read(&text, "printed").unwrap()[..] else {
        panic!("one mapping is printed");
    };
    assert_eq!(mapping.metadata.name.as_deref(), Some("ours"));
    assert_eq!(mapping.spec.priority, 0);
    let builtin = catalog::builtin().unwrap();
    difference(
        &merge(std::slice::from_ref(&builtin)),
        &merge(&[builtin, mapping.clone()]),
    )
    .unwrap();
}
