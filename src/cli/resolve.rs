//! `resolve`: the replacements of IDs in regions, with the steps of the decision on request.

use std::io::BufRead as _;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::domain::policy::{Namespace, Policy};
use crate::domain::region::{NearestRegions, Region};
use crate::domain::snapshot::Snapshot;
use crate::domain::view::{Namespaces, View};
use crate::report::severity::Severity;
use crate::runtime::error_text::error_text;

use super::cluster_args::{ClusterArgs, block_on};
use super::cluster_view;
use super::config::ConfigArgs;
use super::console::{self, message};
use super::evaluation_args::EvaluationArgs;
use super::tally::Tally;
use super::yaml;

mod answer;
mod parse;
mod parts;
mod print;

use answer::{Answer, ResolveContext};

/// The variables that name the caller's region, in the order in which AWS' SDKs read them.
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// The argument for standard input.
const STDIN: &str = "-";

/// Arguments of `resolve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Model IDs as workloads write them, with or without a prefix; `-` reads standard input, an ID a line.
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Regions that the workload calls. Default: that of `AWS_REGION`, else of `AWS_DEFAULT_REGION`.
    #[arg(long, value_name = "REGION", value_delimiter = ',', value_parser = region)]
    pub region: Vec<Region>,
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
    /// The cluster to evaluate with.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The configuration file.
    #[command(flatten)]
    pub config: ConfigArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles resolve anthropic.claude-sonnet-4-6 --region eu-west-1
  bedrock-profiles resolve amazon.nova-pro-v1:0 --region eu-west-1,us-east-1
  MODEL=$(bedrock-profiles resolve \"$MODEL\" --region eu-west-1 -o id)
  bedrock-profiles resolve - --region eu-west-1 -o jsonl <ids.txt

Exit codes: 0 every value works as far as is known, 1 one cannot work, 2 wrong usage, or a text that is no ID.
Environment: AWS_REGION, AWS_DEFAULT_REGION.";

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ResolveFormat {
    /// All properties of one answer, or a line for each of several.
    #[value(alias = "table")]
    Text,
    /// The values to use and nothing else, a line each, for scripts.
    Id,
    /// One JSON object, or a list of several.
    Json,
    /// Each answer as JSON on a line of its own.
    Jsonl,
    /// The same as `json`, as YAML.
    Yaml,
}

/// A text is no region.
#[derive(Debug, thiserror::Error)]
enum RegionError {
    #[error(transparent)]
    Unknown(#[from] crate::domain::region::NotARegion),
    #[error("{0}; {1}")]
    Misspelled(crate::domain::region::NotARegion, NearestRegions),
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut tally = Tally::default();
    let view = view(args, &mut tally)?;
    let namespace = match view.namespace(&args.namespace) {
        Some(observed) => Namespace::clone(&observed),
        None => Namespace::named(&args.namespace),
    };
    let context = ResolveContext {
        snapshot: &view.snapshot,
        policy: effective_policy(&view.snapshot, &namespace, &view.namespaces)?,
        namespace: &namespace,
        today: (args.evaluation.today())(),
    };
    let (ids, regions) = (ids(args)?, regions(args)?);
    let mut answers = Vec::new();
    for id in &ids {
        match context.answers(id, &regions) {
            Ok(answered) => answers.extend(answered),
            Err(error) => tally.error(&error_text(error.as_ref())),
        }
    }
    if !args.explain {
        for answer in &mut answers {
            answer.steps.clear();
        }
    }
    let single = matches!(args.ids.as_slice(), [id] if id != STDIN) && regions.len() == 1;
    print(args, &answers, single)?;
    let is_error = |answer: &Answer| answer.severity == Severity::Error;
    Ok(tally.exit_code(answers.iter().any(is_error)))
}

fn print(args: &Args, answers: &[Answer], single: bool) -> anyhow::Result<()> {
    if answers.is_empty() {
        return Ok(());
    }
    match args.output {
        ResolveFormat::Text if single || args.explain => answers
            .iter()
            .try_for_each(|answer| console::print(&print::text(answer))),
        ResolveFormat::Text => console::print(&print::matrix(answers)),
        ResolveFormat::Id => console::print_document(print::values(answers).as_bytes()),
        ResolveFormat::Json => console::print_document(print::json(answers, single)?.as_bytes()),
        ResolveFormat::Jsonl => answers.iter().try_for_each(|answer| {
            let line = serde_json::to_string(answer)? + "\n";
            console::print_document(line.as_bytes())
        }),
        ResolveFormat::Yaml => {
            let text = match answers {
                [answer] if single => yaml::to_string(answer)?,
                _ => yaml::to_string(&answers)?,
            };
            console::print_document(text.as_bytes())
        }
    }
}

/// The view of the cluster that the flags select, or that of the flags.
fn view(args: &Args, tally: &mut Tally) -> anyhow::Result<View> {
    if !args.cluster.is_selected() {
        let configuration = args.config.load(args.output == ResolveFormat::Id)?;
        let evaluation = args.evaluation.or_of(&configuration);
        return Ok(evaluation.view_printing_warnings()?);
    }
    block_on(async {
        let pager = args.cluster.connect().await?.pager;
        let mut view = cluster_view::view(&args.evaluation, &pager, tally).await?;
        view.namespaces = cluster_view::namespaces(&pager, Some(&args.namespace)).await?;
        Ok(view)
    })
}

/// The IDs of the arguments, and of standard input in the place of `-`.
fn ids(args: &Args) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for id in &args.ids {
        if id != STDIN {
            ids.push(id.clone());
            continue;
        }
        for line in std::io::stdin().lock().lines() {
            let line = line.context("cannot read standard input")?;
            ids.extend(Some(line.trim().to_owned()).filter(|line| !line.is_empty()));
        }
    }
    anyhow::ensure!(!ids.is_empty(), "standard input contains no ID");
    Ok(ids)
}

/// The regions of the flag, or else that of the environment, which is reported.
fn regions(args: &Args) -> anyhow::Result<Vec<Region>> {
    if !args.region.is_empty() {
        return Ok(args.region.clone());
    }
    for name in REGION_VARIABLES {
        let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) else {
            continue;
        };
        let region = region(&value).with_context(|| format!("{name} is not valid"))?;
        message!("note: {region} is the region of {name}; --region chooses another one");
        return Ok(vec![region]);
    }
    anyhow::bail!("no region: set --region, or AWS_REGION in the environment")
}

/// Parses a region.
fn region(text: &str) -> Result<Region, RegionError> {
    Region::parse(text).map_err(|error| {
        let nearest = NearestRegions::of(text);
        if nearest.is_empty() {
            error.into()
        } else {
            RegionError::Misspelled(error, nearest)
        }
    })
}

/// The policy that decides in the namespace; the first preview (a policy in mode `DryRun`) where no policy decides.
fn effective_policy<'s>(
    snapshot: &'s Snapshot,
    namespace: &Namespace,
    namespaces: &Namespaces,
) -> anyhow::Result<&'s Policy> {
    snapshot
        .policies
        .iter()
        .filter(|policy| policy.namespaces.selects(namespace))
        .min_by_key(|policy| !policy.can_be_effective())
        .with_context(|| {
            let (name, next) = (&namespace.name, match namespaces {
                Namespaces::NamesOnly => "whose labels are not known here: choose another one with --namespace, or the labels of a cluster with --cluster",
                Namespaces::Observed(_) => "as the cluster has it: its workloads keep their IDs",
            });
            format!("no policy selects namespace `{name}`, {next}")
        })
}
