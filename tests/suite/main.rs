//! Every test that needs no cluster and no corpus, in one binary: one module for each room, and `support` beside them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(clippy::too_many_lines, reason = "a table is as long as it is")]

mod architecture;
mod audit;
mod catalog;
mod cli;
mod detect;
mod docs;
mod evaluate;
mod generated;
mod iam;
pub(crate) mod properties;
mod retired_words;
mod security;
mod shell;
mod webhook;

#[path = "../support/bedrock_answers.rs"]
mod bedrock_answers;
#[path = "../support/differences.rs"]
mod differences;
#[path = "../support/facts.rs"]
mod facts;
#[path = "../support/file_runs.rs"]
mod file_runs;
#[path = "../support/fuzz_bodies.rs"]
mod fuzz_bodies;
#[path = "../support/json_schemas.rs"]
mod json_schemas;
#[path = "../support/reviews.rs"]
mod reviews;
#[path = "../support/tls_client.rs"]
mod tls_client;
