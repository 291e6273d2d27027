//! What becomes of each finding: its region, its verdict under the default policy, and whether a successor cures it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use super::places::{Corpus, Expected, File};
use super::rig::{Run, World};
use super::table::{Coverage, Table};
use super::wide;
use crate::facts;

const DEFAULT: &str = include_str!("../../data/corpus/default.txt");
const REGIONS: &str = include_str!("../../data/corpus/regions.txt");
const VENDORS: &str = include_str!("../../data/corpus/vendors.txt");
const REPLACED: &str = include_str!("../../data/corpus/replaced.txt");

/// The default policy in mode Rewrite, with these fields of the spec besides.
fn policy(more: &str) -> World {
    let head = "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfilePolicy\nmetadata: { name: default }\n";
    World {
        policy: Some(format!(
            "{head}spec:\n  mode: Rewrite\n  references: Report\n{more}"
        )),
        mapping: None,
    }
}

#[test]
fn every_place_calls_the_region_that_the_table_says() {
    let check = "which region each place of real manifests calls, and who says so";
    let Some(corpus) = Corpus::open(check) else {
        return;
    };
    let table = Table::read(REGIONS);
    let expected: usize = corpus
        .files
        .iter()
        .map(|file| file.places.expected.len())
        .sum();
    assert_eq!(
        table.len(),
        expected,
        "the table names every place that is rewritten"
    );
    let run = wide::geographies_of_their_own().run(&corpus.texts());
    let differences = table.judge(&corpus, &run, Coverage::Named, str::to_owned);
    differences.settle(check);
}

#[test]
fn every_finding_has_the_verdict_of_the_table_under_the_default_policy() {
    let check = "what becomes of each finding in real manifests under the default policy";
    let Some(corpus) = Corpus::open(check) else {
        return;
    };
    let table = Table::read(DEFAULT);
    for file in &corpus.files {
        let expected = file.places.expected.iter().map(|one| &one.place);
        let untouched = file.places.untouched.iter().map(|one| &one.place);
        for place in expected.chain(untouched) {
            let named = place
                .line()
                .map_or_else(|| place.key(), |line| format!("line:{line}"));
            assert!(
                table.names(file, &named),
                "{}: {named} is in no row",
                file.name
            );
        }
    }
    let run = World::default().run(&corpus.texts());
    let differences = table.judge(&corpus, &run, Coverage::Whole, str::to_owned);
    differences.settle(check);
}

#[test]
fn models_of_every_vendor_have_the_verdict_of_the_table_where_they_are_included() {
    let check =
        "what becomes of other vendors' models in real manifests where the policy includes them";
    let Some(corpus) = Corpus::open(check) else {
        return;
    };
    let run = policy("  models: { include: [\"*\"] }\n").run(&corpus.texts());
    let differences = Table::read(VENDORS).judge(&corpus, &run, Coverage::Named, str::to_owned);
    differences.settle(check);
}

#[test]
fn successors_cure_as_many_places_as_the_table_names() {
    let check =
        "how many places of real manifests work with the catalog's successors as replacements";
    let Some(corpus) = Corpus::open(check) else {
        return;
    };
    let facts = facts::models();
    let successors: BTreeMap<_, _> = facts
        .models
        .iter()
        .filter_map(|model| Some((&*model.id, model.successor.as_deref()?)))
        .collect();
    let mut replacements = "  replacements:\n".to_owned();
    for (from, to) in &successors {
        writeln!(replacements, "  - {{ from: \"{from}\", to: \"{to}\" }}").unwrap();
    }
    let table = Table::read(REPLACED);
    let before = working(&corpus, &policy("").run(&corpus.texts()));
    let run = policy(&replacements).run(&corpus.texts());
    let after = working(&corpus, &run);
    let all: usize = corpus
        .files
        .iter()
        .map(|file| file.places.expected.len())
        .sum();
    let mut out = std::io::stderr();
    writeln!(
        out,
        "of {all} places in the corpus {before} work, and {after} with successors as replacements"
    )
    .unwrap();
    let successor = |id: &str| (*successors.get(id).unwrap_or(&id)).to_owned();
    let differences = table.judge(&corpus, &run, Coverage::Named, successor);
    differences.settle(check);
    assert_eq!((before, after), (3, table.len()));
}

/// How many of the places to be rewritten work then: by a living profile, or by a direct ID that works.
fn working(corpus: &Corpus, run: &Run) -> usize {
    let places = corpus
        .files
        .iter()
        .flat_map(|file| file.places.expected.iter().map(move |one| (file, one)));
    let works = |(file, one): &(&File, &Expected)| {
        let found = &run.files[&file.name].found;
        found.iter().any(|found| {
            found.place() == one.place.key()
                && found.before == one.id
                && match &found.reason {
                    Some(reason) => reason == "WorksDirectly",
                    None => found.note.is_none(),
                }
        })
    };
    places.filter(works).count()
}
