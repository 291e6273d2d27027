//! Every test that needs no cluster and no process of its own, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(clippy::too_many_lines, reason = "a table is as long as it is")]

mod architecture;
mod catalog;
mod cli;
mod crds;
mod decision;
mod detection;
#[path = "../support/differences.rs"]
mod differences;
mod every_reason;
#[path = "../support/facts.rs"]
mod facts;
#[path = "../support/file_runs.rs"]
mod file_runs;
mod fuzz;
mod fuzz_bodies;
mod judgement;
pub(crate) mod properties;
mod references;
mod retired_words;
mod reviews;
mod rights;
mod roles;
mod series;
mod server;
mod survey;
mod webhook;
