//! Which model IDs the containers of an object take from elsewhere, and whether an explicit entry may take their place.
//!
//! Kubernetes' own order decides: an entry of `env` over `envFrom`, a later source over an earlier one, the last entry of a
//! name. What a source that is not seen may define over it is left. A text that is not seen at all is reported only where its
//! name says that it is a model: of all others nothing is known that would concern anybody.

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

/// How many words of ConfigMaps are looked at for one object. Each may become an entry of a hundred bytes, and the API server
/// stores objects of a megabyte or so.
const MOST: usize = 1000;

/// Every finding of `object` that is elsewhere, container by container.
pub(super) fn findings<'t>(
    object: &Object<'t>,
    neighbours: NamespaceConfigMaps<'t>,
    snapshot: &'t Snapshot,
) -> Vec<Finding<'t>> {
    let mut following = ReferenceWalk {
        object,
        neighbours,
        snapshot,
        detector: Detector::new(object, neighbours, snapshot),
        looked_at: 0,
        found: Vec::new(),
    };
    for container in object.containers() {
        following.container(container);
    }
    volumes::files(&mut following);
    following.found
}

/// A walk over what an object takes from elsewhere.
pub(super) struct ReferenceWalk<'a, 't> {
    pub(super) object: &'a Object<'t>,
    pub(super) neighbours: NamespaceConfigMaps<'t>,
    snapshot: &'t Snapshot,
    /// Evaluates the context rules of variables.
    detector: Detector<'t, 'a>,
    looked_at: usize,
    found: Vec<Finding<'t>>,
}

/// What the entries behind one say of its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shadowing {
    /// One of them defines it, and none before that takes it.
    Certain,
    /// One that is not seen may define it.
    Possible,
    /// One of them takes it as `$(X)`, before any of them is sure to define it: the definition before them counts.
    ExpandedEarlier,
}

impl Shadowing {
    /// Why a text that is covered so is not followed, if it is not.
    const fn doubt(self) -> Option<Reason> {
        match self {
            Self::Certain | Self::Possible => Some(Reason::MayBeShadowed),
            Self::ExpandedEarlier => None,
        }
    }
}

/// A place that takes a text from elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Consumer<'t> {
    /// The place, by names.
    pub(super) location: Location<'t>,
    /// The container that it belongs to.
    pub(super) container: Option<NodeId>,
    /// The node that takes it.
    pub(super) node: NodeId,
}

impl<'t> ReferenceWalk<'_, 't> {
    fn container(&mut self, container: NodeId) {
        let environment = Environment::of(self.object.tree, container, self.neighbours);
        let (entries, covers) = read(&environment);
        if environment.takes_entries() {
            self.env_from(container, environment.env_from(), &covers);
        }
        for (name, node, value, cover) in entries {
            if cover != Some(Shadowing::Certain) {
                let taker = self.taker(container, VariableName::named(name), node);
                self.entry(taker, name, value, cover);
            }
        }
    }

    fn taker(&self, container: NodeId, variable: VariableName<'t>, node: NodeId) -> Consumer<'t> {
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

    /// The IDs that `envFrom` brings in and that nothing behind them defines.
    fn env_from(
        &mut self,
        container: NodeId,
        env_from: &[EnvFrom<'t>],
        covers: &BTreeMap<&str, Shadowing>,
    ) {
        for (at, item) in env_from.iter().enumerate() {
            let EnvFromSource::ConfigMap(map, seen) = item.source else {
                continue;
            };
            for (key, word) in seen.words() {
                let variable = VariableName::prefixed(item.prefix, key);
                if !variable.is_accepted_everywhere() {
                    continue;
                }
                let taker = self.taker(container, variable, item.node);
                if !self.may_look(taker, map, key, word) {
                    return;
                }
                let cover = match covers.get(&*variable.to_string()) {
                    Some(cover @ (Shadowing::Certain | Shadowing::Possible)) => Some(*cover),
                    Some(Shadowing::ExpandedEarlier) | None => {
                        cover_by(&env_from[at + 1..], variable)
                    }
                };
                if cover != Some(Shadowing::Certain) {
                    self.follow(taker, (map, key, word), EnvOrigin::EnvFrom, cover);
                }
            }
        }
    }

    /// One entry of `env`.
    fn entry(
        &mut self,
        taker: Consumer<'t>,
        name: &str,
        value: Value<'t>,
        cover: Option<Shadowing>,
    ) {
        match value {
            Value::ConfigMapKey {
                map,
                key,
                text: StoredValue::Word(word),
                ..
            } => {
                if self.may_look(taker, map, key, word) {
                    self.follow(taker, (map, key, word), EnvOrigin::Env, cover);
                }
            }
            Value::Unknown {
                origin: Some(origin),
                ..
            } => self.hidden(taker, name, origin),
            Value::Literal(_)
            | Value::Absent
            | Value::ConfigMapKey { .. }
            | Value::Unknown { .. } => {}
        }
    }

    fn follow(
        &mut self,
        taker: Consumer<'t>,
        (name, key, word): (&'t str, &'t str, &'t Word),
        by: EnvOrigin,
        cover: Option<Shadowing>,
    ) {
        let doubt = cover.and_then(Shadowing::doubt);
        let reach = doubt.map_or(Ok(Followed { word, by }), Err);
        let word = Some(word);
        self.take(taker, Origin::ConfigMap { name, key, word }, reach);
    }

    fn hidden(&mut self, taker: Consumer<'t>, name: &str, origin: Origin<'t>) {
        match origin {
            Origin::Field { .. } => self.take(taker, origin, Err(Reason::OutOfSight)),
            Origin::ConfigMap { key, .. } if names_a_model(name) || names_a_model(key) => {
                self.tell_unread(taker, origin, Reason::ReferenceUnseen);
            }
            Origin::Secret { key, .. } if names_a_model(name) || names_a_model(key) => {
                self.tell_unread(taker, origin, Reason::OutOfSight);
            }
            Origin::ConfigMap { .. } | Origin::Secret { .. } => {}
        }
    }

    /// Counts a word of a ConfigMap; beyond the bound, the first one is reported and nothing more is looked at.
    pub(super) fn may_look(
        &mut self,
        taker: Consumer<'t>,
        name: &'t str,
        key: &'t str,
        word: &'t Word,
    ) -> bool {
        self.looked_at += 1;
        if self.looked_at == MOST + 1 {
            let word = Some(word);
            let origin = Origin::ConfigMap { name, key, word };
            self.take(taker, origin, Err(Reason::TooLarge));
        }
        self.looked_at <= MOST
    }

    /// Takes what is at `origin` as a finding, if it is an ID alone, or an alias.
    pub(super) fn take(
        &mut self,
        taker: Consumer<'t>,
        origin: Origin<'t>,
        reach: Result<Followed<'t>, Reason>,
    ) {
        let Some(text) = self.text_at(origin) else {
            return;
        };
        let named = alias(text, self.snapshot).map(|token| (token, Syntax::WHOLE));
        for (token, syntax) in named.into_iter().chain(single_id(text, self.snapshot)) {
            // A profile is never changed, so that it needs no report.
            let profiled = matches!(token.form, Form::Profiled(_));
            if profiled && reach.err() == Some(Reason::OutOfSight) {
                continue;
            }
            let site = taker.site(origin, reach);
            let role = origin.role().or_else(|| self.detector.role(&site));
            self.found.push(Finding::new(
                site,
                text,
                token,
                role.map_or(Ok(syntax), Err),
            ));
        }
    }

    /// Tells a text of which nothing is known but where it is.
    fn tell_unread(&mut self, taker: Consumer<'t>, origin: Origin<'t>, reason: Reason) {
        let site = taker.site(origin, Err(reason));
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

/// An entry of `env`: its name, its node, what it says, and what those behind it say of its name.
type OrderedEntry<'t> = (&'t str, NodeId, Value<'t>, Option<Shadowing>);

/// The entries of `env` in order, and what all of them together say of a name.
fn read<'t>(
    environment: &Environment<'t>,
) -> (Vec<OrderedEntry<'t>>, BTreeMap<&'t str, Shadowing>) {
    let mut covers = BTreeMap::new();
    let mut entries: Vec<_> = environment
        .entries()
        .map(|(name, node)| (name, node, environment.value(node), None))
        .collect();
    for (name, _, value, cover) in entries.iter_mut().rev() {
        *cover = covers.get(name).copied();
        if value.is_sure() {
            covers.insert(*name, Shadowing::Certain);
        } else if matches!(value, Value::Unknown { .. }) {
            covers.entry(*name).or_insert(Shadowing::Possible);
        }
        if let Value::Literal(text) = value {
            // An entry that takes its own name takes what is before it.
            covers.extend(expanded_names(text).map(|name| (name, Shadowing::ExpandedEarlier)));
        }
    }
    (entries, covers)
}

/// What later items of `envFrom` say of a variable.
fn cover_by(later: &[EnvFrom<'_>], variable: VariableName<'_>) -> Option<Shadowing> {
    let mut cover = None;
    for item in later {
        match item.of(variable) {
            Definition::Defined(_) => return Some(Shadowing::Certain),
            Definition::Unknown => cover = Some(Shadowing::Possible),
            Definition::Undefined => {}
        }
    }
    cover
}

/// The ID that a text is, alone or behind a route of its own.
fn single_id<'t>(text: &'t str, snapshot: &'t Snapshot) -> Option<(Token<'t>, Syntax)> {
    let token = tokens(text, snapshot).next()?;
    let syntax = TextContext::of(text, TextKind::Data).syntax(&token).ok()?;
    (!syntax.listed && token.form != Form::Doubled).then_some((token, syntax))
}

/// Whether the name of a variable or a key says that its text is a model: `BEDROCK_MODEL_ID`, `sonnet-model`.
fn names_a_model(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.contains("MODEL") && !name.contains("REGION")
}
