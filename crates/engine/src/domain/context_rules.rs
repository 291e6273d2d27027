//! Rules that leave an ID unchanged for the names around it: the same text is a setting of one client and a label for another.
//!
//! A table of rules, each with why. Sees names and the texts beside them; the syntax of the ID itself is determined elsewhere.

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

/// A reason not to change an ID, from the names around it.
#[derive(Debug)]
pub struct Rule {
    /// The reason.
    pub reason: Reason,
    /// All of these hold.
    pub when: &'static [Condition],
    /// Why an ID in this role must not move, for people.
    pub why: &'static str,
}

/// A condition over names. In a pattern, which is in small letters without separators, `*` at either end matches anything.
#[derive(Debug)]
pub enum Condition {
    /// The ID's own key or variable.
    Named(&'static [&'static str]),
    /// A key of what encloses the ID.
    Under(&'static [&'static str]),
    /// Another key of the same entry of a document. Names that are as common as `endpoint` say something there alone: among the
    /// variables of a container they are of anybody.
    Entry(&'static [&'static str], ValueTest),
    /// Another key of the same mapping, another variable of the same container.
    Beside(&'static [&'static str], ValueTest),
    /// The same, or a key of a mapping around it.
    Enclosing(&'static [&'static str], ValueTest),
}

/// What a neighbour has to say for a rule to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueTest {
    /// Anything: it is there and not empty.
    Anything,
    /// A name, or something that cannot be read here; neither yes nor no.
    Name,
    /// Yes: what cannot be read here may be one.
    Yes,
    /// An ARN.
    Arn,
    /// An address that is not Bedrock's own runtime; what cannot be read here may be one.
    OtherHost,
    /// An address of bedrock-mantle.
    MantleHost,
    /// One of these words, or a word that starts so where it ends in `*`.
    OneOf(&'static [&'static str]),
}

/// The rules that are asked, in order.
#[derive(Debug, Clone)]
pub struct ContextRules {
    rules: Vec<&'static Rule>,
    /// What the conditions over neighbours ask for, in the order of the rules.
    says: Vec<ValueTest>,
    /// The same, each of them once.
    asked: condition_set::ValueTests,
    /// Their patterns with the index of the condition, by the last letter: most names end in none of these.
    by_last: Vec<Vec<(usize, &'static str)>>,
    /// The same of those that are asked of the entries of documents alone, where there are few names.
    of_entries: Vec<(usize, &'static str)>,
}

/// Where the neighbours of an ID stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameScope {
    /// The variables of a container or the keys of a ConfigMap, of which there may be hundreds.
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

    /// All but the rule at `index` of the table: what a test removes to see that something depends on it.
    #[must_use]
    pub fn without(index: usize) -> Self {
        let rest = TABLE.iter().enumerate().filter(|(at, _)| *at != index);
        Self::of(rest.map(|(_, rule)| rule))
    }

    fn of(table: impl Iterator<Item = &'static Rule>) -> Self {
        let mut context_rules = Self {
            rules: table.collect(),
            says: Vec::new(),
            asked: condition_set::ValueTests::new(),
            by_last: vec![Vec::new(); 128],
            of_entries: Vec::new(),
        };
        for condition in context_rules.rules.iter().flat_map(|rule| rule.when) {
            let (Condition::Entry(patterns, says)
            | Condition::Beside(patterns, says)
            | Condition::Enclosing(patterns, says)) = condition
            else {
                continue;
            };
            let at = context_rules.says.len();
            context_rules.says.push(*says);
            let of_entries = matches!(condition, Condition::Entry(..));
            for pattern in *patterns {
                let last = pattern.bytes().last().filter(|_| !of_entries);
                match last.and_then(|last| context_rules.by_last.get_mut(usize::from(last))) {
                    Some(patterns) => patterns.push((at, pattern)),
                    None => context_rules.of_entries.push((at, pattern)),
                }
            }
        }
        context_rules.asked = condition_set::asked(&context_rules.says);
        context_rules
    }

    /// What these neighbours say to the rules, read once for all IDs among them.
    pub fn matched<'t>(
        &self,
        neighbours: impl Iterator<Item = Sibling<'t>>,
        among: NameScope,
    ) -> MatchedNames<'t> {
        let mut matched = MatchedNames(vec![[None; 2]; self.says.len()]);
        for neighbour in neighbours {
            let ends = self.of_settings(neighbour.letters().next_back());
            let entry = self.of_entries.iter().filter(|_| among == NameScope::Entry);
            for (at, pattern) in ends.iter().chain(entry) {
                if fits_letters(pattern, neighbour.letters()) && neighbour.says(*at, self.says[*at])
                {
                    matched.add(*at, neighbour.name);
                }
            }
        }
        matched
    }

    /// The patterns of settings that a name with this last letter may fit, each with the index of its condition.
    fn of_settings(&self, last: Option<char>) -> &[(usize, &'static str)] {
        last.and_then(|last| self.by_last.get(last as usize))
            .map_or(&[], Vec::as_slice)
    }

    /// The reason of the first rule that holds for what is around an ID.
    pub fn reason(&self, around: &NameContext<'_>) -> Option<Reason> {
        let mut next = 0;
        for rule in &self.rules {
            let mut holds = true;
            for condition in rule.when {
                holds &= match condition {
                    Condition::Named(patterns) => {
                        around.own.is_some_and(|own| fits_any(patterns, own))
                    }
                    Condition::Under(patterns) => {
                        around.path.iter().any(|key| fits_any(patterns, key))
                    }
                    Condition::Entry(..) | Condition::Beside(..) | Condition::Enclosing(..) => {
                        let far = matches!(condition, Condition::Enclosing(..));
                        let scopes = around.scopes.iter().take(if far { usize::MAX } else { 1 });
                        let at = next;
                        next += 1;
                        scopes
                            .into_iter()
                            .any(|matched| matched.by_another(at, around.own))
                    }
                };
            }
            if holds {
                return Some(rule.reason);
            }
        }
        None
    }
}

/// What the names of one mapping, list or container say to the rules: for each condition the first two names that meet it,
/// since an ID's own name does not speak for it.
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
        let cannot_be_read = has_placeholder(text);
        match self {
            Self::Anything => !text.is_empty(),
            Self::Name => cannot_be_read || (is_yes(text) && !is_plain_yes(text)),
            Self::Yes => cannot_be_read || is_yes(text),
            Self::Arn => text.starts_with("arn:"),
            Self::OtherHost => !text.is_empty() && (cannot_be_read || !is_bedrock_runtime(text)),
            Self::MantleHost => text.contains("bedrock-mantle"),
            Self::OneOf(words) => words.iter().any(|word| fits(word, text)),
        }
    }
}

// === free functions ===

/// As programs read switches: everything that is not one of the ways to say no.
fn is_yes(text: &str) -> bool {
    let no = ["", "0", "false", "no", "off", "n", "f", "null", "none"];
    !no.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The ways to say yes and nothing more.
fn is_plain_yes(text: &str) -> bool {
    let yes = ["1", "true", "yes", "on", "y", "t", "enabled"];
    yes.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn fits_any(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, name))
}

/// Whether `name` fits `pattern`, however its words are parted and capitalised.
fn fits(pattern: &str, name: &str) -> bool {
    fits_letters(pattern, letters(name))
}

/// The same of a name's letters alone.
fn fits_letters(pattern: &str, mut letters: impl DoubleEndedIterator<Item = char>) -> bool {
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

/// A name without its separators, in small letters.
pub(super) fn letters(name: &str) -> impl DoubleEndedIterator<Item = char> {
    name.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_however_its_words_are_parted() {
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
    fn a_switch_that_cannot_be_read_may_be_on() {
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
    fn a_switch_is_no_name() {
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
    fn bedrocks_own_runtime_is_no_other_host() {
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
    fn patterns_of_settings_say_how_a_name_ends() {
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
    fn patterns_are_in_small_letters_without_separators() {
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
