//! The regions that the variables of a container set, with `$(X)` expanded as by the kubelet.

use std::cell::Cell;

use crate::text::{NodeId, Tree};

use super::may_name_a_region;
use crate::domain::config_maps::{NamespaceConfigMaps, StoredValue};
use crate::domain::environment::{Environment, Value};
use crate::domain::policy::Policy;
use crate::domain::region::{LONGEST_EXPANSION, RegionReading, expand, read};

/// The maximum number of `$(X)` that are expanded for one region, nested ones included. Real regions need one or two.
const MOST_EXPANSIONS: usize = 16;

/// The variables of a container. Only those that may set a region are indexed: a few among hundreds.
pub(super) struct Variables<'t> {
    environment: Environment<'t>,
    /// Names and entries of variables that may set a region, in order.
    regional: Vec<(&'t str, NodeId)>,
}

impl<'t> Variables<'t> {
    pub(super) fn of(
        tree: &'t Tree<'t>,
        container: NodeId,
        policy: &Policy,
        neighbours: NamespaceConfigMaps<'t>,
    ) -> Self {
        let environment = Environment::of(tree, container, neighbours);
        let regional = environment
            .entries()
            .filter(|(name, _)| may_name_a_region(name, policy))
            .collect();
        Self {
            environment,
            regional,
        }
    }

    /// The region that the variable sets. As in Kubernetes, the last entry with the name takes precedence, then the last source
    /// of `envFrom`.
    ///
    /// An entry that cannot be read ends the search. A source of `envFrom` that cannot be read does not: it may contain any
    /// name, and most Pods have one for a password.
    pub(super) fn region(&self, name: &str) -> Option<RegionReading> {
        let entries = self.regional.iter().rev().filter(|(one, _)| *one == name);
        for (_, entry) in entries {
            match self.environment.value(*entry) {
                Value::Literal(text) => return self.read(text, Some(*entry)),
                Value::ConfigMapKey { text, .. } => return text.region(),
                Value::Unknown { .. } => return Some(RegionReading::OutOfSight),
                Value::Absent => {}
            }
        }
        self.environment.env_from_value(name)?.region()
    }

    /// Whether a source of `envFrom` that cannot be read may define the variable.
    pub(super) fn may_hide(&self, name: &str) -> bool {
        self.environment.may_hide(name)
    }

    /// Reads a text and expands `$(X)` from the entries before `at`, or from all entries.
    pub(super) fn read(&self, text: &str, at: Option<NodeId>) -> Option<RegionReading> {
        let budget = Cell::new(MOST_EXPANSIONS);
        read(text, &|name| self.expanded(name, at, &budget))
    }

    fn expanded(&self, name: &str, at: Option<NodeId>, budget: &Cell<usize>) -> Option<String> {
        budget.set(budget.get().checked_sub(1)?);
        let mut entries: Vec<_> = self
            .environment
            .entries()
            .take_while(|(_, entry)| Some(*entry) != at)
            .filter(|(one, _)| *one == name)
            .map(|(_, entry)| entry)
            .collect();
        while let Some(entry) = entries.pop() {
            match self.environment.value(entry) {
                Value::Literal(text) if text.len() <= LONGEST_EXPANSION => {
                    return expand(text, &|name| self.expanded(name, Some(entry), budget));
                }
                Value::ConfigMapKey { text, .. } => return stored_text(text),
                Value::Literal(_) | Value::Unknown { .. } => return None,
                Value::Absent => {}
            }
        }
        stored_text(self.environment.env_from_value(name)?)
    }
}

/// The stored part of a text, if a region's name can be built from it.
fn stored_text(text: &StoredValue) -> Option<String> {
    match text {
        StoredValue::Region(region) => Some(region.to_string()),
        StoredValue::Blank => Some(String::new()),
        StoredValue::Word(_) | StoredValue::Placeholder | StoredValue::Other => None,
    }
}
