//! `audit`: what would become of the model IDs in a cluster, or with `-f` in files.

use std::path::PathBuf;
use std::process::ExitCode;

use std::sync::Arc;

use crate::api::{self, InferenceProfilePolicySpec};
use crate::cli::yaml;
use crate::domain::config_maps::References;
use crate::domain::view::{Namespaces, View};
use crate::report::{AuditReport, FindingRecord, terminal};
use crate::scan::files::Text;
use crate::scan::namespaces::Collected;
use crate::scan::{Scan, Scanned, files, references};

use super::judging::Judging;

mod cluster;

/// The namespace of objects in files that state none.
const DEFAULT_NAMESPACE: &str = "default";

/// Audits a cluster, or manifests.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which files, if any.
    #[command(flatten)]
    pub files: Files,
    /// Audit every namespace of the cluster.
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "paths"])]
    pub all_namespaces: bool,
    /// Context of the kubeconfig. Without it: the current one.
    #[arg(long, value_name = "NAME", conflicts_with = "paths")]
    pub context: Option<String>,
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
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|-")]
    pub paths: Vec<PathBuf>,
    /// The namespace of objects that state none: `default`; of a cluster, the one to look at: that of the context.
    #[arg(short, long)]
    pub namespace: Option<String>,
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
    #[value(alias = "leave")]
    Any,
    /// One that cannot work and that nothing permitted serves, or one that would be rewritten.
    Unresolved,
    /// One that would be rewritten.
    Rewrite,
    /// None.
    #[value(alias = "none")]
    Never,
}

/// Exit code: findings at or above `--fail-on`.
pub const FINDINGS: u8 = 1;

/// Exit code: something could not be read.
pub const INPUT: u8 = 2;

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (report, tally) = if args.files.paths.is_empty() {
        cluster::audit(args)?
    } else {
        audit(&args.files)?
    };
    match args.output {
        Output::Table => anstream::print!("{}", terminal::table(&report, false)),
        Output::Wide => anstream::print!("{}", terminal::table(&report, true)),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&report)?),
        Output::Yaml => anstream::print!("{}", yaml::to_string(&report)?),
    }
    anstream::eprintln!("{}", terminal::summary(&report));
    Ok(tally.code(report.findings.iter().any(|one| counts(one, args.fail_on))))
}

/// Audits files.
fn audit(files: &Files) -> anyhow::Result<(AuditReport, Tally)> {
    let Input {
        view,
        texts,
        mut tally,
    } = files.read(false)?;
    let scan = files.scan(&view, false);
    let mut findings = Vec::new();
    for text in &texts {
        let scanned = scan.text(&text.text, text.syntax, &text.name);
        tally.take(&text.name, &scanned);
        findings.extend(scanned.findings);
    }
    Ok((AuditReport::new(tally.objects, findings), tally))
}

/// What the flags name, read.
pub struct Input {
    /// By what is judged.
    pub view: View,
    /// What is judged.
    pub texts: Vec<Text>,
    /// What could not be read.
    pub tally: Tally,
}

impl Files {
    /// Reads everything before anything is judged: a Namespace may stand in a later file than its objects, and a ConfigMap in a
    /// later one than the Pods that take IDs from it.
    pub fn read(&self, edit: bool) -> anyhow::Result<Input> {
        let mut view = self.judging.told_view(default_policy())?;
        let (mut texts, mut tally) = (Vec::new(), Tally::default());
        let mut collected = Collected::default();
        for text in files::texts(&self.paths) {
            match text {
                Ok(text) => {
                    collected.take(&text.text, text.syntax);
                    texts.push(text);
                }
                Err(error) => tally.error(&error),
            }
        }
        for one in &collected.disputed {
            anstream::eprintln!(
                "warning: documents state different values for a label or annotation of a namespace, so none is used: {one}"
            );
        }
        let namespaces = collected.namespaces.into_iter();
        let namespaces = namespaces.map(|(name, namespace)| (name, Arc::new(namespace)));
        view.namespaces = Arc::new(Namespaces::Seen(namespaces.collect()));
        view.references = Arc::new(self.references(&view, &texts, edit));
        Ok(Input { view, texts, tally })
    }

    /// The ConfigMaps among the texts, as a scan will leave them.
    fn references(&self, view: &View, texts: &[Text], edit: bool) -> References {
        let (scan, mut collected) = (self.scan(view, edit), references::Collected::default());
        for text in texts {
            collected.take(&scan, &text.text, text.syntax);
        }
        for (namespace, name) in &collected.disputed {
            anstream::eprintln!(
                "warning: documents state different data for a ConfigMap, so no reference to it is followed: {namespace}/{name}"
            );
        }
        collected.references
    }

    /// How they are scanned.
    pub fn scan<'a>(&'a self, view: &'a View, edit: bool) -> Scan<'a> {
        Scan {
            view,
            today: (self.judging.today())(),
            namespace: self.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE),
            edit,
        }
    }
}

/// The policy where none is given: the default one, in mode Rewrite.
pub fn default_policy() -> InferenceProfilePolicySpec {
    InferenceProfilePolicySpec {
        mode: api::Mode::Rewrite,
        ..InferenceProfilePolicySpec::default()
    }
}

/// Whether a finding ends the command with 1. What a shadow says never does: it decides nothing.
fn counts(one: &FindingRecord, least: FailOn) -> bool {
    let severity = match one.reason {
        None => FailOn::Rewrite,
        Some(_) if one.is_unresolved() => FailOn::Unresolved,
        Some(_) => FailOn::Any,
    };
    least != FailOn::Never && severity >= least && !one.shadow
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
    pub fn take(&mut self, name: &str, scanned: &Scanned) {
        self.objects += scanned.objects;
        for error in &scanned.unread {
            anstream::eprintln!(
                "note: {name}:{}:{}: {}; this document was read line by line",
                error.line,
                error.column,
                error.problem
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
