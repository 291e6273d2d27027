//! The role of an ID, determined by the names around it: the same text is a setting of one client and a label of another.
//!
//! A table of rules, each with an explanation. The conditions are over names and their values; `syntax` evaluates the ID
//! itself.

use crate::domain::reason::Reason;

mod address;
mod client_rules;
mod compiled;
mod condition_set;
mod document_rules;
mod name_class;
mod name_use;
mod names;
mod pattern;
mod related;
mod value_test;
mod word_starts;

pub use compiled::{ContextRules, MatchedNames, NameScope};
pub use condition_set::ConditionSet;
pub use name_class::NameClass;
pub use name_use::{NameUse, NameUses};
pub use names::{
    NameContext, Sibling, SiblingValue, neighbours_in_list, neighbours_in_mapping, variable,
};
pub(super) use pattern::letters;
pub use value_test::ValueTest;

/// A rule that leaves an ID unchanged because of the names around it.
#[derive(Debug)]
pub struct Rule {
    /// The reason.
    pub reason: Reason,
    /// The conditions, all of which must hold.
    pub when: &'static [Condition],
    /// The exceptions: conditions that prove the opposite.
    pub unless: &'static [Condition],
    /// The explanation for the documentation.
    pub why: &'static str,
}

/// A condition over names. Patterns are in lower case without separators; `*` at either end matches any text.
#[derive(Debug)]
pub enum Condition {
    /// The ID's own key or variable.
    Named(&'static [&'static str]),
    /// The ID's own key or variable, by its class.
    NamedAs(&'static NameClass),
    /// No key or variable: an item of a list or an argument.
    Unnamed,
    /// A word in the route before the ID.
    Route(&'static str),
    /// The use of the ID's own name in another text.
    Used(NameUse),
    /// The key of the mapping that has the ID's own key.
    Mapping(&'static NameClass),
    /// The key of a mapping or list around the ID.
    Under(&'static [&'static str]),
    /// The key of a mapping or list around the ID, by its class.
    UnderA(&'static NameClass),
    /// Another key of the same entry of a document. For names as common as `endpoint`: among the variables of a container,
    /// they may belong to any client.
    Entry(&'static [&'static str], ValueTest),
    /// Another key of the same mapping, or another variable of the same container.
    Beside(&'static [&'static str], ValueTest),
    /// As `Beside`, or a key of a mapping around that one.
    Enclosing(&'static [&'static str], ValueTest),
    /// As `Enclosing`, by the class of the name; a name for another purpose than the ID's own does not count.
    Setting(&'static NameClass, ValueTest),
    /// As `Setting`, for a name with the same stem as the ID's own.
    SameStem(&'static NameClass, ValueTest),
    /// As `Setting`, for a name and a value that are not of another model.
    OfModel(&'static NameClass, ValueTest),
}

/// Every rule, in order of evaluation.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    document_rules::RULES.iter().chain(client_rules::RULES)
}

#[cfg(test)]
mod tests;
