//! The memory and the outcome of reviews that were made to cost much, and the memory of audits of files.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

#[path = "../support/costly_reviews.rs"]
mod costly_reviews;
mod files;
#[path = "../support/review_costs.rs"]
mod review_costs;

use review_costs::{costs, response_within};
use serde_json::json;

/// How many generated reviews are sent.
const GENERATED: u64 = 60;

#[test]
fn a_costly_review_takes_little_memory_and_changes_nothing_in_part() {
    let mut wrong = Vec::new();
    for mode in ["Rewrite", "DryRun", "Deny"] {
        let handler = costly_reviews::handler(mode);
        for review in costly_reviews::costly_reviews() {
            let what = format!("{mode}: {}", review.name);
            let response = response_within(&handler, &review.body(), &what);
            let text = std::str::from_utf8(&response).unwrap();
            let exceeds = text.contains("TooLarge");
            if exceeds != review.exceeds {
                wrong.push(format!("{what}: TooLarge is {exceeds}"));
            }
            if exceeds {
                assert!(!text.contains("\"patch\""), "{what}: {text}");
                assert!(text.contains("\"allowed\":true"), "{what}: {text}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn generated_reviews_take_little_memory() {
    let handler = costly_reviews::handler("Rewrite");
    for seed in 0..GENERATED {
        let (start, body) = costly_reviews::generated_review(seed);
        response_within(&handler, &body, &format!("seed {seed}: {start:?}"));
    }
}

/// The bytes of the object are searched, and nothing else.
#[test]
fn a_review_that_no_policy_selects_costs_no_more_than_a_miss() {
    const MISS: usize = 16 << 10;
    let handler =
        costly_reviews::handler_of(json!({"mode": "Rewrite", "match": {"resources": ["Pod"]}}));
    for review in costly_reviews::costly_reviews() {
        let body = String::from_utf8(review.body()).unwrap();
        let excluded = body.replacen("\"namespace\":\"ml\"", "\"namespace\":\"excluded\"", 1);
        let of_pod = body.contains(r#""resource":"pods""#);
        for body in [Some(&body).filter(|_| !of_pod), Some(&excluded)]
            .into_iter()
            .flatten()
        {
            let costs = costs(&handler, body.as_bytes());
            assert!(costs.allocated <= MISS, "{}: {costs:?}", review.name);
        }
    }
}

/// The seeds of the fuzz target, each of which is the shortest form of a kind of costly review.
#[test]
fn the_seeds_of_the_fuzz_target_take_little_memory() {
    let handler = costly_reviews::handler("Rewrite");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/cost");
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let input = std::fs::read_to_string(&path).unwrap();
        let body = costly_reviews::review_of_input(&input);
        response_within(&handler, &body, &path.display().to_string());
        seeds += 1;
    }
    assert!(seeds > 2, "{seeds} seeds");
}
