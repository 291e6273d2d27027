//! `why`: explains why one object was or was not rewritten, from the object itself, and what it takes.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::why::text;

use super::cluster_args::ClusterArgs;
use super::config::ConfigArgs;
use super::evaluation_args::EvaluationArgs;
use super::report_format::ReportFormat;
use super::tally::Tally;

mod file;
mod live;
mod named_object;
mod surroundings;

use named_object::NamedObject;

/// Arguments of `why`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The object, such as Pod/chat or cm/models. May be absent if a file has one object.
    #[arg(value_name = "KIND/NAME", required_unless_present = "filename")]
    pub object: Option<NamedObject>,
    /// Explain the object of a file, as if it were created now; `-` is standard input.
    #[arg(short = 'f', long, value_name = "FILE")]
    pub filename: Option<PathBuf>,
    /// Namespace of the object. Default: that of the context; in a file, that of the object, or else `default`.
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Send no dry run to the API server.
    #[arg(long)]
    pub no_dry_run: bool,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ReportFormat,
    /// Policies and mappings to evaluate with.
    #[command(flatten)]
    pub evaluation: EvaluationArgs,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// The configuration file.
    #[command(flatten)]
    pub config: ConfigArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles why pod/chat-7d4b9 -n ml          why was this Pod not rewritten?
  bedrock-profiles why cm/models -n ml -o json       the same for programs
  bedrock-profiles why -f deploy/chat.yaml           a file with one object
  bedrock-profiles why -f all.yaml deployment/chat --cluster
                                                     an object of a file, by the policies of the cluster

A dry run creates a copy of the object and stores nothing. It needs the permission to create such objects.

Exit codes: 0 the IDs were or would be replaced, or are right as they are, 1 an ID is not replaced,
2 wrong usage, or an object or a file that cannot be read.";

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut tally = Tally::default();
    let report = match (&args.filename, &args.object) {
        (Some(path), object) => file::report(args, path, object.as_ref(), &mut tally)?,
        (None, Some(object)) => live::report(args, object, &mut tally)?,
        (None, None) => anyhow::bail!("name an object as KIND/NAME, or a file with -f"),
    };
    args.output.print(&report, |width| text(&report, width))?;
    Ok(tally.exit_code(report.answer.outcome.is_unmet()))
}
