//! `audit -f`: what would become of the model IDs in files.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::api::{self, InferenceProfilePolicySpec};
use crate::report::{AuditReport, FindingRecord, terminal};
use crate::scan::{Scan, files};

use super::judging::Judging;

/// Audits manifests.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which files.
    #[command(flatten)]
    pub files: Files,
    /// Form of the report.
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: Output,
    /// The least finding that ends the command with 1.
    #[arg(long, value_enum, default_value = "rewrite")]
    pub fail_on: FailOn,
}

/// Which files, and how they are judged.
#[derive(Debug, clap::Args)]
pub struct Files {
    /// File, folder or `-` for the standard input; can be given several times.
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "FILE|DIR|-",
        required = true
    )]
    pub paths: Vec<PathBuf>,
    /// The namespace of objects that state none.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// By what is judged.
    #[command(flatten)]
    pub judging: Judging,
}

/// Form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For people with a wide window.
    Wide,
    /// The report as JSON.
    Json,
    /// The report as YAML.
    Yaml,
}

/// The least finding that ends the command with 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum FailOn {
    /// Any finding.
    Any,
    /// One that cannot work and that nothing permitted serves, or one that would be rewritten.
    Unresolved,
    /// One that would be rewritten.
    Rewrite,
    /// None.
    Never,
}

/// Exit code: findings at or above `--fail-on`.
pub const FINDINGS: u8 = 1;

/// Exit code: something could not be read.
pub const INPUT: u8 = 2;

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let view = args.files.judging.told_view(default_policy())?;
    let scan = Scan {
        view: &view,
        today: (args.files.judging.today())(),
        namespace: &args.files.namespace,
        edit: false,
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
        findings.extend(scanned.findings);
    }
    let report = AuditReport::new(tally.objects, findings);
    match args.output {
        Output::Table => anstream::print!("{}", terminal::table(&report, false)),
        Output::Wide => anstream::print!("{}", terminal::table(&report, true)),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&report)?),
        Output::Yaml => anstream::print!("{}", serde_yaml::to_string(&report)?),
    }
    anstream::eprintln!("{}", terminal::summary(&report));
    Ok(tally.code(report.findings.iter().any(|one| counts(one, args.fail_on))))
}

/// The policy where none is given: the default one, in mode Rewrite. Files hold no references to follow yet.
pub fn default_policy() -> InferenceProfilePolicySpec {
    InferenceProfilePolicySpec {
        mode: api::Mode::Rewrite,
        references: api::References::Report,
        ..InferenceProfilePolicySpec::default()
    }
}

fn counts(one: &FindingRecord, least: FailOn) -> bool {
    let severity = match one.reason {
        None => FailOn::Rewrite,
        Some(_) if one.is_unresolved() => FailOn::Unresolved,
        Some(_) => FailOn::Any,
    };
    least != FailOn::Never && severity >= least
}

/// What is counted over all texts, and whether all could be read.
#[derive(Debug, Default)]
pub struct Tally {
    /// Objects that were judged.
    pub objects: usize,
    failed: bool,
}

impl Tally {
    /// Counts one text, and tells what of it was not judged.
    pub fn take(&mut self, name: &str, scanned: &crate::scan::Scanned) {
        self.objects += scanned.objects;
        for error in &scanned.errors {
            self.error(&format!(
                "{name}:{}:{}: {}; the other documents were read",
                error.line, error.column, error.problem
            ));
        }
        if scanned.skipped > 0 {
            anstream::eprintln!(
                "{name}: documents that are no Pod, workload or ConfigMap and were not judged: {}",
                scanned.skipped
            );
        }
    }

    /// Tells an error that stops nothing, but counts at the end.
    pub fn error(&mut self, error: &dyn std::fmt::Display) {
        self.failed = true;
        anstream::eprintln!("error: {error}");
    }

    /// How the command ends.
    pub fn code(&self, found: bool) -> ExitCode {
        match (self.failed, found) {
            (true, _) => ExitCode::from(INPUT),
            (false, true) => ExitCode::from(FINDINGS),
            (false, false) => ExitCode::SUCCESS,
        }
    }
}
