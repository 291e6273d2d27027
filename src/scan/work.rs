//! Files read and worked on by all threads, the large ones in parts, with the results in the order of the files.

use std::io::Read;
use std::num::NonZero;
use std::sync::Arc;

use super::digest::Digest;
use super::files::{FileError, SourceFile};
use super::in_order::in_order;
use super::input_file::InputFile;
use super::parts::{DivisionError, FilePart, FileParts};

/// How work on files is done.
#[derive(Clone, Copy)]
pub struct Workers<'a> {
    /// The number of threads that read and evaluate.
    pub threads: NonZero<usize>,
    /// Whether to stop early. A file in work has then no result.
    pub is_stopped: &'a dyn Fn() -> bool,
}

/// A file to work on.
#[derive(Debug, Clone)]
pub(super) struct FileTask {
    /// Its position among the files.
    pub(super) at: usize,
    pub(super) file: Arc<InputFile>,
    /// Whether its parts are worked on one by one if it is large.
    pub(super) may_divide: bool,
}

/// What a thread works on at a time.
pub(super) enum TaskText<'t> {
    /// A file.
    Whole(&'t Arc<SourceFile>),
    /// A part of a file.
    Part(&'t FilePart),
}

/// The results of a file.
pub(super) struct FileResults<T> {
    pub(super) task: FileTask,
    /// The digest of the text.
    pub(super) digest: Digest,
    /// Whether there is a result of each part; else there is one of the file.
    pub(super) is_divided: bool,
    pub(super) results: Vec<T>,
}

/// Why a file has no results.
pub(super) enum FileFailure {
    /// It cannot be read. The number is the position of the file.
    Unreadable(usize, FileError),
    /// It has to be worked on as a whole.
    Indivisible(FileTask),
}

/// A piece of work.
struct WorkItem {
    task: FileTask,
    content: WorkContent,
}

enum WorkContent {
    Whole,
    Part(FilePart),
    /// All parts were read.
    End(Result<Digest, DivisionError>),
}

/// A piece of work that is done.
enum DoneContent<T> {
    Whole(Digest, T),
    Part(T),
    End(Result<Digest, DivisionError>),
}

impl Workers<'_> {
    /// Calls `work` with each of the files or its parts, on any thread, and `complete` with the results of each file, in order.
    pub(super) fn run<T: Send>(
        self,
        files: impl Iterator<Item = Result<FileTask, FileFailure>>,
        work: impl Fn(&FileTask, TaskText<'_>) -> T + Sync,
        mut complete: impl FnMut(Result<FileResults<T>, FileFailure>),
    ) {
        let items = WorkItems {
            files: files.take_while(|_| !(self.is_stopped)()),
            divided: None,
        };
        let items = items.take_while(|_| !(self.is_stopped)());
        let mut results = Vec::new();
        in_order(
            self.threads,
            items,
            |item: Result<WorkItem, _>| {
                let WorkItem { task, content } = item?;
                let content = content.done(&task, &work)?;
                Ok((task, content))
            },
            |done| {
                let completed = done.and_then(|(task, content)| {
                    let (digest, is_divided) = match content {
                        DoneContent::Whole(digest, result) => {
                            results.push(result);
                            (digest, false)
                        }
                        DoneContent::Part(result) => {
                            results.push(result);
                            return Ok(None);
                        }
                        DoneContent::End(Ok(digest)) => (digest, true),
                        DoneContent::End(Err(error)) => {
                            results.clear();
                            return Err(task.failure(error));
                        }
                    };
                    let results = std::mem::take(&mut results);
                    Ok(Some(FileResults {
                        task,
                        digest,
                        is_divided,
                        results,
                    }))
                });
                completed.transpose().into_iter().for_each(&mut complete);
            },
        );
    }
}

impl<T> FileResults<T> {
    /// Those of a file that is not divided.
    pub(super) fn of_whole(task: FileTask, digest: Digest, result: T) -> Self {
        Self {
            task,
            digest,
            is_divided: false,
            results: vec![result],
        }
    }
}

impl FileTask {
    fn unreadable(&self, error: FileError) -> FileFailure {
        FileFailure::Unreadable(self.at, error)
    }

    fn failure(self, error: DivisionError) -> FileFailure {
        match error {
            DivisionError::Unreadable(source) => {
                let name = self.file.name();
                self.unreadable(FileError::Unreadable { name, source })
            }
            DivisionError::Indivisible => FileFailure::Indivisible(self),
        }
    }
}

impl WorkContent {
    fn done<T>(
        self,
        task: &FileTask,
        work: impl Fn(&FileTask, TaskText<'_>) -> T,
    ) -> Result<DoneContent<T>, FileFailure> {
        Ok(match self {
            Self::Whole => {
                let source = task.file.read();
                let source = source.map_err(|error| task.unreadable(error))?;
                let digest = Digest::of(&source.text);
                DoneContent::Whole(digest, work(task, TaskText::Whole(&source)))
            }
            Self::Part(part) => DoneContent::Part(work(task, TaskText::Part(&part))),
            Self::End(digest) => DoneContent::End(digest),
        })
    }
}

/// The pieces of work of files, in order.
struct WorkItems<I> {
    files: I,
    /// The file whose parts are read.
    divided: Option<(FileTask, FileParts<Box<dyn Read>>)>,
}

impl<I: Iterator<Item = Result<FileTask, FileFailure>>> Iterator for WorkItems<I> {
    type Item = Result<WorkItem, FileFailure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.divided.is_none() {
            let task = match self.files.next()? {
                Ok(task) => task,
                Err(failure) => return Some(Err(failure)),
            };
            let Some(text) = task.file.large().filter(|_| task.may_divide) else {
                let content = WorkContent::Whole;
                return Some(Ok(WorkItem { task, content }));
            };
            self.divided = Some((task, FileParts::new(text)));
        }
        let (task, mut parts) = self.divided.take()?;
        let content = match parts.next_part() {
            Ok(Some(part)) => {
                self.divided = Some((task.clone(), parts));
                WorkContent::Part(part)
            }
            Ok(None) => WorkContent::End(Ok(parts.digest())),
            Err(error) => WorkContent::End(Err(error)),
        };
        Some(Ok(WorkItem { task, content }))
    }
}
