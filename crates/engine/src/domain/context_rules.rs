//! The role of an ID, determined by the names around it: the same text is a setting of one client and a label of another.
//!
//! A table of rules, each with an explanation. The conditions are over names and their values; `syntax` evaluates the ID
//! itself.

use crate::domain::placeholder::has_placeholder;
use crate::domain::reason::Reason;
use crate::domain::region::is_bedrock_runtime;

mod condition_set;
mod names;
mod table;

pub use condition_set::ConditionSet;
pub use names::{
    NameContext, Sibling, SiblingValue, neighbours_in_list, neighbours_in_mapping, variable,
};
pub use table::TABLE;

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

/// The test that the value of a neighbouring name must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueTest {
    /// Any value that is not empty.
    Anything,
    /// A name, or an unknown value; not a boolean.
    Name,
    /// True, or an unknown value.
    Yes,
    /// An ARN.
    Arn,
    /// An address that is not Bedrock's own runtime, or an unknown value.
    OtherHost,
    /// An address of bedrock-mantle.
    MantleHost,
    /// A text that matches one of these patterns.
    OneOf(&'static [&'static str]),
}

/// The rules that are evaluated, in order.
#[derive(Debug, Clone)]
pub struct ContextRules {
    rules: Vec<CompiledRule>,
    /// The tests of the conditions over neighbours, by the index in [`CompiledCondition::Beside`].
    tests: Vec<ValueTest>,
    /// The distinct tests, with the conditions that have them.
    distinct_tests: condition_set::ValueTests,
    /// The patterns with the index of the condition, by their last letter, because few names match any.
    by_last: Vec<Vec<(usize, &'static str)>>,
    /// The patterns of [`Condition::Entry`] with the index of the condition.
    entry_patterns: Vec<(usize, &'static str)>,
}

/// A rule whose conditions over neighbours have their indices.
#[derive(Debug, Clone)]
struct CompiledRule {
    reason: Reason,
    when: Vec<CompiledCondition>,
}

/// A [`Condition`], with an index in place of the patterns over neighbours.
#[derive(Debug, Clone, Copy)]
enum CompiledCondition {
    /// The ID's own key or variable.
    Named(&'static [&'static str]),
    /// A key of what encloses the ID.
    Under(&'static [&'static str]),
    /// A neighbour in [`MatchedNames`].
    Beside {
        /// The index of the condition in [`MatchedNames`].
        index: usize,
        /// Whether the enclosing mappings count too.
        enclosing: bool,
    },
}

/// The scope of the names around an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameScope {
    /// The variables of a container or the keys of a ConfigMap. There may be hundreds.
    Settings,
    /// The keys of an entry of a document.
    Entry,
}

// === impl ContextRules ===

impl ContextRules {
    /// All rules of the table.
    pub fn all() -> Self {
        Self::of(TABLE.iter())
    }

    /// All rules except the one at `index` of the table, for tests of the effect of each rule.
    #[must_use]
    pub fn without(index: usize) -> Self {
        let rest = TABLE.iter().enumerate().filter(|(at, _)| *at != index);
        Self::of(rest.map(|(_, rule)| rule))
    }

    fn of(table: impl Iterator<Item = &'static Rule>) -> Self {
        let mut context_rules = Self {
            rules: Vec::new(),
            tests: Vec::new(),
            distinct_tests: condition_set::ValueTests::new(),
            by_last: vec![Vec::new(); 128],
            entry_patterns: Vec::new(),
        };
        for rule in table {
            let when = rule.when.iter();
            let rule = CompiledRule {
                reason: rule.reason,
                when: when.map(|one| context_rules.compile(one)).collect(),
            };
            context_rules.rules.push(rule);
        }
        context_rules.distinct_tests = condition_set::distinct(&context_rules.tests);
        context_rules
    }

    /// Compiles a condition; one over neighbours takes the next index.
    fn compile(&mut self, condition: &'static Condition) -> CompiledCondition {
        let (patterns, test) = match condition {
            Condition::Named(patterns) => return CompiledCondition::Named(patterns),
            Condition::Under(patterns) => return CompiledCondition::Under(patterns),
            Condition::Entry(patterns, test)
            | Condition::Beside(patterns, test)
            | Condition::Enclosing(patterns, test) => (*patterns, *test),
        };
        let index = self.tests.len();
        self.tests.push(test);
        let is_entry = matches!(condition, Condition::Entry(..));
        for pattern in patterns {
            let last = pattern.bytes().last().filter(|_| !is_entry);
            match last.and_then(|last| self.by_last.get_mut(usize::from(last))) {
                Some(patterns) => patterns.push((index, pattern)),
                None => self.entry_patterns.push((index, pattern)),
            }
        }
        CompiledCondition::Beside {
            index,
            enclosing: matches!(condition, Condition::Enclosing(..)),
        }
    }

    /// The names that meet conditions, evaluated once for all IDs among them.
    pub fn matched<'t>(
        &self,
        neighbours: impl Iterator<Item = Sibling<'t>>,
        scope: NameScope,
    ) -> MatchedNames<'t> {
        let mut matched = MatchedNames(vec![[None; 2]; self.tests.len()]);
        for neighbour in neighbours {
            let ends = self.patterns_by_last(neighbour.letters().next_back());
            let entry = self
                .entry_patterns
                .iter()
                .filter(|_| scope == NameScope::Entry);
            for (at, pattern) in ends.iter().chain(entry) {
                if matches_letters(pattern, neighbour.letters())
                    && neighbour.meets(*at, self.tests[*at])
                {
                    matched.add(*at, neighbour.name);
                }
            }
        }
        matched
    }

    /// The patterns that a name with this last letter may match, with the index of the condition.
    fn patterns_by_last(&self, last: Option<char>) -> &[(usize, &'static str)] {
        last.and_then(|last| self.by_last.get(last as usize))
            .map_or(&[], Vec::as_slice)
    }

    /// The reason of the first rule whose conditions all hold in this context.
    pub fn reason(&self, around: &NameContext<'_>) -> Option<Reason> {
        let holds = |rule: &&CompiledRule| rule.when.iter().all(|one| one.holds(around));
        self.rules.iter().find(holds).map(|rule| rule.reason)
    }
}

// === impl CompiledCondition ===

impl CompiledCondition {
    /// Whether the condition holds in this context.
    fn holds(self, around: &NameContext<'_>) -> bool {
        match self {
            Self::Named(patterns) => around.own.is_some_and(|own| matches_any(patterns, own)),
            Self::Under(patterns) => around.path.iter().any(|key| matches_any(patterns, key)),
            Self::Beside { index, enclosing } => {
                let scopes = around
                    .scopes
                    .iter()
                    .take(if enclosing { usize::MAX } else { 1 });
                scopes
                    .into_iter()
                    .any(|matched| matched.by_another(index, around.own))
            }
        }
    }
}

/// The names of one mapping, list or container that meet conditions: for each condition the first two names, because the ID's
/// own name does not count.
#[derive(Debug, Clone)]
pub struct MatchedNames<'t>(Vec<[Option<&'t str>; 2]>);

impl<'t> MatchedNames<'t> {
    fn add(&mut self, condition: usize, name: &'t str) {
        let names = &mut self.0[condition];
        if names[0].is_none() {
            names[0] = Some(name);
        } else if names[1].is_none() && names[0] != Some(name) {
            names[1] = Some(name);
        }
    }

    fn by_another(&self, condition: usize, own: Option<&str>) -> bool {
        self.0[condition]
            .iter()
            .flatten()
            .any(|name| Some(*name) != own)
    }
}

// === impl ValueTest ===

impl ValueTest {
    fn accepts(self, text: SiblingValue<'_>) -> bool {
        let text = match text {
            SiblingValue::Text(text) => text.trim(),
            SiblingValue::Unknown => {
                return !matches!(self, Self::Arn | Self::MantleHost | Self::OneOf(_));
            }
            SiblingValue::Structure => return matches!(self, Self::Anything),
        };
        let is_unknown = has_placeholder(text);
        match self {
            Self::Anything => !text.is_empty(),
            Self::Name => is_unknown || (is_yes(text) && !is_plain_yes(text)),
            Self::Yes => is_unknown || is_yes(text),
            Self::Arn => text.starts_with("arn:"),
            Self::OtherHost => !text.is_empty() && (is_unknown || !is_bedrock_runtime(text)),
            Self::MantleHost => text.contains("bedrock-mantle"),
            Self::OneOf(words) => words.iter().any(|word| fits(word, text)),
        }
    }
}

// === free functions ===

/// Whether a program would read a switch as on: any value except the common forms of false.
fn is_yes(text: &str) -> bool {
    let no = ["", "0", "false", "no", "off", "n", "f", "null", "none"];
    !no.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a value is one of the common forms of true.
fn is_plain_yes(text: &str) -> bool {
    let yes = ["1", "true", "yes", "on", "y", "t", "enabled"];
    yes.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn matches_any(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, name))
}

/// Whether `name` matches `pattern`, regardless of separators and case.
fn fits(pattern: &str, name: &str) -> bool {
    matches_letters(pattern, letters(name))
}

/// Whether the letters of a name match `pattern`.
fn matches_letters(pattern: &str, mut letters: impl DoubleEndedIterator<Item = char>) -> bool {
    let (middle, open_start) = pattern
        .strip_prefix('*')
        .map_or((pattern, false), |rest| (rest, true));
    let (middle, open_end) = middle
        .strip_suffix('*')
        .map_or((middle, false), |rest| (rest, true));
    match (open_start, open_end) {
        (true, true) => letters.collect::<String>().contains(middle),
        (false, true) => middle.chars().all(|one| letters.next() == Some(one)),
        (_, false) => {
            middle
                .chars()
                .rev()
                .all(|one| letters.next_back() == Some(one))
                && (open_start || letters.next_back().is_none())
        }
    }
}

/// A name in lower case, without separators.
pub(super) fn letters(name: &str) -> impl DoubleEndedIterator<Item = char> {
    name.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_regardless_of_separators_and_case() {
        for name in [
            "model_name",
            "modelName",
            "MODEL_NAME",
            "model-name",
            "ModelName",
        ] {
            assert!(fits("modelname", name), "{name}");
        }
        assert!(!fits("modelname", "the_model_name"));
        assert!(fits("*modelname", "the_model_name"));
        assert!(fits("model*", "model_name"));
        assert!(!fits("name*", "model_name"));
        assert!(fits("*odel*", "MY_MODEL_NAME"));
        assert!(!fits("modelname", ""));
    }

    #[test]
    fn a_switch_with_an_unknown_value_may_be_on() {
        for text in [
            "1",
            "true",
            "TRUE",
            "yes",
            "on",
            "$(X)",
            "{{ .Values.mantle }}",
        ] {
            assert!(ValueTest::Yes.accepts(SiblingValue::Text(text)), "{text}");
        }
        for text in ["", "0", "false", "False", "no", "off"] {
            assert!(!ValueTest::Yes.accepts(SiblingValue::Text(text)), "{text}");
        }
        assert!(ValueTest::Yes.accepts(SiblingValue::Unknown));
    }

    #[test]
    fn a_switch_is_not_a_name() {
        for text in ["", "true", "false", "0", "1", "no"] {
            assert!(!ValueTest::Name.accepts(SiblingValue::Text(text)), "{text}");
        }
        for text in [
            "us",
            "arn:aws:bedrock:us-east-1:1:inference-profile/x",
            "$(PROFILE)",
        ] {
            assert!(ValueTest::Name.accepts(SiblingValue::Text(text)), "{text}");
        }
        assert!(ValueTest::Name.accepts(SiblingValue::Unknown));
    }

    #[test]
    fn bedrocks_own_runtime_is_not_another_host() {
        let own = "https://bedrock-runtime.us-east-1.amazonaws.com";
        let private = "https://vpce-0a1b.bedrock-runtime.eu-west-1.vpce.amazonaws.com";
        for text in [own, private, ""] {
            assert!(
                !ValueTest::OtherHost.accepts(SiblingValue::Text(text)),
                "{text}"
            );
        }
        for text in [
            "http://litellm:4000",
            "https://api.openai.com/v1",
            "$(GATEWAY)",
        ] {
            assert!(
                ValueTest::OtherHost.accepts(SiblingValue::Text(text)),
                "{text}"
            );
        }
    }

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
