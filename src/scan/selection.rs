//! Which policies select something of what is evaluated, and what no policy selects.

use std::collections::BTreeMap;

use crate::domain::judge::selects;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::Namespace;
use crate::domain::view::View;

/// The kinds that a policy selects by different fields; it selects configuration files by their namespace alone.
const KINDS: [ObjectKind; 3] = [ObjectKind::Pod, ObjectKind::ConfigMap, ObjectKind::Plain];

/// The numbers of objects and configuration files by namespace. The policies are applied once all namespaces are known.
#[derive(Debug, Default)]
pub struct EvaluatedObjects {
    /// By namespace, for each of [`KINDS`].
    counts: BTreeMap<Box<str>, [usize; KINDS.len()]>,
}

/// What the policies select.
#[derive(Debug, Default)]
pub struct PolicySelection<'s> {
    /// Objects and configuration files.
    pub objects: usize,
    /// Those that no policy selects, by namespace.
    pub unselected: BTreeMap<&'s str, usize>,
    /// The names of the policies that select nothing.
    pub idle_policies: Vec<&'s str>,
}

impl EvaluatedObjects {
    /// Counts an object. Custom resources and Secrets are not counted, since no policy changes them.
    pub(super) fn count(&mut self, object: &Object<'_>, namespace: &str) {
        let index = match object.kind {
            ObjectKind::Pod | ObjectKind::Template => 0,
            ObjectKind::ConfigMap => 1,
            ObjectKind::Plain => 2,
            ObjectKind::Secret | ObjectKind::Custom => return,
        };
        match self.counts.get_mut(namespace) {
            Some(counts) => counts[index] += 1,
            None => self.counts.entry(namespace.into()).or_default()[index] += 1,
        }
    }

    /// Adds the counts of another file.
    pub fn add(&mut self, other: Self) {
        for (namespace, counts) in other.counts {
            let all = self.counts.entry(namespace).or_default();
            for (all, count) in all.iter_mut().zip(counts) {
                *all += count;
            }
        }
    }

    /// What the policies of `view` select.
    pub fn under<'s>(&'s self, view: &'s View) -> PolicySelection<'s> {
        let policies = &view.snapshot.policies;
        let mut selection = PolicySelection::default();
        let mut is_idle = vec![true; policies.len()];
        for (name, counts) in &self.counts {
            let namespace = view.namespace(name);
            let namespace = namespace.unwrap_or_else(|| Namespace::named(name).into());
            for (kind, count) in KINDS
                .into_iter()
                .zip(counts)
                .filter(|(_, count)| **count > 0)
            {
                selection.objects += count;
                let mut is_selected = false;
                for (policy, is_idle) in policies.iter().zip(&mut is_idle) {
                    let selects = selects(policy, kind, &namespace);
                    is_selected |= selects;
                    *is_idle &= !selects;
                }
                if !is_selected {
                    *selection.unselected.entry(name).or_default() += count;
                }
            }
        }
        let idle = policies.iter().zip(is_idle).filter(|(_, is_idle)| *is_idle);
        selection.idle_policies = idle.map(|(policy, _)| &*policy.name).collect();
        selection
    }
}
