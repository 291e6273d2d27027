//! A change of policies, mappings and regions that has not been made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{bail, ensure};
use kube::ResourceExt as _;

use crate::catalog;
use crate::domain::region::Region;
use crate::domain::snapshot::Problem;
use crate::domain::view::View;

use super::console::message;
use super::evaluation_args::{Inputs, resources_of_file};

/// A change whose effect is computed. Nothing is applied.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = true)]
pub struct PlannedChangeArgs {
    /// Apply the policies and mappings of a YAML or JSON file; `builtin` is the catalog of this program, and ./builtin a file. Can be
    /// given several times.
    #[arg(long, value_name = "FILE")]
    pub with: Vec<PathBuf>,
    /// Remove a policy or a mapping, such as policy/team; can be given several times.
    #[arg(long, value_name = "KIND/NAME")]
    pub without: Vec<RemovedResource>,
    /// Move workloads: what names the first region names the second one, such as eu-west-1=eu-south-2. Can be given several times.
    #[arg(long = "move", value_name = "REGION=REGION")]
    pub moves: Vec<RegionMove>,
}

/// A custom resource to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovedResource {
    /// A policy, by name.
    Policy(String),
    /// A mapping, by name.
    Mapping(String),
}

/// A text that names no policy and no mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected policy/NAME or mapping/NAME")]
pub struct NotARemovedResource;

/// The regions of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionMove {
    /// The region that workloads leave.
    pub from: Region,
    /// The region that they enter.
    pub to: Region,
}

/// A text that is no move.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected two different regions, such as eu-west-1=eu-south-2")]
pub struct NotAMove;

impl FromStr for RemovedResource {
    type Err = NotARemovedResource;

    fn from_str(text: &str) -> Result<Self, NotARemovedResource> {
        let (kind, name) = text.split_once('/').ok_or(NotARemovedResource)?;
        // The names that kubectl takes, and the short ones of these pages.
        let kind = kind.to_ascii_lowercase();
        let kind = kind.split('.').next().unwrap_or_default();
        match kind {
            _ if name.is_empty() => Err(NotARemovedResource),
            "policy" | "ipp" | "inferenceprofilepolicy" | "inferenceprofilepolicies" => {
                Ok(Self::Policy(name.to_owned()))
            }
            "mapping" | "ipm" | "inferenceprofilemapping" | "inferenceprofilemappings" => {
                Ok(Self::Mapping(name.to_owned()))
            }
            _ => Err(NotARemovedResource),
        }
    }
}

impl fmt::Display for RemovedResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(name) => write!(f, "policy/{name}"),
            Self::Mapping(name) => write!(f, "mapping/{name}"),
        }
    }
}

impl FromStr for RegionMove {
    type Err = NotAMove;

    fn from_str(text: &str) -> Result<Self, NotAMove> {
        let (from, to) = text.split_once('=').ok_or(NotAMove)?;
        let region = |code| Region::parse(code).map_err(|_| NotAMove);
        let (from, to) = (region(from)?, region(to)?);
        (from != to).then_some(Self { from, to }).ok_or(NotAMove)
    }
}

impl PlannedChangeArgs {
    /// The views of `now`, and of `planned` after the change. Prints the problems of objects that only the change has as warnings.
    pub(super) fn views(&self, now: Inputs, mut planned: Inputs) -> anyhow::Result<[View; 2]> {
        self.apply_to(&mut planned)?;
        let (now, known) = now.build(None)?;
        let (mut planned, problems) = planned.build(None)?;
        planned.region_moves = self.region_moves()?;
        let known: Vec<_> = known.iter().map(Problem::to_string).collect();
        for problem in problems.iter().map(Problem::to_string) {
            if !known.contains(&problem) {
                message!("warning: {problem}");
            }
        }
        Ok([now, planned])
    }

    fn apply_to(&self, inputs: &mut Inputs) -> anyhow::Result<()> {
        for removed in &self.without {
            let (mappings, policies) = (inputs.mappings.len(), inputs.policies.len());
            match removed {
                RemovedResource::Policy(name) => {
                    inputs.policies.retain(|one| one.name_any() != *name);
                }
                RemovedResource::Mapping(name) => {
                    inputs.mappings.retain(|one| one.name_any() != *name);
                }
            }
            ensure!(
                (mappings, policies) != (inputs.mappings.len(), inputs.policies.len()),
                "--without {removed}: there is none; expected one of {}",
                names(inputs)
            );
        }
        let mut added = BTreeSet::new();
        for path in &self.with {
            let (mappings, policies) = if path == Path::new(catalog::NAME) {
                (vec![catalog::builtin()?], Vec::new())
            } else {
                resources_of_file(path)?
            };
            ensure!(
                !mappings.is_empty() || !policies.is_empty(),
                "{} contains no policy and no mapping: add one, or remove --with",
                path.display()
            );
            let policy_names = policies
                .iter()
                .map(|one| RemovedResource::Policy(one.name_any()));
            let mapping_names = mappings
                .iter()
                .map(|one| RemovedResource::Mapping(one.name_any()));
            for resource in policy_names.chain(mapping_names) {
                let name = resource.to_string();
                ensure!(
                    !self.without.contains(&resource),
                    "--with adds {name}, and --without removes it: remove one"
                );
                ensure!(
                    added.insert(name.clone()),
                    "--with has {name} twice, in {} the second time: remove one",
                    path.display()
                );
            }
            for mapping in mappings {
                let name = mapping.name_any();
                inputs.mappings.retain(|one| one.name_any() != name);
                inputs.mappings.push(mapping);
            }
            for policy in policies {
                let name = policy.name_any();
                inputs.policies.retain(|one| one.name_any() != name);
                inputs.policies.push(policy);
            }
        }
        Ok(())
    }

    fn region_moves(&self) -> anyhow::Result<BTreeMap<Region, Region>> {
        let mut moves = BTreeMap::new();
        for RegionMove { from, to } in &self.moves {
            if moves.insert(*from, *to).is_some_and(|other| other != *to) {
                bail!("--move has two targets for {from}: remove one");
            }
        }
        Ok(moves)
    }

    /// The change in words, a part each.
    pub(super) fn parts(&self) -> Vec<String> {
        let with = self
            .with
            .iter()
            .map(|path| format!("with {}", path.display()));
        let without = self.without.iter().map(|one| format!("without {one}"));
        let moves = self.moves.iter();
        let moves = moves.map(|RegionMove { from, to }| format!("{from} moved to {to}"));
        with.chain(without).chain(moves).collect()
    }
}

/// The names of the policies and mappings.
fn names(inputs: &Inputs) -> String {
    let policies = inputs.policies.iter();
    let policies = policies.map(|one| RemovedResource::Policy(one.name_any()));
    let mappings = inputs.mappings.iter();
    let mappings = mappings.map(|one| RemovedResource::Mapping(one.name_any()));
    let names: Vec<_> = policies
        .chain(mappings)
        .map(|one| one.to_string())
        .collect();
    names.join(", ")
}
