//! Which region a workload calls: the sources in their order, and the three full stops.
//!
//! The order is stated once, as the order of [`RegionSource`]'s variants.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::text::{NodeId, Tree};

use crate::domain::config_maps::Neighbours;
use crate::domain::object::{Object, Sort};
use crate::domain::policy::{Namespace, Policy};
use crate::domain::region::{Found, Region, RegionSource, said};
use crate::domain::role::neighbours_in_mapping;
use crate::domain::site::{Leaf, Spot};

mod flags;
mod nearby;
mod variables;

mod one_model;

pub use nearby::{Level, Nearby};
pub use one_model::{OF_ONE_MODEL, region_of_one};

use flags::{command_around, flagged};
use variables::Variables;

/// The strongest source that says anything, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whereabouts {
    /// Which one.
    pub source: RegionSource,
    /// What it says.
    pub found: Found,
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
pub struct Surroundings<'t> {
    tree: &'t Tree<'t>,
    policy: &'t Policy,
    annotation: Option<Found>,
    namespace: Option<Found>,
    default: Option<Found>,
    cluster: Option<Found>,
    /// By container; the ConfigMap's own data without one.
    named: BTreeMap<Option<NodeId>, Names<'t>>,
}

/// What the names of a container, or of a ConfigMap, say.
struct Names<'t> {
    /// Its variables or keys.
    said: Option<Found>,
    /// The flags of its command and arguments, as far as each is an element of its own.
    flags: Option<Found>,
    /// A source that is not seen may define one of the names. What a person has stated for the namespace or in the policy
    /// counts all the same, for they know their Secrets; the cluster's own region does not: it is a guess about Pods that
    /// name no region, and this one may.
    may_be_told: bool,
    /// The variables of a container.
    variables: Option<Variables<'t>>,
    /// The document, and the ConfigMap's data in it.
    data: Option<(&'t Tree<'t>, NodeId)>,
}

/// The place that a region is asked for.
#[derive(Clone, Copy)]
pub struct Standpoint<'a, 't> {
    /// The text that the ID stands in.
    pub leaf: &'a Leaf<'t>,
    /// The ID's place in the decoded text.
    pub token: &'a Range<usize>,
    /// A region that is written in the value itself.
    pub in_value: Option<Region>,
    /// What is named around the ID in a document.
    pub nearby: &'a Nearby,
}

impl<'t> Surroundings<'t> {
    /// Reads the surroundings of `object`, of these containers of it, under `policy`, which has names and a default of its own.
    /// What variables take from ConfigMaps is looked up among `neighbours`.
    pub fn of(
        object: &Object<'t>,
        containers: &BTreeSet<NodeId>,
        policy: &'t Policy,
        namespace: &Namespace,
        neighbours: Neighbours<'t>,
        cluster: Option<Region>,
    ) -> Self {
        let tree = object.tree;
        let annotated = |text: Option<&str>| said(text?);
        let mut named: BTreeMap<_, _> = containers
            .iter()
            .map(|node| {
                let names = Names::of_container(tree, *node, policy, neighbours);
                (Some(*node), names)
            })
            .collect();
        if let (Sort::ConfigMap, Some(data)) = (object.sort, tree.get(object.root, "data")) {
            named.insert(None, Names::of_data(tree, data, policy));
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
            default: policy.default_region.map(Found::Region),
            cluster: cluster.map(Found::Region),
            named,
        }
    }

    /// What the strongest source says; `None` where no source says anything.
    pub fn whereabouts(&self, place: Standpoint<'_, 't>) -> Option<Whereabouts> {
        RegionSource::ALL.iter().find_map(|&source| {
            Some(Whereabouts {
                source,
                found: self.said_by(source, place)?,
            })
        })
    }

    /// What one source says.
    pub fn said_by(&self, source: RegionSource, place: Standpoint<'_, 't>) -> Option<Found> {
        let names = self.named.get(&place.leaf.container);
        match source {
            RegionSource::InValue => place.in_value.map(Found::Region),
            RegionSource::Beside if !place.nearby.levels.is_empty() => place
                .nearby
                .beside(self.policy)
                .filter(|_| !place.nearby.variables),
            RegionSource::Beside => self.beside(place, names?),
            RegionSource::ObjectAnnotation => self.annotation,
            RegionSource::Document => place.nearby.around(self.policy),
            RegionSource::ContainerEnv if place.nearby.variables => {
                place.nearby.beside(self.policy)
            }
            RegionSource::ContainerEnv => {
                place.leaf.container?;
                let names = names?;
                names.of_one(place.leaf.spot).or(names.said)
            }
            RegionSource::ConfigMapKey if place.leaf.container.is_none() => {
                let names = names?;
                names.of_one(place.leaf.spot).or(names.said)
            }
            RegionSource::ConfigMapKey => None,
            RegionSource::NamespaceAnnotation => self.namespace,
            RegionSource::PolicyDefault => self.default,
            RegionSource::Cluster => self
                .cluster
                .filter(|_| !names.is_some_and(|names| names.may_be_told)),
        }
    }

    /// `--region X` of the same command: of the whole list of arguments, or of the one command of a script that holds the ID.
    fn beside(&self, place: Standpoint<'_, 't>, names: &Names<'t>) -> Option<Found> {
        let (Spot::Args { .. } | Spot::Command { .. }) = place.leaf.spot else {
            return None;
        };
        let text = self.tree.text(place.leaf.scalar()?)?;
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

impl<'t> Names<'t> {
    fn of_container(
        tree: &'t Tree<'t>,
        container: NodeId,
        policy: &Policy,
        neighbours: Neighbours<'t>,
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
            said: ranked(policy, |name| variables.region(name)),
            flags: flagged(&words, &variables),
            may_be_told: asked(policy).any(|name| variables.may_hide(name)),
            variables: Some(variables),
            data: None,
        }
    }

    fn of_data(tree: &'t Tree<'t>, data: NodeId, policy: &Policy) -> Self {
        let policies = std::slice::from_ref(policy);
        Self {
            said: Level::of(neighbours_in_mapping(tree, data), None, policies).says(policy),
            flags: None,
            may_be_told: false,
            variables: None,
            data: Some((tree, data)),
        }
    }

    /// The region of the model in this variable or key alone.
    fn of_one(&self, spot: Spot<'_>) -> Option<Found> {
        let name = match spot {
            Spot::Env { variable, .. } => region_of_one(variable.key()),
            Spot::Data { key } => region_of_one(key),
            Spot::Args { .. } | Spot::Command { .. } | Spot::Volume { .. } | Spot::Document => None,
        }?;
        match (&self.variables, self.data) {
            (Some(variables), _) => variables.region(name),
            (None, Some((tree, data))) => said(tree.text(tree.get(data, name)?)?),
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
fn ranked(policy: &Policy, value: impl Fn(&str) -> Option<Found>) -> Option<Found> {
    policy
        .extra_env_names
        .iter()
        .find_map(|name| value(name))
        .or_else(|| together(BEDROCK_NAMES.iter().filter_map(|name| value(name))))
        .or_else(|| value(LITELLM_NAME))
        .or_else(|| together(SDK_NAMES.iter().filter_map(|name| value(name))))
        .or_else(|| value(SDK_PROFILE).map(|_| Found::OutOfSight))
}

/// What names of the same rank say together: what cannot be read is a full stop, and two regions are a conflict.
fn together(mut all: impl Iterator<Item = Found>) -> Option<Found> {
    let mut said = all.next()?;
    for other in all {
        said = match (said, other) {
            (Found::OutOfSight, _) | (_, Found::OutOfSight) => Found::OutOfSight,
            (Found::NotARegion, _) | (_, Found::NotARegion) => Found::NotARegion,
            (Found::Region(a), Found::Region(b)) if a != b => Found::Conflict(a, b),
            (said, _) => said,
        };
    }
    Some(said)
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
    fn the_strongest_source_stands_first() {
        assert!(RegionSource::ALL.is_sorted());
    }
}
