//! What one policy looks at, of all that stands in an object.

use std::collections::BTreeSet;

use super::super::detect::Finding;
use super::super::object::{Leaf, Spot};
use super::super::policy::Policy;
use super::super::references::Origin;
use super::super::token::Form;
use super::follows;

/// What a policy looks at: nothing that is taken from elsewhere where it does not follow references, and a text that is an
/// alias either as that or as what else it may be.
pub(super) fn looked_at<'t>(policy: &Policy, found: &[Finding<'t>]) -> Vec<Finding<'t>> {
    let place = |one: &Finding<'t>| (one.leaf.node(), one.leaf.spot, key_of(&one.leaf));
    let is_alias = |one: &Finding<'_>| one.token.form == Form::Alias;
    let aliases: BTreeSet<_> = found
        .iter()
        .filter(|one| is_alias(one) && takes_aliases(policy, &one.leaf))
        .map(place)
        .collect();
    let seen = |one: &&Finding<'t>| {
        let here = follows(policy) || one.leaf.reference().is_none();
        here && is_alias(one) == aliases.contains(&place(one))
    };
    found.iter().filter(seen).cloned().collect()
}

/// Whether a policy takes the text of `leaf` for a model's where it is an alias: by the name of the variable or of the key, here
/// or where the text is taken from.
fn takes_aliases(policy: &Policy, leaf: &Leaf<'_>) -> bool {
    let Some(names) = &policy.aliases else {
        return false;
    };
    let here = match leaf.spot {
        Spot::Env { variable, .. } => names.matches(&variable.to_string()),
        Spot::Data { key } => names.matches(key),
        Spot::Args { .. } | Spot::Command { .. } | Spot::Volume { .. } | Spot::Document => false,
    };
    here || key_of(leaf).is_some_and(|key| names.matches(key))
}

/// The key of the ConfigMap that the text of `leaf` is taken from.
fn key_of<'t>(leaf: &Leaf<'t>) -> Option<&'t str> {
    match leaf.reference()?.origin {
        Origin::ConfigMap { key, .. } => Some(key),
        Origin::Secret { .. } | Origin::Field { .. } => None,
    }
}
