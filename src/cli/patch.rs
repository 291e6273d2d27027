//! The changes of a file as a patch in git's format.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::scan::files::SourceFile;

use super::repository::repository_root;

/// The patch of one file, for `git apply`.
#[derive(Debug)]
pub(super) struct Patch {
    /// The names of the file.
    pub(super) header: String,
    /// The changed lines in groups, each with the lines around it.
    pub(super) hunks: Vec<Hunk>,
    /// The folder to apply the patch in, if `git apply` skips it in the working directory.
    only_in: Option<PathBuf>,
}

/// Changed lines that are near each other.
#[derive(Debug)]
pub(super) struct Hunk {
    /// The lines of the old text, from 0.
    pub(super) lines: Range<usize>,
    /// The lines with their marks.
    pub(super) text: String,
}

impl Patch {
    /// The patch from the text of `file` to `new`; without hunks if nothing changes. As in git, only a line feed ends a line.
    pub(super) fn of(file: &SourceFile, new: &str) -> Self {
        let (name, only_in) = patch_name(file);
        let (old_name, new_name) = (quoted("a/", &name), quoted("b/", &name));
        // By the first line, git takes the names from the root of the repository in every folder of it.
        let header = format!(
            "diff --git {old_name} {new_name}\n--- {}\n+++ {}\n",
            ended(&old_name),
            ended(&new_name)
        );
        let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
        let (old, new) = (lines(&file.text), lines(new));
        let mut options = TextDiff::configure();
        let diff = options.newline_terminated(true).diff_slices(&old, &new);
        let hunks = diff.unified_diff().iter_hunks().map(|hunk| {
            let ranges = || hunk.ops().iter().map(similar::DiffOp::old_range);
            let start = ranges().map(|range| range.start).min().unwrap_or_default();
            let end = ranges().map(|range| range.end).max().unwrap_or_default();
            Hunk {
                lines: start..end,
                text: hunk.to_string(),
            }
        });
        let hunks = hunks.collect();
        Self {
            header,
            hunks,
            only_in,
        }
    }
}

impl Patch {
    /// The folder to apply the patch in, if `git apply` does not take it in the working directory.
    pub(super) fn only_in(&self) -> Option<&Path> {
        self.only_in.as_deref().filter(|_| !self.hunks.is_empty())
    }
}

impl fmt::Display for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.hunks.is_empty() {
            f.write_str(&self.header)?;
        }
        self.hunks
            .iter()
            .try_for_each(|hunk| f.write_str(&hunk.text))
    }
}

/// The file name for a patch: relative to the root of the git repository, as `git diff` has it, else to the working directory. The target
/// of a symbolic link is named, because git does not follow links. Beside it, the root if `git apply` skips the file in the working
/// directory, which is below the root and not above the file.
fn patch_name(file: &SourceFile) -> (String, Option<PathBuf>) {
    let path = file.path.as_ref();
    let target = path.and_then(|path| fs::canonicalize(path).ok());
    let relative = target.and_then(|target| {
        let here = std::env::current_dir().and_then(fs::canonicalize).ok()?;
        let root = repository_root(&here);
        let name = target.strip_prefix(root).ok()?;
        let root = (!target.starts_with(&here)).then(|| root.to_owned());
        Some((name.display().to_string(), root))
    });
    relative.unwrap_or_else(|| {
        let name = file.name.trim_start_matches("./");
        (name.trim_start_matches('/').to_owned(), None)
    })
}

/// A name in the header of a patch, quoted as git does: a line feed or a quote in a name must not begin another header.
fn quoted(side: &str, name: &str) -> String {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\');
    if name.bytes().all(is_plain) {
        return format!("{side}{name}");
    }
    let mut text = format!("\"{side}");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            _ if is_plain(byte) => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text + "\""
}

/// A quoted name at the end of its line. Like git, a name with a space has a tab behind it, so that its end is known.
fn ended(name: &str) -> Cow<'_, str> {
    if name.contains(' ') && !name.starts_with('"') {
        format!("{name}\t").into()
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_ends_a_name_with_a_space() {
        assert_eq!(ended("a/b.yaml"), "a/b.yaml");
        assert_eq!(ended("a/a b.yaml"), "a/a b.yaml\t");
        assert_eq!(ended(r#""a/\303\244 b""#), r#""a/\303\244 b""#);
    }

    #[test]
    fn names_in_patches_are_quoted_as_git_does() {
        for (name, expected) in [
            ("pod.yaml", "a/pod.yaml"),
            ("a b.yaml", "a/a b.yaml"),
            ("ä.yaml", r#""a/\303\244.yaml""#),
            ("x\n+++ b/y", r#""a/x\012+++ b/y""#),
            (r#"q"\.yaml"#, r#""a/q\"\\.yaml""#),
        ] {
            assert_eq!(quoted("a/", name), expected);
        }
    }
}
