//! Holds the lifecycles of the shipped catalog against the facts in `tests/data/`.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_profiles::api::{Confidence, LifecycleState, Model};
use jiff::ToSpan;
use jiff::civil::Date;

use super::{by_id, confidence, spec};
use crate::facts;

/// Regions where the scan found the model, directly or through a profile.
fn was_alive(
    model: &facts::Model,
    scanned: &BTreeSet<(String, String, String)>,
) -> BTreeSet<String> {
    let rows = scanned.iter().filter(|(id, _, _)| *id == model.id);
    rows.map(|(_, _, region)| region.clone()).collect()
}

/// The end of life that applies in one region, as the catalog has it.
fn end_of_life<'m>(model: &'m Model, region: &str) -> Option<(&'m str, Confidence)> {
    let entries = model.lifecycle.as_ref()?.end_of_life.as_deref()?;
    let named = entries
        .iter()
        .find(|entry| entry.regions.iter().any(|named| named == region));
    let entry = named.or_else(|| entries.iter().find(|entry| entry.regions.is_empty()))?;
    Some((&entry.date, entry.confidence))
}

/// The end of life that was announced for each region; the empty name means every other region.
fn announced<'f>(fact: &'f facts::Model, retired: &'f [facts::Gone]) -> BTreeMap<&'f str, &'f str> {
    let mut dates = BTreeMap::new();
    let Some(date) = &fact.eol_date else {
        return dates;
    };
    if fact.status == "legacy-partial-eol" {
        let gone = retired
            .iter()
            .filter(|gone| gone.model_id == fact.id && gone.use_ == "map");
        let gone = gone
            .map(|gone| &gone.source_region)
            .chain(&fact.direct_formerly);
        dates.extend(gone.map(|region| (region.as_str(), date.as_str())));
    } else {
        dates.insert("", date.as_str());
    }
    for (date, regions) in &fact.eol_regions {
        dates.extend(
            regions
                .iter()
                .map(|region| (region.as_str(), date.as_str())),
        );
    }
    dates
}

#[test]
fn lifecycle_has_state_and_successor() {
    let spec = spec();
    let models = by_id(&spec.models);
    for fact in facts::models().models {
        let lifecycle = models[fact.id.as_str()]
            .lifecycle
            .clone()
            .unwrap_or_default();
        let expected = match fact.status.as_str() {
            "active" => Some(LifecycleState::Active),
            "legacy" | "legacy-partial-eol" => Some(LifecycleState::Legacy),
            "eol" => Some(LifecycleState::EndOfLife),
            _ => None,
        };
        assert_eq!(lifecycle.state, expected, "{}", fact.id);
        assert_eq!(lifecycle.successor, fact.successor, "{}", fact.id);
    }
}

#[test]
fn a_date_counts_in_each_region_unless_a_scan_more_than_30_days_later_found_the_model_there() {
    let spec = spec();
    let models = by_id(&spec.models);
    let (scan, retired, facts) = (facts::scan(), facts::retired(), facts::models());
    let day = |text: &str| text.parse::<Date>().unwrap();
    let contradicts = |date: &str| day(&scan.date) > day(date).checked_add(30.days()).unwrap();
    let scanned_rows = scan.served();
    let scanned = facts.scanned_regions.iter().map(String::as_str);
    let regions: Vec<_> = scanned
        .chain(["us-gov-east-1", "us-gov-west-1", "me-central-1"])
        .collect();
    let mut known = 0;
    for fact in &facts.models {
        let dates = announced(fact, &retired);
        let alive = was_alive(fact, &scanned_rows);
        let doubt = fact.eol_confidence.as_deref().unwrap_or("high");
        for region in &regions {
            let date = dates.get(region).or_else(|| dates.get("")).copied();
            let expected = date.filter(|date| !contradicts(date) || !alive.contains(*region));
            let expected = expected.map(|date| (date, confidence(doubt)));
            known += usize::from(expected.is_some());
            assert_eq!(
                end_of_life(models[fact.id.as_str()], region),
                expected,
                "{} {region}",
                fact.id
            );
        }
    }
    assert!(known > 150, "only {known} dates");
}

#[test]
fn successors_are_alive_and_have_profiles_in_the_four_large_geographies() {
    let spec = spec();
    let models = by_id(&spec.models);
    for model in &spec.models {
        let Some(successor) = model
            .lifecycle
            .as_ref()
            .and_then(|lifecycle| lifecycle.successor.as_deref())
        else {
            continue;
        };
        let successor = models[successor];
        assert_eq!(
            successor.lifecycle.as_ref().unwrap().state,
            Some(LifecycleState::Active)
        );
        for geography in ["us", "eu", "jp", "au"] {
            assert!(
                successor
                    .profiles
                    .iter()
                    .any(|profile| profile.geography == geography)
            );
        }
    }
}
