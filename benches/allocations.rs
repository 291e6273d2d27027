//! What a review allocates, without the server around it: `cargo bench --bench allocations`.
//!
//! The counts are those of the program and the same on every machine; the times beside them are not.

#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up ends")]

use std::{collections::BTreeSet, sync::Arc};

use bedrock_profiles::{
    cli::evaluation_args::EvaluationArgs,
    runtime::published::Published,
    webhook::{
        action::Endpoint,
        handler::{AdmissionHandler, ConfigMapWait},
        metrics::Metrics,
    },
};
use divan::{AllocProfiler, Bencher};
use prometheus_client::registry::Registry;

mod bodies;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn handler() -> AdmissionHandler {
    let evaluation = EvaluationArgs {
        today: "2026-11-23".parse().ok(),
        ..EvaluationArgs::default()
    };
    let policy = serde_json::json!({"mode": "Rewrite", "references": "Off"});
    let policy = serde_json::from_value(policy).expect("a policy");
    let (view, _) = evaluation.view(policy).expect("the built-in catalog");
    AdmissionHandler::new(
        Arc::new(Published::new(Some(view))),
        Metrics::register(&mut Registry::default()),
        BTreeSet::new(),
        evaluation.today(),
    )
}

#[divan::bench(args = bodies::reviews().into_keys())]
fn answer(bencher: Bencher<'_, '_>, name: &str) {
    let handler = handler();
    let body = &bodies::reviews()[name];
    bencher.bench_local(|| handler.handle(Endpoint::Mutate, body, ConfigMapWait::Exhausted));
}
