//! What becomes of each finding: its region, its verdict under the default policy, and whether a successor cures it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use super::places::{Corpus, Expected, File};
use super::table::{Coverage, Table};
use super::wide;
use crate::facts;
use crate::file_runs::{FileRun, Results};

const DEFAULT: &str = include_str!("../data/corpus/default.txt");
const REGIONS: &str = include_str!("../data/corpus/regions.txt");
const VENDORS: &str = include_str!("../data/corpus/vendors.txt");
const REPLACED: &str = include_str!("../data/corpus/replaced.txt");

/// The default policy in mode Rewrite, with these fields of the spec besides.
fn policy(more: &str) -> FileRun {
    let head = "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfilePolicy\nmetadata: { name: default }\n";
    FileRun {
        policy: Some(format!(
            "{head}spec:\n  mode: Rewrite\n  references: Report\n{more}"
        )),
        mapping: None,
    }
}

/// The tests of this file.
pub(crate) const CHECKS: &[crate::Check] = &[
    (
        "verdicts::every_place_has_the_region_of_the_table",
        every_place_has_the_region_of_the_table,
    ),
    (
        "verdicts::every_finding_has_the_verdict_of_the_table_under_the_default_policy",
        every_finding_has_the_verdict_of_the_table_under_the_default_policy,
    ),
    (
        "verdicts::models_of_every_vendor_have_the_verdict_of_the_table_where_they_are_included",
        models_of_every_vendor_have_the_verdict_of_the_table_where_they_are_included,
    ),
    (
        "verdicts::successors_cure_as_many_places_as_the_table_names",
        successors_cure_as_many_places_as_the_table_names,
    ),
];

fn every_place_has_the_region_of_the_table(corpus: &Corpus) {
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
    let differences = table.judge(corpus, &run, Coverage::Named, str::to_owned);
    differences.settle("which region each place of real manifests calls, and who says so");
}

fn every_finding_has_the_verdict_of_the_table_under_the_default_policy(corpus: &Corpus) {
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
    let run = FileRun::default().run(&corpus.texts());
    let differences = table.judge(corpus, &run, Coverage::Whole, str::to_owned);
    differences.settle("what becomes of each finding in real manifests under the default policy");
}

fn models_of_every_vendor_have_the_verdict_of_the_table_where_they_are_included(corpus: &Corpus) {
    let run = policy("  models: { include: [\"*\"] }\n").run(&corpus.texts());
    let differences = Table::read(VENDORS).judge(corpus, &run, Coverage::Named, str::to_owned);
    differences.settle(
        "what becomes of other vendors' models in real manifests where the policy includes them",
    );
}

fn successors_cure_as_many_places_as_the_table_names(corpus: &Corpus) {
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
    let before = working(corpus, &policy("").run(&corpus.texts()));
    let run = policy(&replacements).run(&corpus.texts());
    let after = working(corpus, &run);
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
    let differences = table.judge(corpus, &run, Coverage::Named, successor);
    differences.settle(
        "how many places of real manifests work with the catalog's successors as replacements",
    );
    assert_eq!((before, after), (3, table.len()));
}

/// How many of the places to be rewritten work then: by a living profile, or by a direct ID that works.
fn working(corpus: &Corpus, run: &Results) -> usize {
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
