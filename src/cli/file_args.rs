//! Flags that `audit` and `fix` share: files, and what to evaluate them with.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::Context as _;

use crate::domain::judge::EndedModels;
use crate::domain::policy::Selector;
use crate::domain::region::Region;
use crate::domain::view::{Namespaces, View};
use crate::report::UnreadDocument;
use crate::scan::exemptions::ExemptionUse;
use crate::scan::files::{FileError, FileSelection, read_pipe};
use crate::scan::input_file::InputFile;
use crate::scan::namespaces::NamespaceCollector;
use crate::scan::passes::{
    self, CollectedFiles, EvaluatedFile, FileReport, SyntaxProblems, Workers,
};
use crate::scan::{Scan, ScanResult};

use super::config::{ConfigArgs, Configuration};
use super::evaluation_args::EvaluationArgs;
use super::file_warnings::{
    warn_about_disputed, warn_about_ended, warn_about_overridden, warn_about_selection,
};
use super::interruption::Interruption;
use super::kustomize;
use super::label_selector;
use super::tally::Tally;

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
    /// The files to evaluate; `None` for those of the flags.
    pub(super) held: Option<&'a [InputFile]>,
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
            tally.print(format_args!("warning: {found}"));
        } else {
            tally.error(&format_args!("{found}; --allow-empty permits it"));
        }
    }

    /// Evaluates the files, with a view or else with that of the flags, and calls `each` with every file that may have findings, in order.
    ///
    /// A signal stops the work. If it has come before all files were read, those that were read are evaluated, unless they are edited: a
    /// file that was not read could change what is right for them.
    pub(super) fn evaluate(
        &self,
        view: Option<View>,
        run: FileRun<'_>,
        tally: &mut Tally,
        mut each: impl FnMut(&EvaluatedFile, ScanResult, &mut Tally),
    ) -> anyhow::Result<()> {
        let mut view = self.view(view, run.configuration, tally)?;
        let work = run.interruption.begin();
        let is_stopped = || run.interruption.received().is_some();
        let mut workers = Workers {
            threads: available_parallelism().unwrap_or(NonZero::<usize>::MIN),
            is_stopped: &is_stopped,
        };
        let mut collected = self.collect(workers, &self.scan(&view, run), run, tally)?;
        if !is_stopped() {
            self.expect_something(tally);
        } else if run.edit.is_some() {
            tally.stop(run.interruption.received());
            return Ok(());
        } else {
            workers.is_stopped = &|| false;
        }
        let namespaces = std::mem::take(&mut collected.namespaces);
        view.namespaces = Arc::new(observed(&view.namespaces, namespaces, tally));
        let scan = self.scan(&view, run);
        let config_maps = collected.config_maps(workers, &scan, |error| tally.unread_file(&error));
        warn_about_disputed(&config_maps, tally);
        view.config_maps = Arc::new(config_maps.references);
        let scan = self.scan(&view, run);
        collected.evaluate(workers, &scan, |file| match file {
            Ok(mut file) => {
                let name = file.input().name();
                report_problems(&name, std::mem::take(&mut file.problems), tally);
                let mut result = std::mem::take(&mut file.result);
                count(&name, &mut result, tally);
                each(&file, result, tally);
            }
            Err(error) => tally.unread_file(&error),
        });
        drop(work);
        tally.stop(run.interruption.received());
        if !is_stopped() {
            warn_about_selection(&tally.evaluated.under(&view), tally);
        }
        if tally.exempt_by_comment > 0 {
            tally.print(format_args!(
                "note: {} exempt by comments, which audit and fix of files read, and the webhook does not",
                match tally.exempt_by_comment {
                    1 => "1 ID is".to_owned(),
                    count => format!("{count} IDs are"),
                }
            ));
        }
        Ok(())
    }

    /// What the files are evaluated with, but for the objects in them.
    fn view(
        &self,
        given: Option<View>,
        configuration: &Configuration,
        tally: &Tally,
    ) -> anyhow::Result<View> {
        let mut view = if let Some(view) = given {
            view
        } else {
            let evaluation = self.evaluation.or_of(configuration);
            evaluation.view_printing_warnings()?
        };
        view.assumed_region = self.region.or(configuration.region);
        warn_about_ended(
            &configuration.exemptions,
            (self.evaluation.today())(),
            tally,
        );
        Ok(view)
    }

    /// The first pass over the files. Errors are printed and added to `tally`.
    fn collect(
        &self,
        workers: Workers<'_>,
        scan: &Scan<'_>,
        run: FileRun<'_>,
        tally: &mut Tally,
    ) -> anyhow::Result<CollectedFiles> {
        let rendered = if run.held.is_none() {
            self.rendered(run, tally)
        } else {
            None
        };
        let report = |collected| match collected {
            Ok(FileReport {
                file,
                is_blank,
                problems,
                mut counts,
            }) => {
                tally.files += 1;
                tally.texts += usize::from(!is_blank);
                let name = file.name();
                report_problems(&name, problems, tally);
                count(&name, &mut counts, tally);
            }
            Err(error) => tally.unread_file(&error),
        };
        if let Some(held) = run.held {
            let held = held.iter().cloned().map(Ok);
            return Ok(passes::collect(workers, scan, held, report));
        }
        self.with_inputs(run, rendered, |files| {
            passes::collect(workers, scan, files, report)
        })
    }

    /// The files of the flags, which are evaluated several times. Errors are printed and added to `tally`.
    pub(super) fn hold(
        &self,
        run: FileRun<'_>,
        tally: &mut Tally,
    ) -> anyhow::Result<Vec<InputFile>> {
        let rendered = self.rendered(run, tally);
        self.with_inputs(run, rendered, |files| {
            let read =
                files.filter_map(|file| file.map_err(|error| tally.unread_file(&error)).ok());
            read.collect()
        })
    }

    /// What kustomize renders, if it is asked for.
    fn rendered(&self, run: FileRun<'_>, tally: &mut Tally) -> Option<InputFile> {
        let folder = self.kustomize.as_ref()?;
        let rendered = kustomize::render(folder, run.interruption, run.quiet);
        let rendered = rendered.map_err(|error| tally.error(&error)).ok()?;
        Some(InputFile::held(rendered))
    }

    /// Calls `take` with the files of the flags and what was rendered.
    fn with_inputs<R>(
        &self,
        run: FileRun<'_>,
        rendered: Option<InputFile>,
        take: impl FnOnce(&mut dyn Iterator<Item = Result<InputFile, FileError>>) -> R,
    ) -> anyhow::Result<R> {
        let selection = FileSelection::new(&self.exclude, self.hidden).context("--exclude")?;
        let selection = selection.skipping(run.configuration.exclude.clone());
        let interruption = run.interruption;
        let paths: Vec<_> = self.all_paths().cloned().collect();
        let read_pipe = |path: &Path| {
            let path = path.to_owned();
            let read = interruption.unless_stopped(move || read_pipe(&path));
            read.unwrap_or_else(|| Err(std::io::ErrorKind::Interrupted.into()))
        };
        let rendered = rendered.into_iter().map(Ok);
        Ok(take(
            &mut selection.inputs(&paths, read_pipe).chain(rendered),
        ))
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

/// Adds what was counted in a file, and prints what its exemptions have done.
fn count(name: &str, result: &mut ScanResult, tally: &mut Tally) {
    tally.objects += result.objects;
    tally.roles.append(&mut result.roles);
    tally.evaluated.add(std::mem::take(&mut result.evaluated));
    report_exemptions(name, &result.exemptions, tally);
}

/// The namespaces of the cluster, if one was read, with the labels and annotations that the files add. Prints a warning about each one
/// that the files disagree about.
fn observed(cluster: &Namespaces, collector: NamespaceCollector, tally: &Tally) -> Namespaces {
    for key in &collector.disputed {
        tally.print(format_args!(
            "warning: documents disagree about a label or annotation of a namespace, so it is ignored: {key}"
        ));
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
        tally.print(format_args!("warning: {file}:{line}: {problem}"));
    }
    for (owner, day) in &exemptions.ended_opt_outs {
        if tally.ended_opt_outs.insert((owner.clone(), *day)) {
            tally.print(format_args!(
                "warning: the opt-out of {owner} ended on {day}; its IDs count again"
            ));
        }
    }
}

/// Prints what is wrong with the texts of a file. The documents that cannot be parsed are errors, or notes if the file is a template.
fn report_problems(name: &str, problems: SyntaxProblems, tally: &mut Tally) {
    let is_template = problems.is_template;
    for error in problems.unread {
        let level = if is_template { "note" } else { "error" };
        let (line, column, problem) = (error.line, error.column, &error.problem);
        tally.print(format_args!(
            "{level}: {name}:{line}:{column}: {problem}; this document was read line by line"
        ));
        tally.unread.push(UnreadDocument {
            file: name.to_owned(),
            line,
            column,
            problem: problem.to_string(),
            is_error: !is_template,
        });
    }
    if let Some(key) = problems.overridden {
        warn_about_overridden(name, key, tally);
    }
}
