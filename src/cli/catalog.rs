//! `catalog`: the models and profiles of the mappings, beside each other and beside what the Bedrock API lists.

use std::process::ExitCode;

mod answer_files;
pub mod check;
pub mod diff;
pub mod import;
pub mod list;
pub mod mapping_args;
pub mod print;
pub mod record;
pub mod show;

/// Arguments of `catalog`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: CatalogCommand,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles catalog list --region eu-west-2
  bedrock-profiles catalog show anthropic.claude-sonnet-4-6
  bedrock-profiles catalog diff builtin builtin+corrections.yaml
  bedrock-profiles catalog check answers/
  bedrock-profiles catalog import answers/ >bedrock-api.yaml";

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum CatalogCommand {
    /// List the models of the catalog.
    List(list::ListArgs),
    /// Print all rows of a model.
    Show(show::ShowArgs),
    /// Print the rows that differ between two catalogs.
    Diff(diff::DiffArgs),
    /// Compare the catalog with what the Bedrock API lists, row by row.
    Check(check::CatalogCheckArgs),
    /// Print or apply the mapping that corrects the catalog by what the Bedrock API lists.
    Import(Box<import::ImportArgs>),
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CatalogFormat {
    /// Lines of text.
    Text,
    /// One JSON object.
    Json,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        CatalogCommand::List(args) => list::run(args),
        CatalogCommand::Show(args) => show::run(args),
        CatalogCommand::Diff(args) => diff::run(args),
        CatalogCommand::Check(args) => check::run(args),
        CatalogCommand::Import(args) => import::run(args),
    }
}
