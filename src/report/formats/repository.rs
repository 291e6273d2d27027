//! Names of files as their repository has them.

use std::path::{MAIN_SEPARATOR, Path};

use crate::report::relative_paths::RelativePaths;

/// The folder that relative names of files begin at, and the root of its repository.
#[derive(Debug, Clone)]
pub struct RepositoryPaths(RelativePaths);

impl RepositoryPaths {
    /// Names relative to `root` for files whose names are relative to `here`. Both are absolute.
    pub fn new(here: &Path, root: &Path) -> Self {
        Self(RelativePaths::new(here, root))
    }

    /// The name of a file relative to the root, with forward slashes and without `./`; absolute if the file is elsewhere. A name in
    /// angle brackets, such as `<stdin>`, is no path and stays.
    pub fn path(&self, name: &str) -> String {
        if name.starts_with('<') {
            return name.to_owned();
        }
        let file = Path::new(name);
        let path = self.0.of(file).unwrap_or_else(|| self.0.absolute(file));
        path.display().to_string().replace(MAIN_SEPARATOR, "/")
    }
}
