//! What holds for every object: only the intended scalars differ, a second run is empty, nothing panics, and no secret is told.
//!
//! Each property runs from a fixed seed, so that a failure comes again; `SEED` takes another one and `PROPTEST_CASES` more cases.

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

mod fuzz;
mod objects;
mod own_profiles;
mod regions;
mod reviews;
mod scenes;
mod secrets;

/// Runs `test` on `cases` values of `strategy`, or on as many as `PROPTEST_CASES` says.
pub(crate) fn holds<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) where
    S::Value: Debug,
{
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u32>().ok())
    };
    let seed = number("SEED").unwrap_or(20_261_123);
    let config = Config {
        cases: number("PROPTEST_CASES").unwrap_or(cases),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    match TestRunner::new_with_rng(config, rng).run(strategy, test) {
        Ok(()) => {}
        Err(TestError::Fail(why, value)) => panic!("SEED={seed}: {why}\nsmallest case: {value:#?}"),
        Err(TestError::Abort(why)) => panic!("SEED={seed}: {why}"),
    }
}
