//! The role of an ID, determined by the names around it: the same text is a setting of one client and a label of another.
//!
//! A table of rules, each with an explanation. The conditions are over names and their values; `syntax` evaluates the ID
//! itself.

use crate::domain::reason::Reason;

mod compiled;
mod condition_set;
mod names;
mod pattern;
mod table;
mod value_test;

pub use compiled::{ContextRules, MatchedNames, NameScope};
pub use condition_set::ConditionSet;
pub use names::{
    NameContext, Sibling, SiblingValue, neighbours_in_list, neighbours_in_mapping, variable,
};
pub(super) use pattern::letters;
pub use table::TABLE;
pub use value_test::ValueTest;

/// A rule that leaves an ID unchanged because of the names around it.
#[derive(Debug)]
pub struct Rule {
    /// The reason.
    pub reason: Reason,
    /// The conditions, all of which must hold.
    pub when: &'static [Condition],
    /// The explanation for the documentation.
    pub why: &'static str,
}

/// A condition over names. Patterns are in lower case without separators; `*` at either end matches any text.
#[derive(Debug)]
pub enum Condition {
    /// The ID's own key or variable.
    Named(&'static [&'static str]),
    /// The key of a mapping or list around the ID.
    Under(&'static [&'static str]),
    /// Another key of the same entry of a document. For names as common as `endpoint`: among the variables of a container,
    /// they may belong to any client.
    Entry(&'static [&'static str], ValueTest),
    /// Another key of the same mapping, or another variable of the same container.
    Beside(&'static [&'static str], ValueTest),
    /// As `Beside`, or a key of a mapping around that one.
    Enclosing(&'static [&'static str], ValueTest),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_settings_have_a_last_letter() {
        for condition in TABLE.iter().flat_map(|rule| rule.when) {
            if let Condition::Beside(patterns, _) | Condition::Enclosing(patterns, _) = condition {
                assert!(
                    patterns.iter().all(|one| !one.ends_with('*')),
                    "{patterns:?}"
                );
            }
        }
    }

    #[test]
    fn patterns_are_in_lower_case_without_separators() {
        let patterns = TABLE
            .iter()
            .flat_map(|rule| rule.when)
            .flat_map(|when| match when {
                Condition::Named(patterns)
                | Condition::Under(patterns)
                | Condition::Entry(patterns, _)
                | Condition::Beside(patterns, _)
                | Condition::Enclosing(patterns, _) => patterns.iter(),
            });
        for pattern in patterns {
            let middle = pattern.trim_matches('*');
            assert_eq!(letters(middle).collect::<String>(), middle);
        }
    }
}
