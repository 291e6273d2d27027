//! Which files are scanned, and in which syntax each is written.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Syntax;

/// A file's text.
#[derive(Debug)]
pub struct Text {
    /// Where it is from; `None` is the standard input.
    pub path: Option<PathBuf>,
    /// Its name for findings.
    pub name: String,
    /// What it holds.
    pub text: String,
    /// In which syntax.
    pub syntax: Syntax,
}

/// Why a file is not scanned.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {name}: {source}")]
pub struct FileError {
    name: String,
    source: std::io::Error,
}

/// Endings of files that are looked at in folders.
const ENDINGS: &[&str] = &["yaml", "yml", "json", "toml", "properties", "env"];

/// Every text that `paths` name: `-` is the standard input, a folder stands for the manifests and configuration files below
/// it that git does not ignore, in the order of their names. A file that is named twice, by a link or as part of a folder, counts once. What
/// cannot be read is an error of its own and stops nothing.
pub fn texts(paths: &[PathBuf]) -> impl Iterator<Item = Result<Text, FileError>> {
    let mut seen = BTreeSet::new();
    let mut is_new = move |path: &Path| {
        let itself = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        seen.insert(itself)
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
            .and_then(|ending| ending.to_str())
            .is_some_and(|ending| ENDINGS.contains(&ending))
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

fn read(path: &Path) -> Result<Text, FileError> {
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
    let syntax = match path.extension().and_then(|ending| ending.to_str()) {
        Some("json") => Syntax::Json,
        Some("yaml" | "yml") => Syntax::Yaml,
        _ if stdin && text.trim_start().starts_with('{') => Syntax::Json,
        _ if stdin => Syntax::Yaml,
        _ => Syntax::Other,
    };
    Ok(Text {
        path: (!stdin).then(|| path.to_owned()),
        name,
        text,
        syntax,
    })
}
