//! The region that a workload calls, from everything in reach of an ID that names a region.
//!
//! The settings around an ID are collected with their distance and the claim of their names. In this order one sets the region:
//! the value itself and its entry, the object's annotation, the settings by the rank of their claims and then by distance
//! ([`RANKS`](crate::domain::region_names::RANKS)), the namespace's annotation, the policy, the cluster. A conflict, an unreadable value and a text that is not a
//! region end the search as a region does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::text::NodeId;

use crate::domain::annotations;
use crate::domain::command::InCommand;
use crate::domain::environment::Environments;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::{Namespace, Policy};
use crate::domain::region::{Region, RegionReading, RegionSource, read_region};
use crate::domain::region_names::{BareRegion, RegionRanks};
use crate::domain::site::{Location, TextSite};
use crate::domain::view::View;

mod choice;
mod document_scope;
mod flags;
mod in_sight;
mod named_regions;
mod other_documents;
mod scope;
mod variables;

pub use choice::{NamedRegion, RegionAnswer, RegionChoice};
pub use document_scope::{
    MOST_NODES, ScopeQuery, names_variables, pair, scope_of_list, scope_of_mapping, scope_of_words,
};
pub use in_sight::RegionInSight;
pub use other_documents::{is_of_profile, other_document_scopes, profiles_of};
pub use scope::{OwnName, RegionScope, RegionSetting, ScopeKind};

use choice::{Candidate, PlacedScope, candidates, is_of_entry, others, strongest};
use named_regions::NamedRegions;

/// The regions that the document around an ID sets.
#[derive(Debug, Clone, Default)]
pub struct DocumentRegions {
    /// The scopes around the ID, the nearest first, each with the branch that has the ID.
    pub levels: Vec<(Arc<RegionScope>, Option<NodeId>)>,
    /// The ID's own name; without a key if the ID is not in a document.
    pub own: OwnName,
}

/// The region sources of an object and its surroundings, read once for all of its findings.
pub struct RegionContext<'t> {
    policy: &'t Policy,
    ranks: RegionRanks,
    annotation: Option<RegionReading>,
    /// The other annotations of the object.
    annotations: RegionScope,
    namespace: Option<RegionReading>,
    default: Option<RegionReading>,
    cluster: Option<RegionReading>,
    assumed: Option<RegionReading>,
    /// The regions that names set, by container; `None` for the data of a ConfigMap.
    named: BTreeMap<Option<NodeId>, NamedRegions<'t>>,
}

/// The place whose region is requested.
#[derive(Clone, Copy)]
pub struct RegionQuery<'a, 't> {
    /// The text that the ID is in.
    pub site: &'a TextSite<'t>,
    /// The span of the ID in the decoded text.
    pub token: &'a Range<usize>,
    /// The region in the value itself.
    pub in_value: Option<Region>,
    /// The regions that the document sets around the ID.
    pub document_regions: &'a DocumentRegions,
    /// The command around the ID, or that of the container whose variable has it.
    pub command: Option<&'a InCommand>,
}

impl<'t> RegionContext<'t> {
    /// Reads the region sources of `object` and of these containers, whose variables are in `environments`. `policy` adds
    /// variable names and a default, `view` the regions of the cluster and of the command line.
    pub fn of(
        object: &Object<'t>,
        containers: &BTreeSet<NodeId>,
        policy: &'t Policy,
        namespace: &Namespace,
        environments: &Environments<'t, '_>,
        view: &View,
    ) -> Self {
        let tree = object.tree;
        let annotated = |text: Option<&str>| read_region(text?);
        let mut named: BTreeMap<_, _> = containers
            .iter()
            .map(|node| {
                let names = NamedRegions::of_container(tree, *node, policy, environments);
                (Some(*node), names)
            })
            .collect();
        if let (ObjectKind::ConfigMap, Some(data)) = (object.kind, tree.get(object.root, "data")) {
            named.insert(None, NamedRegions::of_data(tree, data, policy));
        }
        Self {
            policy,
            ranks: RegionRanks::default(),
            annotation: annotated(object.annotation(annotations::REGION)),
            annotations: other_annotations(object),
            namespace: annotated(
                namespace
                    .annotations
                    .get(annotations::REGION)
                    .map(|text| &**text),
            ),
            default: policy.default_region.map(RegionReading::Region),
            cluster: view.cluster_region.map(RegionReading::Region),
            assumed: view.assumed_region.map(RegionReading::Region),
            named,
        }
    }

    /// The same sources, with these ranks of names.
    #[must_use]
    pub fn ranked_by(self, ranks: RegionRanks) -> Self {
        Self { ranks, ..self }
    }

    /// The region of the strongest source that is set, with the regions that must not change the answer.
    pub fn choose_region(&self, place: RegionQuery<'_, 't>) -> RegionChoice {
        if let Some(region) = place.in_value {
            let found = RegionReading::Region(region);
            let answer = RegionAnswer::of_source(RegionSource::InValue, found);
            return RegionChoice {
                answer: Some(answer),
                ..RegionChoice::default()
            };
        }
        let annotation = self
            .annotation
            .map(|found| RegionAnswer::of_source(RegionSource::ObjectAnnotation, found));
        self.with_candidates(place, |candidates| {
            if let Some(answer) = strongest(candidates, is_of_entry) {
                return RegionChoice {
                    answer: Some(answer),
                    others: others(candidates, is_of_entry),
                    in_conflict: annotation,
                };
            }
            if annotation.is_some() {
                return RegionChoice {
                    answer: annotation,
                    ..RegionChoice::default()
                };
            }
            RegionChoice {
                answer: strongest(candidates, |_| true).or_else(|| self.outside(place)),
                others: others(candidates, |_| true),
                in_conflict: None,
            }
        })
    }

    /// What the choice of a region costs: the settings that are compared with the ID, each by the parts of its name and of the
    /// ID's own name.
    pub fn cost(&self, place: RegionQuery<'_, 't>) -> usize {
        /// The length of a usual name, in bytes: a longer one counts as several.
        const USUAL: usize = 32;
        let own = match place.site.location {
            Location::Env { variable, .. } => variable.key().len(),
            Location::Data { key } => key.len(),
            Location::Args { .. }
            | Location::Command { .. }
            | Location::Handler { .. }
            | Location::Volume { .. }
            | Location::Document => 0,
        };
        let own = 1 + own.max(place.document_regions.own.path.len()) / USUAL;
        let of_name = |name: &str| own + name.len() / USUAL;
        let of_scope = |scope: &RegionScope| -> usize {
            let settings = scope.settings.iter();
            1 + settings.map(|one| of_name(&one.name)).sum::<usize>() + scope.path.len() / USUAL
        };
        let levels = place.document_regions.levels.iter();
        let levels: usize = levels.map(|(scope, _)| of_scope(scope)).sum();
        let reach = place.command.map(|command| &command.reach).into_iter();
        let command = reach.flat_map(|reach| reach.beside.iter().chain(&reach.before));
        let command: usize = command.map(|one| of_name(&one.name)).sum();
        let names = self.named.get(&place.site.container);
        let names = names.map_or(0, |names| of_scope(names.with_flags()));
        levels + command + names + of_scope(&self.annotations)
    }

    /// The region that `source` sets.
    pub fn read_source(
        &self,
        source: RegionSource,
        place: RegionQuery<'_, 't>,
    ) -> Option<RegionReading> {
        match source {
            RegionSource::InValue => place.in_value.map(RegionReading::Region),
            RegionSource::ObjectAnnotation => self.annotation,
            RegionSource::Beside
            | RegionSource::ContainerEnv
            | RegionSource::Document
            | RegionSource::ConfigMapKey => self.with_candidates(place, |candidates| {
                let answer = strongest(candidates, |one| one.is_from(source));
                answer.map(|answer| answer.found)
            }),
            RegionSource::NamespaceAnnotation => self.namespace,
            RegionSource::PolicyDefault => self.default,
            RegionSource::Cluster => {
                let names = self.named.get(&place.site.container);
                self.cluster
                    .filter(|_| !names.is_some_and(|names| names.may_be_hidden))
            }
            RegionSource::Assumed => self.assumed,
        }
    }

    /// The region of the namespace, the policy, the cluster or the command line.
    fn outside(&self, place: RegionQuery<'_, 't>) -> Option<RegionAnswer> {
        if is_of_other_process(place) {
            let unknown = RegionReading::OutOfSight;
            return Some(RegionAnswer::of_source(RegionSource::Beside, unknown));
        }
        let sources = [
            RegionSource::NamespaceAnnotation,
            RegionSource::PolicyDefault,
            RegionSource::Cluster,
            RegionSource::Assumed,
        ];
        sources.into_iter().find_map(|source| {
            let found = self.read_source(source, place)?;
            Some(RegionAnswer::of_source(source, found))
        })
    }

    /// Calls `take` with the settings around the ID.
    fn with_candidates<R>(
        &self,
        place: RegionQuery<'_, 't>,
        take: impl FnOnce(&[Candidate<'_>]) -> R,
    ) -> R {
        let names = self.named.get(&place.site.container);
        let command = self.command_scopes(place, names);
        let own = own_name(place);
        let levels = place.document_regions.levels.iter();
        let levels = levels.map(|(scope, branch)| (&**scope, *branch));
        // A document inside a script is nearer to its IDs than the command that writes it.
        let is_document = !place.document_regions.levels.is_empty();
        let around = || command.iter().map(|scope| (scope, None));
        let before = around().filter(|_| !is_document);
        let after = around().filter(|_| is_document);
        let mut scopes = Vec::new();
        let mut is_entry = true;
        for (at, (scope, own_branch)) in before.chain(levels).chain(after).enumerate() {
            is_entry &= scope.kind != ScopeKind::Variables;
            scopes.push(PlacedScope {
                scope,
                own_branch,
                source: scope.kind.source(is_entry || at == 0),
                // A region of another document may override that of the entry.
                is_entry: is_entry || scope.kind == ScopeKind::OtherDocument,
            });
            is_entry &= scope.kind == ScopeKind::Command;
        }
        if let Some(names) = names.filter(|_| !is_of_other_process(place)) {
            let scope = if place.command.is_some() {
                &names.scope
            } else {
                names.with_flags()
            };
            scopes.push(PlacedScope {
                scope,
                own_branch: None,
                source: scope.kind.source(true),
                is_entry: false,
            });
        }
        scopes.push(PlacedScope {
            scope: &self.annotations,
            own_branch: None,
            source: RegionSource::ObjectAnnotation,
            is_entry: false,
        });
        take(&candidates(&scopes, &own, self.policy, self.ranks))
    }

    /// The settings of the command of the ID and of the script around the command, the nearest first.
    fn command_scopes(
        &self,
        place: RegionQuery<'_, 't>,
        names: Option<&NamedRegions<'t>>,
    ) -> Vec<RegionScope> {
        let (Some(command), Some(names)) = (place.command, names) else {
            return Vec::new();
        };
        let extra_names = &self.policy.extra_env_names;
        let mut scopes = Vec::new();
        if !command.reach.beside.is_empty() {
            scopes.push(names.scope_of(&command.reach.beside, extra_names));
        }
        if !command.reach.before.is_empty() {
            let mut scope = names.scope_of(&command.reach.before, extra_names);
            if matches!(place.site.location, Location::Env { .. }) {
                // The command of the container is no nearer to a variable than the other variables.
                (scope.kind, scope.bare) = (ScopeKind::Variables, BareRegion::None);
            }
            scopes.push(scope);
        }
        scopes
    }
}

/// The ID's own name.
fn own_name(place: RegionQuery<'_, '_>) -> OwnName {
    let named = |name: &str| OwnName {
        key: Some(name.into()),
        path: name.into(),
    };
    if !place.document_regions.levels.is_empty() {
        return place.document_regions.own.clone();
    }
    let of_command = place.command.and_then(|command| command.own.as_deref());
    match (of_command, place.site.location) {
        (Some(name), _) => named(name),
        (None, Location::Env { variable, .. }) => named(&variable.text()),
        (None, Location::Data { key }) => named(key),
        (None, _) => OwnName::default(),
    }
}

/// Whether the ID is a setting of a process that does not have the variables of the container.
fn is_of_other_process(place: RegionQuery<'_, '_>) -> bool {
    place
        .command
        .is_some_and(|command| command.reach.is_other_process)
}

/// The annotations of an object besides those of this product. They give no region.
fn other_annotations(object: &Object<'_>) -> RegionScope {
    let settings = object
        .annotations()
        .filter(|(name, _)| !name.starts_with(annotations::PREFIX))
        .filter_map(|(name, text)| RegionSetting::of_text(name, text, &[]))
        .map(|setting| RegionSetting {
            is_uncertain: true,
            ..setting
        });
    RegionScope::new(ScopeKind::Data, BareRegion::None, settings.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_sorted_by_precedence() {
        assert!(RegionSource::ALL.is_sorted());
    }
}
