//! The memory and the outcome of reviews that were made to cost much. The allocator is that of the whole process, so this is a
//! test binary of its own with one test.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::handler::{AdmissionHandler, ConfigMapWait};
use bytes::Bytes;
use peak_alloc::PeakAlloc;

#[path = "../support/costly_reviews.rs"]
mod costly_reviews;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The maximum memory of a review above that of an idle process, its body included, in bytes.
const MOST_MEMORY: usize = 64 << 20;

/// How many generated reviews are sent.
const GENERATED: u64 = 60;

#[test]
fn a_costly_review_takes_little_memory_and_changes_nothing_in_part() {
    for mode in ["Rewrite", "DryRun", "Deny"] {
        let handler = costly_reviews::handler(mode);
        for review in costly_reviews::costly_reviews() {
            let what = format!("{mode}: {}", review.name);
            let response = response_within(&handler, &review.body(), &what);
            let text = std::str::from_utf8(&response).unwrap();
            if review.exceeds {
                assert!(text.contains("TooLarge"), "{what}: {text}");
                assert!(!text.contains("\"patch\""), "{what}: {text}");
                assert!(text.contains("\"allowed\":true"), "{what}: {text}");
            } else {
                assert!(!text.contains("TooLarge"), "{what}: {text}");
            }
        }
    }
    let handler = costly_reviews::handler("Rewrite");
    for seed in 0..GENERATED {
        let (start, body) = costly_reviews::generated_review(seed);
        response_within(&handler, &body, &format!("seed {seed}: {start:?}"));
    }
}

/// The response to a review, whose memory is held, its body included.
fn response_within(handler: &AdmissionHandler, body: &[u8], what: &str) -> Bytes {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let response = handler.handle(Endpoint::Mutate, body, ConfigMapWait::Exhausted);
    let peak = ALLOCATOR.peak_usage() - before + body.len();
    println!("{} KiB, body {} KiB: {what}", peak >> 10, body.len() >> 10);
    assert!(peak <= MOST_MEMORY, "{what}: {peak} bytes");
    response.unwrap()
}
