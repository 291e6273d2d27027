//! Globs over paths, by the rules of `.gitignore`, below a folder that is not the current one.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::report::relative_paths::RelativePaths;

/// A glob that is not valid.
#[derive(Debug, thiserror::Error)]
#[error("glob {glob:?}: {problem}")]
pub struct GlobError {
    pub(super) glob: String,
    pub(super) problem: String,
}

/// Globs over the paths below a folder; none by default.
#[derive(Debug, Clone)]
pub struct PathGlobs {
    paths: RelativePaths,
    globs: Gitignore,
}

impl Default for PathGlobs {
    fn default() -> Self {
        Self {
            paths: RelativePaths::default(),
            globs: Gitignore::empty(),
        }
    }
}

impl PathGlobs {
    /// The globs of a file in `folder`, which is absolute or relative to `here`.
    ///
    /// # Errors
    /// A glob is not valid.
    pub fn new(here: &Path, folder: &Path, globs: &[String]) -> Result<Self, GlobError> {
        let mut builder = GitignoreBuilder::new("");
        let error = |glob: &str, error: &ignore::Error| GlobError {
            glob: glob.to_owned(),
            problem: error.to_string(),
        };
        for glob in globs {
            let added = builder.add_line(None, glob);
            added.map_err(|problem| error(glob, &problem))?;
        }
        Ok(Self {
            paths: RelativePaths::new(here, folder),
            globs: builder.build().map_err(|problem| error("", &problem))?,
        })
    }

    /// Whether a glob matches the path, or a folder above it.
    pub fn matches(&self, path: &Path, is_folder: bool) -> bool {
        if self.globs.is_empty() {
            return false;
        }
        self.paths.of(path).is_some_and(|path| {
            let matched = self.globs.matched_path_or_any_parents(path, is_folder);
            matched.is_ignore()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_relative_to_their_folder_wherever_the_command_runs() {
        let globs = ["charts/", "/root.yaml", "*.tmp.yaml", "!keep.tmp.yaml"].map(str::to_owned);
        let in_deploy = |path: &str| {
            let globs = PathGlobs::new(Path::new("/r/deploy"), Path::new(".."), &globs);
            globs.unwrap().matches(Path::new(path), false)
        };
        for (path, expected) in [
            ("charts/web/values.yaml", true),
            ("../charts/web/values.yaml", true),
            ("/r/charts/values.yaml", true),
            ("charts.yaml", false),
            ("../root.yaml", true),
            ("./root.yaml", false),
            ("a/b.tmp.yaml", true),
            ("a/keep.tmp.yaml", false),
            ("/elsewhere/charts/values.yaml", false),
            ("<stdin>", false),
        ] {
            assert_eq!(in_deploy(path), expected, "{path}");
        }
        assert!(!PathGlobs::default().matches(Path::new("charts/a.yaml"), false));
    }
}
