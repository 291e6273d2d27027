//! Holds the shipped catalog against the extract of the newest scan, `tests/data/scan.csv`.

use std::collections::BTreeSet;

use bedrock_profiles::api::{DirectState, Model, ProfileState};

use super::{retired_rows, spec};
use crate::facts;

/// A model ID, `direct` or a geography, and a source region.
type Served = (String, String, String);

/// Rows of the catalog that no scan has, with the reason why they are shipped: a model ID, `direct` or a geography, the source
/// regions.
const BEYOND_THE_SCAN: &[(&str, &str, &str, &str)] = &[
    (
        "anthropic.claude-mythos-5-1",
        "us",
        "ca-central-1 ca-west-1 us-east-1 us-east-2 us-west-1 us-west-2",
        "the model card lists the regions; the scan does not have the model",
    ),
    (
        "anthropic.claude-mythos-5-1",
        "global",
        "af-south-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 \
         ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 \
         eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 il-central-1 mx-central-1 sa-east-1 \
         us-east-1 us-east-2 us-west-1 us-west-2",
        "the model card lists the regions; the scan does not have the model",
    ),
];

/// Models of which the scan lists rows that the catalog does not serve, with their number and the reason.
const PAST_THEIR_END: &[(&str, usize, &str)] = &[
    (
        "ai21.jamba-1-5-large-v1:0",
        1,
        "ended after the scan, on 2026-11-26",
    ),
    (
        "ai21.jamba-1-5-mini-v1:0",
        1,
        "ended after the scan, on 2026-11-26",
    ),
    (
        "anthropic.claude-sonnet-4-20250514-v1:0",
        28,
        "ended on 2026-10-14, 13 days before the scan, which is not long enough to contradict the date",
    ),
];

/// Rows that the sources of the update of 2026-11-30 hold to be of low confidence, with what they rest on.
const NOT_SHIPPED: [(&str, &str); 2] = [
    (
        "us-gov.xai.grok-4.7",
        "a price table; the model card denies it",
    ),
    (
        "amazon.nova-2-pro-preview-20251202-v1:0",
        "a price table; in no scan",
    ),
];

/// The `apac` rows that scans of 2026 no longer list: a model, the source regions.
const DROPPED_APAC: [(&str, &str); 4] = [
    (
        "anthropic.claude-3-sonnet-20240229-v1:0",
        "ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-2",
    ),
    (
        "anthropic.claude-3-5-sonnet-20240620-v1:0",
        "ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-2",
    ),
    (
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "ap-northeast-1 ap-northeast-3 ap-south-2 ap-southeast-2",
    ),
    (
        "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-2 ap-southeast-1 ap-southeast-2",
    ),
];

/// What the catalog serves in the scanned regions.
fn served() -> BTreeSet<Served> {
    let spec = spec();
    let mut served = BTreeSet::new();
    for model in &spec.models {
        let mut add = |by: &str, region: &String| {
            if spec.scanned_regions.contains(region) {
                served.insert((model.model_id.clone(), by.to_owned(), region.clone()));
            }
        };
        let works = model
            .direct
            .iter()
            .filter(|row| row.state == DirectState::Works);
        works.for_each(|row| add("direct", &row.region));
        for profile in &model.profiles {
            let routes = profile.routes.iter();
            let served = routes
                .filter(|route| route.state.unwrap_or(profile.state) != ProfileState::Retired);
            served
                .flat_map(|route| &route.source_regions)
                .for_each(|region| add(&profile.geography, region));
        }
    }
    served
}

fn listed(model: &str, by: &str, regions: &str) -> BTreeSet<Served> {
    let regions = regions.split_whitespace();
    regions
        .map(|region| (model.to_owned(), by.to_owned(), region.to_owned()))
        .collect()
}

#[test]
fn each_served_row_of_a_scanned_region_is_in_the_scan_or_listed_with_a_reason() {
    let scanned = facts::scan().served();
    let beyond: BTreeSet<_> = served().difference(&scanned).cloned().collect();
    let listed = BEYOND_THE_SCAN
        .iter()
        .flat_map(|(model, by, regions, _)| listed(model, by, regions));
    assert_eq!(beyond, listed.collect());
}

#[test]
fn no_direct_row_lacks_the_runtime_flag_of_the_scan() {
    let scan = facts::scan();
    let mantle_only = scan.mantle_only();
    assert_eq!(mantle_only.len(), 19);
    for (model, by, region) in served() {
        assert!(
            by != "direct" || !mantle_only.contains(model.as_str()),
            "{model} in {region}"
        );
    }
}

#[test]
fn what_the_scan_alone_lists_is_past_its_end_of_life_or_only_on_mantle() {
    let scan = facts::scan();
    let served = served();
    let facts = facts::models();
    let is_on_mantle = |(model, by, region): &Served| {
        let mut facts = facts.models.iter();
        let ambiguous =
            facts.any(|fact| fact.id == *model && fact.direct_ambiguous.contains(region));
        by == "direct" && (ambiguous || scan.mantle_only().contains(model.as_str()))
    };
    let scanned = scan.served();
    let mut rest: Vec<_> = scanned.difference(&served).collect();
    rest.retain(|row| !is_on_mantle(row));
    for (model, count, _) in PAST_THEIR_END {
        let rows = rest.iter().filter(|(of, _, _)| of == model);
        assert_eq!(rows.count(), *count, "{model}");
        rest.retain(|(of, _, _)| of != model);
    }
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn mantle_ids_have_neither_a_profile_nor_a_region() {
    let spec = spec();
    let marked = spec.models.iter().filter(|model| model.mantle_only);
    let id_without_rows = |model: &Model| {
        let rows = model.profiles.len() + model.direct.len();
        assert_eq!(rows, 0, "{}", model.model_id);
        model.model_id.clone()
    };
    let marked: BTreeSet<_> = marked.map(id_without_rows).collect();
    let scan = facts::scan();
    let facts = facts::models().models;
    let unscanned = facts.iter().filter(|fact| fact.mantle_only);
    let of_others: BTreeSet<_> = facts
        .iter()
        .filter_map(|fact| fact.mantle_id.as_deref())
        .collect();
    assert!(of_others.is_subset(&scan.mantle_only()));
    let expected = unscanned.map(|fact| fact.id.as_str());
    let expected = expected.chain(scan.mantle_only()).map(str::to_owned);
    assert_eq!(marked, expected.collect());
    assert_eq!(marked.len(), 23);
}

#[test]
fn rows_of_low_confidence_are_not_shipped() {
    let spec = spec();
    for (id, _) in NOT_SHIPPED {
        for model in &spec.models {
            assert_ne!(model.model_id, id);
            assert!(
                model.profiles.iter().all(|profile| profile.id != id),
                "{id}"
            );
        }
    }
}

#[test]
fn the_18_apac_rows_that_scans_dropped_are_retired() {
    let retired = retired_rows(&spec().models);
    let matrix = facts::matrix();
    let mut rows = 0;
    for (model, regions) in DROPPED_APAC {
        let profile = format!("apac.{model}");
        for region in regions.split_whitespace() {
            rows += 1;
            assert!(
                retired.contains(&(profile.clone(), region.to_owned())),
                "{profile} {region}"
            );
            let mut matrix = matrix.iter();
            assert!(!matrix.any(|row| row.geo_profile == profile && row.region == region));
        }
        // The others of the profile are still listed.
        let scanned = facts::scan().served();
        let left = scanned
            .iter()
            .filter(|(of, by, _)| of == model && by == "apac");
        for (_, _, region) in left {
            assert!(
                !retired.contains(&(profile.clone(), region.clone())),
                "{profile} {region}"
            );
        }
    }
    assert_eq!(rows, 18);
}
