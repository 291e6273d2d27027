//! Texts of every format, by a name and by their content.
#![no_main]

#[allow(dead_code, reason = "each program runs one of the bodies")]
#[path = "../../tests/support/fuzz_bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::read_embedded(data));
