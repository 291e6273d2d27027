//! `audit`: reports the model IDs in a cluster, or with `-f` in files, and their replacements.

use std::process::ExitCode;

use crate::report::severity::Severity;
use crate::report::text::{self, GroupBy, SHOWN_BY_DEFAULT, Show, TextOptions};
use crate::report::{AuditReport, FindingRecord, messages, terminal};

use super::console::{self, message};
use super::file_args::FileArgs;
use super::tally::Tally;
use super::yaml;

mod cluster;

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files to audit instead of a cluster.
    #[command(flatten)]
    pub files: FileArgs,
    /// Audit all namespaces of the cluster.
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "paths", "filenames"])]
    pub all_namespaces: bool,
    /// Context of the kubeconfig. Default: the current context.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "filenames"])]
    pub context: Option<String>,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: AuditFormat,
    /// Which findings `-o text` shows: all, severities, reasons. Default: error,change,warning.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub show: Vec<Show>,
    /// By what `-o text` groups the findings.
    #[arg(long, value_enum, value_name = "KEY", default_value = "file")]
    pub group_by: GroupBy,
    /// Print the counts only.
    #[arg(long, conflicts_with = "quiet")]
    pub summary: bool,
    /// Do not print the counts.
    #[arg(short, long)]
    pub quiet: bool,
    /// Exit with 1 on findings that are at least so urgent.
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "change")]
    pub fail_on: FailOn,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles audit deploy/                   files, before a merge
  helm template chart | bedrock-profiles audit -   what a chart renders
  bedrock-profiles audit -A                        the cluster of the current context
  bedrock-profiles audit deploy/ --show NoRegion   one reason

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong usage or an input that cannot be read.";

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AuditFormat {
    /// What is to be done and what cannot work, for people.
    Text,
    /// A table of all findings with many columns.
    Wide,
    /// The report as JSON.
    Json,
    /// Each finding as JSON on a line of its own.
    Jsonl,
    /// The report as YAML.
    Yaml,
}

/// The least urgent severity that ends the command with exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// An ID that cannot work.
    Error,
    /// An error, or an ID that would be replaced.
    Change,
    /// An error, a change, or an ID that works only by chance or not for long.
    Warning,
    /// No finding.
    Never,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let is_of_files = args.files.all_paths().next().is_some();
    let (report, tally) = if is_of_files {
        audit(&args.files)?
    } else {
        cluster::audit(args)?
    };
    if !args.summary {
        print(&report, args)?;
    }
    if !args.quiet {
        message!("{}", messages::summary(&report, 0, console::width()));
    }
    let mut findings = report.findings.iter();
    let is_failure =
        findings.any(|one| args.fail_on.includes(one)) || args.fail_on.includes_unread(&report);
    Ok(tally.exit_code(is_failure))
}

fn print(report: &AuditReport, args: &Args) -> anyhow::Result<()> {
    match args.output {
        AuditFormat::Text => {
            let show = match args.show.as_slice() {
                [] => &SHOWN_BY_DEFAULT,
                show => show,
            };
            let (group_by, width) = (args.group_by, console::width());
            let options = TextOptions {
                show,
                group_by,
                width,
            };
            console::print(&text::text(report, options))
        }
        AuditFormat::Wide => console::print(&terminal::table(report)),
        AuditFormat::Json => {
            console::print_document((serde_json::to_string_pretty(report)? + "\n").as_bytes())
        }
        AuditFormat::Jsonl => {
            let mut lines = Vec::new();
            for finding in report.listed() {
                serde_json::to_writer(&mut lines, &finding)?;
                lines.push(b'\n');
            }
            console::print_document(&lines)
        }
        AuditFormat::Yaml => console::print_document(yaml::to_string(report)?.as_bytes()),
    }
}

/// Audits files.
fn audit(args: &FileArgs) -> anyhow::Result<(AuditReport, Tally)> {
    let (mut tally, mut findings) = (Tally::default(), Vec::new());
    args.evaluate(false, &mut tally, |_, result, _| {
        findings.extend(result.findings);
    })?;
    let subject = tally.subject((args.evaluation.today())())?;
    Ok((AuditReport::new(subject, findings), tally))
}

impl FailOn {
    /// Whether a finding ends the command with exit code 1.
    pub(super) fn includes(self, one: &FindingRecord) -> bool {
        let least = match self {
            Self::Error => Severity::Error,
            Self::Change => Severity::Change,
            Self::Warning => Severity::Warning,
            Self::Never => return false,
        };
        one.severity() <= least
    }

    /// Whether a document that is not YAML or JSON ends the command with exit code 1, as every error does.
    pub(super) fn includes_unread(self, report: &AuditReport) -> bool {
        self != Self::Never && report.unread.iter().any(|one| one.is_error)
    }
}
