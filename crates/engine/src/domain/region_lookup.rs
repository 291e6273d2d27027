//! Which region a workload calls: the sources in their order, and the three results that end the search.
//!
//! The order is stated once, as the order of [`RegionSource`]'s variants.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::text::{NodeId, Tree};

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

/// The strongest source that says anything, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionAnswer {
    /// Which one.
    pub source: RegionSource,
    /// What it says.
    pub found: RegionReading,
}

/// The annotation by which an object or a namespace names its region.
pub const REGION_ANNOTATION: &str = "bedrock-profiles.dev/region";

/// Variables that speak of Bedrock alone, as applications and tools name them.
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

/// Variables of the AWS SDKs; they disagree which of the two counts.
pub const SDK_NAMES: &[&str] = &["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Names a profile of `~/.aws/config`, whose region cannot be read here.
const SDK_PROFILE: &str = "AWS_PROFILE";

/// What an object and what is around it say of regions, read once for all of its findings.
pub struct RegionContext<'t> {
    tree: &'t Tree<'t>,
    policy: &'t Policy,
    annotation: Option<RegionReading>,
    namespace: Option<RegionReading>,
    default: Option<RegionReading>,
    cluster: Option<RegionReading>,
    /// By container; the ConfigMap's own data without one.
    named: BTreeMap<Option<NodeId>, NamedRegions<'t>>,
}

/// What the names of a container, or of a ConfigMap, say.
struct NamedRegions<'t> {
    /// Its variables or keys.
    read_region: Option<RegionReading>,
    /// The flags of its command and arguments, as far as each is an element of its own.
    flags: Option<RegionReading>,
    /// A source that is not seen may define one of the names. What a person has stated for the namespace or in the policy
    /// counts all the same, for they know their Secrets; the cluster's own region does not: it is a guess about Pods that
    /// name no region, and this one may.
    may_be_hidden: bool,
    /// The variables of a container.
    variables: Option<Variables<'t>>,
    /// The document, and the ConfigMap's data in it.
    data: Option<(&'t Tree<'t>, NodeId)>,
}

/// The place that a region is asked for.
#[derive(Clone, Copy)]
pub struct RegionQuery<'a, 't> {
    /// The text that the ID is in.
    pub site: &'a TextSite<'t>,
    /// The ID's place in the decoded text.
    pub token: &'a Range<usize>,
    /// A region that is written in the value itself.
    pub in_value: Option<Region>,
    /// What is named around the ID in a document.
    pub document_regions: &'a DocumentRegions,
}

impl<'t> RegionContext<'t> {
    /// Reads the context of `object`, of these containers of it, under `policy`, which has names and a default of its own.
    /// What variables take from ConfigMaps is looked up among `neighbours`.
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
            annotation: annotated(object.annotation(REGION_ANNOTATION)),
            namespace: annotated(
                namespace
                    .annotations
                    .get(REGION_ANNOTATION)
                    .map(|text| &**text),
            ),
            default: policy.default_region.map(RegionReading::Region),
            cluster: cluster.map(RegionReading::Region),
            named,
        }
    }

    /// What the strongest source says; `None` where no source says anything.
    pub fn look_up(&self, place: RegionQuery<'_, 't>) -> Option<RegionAnswer> {
        RegionSource::ALL.iter().find_map(|&source| {
            Some(RegionAnswer {
                source,
                found: self.read_source(source, place)?,
            })
        })
    }

    /// What one source says.
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
                names.of_one(place.site.location).or(names.read_region)
            }
            RegionSource::ConfigMapKey if place.site.container.is_none() => {
                let names = names?;
                names.of_one(place.site.location).or(names.read_region)
            }
            RegionSource::ConfigMapKey => None,
            RegionSource::NamespaceAnnotation => self.namespace,
            RegionSource::PolicyDefault => self.default,
            RegionSource::Cluster => self
                .cluster
                .filter(|_| !names.is_some_and(|names| names.may_be_hidden)),
        }
    }

    /// `--region X` of the same command: of the whole list of arguments, or of the one command of a script that holds the ID.
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
            read_region: ranked(policy, |name| variables.region(name)),
            flags: flagged(&words, &variables),
            may_be_hidden: asked(policy).any(|name| variables.may_hide(name)),
            variables: Some(variables),
            data: None,
        }
    }

    fn of_data(tree: &'t Tree<'t>, data: NodeId, policy: &Policy) -> Self {
        let policies = std::slice::from_ref(policy);
        Self {
            read_region: MappingRegions::of(neighbours_in_mapping(tree, data), None, policies)
                .says(policy),
            flags: None,
            may_be_hidden: false,
            variables: None,
            data: Some((tree, data)),
        }
    }

    /// The region of the model in this variable or key alone.
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

/// Every name that is asked for.
fn asked(policy: &Policy) -> impl Iterator<Item = &str> {
    let own = policy.extra_env_names.iter().map(|name| &**name);
    own.chain(BEDROCK_NAMES.iter().copied())
        .chain([LITELLM_NAME])
        .chain(SDK_NAMES.iter().copied())
        .chain([SDK_PROFILE])
}

/// Asks the names rank by rank; the first rank that says anything decides.
fn ranked(policy: &Policy, value: impl Fn(&str) -> Option<RegionReading>) -> Option<RegionReading> {
    policy
        .extra_env_names
        .iter()
        .find_map(|name| value(name))
        .or_else(|| together(BEDROCK_NAMES.iter().filter_map(|name| value(name))))
        .or_else(|| value(LITELLM_NAME))
        .or_else(|| together(SDK_NAMES.iter().filter_map(|name| value(name))))
        .or_else(|| value(SDK_PROFILE).map(|_| RegionReading::OutOfSight))
}

/// What names of the same rank say together: an unreadable value ends the search, and two regions are a conflict.
fn together(mut all: impl Iterator<Item = RegionReading>) -> Option<RegionReading> {
    let mut read_region = all.next()?;
    for other in all {
        read_region = match (read_region, other) {
            (RegionReading::OutOfSight, _) | (_, RegionReading::OutOfSight) => {
                RegionReading::OutOfSight
            }
            (RegionReading::NotARegion, _) | (_, RegionReading::NotARegion) => {
                RegionReading::NotARegion
            }
            (RegionReading::Region(a), RegionReading::Region(b)) if a != b => {
                RegionReading::Conflict(a, b)
            }
            (read_region, _) => read_region,
        };
    }
    Some(read_region)
}

/// Whether a variable of this name may be asked for: every built-in name ends so.
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
    fn every_built_in_name_is_among_those_that_may_name_a_region() {
        let policy = fixtures::policy();
        for name in asked(&policy) {
            assert!(may_name_a_region(name, &policy), "{name}");
        }
    }

    #[test]
    fn the_strongest_source_is_first() {
        assert!(RegionSource::ALL.is_sorted());
    }
}
