//! Paths relative to a folder that is not the current one, without a look at the file system.

use std::path::{Component, Path, PathBuf};

/// Paths below a folder.
#[derive(Debug, Clone, Default)]
pub struct RelativePaths {
    /// The current folder, which relative paths begin at.
    here: PathBuf,
    /// The folder.
    root: PathBuf,
}

impl RelativePaths {
    /// Paths below `folder`, which is absolute or relative to `here`.
    pub fn new(here: &Path, folder: &Path) -> Self {
        Self {
            here: here.to_owned(),
            root: normalized(&here.join(folder)),
        }
    }

    /// The path from the folder; `None` if it is elsewhere.
    pub fn of(&self, path: &Path) -> Option<PathBuf> {
        let path = self.absolute(path);
        path.strip_prefix(&self.root).ok().map(Path::to_owned)
    }

    /// The absolute path.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        normalized(&self.here.join(path))
    }
}

/// The path without `.` and `..`.
fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normalized.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                normalized.push(part);
            }
        }
    }
    normalized
}
