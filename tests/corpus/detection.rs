//! Every place is found and rewritten exactly, and every other byte stays.

use super::places::{Corpus, Expected, File, Needs};
use super::wide::{self, Lists};
use crate::differences::Differences;
use crate::file_runs::{FileResult, ReportedFinding};

/// A file of which the list of places judges nothing but that it stays where lists do.
const UNTOUCHED_AS_A_LIST: &str = "S02";

/// The tests of this file.
pub(crate) const CHECKS: &[crate::Check] = &[
    (
        "detection::every_place_is_rewritten_and_every_other_byte_stays",
        every_place_is_rewritten_and_every_other_byte_stays,
    ),
    (
        "detection::lists_are_rewritten_under_the_policy_field_lists",
        lists_are_rewritten_under_the_policy_field_lists,
    ),
];

fn every_place_is_rewritten_and_every_other_byte_stays(corpus: &Corpus) {
    let differences = evaluated(corpus, Lists::Leave, |_| true);
    differences.settle("which places of real manifests are rewritten, byte by byte");
}

fn lists_are_rewritten_under_the_policy_field_lists(corpus: &Corpus) {
    let lists = |file: &File| {
        file.places
            .expected
            .iter()
            .any(|one| one.needs == Some(Needs::Lists))
    };
    let differences = evaluated(corpus, Lists::Rewrite, lists);
    differences
        .settle("which lists of real manifests are rewritten under lists: Rewrite, byte by byte");
}

/// Judges these files under the wide mapping.
fn evaluated(corpus: &Corpus, lists: Lists, counts: impl Fn(&File) -> bool) -> Differences {
    let run = wide::one_geography(lists).run(&corpus.texts());
    let mut differences = Differences::default();
    for file in corpus.files.iter().filter(|file| counts(file)) {
        let ran = &run.files[&file.name];
        differences.judging(&file.name);
        for error in &ran.errors {
            differences.add(&file.name, "the file", "no error", error);
        }
        if ran.once != ran.twice {
            differences.add(&file.name, "a second run", "no change", "a change");
        }
        let left_out = file.places.skip.is_some()
            && !(file.number() == UNTOUCHED_AS_A_LIST && lists == Lists::Leave);
        if !left_out {
            places(file, ran, lists, &mut differences);
            bytes(file, ran, lists, &mut differences);
        }
    }
    differences
}

/// What a place that is not rewritten yet is left for.
fn waits(one: &Expected, lists: Lists) -> Option<&'static str> {
    match one.needs {
        Some(Needs::Region) => Some("RegionOutOfSight"),
        Some(Needs::Lists) if lists == Lists::Leave => Some("ListLeft"),
        Some(Needs::Lists) | None => None,
    }
}

fn places(file: &File, ran: &FileResult, lists: Lists, differences: &mut Differences) {
    for one in &file.places.expected {
        let here = |found: &&ReportedFinding| {
            Some(&*found.pointer) == one.place.pointer()
                && found.inner_pointer == one.place.inner
                && found.before == one.id
        };
        let got = ran
            .found
            .iter()
            .find(here)
            .map_or_else(|| "no finding".to_owned(), ReportedFinding::verdict);
        let expected = waits(one, lists).map_or_else(|| format!("us.{}", one.id), str::to_owned);
        if got != expected {
            differences.add(&file.name, &one.place, expected, got);
        }
    }
    for one in &file.places.untouched {
        let here = |found: &&ReportedFinding| {
            let there = match one.place.line() {
                Some(line) => found.source.line == line,
                None => {
                    Some(&*found.pointer) == one.place.pointer()
                        && found.inner_pointer == one.place.inner
                }
            };
            there && found.before == one.token && found.outcome == "Rewrite"
        };
        if let Some(found) = ran.found.iter().find(here) {
            differences.add(
                &file.name,
                &one.place,
                format!("untouched ({})", one.why),
                found.verdict(),
            );
        }
    }
}

fn bytes(file: &File, ran: &FileResult, lists: Lists, differences: &mut Differences) {
    let expected = file.rewritten(|one| waits(one, lists).is_none());
    if ran.once == expected {
        return;
    }
    let pairs = ran
        .once
        .split_inclusive('\n')
        .zip(expected.split_inclusive('\n'));
    let lines: Vec<_> = pairs
        .enumerate()
        .filter(|(_, (got, expected))| got != expected)
        .map(|(at, _)| (at + 1).to_string())
        .collect();
    let (got, length) = (ran.once.len(), expected.len());
    let lines = lines.join(", ");
    differences.add(
        &file.name,
        format!("lines {lines}"),
        format!("{length} bytes"),
        format!("{got}, and other ones"),
    );
}
