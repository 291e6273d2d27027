//! The variables of a container, by the kubelet's rules: the sources of `envFrom` in order, then the entries of `env` in
//! order. A later definition wins. An optional reference to a missing ConfigMap or key defines nothing.

use std::collections::BTreeSet;

use crate::budget::Budget;
use crate::text::{Kind, NodeId, Tree};

mod environments;
mod reference;

pub use environments::Environments;
pub use reference::{EnvOrigin, Followed, Origin, Reference};

use crate::domain::config_maps::{ConfigMap, Lookup, NamespaceConfigMaps, StoredValue};
use crate::domain::context_rules::{ConditionSet, Sibling};
use crate::domain::expansion::{self, TextPart};
use crate::domain::object::{EnvVar, Object, VariableName};
use crate::domain::region::LONGEST_EXPANSION;

/// The steps of work of an entry of `env`: its name is compared with the classes of names.
const STEPS_PER_ENTRY: usize = 4;

/// The steps of work of a variable in a text, which is expanded for the region of the text and for its endpoint.
const STEPS_PER_EXPANSION: usize = 4;

/// The memory of an entry of `env`, with what is read from it, in bytes.
const BYTES_PER_ENTRY: usize = 192;

/// The variables of one container.
pub struct Environment<'t> {
    tree: &'t Tree<'t>,
    list: Option<NodeId>,
    entries: Vec<EnvEntry<'t>>,
    env_from: Vec<EnvFrom<'t>>,
    neighbours: NamespaceConfigMaps<'t>,
}

/// An entry of `env`.
#[derive(Clone, Copy)]
pub struct EnvEntry<'t> {
    /// The name.
    pub name: &'t str,
    /// The entry.
    pub node: NodeId,
    /// The value.
    pub value: Value<'t>,
    /// Whether the value is a literal without hyphens, dots and dollar signs, as most are: neither a region nor an address, and
    /// without variables.
    pub(crate) is_plain: bool,
}

/// The value of an entry of `env`.
#[derive(Debug, Clone, Copy)]
pub enum Value<'t> {
    /// A literal text, in which `$(X)` is expanded.
    Literal(&'t str),
    /// The value of a key of a ConfigMap, without expansion.
    ConfigMapKey {
        /// The ConfigMap.
        map: &'t str,
        /// The key.
        key: &'t str,
        /// The stored value.
        text: &'t StoredValue,
        /// The context conditions that the value meets.
        conditions: ConditionSet,
    },
    /// No value: the reference is optional, and its ConfigMap or key does not exist.
    Absent,
    /// A value that is not observed.
    Unknown {
        /// The origin, if the type of the reference is known.
        origin: Option<Origin<'t>>,
        /// Whether the reference is optional, so that there may be no value.
        optional: bool,
    },
}

/// An item of `envFrom`.
pub(crate) struct EnvFrom<'t> {
    /// The item.
    pub(crate) node: NodeId,
    /// The prefix of the variable names.
    pub(crate) prefix: &'t str,
    /// The source of the variables.
    pub(crate) source: EnvFromSource<'t>,
}

/// The source of an item of `envFrom`.
pub(crate) enum EnvFromSource<'t> {
    /// A ConfigMap, with its name.
    ConfigMap(&'t str, &'t ConfigMap),
    /// An optional ConfigMap that does not exist.
    Absent,
    /// A Secret, or a ConfigMap that has not been observed. It may have any key.
    Unknown,
}

/// Whether an item of `envFrom` defines a variable.
pub(crate) enum Definition<'t> {
    /// Defined, with this value.
    Defined(&'t StoredValue),
    /// Not defined.
    Undefined,
    /// Possibly defined.
    Unknown,
}

impl<'t> Environment<'t> {
    /// The variables of a container whose ConfigMaps are among `neighbours`.
    ///
    /// There are no entries if the budget does not suffice for them.
    pub fn of(
        tree: &'t Tree<'t>,
        container: NodeId,
        neighbours: NamespaceConfigMaps<'t>,
        budget: &Budget,
    ) -> Self {
        let env_from = tree.get(container, "envFrom");
        let env_from = env_from.into_iter().flat_map(|list| tree.children(list));
        let list = tree.get(container, "env");
        let mut environment = Self {
            tree,
            list,
            entries: Vec::new(),
            env_from: env_from
                .map(|item| EnvFrom::read(tree, item, neighbours))
                .collect(),
            neighbours,
        };
        let nodes = || list.into_iter().flat_map(|list| tree.children(list));
        let count = nodes().count();
        if budget.spend_bytes(count * BYTES_PER_ENTRY) {
            let mut entries = Vec::with_capacity(count);
            for entry in nodes().filter_map(|node| environment.entry(node)) {
                entries.push(entry);
            }
            environment.entries = entries;
        }
        budget.spend_steps(environment.cost());
        environment
    }

    /// The entries of `env`, in order, without those that have no name.
    pub fn entries(&self) -> &[EnvEntry<'t>] {
        &self.entries
    }

    fn entry(&self, node: NodeId) -> Option<EnvEntry<'t>> {
        let entry = EnvVar::read(self.tree, node);
        let literal = entry
            .value
            .and_then(|node| self.tree.text(node))
            .unwrap_or_default();
        let value = match entry.value_from {
            Some(source) if literal.is_empty() => self.value_from(source),
            _ => Value::Literal(literal),
        };
        let is_plain = matches!(value, Value::Literal(text) if is_plain(text));
        Some(EnvEntry {
            name: entry.name?,
            node,
            value,
            is_plain,
        })
    }

    /// The value of a `valueFrom`.
    fn value_from(&self, source: NodeId) -> Value<'t> {
        let tree = self.tree;
        let unknown = |origin, optional| Value::Unknown { origin, optional };
        let Some(selector) = tree.children(source).next() else {
            return unknown(None, false);
        };
        let field = |name| text_of(tree, selector, name);
        let (name, key, optional) = (field("name"), field("key"), is_optional(tree, selector));
        match tree.key(selector) {
            Some("configMapKeyRef") => self.config_map_key(name, key, optional),
            Some("secretKeyRef") => unknown(Some(Origin::Secret { name, key }), optional),
            Some("fieldRef") => {
                let path = field("fieldPath");
                unknown(Some(Origin::Field { path }), false)
            }
            _ => unknown(None, optional),
        }
    }

    fn config_map_key(&self, map: &'t str, key: &'t str, optional: bool) -> Value<'t> {
        let unknown = Value::Unknown {
            origin: Some(Origin::ConfigMap {
                name: map,
                key,
                word: None,
            }),
            optional,
        };
        match self.neighbours.look_up(map, optional) {
            Lookup::Found(found) => match found.kept(key) {
                Some((text, conditions)) => Value::ConfigMapKey {
                    map,
                    key,
                    text,
                    conditions,
                },
                None if optional => Value::Absent,
                // The container does not start before the key exists.
                None => unknown,
            },
            Lookup::Absent => Value::Absent,
            Lookup::Unknown => unknown,
        }
    }

    /// The value from `envFrom` of a variable that no entry of `env` defines. Unobserved sources are skipped.
    pub fn env_from_value(&self, name: &str) -> Option<&'t StoredValue> {
        let name = VariableName::named(name);
        self.env_from
            .iter()
            .rev()
            .find_map(|item| match item.of(name) {
                Definition::Defined(text) => Some(text),
                Definition::Undefined | Definition::Unknown => None,
            })
    }

    /// Whether an unobserved source of `envFrom` may define the variable.
    pub fn may_hide(&self, name: &str) -> bool {
        let name = VariableName::named(name);
        self.env_from
            .iter()
            .any(|item| matches!(item.of(name), Definition::Unknown))
    }

    /// The variables for the context rules: all entries of `env`, and the keys from `envFrom`.
    pub fn neighbours(&self) -> impl Iterator<Item = Sibling<'t>> + '_ {
        self.entries
            .iter()
            .filter_map(EnvEntry::sibling)
            .chain(self.env_from_keys())
    }

    /// The keys that `envFrom` adds from observed ConfigMaps, without those that a later source certainly defines.
    fn env_from_keys(&self) -> impl Iterator<Item = Sibling<'t>> + '_ {
        let sure: BTreeSet<&str> = if self.env_from.is_empty() {
            BTreeSet::new()
        } else {
            self.entries
                .iter()
                .filter(|entry| entry.value.is_sure())
                .map(|entry| entry.name)
                .collect()
        };
        let observed = self.env_from.iter().enumerate().filter_map(|(at, item)| {
            let EnvFromSource::ConfigMap(_, map) = item.source else {
                return None;
            };
            Some((item.prefix, map, &self.env_from[at + 1..]))
        });
        observed
            .flat_map(|(prefix, map, later)| {
                map.conditions()
                    .map(move |(key, conditions)| (prefix, key, conditions, later))
            })
            .filter(move |(prefix, key, _, later)| {
                let name = VariableName::prefixed(prefix, key);
                !sure.contains(&*name.to_string())
                    && !later
                        .iter()
                        .any(|item| matches!(item.of(name), Definition::Defined(_)))
            })
            .map(|(prefix, key, conditions, _)| Sibling::from_config_map(prefix, key, conditions))
    }

    /// The steps of work of one walk over the variables: the entries, and for each key from `envFrom` the later items.
    fn cost(&self) -> usize {
        let items = self.env_from.iter().rev().enumerate();
        let keys = items.map(|(later, item)| match item.source {
            EnvFromSource::ConfigMap(_, map) => (1 + later).saturating_mul(map.len()),
            EnvFromSource::Absent | EnvFromSource::Unknown => 1 + later,
        });
        let keys = keys.fold(0, usize::saturating_add);
        let entries = self.entries.iter().map(|entry| match entry.value {
            Value::Literal(text) if !entry.is_plain => {
                let text = &text.as_bytes()[..text.len().min(LONGEST_EXPANSION)];
                STEPS_PER_ENTRY + memchr::memchr_iter(b'$', text).count() * STEPS_PER_EXPANSION
            }
            Value::Literal(_)
            | Value::ConfigMapKey { .. }
            | Value::Absent
            | Value::Unknown { .. } => STEPS_PER_ENTRY,
        });
        entries.sum::<usize>().saturating_add(keys)
    }

    /// The items of `envFrom`, in order.
    pub(crate) fn env_from(&self) -> &[EnvFrom<'t>] {
        &self.env_from
    }

    /// Whether an entry can be inserted at the start of `env`: the field is a list or absent.
    pub(crate) fn takes_entries(&self) -> bool {
        self.list
            .is_none_or(|list| matches!(self.tree.kind(list), Kind::Sequence | Kind::Scalar))
    }
}

impl<'t> EnvEntry<'t> {
    /// The variable for the context rules; `None` if undefined.
    fn sibling(&self) -> Option<Sibling<'t>> {
        let name = self.name;
        match self.value {
            Value::Literal(text) if self.is_plain => Some(Sibling::with_plain_text(name, text)),
            Value::Literal(text) => Some(Sibling::with_text(name, text)),
            Value::ConfigMapKey { conditions, .. } => {
                Some(Sibling::from_config_map("", name, conditions))
            }
            Value::Unknown { .. } => Some(Sibling::unknown(name)),
            Value::Absent => None,
        }
    }
}

impl Value<'_> {
    /// Whether the entry certainly defines its variable.
    pub(crate) const fn is_sure(&self) -> bool {
        match self {
            Self::Literal(_) | Self::ConfigMapKey { .. } => true,
            Self::Unknown { optional, .. } => !*optional,
            Self::Absent => false,
        }
    }
}

impl<'t> EnvFrom<'t> {
    fn read(tree: &'t Tree<'t>, node: NodeId, neighbours: NamespaceConfigMaps<'t>) -> Self {
        let source = match tree.get(node, "configMapRef") {
            Some(map) => {
                let name = text_of(tree, map, "name");
                match neighbours.look_up(name, is_optional(tree, map)) {
                    Lookup::Found(map) => EnvFromSource::ConfigMap(name, map),
                    Lookup::Absent => EnvFromSource::Absent,
                    Lookup::Unknown => EnvFromSource::Unknown,
                }
            }
            None => EnvFromSource::Unknown,
        };
        Self {
            node,
            prefix: text_of(tree, node, "prefix"),
            source,
        }
    }

    /// Whether the item defines a variable.
    pub(crate) fn of(&self, name: VariableName<'_>) -> Definition<'t> {
        let Some(key) = name.key_behind(self.prefix) else {
            return Definition::Undefined;
        };
        match &self.source {
            EnvFromSource::ConfigMap(_, map) => map
                .get(&key)
                .map_or(Definition::Undefined, Definition::Defined),
            EnvFromSource::Absent => Definition::Undefined,
            EnvFromSource::Unknown => Definition::Unknown,
        }
    }
}

/// Whether a container of `object` requires a ConfigMap whose creation has not been observed. Always `false` if not all
/// ConfigMaps were listed.
pub fn awaits_a_config_map(object: &Object<'_>, neighbours: NamespaceConfigMaps<'_>) -> bool {
    neighbours.are_complete()
        && object
            .containers()
            .flat_map(|container| required(object.tree, container))
            .any(|name| !neighbours.have(name))
}

/// The names of the ConfigMaps that the variables of a container require.
fn required<'t>(tree: &'t Tree<'t>, container: NodeId) -> impl Iterator<Item = &'t str> + use<'t> {
    let items = move |list| {
        let list = tree.get(container, list).into_iter();
        list.flat_map(|list| tree.children(list))
    };
    let env_from = items("envFrom").filter_map(|item| tree.get(item, "configMapRef"));
    let keys = items("env").filter_map(|item| tree.at(item, &["valueFrom", "configMapKeyRef"]));
    env_from
        .chain(keys)
        .filter(|selector| !is_optional(tree, *selector))
        .map(|selector| text_of(tree, selector, "name"))
}

/// The names of the variables that a literal text expands: `$(X)`, but not `$$(X)`.
pub(crate) fn expanded_names(text: &str) -> impl Iterator<Item = &str> {
    expansion::parts(text).filter_map(|part| match part {
        TextPart::Variable(name) => Some(name),
        TextPart::Text(_) => None,
    })
}

/// Whether a text has no hyphen, no dot and no dollar sign.
fn is_plain(text: &str) -> bool {
    memchr::memchr3(b'-', b'.', b'$', text.as_bytes()).is_none()
}

/// A field of a node as text; empty if absent.
pub(crate) fn text_of<'t>(tree: &'t Tree<'t>, node: NodeId, field: &str) -> &'t str {
    tree.get(node, field)
        .and_then(|node| tree.text(node))
        .unwrap_or_default()
}

/// Whether a reference is optional.
pub(crate) fn is_optional(tree: &Tree<'_>, selector: NodeId) -> bool {
    text_of(tree, selector, "optional") == "true"
}
