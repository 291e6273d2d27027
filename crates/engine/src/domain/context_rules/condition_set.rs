//! The tests that a value of a ConfigMap passes, as a bit set, so that the value itself need not be stored.

use super::{ContextRules, SiblingValue};

/// The distinct tests of values that a value passes, whatever its name is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ConditionSet(u64);

impl ConditionSet {
    /// Whether the value passes the test with this index in [`ContextRules::tests`].
    pub(super) fn passes(self, test: usize) -> bool {
        bit(test).is_some_and(|bit| self.0 & bit != 0)
    }
}

impl ContextRules {
    /// The tests that `text` passes.
    pub fn conditions_met(&self, text: &str) -> ConditionSet {
        let tests = self.tests.iter().enumerate();
        let passed = tests.filter(|(_, test)| test.accepts(SiblingValue::Text(text)));
        ConditionSet(
            passed
                .filter_map(|(at, _)| bit(at))
                .fold(0, |met, bit| met | bit),
        )
    }
}

/// The bit of a test; `None` if the set has no space for it, which a test of the table excludes.
fn bit(test: usize) -> Option<u64> {
    u32::try_from(test)
        .ok()
        .and_then(|at| 1_u64.checked_shl(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_passes_the_tests_that_it_would_pass_by_itself() {
        let context_rules = ContextRules::all();
        for text in [
            "",
            "1",
            "false",
            "us",
            "$(X)",
            "arn:aws:bedrock:us-east-1:1:inference-profile/x",
            "http://litellm:4000",
            "https://bedrock-mantle.us-east-1.api.aws",
            "https://bedrock-runtime.us-east-1.amazonaws.com",
            "vertex_ai",
            "openai",
        ] {
            let met = context_rules.conditions_met(text);
            for (at, test) in context_rules.tests.iter().enumerate() {
                assert_eq!(
                    met.passes(at),
                    test.accepts(SiblingValue::Text(text)),
                    "{text} {test:?}"
                );
            }
        }
    }

    #[test]
    fn every_test_has_a_bit() {
        assert!(bit(ContextRules::all().tests.len() - 1).is_some());
        assert!(bit(64).is_none());
    }
}
