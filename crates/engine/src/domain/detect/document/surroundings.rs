//! The context of an ID in a document: the names and the regions around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{COMMANDS, DocumentWalk};
use crate::domain::context_rules::{
    MatchedNames, NameContext, NameScope, NameUses, neighbours_in_list, neighbours_in_mapping,
    variable,
};
use crate::domain::name_words::NameWords;
use crate::domain::region_lookup::MOST_NODES;
use crate::domain::region_lookup::{
    DocumentRegions, OwnName, RegionScope, ScopeKind, ScopeQuery, names_variables, pair,
    scope_of_list, scope_of_mapping, scope_of_words,
};
use crate::text::{Kind, NodeId, Tree};

/// The steps of work of a node of a mapping whose names and regions are read.
const STEPS_PER_NODE: usize = 2;

/// The nodes that are searched for one step.
const NODES_PER_STEP: usize = 8;

/// The steps of work of a mapping that another one names, besides those of its nodes.
const STEPS_PER_NAMED: usize = 4;

impl<'x> DocumentWalk<'_, '_, 'x> {
    /// The context of a scalar: its mapping, the mappings around it up to the root, and the context of the document.
    pub(super) fn around(&mut self, site: NodeId) -> (NameContext<'x>, DocumentRegions) {
        let tree = self.tree;
        let mut around = NameContext {
            text: tree.text(site).unwrap_or_default(),
            ..NameContext::default()
        };
        let mut nearby = DocumentRegions::default();
        let mut node = site;
        if let Some((name, list)) = variable(tree, site) {
            around.own = Some(name);
            self.enter(list, None, &mut around, &mut nearby);
            node = list;
        } else {
            around.own = tree.key(site);
            around.mapping = tree.parent(site).and_then(|parent| tree.key(parent));
        }
        around.used = around.own.and_then(|own| self.uses().how(own));
        nearby.own = self.own_name(site, around.own);
        while let Some(parent) = tree.parent(node) {
            if tree.kind(parent) == Kind::Mapping {
                self.enter(parent, Some(node), &mut around, &mut nearby);
            } else {
                self.enter_list(parent, node, &mut nearby);
                around.path.extend(tree.key(parent));
            }
            node = parent;
        }
        around.path.extend_from_slice(&self.base.path);
        around.scopes.extend(self.base.scopes.iter().cloned());
        nearby.levels.extend(self.base.levels.iter().cloned());
        (around, nearby)
    }

    /// How the texts of the document use names.
    fn uses(&self) -> &NameUses<'x> {
        self.uses
            .get_or_init(|| NameUses::of_strings(self.tree, self.tree.root()))
    }

    /// The keys around a node and its own key, separated by dots.
    fn path_to(&self, node: NodeId) -> String {
        let tree = self.tree;
        let nodes = std::iter::successors(Some(node), |node| tree.parent(*node));
        let mut keys: Vec<_> = nodes.filter_map(|node| tree.key(node)).collect();
        keys.extend(Some(&*self.base.region_path).filter(|path| !path.is_empty()));
        keys.reverse();
        keys.join(".")
    }

    /// The ID's own name, which the names of settings are compared with.
    fn own_name(&self, site: NodeId, own: Option<&str>) -> OwnName {
        let item = self.tree.text(site).and_then(pair).map(|(name, _)| name);
        let key = own.or(item);
        let mut path = self.path_to(site);
        if let Some(key) = key.filter(|_| self.tree.key(site) != own || own.is_none()) {
            path = format!("{path}.{key}");
        }
        OwnName {
            key: key.map(Box::from),
            path: path.into(),
        }
    }

    /// Adds a mapping or a list of variables to the context; `branch` is its child that has the ID.
    fn enter(
        &mut self,
        node: NodeId,
        branch: Option<NodeId>,
        around: &mut NameContext<'x>,
        nearby: &mut DocumentRegions,
    ) {
        let tree = self.tree;
        around.path.extend(tree.key(node));
        if !self.by_node.contains_key(&node) {
            if self.named.is_none() {
                self.named = Some(named_mappings(tree));
            }
            let entered = self.read(node);
            self.by_node.insert(node, entered);
        }
        if let Some((matched, scope)) = self.by_node.get(&node) {
            around.scopes.push(Arc::clone(matched));
            nearby.levels.push((Arc::clone(scope), branch));
        }
    }

    /// Reads the names of a mapping or of a list of variables.
    fn read(&self, node: NodeId) -> (Arc<MatchedNames<'x>>, Arc<RegionScope>) {
        let (tree, snapshot) = (self.tree, self.snapshot);
        // The texts of branches are searched for IDs, however many they are.
        let size = tree.size(node);
        self.budget
            .spend_steps(size.min(MOST_NODES) * STEPS_PER_NODE + size / NODES_PER_STEP);
        let context_rules = &snapshot.context_rules;
        let path = self.path_to(node);
        let query = ScopeQuery {
            extra_names: &self.extra_names,
            has_id: &|text| snapshot.vendor_hits(text).next().is_some(),
            path: &path,
        };
        if tree.kind(node) == Kind::Sequence {
            let matched =
                context_rules.matched(neighbours_in_list(tree, node), NameScope::Settings);
            return (
                Arc::new(matched),
                Arc::new(scope_of_list(tree, node, query)),
            );
        }
        let is_variables = tree.key(node).is_some_and(names_variables);
        let (among, kind) = if is_variables {
            (NameScope::Settings, ScopeKind::Variables)
        } else {
            (NameScope::Entry, ScopeKind::Mapping)
        };
        let matched = context_rules.matched(neighbours_in_mapping(tree, node), among);
        let mut scope = scope_of_mapping(tree, node, kind, query);
        self.add_named(node, &mut scope);
        (Arc::new(matched), Arc::new(scope))
    }

    /// Adds the regions of the mappings that a mapping names: a credential, a profile, a provider.
    fn add_named(&self, node: NodeId, scope: &mut RegionScope) {
        let tree = self.tree;
        for child in tree.children(node) {
            let (Some(key), Some(name)) = (tree.key(child), tree.text(child)) else {
                continue;
            };
            let named = self.named.as_ref().and_then(|named| named.get(name));
            let Some(named) = named.filter(|_| is_reference(key)) else {
                continue;
            };
            scope.settings.retain(|setting| *setting.name != *key);
            let contains = |other: NodeId| {
                let mut parents = std::iter::successors(Some(node), |node| tree.parent(*node));
                parents.any(|parent| parent == other)
            };
            for other in named {
                let steps = STEPS_PER_NAMED + tree.size(*other).min(MOST_NODES) * STEPS_PER_NODE;
                if !self.budget.spend_steps(steps) || scope.is_full() {
                    return;
                }
                if contains(*other) {
                    continue;
                }
                let query = ScopeQuery {
                    extra_names: &self.extra_names,
                    has_id: &|text| self.snapshot.vendor_hits(text).next().is_some(),
                    path: "",
                };
                let mut settings =
                    scope_of_mapping(tree, *other, ScopeKind::Mapping, query).settings;
                for setting in &mut settings {
                    setting.branch = None;
                }
                scope.add(settings);
            }
        }
    }

    /// Adds the regions of a list: the words of a command, or the `NAME=value` beside the one that has the ID.
    fn enter_list(&mut self, list: NodeId, item: NodeId, nearby: &mut DocumentRegions) {
        let tree = self.tree;
        let is_pair = tree.text(item).and_then(pair).is_some();
        let is_command = COMMANDS.iter().any(|name| tree.is_under(list, name));
        if !is_pair && !is_command {
            return;
        }
        // All items of a list have the same scope.
        if !self.by_list.contains_key(&list) {
            let scope = self.read_list(list, is_command);
            self.by_list.insert(list, Arc::new(scope));
        }
        if let Some(scope) = self.by_list.get(&list) {
            nearby.levels.push((Arc::clone(scope), None));
        }
    }

    /// Reads the regions of a list.
    fn read_list(&self, list: NodeId, is_command: bool) -> RegionScope {
        let tree = self.tree;
        self.budget
            .spend_steps(tree.size(list).min(MOST_NODES) * STEPS_PER_NODE);
        if is_command {
            let words = tree.children(list).filter_map(|node| tree.text(node));
            return scope_of_words(&words.collect::<Vec<_>>(), &self.extra_names);
        }
        let query = ScopeQuery {
            extra_names: &self.extra_names,
            has_id: &|_| false,
            path: "",
        };
        scope_of_list(tree, list, query)
    }
}

/// Words of names that refer to another mapping.
const REFERENCES: &[&str] = &[
    "connection",
    "connections",
    "credential",
    "credentials",
    "profile",
    "profiles",
    "provider",
    "providers",
];

/// Whether a key refers to another mapping by its name.
fn is_reference(key: &str) -> bool {
    NameWords::of(key).has_any(REFERENCES)
}

/// The mappings of a document that others may refer to, by their names: items with a name, and values of a key.
fn named_mappings<'x>(tree: &'x Tree<'x>) -> BTreeMap<&'x str, Vec<NodeId>> {
    let mut named = BTreeMap::<_, Vec<_>>::new();
    for node in tree.keyed(tree.root()) {
        let (Some(key), Some(parent)) = (tree.key(node), tree.parent(node)) else {
            continue;
        };
        if tree.kind(node) == Kind::Mapping {
            if tree.key(parent).is_some_and(is_reference) {
                named.entry(key).or_default().push(node);
            }
            continue;
        }
        let is_item = |list: NodeId| tree.kind(list) == Kind::Sequence;
        let list = tree.parent(parent).filter(|list| is_item(*list));
        let Some(list) = list else { continue };
        let words = NameWords::of(key);
        let is_name = words.ends_with(&["name"]) || words.ends_with(&["id"]);
        let is_kind = || is_reference(key) || tree.key(list).is_some_and(is_reference);
        if let Some(text) = tree.text(node).filter(|_| is_name && is_kind()) {
            named.entry(text).or_default().push(parent);
        }
    }
    named
}
