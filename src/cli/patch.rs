//! The changes of a file as a patch in git's format.

use std::fmt::{self, Write as _};
use std::fs;
use std::ops::Range;

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
        let name = patch_name(file);
        let header = format!("--- {}\n+++ {}\n", quoted("a/", &name), quoted("b/", &name));
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
        Self { header, hunks }
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

/// The file name for a patch: relative to the root of the git repository, since `git apply` takes such names in every folder of it,
/// else to the working directory. The target of a symbolic link is named, because git does not follow links.
fn patch_name(file: &SourceFile) -> String {
    let target = file
        .path
        .as_ref()
        .and_then(|path| fs::canonicalize(path).ok());
    let relative = target.and_then(|target| {
        let here = std::env::current_dir().and_then(fs::canonicalize).ok()?;
        let name = target.strip_prefix(repository_root(&here)).ok()?;
        Some(name.display().to_string())
    });
    relative.unwrap_or_else(|| {
        let name = file.name.trim_start_matches("./");
        name.trim_start_matches('/').to_owned()
    })
}

/// A name in the header of a patch, quoted as git does: a line feed or a quote in a name must not begin another header.
fn quoted(side: &str, name: &str) -> String {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\');
    if name.bytes().all(is_plain) {
        // Like git, a name with a space has a tab behind it, so that its end is known.
        let end = if name.contains(' ') { "\t" } else { "" };
        return format!("{side}{name}{end}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_patches_are_quoted_as_git_does() {
        for (name, expected) in [
            ("pod.yaml", "a/pod.yaml"),
            ("a b.yaml", "a/a b.yaml\t"),
            ("ä.yaml", r#""a/\303\244.yaml""#),
            ("x\n+++ b/y", r#""a/x\012+++ b/y""#),
            (r#"q"\.yaml"#, r#""a/q\"\\.yaml""#),
        ] {
            assert_eq!(quoted("a/", name), expected);
        }
    }
}
