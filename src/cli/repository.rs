//! The repository of the working directory.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::report::formats::RepositoryPaths;

/// The root of the git repository of a folder, or else the folder itself.
pub(super) fn repository_root(here: &Path) -> &Path {
    let mut folders = here.ancestors();
    let root = folders.find(|folder| folder.join(".git").exists());
    root.unwrap_or(here)
}

/// The names of files in the repository of the working directory.
///
/// # Errors
/// There is no working directory.
pub(super) fn repository_paths() -> anyhow::Result<RepositoryPaths> {
    let here = std::env::current_dir().context("cannot find the working directory")?;
    let root: PathBuf = repository_root(&here).to_owned();
    Ok(RepositoryPaths::new(&here, &root))
}
