//! `audit`: reports the model IDs in a cluster, or with `-f` in files, and their replacements.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::domain::policy::Selector;
use crate::report::formats::{self, FormatOptions};
use crate::report::text::{self, GroupBy, SHOWN_BY_DEFAULT, Show, TextOptions};
use crate::report::{AuditReport, messages, terminal};

use super::baseline;
use super::cluster_args::ClusterArgs;
use super::cluster_view;
use super::config::Configuration;
use super::console::{self, DEFAULT_WIDTH, message};
use super::fail_on::FailOn;
use super::file_args::{FileArgs, FileRun};
use super::interruption::Interruption;
use super::label_selector;
use super::replace_file::write_output;
use super::repository::repository_paths;
use super::tally::Tally;
use super::yaml;

mod cluster;
mod output;

pub use output::{AuditFormat, Output};
use output::{OutputParser, Outputs, RenderedReport};

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Format, of standard output or of a file; can be given several times. Default: text.
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_parser = OutputParser)]
    pub outputs: Vec<Output>,
    /// Which findings are shown: all, severities, reasons. Default: error,change,warning. Formats with every field show all.
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
    /// Baseline, a file of --write-baseline: its findings do not count.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the findings into a baseline.
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    pub write_baseline: Option<PathBuf>,
    /// Exit with 1 on findings that are at least so urgent. Default: change
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Files to audit instead of a cluster.
    #[command(flatten)]
    pub files: FileArgs,
    /// Audit all namespaces of the cluster.
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "paths", "filenames", "kustomize"])]
    pub all_namespaces: bool,
    /// Audit the objects of the cluster with these labels only, as kubectl selects them.
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = label_selector::parse, conflicts_with_all = ["paths", "filenames", "kustomize"])]
    pub selector: Option<Selector>,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles audit deploy/                   files, before a merge
  helm template chart | bedrock-profiles audit -   what a chart renders
  bedrock-profiles audit -A                        the cluster of the current context
  bedrock-profiles audit deploy/ --cluster         files, by the policies of that cluster
  bedrock-profiles audit deploy/ --show NoRegion   one reason
  bedrock-profiles audit deploy/ -o sarif=a.sarif  text, and a file for code scanning
  bedrock-profiles explain NoRegion                what a reason means, and what to do

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong usage or an unreadable input,
130 interrupted or 143 terminated, with what was found until then.";

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::of(&args.outputs)?;
    let interruption = Interruption::listen()?;
    let configuration = args.files.config.load(args.quiet)?;
    let (report, mut tally) = if args.files.are_named() {
        audit(args, &configuration, &interruption)?
    } else {
        cluster::audit(args, &interruption)?
    };
    let mut report = configuration.applied_to(report);
    let is_stopped = interruption.received().is_some();
    let write_baseline = args.write_baseline.as_ref().filter(|path| {
        if is_stopped {
            // It would lack findings that the baseline of a whole audit has.
            message!("note: {} is not written", path.display());
        }
        !is_stopped
    });
    if let Some(path) = write_baseline {
        baseline::write(path, &report, &interruption)?;
    }
    let known = [
        write_baseline,
        args.baseline.as_ref(),
        configuration.baseline.as_ref(),
    ];
    if let Some(path) = known.into_iter().flatten().next() {
        report = baseline::apply(path, report, |_| true)?;
    }
    let fail_on = args.fail_on.or(configuration.fail_on).unwrap_or_default();
    for (format, path) in &outputs.files {
        let text = render(&report, *format, args, DEFAULT_WIDTH)?;
        if let Err(error) = write_output(path, text.plain().as_bytes(), &interruption) {
            tally.error(&error);
        }
    }
    if !args.summary {
        render(&report, outputs.printed, args, console::width())?.print()?;
    }
    if !args.quiet {
        message!("{}", messages::summary(&report, 0, console::width()));
    }
    let mut findings = report.findings.iter();
    let is_failure = findings.any(|one| fail_on.includes(one)) || fail_on.includes_unread(&report);
    Ok(tally.exit_code(is_failure))
}

/// A report in a format, in lines of at most `width` columns if it is for people.
fn render(
    report: &AuditReport,
    format: AuditFormat,
    args: &Args,
    width: usize,
) -> anyhow::Result<RenderedReport> {
    let show = match args.show.as_slice() {
        [] => &SHOWN_BY_DEFAULT,
        show => show,
    };
    let paths = repository_paths()?;
    let options = FormatOptions {
        show,
        paths: &paths,
    };
    let text = match format {
        AuditFormat::Text => {
            let group_by = args.group_by;
            let options = TextOptions {
                show,
                group_by,
                width,
            };
            return Ok(RenderedReport::Coloured(
                text::text(report, options) + &incomplete(report),
            ));
        }
        AuditFormat::Wide => {
            let text = terminal::table(report) + &incomplete(report);
            return Ok(RenderedReport::Coloured(text));
        }
        AuditFormat::Json => serde_json::to_string_pretty(report)? + "\n",
        AuditFormat::Jsonl => json_lines(report)?,
        AuditFormat::Yaml => yaml::to_string(report)?,
        AuditFormat::Sarif => formats::sarif(report, options)?,
        AuditFormat::Junit => formats::junit(report, options),
        AuditFormat::Github => formats::github(report, options),
        AuditFormat::Gitlab => formats::gitlab(report, options)?,
        AuditFormat::Markdown => formats::markdown(report, options),
    };
    Ok(RenderedReport::Document(text))
}

fn json_lines(report: &AuditReport) -> serde_json::Result<String> {
    let mut lines = String::new();
    for finding in report.listed() {
        lines += &serde_json::to_string(&finding)?;
        lines.push('\n');
    }
    Ok(lines)
}

/// The lists that were not read to their end, a line each.
fn incomplete(report: &AuditReport) -> String {
    let mut text = String::new();
    for list in &report.incomplete {
        text.extend(["incomplete: ", list, "\n"]);
    }
    text
}

/// Audits files.
fn audit(
    args: &Args,
    configuration: &Configuration,
    interruption: &Interruption,
) -> anyhow::Result<(AuditReport, Tally)> {
    let (mut tally, mut findings) = (Tally::default(), Vec::new());
    let view = cluster_view::of_files(&args.cluster, &args.files, &mut tally)?;
    let run = FileRun {
        edit: None,
        configuration,
        interruption,
    };
    args.files.evaluate(view, run, &mut tally, |_, result, _| {
        findings.extend(result.findings);
    })?;
    let subject = tally.subject((args.files.evaluation.today())())?;
    Ok((AuditReport::new(subject, findings), tally))
}
