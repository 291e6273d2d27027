//! The rule conditions that a ConfigMap value satisfies, as a bit set, so that the value itself need not be stored.

use super::{ContextRules, SiblingValue, ValueTest};

/// Which conditions over the names beside an ID a text meets, whatever its own name is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConditionSet(u64);

/// What is asked of a text, and the conditions that ask for it.
pub(super) type ValueTests = Vec<(ValueTest, ConditionSet)>;

impl ConditionSet {
    pub(super) fn meets(self, condition: usize) -> bool {
        bit(condition).is_some_and(|bit| self.0 & bit != 0)
    }
}

impl ContextRules {
    /// What `text` says.
    pub fn heard(&self, text: &str) -> ConditionSet {
        let asked = self.asked.iter();
        let said = asked.filter(|(says, _)| says.accepts(SiblingValue::Text(text)));
        ConditionSet(said.fold(0, |heard, (_, conditions)| heard | conditions.0))
    }
}

/// The questions of all conditions, each of them once.
pub(super) fn asked(conditions: &[ValueTest]) -> ValueTests {
    let mut asked = ValueTests::new();
    for (at, says) in conditions.iter().enumerate() {
        let bit = bit(at).unwrap_or_default();
        match asked.iter_mut().find(|(one, _)| one == says) {
            Some((_, conditions)) => conditions.0 |= bit,
            None => asked.push((*says, ConditionSet(bit))),
        }
    }
    asked
}

/// A condition's place; `None` beyond what there is room for, which a test of the table rules out.
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
            let heard = context_rules.heard(text);
            for (at, says) in context_rules.says.iter().enumerate() {
                assert_eq!(
                    heard.meets(at),
                    says.accepts(SiblingValue::Text(text)),
                    "{text} {says:?}"
                );
            }
        }
        assert!(context_rules.asked.len() < context_rules.says.len());
    }

    #[test]
    fn every_condition_has_its_place() {
        assert!(bit(ContextRules::all().says.len() - 1).is_some());
        assert!(bit(64).is_none());
    }
}
