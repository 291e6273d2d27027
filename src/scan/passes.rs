//! The passes over files. Each reads what it needs again, so that no text stays in memory, and works on all cores; what is reported comes in
//! the order of the files.
//!
//! A file may need a namespace or a ConfigMap of a later one. So the first pass collects the namespaces, the second the ConfigMaps, which
//! namespaces decide about, and the third evaluates what may have findings. A file that has changed between two passes is an error:
//! what was collected does not belong to its text.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::collected::{CollectedFile, CollectedPart};
use super::config_maps::{self, ConfigMapCollector};
use super::digest::Digest;
use super::facts::TextFacts;
use super::files::{FileError, SourceFile};
use super::input_file::InputFile;
use super::parts::LARGE;
use super::work::{FileFailure, FileResults, FileTask, TaskText};
use super::{ParsedFile, Scan, ScanResult};

pub use super::collected::{CollectedFiles, FileReport};
pub use super::facts::SyntaxProblems;
pub use super::work::Workers;

/// A file of the last pass.
pub struct EvaluatedFile {
    file: Arc<InputFile>,
    digest: Digest,
    /// The text, if it is still in memory.
    source: Option<Arc<SourceFile>>,
    /// What is wrong with its texts; nothing if the first pass has reported it.
    pub problems: SyntaxProblems,
    /// The findings.
    pub result: ScanResult,
}

/// The first pass. Reports each file in order.
pub fn collect(
    workers: Workers<'_>,
    scan: &Scan<'_>,
    files: impl Iterator<Item = Result<InputFile, FileError>>,
    mut report: impl FnMut(Result<FileReport, FileError>),
) -> CollectedFiles {
    let mut collected = CollectedFiles::default();
    let tasks = files.enumerate().map(|(at, file)| {
        let file = file.map_err(|error| FileFailure::Unreadable(at, error))?;
        Ok(FileTask {
            at,
            file: Arc::new(file),
            may_divide: true,
        })
    });
    let work = |task: &FileTask, text: TaskText<'_>| match text {
        TaskText::Whole(source) => TextFacts::of_file(scan, source),
        TaskText::Part(part) => TextFacts::of_part(scan, &task.file.name(), part),
    };
    let read_whole = |task: FileTask| {
        let source = task.file.read()?;
        let facts = TextFacts::of_file(scan, &source);
        Ok(FileResults::of_whole(task, Digest::of(&source.text), facts))
    };
    workers.run(tasks, work, |results| {
        let results = match results {
            Ok(results) if results.are_of_separate_documents() => Ok(results),
            Ok(FileResults { task, .. }) | Err(FileFailure::Indivisible(task)) => read_whole(task),
            Err(FileFailure::Unreadable(_, error)) => Err(error),
        };
        report(results.map(|results| collected.add(results)));
    });
    collected
}

impl FileResults<TextFacts> {
    /// Whether the parts may be evaluated one by one; true for a file that is not divided.
    fn are_of_separate_documents(&self) -> bool {
        let mut parts = self.results.iter();
        !self.is_divided || parts.all(|part| part.has_separate_documents)
    }
}

impl CollectedFiles {
    /// The second pass: the ConfigMaps, with the content that they have after `scan` has edited them. `scan` has the namespaces of the
    /// collected. Reports the files that are not as they were.
    pub fn config_maps(
        &mut self,
        workers: Workers<'_>,
        scan: &Scan<'_>,
        mut report: impl FnMut(FileError),
    ) -> ConfigMapCollector {
        let needed = self.parts_that(|part| self.has_config_maps(part));
        let mut collector = std::mem::take(&mut self.config_maps);
        let tasks = self.tasks(&needed);
        let work = |task: &FileTask, text: TaskText<'_>| {
            let file = &self.files[task.at];
            let is_referenced = |config_map| self.is_referenced(config_map);
            let parsed = file.parsed(&text, &needed[task.at]);
            parsed.map(|parsed| config_maps::facts(scan, &parsed, is_referenced))
        };
        let mut failed = BTreeSet::new();
        workers.run(tasks, work, |results| match self.unchanged(results) {
            Ok(results) => {
                let facts = results.results.into_iter().flatten().flatten();
                facts.for_each(|facts| collector.merge(facts));
            }
            Err((at, error)) => {
                failed.insert(at);
                report(error);
            }
        });
        self.drop_files(&failed);
        collector
    }

    /// The last pass: evaluates what may have findings. `scan` has the namespaces and ConfigMaps of all files. Reports each file in order,
    /// until the work stops.
    pub fn evaluate(
        &self,
        workers: Workers<'_>,
        scan: &Scan<'_>,
        mut report: impl FnMut(Result<EvaluatedFile, FileError>),
    ) {
        let needed = self.parts_that(|part| part.later.may_have_findings);
        let tasks = self.tasks(&needed);
        let work = |task: &FileTask, text: TaskText<'_>| {
            let parsed = self.files[task.at].parsed(&text, &needed[task.at])?;
            let result = scan.file(&parsed);
            // `fix` may need the text of a file next. A large one is read again, since several may wait.
            let source = match text {
                TaskText::Whole(source) if source.text.len() < LARGE && scan.edit.is_some() => {
                    Some(Arc::clone(source))
                }
                TaskText::Whole(_) | TaskText::Part(_) => None,
            };
            let problems = SyntaxProblems::of(parsed);
            Some((result, problems, source))
        };
        workers.run(tasks, work, |results| {
            // The caller may change the file, which it does not expect after a signal.
            if (workers.is_stopped)() {
                return;
            }
            let evaluated = self.unchanged(results).map(|results| {
                let mut file = EvaluatedFile {
                    file: results.task.file,
                    digest: results.digest,
                    source: None,
                    problems: SyntaxProblems::default(),
                    result: ScanResult::default(),
                };
                for (result, problems, source) in results.results.into_iter().flatten() {
                    file.result.add(result);
                    file.source = source;
                    if !results.is_divided {
                        file.problems = problems;
                    }
                }
                file
            });
            report(evaluated.map_err(|(_, error)| error));
        });
    }

    /// Which parts of each file a pass needs.
    fn parts_that(&self, is_needed: impl Fn(&CollectedPart) -> bool) -> Vec<Vec<bool>> {
        let parts = self.files.iter().map(|file| file.parts.iter());
        parts.map(|parts| parts.map(&is_needed).collect()).collect()
    }

    /// The files with a part that a pass needs.
    fn tasks(&self, needed: &[Vec<bool>]) -> impl Iterator<Item = Result<FileTask, FileFailure>> {
        let files = self.files.iter().zip(needed).enumerate();
        files
            .filter(|(_, (_, needed))| needed.contains(&true))
            .map(|(at, (file, _))| {
                Ok(FileTask {
                    at,
                    file: Arc::clone(&file.file),
                    may_divide: file.is_divided,
                })
            })
    }

    /// The results of a file that is as it was in the first pass; else the position of the file, and the error.
    fn unchanged<T>(
        &self,
        results: Result<FileResults<T>, FileFailure>,
    ) -> Result<FileResults<T>, (usize, FileError)> {
        let changed = |task: FileTask| {
            let name = task.file.name();
            (task.at, FileError::Changed { name })
        };
        match results {
            Ok(results) if results.digest == self.files[results.task.at].digest => Ok(results),
            Ok(FileResults { task, .. }) | Err(FileFailure::Indivisible(task)) => {
                Err(changed(task))
            }
            Err(FileFailure::Unreadable(at, error)) => Err((at, error)),
        }
    }

    fn drop_files(&mut self, dropped: &BTreeSet<usize>) {
        let mut positions = 0..;
        self.files
            .retain(|_| positions.next().is_some_and(|at| !dropped.contains(&at)));
    }
}

impl CollectedFile {
    /// Parses a text of the file; `None` for a part that is not needed.
    fn parsed<'t>(&'t self, text: &'t TaskText<'_>, needed: &[bool]) -> Option<ParsedFile<'t>> {
        let TaskText::Part(part) = text else {
            let TaskText::Whole(source) = text else {
                return None;
            };
            return Some(source.parse());
        };
        let number = part.number;
        needed.get(number).filter(|needed| **needed)?;
        let mut parsed = ParsedFile::parse_part(&self.name, part);
        parsed.start.documents = self.parts.get(number)?.documents_before;
        parsed.written_by_tool = self.written_by_tool;
        Some(parsed)
    }
}

impl EvaluatedFile {
    /// The file.
    pub fn input(&self) -> &InputFile {
        &self.file
    }

    /// The text that was evaluated, read again where it is not in memory.
    ///
    /// # Errors
    /// The file cannot be read, or has changed.
    pub fn source(&self) -> Result<Arc<SourceFile>, FileError> {
        if let Some(source) = &self.source {
            return Ok(Arc::clone(source));
        }
        let source = self.file.read()?;
        if Digest::of(&source.text) == self.digest {
            Ok(source)
        } else {
            let name = self.file.name();
            Err(FileError::Changed { name })
        }
    }
}
