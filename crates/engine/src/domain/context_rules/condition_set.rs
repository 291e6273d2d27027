//! The rule conditions that a ConfigMap value satisfies, as a bit set, so that the value itself need not be stored.

use super::{ContextRules, SiblingValue, ValueTest};

/// The conditions over neighbouring names that a value meets, whatever its name is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConditionSet(u64);

/// The distinct tests of values, each with its conditions.
pub(super) type ValueTests = Vec<(ValueTest, ConditionSet)>;

impl ConditionSet {
    pub(super) fn meets(self, condition: usize) -> bool {
        bit(condition).is_some_and(|bit| self.0 & bit != 0)
    }
}

impl ContextRules {
    /// The conditions that `text` meets.
    pub fn conditions_met(&self, text: &str) -> ConditionSet {
        let tests = self.distinct_tests.iter();
        let passed = tests.filter(|(test, _)| test.accepts(SiblingValue::Text(text)));
        ConditionSet(passed.fold(0, |met, (_, conditions)| met | conditions.0))
    }
}

/// The distinct tests of all conditions.
pub(super) fn distinct(conditions: &[ValueTest]) -> ValueTests {
    let mut distinct = ValueTests::new();
    for (at, test) in conditions.iter().enumerate() {
        let bit = bit(at).unwrap_or_default();
        match distinct.iter_mut().find(|(one, _)| one == test) {
            Some((_, conditions)) => conditions.0 |= bit,
            None => distinct.push((*test, ConditionSet(bit))),
        }
    }
    distinct
}

/// The bit of a condition; `None` if the set has no space for it, which a test of the table excludes.
fn bit(condition: usize) -> Option<u64> {
    u32::try_from(condition)
        .ok()
        .and_then(|at| 1_u64.checked_shl(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_meets_the_conditions_that_it_would_meet_by_itself() {
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
                    met.meets(at),
                    test.accepts(SiblingValue::Text(text)),
                    "{text} {test:?}"
                );
            }
        }
        assert!(context_rules.distinct_tests.len() < context_rules.tests.len());
    }

    #[test]
    fn every_condition_has_a_bit() {
        assert!(bit(ContextRules::all().tests.len() - 1).is_some());
        assert!(bit(64).is_none());
    }
}
