//! The front end of JSON.
#![no_main]

#[allow(dead_code, reason = "each program runs one of the bodies")]
#[path = "../../tests/support/fuzz_bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::read_json(data));
