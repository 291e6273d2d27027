// The program of a fuzz target. `fuzz/targets/NAME.rs` includes this file and names a body of `tests/support/fuzz_bodies.rs`.

#[allow(dead_code, reason = "each program runs one of the bodies")]
#[path = "../tests/support/fuzz_bodies.rs"]
mod bodies;

/// Defines the entry point of libFuzzer, which passes each input to the body.
macro_rules! fuzz {
    ($body:ident) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::$body(data));
    };
}
