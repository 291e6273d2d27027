//! The rules of the table, compiled: conditions over neighbouring names are evaluated once for all IDs among the names.

use std::collections::BTreeMap;

use super::name_class::NameClass;
use super::pattern::{fits_letters, letters, matches_any, matches_letters};
use super::related::{Purposes, are_of_different_parts, have_one_stem};
use super::word_starts::WordStarts;
use super::{Condition, NameContext, Rule, Sibling, ValueTest, rules};
use crate::domain::id::Geography;
use crate::domain::name_words::NameWords;
use crate::domain::reason::Reason;

/// The maximum number of names that are stored for one condition. More settings of one kind in one place are not read.
const MOST_NAMES: usize = 64;

/// The length of a text whose words are compared with names, in bytes. It is read again for each name.
const LONGEST_NAME: usize = 4096;

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
    /// The classes of names that have anchors, with the index of the condition.
    classes: Vec<(usize, &'static NameClass)>,
    /// The positions in `classes` of those with this anchor, because few names have one.
    by_anchor: BTreeMap<&'static str, Vec<usize>>,
    /// The indices of the conditions over every name: those of the class without anchors.
    without_anchor: Vec<usize>,
    /// The first letters of the anchors, so that the words of most names need not be read.
    anchor_starts: WordStarts,
}

/// A rule whose conditions over neighbours have their indices.
#[derive(Debug, Clone)]
struct CompiledRule {
    reason: Reason,
    when: Vec<CompiledCondition>,
    unless: Vec<CompiledCondition>,
}

/// A [`Condition`], with an index in place of the names of neighbours.
#[derive(Debug, Clone, Copy)]
enum CompiledCondition {
    /// A condition over the ID's own place.
    Own(&'static Condition),
    /// A neighbour in [`MatchedNames`].
    Beside {
        /// The index of the condition in [`MatchedNames`].
        index: usize,
        /// Whether the enclosing mappings count too.
        enclosing: bool,
        /// The relation between the neighbour and the ID's own name.
        relation: Relation,
    },
}

/// The relation that a neighbouring name must have to the ID's own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// Any other name.
    Another,
    /// A name for the same purpose, or for no purpose in particular.
    Purpose,
    /// A name with the same stem.
    Stem,
    /// A name for the same model, by its purpose and by its value.
    Model,
}

/// The scope of the names around an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameScope {
    /// The variables of a container or the keys of a ConfigMap. There may be hundreds.
    Settings,
    /// The keys of an entry of a document, or the flags of the ID's command.
    Entry,
}

// === impl ContextRules ===

impl ContextRules {
    /// All rules of the table.
    pub fn all() -> Self {
        Self::of(rules())
    }

    /// All rules except the one at `index` of the table, for tests of the effect of each rule.
    #[must_use]
    pub fn without(index: usize) -> Self {
        let rest = rules().enumerate().filter(|(at, _)| *at != index);
        Self::of(rest.map(|(_, rule)| rule))
    }

    /// All rules, without the exception at `exception` of the rule at `index`, for tests of the effect of each exception.
    #[must_use]
    pub fn without_exception(index: usize, exception: usize) -> Self {
        let mut all = Self::all();
        all.rules[index].unless.remove(exception);
        all
    }

    fn of(table: impl Iterator<Item = &'static Rule>) -> Self {
        let mut context_rules = Self {
            rules: Vec::new(),
            conditions: Vec::new(),
            tests: Vec::new(),
            by_last: vec![Vec::new(); 128],
            entry_patterns: Vec::new(),
            classes: Vec::new(),
            by_anchor: BTreeMap::new(),
            without_anchor: Vec::new(),
            anchor_starts: WordStarts::default(),
        };
        for rule in table {
            let rule = CompiledRule {
                reason: rule.reason,
                when: context_rules.compile_all(rule.when),
                unless: context_rules.compile_all(rule.unless),
            };
            context_rules.rules.push(rule);
        }
        context_rules
    }

    fn compile_all(&mut self, conditions: &'static [Condition]) -> Vec<CompiledCondition> {
        conditions.iter().map(|one| self.compile(one)).collect()
    }

    /// Compiles a condition; one over neighbours takes the next index.
    fn compile(&mut self, condition: &'static Condition) -> CompiledCondition {
        let (patterns, test, is_entry, enclosing) = match condition {
            Condition::Named(_)
            | Condition::NamedAs(_)
            | Condition::Mapping(_)
            | Condition::Under(_)
            | Condition::UnderA(_)
            | Condition::Unnamed
            | Condition::Route(_)
            | Condition::Used(_) => return CompiledCondition::Own(condition),
            Condition::Setting(class, test) => return self.class(class, *test, Relation::Purpose),
            Condition::SameStem(class, test) => return self.class(class, *test, Relation::Stem),
            Condition::OfModel(class, test) => return self.class(class, *test, Relation::Model),
            Condition::Entry(patterns, test) => (*patterns, *test, true, false),
            Condition::Beside(patterns, test) => (*patterns, *test, false, false),
            Condition::Enclosing(patterns, test) => (*patterns, *test, false, true),
        };
        let index = self.next_index(test);
        for pattern in patterns {
            let last = pattern.bytes().last().filter(|_| !is_entry);
            match last.and_then(|last| self.by_last.get_mut(usize::from(last))) {
                Some(patterns) => patterns.push((index, pattern)),
                None => self.entry_patterns.push((index, pattern)),
            }
        }
        CompiledCondition::Beside {
            index,
            enclosing,
            relation: Relation::Another,
        }
    }

    fn class(
        &mut self,
        class: &'static NameClass,
        test: ValueTest,
        relation: Relation,
    ) -> CompiledCondition {
        let index = self.next_index(test);
        if class.anchors.is_empty() {
            self.without_anchor.push(index);
        } else {
            let position = self.classes.len();
            self.classes.push((index, class));
            for anchor in class.anchors {
                self.by_anchor.entry(anchor).or_default().push(position);
                self.anchor_starts.add(anchor);
            }
        }
        CompiledCondition::Beside {
            index,
            enclosing: true,
            relation,
        }
    }

    /// The index of a new condition over neighbours.
    fn next_index(&mut self, test: ValueTest) -> usize {
        let known = self.tests.iter().position(|one| *one == test);
        self.conditions.push(known.unwrap_or(self.tests.len()));
        if known.is_none() {
            self.tests.push(test);
        }
        self.conditions.len() - 1
    }

    /// The names that meet conditions, evaluated once for all IDs among them.
    pub fn matched<'t>(
        &self,
        neighbours: impl Iterator<Item = Sibling<'t>>,
        scope: NameScope,
    ) -> MatchedNames<'t> {
        self.matched_in(neighbours.map(|neighbour| (neighbour, scope)))
    }

    /// The names of several scopes that meet conditions.
    pub fn matched_in<'t>(
        &self,
        neighbours: impl Iterator<Item = (Sibling<'t>, NameScope)>,
    ) -> MatchedNames<'t> {
        let mut matched = MatchedNames::default();
        let (mut words, mut positions) = (NameWords::default(), Vec::new());
        for (neighbour, scope) in neighbours {
            let ends = self.patterns_by_last(neighbour.letters().next_back());
            self.add_patterns(&mut matched, ends, &neighbour);
            if scope == NameScope::Entry {
                self.add_patterns(&mut matched, &self.entry_patterns, &neighbour);
            }
            for at in &self.without_anchor {
                self.add(&mut matched, *at, &neighbour);
            }
            let parts = neighbour.parts();
            if !parts.iter().any(|part| self.anchor_starts.may_be_in(part)) {
                continue;
            }
            words.read_parts(parts);
            positions.clear();
            self.add_possible_classes(&words, &mut positions);
            positions.sort_unstable();
            positions.dedup();
            for (at, class) in positions.iter().map(|position| self.classes[*position]) {
                if (class.fits)(&words) {
                    self.add(&mut matched, at, &neighbour);
                }
            }
        }
        matched
    }

    /// Adds the names that meet conditions only in the scope of an entry, for neighbours that are among `matched` as settings.
    pub fn add_of_entry<'t>(
        &self,
        matched: &mut MatchedNames<'t>,
        neighbours: impl Iterator<Item = Sibling<'t>>,
    ) {
        for neighbour in neighbours {
            self.add_patterns(matched, &self.entry_patterns, &neighbour);
        }
    }

    fn add_patterns<'t>(
        &self,
        matched: &mut MatchedNames<'t>,
        patterns: &[(usize, &'static str)],
        neighbour: &Sibling<'t>,
    ) {
        for (at, pattern) in patterns {
            if matches_letters(pattern, neighbour.letters()) {
                self.add(matched, *at, neighbour);
            }
        }
    }

    /// Adds the positions of the classes with anchors that a name with these words may belong to.
    fn add_possible_classes(&self, words: &NameWords<'_>, positions: &mut Vec<usize>) {
        /// The length of the longest anchor is below this.
        const LONGEST: usize = 16;
        for word in words.iter() {
            let mut lower = [0; LONGEST];
            let Some(lower) = lower.get_mut(..word.len()) else {
                continue;
            };
            lower.copy_from_slice(word.as_bytes());
            lower.make_ascii_lowercase();
            let classes = std::str::from_utf8(lower)
                .ok()
                .and_then(|word| self.by_anchor.get(word));
            positions.extend(classes.into_iter().flatten());
        }
    }

    /// Stores a name for a condition if its value passes the test.
    fn add<'t>(&self, matched: &mut MatchedNames<'t>, condition: usize, neighbour: &Sibling<'t>) {
        let test = self.conditions[condition];
        if neighbour.passes(test, self.tests[test]) {
            matched.add(condition, neighbour);
        }
    }

    /// The patterns that a name with this last letter may match, with the index of the condition.
    fn patterns_by_last(&self, last: Option<char>) -> &[(usize, &'static str)] {
        last.and_then(|last| self.by_last.get(last as usize))
            .map_or(&[], Vec::as_slice)
    }

    /// The reason of the first rule whose conditions all hold in this context, and none of whose exceptions.
    pub fn reason(&self, around: &NameContext<'_>) -> Option<Reason> {
        let own: Option<String> = around.own.map(|own| letters(own).collect());
        let own = own.as_deref();
        let holds = |rule: &&CompiledRule| {
            rule.when.iter().all(|one| one.holds(around, own))
                && !rule.unless.iter().any(|one| one.holds(around, own))
        };
        self.rules.iter().find(holds).map(|rule| rule.reason)
    }
}

// === impl CompiledCondition ===

impl CompiledCondition {
    /// Whether the condition holds in this context. `own` are the letters of the ID's own name.
    fn holds(self, around: &NameContext<'_>, own: Option<&str>) -> bool {
        match self {
            Self::Own(condition) => condition.holds(around, own),
            Self::Beside {
                index,
                enclosing,
                relation,
            } => {
                let scopes = around
                    .scopes
                    .iter()
                    .take(if enclosing { usize::MAX } else { 1 });
                scopes
                    .into_iter()
                    .any(|matched| matched.by_another(index, relation, around))
            }
        }
    }
}

impl Condition {
    /// Whether a condition over the ID's own place holds. `own` are the letters of its name.
    fn holds(&self, around: &NameContext<'_>, own: Option<&str>) -> bool {
        match self {
            Self::Named(patterns) => own.is_some_and(|own| {
                let mut patterns = patterns.iter();
                patterns.any(|pattern| fits_letters(pattern, own))
            }),
            Self::NamedAs(class) => around
                .own
                .is_some_and(|own| (class.fits)(&NameWords::of(own))),
            Self::Mapping(class) => around
                .mapping
                .is_some_and(|key| (class.fits)(&NameWords::of(key))),
            Self::Under(patterns) => around.path.iter().any(|key| matches_any(patterns, key)),
            Self::UnderA(class) => around
                .path
                .iter()
                .any(|key| (class.fits)(&NameWords::of(key))),
            Self::Unnamed => around.own.is_none(),
            Self::Route(word) => around
                .text
                .split_once('.')
                .is_some_and(|(route, _)| route.contains(word)),
            Self::Used(how) => around.used == Some(*how),
            Self::Entry(..)
            | Self::Beside(..)
            | Self::Enclosing(..)
            | Self::Setting(..)
            | Self::SameStem(..)
            | Self::OfModel(..) => false,
        }
    }
}

/// The names of one mapping, list or container that meet conditions.
#[derive(Debug, Clone, Default)]
pub struct MatchedNames<'t>(Vec<MatchedName<'t>>);

/// A name that meets a condition.
#[derive(Clone, Copy)]
struct MatchedName<'t> {
    condition: usize,
    /// The prefix of `envFrom`.
    prefix: &'t str,
    name: &'t str,
    /// The value, if it is a short text.
    text: &'t str,
}

/// Without the text, which may be a secret.
impl std::fmt::Debug for MatchedName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl<'t> MatchedNames<'t> {
    fn add(&mut self, condition: usize, neighbour: &Sibling<'t>) {
        let of_condition = self.0.iter().filter(|one| one.condition == condition);
        if of_condition.count() < MOST_NAMES {
            self.0.push(MatchedName {
                condition,
                prefix: neighbour.prefix,
                name: neighbour.name,
                text: neighbour.short_text(),
            });
        }
    }

    /// Whether a name with this relation to the ID's own name, and other than it, meets the condition.
    fn by_another(&self, condition: usize, relation: Relation, around: &NameContext<'_>) -> bool {
        self.0
            .iter()
            .filter(|one| one.condition == condition && Some(one.name) != around.own)
            .any(|one| one.is_related(relation, around))
    }
}

impl MatchedName<'_> {
    fn is_related(&self, relation: Relation, around: &NameContext<'_>) -> bool {
        let own = || NameWords::of(around.own.unwrap_or_default());
        let purposes = || {
            let mapping = NameWords::of(around.mapping.unwrap_or_default());
            Purposes::of(&own()).with(Purposes::of(&mapping))
        };
        let words = || NameWords::of_parts([self.prefix, self.name]);
        match relation {
            Relation::Another => true,
            Relation::Purpose => Purposes::of(&words()).apply_to(purposes()),
            Relation::Stem => have_one_stem(&own(), &words()),
            Relation::Model => {
                // A long text is a script or a document, and not the name of one model: each setting may apply to its IDs.
                let is_name = around.text.len() <= LONGEST_NAME;
                let of_id = || Purposes::of(&NameWords::of(around.text));
                let applies = || Purposes::of(&words()).apply_to(of_id().with(purposes()));
                (!is_name || applies() && !names_another_model(self.text, around.text))
                    && !are_of_different_parts(&own(), &words())
            }
        }
    }
}

/// Whether `text` is the ID of a system-defined profile of another model than the ID in `own`.
fn names_another_model(text: &str, own: &str) -> bool {
    let id = text.trim().rsplit('/').next().unwrap_or_default();
    id.split_once('.').is_some_and(|(prefix, id)| {
        Geography::is_known_prefix(prefix) && id.contains('.') && !own.contains(id)
    })
}
