//! The settings beside an ID: the variables of its container and the flags of its command, or the keys of its ConfigMap.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Detector;
use super::flags::{Flag, flags};
use crate::domain::context_rules::{
    ContextRules, MatchedNames, NameContext, NameScope, NameUses, neighbours_in_mapping,
};
use crate::domain::environment::Environment;
use crate::domain::object::Object;
use crate::domain::site::{Location, TextSite};
use crate::text::{NodeId, Tree};

/// The steps of work of a flag, which is compared with the classes of names.
const STEPS_PER_FLAG: usize = 4;

impl<'t> Detector<'t, '_> {
    /// The context of a text: its own name and the names beside it.
    pub(super) fn around(&mut self, site: &TextSite<'t>, text: &'t str) -> NameContext<'t> {
        let settings = self.settings(site.container);
        let own = match site.location {
            Location::Env { variable, .. } => Some(variable.key()),
            Location::Data { key } => Some(key),
            Location::Args { .. } | Location::Command { .. } => settings.flag_of(site.node()),
            Location::Handler { .. } | Location::Volume { .. } | Location::Document => None,
        };
        let used = match site.location {
            Location::Env { variable, .. } => settings.uses.how(&variable.text()),
            Location::Data { key } => settings.uses.how(key),
            Location::Args { .. }
            | Location::Command { .. }
            | Location::Handler { .. }
            | Location::Volume { .. }
            | Location::Document => None,
        };
        let matched = match site.location {
            Location::Args { .. } | Location::Command { .. } => &settings.of_arguments,
            Location::Env { .. }
            | Location::Data { .. }
            | Location::Handler { .. }
            | Location::Volume { .. }
            | Location::Document => &settings.of_variables,
        };
        NameContext {
            own,
            text,
            mapping: None,
            path: Vec::new(),
            scopes: vec![Arc::clone(matched)],
            used,
        }
    }

    /// The settings of a container, or of the ConfigMap, read once.
    fn settings(&mut self, container: Option<NodeId>) -> &NamedSettings<'t> {
        let (object, environments, context_rules) =
            (self.object, self.environments, &self.snapshot.context_rules);
        let budget = self.budget;
        self.settings
            .entry(container)
            .or_insert_with(|| match container {
                Some(container) => {
                    let environment = environments.of(container);
                    let flags = flags(object.tree, container);
                    budget.spend_steps(flags.len() * STEPS_PER_FLAG);
                    NamedSettings::of_container(
                        object.tree,
                        container,
                        (&environment, flags),
                        context_rules,
                    )
                }
                None => NamedSettings::of_data(object, context_rules),
            })
    }
}

/// The settings beside an ID in a container or in a ConfigMap.
pub(super) struct NamedSettings<'t> {
    /// The names that meet conditions for a variable or a key.
    pub(super) of_variables: Arc<MatchedNames<'t>>,
    /// The names that meet conditions for an argument: the flags of its command belong to its client.
    pub(super) of_arguments: Arc<MatchedNames<'t>>,
    /// The names of flags, by the node of the value.
    flags: BTreeMap<NodeId, &'t str>,
    /// How other texts use the names.
    pub(super) uses: NameUses<'t>,
}

impl<'t> NamedSettings<'t> {
    /// The settings of a container: its variables and the flags of its command.
    pub(super) fn of_container(
        tree: &'t Tree<'t>,
        container: NodeId,
        (environment, flags): (&Environment<'t>, Vec<Flag<'t>>),
        context_rules: &ContextRules,
    ) -> Self {
        let siblings = || flags.iter().map(|flag| flag.sibling());
        let settings = environment.neighbours().chain(siblings());
        let of_variables = Arc::new(context_rules.matched(settings, NameScope::Settings));
        let of_arguments = if flags.is_empty() {
            Arc::clone(&of_variables)
        } else {
            let mut matched = MatchedNames::clone(&of_variables);
            context_rules.add_of_entry(&mut matched, siblings());
            Arc::new(matched)
        };
        Self {
            of_variables,
            of_arguments,
            uses: NameUses::of_strings(tree, container),
            // The first flag of a node counts.
            flags: flags.iter().rev().map(|one| (one.node, one.name)).collect(),
        }
    }

    /// The settings of a ConfigMap: its keys.
    pub(super) fn of_data(object: &Object<'t>, context_rules: &ContextRules) -> Self {
        let tree = object.tree;
        let data = tree.get(object.root, "data");
        let names = data
            .into_iter()
            .flat_map(|data| neighbours_in_mapping(tree, data));
        let matched = Arc::new(context_rules.matched(names, NameScope::Settings));
        Self {
            of_arguments: Arc::clone(&matched),
            of_variables: matched,
            flags: BTreeMap::new(),
            uses: data.map_or_else(NameUses::default, |data| NameUses::of_strings(tree, data)),
        }
    }

    /// The name of the flag whose value is at `node`.
    pub(super) fn flag_of(&self, node: NodeId) -> Option<&'t str> {
        self.flags.get(&node).copied()
    }
}
