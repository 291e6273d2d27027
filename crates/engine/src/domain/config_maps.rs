//! ConfigMaps as far as Pods take model IDs and regions from them: an immutable value, never the API server.
//!
//! For each ConfigMap it has the names of all keys, for these decide which source of a variable counts, and of values only
//! words that may be model IDs, and regions. Nothing of a Secret is ever in it.

use std::collections::BTreeMap;
use std::sync::Arc;

mod config_map;

pub use config_map::{ConfigMap, StoredValue, Word};

/// The ConfigMaps that are known, by namespace and name.
///
/// A clone shares everything with its original, so that one writer can make the next value from the last one.
#[derive(Debug, Clone, Default)]
pub struct ConfigMapIndex {
    namespaces: BTreeMap<Box<str>, Arc<NamespaceEntry>>,
    complete: bool,
}

/// The ConfigMaps of one namespace.
#[derive(Debug, Clone, Default)]
struct NamespaceEntry {
    by_name: BTreeMap<Box<str>, Arc<ConfigMap>>,
    /// How many of them have a word that may be an ID.
    with_words: usize,
}

/// The ConfigMaps that a Pod can refer to: those of its own namespace.
#[derive(Debug, Clone, Copy)]
pub struct NamespaceConfigMaps<'r> {
    maps: Option<&'r NamespaceEntry>,
    complete: bool,
}

/// What is known of a ConfigMap.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'r> {
    /// Its keys.
    Found(&'r ConfigMap),
    /// There is none.
    Absent,
    /// Nothing.
    Unknown,
}

// === ConfigMapIndex ===

impl ConfigMapIndex {
    /// The start of a list of all ConfigMaps: one that it does not have does not exist.
    pub fn of_all() -> Self {
        Self {
            complete: true,
            ..Self::default()
        }
    }

    /// Takes a ConfigMap, in the place of one of its name.
    pub fn insert(&mut self, namespace: &str, name: &str, map: ConfigMap) {
        let maps = Arc::make_mut(self.namespaces.entry(namespace.into()).or_default());
        maps.with_words += usize::from(map.has_words());
        if let Some(old) = maps.by_name.insert(name.into(), Arc::new(map)) {
            maps.with_words -= usize::from(old.has_words());
        }
    }

    /// Forgets a ConfigMap.
    pub fn remove(&mut self, namespace: &str, name: &str) {
        let Some(maps) = self.namespaces.get_mut(namespace).map(Arc::make_mut) else {
            return;
        };
        if let Some(old) = maps.by_name.remove(name) {
            maps.with_words -= usize::from(old.has_words());
        }
        if maps.by_name.is_empty() {
            self.namespaces.remove(namespace);
        }
    }

    /// Whether all ConfigMaps were listed, so that one that is missing has yet to be made.
    pub fn are_complete(&self) -> bool {
        self.complete
    }

    /// The ConfigMaps of a namespace.
    pub fn in_namespace(&self, namespace: &str) -> NamespaceConfigMaps<'_> {
        NamespaceConfigMaps {
            maps: self.namespaces.get(namespace).map(|maps| &**maps),
            complete: self.complete,
        }
    }
}

impl<'r> NamespaceConfigMaps<'r> {
    /// No ConfigMap has been seen.
    pub const NONE: Self = Self {
        maps: None,
        complete: false,
    };

    /// What is known of the ConfigMap `name`. One that is not there does not exist where all were listed and nothing requires
    /// it; a required one will come, or the container never starts.
    pub fn look_up(self, name: &str, optional: bool) -> Lookup<'r> {
        match self.maps.and_then(|maps| maps.by_name.get(name)) {
            Some(map) => Lookup::Found(map),
            None if optional && self.complete => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// Whether a ConfigMap of this name has been seen.
    pub fn have(self, name: &str) -> bool {
        self.maps
            .is_some_and(|maps| maps.by_name.contains_key(name))
    }

    /// Whether all ConfigMaps were listed.
    pub fn are_complete(self) -> bool {
        self.complete
    }

    /// Whether some ConfigMap has a word that may be a model ID.
    pub fn have_words(self) -> bool {
        self.maps.is_some_and(|maps| maps.with_words > 0)
    }
}

#[cfg(test)]
mod tests;
