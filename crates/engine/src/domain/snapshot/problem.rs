//! Errors and probable errors in mappings and policies whose fields are all valid.

use std::collections::BTreeSet;
use std::fmt;

use crate::domain::catalog::{Catalog, Conflict, Destinations, MappedModel, Mapping};
use crate::domain::id::{Geography, ModelId};
use crate::domain::policy::{OverrideTarget, Policy};
use crate::domain::region::{Jurisdiction, Region};

/// An error or a probable error in an object whose fields are valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Two geographic profiles for one (model, region).
    #[error(
        "mapping `{}`: {} has two geographic profiles in {}, `{}` and `{}`; `{}` is used: withdraw one with `absent: true`",
        .0.mapping, .0.model, .0.region, .0.kept, .0.dropped, .0.kept
    )]
    Conflicting(Conflict),
    /// A cycle of replacements.
    #[error(
        "policy `{policy}`: the replacement of {from} is part of a cycle; no replacement of the cycle is used"
    )]
    ReplacementCycle {
        /// The policy.
        policy: Box<str>,
        /// The ID whose replacement was dropped.
        from: ModelId,
    },
    /// Regions that fit a partition's pattern but are unknown to this version: new or misspelled.
    #[error(
        "{object}: region {} is unknown to this version and is used as given; check the spelling",
        list(.regions)
    )]
    UnknownRegions {
        /// The object that names them.
        object: ObjectName,
        /// The regions, in order.
        regions: Box<[Region]>,
    },
    /// Geographies that are unknown to this version and have no profile in a mapping: new or misspelled.
    #[error(
        "{object}: geography {} is unknown to this version and is used as given; check the spelling",
        list(.geographies)
    )]
    UnknownGeographies {
        /// The object that names them.
        object: ObjectName,
        /// The geographies, in order.
        geographies: Box<[Geography]>,
    },
    /// Replacements that lead to a model which no mapping contains: new or misspelled.
    #[error(
        "policy `{policy}`: no mapping contains {}, to which a replacement leads; the replaced IDs stay unchanged: check the spelling, or add a mapping",
        list(.models)
    )]
    UnknownReplacements {
        /// The policy.
        policy: Box<str>,
        /// The models, in order.
        models: Box<[ModelId]>,
    },
    /// A policy that is never the effective policy.
    #[error(
        "policy `{policy}` is never effective: `{by}` takes precedence for everything that `{policy}` selects; raise the priority of `{policy}`, or narrow the selector of `{by}`"
    )]
    Shadowed {
        /// The shadowed policy.
        policy: Box<str>,
        /// The first policy that shadows it.
        by: Box<str>,
    },
}

/// An object by its kind and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectName {
    /// A mapping.
    Mapping(Box<str>),
    /// A policy.
    Policy(Box<str>),
}

impl Problem {
    /// The object to correct.
    pub fn object(&self) -> ObjectName {
        match self {
            Self::Conflicting(conflict) => ObjectName::Mapping(conflict.mapping.clone()),
            Self::ReplacementCycle { policy, .. }
            | Self::UnknownReplacements { policy, .. }
            | Self::Shadowed { policy, .. } => ObjectName::Policy(policy.clone()),
            Self::UnknownRegions { object, .. } | Self::UnknownGeographies { object, .. } => {
                object.clone()
            }
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mapping(name) => write!(f, "mapping `{name}`"),
            Self::Policy(name) => write!(f, "policy `{name}`"),
        }
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let quoted: Vec<_> = items.iter().map(|item| format!("`{item}`")).collect();
    quoted.join(", ")
}

/// The problems of a mapping.
pub(super) fn of_mapping(mapping: &Mapping) -> impl Iterator<Item = Problem> {
    let object = ObjectName::Mapping(mapping.name.clone());
    let regions = mapping.scanned.iter().copied();
    let regions = regions.chain(mapping.models.iter().flat_map(regions_of));
    let geographies = mapping
        .models
        .iter()
        .flat_map(|model| &model.routes)
        .map(|route| &route.geography)
        .filter(|geography| !geography.is_known());
    [
        unknown_regions(&object, regions),
        unknown_geographies(&object, geographies),
    ]
    .into_iter()
    .flatten()
}

/// The problems of a policy with this catalog.
pub(super) fn of_policy(policy: &Policy, catalog: &Catalog) -> impl Iterator<Item = Problem> {
    let object = ObjectName::Policy(policy.name.clone());
    let overrides = policy.overrides.iter();
    let regions = overrides
        .clone()
        .flat_map(|found| {
            found
                .sources
                .iter()
                .chain(found.destinations.iter().flatten())
        })
        .copied()
        .chain(policy.default_region);
    let targets = overrides.filter_map(|found| match &found.target {
        OverrideTarget::System(geography) => Some(geography),
        OverrideTarget::Arn(_) => None,
    });
    let geographies = policy
        .allowed
        .iter()
        .chain(targets)
        .filter(|geography| !geography.is_known() && !catalog.has_geography(geography));
    [
        unknown_regions(&object, regions),
        unknown_geographies(&object, geographies),
        unknown_replacements(policy, catalog),
    ]
    .into_iter()
    .flatten()
}

/// The ends of replacements that are neither in the catalog nor overridden.
fn unknown_replacements(policy: &Policy, catalog: &Catalog) -> Option<Problem> {
    let replaced = |id: &ModelId| policy.replacements.iter().any(|one| one.from == *id);
    let overridden = |id: &ModelId| policy.overrides.iter().any(|one| one.model == *id);
    let unknown: BTreeSet<_> = policy
        .replacements
        .iter()
        .map(|one| &one.to)
        .filter(|to| catalog.find(to.as_str()).is_none() && !replaced(to) && !overridden(to))
        .cloned()
        .collect();
    (!unknown.is_empty()).then(|| Problem::UnknownReplacements {
        policy: policy.name.clone(),
        models: unknown.into_iter().collect(),
    })
}

/// The policies that never become effective. `policies` are in order of precedence.
pub(super) fn shadowed(policies: &[Policy]) -> impl Iterator<Item = Problem> {
    policies.iter().enumerate().filter_map(|(at, policy)| {
        let by = policies[..at].iter().find(|first| first.shadows(policy))?;
        Some(Problem::Shadowed {
            policy: policy.name.clone(),
            by: by.name.clone(),
        })
    })
}

fn regions_of(model: &MappedModel) -> impl Iterator<Item = Region> {
    let ends = model.lifecycle.end_of_life.iter().flatten();
    let routes = model.routes.iter().flat_map(|route| {
        let destinations: &[Region] = match &route.destinations {
            Destinations::Known(regions) => regions,
            Destinations::Anywhere | Destinations::Unknown => &[],
        };
        destinations.iter().chain([&route.source])
    });
    let direct = model.direct.iter().map(|(region, _)| region);
    direct
        .chain(ends.flat_map(|end| &end.regions))
        .chain(routes)
        .copied()
}

fn unknown_regions(object: &ObjectName, regions: impl Iterator<Item = Region>) -> Option<Problem> {
    let unknown: BTreeSet<_> = regions
        .filter(|region| matches!(region.jurisdiction(), Jurisdiction::Unlisted(_)))
        .collect();
    (!unknown.is_empty()).then(|| Problem::UnknownRegions {
        object: object.clone(),
        regions: unknown.into_iter().collect(),
    })
}

fn unknown_geographies<'a>(
    object: &ObjectName,
    unknown: impl Iterator<Item = &'a Geography>,
) -> Option<Problem> {
    let unknown: BTreeSet<_> = unknown.cloned().collect();
    (!unknown.is_empty()).then(|| Problem::UnknownGeographies {
        object: object.clone(),
        geographies: unknown.into_iter().collect(),
    })
}

/// Removes every replacement of a cycle and returns the problems.
pub(super) fn drop_cycles(policy: &mut Policy) -> Vec<Problem> {
    let next = |id: &ModelId| {
        policy
            .replacements
            .iter()
            .find(|r| &r.from == id)
            .map(|r| &r.to)
    };
    let is_in_cycle = |from: &ModelId| {
        std::iter::successors(next(from), |id| next(id))
            .take(policy.replacements.len())
            .any(|id| id == from)
    };
    let cyclic: Vec<ModelId> = policy
        .replacements
        .iter()
        .map(|r| &r.from)
        .filter(|from| is_in_cycle(from))
        .cloned()
        .collect();
    policy.replacements = policy
        .replacements
        .iter()
        .filter(|r| !cyclic.contains(&r.from))
        .cloned()
        .collect();
    let problems = cyclic.into_iter().map(|from| Problem::ReplacementCycle {
        policy: policy.name.clone(),
        from,
    });
    problems.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::{mapping, model, policy, region, route};
    use crate::domain::snapshot::Snapshot;

    fn geography(text: &str) -> Geography {
        Geography::parse(text).unwrap()
    }

    fn problems(mappings: Vec<Mapping>, policies: Vec<Policy>) -> Vec<Problem> {
        Snapshot::build(mappings, policies).1
    }

    #[test]
    fn unknown_regions_and_geographies_are_reported_and_used() {
        let mut new = model("anthropic.claude-x-1");
        new.routes = [
            route("sa", "sa-west-1", &["sa-east-1", "sa-west-1"]),
            route("eu", "eu-west-1", &["eu-west-1"]),
        ]
        .into();
        let mut asking = policy();
        asking.default_region = Some(region("eu-west-9"));
        asking.allowed = [geography("sa"), geography("asia"), geography("jp")].into();
        let mapping = mapping("new", 0, vec![new]);
        let (snapshot, problems) = Snapshot::build(vec![mapping], vec![asking]);
        let object = ObjectName::Mapping("new".into());
        let policy = ObjectName::Policy("test".into());
        let expected = [
            Problem::UnknownRegions {
                object: object.clone(),
                regions: [region("sa-west-1")].into(),
            },
            Problem::UnknownGeographies {
                object,
                geographies: [geography("sa")].into(),
            },
            Problem::UnknownRegions {
                object: policy.clone(),
                regions: [region("eu-west-9")].into(),
            },
            // A mapping has profiles of `sa`.
            Problem::UnknownGeographies {
                object: policy,
                geographies: [geography("asia")].into(),
            },
        ];
        assert_eq!(problems, expected);
        assert_eq!(
            problems[3].to_string(),
            "policy `test`: geography `asia` is unknown to this version and is used as given; check the spelling"
        );
        assert!(
            snapshot.catalog.models()[0]
                .row(region("sa-west-1"))
                .is_some()
        );
    }

    #[test]
    fn a_replacement_that_leads_to_an_unknown_model_is_reported_at_its_end() {
        let mut moving = policy();
        moving.replacements = crate::domain::fixtures::replacements(&[
            ("anthropic.old", "anthropic.claude-x-1"),
            ("anthropic.older", "anthropic.old"),
            ("anthropic.claude-x-1", "anthropic.claude-y"),
            ("anthropic.other", "anthropic.claude-x-2"),
        ]);
        let known = mapping("m", 0, vec![model("anthropic.claude-x-2")]);
        assert_eq!(
            problems(vec![known], vec![moving]),
            [Problem::UnknownReplacements {
                policy: "test".into(),
                models: [ModelId::parse("anthropic.claude-y").unwrap()].into(),
            }]
        );
    }

    #[test]
    fn a_shadowed_policy_is_reported_with_the_first_that_shadows_it() {
        let named = |name: &str, priority| Policy {
            name: name.into(),
            priority,
            ..policy()
        };
        let mut narrow = named("narrow", 9);
        narrow.config_maps = false;
        let problems = problems(
            vec![],
            vec![named("b", 1), narrow, named("a", 1), named("first", 2)],
        );
        let shadowed = |policy: &str| Problem::Shadowed {
            policy: policy.into(),
            by: "first".into(),
        };
        assert_eq!(problems, [shadowed("a"), shadowed("b")]);
    }

    #[test]
    fn a_problem_names_the_object_to_correct() {
        let mut cyclic = policy();
        cyclic.replacements =
            crate::domain::fixtures::replacements(&[("a.1", "a.2"), ("a.2", "a.1")]);
        let two = ["apac", "jp"].map(|geography| {
            let mut model = model("anthropic.claude-x-1");
            model.routes = [route(geography, "ap-northeast-1", &[])].into();
            mapping(geography, 0, vec![model])
        });
        let objects: Vec<_> = problems(two.into(), vec![cyclic])
            .iter()
            .map(Problem::object)
            .collect();
        let policy = || ObjectName::Policy("test".into());
        assert_eq!(
            objects,
            [ObjectName::Mapping("jp".into()), policy(), policy()]
        );
    }
}
