//! The findings of an object, by policy.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Context};
use crate::budget::Budget;
use crate::domain::config_maps::NamespaceConfigMaps;
use crate::domain::detect::{self, Finding};
use crate::domain::environment::{Environments, Origin};
use crate::domain::object::Object;
use crate::domain::policy::{self, Policy};
use crate::domain::site::{Location, TextSite};
use crate::domain::tokens::Form;

/// All findings of an object, by whether references are resolved.
pub(super) struct PolicyViews<'t>(BTreeMap<bool, Vec<Finding<'t>>>);

impl<'t> PolicyViews<'t> {
    /// The findings of an object that these policies evaluate.
    pub(super) fn of<'p>(
        object: &Object<'t>,
        context: &Context<'t, '_>,
        variables: &ObjectVariables<'t, '_>,
        policies: impl Iterator<Item = &'p Policy>,
    ) -> Self {
        let modes: BTreeSet<bool> = policies.map(follows).collect();
        let findings = |follow| {
            let found = everything(object, context, variables, follow);
            (follow, added(found, context))
        };
        Self(modes.into_iter().map(findings).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }

    /// The findings for policies that resolve references and for those that do not.
    pub(super) fn all(&self) -> impl Iterator<Item = &Finding<'t>> {
        self.0.values().flatten()
    }

    /// The findings that one policy evaluates. A text that is both an alias and an unknown ID is only one of them.
    ///
    /// Empty if the budget does not suffice for as many findings.
    pub(super) fn under(&self, policy: &Policy, budget: &Budget) -> Vec<Finding<'t>> {
        let found = self.0.get(&follows(policy)).map_or(&[][..], Vec::as_slice);
        if !budget.spend_findings(found.len()) {
            return Vec::new();
        }
        let place = |one: &Finding<'t>| (one.site.node(), one.site.location, key_of(&one.site));
        let is_alias = |one: &Finding<'_>| one.form() == Some(Form::Alias);
        let aliases: BTreeSet<_> = found
            .iter()
            .filter(|one| is_alias(one) && takes_aliases(policy, &one.site))
            .map(place)
            .collect();
        let is_evaluated = |one: &&Finding<'t>| is_alias(one) == aliases.contains(&place(one));
        found.iter().filter(is_evaluated).cloned().collect()
    }
}

/// Whether a policy resolves references.
pub(super) fn follows(policy: &Policy) -> bool {
    policy.references != policy::References::Off
}

/// The variables of an object's containers, for policies that resolve references and for those that do not.
pub(super) struct ObjectVariables<'t, 'a> {
    with_references: Environments<'t, 'a>,
    without_references: Environments<'t, 'a>,
}

impl<'t, 'a> ObjectVariables<'t, 'a> {
    pub(super) fn of(object: &Object<'t>, context: &Context<'t, 'a>) -> Self {
        let namespace = &context.namespace.name;
        let config_maps = context.view.config_maps.in_namespace(namespace);
        Self {
            with_references: Environments::new(object.tree, config_maps, context.budget),
            without_references: Environments::new(
                object.tree,
                NamespaceConfigMaps::NONE,
                context.budget,
            ),
        }
    }

    /// The variables as a policy reads them.
    pub(super) fn under(&self, policy: &Policy) -> &Environments<'t, 'a> {
        self.read(follows(policy))
    }

    fn read(&self, follow: bool) -> &Environments<'t, 'a> {
        if follow {
            &self.with_references
        } else {
            &self.without_references
        }
    }
}

/// The findings in the object and, if `follow` is true, in the texts that it refers to.
pub(super) fn everything<'t>(
    object: &Object<'t>,
    context: &Context<'t, '_>,
    variables: &ObjectVariables<'t, '_>,
    follow: bool,
) -> Vec<Finding<'t>> {
    let environments = variables.read(follow);
    let snapshot = &context.view.snapshot;
    detect::findings(object, environments, follow, snapshot, context.budget)
}

/// The findings of the ephemeral containers that are added, if any are; otherwise all.
fn added<'t>(found: Vec<Finding<'t>>, context: &Context<'_, '_>) -> Vec<Finding<'t>> {
    let Action::AddEphemeralContainers(old) = context.action else {
        return found;
    };
    let existing: BTreeSet<&str> = old
        .containers()
        .map(|container| old.name_of(container))
        .collect();
    let is_new = |finding: &Finding<'_>| match finding.site.location {
        Location::Env { container, .. }
        | Location::Args { container }
        | Location::Command { container }
        | Location::Handler { container, .. } => !existing.contains(container),
        Location::Data { .. } | Location::Volume { .. } | Location::Document => false,
    };
    found.into_iter().filter(is_new).collect()
}

/// Whether a policy reads an alias at `site` as a model, because of the name of the variable, of the key, or of the
/// referenced key.
fn takes_aliases(policy: &Policy, site: &TextSite<'_>) -> bool {
    let Some(names) = &policy.aliases else {
        return false;
    };
    let is_named = match site.location {
        Location::Env { variable, .. } => names.matches(&variable.text()),
        Location::Data { key } => names.matches(key),
        Location::Args { .. }
        | Location::Command { .. }
        | Location::Handler { .. }
        | Location::Volume { .. }
        | Location::Document => false,
    };
    is_named || key_of(site).is_some_and(|key| names.matches(key))
}

/// The referenced key of the ConfigMap, if the text of `site` is in one.
fn key_of<'t>(site: &TextSite<'t>) -> Option<&'t str> {
    match site.reference()?.origin {
        Origin::ConfigMap { key, .. } => Some(key),
        Origin::Secret { .. } | Origin::Field { .. } => None,
    }
}
