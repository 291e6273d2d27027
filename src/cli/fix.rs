//! `fix`: replaces the IDs in files; all other bytes stay as they are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use crate::domain::judge::EndedModels;
use crate::domain::policy::Mode;
use crate::report::severity::Severity;
use crate::report::text::{GroupBy, SHOWN_BY_DEFAULT, TextOptions, text};
use crate::report::{AuditReport, FindingRecord, messages, terminal};
use crate::scan::ScanResult;
use crate::scan::files::SourceFile;
use crate::scan::passes::EvaluatedFile;
use crate::text::{Splice, splice};

use super::baseline;
use super::cluster_args::ClusterArgs;
use super::cluster_view;
use super::console::{self, message};
use super::fail_on::FailOn;
use super::file_args::{FileArgs, FileRun};
use super::interactive::{HunkChooser, NotATerminal, Terminal};
use super::interruption::Interruption;
use super::output::{Output, OutputParser, Outputs, ReportOptions};
use super::patch::Patch;
use super::replace_file::replace;
use super::tally::Tally;

/// Arguments of `fix`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("paths", |paths| paths.required_unless_present_any(["filenames", "kustomize"])))]
#[command(mut_arg("namespace", |namespace| namespace.help("Namespace of objects in files that have none. Default: `default`")))]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What is done with the changes.
    #[command(flatten)]
    pub changes: ChangeArgs,
    /// Replace models that have reached their end of life by their successors, where the successor serves the region.
    #[arg(long)]
    pub replace_end_of_life: bool,
    /// Write a report into a file, in a format of `audit`; can be given several times.
    #[arg(short, long = "output", value_name = "FORMAT=FILE", value_parser = OutputParser)]
    pub outputs: Vec<Output>,
    /// Do not print the findings and the counts.
    #[arg(short, long)]
    pub quiet: bool,
    /// Baseline, a file of `audit --write-baseline`: its findings do not count where they stay.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Exit with 1 on findings that stay and are at least so urgent. Default: change
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Files to change.
    #[command(flatten)]
    pub files: FileArgs,
    /// The cluster to evaluate with.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// What is done with the changes, in place of writing the files.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ChangeArgs {
    /// Print a patch for `git apply` and change no file; exit with 1 if there is one.
    #[arg(long)]
    pub diff: bool,
    /// Change no file; exit with 1 if one would change.
    #[arg(long, visible_alias = "dry-run")]
    pub check: bool,
    /// Ask about each change on the terminal, as `git add -p` does.
    #[arg(short, long, conflicts_with_all = ["diff", "check"])]
    pub interactive: bool,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles fix deploy/                      change the files
  bedrock-profiles fix deploy/ --diff | git apply   the same, by a patch that can be read before
  bedrock-profiles fix -i deploy/                   ask about each change
  bedrock-profiles fix --check deploy/              for a pipeline: does anything have to change?

Exit codes: 0 done, 1 something would change, or findings at or above --fail-on stay,
2 wrong usage or a file that cannot be read or written, 130 interrupted or 143 terminated.";

/// Runs the command. The findings are printed to standard error; the new text of standard input to standard output.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::of(&args.outputs)?;
    anyhow::ensure!(
        args.outputs.iter().all(|one| one.file.is_some()),
        "-o of fix needs a file, as FORMAT=FILE: standard output is for patches and for the text of standard input"
    );
    let interruption = Interruption::listen()?;
    let mut changes = FileChanges::new(args, &interruption)?;
    let configuration = args.files.config.load(args.quiet)?;
    let mut tally = Tally::default();
    let view = cluster_view::of_files(&args.cluster, &args.files, &mut tally)?;
    let run = FileRun {
        edit: Some(if args.replace_end_of_life {
            EndedModels::Replace
        } else {
            EndedModels::Report
        }),
        configuration: &configuration,
        interruption: &interruption,
        quiet: args.quiet,
        held: None,
    };
    let make = |file: &_, result, tally: &mut _| changes.make(file, result, tally);
    args.files.evaluate(view, run, &mut tally, make)?;
    if let Some(failure) = changes.failure {
        return Err(failure);
    }
    if let Some(root) = &changes.apply_in {
        message!(
            "warning: in this folder, git apply skips the files outside of it: apply the patch in {}",
            root.display()
        );
    }
    let today = (args.files.evaluation.today())();
    let report = AuditReport::new(tally.subject(today)?, std::mem::take(&mut changes.findings));
    let mut report = configuration.applied_to(report);
    let stays = |one: &FindingRecord| !is_changed(one) || changes.is_declined(one);
    if let Some(path) = args.baseline.as_ref().or(configuration.baseline.as_ref()) {
        report = baseline::apply(path, report, stays)?;
    }
    let fail_on = args.fail_on.or(configuration.fail_on).unwrap_or_default();
    let options = ReportOptions {
        show: &SHOWN_BY_DEFAULT,
        group_by: GroupBy::File,
        horizon: None,
        changes: None,
    };
    outputs.write(&report, options, &interruption, &mut tally)?;
    if !args.quiet {
        print(&report, changes.rewritten);
    }
    let mut findings = report.findings.iter();
    let is_failure = findings.any(|one| fail_on.includes(one) && stays(one))
        || fail_on.includes_unread(&report)
        || (args.changes.only_shows() && changes.would_change);
    Ok(tally.exit_code(is_failure))
}

impl ChangeArgs {
    /// Whether no file is written.
    const fn only_shows(self) -> bool {
        self.diff || self.check
    }
}

/// The changes of a run.
struct FileChanges<'a> {
    args: &'a Args,
    interruption: &'a Interruption,
    /// Asks the user, with `-i`.
    chooser: Option<HunkChooser<Terminal<'a>>>,
    findings: Vec<FindingRecord>,
    /// Number of findings that were rewritten in files.
    rewritten: usize,
    would_change: bool,
    /// Files and lines of the changes that the user does not want.
    declined: BTreeSet<(String, usize)>,
    /// The folder to apply the patch in, if git skips a part of it in the working directory.
    apply_in: Option<PathBuf>,
    /// Why the results cannot be printed.
    failure: Option<anyhow::Error>,
}

impl<'a> FileChanges<'a> {
    fn new(args: &'a Args, interruption: &'a Interruption) -> Result<Self, NotATerminal> {
        let has_input = args.files.has_input();
        let is_interactive = args.changes.interactive;
        let terminal = is_interactive.then(|| Terminal::open(interruption, has_input));
        Ok(Self {
            args,
            interruption,
            chooser: terminal.transpose()?.map(HunkChooser::new),
            findings: Vec::new(),
            rewritten: 0,
            would_change: false,
            declined: BTreeSet::new(),
            apply_in: None,
            failure: None,
        })
    }

    /// Changes a file, or prints what would change.
    fn make(&mut self, file: &EvaluatedFile, mut result: ScanResult, tally: &mut Tally) {
        let Some(file) = &source(file, &result, tally) else {
            return self.findings.extend(result.findings);
        };
        self.choose(file, &mut result);
        let new = splice(&file.text, &result.splices);
        self.would_change |= new != file.text;
        let changes = self.args.changes;
        let printed = match &file.path {
            _ if changes.diff => {
                let patch = Patch::of(file, &new);
                self.apply_in = patch.only_in().map(Path::to_owned).or(self.apply_in.take());
                console::print(&patch.to_string())
            }
            _ if changes.check => Ok(()),
            None => console::print_document(&file.encoding.encode(&new)),
            Some(path) => {
                if new != file.text
                    && let Err(error) = replace(path, file, &new, self.interruption)
                {
                    tally.error(&error);
                } else {
                    self.rewritten += result.edited;
                }
                Ok(())
            }
        };
        self.failure = self.failure.take().or(printed.err());
        self.findings.extend(result.findings);
    }

    /// Takes the changes out that the user does not want.
    fn choose(&mut self, file: &SourceFile, result: &mut ScanResult) {
        let Some(chooser) = &mut self.chooser else {
            return;
        };
        let patch = Patch::of(file, &splice(&file.text, &result.splices));
        let wanted = chooser.choose(&patch.header, &patch.hunks);
        let hunks = patch.hunks.iter().zip(wanted);
        let declined: Vec<_> = hunks.filter(|(_, is_wanted)| !is_wanted).collect();
        let is_declined = |line| declined.iter().any(|(hunk, _)| hunk.lines.contains(&line));
        result
            .splices
            .retain(|one| !is_declined(line_of(one, &file.text)));
        for one in &result.findings {
            let Some(source) = &one.source else { continue };
            if is_edited(one) && is_declined(source.line.saturating_sub(1)) {
                result.edited = result.edited.saturating_sub(1);
                self.declined.insert((source.file.clone(), source.line));
            }
        }
    }

    fn is_declined(&self, one: &FindingRecord) -> bool {
        let source = one.source.as_ref();
        source.is_some_and(|source| self.declined.contains(&(source.file.clone(), source.line)))
    }
}

/// The line of a splice, from 0.
fn line_of(splice: &Splice, text: &str) -> usize {
    let before = text.get(..splice.at.start).unwrap_or_default();
    before.matches('\n').count()
}

/// The text of a file to change, or of what was read from a pipe; `None` if there is nothing to write.
fn source(file: &EvaluatedFile, result: &ScanResult, tally: &mut Tally) -> Option<Arc<SourceFile>> {
    if result.splices.is_empty() && file.input().is_on_disk() {
        return None;
    }
    let source = file.source();
    source.map_err(|error| tally.unread_file(&error)).ok()
}

fn print(report: &AuditReport, rewritten: usize) {
    let options = TextOptions {
        show: &SHOWN_BY_DEFAULT,
        group_by: GroupBy::File,
        width: console::width(),
    };
    console::print_message_text(&text(report, options));
    message!("{}", messages::summary(report, rewritten, options.width));
    for part in &report.incomplete {
        message!("incomplete: {part}; the files that were not evaluated are unchanged");
    }
    if terminal::only_dry_runs(report) {
        message!("no file was changed: all policies are in mode DryRun");
    }
    if report.findings.iter().any(is_taken_from_a_config_map) {
        message!(
            "note: where a workload takes an ID from a ConfigMap, only the ConfigMap is changed, for the region that it names itself"
        );
    }
}

/// Whether `fix` writes a replacement of the ID, be it one that works or not.
fn is_edited(one: &FindingRecord) -> bool {
    let is_in_effect = !one.preview && one.mode != Mode::DryRun && one.exempt.is_none();
    one.after.is_some() && is_in_effect && one.reference.is_none()
}

/// Whether `fix` changes the ID: not under a policy in mode `DryRun`, and not in a Pod that takes it from a ConfigMap.
fn is_changed(one: &FindingRecord) -> bool {
    one.severity() == Severity::Change && one.mode != Mode::DryRun && one.reference.is_none()
}

/// Whether a cluster would replace the ID in the Pod, which `fix` does not: the ConfigMap names no region, or another one.
fn is_taken_from_a_config_map(one: &FindingRecord) -> bool {
    one.reference.is_some() && one.after.is_some()
}
