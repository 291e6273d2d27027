//! Mutants of the corpus: other names, another order, another style, deeper, in a List or a template, and the same verdicts.
//!
//! `SEED` takes another seed, `MUTANTS` another number of mutants for each file. A mutant that fails is kept below `target/`.

use std::fs;
use std::path::Path;

use self::change::Naming;
use self::node::Node;
use self::render::Side;
use self::rng::Rng;
use super::places::{Corpus, File};
use super::wide::{self, Lists};
use crate::differences::Differences;
use crate::file_runs::{FileResult, FileRun};

mod change;
mod node;
mod render;
mod rng;

/// Files in which the name of the variable that holds the ID takes part in its role.
const NAMED_BY_ROLE: [&str; 2] = ["086", "S06"];

/// A file of the corpus, written otherwise.
struct Mutant<'c> {
    of: &'c File,
    name: String,
    before: String,
    after: String,
}

fn number(name: &str, default: u64) -> u64 {
    let found = std::env::var(name).ok();
    found.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
    })
}

/// Mutants of every file that is YAML and that the list of places judges.
fn mutants(corpus: &Corpus, seed: u64, each: u64) -> Vec<Mutant<'_>> {
    let evaluated = corpus
        .files
        .iter()
        .filter(|file| file.places.skip.is_none());
    let mut mutants = Vec::new();
    for file in evaluated {
        let after = file.rewritten(|one| one.needs.is_none());
        if let Some(documents) = node::documents(&file.text, &after) {
            mutants.extend((0..each).map(|number| mutant(file, documents.clone(), seed, number)));
        }
    }
    mutants
}

fn mutant(file: &File, mut documents: Vec<Node>, seed: u64, number: u64) -> Mutant<'_> {
    let mut rng = Rng::of(seed, &file.name, number);
    let naming = if NAMED_BY_ROLE.contains(&file.number()) {
        Naming::PartOfTheRole
    } else {
        Naming::Free
    };
    change::change(&mut documents, naming, &mut rng);
    let is_template = rng.one_in(4) && documents.iter_mut().all(change::template);
    let as_json =
        !is_template && documents.len() == 1 && documents[0].fits_a_line() && rng.one_in(6);
    let written = |side: Side| {
        let mut rng = rng.clone();
        let mut text = String::new();
        for (at, document) in documents.iter().enumerate() {
            if at > 0 || rng.one_in(4) {
                text.push_str("---\n");
            }
            text.push_str(&if as_json {
                render::render_json(document, side, &mut rng)
            } else {
                render::render(document, side, &mut rng)
            });
        }
        if is_template {
            text = format!("{{{{- if .Values.enabled }}}}\n{text}{{{{- end }}}}\n");
        }
        if rng.one_in(8) {
            text = text.replace('\n', "\r\n");
        }
        text
    };
    Mutant {
        of: file,
        name: format!(
            "{}-mutant-{number}.yaml",
            file.name.trim_end_matches(".yaml")
        ),
        before: written(Side::Before),
        after: written(Side::After),
    }
}

/// What is said of a file, wherever it stands there: IDs, verdicts and regions, in an order of their own.
fn verdicts(ran: &FileResult) -> Vec<String> {
    let mut found: Vec<_> = ran
        .found
        .iter()
        .map(|one| {
            let region = one.region.as_deref().unwrap_or("nowhere");
            let source = one.region_source.as_deref().unwrap_or("nobody");
            format!("{} {} {region} {source}", one.before, one.verdict())
        })
        .collect();
    found.sort();
    found
}

/// The tests of this file.
pub(crate) const CHECKS: &[crate::Check] = &[
    (
        "mutants::mutants_keep_the_verdicts_and_every_other_byte",
        mutants_keep_the_verdicts_and_every_other_byte,
    ),
    (
        "mutants::a_mutant_means_what_its_file_means",
        a_mutant_means_what_its_file_means,
    ),
];

fn mutants_keep_the_verdicts_and_every_other_byte(corpus: &Corpus) {
    let (seed, each) = (number("SEED", 20_261_122), number("MUTANTS", 6));
    let mutants = mutants(corpus, seed, each);
    let texts: Vec<_> = mutants
        .iter()
        .map(|one| (one.name.clone(), one.before.clone()))
        .collect();
    let wide = wide::one_geography(Lists::Leave).run(&texts);
    let default = FileRun::default().run(&texts);
    let originals = FileRun::default().run(&corpus.texts());
    let mut differences = Differences::default();
    for one in &mutants {
        let (wide, default) = (&wide.files[&one.name], &default.files[&one.name]);
        let fault = one.fault(wide, default, &originals.files[&one.of.name]);
        differences.judging(&one.name);
        if let Some(Fault {
            place,
            expected,
            got,
        }) = fault
        {
            let kept = keep(one);
            differences.add(
                &one.name,
                format!("{place} (SEED={seed}, {kept})"),
                expected,
                got,
            );
        }
    }
    differences
        .settle("whether real manifests keep their verdicts in another style, order and depth");
}

/// The first thing that is wrong with a mutant.
struct Fault {
    place: &'static str,
    expected: String,
    got: String,
}

impl Mutant<'_> {
    /// What is wrong with its bytes under the wide mapping, or with its verdicts under the default policy.
    fn fault(
        &self,
        wide: &FileResult,
        default: &FileResult,
        original: &FileResult,
    ) -> Option<Fault> {
        let fault = |place, expected: &str, got: String| {
            let expected = expected.to_owned();
            Some(Fault {
                place,
                expected,
                got,
            })
        };
        if let Some(error) = wide.errors.first() {
            return fault("the file", "no error", error.clone());
        }
        if wide.once != self.after {
            let line = first_difference(&wide.once, &self.after);
            return fault(
                "bytes",
                "the rewrite and nothing else",
                format!("another line {line}"),
            );
        }
        if wide.twice != wide.once {
            return fault("a second run", "no change", "a change".to_owned());
        }
        let (got, expected) = (verdicts(default), verdicts(original));
        if got != expected {
            return fault("verdicts", &expected.join("; "), got.join("; "));
        }
        None
    }
}

/// The first line that differs, from 1.
fn first_difference(got: &str, expected: &str) -> usize {
    let same = got
        .lines()
        .zip(expected.lines())
        .take_while(|(got, expected)| got == expected);
    same.count() + 1
}

/// Keeps a mutant for whoever looks into it, and says where.
fn keep(mutant: &Mutant<'_>) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(&mutant.name);
    fs::write(&path, &mutant.before).unwrap();
    path.display().to_string()
}

/// The two sides of a mutant read as its changed documents do, to a reader that shares nothing with the program; so no mutant
/// means something else than the file that it comes from.
fn a_mutant_means_what_its_file_means(corpus: &Corpus) {
    let mut read = 0;
    for one in mutants(corpus, number("SEED", 20_261_122), 3) {
        let scalars = |text: &str| {
            let documents = node::documents(text, text);
            documents.map(|all| all.iter().map(Node::size).sum::<usize>())
        };
        let is_template = one.before.contains("{{- if");
        let (before, after) = (scalars(&one.before), scalars(&one.after));
        assert!(
            is_template || before.is_some(),
            "{}\n{}",
            one.name,
            one.before
        );
        assert_eq!(before, after, "{}", one.name);
        assert_eq!(
            one.before.lines().count(),
            one.after.lines().count(),
            "{}",
            one.name
        );
        let rewritten = one.of.rewritten(|one| one.needs.is_none()).len() - one.of.text.len();
        assert_eq!(
            one.after.len() - one.before.len(),
            rewritten,
            "{}\n{}",
            one.name,
            one.before
        );
        read += usize::from(before.is_some());
    }
    assert!(read > 100, "{read}");
}
