//! The variables of a container as the kubelet puts them together: the sources of `envFrom` in order, then the entries of `env`
//! in order. What comes later wins, but for an optional reference that leads nowhere: it defines nothing.

use std::collections::BTreeSet;

use crate::text::{Kind, NodeId, Tree};

mod reference;

pub use reference::{EnvOrigin, Followed, Origin, Reference};

use crate::domain::config_maps::{ConfigMap, Lookup, NamespaceConfigMaps, StoredValue};
use crate::domain::context_rules::{ConditionSet, Sibling};
use crate::domain::object::{EnvVar, Object, VariableName};

/// The variables of one container, read when they are asked for.
pub struct Environment<'t> {
    tree: &'t Tree<'t>,
    list: Option<NodeId>,
    env_from: Vec<EnvFrom<'t>>,
    neighbours: NamespaceConfigMaps<'t>,
}

/// What an entry of `env` says.
#[derive(Debug, Clone, Copy)]
pub enum Value<'t> {
    /// This text, in which `$(X)` is expanded.
    Literal(&'t str),
    /// The text under a key of a ConfigMap, taken as it is.
    ConfigMapKey {
        /// The ConfigMap.
        map: &'t str,
        /// The key.
        key: &'t str,
        /// What is kept of the text.
        text: &'t StoredValue,
        /// What it says to the context rules.
        heard: ConditionSet,
    },
    /// Nothing: it is optional, and what it refers to does not exist.
    Absent,
    /// Something that is not seen from here.
    Unknown {
        /// Where it is, as far as the sort of reference is known.
        origin: Option<Origin<'t>>,
        /// Whether it may as well be nothing.
        optional: bool,
    },
}

/// An item of `envFrom`.
pub(crate) struct EnvFrom<'t> {
    /// The item.
    pub(crate) node: NodeId,
    /// What it puts before the keys.
    pub(crate) prefix: &'t str,
    /// What it takes them from.
    pub(crate) source: EnvFromSource<'t>,
}

/// What an item of `envFrom` takes variables from.
pub(crate) enum EnvFromSource<'t> {
    /// A ConfigMap, by its name.
    ConfigMap(&'t str, &'t ConfigMap),
    /// Nothing.
    Absent,
    /// A Secret, or a ConfigMap that has not been seen: any key.
    Unknown,
}

/// What an item of `envFrom` says of a variable.
pub(crate) enum Definition<'t> {
    /// It defines it as this text.
    Defined(&'t StoredValue),
    /// It does not define it.
    Undefined,
    /// It may define it.
    Unknown,
}

impl<'t> Environment<'t> {
    /// The variables of a container whose ConfigMaps are among `neighbours`.
    pub fn of(tree: &'t Tree<'t>, container: NodeId, neighbours: NamespaceConfigMaps<'t>) -> Self {
        let env_from = tree.get(container, "envFrom");
        let env_from = env_from.into_iter().flat_map(|list| tree.children(list));
        Self {
            tree,
            list: tree.get(container, "env"),
            env_from: env_from
                .map(|item| EnvFrom::read(tree, item, neighbours))
                .collect(),
            neighbours,
        }
    }

    /// The names and nodes of the entries of `env`, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&'t str, NodeId)> + use<'t> {
        let tree = self.tree;
        let entries = self.list.into_iter().flat_map(|list| tree.children(list));
        entries.filter_map(|entry| Some((tree.text(tree.get(entry, "name")?)?, entry)))
    }

    /// What an entry says.
    pub fn value(&self, entry: NodeId) -> Value<'t> {
        let entry = EnvVar::read(self.tree, entry);
        let literal = entry
            .value
            .and_then(|node| self.tree.text(node))
            .unwrap_or_default();
        match entry.value_from {
            Some(source) if literal.is_empty() => self.taken(source),
            _ => Value::Literal(literal),
        }
    }

    /// What a `valueFrom` says.
    fn taken(&self, source: NodeId) -> Value<'t> {
        let tree = self.tree;
        let hidden = |origin, optional| Value::Unknown { origin, optional };
        let Some(selector) = tree.children(source).next() else {
            return hidden(None, false);
        };
        let field = |name| text_of(tree, selector, name);
        let (name, key, optional) = (field("name"), field("key"), is_optional(tree, selector));
        match tree.key(selector) {
            Some("configMapKeyRef") => self.key(name, key, optional),
            Some("secretKeyRef") => hidden(Some(Origin::Secret { name, key }), optional),
            Some("fieldRef") => {
                let path = field("fieldPath");
                hidden(Some(Origin::Field { path }), false)
            }
            _ => hidden(None, optional),
        }
    }

    fn key(&self, map: &'t str, key: &'t str, optional: bool) -> Value<'t> {
        let unseen = Value::Unknown {
            origin: Some(Origin::ConfigMap {
                name: map,
                key,
                word: None,
            }),
            optional,
        };
        match self.neighbours.look_up(map, optional) {
            Lookup::Found(seen) => match seen.kept(key) {
                Some((text, heard)) => Value::ConfigMapKey {
                    map,
                    key,
                    text,
                    heard,
                },
                None if optional => Value::Absent,
                // The container does not start before the key is there.
                None => unseen,
            },
            Lookup::Absent => Value::Absent,
            Lookup::Unknown => unseen,
        }
    }

    /// What the sources of `envFrom` say of a variable that no entry of `env` defines; of those that are not seen, nothing.
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

    /// Whether a source of `envFrom` that is not seen may define the variable.
    pub fn may_hide(&self, name: &str) -> bool {
        let name = VariableName::named(name);
        self.env_from
            .iter()
            .any(|item| matches!(item.of(name), Definition::Unknown))
    }

    /// What the variables say to the context rules: all entries of `env`, and what `envFrom` brings in.
    pub fn neighbours(&self) -> impl Iterator<Item = Sibling<'t>> + '_ {
        self.entries()
            .filter_map(|(name, entry)| self.value(entry).beside(name))
            .chain(self.brought_in())
    }

    /// What `envFrom` brings in from the ConfigMaps that are seen: every key that nothing behind it is sure to define.
    fn brought_in(&self) -> impl Iterator<Item = Sibling<'t>> + '_ {
        let sure: BTreeSet<&str> = if self.env_from.is_empty() {
            BTreeSet::new()
        } else {
            self.entries()
                .filter(|(_, entry)| self.value(*entry).is_sure())
                .map(|(name, _)| name)
                .collect()
        };
        let seen = self.env_from.iter().enumerate().filter_map(|(at, item)| {
            let EnvFromSource::ConfigMap(_, map) = item.source else {
                return None;
            };
            Some((item.prefix, map, &self.env_from[at + 1..]))
        });
        seen.flat_map(|(prefix, map, later)| {
            map.heard()
                .map(move |(key, heard)| (prefix, key, heard, later))
        })
        .filter(move |(prefix, key, _, later)| {
            let name = VariableName::prefixed(prefix, key);
            !sure.contains(&*name.to_string())
                && !later
                    .iter()
                    .any(|item| matches!(item.of(name), Definition::Defined(_)))
        })
        .map(|(prefix, key, heard, _)| Sibling::taken(prefix, key, heard))
    }

    /// The items of `envFrom`, in order.
    pub(crate) fn env_from(&self) -> &[EnvFrom<'t>] {
        &self.env_from
    }

    /// Whether an entry can be put in front of `env`: it is a list, or there is none.
    pub(crate) fn takes_entries(&self) -> bool {
        self.list
            .is_none_or(|list| matches!(self.tree.kind(list), Kind::Sequence | Kind::Scalar))
    }
}

impl<'t> Value<'t> {
    /// What the variable `name` says to the context rules, where it is defined.
    fn beside(self, name: &'t str) -> Option<Sibling<'t>> {
        match self {
            Self::Literal(text) => Some(Sibling::with_text(name, text)),
            Self::ConfigMapKey { heard, .. } => Some(Sibling::taken("", name, heard)),
            Self::Unknown { .. } => Some(Sibling::out_of_sight(name)),
            Self::Absent => None,
        }
    }

    /// Whether it surely defines its variable.
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

    /// What it says of a variable.
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

/// Whether a container of `object` requires a ConfigMap that will come, but has not been seen: all were listed before it was
/// made.
pub fn awaits_a_config_map(object: &Object<'_>, neighbours: NamespaceConfigMaps<'_>) -> bool {
    neighbours.are_complete()
        && object
            .containers()
            .flat_map(|container| required(object.tree, container))
            .any(|name| !neighbours.have(name))
}

/// The names of the ConfigMaps that a container cannot start without, as far as its variables are taken from them.
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

/// The names of the variables that a literal text is expanded with: `$(X)`, but not behind a second dollar sign.
pub(crate) fn expanded_names(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = &rest[rest.find('$')? + 1..];
            if let Some(escaped) = rest.strip_prefix('$') {
                rest = escaped;
            } else if let Some((name, behind)) =
                rest.strip_prefix('(').and_then(|open| open.split_once(')'))
            {
                rest = behind;
                return Some(name);
            }
        }
    })
}

/// A field of a node as text; empty where it is absent.
pub(crate) fn text_of<'t>(tree: &'t Tree<'t>, node: NodeId, field: &str) -> &'t str {
    tree.get(node, field)
        .and_then(|node| tree.text(node))
        .unwrap_or_default()
}

/// Whether a reference may lead nowhere.
pub(crate) fn is_optional(tree: &Tree<'_>, selector: NodeId) -> bool {
    text_of(tree, selector, "optional") == "true"
}
