//! `audit`: reports the model IDs in a cluster, or with `-f` in files, and their replacements.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Span;
use jiff::civil::Date;

use crate::report::messages;
use crate::report::model_ends::model_ends;
use crate::report::text::{GroupBy, SHOWN_BY_DEFAULT, Show};

use super::baseline;
use super::config::Configuration;
use super::console::{self, message};
use super::duration;
use super::fail_on::FailOn;
use super::interruption::Interruption;
use super::output::{Output, OutputParser, Outputs, ReportOptions};
use super::restart_plan;
use super::subject_args::{AuditPurpose, SubjectArgs};

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
    /// Print the models in use that end in this time, such as 120d, in place of the findings, and exit with 1 if there are any.
    #[arg(long, value_name = "TIME", value_parser = duration::parse_horizon, conflicts_with_all = ["show", "group_by"])]
    pub horizon: Option<Span>,
    /// Print the commands that restart the workloads whose Pods have IDs that the webhook would replace, in place of the findings.
    /// Nothing is executed.
    #[arg(long, conflicts_with_all = ["paths", "filenames", "kustomize", "outputs", "show", "group_by", "summary", "baseline", "write_baseline", "horizon", "fail_on"])]
    pub restart_plan: bool,
    /// Exit with 1 on findings that are at least so urgent. Default: change
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// The files to audit, or the cluster.
    #[command(flatten)]
    pub subject: SubjectArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles audit deploy/                   files, before a merge
  helm template chart | bedrock-profiles audit -   what a chart renders
  bedrock-profiles audit -A                        the cluster of the current context
  bedrock-profiles audit deploy/ --cluster         files, by the policies of that cluster
  bedrock-profiles audit deploy/ --show NoRegion   one reason
  bedrock-profiles audit deploy/ -o sarif=a.sarif  text, and a file for code scanning
  bedrock-profiles audit -A --horizon 120d         which models end when, and what follows them
  bedrock-profiles audit -A --restart-plan         commands that restart what runs with direct IDs
  bedrock-profiles explain NoRegion                what a reason means, and what to do

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong usage or an unreadable input,
130 interrupted or 143 terminated, with what was found until then.";

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // A mistake in them ends the command before the audit.
    Outputs::of(&args.outputs)?;
    let interruption = Interruption::listen()?;
    let configuration = args.subject.files.config.load(args.quiet)?;
    let outputs = if args.outputs.is_empty() && args.subject.files.are_named() {
        Outputs::of(&configuration.outputs)?
    } else {
        Outputs::of(&args.outputs)?
    };
    let subject = &args.subject;
    if args.restart_plan {
        return plan_restarts(args, &configuration, &interruption);
    }
    let purpose = AuditPurpose::Findings { quiet: args.quiet };
    let (report, mut tally) = subject.audit(&configuration, &interruption, purpose)?;
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
    let options = ReportOptions {
        show: match args.show.as_slice() {
            [] => &SHOWN_BY_DEFAULT,
            show => show,
        },
        group_by: args.group_by,
        horizon: last_day(args, report.today)?,
        changes: None,
    };
    outputs.write(&report, options, &interruption, &mut tally)?;
    if !args.summary {
        outputs.print(&report, options)?;
    }
    if !args.quiet {
        message!("{}", messages::summary(&report, 0, console::width()));
    }
    if options.horizon.is_some() {
        let ends = model_ends(&report.findings, options.horizon);
        let is_failure = fail_on != FailOn::Never && !ends.is_empty();
        return Ok(tally.exit_code(is_failure || fail_on.includes_unread(&report)));
    }
    let mut findings = report.findings.iter();
    let is_failure = findings.any(|one| fail_on.includes(one)) || fail_on.includes_unread(&report);
    Ok(tally.exit_code(is_failure))
}

/// Prints the restarts after which Pods have other IDs.
fn plan_restarts(
    args: &Args,
    configuration: &Configuration,
    interruption: &Interruption,
) -> anyhow::Result<ExitCode> {
    let subject = &args.subject;
    let (report, tally) = subject.audit(configuration, interruption, AuditPurpose::Restarts)?;
    let Some(plan) = &tally.restart_plan else {
        message!("error: no plan, because not every object could be read");
        return Ok(tally.exit_code(false));
    };
    let cluster = restart_plan::pinned(&subject.cluster);
    console::print(&restart_plan::script(plan, &cluster, report.today))?;
    Ok(tally.exit_code(false))
}

/// The last day of the horizon.
fn last_day(args: &Args, today: Date) -> anyhow::Result<Option<Date>> {
    let days = args.horizon.map(|horizon| today.checked_add(horizon));
    days.transpose().context("--horizon is too long")
}
