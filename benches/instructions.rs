//! The instructions of the handler per review, without the server around it: `cargo bench --bench instructions [-- WORD]`.
//!
//! callgrind counts them, so they are the same at each run of one binary, on a busy machine too. A run of the handler `FEW` times is
//! subtracted from one of `MANY` times: what the first review costs more is no part of the figure. Needs valgrind.
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up ends")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

use bedrock_profiles::cli::evaluation_args::EvaluationArgs;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::handler::{AdmissionHandler, ConfigMapWait};
use bedrock_profiles::webhook::metrics::Metrics;
use prometheus_client::registry::Registry;

mod bodies;

/// Reviews of the two runs whose difference counts.
const FEW: u64 = 10;
const MANY: u64 = 60;

fn main() {
    let words: Vec<_> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["handle", name, count] => handle(name, count.parse().unwrap()),
        words => {
            let word = words.first().copied().unwrap_or_default();
            for (name, body) in bodies::reviews() {
                if name.contains(word) {
                    let each = (instructions(name, MANY) - instructions(name, FEW)) / (MANY - FEW);
                    println!("{name:<55} {:>7} bytes {each:>10} instructions", body.len());
                }
            }
        }
    }
}

/// The instructions of a process that handles a review several times.
fn instructions(name: &str, count: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(["handle", name, &count.to_string()])
        .output()
        .expect("valgrind; to install it, on Debian: apt-get install valgrind");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
    let mut words = text
        .split_whitespace()
        .skip_while(|word| *word != "Collected");
    words.nth(2).unwrap().parse().unwrap()
}

fn handle(name: &str, count: u64) {
    let evaluation = EvaluationArgs {
        today: "2026-11-23".parse().ok(),
        ..EvaluationArgs::default()
    };
    let policy = serde_json::json!({ "mode": "Rewrite", "references": "Off" });
    let (view, _) = evaluation
        .view(serde_json::from_value(policy).unwrap())
        .unwrap();
    let handler = AdmissionHandler::new(
        Arc::new(Published::new(Some(view))),
        Metrics::register(&mut Registry::default()),
        BTreeSet::new(),
        evaluation.today(),
    );
    let body = &bodies::reviews()[name];
    for _ in 0..count {
        let response = handler.handle(Endpoint::Mutate, body, ConfigMapWait::Exhausted);
        std::hint::black_box(response).unwrap();
    }
}
