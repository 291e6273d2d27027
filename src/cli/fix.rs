//! `fix`: replaces the IDs in files; all other bytes stay as they are.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use similar::TextDiff;

use crate::domain::judge::EndedModels;
use crate::domain::policy::Mode;
use crate::report::severity::Severity;
use crate::report::text::{GroupBy, SHOWN_BY_DEFAULT, TextOptions, text};
use crate::report::{AuditReport, FindingRecord, messages, terminal};
use crate::scan::files::SourceFile;
use crate::text::splice;

use super::baseline;
use super::cluster_args::ClusterArgs;
use super::cluster_view;
use super::console::{self, message};
use super::fail_on::FailOn;
use super::file_args::{FileArgs, FileRun};
use super::interruption::Interruption;
use super::replace_file::replace;
use super::repository::repository_root;
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
    #[arg(long)]
    pub check: bool,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles fix deploy/                      change the files
  bedrock-profiles fix deploy/ --diff | git apply   the same, by a patch that can be read before
  bedrock-profiles fix --check deploy/              for a pipeline: does anything have to change?

Exit codes: 0 done, 1 something would change, or findings at or above --fail-on stay,
2 wrong usage or a file that cannot be read or written, 130 interrupted or 143 terminated.";

/// Runs the command. The findings are printed to standard error; the new text of standard input to standard output.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interruption = Interruption::listen()?;
    let configuration = args.files.config.load(args.quiet)?;
    let mut tally = Tally::default();
    let (mut findings, mut rewritten) = (Vec::new(), 0);
    let (mut would_change, mut failure) = (false, None);
    let only_shows = args.changes.diff || args.changes.check;
    let view = cluster_view::of_files(&args.cluster, &args.files, &mut tally)?;
    args.files.evaluate(
        view,
        FileRun {
            edit: Some(if args.replace_end_of_life {
                EndedModels::Replace
            } else {
                EndedModels::Report
            }),
            configuration: &configuration,
            interruption: &interruption,
        },
        &mut tally,
        |file, result, tally| {
            let new = splice(&file.text, &result.splices);
            would_change |= new != file.text;
            let printed = match (&file.path, only_shows) {
                (_, true) if args.changes.diff => console::print(&diff(file, &new)),
                (_, true) => Ok(()),
                (None, false) => console::print_document(&file.encoding.encode(&new)),
                (Some(path), false) => {
                    if new != file.text
                        && let Err(error) = replace(path, file, &new, &interruption)
                    {
                        tally.error(&error);
                    } else {
                        rewritten += result.edited;
                    }
                    Ok(())
                }
            };
            failure = failure.take().or(printed.err());
            findings.extend(result.findings);
        },
    )?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let today = (args.files.evaluation.today())();
    let report = AuditReport::new(tally.subject(today)?, findings);
    let mut report = configuration.applied_to(report);
    if let Some(path) = args.baseline.as_ref().or(configuration.baseline.as_ref()) {
        report = baseline::apply(path, report, |one| !is_changed(one))?;
    }
    let fail_on = args.fail_on.or(configuration.fail_on).unwrap_or_default();
    if !args.quiet {
        print(&report, rewritten);
    }
    let is_left = |one: &FindingRecord| fail_on.includes(one) && !is_changed(one);
    let stays = report.findings.iter().any(is_left) || fail_on.includes_unread(&report);
    Ok(tally.exit_code(stays || (only_shows && would_change)))
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

/// Whether `fix` changes the ID: not under a policy in mode `DryRun`, and not in a Pod that takes it from a ConfigMap.
fn is_changed(one: &FindingRecord) -> bool {
    one.severity() == Severity::Change && one.mode != Mode::DryRun && one.reference.is_none()
}

/// Whether a cluster would replace the ID in the Pod, which `fix` does not: the ConfigMap names no region, or another one.
fn is_taken_from_a_config_map(one: &FindingRecord) -> bool {
    one.reference.is_some() && one.after.is_some()
}

/// A unified diff in git's format; empty if nothing changes. As in git, only a line feed ends a line.
fn diff(file: &SourceFile, new: &str) -> String {
    if file.text == new {
        return String::new();
    }
    let name = patch_name(file);
    let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
    let (old, new) = (lines(&file.text), lines(new));
    TextDiff::configure()
        .newline_terminated(true)
        .diff_slices(&old, &new)
        .unified_diff()
        .header(&quoted("a/", &name), &quoted("b/", &name))
        .to_string()
}

/// The file name for a patch: relative to the root of the git repository, since `git apply` takes such names in every folder of it,
/// else to the working directory. The target of a symbolic link is named, because git does not follow links.
fn patch_name(file: &SourceFile) -> String {
    let target = file
        .path
        .as_ref()
        .and_then(|path| fs::canonicalize(path).ok());
    let relative = target.and_then(|target| {
        let here = std::env::current_dir().and_then(fs::canonicalize).ok()?;
        let name = target.strip_prefix(repository_root(&here)).ok()?;
        Some(name.display().to_string())
    });
    relative.unwrap_or_else(|| {
        let name = file.name.trim_start_matches("./");
        name.trim_start_matches('/').to_owned()
    })
}

/// A name in the header of a patch, quoted as git does: a line feed or a quote in a name must not begin another header.
fn quoted(side: &str, name: &str) -> String {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\');
    if name.bytes().all(is_plain) {
        // Like git, a name with a space has a tab behind it, so that its end is known.
        let end = if name.contains(' ') { "\t" } else { "" };
        return format!("{side}{name}{end}");
    }
    let mut text = format!("\"{side}");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            _ if is_plain(byte) => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_patches_are_quoted_as_git_does() {
        for (name, expected) in [
            ("pod.yaml", "a/pod.yaml"),
            ("a b.yaml", "a/a b.yaml\t"),
            ("ä.yaml", r#""a/\303\244.yaml""#),
            ("x\n+++ b/y", r#""a/x\012+++ b/y""#),
            (r#"q"\.yaml"#, r#""a/q\"\\.yaml""#),
        ] {
            assert_eq!(quoted("a/", name), expected);
        }
    }
}
