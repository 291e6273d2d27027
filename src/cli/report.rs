//! `report`: a page for an auditor, about files or a cluster.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::report::changes::{EarlierReport, ReportChanges};
use crate::report::text::{GroupBy, Show};

use super::console::message;
use super::interruption::Interruption;
use super::named_file::read_named;
use super::output::{AuditFormat, Output, OutputParser, Outputs, ReportOptions};
use super::subject_args::{AuditPurpose, SubjectArgs};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Format, of standard output or of a file; can be given several times. Default: html.
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_parser = OutputParser)]
    pub outputs: Vec<Output>,
    /// Show what has changed since an earlier report, a file of `audit -o json` or `report -o json`.
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    /// The files, or the cluster.
    #[command(flatten)]
    pub subject: SubjectArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles report -A > report.html              a cluster
  bedrock-profiles report deploy/ -o html=report.html   files
  bedrock-profiles report -A --since last.json -o html=report.html -o json=this.json
                                                        what has changed, and the next file for --since

The page is one file that loads nothing: routes of data, who permits them, exemptions, ends of life, findings.

Exit codes: 0 done, 2 wrong usage or an unreadable input, 130 interrupted or 143 terminated,
with what was found until then.";

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let html = [Output {
        format: AuditFormat::Html,
        file: None,
    }];
    let outputs = Outputs::of(if args.outputs.is_empty() {
        &html
    } else {
        &args.outputs
    })?;
    let earlier = args.since.as_ref().map(|path| {
        let text = read_named(path).with_context(|| format!("cannot read {}", path.display()))?;
        EarlierReport::parse(&text).with_context(|| format!("--since {}", path.display()))
    });
    let earlier = earlier.transpose()?;
    let interruption = Interruption::listen()?;
    let configuration = args.subject.files.config.load(true)?;
    let purpose = AuditPurpose::Findings { quiet: true };
    let (report, mut tally) = args.subject.audit(&configuration, &interruption, purpose)?;
    let report = configuration.applied_to(report);
    let changes = earlier.map(|earlier| ReportChanges::between(&earlier, &report));
    let options = ReportOptions {
        show: &[Show::All],
        group_by: GroupBy::File,
        horizon: None,
        changes: changes.as_ref(),
    };
    outputs.write(&report, options, &interruption, &mut tally)?;
    // Text is printed where no format is given; here that is a page.
    if args.outputs.is_empty() || args.outputs.iter().any(|one| one.file.is_none()) {
        outputs.print(&report, options)?;
    }
    if report.unread_parts().any(|part| part.is_error) {
        tally.error(&"not everything was read, so the report lacks findings");
    }
    if let Some(changes) = &changes {
        message!("since {}: {}", changes.since, changes.summary());
    }
    Ok(tally.exit_code(false))
}
