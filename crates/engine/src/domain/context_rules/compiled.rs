//! The rules of the table, compiled: conditions over neighbouring names are evaluated once for all IDs among the names.

use super::pattern::{matches_any, matches_letters};
use super::{Condition, NameContext, Rule, Sibling, TABLE, ValueTest};
use crate::domain::reason::Reason;

/// The rules that are evaluated, in order.
#[derive(Debug, Clone)]
pub struct ContextRules {
    rules: Vec<CompiledRule>,
    /// The test of each condition over neighbours, by the index in [`CompiledCondition::Beside`], as an index into `tests`.
    conditions: Vec<usize>,
    /// The distinct tests.
    pub(super) tests: Vec<ValueTest>,
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
            conditions: Vec::new(),
            tests: Vec::new(),
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
        let index = self.conditions.len();
        let known = self.tests.iter().position(|one| *one == test);
        self.conditions.push(known.unwrap_or(self.tests.len()));
        if known.is_none() {
            self.tests.push(test);
        }
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
        let mut matched = MatchedNames(vec![[None; 2]; self.conditions.len()]);
        for neighbour in neighbours {
            let ends = self.patterns_by_last(neighbour.letters().next_back());
            let entry = self
                .entry_patterns
                .iter()
                .filter(|_| scope == NameScope::Entry);
            for (at, pattern) in ends.iter().chain(entry) {
                let test = self.conditions[*at];
                if matches_letters(pattern, neighbour.letters())
                    && neighbour.passes(test, self.tests[test])
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
