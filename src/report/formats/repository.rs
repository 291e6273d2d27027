//! Names of files as their repository has them.

use std::path::{Component, Path, PathBuf};

/// The folder that relative names of files begin at, and the root of its repository.
#[derive(Debug, Clone)]
pub struct RepositoryPaths {
    here: PathBuf,
    root: PathBuf,
}

impl RepositoryPaths {
    /// Names relative to `root` for files whose names are relative to `here`. Both are absolute.
    pub const fn new(here: PathBuf, root: PathBuf) -> Self {
        Self { here, root }
    }

    /// The name of a file relative to the root, with forward slashes and without `./`; absolute if the file is elsewhere. A name in
    /// angle brackets, such as `<stdin>`, is no path and stays.
    pub fn path(&self, name: &str) -> String {
        if name.starts_with('<') {
            return name.to_owned();
        }
        let mut absolute = PathBuf::new();
        for component in self.here.join(name).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => {
                    absolute.pop();
                }
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                    absolute.push(component);
                }
            }
        }
        let relative = absolute.strip_prefix(&self.root).unwrap_or(&absolute);
        forward_slashes(relative)
    }
}

fn forward_slashes(path: &Path) -> String {
    path.display()
        .to_string()
        .replace(std::path::MAIN_SEPARATOR, "/")
}
