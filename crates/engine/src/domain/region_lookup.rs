//! The region that a workload calls, from the sources in order of precedence. A conflict, an unreadable value and a text
//! that is not a region end the search as a region does.
//!
//! The order of precedence is the order of [`RegionSource`]'s variants.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::text::{NodeId, Tree};

use crate::domain::annotations;
use crate::domain::config_maps::NamespaceConfigMaps;
use crate::domain::context_rules::neighbours_in_mapping;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::{Namespace, Policy};
use crate::domain::region::{Region, RegionReading, RegionSource, read_region};
use crate::domain::site::{Location, TextSite};

mod document_regions;
mod flags;
mod variables;

mod one_model;

pub use document_regions::{DocumentRegions, MappingRegions};
pub use one_model::{OF_ONE_MODEL, region_of_one};

use flags::{command_around, flagged};
use variables::Variables;

/// The first source that sets a region, with the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionAnswer {
    /// The source.
    pub source: RegionSource,
    /// The region that it sets.
    pub found: RegionReading,
}

/// Variables that set the region of Bedrock only, in applications and tools.
pub const BEDROCK_NAMES: &[&str] = &[
    "BEDROCK_AWS_REGION",
    "BEDROCK_REGION",
    "BEDROCK_REGION_NAME",
    "BEDROCK_RUNTIME_REGION",
    "BEDROCK_MODEL_REGION",
    "BEDROCK_DEFAULT_REGION",
    "BEDROCK_AWS_DEFAULT_REGION",
    "AWS_BEDROCK_REGION",
    "AWS_BEDROCK_LLM_REGION",
    "LANGFUSE_AWS_BEDROCK_REGION",
    "RETAIL_UI_CHAT_BEDROCK_REGION",
    "CODER_AIBRIDGE_BEDROCK_REGION",
    "OBOT_AMAZON_BEDROCK_MODEL_PROVIDER_REGION",
    "SPRING_AI_BEDROCK_AWS_REGION",
    "QUARKUS_LANGCHAIN4J_BEDROCK_AWS_REGION",
    "QUARKUS_LANGCHAIN4J_BEDROCK_CHAT_MODEL_AWS_REGION",
];

/// `LiteLLM`'s name for the region of Bedrock.
const LITELLM_NAME: &str = "AWS_REGION_NAME";

/// Variables of the AWS SDKs; the SDKs differ in which of the two they use.
pub const SDK_NAMES: &[&str] = &["AWS_REGION", "AWS_DEFAULT_REGION"];

/// The variable that names a profile of `~/.aws/config`, whose region cannot be read.
const SDK_PROFILE: &str = "AWS_PROFILE";

/// The region sources of an object and its surroundings, read once for all of its findings.
pub struct RegionContext<'t> {
    tree: &'t Tree<'t>,
    policy: &'t Policy,
    annotation: Option<RegionReading>,
    namespace: Option<RegionReading>,
    default: Option<RegionReading>,
    cluster: Option<RegionReading>,
    /// The regions that names set, by container; `None` for the data of a ConfigMap.
    named: BTreeMap<Option<NodeId>, NamedRegions<'t>>,
}

/// The regions that the names of a container, or of a ConfigMap, set.
struct NamedRegions<'t> {
    /// The region that its variables or keys set.
    by_name: Option<RegionReading>,
    /// The region that flags set which are separate elements of its command and arguments.
    flags: Option<RegionReading>,
    /// Whether a Secret or an unobserved ConfigMap may set one of the names. Then the cluster's region is not used: it is a
    /// guess about Pods that set no region. The namespace annotation and the policy default are used, because their authors
    /// know the Secrets.
    may_be_hidden: bool,
    /// The variables of a container.
    variables: Option<Variables<'t>>,
    /// The document and the node of the ConfigMap's data.
    data: Option<(&'t Tree<'t>, NodeId)>,
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
}

impl<'t> RegionContext<'t> {
    /// Reads the region sources of `object` and of these containers. `policy` adds variable names and a default;
    /// `neighbours` are the ConfigMaps that variables refer to.
    pub fn of(
        object: &Object<'t>,
        containers: &BTreeSet<NodeId>,
        policy: &'t Policy,
        namespace: &Namespace,
        neighbours: NamespaceConfigMaps<'t>,
        cluster: Option<Region>,
    ) -> Self {
        let tree = object.tree;
        let annotated = |text: Option<&str>| read_region(text?);
        let mut named: BTreeMap<_, _> = containers
            .iter()
            .map(|node| {
                let names = NamedRegions::of_container(tree, *node, policy, neighbours);
                (Some(*node), names)
            })
            .collect();
        if let (ObjectKind::ConfigMap, Some(data)) = (object.kind, tree.get(object.root, "data")) {
            named.insert(None, NamedRegions::of_data(tree, data, policy));
        }
        Self {
            tree,
            policy,
            annotation: annotated(object.annotation(annotations::REGION)),
            namespace: annotated(
                namespace
                    .annotations
                    .get(annotations::REGION)
                    .map(|text| &**text),
            ),
            default: policy.default_region.map(RegionReading::Region),
            cluster: cluster.map(RegionReading::Region),
            named,
        }
    }

    /// The region of the first source that sets one; `None` if no source does.
    pub fn choose_region(&self, place: RegionQuery<'_, 't>) -> Option<RegionAnswer> {
        RegionSource::ALL.iter().find_map(|&source| {
            Some(RegionAnswer {
                source,
                found: self.read_source(source, place)?,
            })
        })
    }

    /// The region that `source` sets.
    pub fn read_source(
        &self,
        source: RegionSource,
        place: RegionQuery<'_, 't>,
    ) -> Option<RegionReading> {
        let names = self.named.get(&place.site.container);
        match source {
            RegionSource::InValue => place.in_value.map(RegionReading::Region),
            RegionSource::Beside if !place.document_regions.levels.is_empty() => place
                .document_regions
                .beside(self.policy)
                .filter(|_| !place.document_regions.variables),
            RegionSource::Beside => self.beside(place, names?),
            RegionSource::ObjectAnnotation => self.annotation,
            RegionSource::Document => place.document_regions.around(self.policy),
            RegionSource::ContainerEnv if place.document_regions.variables => {
                place.document_regions.beside(self.policy)
            }
            RegionSource::ContainerEnv => {
                place.site.container?;
                let names = names?;
                names.of_one(place.site.location).or(names.by_name)
            }
            RegionSource::ConfigMapKey if place.site.container.is_none() => {
                let names = names?;
                names.of_one(place.site.location).or(names.by_name)
            }
            RegionSource::ConfigMapKey => None,
            RegionSource::NamespaceAnnotation => self.namespace,
            RegionSource::PolicyDefault => self.default,
            RegionSource::Cluster => self
                .cluster
                .filter(|_| !names.is_some_and(|names| names.may_be_hidden)),
        }
    }

    /// The region of `--region X` in the same command: the list of arguments, or the command of a script that contains the ID.
    fn beside(
        &self,
        place: RegionQuery<'_, 't>,
        names: &NamedRegions<'t>,
    ) -> Option<RegionReading> {
        let (Location::Args { .. } | Location::Command { .. }) = place.site.location else {
            return None;
        };
        let text = self.tree.text(place.site.scalar()?)?;
        if !text.trim().contains(char::is_whitespace) {
            return names.flags;
        }
        let words = command_around(text, place.token).split_whitespace();
        flagged(
            &words
                .map(|word| word.trim_matches(['"', '\'']))
                .collect::<Vec<_>>(),
            names.variables.as_ref()?,
        )
    }
}

impl<'t> NamedRegions<'t> {
    fn of_container(
        tree: &'t Tree<'t>,
        container: NodeId,
        policy: &Policy,
        neighbours: NamespaceConfigMaps<'t>,
    ) -> Self {
        let variables = Variables::of(tree, container, policy, neighbours);
        let lists = ["command", "args"]
            .into_iter()
            .filter_map(|field| tree.get(container, field));
        let words: Vec<_> = lists
            .flat_map(|list| tree.children(list))
            .filter_map(|node| tree.text(node))
            .collect();
        Self {
            by_name: first_by_rank(policy, |name| variables.region(name)),
            flags: flagged(&words, &variables),
            may_be_hidden: region_names(policy).any(|name| variables.may_hide(name)),
            variables: Some(variables),
            data: None,
        }
    }

    fn of_data(tree: &'t Tree<'t>, data: NodeId, policy: &Policy) -> Self {
        let policies = std::slice::from_ref(policy);
        Self {
            by_name: MappingRegions::of(neighbours_in_mapping(tree, data), None, policies)
                .region(policy),
            flags: None,
            may_be_hidden: false,
            variables: None,
            data: Some((tree, data)),
        }
    }

    /// The region that is set only for the model of this variable or key.
    fn of_one(&self, location: Location<'_>) -> Option<RegionReading> {
        let name = match location {
            Location::Env { variable, .. } => region_of_one(variable.key()),
            Location::Data { key } => region_of_one(key),
            Location::Args { .. }
            | Location::Command { .. }
            | Location::Volume { .. }
            | Location::Document => None,
        }?;
        match (&self.variables, self.data) {
            (Some(variables), _) => variables.region(name),
            (None, Some((tree, data))) => read_region(tree.text(tree.get(data, name)?)?),
            (None, None) => None,
        }
    }
}

/// Every name that may set a region.
fn region_names(policy: &Policy) -> impl Iterator<Item = &str> {
    let own = policy.extra_env_names.iter().map(|name| &**name);
    own.chain(BEDROCK_NAMES.iter().copied())
        .chain([LITELLM_NAME])
        .chain(SDK_NAMES.iter().copied())
        .chain([SDK_PROFILE])
}

/// Reads the names rank by rank and returns the region of the first rank that sets one.
fn first_by_rank(
    policy: &Policy,
    value: impl Fn(&str) -> Option<RegionReading>,
) -> Option<RegionReading> {
    policy
        .extra_env_names
        .iter()
        .find_map(|name| value(name))
        .or_else(|| combined(BEDROCK_NAMES.iter().filter_map(|name| value(name))))
        .or_else(|| value(LITELLM_NAME))
        .or_else(|| combined(SDK_NAMES.iter().filter_map(|name| value(name))))
        .or_else(|| value(SDK_PROFILE).map(|_| RegionReading::OutOfSight))
}

/// Combines the regions of names of the same rank: an unreadable value takes precedence, and two regions are a conflict.
fn combined(mut all: impl Iterator<Item = RegionReading>) -> Option<RegionReading> {
    let mut combined = all.next()?;
    for other in all {
        combined = match (combined, other) {
            (RegionReading::OutOfSight, _) | (_, RegionReading::OutOfSight) => {
                RegionReading::OutOfSight
            }
            (RegionReading::NotARegion, _) | (_, RegionReading::NotARegion) => {
                RegionReading::NotARegion
            }
            (RegionReading::Region(a), RegionReading::Region(b)) if a != b => {
                RegionReading::Conflict(a, b)
            }
            (same, _) => same,
        };
    }
    Some(combined)
}

/// Whether a variable of this name may set a region. Every built-in name has one of these endings.
fn may_name_a_region(name: &str, policy: &Policy) -> bool {
    name.ends_with("REGION")
        || name.ends_with("REGION_NAME")
        || name == SDK_PROFILE
        || policy.extra_env_names.iter().any(|extra| &**extra == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures;

    #[test]
    fn every_built_in_name_may_name_a_region() {
        let policy = fixtures::policy();
        for name in region_names(&policy) {
            assert!(may_name_a_region(name, &policy), "{name}");
        }
    }

    #[test]
    fn sources_are_sorted_by_precedence() {
        assert!(RegionSource::ALL.is_sorted());
    }
}
