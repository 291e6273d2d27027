//! The commands. Nobody names this room.

use std::process::ExitCode;

use clap::Parser;

pub mod audit;
pub mod check;
pub mod export;
pub mod fix;
pub mod judging;
pub mod resolve;
pub mod serve;
pub mod yaml;

/// Replaces Amazon Bedrock direct model IDs by inference profile IDs.
#[derive(Debug, Parser)]
#[command(name = "bedrock-profiles", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Serve the admission webhook.
    Serve(Box<serve::Args>),
    /// Say what becomes of one model ID in one region.
    Resolve(resolve::Args),
    /// Say what would become of the model IDs in manifests.
    Audit(audit::Args),
    /// Rewrite the model IDs in manifests.
    Fix(fix::Args),
    /// Ask a webhook whether it answers, under a certificate that is trusted.
    Check(check::Args),
    /// Print what a cluster needs besides the webhook.
    Export(export::Args),
}

/// Runs a command and says how it ended: 0 nothing to report, 1 findings, 2 usage or input error.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(args) => serve::run(*args).map(|()| ExitCode::SUCCESS),
        Command::Resolve(args) => resolve::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Fix(args) => fix::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Export(args) => export::run(&args),
    }
}
