//! What a review costs: its memory at once, and all of its allocations.
#![no_main]

#[path = "../../tests/support/costly_reviews.rs"]
#[allow(dead_code, reason = "the lists of reviews are for the tests")]
mod costly_reviews;
#[path = "../../tests/support/review_costs.rs"]
mod review_costs;

use std::sync::OnceLock;

use bedrock_profiles::webhook::handler::AdmissionHandler;

libfuzzer_sys::fuzz_target!(|input: &str| {
    static HANDLER: OnceLock<AdmissionHandler> = OnceLock::new();
    let handler = HANDLER.get_or_init(|| costly_reviews::handler("Rewrite"));
    let body = costly_reviews::review_of_input(input);
    review_costs::response_within(handler, &body, "an input");
});
