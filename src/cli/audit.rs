//! `audit`: reports the model IDs in a cluster, or with `-f` in files, and their replacements.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::yaml;
use crate::report::{AuditReport, FindingRecord, messages, terminal};

use super::file_args::FileArgs;
use super::tally::Tally;

mod cluster;

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files to audit instead of a cluster.
    #[command(flatten)]
    pub files: FileArgs,
    /// Audit all namespaces of the cluster.
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "paths"])]
    pub all_namespaces: bool,
    /// Context of the kubeconfig. Default: the current context.
    #[arg(long, value_name = "NAME", conflicts_with = "paths")]
    pub context: Option<String>,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: AuditFormat,
    /// Exit with 1 on findings of at least this severity.
    #[arg(long, value_enum, default_value = "rewrite")]
    pub fail_on: FailOn,
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AuditFormat {
    /// Table.
    Table,
    /// Table with more columns.
    Wide,
    /// The report as JSON.
    Json,
    /// The report as YAML.
    Yaml,
}

/// The lowest severity of a finding that ends the command with exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum FailOn {
    /// Any finding.
    #[value(alias = "leave")]
    Any,
    /// An ID that does not work and has no permitted replacement, or that would be rewritten.
    Unresolved,
    /// An ID that would be rewritten.
    Rewrite,
    /// No finding.
    #[value(alias = "none")]
    Never,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (report, tally) = if args.files.paths.is_empty() {
        cluster::audit(args)?
    } else {
        audit(&args.files)?
    };
    match args.output {
        AuditFormat::Table => anstream::print!("{}", terminal::table(&report, false)),
        AuditFormat::Wide => anstream::print!("{}", terminal::table(&report, true)),
        AuditFormat::Json => {
            print_document(&(serde_json::to_string_pretty(&report)? + "\n"))?;
        }
        AuditFormat::Yaml => print_document(&yaml::to_string(&report)?)?,
    }
    anstream::eprintln!("{}", messages::summary(&report, 0));
    Ok(tally.exit_code(report.findings.iter().any(|one| fails(one, args.fail_on))))
}

/// Prints a report that programs read: without a search for colours, which copies the text many times.
fn print_document(text: &str) -> anyhow::Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}

/// Audits files.
fn audit(args: &FileArgs) -> anyhow::Result<(AuditReport, Tally)> {
    let (mut tally, mut findings) = (Tally::default(), Vec::new());
    args.evaluate(false, &mut tally, |_, result, _| {
        findings.extend(result.findings);
    })?;
    Ok((AuditReport::new(tally.objects, findings), tally))
}

/// Whether a finding ends the command with exit code 1. A preview never does, since its policy changes nothing.
fn fails(one: &FindingRecord, least: FailOn) -> bool {
    let severity = match one.reason {
        None => FailOn::Rewrite,
        Some(_) if one.is_unresolved() => FailOn::Unresolved,
        Some(_) => FailOn::Any,
    };
    least != FailOn::Never && severity >= least && !one.preview
}
