//! An immutable index of ConfigMaps for references to model IDs and regions.
//!
//! For each ConfigMap the index stores the names of all keys, because these determine which source defines a variable. Of the
//! values it stores only words that may be model IDs, and regions. It stores nothing of Secrets.

use std::collections::BTreeMap;
use std::sync::Arc;

mod config_map;

pub use config_map::{ConfigMap, StoredValue, Word};

/// The observed ConfigMaps, by namespace and name.
///
/// A clone shares its content with the original, so that a writer can cheaply derive the next value from the last one.
#[derive(Debug, Clone, Default)]
pub struct ConfigMapIndex {
    namespaces: BTreeMap<Box<str>, Arc<NamespaceEntry>>,
    complete: bool,
}

/// The ConfigMaps of one namespace.
#[derive(Debug, Clone, Default)]
struct NamespaceEntry {
    by_name: BTreeMap<Box<str>, Arc<ConfigMap>>,
    /// The number of ConfigMaps with a word that may be an ID.
    with_words: usize,
}

/// The ConfigMaps that a Pod can refer to: those in its namespace.
#[derive(Debug, Clone, Copy)]
pub struct NamespaceConfigMaps<'r> {
    maps: Option<&'r NamespaceEntry>,
    complete: bool,
}

/// The result of a lookup of a ConfigMap.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'r> {
    /// The ConfigMap.
    Found(&'r ConfigMap),
    /// The ConfigMap does not exist.
    Absent,
    /// The ConfigMap has not been observed.
    Unknown,
}

// === ConfigMapIndex ===

impl ConfigMapIndex {
    /// An empty index that will have all ConfigMaps: a missing one does not exist.
    pub fn of_all() -> Self {
        Self {
            complete: true,
            ..Self::default()
        }
    }

    /// Adds a ConfigMap, or replaces the one of this name.
    pub fn insert(&mut self, namespace: &str, name: &str, map: ConfigMap) {
        let maps = Arc::make_mut(self.namespaces.entry(namespace.into()).or_default());
        maps.with_words += usize::from(map.has_words());
        if let Some(old) = maps.by_name.insert(name.into(), Arc::new(map)) {
            maps.with_words -= usize::from(old.has_words());
        }
    }

    /// Removes a ConfigMap.
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

    /// Whether all ConfigMaps were listed, so that a missing one does not exist.
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
    /// No observed ConfigMaps.
    pub const NONE: Self = Self {
        maps: None,
        complete: false,
    };

    /// Looks up the ConfigMap `name`. A missing one is [`Lookup::Absent`] only if all were listed and the reference is optional:
    /// a container starts only after a required one is created.
    pub fn look_up(self, name: &str, optional: bool) -> Lookup<'r> {
        match self.maps.and_then(|maps| maps.by_name.get(name)) {
            Some(map) => Lookup::Found(map),
            None if optional && self.complete => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// Whether a ConfigMap of this name has been observed.
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
