//! `fix -f`: writes the answers into the files themselves, byte for byte but for the IDs.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use similar::TextDiff;

use crate::report::{AuditReport, terminal};
use crate::scan::{Scan, files};
use crate::text::splice;

use super::audit::{Files, Tally, default_policy};

/// Fixes manifests.
#[derive(Debug, clap::Args)]
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
    let view = args.files.judging.told_view(default_policy())?;
    let scan = Scan {
        view: &view,
        today: (args.files.judging.today())(),
        namespace: &args.files.namespace,
        edit: true,
    };
    let (mut findings, mut tally) = (Vec::new(), Tally::default());
    for text in files::texts(&args.files.paths) {
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                tally.error(&error);
                continue;
            }
        };
        let scanned = scan.text(&text.text, text.syntax, &text.name);
        tally.take(&text.name, &scanned);
        let new = splice(&text.text, &scanned.splices);
        match (&text.path, args.diff) {
            (_, true) => anstream::print!("{}", diff(&text.name, &text.text, &new)),
            (None, false) => anstream::print!("{new}"),
            (Some(path), false) if new != text.text => replace(path, &new)?,
            (Some(_), false) => {}
        }
        findings.extend(scanned.findings);
    }
    let mut report = AuditReport::new(tally.objects, findings);
    if args.diff {
        report
            .findings
            .iter_mut()
            .for_each(|one| one.applied = false);
    }
    anstream::eprint!("{}", terminal::table(&report, false));
    anstream::eprintln!("{}", terminal::summary(&report));
    Ok(tally.code(false))
}

/// A unified diff in git's form; empty where nothing changes.
fn diff(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let name = name.trim_start_matches("./").trim_start_matches('/');
    TextDiff::from_lines(old, new)
        .unified_diff()
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
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
