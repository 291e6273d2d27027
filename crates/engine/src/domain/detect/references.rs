//! The model IDs that containers refer to in ConfigMaps, Secrets and fields, and whether an explicit variable may replace the
//! reference.
//!
//! Kubernetes' precedence applies: an entry of `env` before `envFrom`, a later source before an earlier one, the last entry of
//! a name. A value that an unobserved source may override is unchanged. An unobserved value is reported only if its name
//! contains `model`.

use std::collections::BTreeMap;

use crate::text::NodeId;

use super::{Detector, Finding, volumes};
use crate::domain::config_maps::{NamespaceConfigMaps, StoredValue, Word};
use crate::domain::environment::{
    Definition, EnvFrom, EnvFromSource, EnvOrigin, Environment, Followed, Origin, Reference, Value,
    expanded_names,
};
use crate::domain::object::{Object, VariableName};
use crate::domain::reason::Reason;
use crate::domain::site::{Location, TextKind, TextSite, TextSource};
use crate::domain::snapshot::Snapshot;
use crate::domain::syntax::{Syntax, TextContext};
use crate::domain::tokens::{Form, Token, alias, tokens};

/// The maximum number of words of ConfigMaps that are evaluated for one object. Each word may become an entry of a hundred
/// bytes, and the API server limits objects to about a megabyte.
const MOST: usize = 1000;

/// All findings of an object in referenced texts, by container.
pub(super) fn findings<'t>(detector: &mut Detector<'t, '_>) -> Vec<Finding<'t>> {
    let object = detector.object;
    let mut walk = ReferenceWalk {
        object,
        config_maps: detector.environments.config_maps(),
        snapshot: detector.snapshot,
        detector,
        evaluated: 0,
        found: Vec::new(),
    };
    for container in object.containers() {
        walk.container(container);
    }
    volumes::files(&mut walk);
    walk.found
}

/// A walk over the references of an object.
pub(super) struct ReferenceWalk<'a, 'o, 't> {
    pub(super) object: &'o Object<'t>,
    pub(super) config_maps: NamespaceConfigMaps<'t>,
    snapshot: &'t Snapshot,
    /// Evaluates the context rules of variables.
    detector: &'a mut Detector<'t, 'o>,
    evaluated: usize,
    found: Vec<Finding<'t>>,
}

/// Whether later entries shadow an entry of the same name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shadowing {
    /// A later entry defines the name, and no entry in between expands it.
    Certain,
    /// A later entry whose value is unknown may define the name.
    Possible,
    /// A later entry expands `$(X)` before the name is certainly redefined, so the earlier definition is still used.
    ExpandedEarlier,
}

impl Shadowing {
    /// The reason not to resolve a reference with this shadowing, if any.
    const fn doubt(self) -> Option<Reason> {
        match self {
            Self::Certain | Self::Possible => Some(Reason::MayBeShadowed),
            Self::ExpandedEarlier => None,
        }
    }
}

/// A place with a reference.
#[derive(Clone, Copy)]
pub(super) struct Consumer<'t> {
    /// The location, by names.
    pub(super) location: Location<'t>,
    /// The container of the place.
    pub(super) container: Option<NodeId>,
    /// The node of the reference.
    pub(super) node: NodeId,
}

impl<'t> ReferenceWalk<'_, '_, 't> {
    /// Spends steps of the budget of the evaluation.
    pub(super) fn spend_steps(&self, steps: usize) -> bool {
        self.detector.budget.spend_steps(steps)
    }

    fn container(&mut self, container: NodeId) {
        let environment = self.detector.environments.of(container);
        let (entries, shadowings) = read(&environment);
        if environment.takes_entries() {
            self.env_from(container, environment.env_from(), &shadowings);
        }
        for (name, node, value, shadowing) in entries {
            if shadowing != Some(Shadowing::Certain) {
                let consumer = self.consumer(container, VariableName::named(name), node);
                self.entry(consumer, name, value, shadowing);
            }
        }
    }

    fn consumer(
        &self,
        container: NodeId,
        variable: VariableName<'t>,
        node: NodeId,
    ) -> Consumer<'t> {
        let name = self.object.name_of(container);
        Consumer {
            location: Location::Env {
                container: name,
                variable,
            },
            container: Some(container),
            node,
        }
    }

    /// Finds the IDs from `envFrom` that no later source defines.
    fn env_from(
        &mut self,
        container: NodeId,
        env_from: &[EnvFrom<'t>],
        shadowings: &BTreeMap<&str, Shadowing>,
    ) {
        for (at, item) in env_from.iter().enumerate() {
            let EnvFromSource::ConfigMap(map, found) = item.source else {
                continue;
            };
            for (key, word) in found.words() {
                let variable = VariableName::prefixed(item.prefix, key);
                if !variable.is_accepted_everywhere() {
                    continue;
                }
                let consumer = self.consumer(container, variable, item.node);
                if !self.may_evaluate(consumer, map, key, word) {
                    return;
                }
                let shadowing = match shadowings.get(&*variable.text()) {
                    Some(shadowing @ (Shadowing::Certain | Shadowing::Possible)) => {
                        Some(*shadowing)
                    }
                    Some(Shadowing::ExpandedEarlier) | None => {
                        shadowing_by(&env_from[at + 1..], variable)
                    }
                };
                if shadowing != Some(Shadowing::Certain) {
                    self.follow(consumer, (map, key, word), EnvOrigin::EnvFrom, shadowing);
                }
            }
        }
    }

    /// Finds the ID of one entry of `env`.
    fn entry(
        &mut self,
        consumer: Consumer<'t>,
        name: &str,
        value: Value<'t>,
        shadowing: Option<Shadowing>,
    ) {
        match value {
            Value::ConfigMapKey {
                map,
                key,
                text: StoredValue::Word(word),
                ..
            } => {
                if self.may_evaluate(consumer, map, key, word) {
                    self.follow(consumer, (map, key, word), EnvOrigin::Env, shadowing);
                }
            }
            Value::Unknown {
                origin: Some(origin),
                ..
            } => self.unobserved(consumer, name, origin),
            Value::Literal(_)
            | Value::Absent
            | Value::ConfigMapKey { .. }
            | Value::Unknown { .. } => {}
        }
    }

    fn follow(
        &mut self,
        consumer: Consumer<'t>,
        (name, key, word): (&'t str, &'t str, &'t Word),
        by: EnvOrigin,
        shadowing: Option<Shadowing>,
    ) {
        let doubt = shadowing.and_then(Shadowing::doubt);
        let reach = doubt.map_or(Ok(Followed { word, by }), Err);
        let word = Some(word);
        self.take(consumer, Origin::ConfigMap { name, key, word }, reach);
    }

    /// Adds a finding for an entry of `env` whose value is not observed.
    fn unobserved(&mut self, consumer: Consumer<'t>, name: &str, origin: Origin<'t>) {
        match origin {
            Origin::Field { .. } => self.take(consumer, origin, Err(Reason::OutOfSight)),
            Origin::ConfigMap { key, .. } if names_a_model(name) || names_a_model(key) => {
                self.report_unread(consumer, origin, Reason::ReferenceUnseen);
            }
            Origin::Secret { key, .. } if names_a_model(name) || names_a_model(key) => {
                self.report_unread(consumer, origin, Reason::OutOfSight);
            }
            Origin::ConfigMap { .. } | Origin::Secret { .. } => {}
        }
    }

    /// Counts a word of a ConfigMap; `false` beyond [`MOST`]. The first word beyond it is reported as [`Reason::TooLarge`].
    pub(super) fn may_evaluate(
        &mut self,
        consumer: Consumer<'t>,
        name: &'t str,
        key: &'t str,
        word: &'t Word,
    ) -> bool {
        self.evaluated += 1;
        if self.evaluated == MOST + 1 {
            let word = Some(word);
            let origin = Origin::ConfigMap { name, key, word };
            self.take(consumer, origin, Err(Reason::TooLarge));
        }
        self.evaluated <= MOST
    }

    /// Adds a finding for the text at `origin` if the whole text is an ID or an alias.
    pub(super) fn take(
        &mut self,
        consumer: Consumer<'t>,
        origin: Origin<'t>,
        reach: Result<Followed<'t>, Reason>,
    ) {
        let Some(text) = self.text_at(origin) else {
            return;
        };
        let named = alias(text, self.snapshot).map(|token| (token, Syntax::WHOLE));
        for (token, syntax) in named.into_iter().chain(single_id(text, self.snapshot)) {
            // A profile in a file or a field needs no change, so it is not reported.
            let profiled = matches!(token.form, Form::Profiled(_));
            if profiled && reach.err() == Some(Reason::OutOfSight) {
                continue;
            }
            let site = consumer.site(origin, reach);
            let role = origin.role().or_else(|| self.detector.role(&site, text));
            self.found.push(Finding::new(
                site,
                text,
                token,
                role.map_or(Ok(syntax), Err),
            ));
        }
    }

    /// Adds a finding for a text whose content is unknown.
    fn report_unread(&mut self, consumer: Consumer<'t>, origin: Origin<'t>, reason: Reason) {
        let site = consumer.site(origin, Err(reason));
        self.found.push(Finding::unread(site, reason));
    }

    fn text_at(&self, origin: Origin<'t>) -> Option<&'t str> {
        match origin {
            Origin::ConfigMap { word, .. } => word.map(Word::original),
            Origin::Secret { .. } => None,
            Origin::Field { path } => volumes::field(self.object, path),
        }
    }
}

impl<'t> Consumer<'t> {
    fn site(self, origin: Origin<'t>, reach: Result<Followed<'t>, Reason>) -> TextSite<'t> {
        TextSite {
            source: TextSource::Elsewhere(Reference {
                node: self.node,
                origin,
                reach,
            }),
            location: self.location,
            container: self.container,
        }
    }
}

/// An entry of `env`: its name, its node, its value, and whether later entries shadow it.
type OrderedEntry<'t> = (&'t str, NodeId, Value<'t>, Option<Shadowing>);

/// The entries of `env` in order, and the shadowing of each name by all entries, for `envFrom`.
fn read<'t>(
    environment: &Environment<'t>,
) -> (Vec<OrderedEntry<'t>>, BTreeMap<&'t str, Shadowing>) {
    let mut shadowings = BTreeMap::new();
    let mut entries: Vec<_> = environment
        .entries()
        .iter()
        .map(|entry| (entry.name, entry.node, entry.value, None))
        .collect();
    for (name, _, value, shadowing) in entries.iter_mut().rev() {
        *shadowing = shadowings.get(name).copied();
        if value.is_sure() {
            shadowings.insert(*name, Shadowing::Certain);
        } else if matches!(value, Value::Unknown { .. }) {
            shadowings.entry(*name).or_insert(Shadowing::Possible);
        }
        if let Value::Literal(text) = value {
            // An entry that expands its own name uses the earlier definition.
            shadowings.extend(expanded_names(text).map(|name| (name, Shadowing::ExpandedEarlier)));
        }
    }
    (entries, shadowings)
}

/// Whether later items of `envFrom` shadow a variable.
fn shadowing_by(later: &[EnvFrom<'_>], variable: VariableName<'_>) -> Option<Shadowing> {
    let mut shadowing = None;
    for item in later {
        match item.of(variable) {
            Definition::Defined(_) => return Some(Shadowing::Certain),
            Definition::Unknown => shadowing = Some(Shadowing::Possible),
            Definition::Undefined => {}
        }
    }
    shadowing
}

/// The ID of a text that consists of an ID, with or without a wrapper such as `bedrock/`.
fn single_id<'t>(text: &'t str, snapshot: &'t Snapshot) -> Option<(Token<'t>, Syntax)> {
    let token = tokens(text, snapshot).next()?;
    let syntax = TextContext::of(text, TextKind::Data).syntax(&token).ok()?;
    (!syntax.listed && token.form != Form::Doubled).then_some((token, syntax))
}

/// Whether the name of a variable or a key is that of a model setting: `BEDROCK_MODEL_ID`, `sonnet-model`.
fn names_a_model(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.contains("MODEL") && !name.contains("REGION")
}
