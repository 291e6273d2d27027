//! The findings of an object, under each policy.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Context};
use crate::domain::config_maps::NamespaceConfigMaps;
use crate::domain::detect::{self, Finding};
use crate::domain::environment::Origin;
use crate::domain::object::Object;
use crate::domain::policy::{self, Policy};
use crate::domain::site::{Location, TextSite};
use crate::domain::tokens::Form;

/// Everything that is in an object, seen by those who follow what it takes from elsewhere and by those who do not.
pub(super) struct PolicyViews<'t>(BTreeMap<bool, Vec<Finding<'t>>>);

impl<'t> PolicyViews<'t> {
    /// What these policies see of an object; of a running Pod only what the new containers bring.
    pub(super) fn of<'p>(
        object: &Object<'t>,
        context: &Context<'t, '_>,
        policies: impl Iterator<Item = &'p Policy>,
    ) -> Self {
        let ways: BTreeSet<bool> = policies.map(follows).collect();
        let seen = |follow| (follow, added(everything(object, context, follow), context));
        Self(ways.into_iter().map(seen).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }

    /// Every finding that some policy may see.
    pub(super) fn all(&self) -> impl Iterator<Item = &Finding<'t>> {
        self.0.values().flatten()
    }

    /// What one policy looks at. It sees a text that is an alias either as that or as what else it may be.
    pub(super) fn under(&self, policy: &Policy) -> Vec<Finding<'t>> {
        let found = self.0.get(&follows(policy)).map_or(&[][..], Vec::as_slice);
        let place = |one: &Finding<'t>| (one.site.node(), one.site.location, key_of(&one.site));
        let is_alias = |one: &Finding<'_>| one.token.form == Form::Alias;
        let aliases: BTreeSet<_> = found
            .iter()
            .filter(|one| is_alias(one) && takes_aliases(policy, &one.site))
            .map(place)
            .collect();
        let seen = |one: &&Finding<'t>| is_alias(one) == aliases.contains(&place(one));
        found.iter().filter(seen).cloned().collect()
    }
}

/// Whether a policy looks at what an object takes from elsewhere.
pub(super) fn follows(policy: &Policy) -> bool {
    policy.references != policy::References::Off
}

/// The ConfigMaps that an object of the context's namespace can refer to, as far as the policy looks at them.
pub(super) fn neighbours<'t>(
    policy: &Policy,
    context: &Context<'t, '_>,
) -> NamespaceConfigMaps<'t> {
    if follows(policy) {
        in_namespace(context)
    } else {
        NamespaceConfigMaps::NONE
    }
}

fn in_namespace<'t>(context: &Context<'t, '_>) -> NamespaceConfigMaps<'t> {
    let namespace = &context.namespace.name;
    context.view.config_maps.in_namespace(namespace)
}

/// Everything that is in the object, and where `follow` says so, what it takes from elsewhere.
pub(super) fn everything<'t>(
    object: &Object<'t>,
    context: &Context<'t, '_>,
    follow: bool,
) -> Vec<Finding<'t>> {
    let neighbours = follow.then(|| in_namespace(context));
    detect::findings(object, neighbours, &context.view.snapshot)
}

/// Of a running Pod only what the new containers bring.
fn added<'t>(found: Vec<Finding<'t>>, context: &Context<'_, '_>) -> Vec<Finding<'t>> {
    let Action::AddEphemeralContainers(old) = context.action else {
        return found;
    };
    let there: BTreeSet<&str> = old
        .containers()
        .map(|container| old.name_of(container))
        .collect();
    let is_new = |finding: &Finding<'_>| match finding.site.location {
        Location::Env { container, .. }
        | Location::Args { container }
        | Location::Command { container } => !there.contains(container),
        Location::Data { .. } | Location::Volume { .. } | Location::Document => false,
    };
    found.into_iter().filter(is_new).collect()
}

/// Whether a policy takes the text of `site` for a model's where it is an alias: by the name of the variable or of the key, here
/// or where the text is taken from.
fn takes_aliases(policy: &Policy, site: &TextSite<'_>) -> bool {
    let Some(names) = &policy.aliases else {
        return false;
    };
    let here = match site.location {
        Location::Env { variable, .. } => names.matches(&variable.to_string()),
        Location::Data { key } => names.matches(key),
        Location::Args { .. }
        | Location::Command { .. }
        | Location::Volume { .. }
        | Location::Document => false,
    };
    here || key_of(site).is_some_and(|key| names.matches(key))
}

/// The key of the ConfigMap that the text of `site` is taken from.
fn key_of<'t>(site: &TextSite<'t>) -> Option<&'t str> {
    match site.reference()?.origin {
        Origin::ConfigMap { key, .. } => Some(key),
        Origin::Secret { .. } | Origin::Field { .. } => None,
    }
}
