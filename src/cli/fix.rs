//! `fix -f`: writes the answers into the files themselves, byte for byte but for the IDs.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use similar::TextDiff;

use crate::report::{AuditReport, FindingRecord, terminal};
use crate::scan::files::Text;
use crate::text::splice;

use super::audit::{Files, Input};

/// Fixes manifests.
#[derive(Debug, clap::Args)]
#[command(mut_arg("paths", |paths| paths.required(true)))]
pub struct Args {
    /// Which files.
    #[command(flatten)]
    pub files: Files,
    /// Print a patch that `git apply` takes, and change nothing.
    #[arg(long)]
    pub diff: bool,
}

/// Runs the command. What was rewritten is listed on the standard error; with the standard input, the result is printed.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Input {
        view,
        texts,
        mut tally,
    } = args.files.read(true)?;
    let scan = args.files.scan(&view, true);
    let mut findings = Vec::new();
    for text in &texts {
        let mut scanned = scan.text(&text.text, text.syntax, &text.name);
        tally.take(&text.name, &scanned);
        let new = splice(&text.text, &scanned.splices);
        let done = match &text.path {
            _ if args.diff => {
                anstream::print!("{}", diff(text, &new));
                false
            }
            None => {
                anstream::print!("{new}");
                true
            }
            Some(path) if new != text.text => replace(path, &new)
                .map_err(|error| tally.error(&format!("{error:#}")))
                .is_ok(),
            Some(_) => true,
        };
        for one in &mut scanned.findings {
            one.applied &= done;
        }
        findings.extend(scanned.findings);
    }
    let report = AuditReport::new(tally.objects, findings);
    anstream::eprint!("{}", terminal::table(&report, false));
    anstream::eprintln!("{}", terminal::summary(&report));
    if terminal::only_dry_runs(&report) {
        anstream::eprintln!("nothing was changed: the policies are in mode DryRun");
    }
    if report.findings.iter().any(is_left_to_its_config_map) {
        anstream::eprintln!(
            "nothing is changed where an ID is taken from a ConfigMap: it is changed in the ConfigMap, for the region that is named there"
        );
    }
    Ok(tally.code(false))
}

/// Whether a Pod would get an answer in a cluster that no file is changed for: the ConfigMap names no region, or another one.
fn is_left_to_its_config_map(one: &FindingRecord) -> bool {
    one.reference.is_some() && one.after.is_some()
}

/// A unified diff in git's form; empty where nothing changes. Its lines end where git's do: at line feeds alone.
fn diff(text: &Text, new: &str) -> String {
    if text.text == new {
        return String::new();
    }
    let name = patched(text);
    let name = name.trim_start_matches("./").trim_start_matches('/');
    let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
    let (old, new) = (lines(&text.text), lines(new));
    TextDiff::configure()
        .newline_terminated(true)
        .diff_slices(&old, &new)
        .unified_diff()
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

/// The file that a patch has to name: what a link leads to, from the folder that one stands in, where it lies below it.
fn patched(text: &Text) -> String {
    let target = text
        .path
        .as_deref()
        .filter(|path| path.is_symlink())
        .and_then(|path| fs::canonicalize(path).ok());
    let here = std::env::current_dir().and_then(fs::canonicalize);
    target
        .zip(here.ok())
        .and_then(|(target, here)| Some(target.strip_prefix(here).ok()?.display().to_string()))
        .unwrap_or_else(|| text.name.clone())
}

/// Replaces a file through a temporary one beside it, so that nobody reads half of it, and keeps its rights. A link is followed.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let told = || format!("cannot write {}; it is as it was", path.display());
    let path = fs::canonicalize(path).with_context(told)?;
    let folder = path.parent().with_context(told)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(told)?;
    file.write_all(text.as_bytes()).with_context(told)?;
    file.as_file()
        .set_permissions(fs::metadata(&path).with_context(told)?.permissions())
        .with_context(told)?;
    file.as_file().sync_all().with_context(told)?;
    file.persist(&path).with_context(told)?;
    Ok(())
}
