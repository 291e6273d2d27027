//! `resolve`: the replacement of one ID in one region, with the steps of the decision on request.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::domain::policy::{Namespace, Policy};
use crate::domain::region::Region;
use crate::domain::snapshot::Snapshot;

use super::console;
use super::evaluation_args::EvaluationArgs;

mod answer;
mod print;

use answer::ResolveContext;

/// Arguments of `resolve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model ID as a workload would write it, with or without a prefix.
    pub id: String,
    /// Region that the workload calls.
    #[arg(long)]
    pub region: String,
    /// Namespace of the workload, for the namespace selectors of policies.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Print each step of the decision.
    #[arg(long)]
    pub explain: bool,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ResolveFormat,
    /// Policies and mappings to evaluate with.
    #[command(flatten)]
    pub evaluation: EvaluationArgs,
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ResolveFormat {
    /// Lines of text.
    #[value(alias = "table")]
    Text,
    /// One JSON object.
    Json,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let view = args.evaluation.view_printing_warnings()?;
    let region = Region::parse(&args.region)?;
    let namespace = Namespace::named(&args.namespace);
    let context = ResolveContext {
        snapshot: &view.snapshot,
        policy: effective_policy(&view.snapshot, &namespace)?,
        namespace: &namespace,
        region,
        today: (args.evaluation.today())(),
    };
    let mut answer = context.answer(&args.id)?;
    if !args.explain {
        answer.steps.clear();
    }
    match args.output {
        ResolveFormat::Json => console::print(&(serde_json::to_string_pretty(&answer)? + "\n"))?,
        ResolveFormat::Text => console::print(&print::text(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The policy that decides in the namespace; the first preview (a policy in mode `DryRun`) where no policy decides.
fn effective_policy<'s>(
    snapshot: &'s Snapshot,
    namespace: &Namespace,
) -> anyhow::Result<&'s Policy> {
    snapshot
        .policies
        .iter()
        .filter(|policy| policy.namespaces.selects(namespace))
        .min_by_key(|policy| !policy.can_be_effective())
        .with_context(|| {
            format!(
                "no policy selects namespace `{}`, whose labels are not known here: choose another one with --namespace",
                namespace.name
            )
        })
}
