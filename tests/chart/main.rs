//! The Helm chart, held against what it promises. Helm and the other tools are built once into `target/chart/` from Go modules
//! that `assets/` pins (six minutes on two cores), and Python programs from hashed requirements, whatever the machine has.
//!
//! `UPDATE=1 cargo test --test chart` writes what is generated anew: goldens, schema of the policy, README, manifests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(clippy::too_many_lines, reason = "a table is as long as it is")]

mod alerts;
#[path = "../support/metrics.rs"]
mod exposition;
mod generated;
#[path = "../support/go.rs"]
mod go;
mod goldens;
mod health;
mod helm;
mod integrations;
#[path = "../support/kubeconform.rs"]
mod kubeconform;
mod lints;
mod manifests;
mod metrics;
#[path = "../support/tools.rs"]
mod pinned;
mod refusals;
mod schema;
mod subchart;
mod switches;
mod tools;
#[path = "../support/tree_value.rs"]
mod tree_value;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let trials = [
        generated::trials(),
        goldens::trials(),
        refusals::trials(),
        switches::trials(),
        subchart::trials(),
        alerts::trials(),
        health::trials(),
        integrations::trials(),
        lints::trials(),
        manifests::trials(),
        metrics::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A trial of this name; it fails by panicking.
fn trial(name: impl Into<String>, body: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        body();
        Ok(())
    })
}
