//! `audit`: reports the model IDs in a cluster, or with `-f` in files, and their replacements.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::yaml;
use crate::domain::config_maps::References;
use crate::domain::view::{Namespaces, View};
use crate::report::{AuditReport, FindingRecord, terminal};
use crate::scan::files::Text;
use crate::scan::namespaces::Collected;
use crate::scan::{Scan, Scanned, files, references};

use super::evaluation_args::EvaluationArgs;

mod cluster;

/// The namespace of objects in files that state none.
const DEFAULT_NAMESPACE: &str = "default";

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files to audit instead of a cluster.
    #[command(flatten)]
    pub files: FileArgs,
    /// Audit all namespaces of the cluster.
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "paths"])]
    pub all_namespaces: bool,
    /// Context of the kubeconfig. Default: the current context.
    #[arg(long, value_name = "NAME", conflicts_with = "paths")]
    pub context: Option<String>,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: OutputFormat,
    /// Exit with 1 on findings of at least this severity.
    #[arg(long, value_enum, default_value = "rewrite")]
    pub fail_on: FailOn,
}

/// Files, and what to evaluate them with.
#[derive(Debug, clap::Args)]
pub struct FileArgs {
    /// File, directory, or `-` for standard input; can be given several times.
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|-")]
    pub paths: Vec<PathBuf>,
    /// Namespace of objects in files that have none (default: `default`), or namespace of the cluster to audit (default: that of
    /// the context).
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Policies and mappings to evaluate with.
    #[command(flatten)]
    pub evaluation: EvaluationArgs,
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// Table.
    Table,
    /// Table with more columns.
    Wide,
    /// The report as JSON.
    Json,
    /// The report as YAML.
    Yaml,
}

/// The lowest severity of a finding that ends the command with exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum FailOn {
    /// Any finding.
    #[value(alias = "leave")]
    Any,
    /// An ID that does not work and has no permitted replacement, or that would be rewritten.
    Unresolved,
    /// An ID that would be rewritten.
    Rewrite,
    /// No finding.
    #[value(alias = "none")]
    Never,
}

/// Exit code for findings at or above `--fail-on`.
const EXIT_FINDINGS: u8 = 1;

/// Exit code for input that could not be read.
const EXIT_INPUT_ERROR: u8 = 2;

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (report, tally) = if args.files.paths.is_empty() {
        cluster::audit(args)?
    } else {
        audit(&args.files)?
    };
    match args.output {
        OutputFormat::Table => anstream::print!("{}", terminal::table(&report, false)),
        OutputFormat::Wide => anstream::print!("{}", terminal::table(&report, true)),
        OutputFormat::Json => anstream::println!("{}", serde_json::to_string_pretty(&report)?),
        OutputFormat::Yaml => anstream::print!("{}", yaml::to_string(&report)?),
    }
    anstream::eprintln!("{}", terminal::summary(&report));
    Ok(tally.exit_code(report.findings.iter().any(|one| fails(one, args.fail_on))))
}

/// Audits files.
fn audit(files: &FileArgs) -> anyhow::Result<(AuditReport, Tally)> {
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

impl FileArgs {
    /// Reads everything before anything is judged: a Namespace may stand in a later file than its objects, and a ConfigMap in a
    /// later one than the Pods that take IDs from it.
    pub fn read(&self, edit: bool) -> anyhow::Result<Input> {
        let mut view = self.evaluation.view_printing_warnings()?;
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
                "warning: documents disagree about a label or annotation of a namespace, so it is ignored: {one}"
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
                "warning: documents disagree about the data of a ConfigMap, so references to it are not followed: {namespace}/{name}"
            );
        }
        collected.references
    }

    /// How they are scanned.
    pub fn scan<'a>(&'a self, view: &'a View, edit: bool) -> Scan<'a> {
        Scan {
            view,
            today: (self.evaluation.today())(),
            namespace: self.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE),
            edit,
        }
    }
}

/// Whether a finding ends the command with exit code 1. A preview never does, since its policy changes nothing.
fn fails(one: &FindingRecord, least: FailOn) -> bool {
    let severity = match one.reason {
        None => FailOn::Rewrite,
        Some(_) if one.is_unresolved() => FailOn::Unresolved,
        Some(_) => FailOn::Any,
    };
    least != FailOn::Never && severity >= least && !one.shadow
}

/// The number of objects, and whether every input could be read.
#[derive(Debug, Default)]
pub struct Tally {
    /// Objects that were evaluated.
    pub objects: usize,
    failed: bool,
}

impl Tally {
    /// Adds the objects of one file, and prints a note for each document that was not parsed.
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

    /// Prints an error that does not stop the command, but decides its exit code.
    pub fn error(&mut self, error: &dyn std::fmt::Display) {
        self.failed = true;
        anstream::eprintln!("error: {error}");
    }

    /// The exit code.
    pub fn exit_code(&self, found: bool) -> ExitCode {
        match (self.failed, found) {
            (true, _) => ExitCode::from(EXIT_INPUT_ERROR),
            (false, true) => ExitCode::from(EXIT_FINDINGS),
            (false, false) => ExitCode::SUCCESS,
        }
    }
}
