//! Finds and reads the files to scan.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

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
    /// The format.
    pub format: FileFormat,
}

impl SourceFile {
    /// Parses the text.
    pub fn parse(&self) -> ParsedFile<'_> {
        ParsedFile::parse(&self.name, &self.text, self.format)
    }
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {name}: {source}")]
pub struct FileError {
    name: String,
    source: std::io::Error,
}

/// Extensions of the files that are read in directories.
const EXTENSIONS: &[&str] = &["yaml", "yml", "json", "toml", "properties", "env"];

/// Reads every file of `paths`: `-` is standard input, and a directory includes the manifests and configuration files below it
/// that git does not ignore, in the order of their names. A file that is named twice, by a link or through its directory, is
/// read once. A file that cannot be read is an error and does not stop the others.
pub fn read_all(paths: &[PathBuf]) -> impl Iterator<Item = Result<SourceFile, FileError>> {
    let mut known = BTreeSet::new();
    let mut is_new = move |path: &Path| {
        let itself = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        known.insert(itself)
    };
    paths
        .iter()
        .flat_map(|path| files(path))
        .filter(move |path| path.as_ref().map_or(true, |path| is_new(path)))
        .map(|path| read(&path?))
}

fn files(path: &Path) -> Vec<Result<PathBuf, FileError>> {
    if path == Path::new("-") || !path.is_dir() {
        return vec![Ok(path.to_owned())];
    }
    let walk = ignore::WalkBuilder::new(path)
        .sort_by_file_name(Ord::cmp)
        .require_git(false)
        .build();
    let is_manifest = |path: &Path| {
        path.extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| EXTENSIONS.contains(&extension))
    };
    walk.filter_map(|entry| match entry {
        Ok(entry)
            if entry.file_type().is_some_and(|kind| kind.is_file())
                && is_manifest(entry.path()) =>
        {
            Some(Ok(entry.into_path()))
        }
        Ok(_) => None,
        Err(error) => Some(Err(FileError {
            name: path.display().to_string(),
            source: std::io::Error::other(error),
        })),
    })
    .collect()
}

fn read(path: &Path) -> Result<SourceFile, FileError> {
    let stdin = path == Path::new("-");
    let name = if stdin {
        "<stdin>".to_owned()
    } else {
        path.display().to_string()
    };
    let mut text = String::new();
    let read = if stdin {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    read.map_err(|source| FileError {
        name: name.clone(),
        source,
    })?;
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
        format,
    })
}
