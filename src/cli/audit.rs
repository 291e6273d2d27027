//! `audit`: reports the model IDs in a cluster, or with `-f` in files, and their replacements.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use crate::cli::yaml;
use crate::domain::config_maps::ConfigMapIndex;
use crate::domain::view::{Namespaces, View};
use crate::report::{AuditReport, FindingRecord, messages, terminal};
use crate::scan::config_maps::ConfigMapCollector;
use crate::scan::files::{self, SourceFile};
use crate::scan::namespaces::NamespaceCollector;
use crate::scan::{ParsedFile, Scan};

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
    pub output: AuditFormat,
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
pub enum AuditFormat {
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
        AuditFormat::Table => anstream::print!("{}", terminal::table(&report, false)),
        AuditFormat::Wide => anstream::print!("{}", terminal::table(&report, true)),
        AuditFormat::Json => {
            print_document(&(serde_json::to_string_pretty(&report)? + "\n"))?;
        }
        AuditFormat::Yaml => print_document(&yaml::to_string(&report)?)?,
    }
    anstream::eprintln!("{}", messages::summary(&report, 0));
    Ok(tally.exit_code(report.findings.iter().any(|one| fails(one, args.fail_on))))
}

/// Prints a report that programs read: without a search for colours, which copies the text many times.
fn print_document(text: &str) -> anyhow::Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}

/// Audits files.
fn audit(args: &FileArgs) -> anyhow::Result<(AuditReport, Tally)> {
    let mut tally = Tally::default();
    let files = args.read(&mut tally);
    let parsed = parse(&files);
    let view = args.view(&parsed, false)?;
    let scan = args.scan(&view, false);
    let mut findings = Vec::new();
    for file in &parsed {
        let result = scan.file(file);
        tally.objects += result.objects;
        findings.extend(result.findings);
    }
    Ok((AuditReport::new(tally.objects, findings), tally))
}

/// Parses files. The documents that cannot be parsed are printed as notes.
pub(super) fn parse(files: &[SourceFile]) -> Vec<ParsedFile<'_>> {
    let parsed: Vec<_> = files.iter().map(SourceFile::parse).collect();
    for file in &parsed {
        for error in &file.unread {
            anstream::eprintln!(
                "note: {}:{}:{}: {}; this document was read line by line",
                file.name,
                error.line,
                error.column,
                error.problem
            );
        }
        if let Some(key) = file.overridden_key() {
            let overridden = if key.by_merge {
                "the merge key `<<` further below overrides this key, as kubectl and Helm read it"
            } else {
                "this key occurs again in its mapping, and the last value counts"
            };
            let others = match key.others {
                0 => String::new(),
                others => format!(" (and {others} more in this file)"),
            };
            let (line, column) = (key.line, key.column);
            anstream::eprintln!(
                "warning: {}:{line}:{column}: {overridden}{others}",
                file.name
            );
        }
    }
    parsed
}

impl FileArgs {
    /// Reads the files; the errors are printed and added to `tally`.
    pub(super) fn read(&self, tally: &mut Tally) -> Vec<SourceFile> {
        files::read_all(&self.paths)
            .filter_map(|file| file.map_err(|error| tally.error(&error)).ok())
            .collect()
    }

    /// The view of the flags, with the namespaces and ConfigMaps of all files: those may be in later files than the objects that
    /// need them.
    pub(super) fn view(&self, parsed: &[ParsedFile<'_>], edit: bool) -> anyhow::Result<View> {
        let mut view = self.evaluation.view_printing_warnings()?;
        let mut namespaces = NamespaceCollector::default();
        for file in parsed {
            namespaces.add(file);
        }
        for key in &namespaces.disputed {
            anstream::eprintln!(
                "warning: documents disagree about a label or annotation of a namespace, so it is ignored: {key}"
            );
        }
        let namespaces = namespaces.namespaces.into_iter();
        let namespaces = namespaces.map(|(name, namespace)| (name, Arc::new(namespace)));
        view.namespaces = Arc::new(Namespaces::Observed(namespaces.collect()));
        view.config_maps = Arc::new(self.config_maps(&view, parsed, edit));
        Ok(view)
    }

    fn config_maps(&self, view: &View, parsed: &[ParsedFile<'_>], edit: bool) -> ConfigMapIndex {
        let (scan, mut collector) = (self.scan(view, edit), ConfigMapCollector::default());
        for file in parsed {
            collector.add(&scan, file);
        }
        for (namespace, name) in &collector.disputed {
            anstream::eprintln!(
                "warning: documents disagree about the data of a ConfigMap, so references to it are not followed: {namespace}/{name}"
            );
        }
        collector.references
    }

    /// What the files are evaluated with.
    pub(super) fn scan<'a>(&'a self, view: &'a View, edit: bool) -> Scan<'a> {
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
    least != FailOn::Never && severity >= least && !one.preview
}

/// The number of objects, and whether every input could be read.
#[derive(Debug, Default)]
pub struct Tally {
    /// Objects that were evaluated.
    pub objects: usize,
    failed: bool,
}

impl Tally {
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
