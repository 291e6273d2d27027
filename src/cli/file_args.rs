//! Flags that `audit` and `fix` share: files, and what to evaluate them with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::domain::judge::EndedModels;
use crate::domain::policy::Selector;
use crate::domain::region::Region;
use crate::domain::view::{Namespaces, View};
use crate::report::UnreadDocument;
use crate::scan::config_maps::ConfigMapCollector;
use crate::scan::exemptions::ExemptionUse;
use crate::scan::files::{FileSelection, SourceFile, read_pipe};
use crate::scan::namespaces::NamespaceCollector;
use crate::scan::prefilter::{may_define_shared_objects, may_have_findings};
use crate::scan::{ParsedFile, Scan, ScanResult};

use super::config::{ConfigArgs, Configuration};
use super::console::message;
use super::evaluation_args::EvaluationArgs;
use super::file_warnings::{
    warn_about_disputed, warn_about_ended, warn_about_overridden, warn_about_selection,
};
use super::interruption::Interruption;
use super::kustomize;
use super::label_selector;
use super::tally::Tally;

/// The marks of Helm's, Jinja's and other templates, which are valid only once they are rendered.
const TEMPLATE_MARKS: [&str; 2] = ["{{", "{%"];

/// The namespace of objects in files that state none.
pub(super) const DEFAULT_NAMESPACE: &str = "default";

/// Files, and what to evaluate them with.
#[derive(Debug, clap::Args)]
pub struct FileArgs {
    /// Files and folders; `-` is standard input.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// A file, a folder or `-`, as for kubectl; can be given several times, or with commas.
    #[arg(
        short = 'f',
        long = "filename",
        value_name = "PATH",
        value_delimiter = ','
    )]
    pub filenames: Vec<PathBuf>,
    /// Render a folder by the installed kustomize or kubectl, and read the result like standard input.
    #[arg(short, long, value_name = "DIR", conflicts_with_all = ["paths", "filenames"])]
    pub kustomize: Option<PathBuf>,
    /// Skip files and folders that match, by the rules of .gitignore; can be given several times.
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Read hidden files of folders too.
    #[arg(long)]
    pub hidden: bool,
    /// Folders are always read as a whole; for users of kubectl.
    #[arg(short = 'R', long, hide = true)]
    pub recursive: bool,
    /// Succeed even if there is nothing to evaluate.
    #[arg(long)]
    pub allow_empty: bool,
    /// Region to assume where nothing names one.
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    pub region: Option<Region>,
    /// Evaluate the objects with these labels only, as kubectl selects them.
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = label_selector::parse)]
    pub selector: Option<Selector>,
    /// Namespace of objects in files that have none (default: `default`), or namespace of the cluster to audit (default: that of
    /// the context).
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Policies and mappings to evaluate with.
    #[command(flatten)]
    pub evaluation: EvaluationArgs,
    /// The configuration file.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// How files are evaluated, besides the flags of [`FileArgs`].
#[derive(Clone, Copy)]
pub(super) struct FileRun<'a> {
    /// How the files are edited; `None` if they are only read.
    pub(super) edit: Option<EndedModels>,
    /// The configuration file.
    pub(super) configuration: &'a Configuration,
    /// The signals that stop the work.
    pub(super) interruption: &'a Interruption,
    /// Whether notes about a normal run are omitted.
    pub(super) quiet: bool,
}

/// The objects of all files that other files are evaluated with.
#[derive(Default)]
struct SharedObjects {
    namespaces: NamespaceCollector,
    config_maps: ConfigMapCollector,
}

impl FileArgs {
    /// Whether there are files, instead of a cluster.
    pub(super) fn are_named(&self) -> bool {
        self.all_paths().next().is_some() || self.kustomize.is_some()
    }

    /// Whether standard input is one of the files.
    pub(super) fn has_input(&self) -> bool {
        self.all_paths().any(|path| path == Path::new("-"))
    }

    /// The paths, in the order of the command line as far as it is known.
    fn all_paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.iter().chain(&self.filenames)
    }

    /// Warns if nothing was read, which may be the end of a pipe whose first command failed.
    fn expect_something(&self, tally: &mut Tally) {
        if tally.texts > 0 || tally.has_failed() {
            return;
        }
        let found = match tally.files {
            0 if tally.skipped > 0 => "every file was skipped: none is a text",
            0 => {
                "no file was found: name files, or folders with files that end in .yaml, .yml, .json, .toml, .properties or .env"
            }
            _ => "the input is empty: the command that should have written it may have failed",
        };
        if self.allow_empty {
            message!("warning: {found}");
        } else {
            tally.error(&format_args!("{found}; --allow-empty permits it"));
        }
    }

    /// Evaluates the files, with the view of a cluster or else with that of the flags, and calls `each` with the result of every file that may have findings, in order.
    ///
    /// A file may need a namespace or a ConfigMap of a later one. So the files that may have findings stay in memory until all files have
    /// been read, and the parsed form of those that define such objects. Each file is parsed once.
    ///
    /// A signal stops the work. If it has come before all files were read, those that were read are evaluated, unless they are edited: a
    /// file that was not read could change what is right for them.
    pub(super) fn evaluate(
        &self,
        cluster: Option<View>,
        run: FileRun<'_>,
        tally: &mut Tally,
        mut each: impl FnMut(&SourceFile, ScanResult, &mut Tally),
    ) -> anyhow::Result<()> {
        let mut view = self.view(cluster, run.configuration)?;
        let work = run.interruption.begin();
        let mut shared = SharedObjects::default();
        let files = self.read(&self.scan(&view, run), run, &mut shared, tally)?;
        let is_stopped_reading = run.interruption.received().is_some();
        if is_stopped_reading && run.edit.is_some() {
            tally.stop(run.interruption.received());
            return Ok(());
        }
        if !is_stopped_reading {
            self.expect_something(tally);
        }
        let parsed: Vec<_> = files
            .iter()
            .map(|file| may_define_shared_objects(&file.text).then(|| parse(file, tally)))
            .collect();
        for file in parsed.iter().flatten() {
            shared.namespaces.add(file);
        }
        view.namespaces = Arc::new(observed(&view.namespaces, shared.namespaces));
        let scan = self.scan(&view, run);
        for file in parsed.iter().flatten() {
            shared.config_maps.add(&scan, file);
        }
        warn_about_disputed(&shared.config_maps);
        view.config_maps = Arc::new(shared.config_maps.references);
        let scan = self.scan(&view, run);
        for (file, parsed) in files.iter().zip(parsed) {
            if run.interruption.received().is_some() && !is_stopped_reading {
                break;
            }
            let mut result = scan.file(&parsed.unwrap_or_else(|| parse(file, tally)));
            tally.objects += result.objects;
            tally.evaluated.add(std::mem::take(&mut result.evaluated));
            report_exemptions(&file.name, &result.exemptions, tally);
            each(file, result, tally);
        }
        drop(work);
        tally.stop(run.interruption.received());
        if run.interruption.received().is_none() {
            warn_about_selection(&tally.evaluated.under(&view));
        }
        if tally.exempt_by_comment > 0 {
            message!(
                "note: {} IDs are exempt by comments, which audit and fix of files read, and the webhook does not",
                tally.exempt_by_comment
            );
        }
        Ok(())
    }

    /// What the files are evaluated with, but for the objects in them.
    fn view(&self, cluster: Option<View>, configuration: &Configuration) -> anyhow::Result<View> {
        let mut view = if let Some(view) = cluster {
            view
        } else {
            let evaluation = self.evaluation.or_of(configuration);
            evaluation.view_printing_warnings()?
        };
        view.assumed_region = self.region.or(configuration.region);
        warn_about_ended(&configuration.exemptions, (self.evaluation.today())());
        Ok(view)
    }

    /// Reads the files and returns those that may have findings. Of the others, counts the objects and adds the shared ones. Errors are
    /// printed and added to `tally`.
    fn read(
        &self,
        scan: &Scan<'_>,
        run: FileRun<'_>,
        shared: &mut SharedObjects,
        tally: &mut Tally,
    ) -> anyhow::Result<Vec<SourceFile>> {
        let selection = FileSelection::new(&self.exclude, self.hidden).context("--exclude")?;
        let selection = selection.skipping(run.configuration.exclude.clone());
        let interruption = run.interruption;
        let mut held = Vec::new();
        let paths: Vec<_> = self.all_paths().cloned().collect();
        let rendered = self.kustomize.iter().filter_map(|folder| {
            let rendered = kustomize::render(folder, interruption, run.quiet);
            rendered.map_err(|error| tally.error(&error)).ok()
        });
        let rendered: Vec<_> = rendered.map(Ok).collect();
        let read_pipe = |path: &Path| {
            let path = path.to_owned();
            let read = interruption.unless_stopped(move || read_pipe(&path));
            read.unwrap_or_else(|| Err(std::io::ErrorKind::Interrupted.into()))
        };
        for file in selection.read_all(&paths, read_pipe).chain(rendered) {
            if interruption.received().is_some() {
                break;
            }
            if let Ok(file) = &file {
                tally.files += 1;
                tally.texts += usize::from(!file.text.trim().is_empty());
            }
            match file {
                Ok(file) if is_held(scan, &file) => held.push(file),
                Ok(file) => {
                    let parsed = parse(&file, tally);
                    shared.namespaces.add(&parsed);
                    shared.config_maps.add(scan, &parsed);
                    let result = scan.file(&parsed);
                    tally.objects += result.objects;
                    tally.evaluated.add(result.evaluated);
                    report_exemptions(&file.name, &result.exemptions, tally);
                }
                Err(error) => tally.unread_file(&error),
            }
        }
        Ok(held)
    }

    /// What the files are evaluated with.
    fn scan<'a>(&'a self, view: &'a View, run: FileRun<'a>) -> Scan<'a> {
        Scan {
            view,
            exemptions: &run.configuration.exemptions,
            today: (self.evaluation.today())(),
            namespace: self.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE),
            edit: run.edit,
            selector: self.selector.as_ref(),
        }
    }
}

/// Whether a file is evaluated after all files have been read. Standard input always is: `fix` prints it.
fn is_held(scan: &Scan<'_>, file: &SourceFile) -> bool {
    file.path.is_none() || may_have_findings(&scan.view.snapshot, &file.text)
}

/// The namespaces of the cluster, if one was read, with the labels and annotations that the files add. Prints a warning about each one
/// that the files disagree about.
fn observed(cluster: &Namespaces, collector: NamespaceCollector) -> Namespaces {
    for key in &collector.disputed {
        message!(
            "warning: documents disagree about a label or annotation of a namespace, so it is ignored: {key}"
        );
    }
    let mut namespaces = match cluster {
        Namespaces::NamesOnly => BTreeMap::new(),
        Namespaces::Observed(observed) => observed.clone(),
    };
    for (name, of_files) in collector.namespaces {
        let merged = match namespaces.remove(&name) {
            None => of_files,
            Some(stored) => {
                let mut merged = Arc::unwrap_or_clone(stored);
                merged.labels.extend(of_files.labels);
                merged.annotations.extend(of_files.annotations);
                merged
            }
        };
        namespaces.insert(name, Arc::new(merged));
    }
    Namespaces::Observed(namespaces)
}

/// Warns about comments that exempt nothing, or no more.
fn report_exemptions(file: &str, exemptions: &ExemptionUse, tally: &mut Tally) {
    tally.exempt_by_comment += exemptions.by_comment;
    for (line, problem) in &exemptions.problems {
        message!("warning: {file}:{line}: {problem}");
    }
    for (owner, day) in &exemptions.ended_opt_outs {
        if tally.ended_opt_outs.insert((owner.clone(), *day)) {
            message!("warning: the opt-out of {owner} ended on {day}; its IDs count again");
        }
    }
}

/// Parses a file. The documents that cannot be parsed are errors, or notes if the file is a template.
fn parse<'f>(file: &'f SourceFile, tally: &mut Tally) -> ParsedFile<'f> {
    let parsed = file.parse();
    let is_template = TEMPLATE_MARKS.iter().any(|mark| file.text.contains(mark));
    for error in &parsed.unread {
        let level = if is_template { "note" } else { "error" };
        let (name, line, column, problem) = (&file.name, error.line, error.column, &error.problem);
        message!("{level}: {name}:{line}:{column}: {problem}; this document was read line by line");
        tally.unread.push(UnreadDocument {
            file: name.clone(),
            line,
            column,
            problem: problem.to_string(),
            is_error: !is_template,
        });
    }
    if let Some(key) = parsed.overridden_key() {
        warn_about_overridden(file, key);
    }
    parsed
}
