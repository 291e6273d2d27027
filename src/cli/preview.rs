//! `preview`: prints what a change of policies, mappings or regions would do to a cluster or to files.

use std::process::ExitCode;

use crate::preview::{PreviewReport, markdown, preview, summary, text};

use super::console::{self, message};
use super::interruption::Interruption;
use super::planned_change_args::{PlannedChangeArgs, RegionMove};
use super::subject_args::SubjectArgs;
use super::yaml;

/// Arguments of `preview`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The change.
    #[command(flatten)]
    pub change: PlannedChangeArgs,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: PreviewFormat,
    /// The files or the cluster that the change is applied to.
    #[command(flatten)]
    pub subject: SubjectArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles preview -A --with policy.yaml               a policy, before it is applied
  bedrock-profiles preview -A --with builtin                   the catalog of this version
  bedrock-profiles preview -A --move eu-west-1=eu-south-2      workloads in another region
  bedrock-profiles preview deploy/ --cluster --with policy.yaml -o markdown
                                                               files, as a comment on a merge request

Nothing is applied. What applies now are the policies and mappings of the cluster, or for files those of the flags, of --cluster,
or the default policy in mode Rewrite.

Exit codes: 0 nothing changes, 1 something changes, 2 wrong usage or an unreadable input,
130 interrupted or 143 terminated.";

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PreviewFormat {
    /// For people, within the width of the terminal.
    Text,
    /// One JSON object.
    Json,
    /// The same as YAML.
    Yaml,
    /// A comment on a pull request.
    Markdown,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interruption = Interruption::listen()?;
    let configuration = args.subject.files.config.load(true)?;
    let (audits, mut tally) = args
        .subject
        .compare(&args.change, &configuration, &interruption)?;
    if interruption.received().is_some() {
        message!("incomplete: there is no preview, because it would lack changes");
        return Ok(tally.exit_code(false));
    }
    for RegionMove { from, .. } in &args.change.moves {
        let mut findings = audits.now.findings.iter();
        if !findings.any(|one| one.region == Some(*from)) {
            message!("warning: no ID is called in {from}, so its move changes nothing");
        }
    }
    let report = preview(&audits.now, &audits.planned, args.change.parts());
    if !report.incomplete.is_empty() {
        tally.error(&"not everything was read, so the preview may lack changes");
    }
    print(&report, args.output)?;
    Ok(tally.exit_code(!report.findings.is_empty() || !report.routes.is_empty()))
}

fn print(report: &PreviewReport<'_>, format: PreviewFormat) -> anyhow::Result<()> {
    match format {
        PreviewFormat::Text => {
            console::print(&text(report, console::width()))?;
            message!("{}", summary(report));
            Ok(())
        }
        PreviewFormat::Json => {
            let json = serde_json::to_string_pretty(report)? + "\n";
            console::print_document(json.as_bytes())
        }
        PreviewFormat::Yaml => console::print_document(yaml::to_string(report)?.as_bytes()),
        PreviewFormat::Markdown => console::print_document(markdown(report).as_bytes()),
    }
}
