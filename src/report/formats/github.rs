//! Workflow commands of GitHub Actions, which become annotations beside the lines of a pull request.

use std::fmt::Write as _;

use crate::report::printable::printable;
use crate::report::severity::Severity;
use crate::report::text::Show;
use crate::report::{AuditReport, FindingRecord, messages};

use super::FormatOptions;

/// A workflow command for each finding that is shown, and for each part that was not read. The most urgent are first:
/// GitHub shows ten of a level in each step.
pub fn github(report: &AuditReport, options: FormatOptions<'_>) -> String {
    let mut text = String::new();
    for one in report.unread_parts() {
        let level = if one.is_error { "error" } else { "notice" };
        let place = one.file.map(|file| {
            let path = options.paths.path(file);
            place(&path, one.position, None) + ","
        });
        let (place, problem) = (place.unwrap_or_default(), message(&one.problem));
        let _ = writeln!(text, "::{level} {place}title=unread::{problem}");
    }
    let mut shown: Vec<_> = Show::select(options.show, report).collect();
    shown.sort_by_key(|one| one.severity());
    for one in shown {
        let level = level(one.severity());
        let place = one.source.as_ref().map(|source| {
            let path = options.paths.path(&source.file);
            place(&path, Some((source.line, source.column)), source.end_column) + ","
        });
        let place = place.unwrap_or_default();
        let title = property(&title(one));
        let sentence = message(&messages::sentence(one));
        let _ = writeln!(text, "::{level} {place}title={title}::{sentence}");
    }
    text
}

/// The reason, and the object of a cluster, for which there is no file.
fn title(one: &FindingRecord) -> String {
    match (&one.source, &one.object) {
        (None, Some(object)) => format!("{}: {object}", one.cause()),
        (Some(_), _) | (None, None) => one.cause().to_string(),
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Change | Severity::Warning => "warning",
        Severity::Note | Severity::Ok => "notice",
    }
}

fn place(path: &str, position: Option<(usize, usize)>, end: Option<usize>) -> String {
    let mut place = format!("file={}", property(path));
    if let Some((line, column)) = position {
        let _ = write!(place, ",line={line},col={column}");
    }
    if let Some(end) = end {
        let _ = write!(place, ",endColumn={end}");
    }
    place
}

/// The message of a command, with the escapes of GitHub's runner. A log shows other control characters as they are, so they are
/// escaped as in every text for people.
fn message(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(line).collect();
    lines.join("%0A")
}

fn line(text: &str) -> String {
    let (text, end) = match text.strip_suffix('\r') {
        Some(text) => (text, "%0D"),
        None => (text, ""),
    };
    printable(text).replace('%', "%25") + end
}

/// A property of a command: the same, and the separators of properties.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
