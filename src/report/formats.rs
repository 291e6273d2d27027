//! Renderings of a report for other programs: one pure function for each format.
//!
//! Most of them show findings beside the lines of a repository, so they name files as the repository does.

mod github;
mod gitlab;
mod ics;
mod junit;
mod markdown;
mod repository;
mod sarif;

pub use github::github;
pub use gitlab::gitlab;
pub use ics::ics;
pub use junit::junit;
pub use markdown::markdown;
pub(crate) use markdown::{add_rows, code, escaped};
pub use repository::RepositoryPaths;
pub use sarif::sarif;

use super::text::Show;

/// What the formats need besides the report.
#[derive(Debug, Clone, Copy)]
pub struct FormatOptions<'a> {
    /// The findings that are shown, in formats that do not show all.
    pub show: &'a [Show],
    /// The names of files in the repository.
    pub paths: &'a RepositoryPaths,
}

#[cfg(test)]
mod tests;
