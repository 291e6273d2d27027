//! `export vap` and `export map`: policies that the API server evaluates itself.

use std::path::PathBuf;

use anyhow::{bail, ensure};

use crate::admission_policies::{
    AdmissionPolicyOptions, AnswerSource, TargetTable, TargetTableQuery, ValidationAction,
    mutating_policy, validating_policy,
};
use crate::api::InferenceProfileMapping;
use crate::cli::catalog::mapping_args::{MappingArgs, merged};
use crate::cli::evaluation_args::{EvaluationArgs, default_policy};
use crate::domain::catalog::Catalog;
use crate::domain::policy::{Mode, Policy};
use crate::domain::region::Region;

/// Where the answers of a policy come from, and which objects it evaluates.
#[derive(Debug, clap::Args)]
pub struct PolicyAnswerArgs {
    /// Policy whose answers to use, a YAML or JSON file with one policy. Default: the default policy in mode Rewrite.
    #[arg(long = "policy", value_name = "FILE")]
    pub policies: Option<PathBuf>,
    /// Region of containers that set none. No webhook may set another one after the policy.
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    pub region: Option<Region>,
    /// Namespace whose objects are not evaluated, beside kube-system; can be given several times.
    #[arg(long, value_name = "NAME", value_parser = object_name)]
    pub exclude_namespace: Vec<String>,
    /// The mappings.
    #[command(flatten)]
    pub mappings: MappingArgs,
}

/// Arguments of `export vap`.
#[derive(Debug, clap::Args)]
#[command(after_help = VAP_EXAMPLES)]
pub struct VapArgs {
    /// Name of the policy and of its binding.
    #[arg(long, value_name = "NAME", default_value = "bedrock-direct-model-ids", value_parser = object_name)]
    pub name: String,
    /// What happens to an object with such an ID; `Audit` can be combined with another one.
    #[arg(
        long = "action",
        value_name = "ACTION",
        value_delimiter = ',',
        default_value = "Warn",
        ignore_case = true
    )]
    pub actions: Vec<ActionArg>,
    /// The answers.
    #[command(flatten)]
    pub answers: PolicyAnswerArgs,
}

/// Arguments of `export map`.
#[derive(Debug, clap::Args)]
#[command(after_help = MAP_EXAMPLES)]
pub struct MapArgs {
    /// Name of the policy and of its binding.
    #[arg(long, value_name = "NAME", default_value = "bedrock-profiles", value_parser = object_name)]
    pub name: String,
    /// The answers.
    #[command(flatten)]
    pub answers: PolicyAnswerArgs,
}

/// An action of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum ActionArg {
    /// Warn the user.
    Warn,
    /// Add an annotation to the audit log of the API server.
    Audit,
    /// Refuse the object.
    Deny,
}

const VAP_EXAMPLES: &str = "\
Examples:
  bedrock-profiles export vap --action Warn,Audit | kubectl apply --server-side -f -
  bedrock-profiles export vap --action Deny --region eu-west-1 --cluster

The comments of the policy list what it does not evaluate. It needs Kubernetes 1.33.

Exit codes: 0 done, 2 wrong usage, an unreadable file or no connection.";

const MAP_EXAMPLES: &str = "\
Examples:
  bedrock-profiles export map | kubectl apply --server-side -f -
  bedrock-profiles export map --policy policy.yaml --exclude-namespace gateway

The comments of the policy list what it cannot do; prefer the webhook. It needs Kubernetes 1.36.

Exit codes: 0 done, 2 wrong usage, an unreadable file or no connection.";

/// The manifests of `export vap`.
pub(super) fn vap(args: &VapArgs) -> anyhow::Result<String> {
    let mut actions = Vec::new();
    for action in &args.actions {
        let action = match action {
            ActionArg::Warn => ValidationAction::Warn,
            ActionArg::Audit => ValidationAction::Audit,
            ActionArg::Deny => ValidationAction::Deny,
        };
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    let denies = actions.contains(&ValidationAction::Deny);
    ensure!(
        !denies || !actions.contains(&ValidationAction::Warn),
        "the API server refuses a binding with both Deny and Warn: remove one"
    );
    let answers = Answers::read(&args.answers)?;
    let table = TargetTable::of_errors(answers.query(), denies);
    answers.check(&table)?;
    let text = validating_policy(&table, answers.options(&args.name), &actions);
    Ok(text)
}

/// The manifests of `export map`.
pub(super) fn map(args: &MapArgs) -> anyhow::Result<String> {
    let answers = Answers::read(&args.answers)?;
    let policy = &answers.policy;
    ensure!(
        policy.mode != Mode::DryRun,
        "policy `{}` is in mode DryRun, and a MutatingAdmissionPolicy has no dry run: set its mode to Rewrite",
        policy.name
    );
    let table = TargetTable::of_rewrites(answers.query());
    answers.check(&table)?;
    Ok(mutating_policy(&table, answers.options(&args.name)))
}

/// What the flags select, read.
struct Answers {
    policy: Policy,
    catalog: Catalog,
    mappings: String,
    today: jiff::civil::Date,
    region: Option<Region>,
    excluded_namespaces: Vec<String>,
}

impl Answers {
    fn read(args: &PolicyAnswerArgs) -> anyhow::Result<Self> {
        let mappings = args.mappings.mappings(None)?;
        let mut excluded_namespaces = vec!["kube-system".to_owned()];
        for name in &args.exclude_namespace {
            if !excluded_namespaces.contains(name) {
                excluded_namespaces.push(name.clone());
            }
        }
        Ok(Self {
            policy: policy(args)?,
            catalog: merged(&mappings)?,
            mappings: names(&mappings),
            today: args.mappings.date(),
            region: args.region,
            excluded_namespaces,
        })
    }

    /// A table without IDs would evaluate every Pod for nothing.
    fn check(&self, table: &TargetTable) -> anyhow::Result<()> {
        ensure!(
            !table.is_empty(),
            "no direct ID that policy `{}` includes needs an inference profile: change its models, or the mappings",
            self.policy.name
        );
        Ok(())
    }

    const fn query(&self) -> TargetTableQuery<'_> {
        TargetTableQuery {
            catalog: &self.catalog,
            policy: &self.policy,
            today: self.today,
        }
    }

    fn options<'a>(&'a self, name: &'a str) -> AdmissionPolicyOptions<'a> {
        AdmissionPolicyOptions {
            name,
            policy: &self.policy,
            source: AnswerSource {
                mappings: &self.mappings,
                today: self.today,
            },
            region: self.region,
            excluded_namespaces: &self.excluded_namespaces,
        }
    }
}

/// The one policy, without replacements that form a cycle.
fn policy(args: &PolicyAnswerArgs) -> anyhow::Result<Policy> {
    let evaluation = EvaluationArgs {
        policies: args.policies.iter().cloned().collect(),
        ..EvaluationArgs::default()
    };
    let (view, _) = evaluation.view(default_policy())?;
    let [policy] = &view.snapshot.policies[..] else {
        bail!(
            "--policy has several policies: write the one whose answers to use into a file of its own"
        );
    };
    ensure!(
        policy.pods,
        "policy `{}` does not select Pods: add Pod to its match.resources",
        policy.name
    );
    ensure!(
        policy
            .overrides
            .iter()
            .all(|one| one.namespaces.requirements().next().is_none()),
        "policy `{}` has an override with a namespaceSelector, which the answers cannot have: write a policy for these namespaces",
        policy.name
    );
    Ok(policy.clone())
}

/// The names of the mappings with their dates, for a comment.
fn names(mappings: &[InferenceProfileMapping]) -> String {
    let names = mappings.iter().map(|mapping| {
        let name = mapping.metadata.name.as_deref().unwrap_or_default();
        match &mapping.spec.catalog_date {
            Some(date) => format!("{name} of {date}"),
            None => name.to_owned(),
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// A name of an object or a namespace.
fn object_name(text: &str) -> Result<String, String> {
    let is_name = |label: &str| {
        let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte != b'-');
        ends(label.bytes().next())
            && ends(label.bytes().next_back())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if text.len() <= 253 && text.split('.').all(is_name) {
        Ok(text.to_owned())
    } else {
        Err("expected lower-case letters, digits, `-` and `.`".to_owned())
    }
}
