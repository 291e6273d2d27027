//! Reviews as they reach the webhook.
#![no_main]

include!("../target.rs");
fuzz!(answer_review);
