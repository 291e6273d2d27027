//! The corpus: manifests and configuration files of other people, read where they lie and never kept here.
//!
//! Each has its places named beside it: those that are rewritten, and those that look alike and stay. What is expected
//! beyond that stands in the tables of `tests/data/corpus/`, which were written by hand from the files and the rules, never
//! from an answer of the program. A clone without the corpus checks nothing here, and says so.

mod detection;
pub(crate) mod differences;
mod mutants;
mod places;
pub(crate) mod rig;
mod table;
mod verdicts;
mod wide;
