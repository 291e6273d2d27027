//! The regions that the variables of a container set, with `$(X)` expanded as by the kubelet.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::text::NodeId;

use super::scope::{RegionSetting, may_name_a_region};
use crate::domain::config_maps::StoredValue;
use crate::domain::environment::{EnvEntry, EnvFromSource, Environment, Value};
use crate::domain::name_words::NameWords;
use crate::domain::object::VariableName;
use crate::domain::region::{
    LONGEST_EXPANSION, Region, RegionReading, expand, read, read_endpoint,
};
use crate::domain::region_names::{BareRegion, Claim, ClaimQuery, RegionRanks};

/// The maximum number of `$(X)` that are expanded for one region, nested ones included. Real regions need one or two.
const MOST_EXPANSIONS: usize = 16;

/// The maximum number of variables from `envFrom` that may set a region: more than a scope may have.
const MOST_NAMES: usize = 1000;

/// The number of entries up to which one is found faster than all are sorted: only few are looked up.
const FEW_ENTRIES: usize = 256;

/// The variables of a container.
pub(super) struct Variables<'t> {
    environment: Rc<Environment<'t>>,
    /// The positions of the entries that may define a variable, sorted by the name, those of one name in order. Few entries are
    /// not sorted, but searched one by one.
    by_name: OnceCell<Vec<usize>>,
}

impl<'t> Variables<'t> {
    pub(super) fn new(environment: Rc<Environment<'t>>) -> Self {
        Self {
            environment,
            by_name: OnceCell::new(),
        }
    }

    /// The variables that name a region. `extra_names` are names that set a region by a policy.
    pub(super) fn settings(&self, extra_names: &[Box<str>]) -> Vec<RegionSetting> {
        let is_extra = |name: &str| extra_names.iter().any(|extra| **extra == *name);
        let mut names = BTreeSet::new();
        for entry in self.environment.entries() {
            let name = entry.name;
            if may_name_a_region(name) || is_extra(name) || may_be_region(entry) {
                names.insert(name.to_owned());
            }
        }
        for item in self.environment.env_from() {
            let EnvFromSource::ConfigMap(_, map) = item.source else {
                continue;
            };
            for (key, value) in map.values() {
                if names.len() > MOST_NAMES {
                    break;
                }
                let is_region = matches!(value, StoredValue::Region(_) | StoredValue::Endpoint(_));
                if is_region || may_name_a_region(key) || !extra_names.is_empty() {
                    names.insert(VariableName::prefixed(item.prefix, key).to_string());
                }
            }
        }
        let setting = |name: &String| self.setting(name, extra_names);
        names.iter().filter_map(setting).collect()
    }

    /// The last entry of a name, or the last one before the entry at a node. There may be thousands of one name.
    fn last_entry(&self, name: &str, before: Option<NodeId>) -> Option<&EnvEntry<'t>> {
        let entries = self.environment.entries();
        let defines = |entry: &EnvEntry<'_>| !matches!(entry.value, Value::Absent);
        if entries.len() <= FEW_ENTRIES {
            let mut last = entries.iter().rev();
            return last.find(|entry| {
                entry.name == name
                    && defines(entry)
                    && before.is_none_or(|before| entry.node < before)
            });
        }
        let by_name = self.by_name.get_or_init(|| {
            let mut by_name: Vec<_> = (0..entries.len()).collect();
            by_name.retain(|at| defines(&entries[*at]));
            by_name.sort_by_key(|at| name_order(entries[*at].name));
            by_name
        });
        let behind = by_name.partition_point(|at| {
            let entry = &entries[*at];
            let order = name_order(entry.name).cmp(&name_order(name));
            order.is_lt() || order.is_eq() && before.is_none_or(|before| entry.node < before)
        });
        let last = &entries[by_name[behind.checked_sub(1)?]];
        (last.name == name).then_some(last)
    }

    /// The variable as a setting. As in Kubernetes, the last entry with the name takes precedence, then the last source of
    /// `envFrom`.
    ///
    /// An entry that cannot be read ends the search. A source of `envFrom` that cannot be read does not: it may contain any
    /// name, and most Pods have one for a password.
    fn setting(&self, name: &str, extra_names: &[Box<str>]) -> Option<RegionSetting> {
        if let Some(entry) = self.last_entry(name, None) {
            match entry.value {
                Value::Literal(text) => {
                    let reading = self.read(text, Some(entry.node));
                    let expanded = self.expand(text, Some(entry.node));
                    let endpoint = expanded.as_deref().and_then(read_endpoint);
                    return RegionSetting::of(name, extra_names, reading, endpoint);
                }
                Value::ConfigMapKey { text, .. } => {
                    return RegionSetting::of(name, extra_names, text.region(), text.endpoint());
                }
                Value::Unknown { .. } => return RegionSetting::unreadable(name, extra_names),
                Value::Absent => {}
            }
        }
        let text = self.environment.env_from_value(name)?;
        RegionSetting::of(name, extra_names, text.region(), text.endpoint())
    }

    /// Whether a source of `envFrom` that cannot be read may define a name that sets the region of Bedrock.
    pub(super) fn may_hide_a_region(&self, extra_names: &[Box<str>]) -> bool {
        let hidden = |item: &str| {
            item.is_empty()
                || ["REGION", "AWS_REGION"].iter().any(|name| {
                    let name = format!("{item}{name}");
                    let claim = RegionRanks::default().claim(&ClaimQuery {
                        name: &name,
                        words: &NameWords::of(&name),
                        path: "",
                        is_endpoint: false,
                        bare: BareRegion::None,
                        own_key: None,
                        own: &NameWords::default(),
                        extra_names,
                    });
                    claim.is_some_and(|claim| claim < Claim::Other)
                })
        };
        extra_names
            .iter()
            .any(|name| self.environment.may_hide(name))
            || self
                .environment
                .env_from()
                .iter()
                .any(|item| matches!(item.source, EnvFromSource::Unknown) && hidden(item.prefix))
    }

    /// Reads a text and expands `$(X)` from the entries before `at`, or from all entries.
    pub(super) fn read(&self, text: &str, at: Option<NodeId>) -> Option<RegionReading> {
        let budget = Cell::new(MOST_EXPANSIONS);
        read(text, &|name| self.expanded(name, at, &budget))
    }

    /// The text with each `$(X)` expanded; `None` if a variable cannot be expanded.
    fn expand(&self, text: &str, at: Option<NodeId>) -> Option<String> {
        if text.len() > LONGEST_EXPANSION {
            return None;
        }
        let budget = Cell::new(MOST_EXPANSIONS);
        expand(text, &|name| self.expanded(name, at, &budget))
    }

    /// The value of a variable after all entries, with `$(X)` expanded; `None` if it is not set or cannot be read.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.expanded(name, None, &Cell::new(MOST_EXPANSIONS))
    }

    fn expanded(&self, name: &str, at: Option<NodeId>, budget: &Cell<usize>) -> Option<String> {
        budget.set(budget.get().checked_sub(1)?);
        if let Some(entry) = self.last_entry(name, at) {
            match entry.value {
                Value::Literal(text) if text.len() <= LONGEST_EXPANSION => {
                    return expand(text, &|name| self.expanded(name, Some(entry.node), budget));
                }
                Value::ConfigMapKey { text, .. } => return stored_text(text),
                Value::Literal(_) | Value::Unknown { .. } => return None,
                Value::Absent => {}
            }
        }
        stored_text(self.environment.env_from_value(name)?)
    }
}

/// The order of names in [`Variables`]: the length is compared first, since most names differ in it.
fn name_order(name: &str) -> (usize, &str) {
    (name.len(), name)
}

/// Whether a value may be a region or an endpoint.
fn may_be_region(entry: &EnvEntry<'_>) -> bool {
    match entry.value {
        Value::Literal(text) => {
            // A region has hyphens, an endpoint has dots.
            !entry.is_plain
                && text.len() <= LONGEST_EXPANSION
                && (text.contains("$(")
                    || Region::from_code(text.trim()).is_some()
                    || read_endpoint(text).is_some())
        }
        Value::ConfigMapKey { text, .. } => {
            matches!(text, StoredValue::Region(_) | StoredValue::Endpoint(_))
        }
        Value::Absent | Value::Unknown { .. } => false,
    }
}

/// The stored part of a text, if a region's name can be built from it.
fn stored_text(text: &StoredValue) -> Option<String> {
    match text {
        StoredValue::Region(region) => Some(region.to_string()),
        StoredValue::Blank => Some(String::new()),
        StoredValue::Word(_)
        | StoredValue::Endpoint(_)
        | StoredValue::Placeholder
        | StoredValue::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Budget, Limits};
    use crate::domain::config_maps::NamespaceConfigMaps;
    use crate::text::Tree;

    #[test]
    fn the_last_entry_of_a_name_counts_among_few_and_many_entries() {
        for others in [0, FEW_ENTRIES + 1] {
            let others = (0..others).map(|at| (format!("OTHER_{at}"), "text"));
            let names = [
                ("PLACE", "eu-west-1"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_REGION", "$(PLACE)"),
                ("PLACE", "eu-west-3"),
            ];
            let names = names.map(|(name, text)| (name.to_owned(), text));
            let entries = names
                .into_iter()
                .chain(others)
                .map(|(name, value)| format!(r#"{{"name":"{name}","value":"{value}"}}"#));
            let source = format!(r#"{{"env":[{}]}}"#, entries.collect::<Vec<_>>().join(","));
            let tree = Tree::json(&source).unwrap();
            let none = NamespaceConfigMaps::NONE;
            let budget = Budget::new(Limits::NONE);
            let environment = Environment::of(&tree, tree.root(), none, &budget);
            let settings = Variables::new(Rc::new(environment)).settings(&[]);
            let regions: Vec<_> = settings
                .iter()
                .map(|one| (&*one.name, one.region().unwrap().to_string()))
                .collect();
            let expected = [("AWS_REGION", "eu-west-1"), ("PLACE", "eu-west-3")];
            assert_eq!(
                regions,
                expected.map(|(name, region)| (name, region.to_owned()))
            );
        }
    }
}
