//! Finds and reads the files to scan.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ignore::overrides::{Override, OverrideBuilder};

use super::encoding::Encoding;
use super::path_globs::{GlobError, PathGlobs};
use super::{FileFormat, ParsedFile};

/// A file that was read.
#[derive(Debug)]
pub struct SourceFile {
    /// The path; `None` for standard input.
    pub path: Option<PathBuf>,
    /// The name for findings.
    pub name: String,
    /// The text.
    pub text: String,
    /// How the text is stored.
    pub encoding: Encoding,
    /// The format.
    pub format: FileFormat,
}

impl SourceFile {
    /// Parses the text.
    pub fn parse(&self) -> ParsedFile<'_> {
        ParsedFile::parse(&self.name, &self.text, self.format)
    }
}

/// Why a file is not evaluated.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {name}: {source}")]
    Unreadable {
        /// The name of the file.
        name: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is no text.
    #[error(
        "{name} is neither UTF-8 nor UTF-16, and was skipped; --exclude skips it without this note"
    )]
    NotText {
        /// The name of the file.
        name: String,
    },
    /// The path is a URL, which is not fetched.
    #[error(
        "cannot read {name}: URLs are not fetched; `curl -fsSL {name}` writes it into a pipe, which `-` reads"
    )]
    Url {
        /// The URL.
        name: String,
    },
    /// The path names a pipe or a device, which may have no end.
    #[error("cannot read {name}: it is neither a file nor a folder; write `-` for standard input")]
    NotAFile {
        /// The name of the file.
        name: String,
    },
}

impl FileError {
    /// The name of the file.
    pub fn name(&self) -> &str {
        match self {
            Self::Unreadable { name, .. }
            | Self::NotText { name }
            | Self::Url { name }
            | Self::NotAFile { name } => name,
        }
    }
}

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

    /// Reads every file of `paths`: `-` is standard input, and a directory includes the manifests and configuration files below it
    /// that git does not ignore, in the order of their names. A file that is named twice, by a link or through its directory, is
    /// read once. A file that cannot be read is an error and does not stop the others. `read_pipe` reads standard input and other pipes.
    pub fn read_all<'a>(
        &'a self,
        paths: &'a [PathBuf],
        read_pipe: impl Fn(&Path) -> std::io::Result<Vec<u8>> + 'a,
    ) -> impl Iterator<Item = Result<SourceFile, FileError>> + 'a {
        let mut known = BTreeSet::new();
        let mut is_new = move |path: &Path| {
            let itself = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            known.insert(itself)
        };
        paths
            .iter()
            .flat_map(|path| self.files(path))
            .filter(move |path| path.as_ref().map_or(true, |path| is_new(path)))
            .map(move |path| read(&path?, &read_pipe))
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

fn read(
    path: &Path,
    read_pipe: impl Fn(&Path) -> std::io::Result<Vec<u8>>,
) -> Result<SourceFile, FileError> {
    let stdin = path == Path::new("-");
    let name = if stdin {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    };
    let unreadable = |source| FileError::Unreadable {
        name: name.clone(),
        source,
    };
    let read = if stdin {
        read_pipe(path)
    } else {
        let kind = match std::fs::metadata(path) {
            Err(_) if is_url(&name) => return Err(FileError::Url { name }),
            metadata => metadata.map_err(unreadable)?.file_type(),
        };
        match kind.is_file() {
            true => std::fs::read(path),
            false if is_of_this_process(path) => read_pipe(path),
            false => return Err(FileError::NotAFile { name }),
        }
    };
    let bytes = read.map_err(unreadable)?;
    let Some((encoding, text)) = Encoding::decode(bytes) else {
        return Err(FileError::NotText { name });
    };
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => FileFormat::Json,
        Some("yaml" | "yml") => FileFormat::Yaml,
        _ if stdin && text.trim_start().starts_with('{') => FileFormat::Json,
        _ if stdin => FileFormat::Yaml,
        _ => FileFormat::Other,
    };
    Ok(SourceFile {
        path: (!stdin).then(|| path.to_owned()),
        name,
        text,
        encoding,
        format,
    })
}

fn is_url(name: &str) -> bool {
    let schemes = ["https://", "http://"];
    schemes.iter().any(|scheme| name.starts_with(scheme))
}

/// Whether the path is a file descriptor of this process, as a shell passes the output of another command: `<(…)`.
pub fn is_of_this_process(path: &Path) -> bool {
    let folders = ["/dev/fd", "/proc/self/fd", "/dev/stdin"];
    folders.iter().any(|folder| path.starts_with(folder))
}
