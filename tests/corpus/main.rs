//! The corpus: manifests and configuration files of other projects, read where they are and never copied into this repository.
//!
//! `index.json` beside them names, for each file, the places that are rewritten and those that only look like it. The tables in
//! `tests/data/corpus/` hold what is expected beyond that; they are written by hand from the files and the rules, never from an
//! answer of the program.
//!
//! The corpus is read from `../shared/corpus`, or from the folder that `BEDROCK_PROFILES_CORPUS` names. Without it the tests
//! that need it count as ignored, and the last line of the run says so; a named folder that cannot be read fails the run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod detection;
#[path = "../support/differences.rs"]
mod differences;
#[path = "../support/facts.rs"]
#[allow(dead_code, reason = "the suite reads more of the facts")]
mod facts;
#[path = "../support/file_runs.rs"]
mod file_runs;
mod mutants;
mod places;
mod table;
mod verdicts;
mod wide;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use places::{Corpus, Location};

/// A test that reads the corpus; it fails by panicking.
type Check = (&'static str, fn(&Corpus));

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let location = Location::from_environment();
    let corpus = match Corpus::open(&location) {
        Ok(corpus) => corpus.map(Arc::new),
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let checks = [detection::CHECKS, verdicts::CHECKS, mutants::CHECKS].concat();
    let ignored = if corpus.is_none() { checks.len() } else { 0 };
    let trials = checks.into_iter().map(|check| trial(check, corpus.clone()));
    let table = Trial::test("table::places_are_expanded", || {
        table::places_are_expanded();
        Ok(())
    });
    let conclusion = libtest_mimic::run(&arguments, trials.chain([table]).collect());
    if ignored > 0 && !arguments.list {
        eprintln!("{ignored} tests ignored: no corpus in {location}");
    }
    conclusion.exit_code()
}

fn trial((name, check): Check, corpus: Option<Arc<Corpus>>) -> Trial {
    let is_absent = corpus.is_none();
    let body = move || {
        check(corpus.as_deref().ok_or("the corpus is absent")?);
        Ok(())
    };
    Trial::test(name, body).with_ignored_flag(is_absent)
}
