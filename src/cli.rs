//! The CLI commands. No other module may depend on this one.

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

pub mod audit;
pub mod baseline;
pub mod catalog;
pub mod check;
pub mod cluster_args;
mod cluster_view;
pub mod completion;
pub mod config;
pub mod console;
mod duration;
pub mod evaluation_args;
pub mod explain;
pub mod export;
pub mod fail_on;
pub mod file_args;
mod file_warnings;
pub mod fix;
pub mod iam;
mod interactive;
mod interruption;
mod kustomize;
mod label_selector;
mod named_file;
mod option_groups;
pub mod output;
mod patch;
pub mod planned_change_args;
pub mod preview;
mod replace_file;
pub mod report;
pub mod report_format;
mod repository;
pub mod resolve;
mod restart_plan;
pub mod serve;
pub mod subject_args;
pub mod tally;
pub mod version;
pub mod why;
pub mod yaml;

/// Replaces direct model IDs of Amazon Bedrock with inference profile IDs.
#[derive(Debug, Parser)]
#[command(name = "bedrock-profiles", version, arg_required_else_help = true, after_long_help = AFTER_HELP)]
#[command(mut_subcommands(option_groups::group))]
pub struct Cli {
    /// When output has colours.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub color: console::Color,
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands have in common.
const AFTER_HELP: &str = "\
Examples:
  bedrock-profiles resolve anthropic.claude-sonnet-4-6 --region eu-west-1   one ID
  bedrock-profiles audit deploy/                                            files
  bedrock-profiles audit -A                                                 a cluster
  bedrock-profiles why pod/chat -n ml                                       one object
  bedrock-profiles fix deploy/ --diff                                       the changes, as a patch

Exit codes: 0 nothing was found, 1 findings, 2 wrong usage or an error, 130 interrupted, 143 terminated. The help of a command has more.

Environment:
  KUBECONFIG   files that describe the clusters; default: ~/.kube/config
  AWS_REGION   region of `resolve`, or else AWS_DEFAULT_REGION; `audit` and `fix` do not read them
  NO_COLOR     no colours; FORCE_COLOR: colours where the output is no terminal";

impl Cli {
    /// Parses the command line of the process. Prints help and usage errors, and exits after them.
    pub fn parse_or_exit() -> Self {
        let mut command = Self::command();
        let matches = command.get_matches_mut();
        if let (Some(("serve", matches)), Some(serve)) =
            (matches.subcommand(), command.find_subcommand_mut("serve"))
        {
            serve::flags::check(serve, matches).unwrap_or_else(|error| error.exit());
        }
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
    }
}

/// The commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Serve the admission webhook.
    Serve(Box<serve::Args>),
    /// Print the replacement of one model ID in one region.
    Resolve(resolve::Args),
    /// Report the model IDs in a cluster or in files, and their replacements.
    Audit(audit::Args),
    /// Write a page for an auditor: which data leaves which region, who permits it, and what ends when.
    Report(Box<report::Args>),
    /// Replace the model IDs in files.
    Fix(fix::Args),
    /// Explain why an ID is unchanged: a reason, an example, and what to do.
    Explain(explain::Args),
    /// Explain why one object was or was not rewritten: the regions, the gates, and what to change.
    Why(Box<why::Args>),
    /// Print what a change of policies, mappings or regions would do, before it is made.
    Preview(Box<preview::Args>),
    /// Print the permissions that workloads need to call their inference profiles.
    Iam(Box<iam::Args>),
    /// List, compare and correct the models and profiles of the catalog.
    Catalog(catalog::Args),
    /// Check whether a cluster can have a release, or whether the installed one works: each check with what to do next.
    Check(check::Args),
    /// Print manifests that a cluster needs, such as the CRDs.
    Export(export::Args),
    /// Print the versions of the command and of its catalog, and of what is installed in a cluster.
    Version(version::Args),
    /// Print the script that completes command lines in a shell.
    Completion(completion::Args),
    /// Print the candidates for a word, for the scripts of `completion`.
    #[command(name = "__complete", hide = true)]
    Complete(completion::CompleteArgs),
}

/// Runs a command and returns its exit code: 0 for success, 1 for findings, 2 for a usage or input error.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    console::set_color(cli.color);
    match cli.command {
        Command::Serve(args) => serve::run(*args).map(|()| ExitCode::SUCCESS),
        Command::Resolve(args) => resolve::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Fix(args) => fix::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Why(args) => why::run(&args),
        Command::Preview(args) => preview::run(&args),
        Command::Iam(args) => iam::run(&args),
        Command::Catalog(args) => catalog::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Version(args) => version::run(&args),
        Command::Completion(args) => completion::run(&args),
        Command::Complete(args) => completion::complete(&args),
    }
}
