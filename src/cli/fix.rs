//! `fix -f`: replaces the IDs in files; all other bytes stay as they are.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use similar::TextDiff;

use crate::report::{AuditReport, FindingRecord, messages, terminal};
use crate::runtime::error_text::error_text;
use crate::scan::files::SourceFile;
use crate::text::splice;

use super::file_args::FileArgs;
use super::tally::Tally;

/// Arguments of `fix`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("paths", |paths| paths.required(true)))]
#[command(mut_arg("namespace", |namespace| namespace.help("Namespace of objects in files that have none. Default: `default`")))]
pub struct Args {
    /// Files to change.
    #[command(flatten)]
    pub files: FileArgs,
    /// Print a patch for `git apply` and change no file.
    #[arg(long)]
    pub diff: bool,
}

/// Runs the command. The findings are printed to standard error; the new text of standard input to standard output.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut tally = Tally::default();
    let (mut findings, mut rewritten) = (Vec::new(), 0);
    args.files
        .evaluate(true, &mut tally, |file, result, tally| {
            let new = splice(&file.text, &result.splices);
            if args.diff {
                anstream::print!("{}", diff(file, &new));
            } else {
                match write(file, &new) {
                    Ok(()) => rewritten += result.edited,
                    Err(error) => tally.error(&error_text(error.as_ref())),
                }
            }
            findings.extend(result.findings);
        })?;
    let report = AuditReport::new(tally.objects, findings);
    anstream::eprint!("{}", terminal::table(&report, false));
    anstream::eprintln!("{}", messages::summary(&report, rewritten));
    if terminal::only_dry_runs(&report) {
        anstream::eprintln!("no file was changed: all policies are in mode DryRun");
    }
    if report.findings.iter().any(is_taken_from_a_config_map) {
        anstream::eprintln!(
            "note: where a workload takes an ID from a ConfigMap, only the ConfigMap is changed, for the region that it names itself"
        );
    }
    Ok(tally.exit_code(false))
}

/// Writes the new text of a file; that of standard input is printed.
fn write(file: &SourceFile, new: &str) -> anyhow::Result<()> {
    match &file.path {
        None => anstream::print!("{new}"),
        Some(path) if new != file.text => replace(path, new)?,
        Some(_) => {}
    }
    Ok(())
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
    let name = name.trim_start_matches("./").trim_start_matches('/');
    let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
    let (old, new) = (lines(&file.text), lines(new));
    TextDiff::configure()
        .newline_terminated(true)
        .diff_slices(&old, &new)
        .unified_diff()
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// The file name for a patch: the target of a symbolic link, relative to the working directory if it is below it.
fn patch_name(file: &SourceFile) -> String {
    let target = file
        .path
        .as_deref()
        .filter(|path| path.is_symlink())
        .and_then(|path| fs::canonicalize(path).ok());
    let here = std::env::current_dir().and_then(fs::canonicalize);
    target
        .zip(here.ok())
        .and_then(|(target, here)| Some(target.strip_prefix(here).ok()?.display().to_string()))
        .unwrap_or_else(|| file.name.clone())
}

/// Replaces a file by renaming a temporary file, so that no reader sees a part of it. Keeps the permissions and follows symbolic links.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}; the file is unchanged", path.display());
    let path = fs::canonicalize(path).with_context(failed)?;
    let folder = path.parent().with_context(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)?;
    file.as_file()
        .set_permissions(fs::metadata(&path).with_context(failed)?.permissions())
        .with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(&path).with_context(failed)?;
    Ok(())
}
