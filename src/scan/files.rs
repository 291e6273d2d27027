//! Finds and reads the files to scan.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ignore::overrides::{Override, OverrideBuilder};

use super::input_file::InputFile;
use super::path_globs::{GlobError, PathGlobs};

pub use super::source_file::{FileError, SourceFile};

/// Which files are read.
#[derive(Debug)]
pub struct FileSelection {
    excluded: Override,
    skipped: PathGlobs,
    hidden: bool,
}

/// Extensions of the files that are read in directories.
const EXTENSIONS: &[&str] = &["yaml", "yml", "json", "toml", "properties", "env"];

/// The name of the configuration file of this program, which is no input.
pub const CONFIGURATION: &str = ".bedrock-profiles.yaml";

/// The hidden file that is read in directories.
const DOT_ENV: &str = ".env";

impl FileSelection {
    /// The files that no glob of `excluded` matches, by the rules of `.gitignore` below the current directory. Hidden files of
    /// directories are read if `hidden`.
    ///
    /// # Errors
    /// A glob is not valid.
    pub fn new(excluded: &[String], hidden: bool) -> Result<Self, GlobError> {
        let mut globs = OverrideBuilder::new("");
        let error = |glob: &str, error: &ignore::Error| GlobError {
            glob: glob.to_owned(),
            problem: error.to_string(),
        };
        for glob in excluded {
            // A glob that begins with `!` excludes.
            globs
                .add(&format!("!{glob}"))
                .map_err(|problem| error(glob, &problem))?;
        }
        let excluded = globs.build().map_err(|problem| error("", &problem))?;
        Ok(Self {
            excluded,
            skipped: PathGlobs::default(),
            hidden,
        })
    }

    /// The same without the files and folders that `globs` match.
    #[must_use]
    pub fn skipping(self, globs: PathGlobs) -> Self {
        Self {
            skipped: globs,
            ..self
        }
    }

    /// The files of `paths`: `-` is standard input, and a directory includes the manifests and configuration files below it
    /// that git does not ignore, in the order of their names. A file that is named twice, by a link or through its directory, is
    /// there once. A file that cannot be read is an error and does not stop the others. What cannot be read twice is read here, by
    /// `read_pipe`: standard input and other pipes.
    pub fn inputs<'a>(
        &'a self,
        paths: &'a [PathBuf],
        read_pipe: impl Fn(&Path) -> std::io::Result<Vec<u8>> + 'a,
    ) -> impl Iterator<Item = Result<InputFile, FileError>> + 'a {
        let mut known = BTreeSet::new();
        // A walk follows no links, so one path has each file once.
        let has_one_path = paths.len() == 1;
        let mut is_new = move |path: &Path| {
            has_one_path || {
                let itself = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
                known.insert(itself)
            }
        };
        paths
            .iter()
            .flat_map(|path| self.files(path))
            .filter(move |path| path.as_ref().map_or(true, |path| is_new(path)))
            .map(move |path| input(path?, &read_pipe))
    }

    fn files(&self, path: &Path) -> Vec<Result<PathBuf, FileError>> {
        if path == Path::new("-") {
            return vec![Ok(path.to_owned())];
        }
        let is_folder = path.is_dir();
        if self.is_excluded(path, is_folder) {
            return Vec::new();
        }
        if !is_folder {
            return vec![Ok(path.to_owned())];
        }
        let (reads_hidden, skipped) = (self.hidden, self.skipped.clone());
        let is_read = move |entry: &ignore::DirEntry| {
            let name = entry.file_name().to_string_lossy();
            let is_hidden = name.starts_with('.') && name != DOT_ENV;
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            entry.depth() == 0
                || (name != ".git"
                    && name != CONFIGURATION
                    && (reads_hidden || !is_hidden)
                    && !skipped.matches(entry.path(), is_folder))
        };
        let walk = ignore::WalkBuilder::new(path)
            .sort_by_file_name(Ord::cmp)
            .require_git(false)
            .hidden(false)
            .filter_entry(is_read)
            .overrides(self.excluded.clone())
            .build();
        walk.filter_map(|entry| match entry {
            Ok(entry)
                if entry.file_type().is_some_and(|kind| kind.is_file())
                    && is_manifest(entry.path()) =>
            {
                Some(Ok(entry.into_path()))
            }
            Ok(_) => None,
            Err(error) => Some(Err(FileError::Unreadable {
                name: path.display().to_string(),
                source: std::io::Error::other(error),
            })),
        })
        .collect()
    }

    fn is_excluded(&self, path: &Path, is_folder: bool) -> bool {
        self.excluded.matched(path, is_folder).is_ignore() || self.skipped.matches(path, is_folder)
    }
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    path.file_name().is_some_and(|name| name == DOT_ENV)
        || extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
}

/// Reads a pipe to its end; `-` is standard input.
///
/// # Errors
/// The pipe cannot be read.
pub fn read_pipe(path: &Path) -> std::io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The file at a path, or all that a pipe of this process gives.
fn input(
    path: PathBuf,
    read_pipe: impl Fn(&Path) -> std::io::Result<Vec<u8>>,
) -> Result<InputFile, FileError> {
    let is_stdin = path == Path::new("-");
    if is_stdin || is_of_this_process(&path) && !path.is_file() {
        return SourceFile::of_bytes(&path, read_pipe(&path)).map(InputFile::held);
    }
    Ok(InputFile::on_disk(path))
}

/// Whether the path is a file descriptor of this process, as a shell passes the output of another command: `<(…)`.
pub fn is_of_this_process(path: &Path) -> bool {
    let folders = ["/dev/fd", "/proc/self/fd", "/dev/stdin"];
    folders.iter().any(|folder| path.starts_with(folder))
}
