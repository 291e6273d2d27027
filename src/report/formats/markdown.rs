//! A comment on a pull request, in GitHub's and GitLab's Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::report::printable::printable;
use crate::report::severity::Severity;
use crate::report::text::Show;
use crate::report::{AuditReport, FindingRecord, UnreadPart, messages};

use super::FormatOptions;

/// The limit of the tables in bytes. That of a comment on GitHub is 65,536 characters; the rest is for the links, at most 7,500 bytes.
const LIMIT: usize = 57_000;

/// The heads of the two tables.
const HEAD: &str = "| place | | ID | finding |\n|---|---|---|---|\n";

/// The counts, a table of errors and changes, and one of the other findings that are shown, which a reader opens. Rows beyond the limit
/// of a comment are counted.
pub fn markdown(report: &AuditReport, options: FormatOptions<'_>) -> String {
    let counts = messages::summary(report, 0, usize::MAX);
    let counts = counts.lines().next().unwrap_or_default();
    let mut text = format!("**bedrock-profiles**: {counts}\n");
    let unread = report.unread_parts().filter(|one| one.is_error);
    let unread: Vec<_> = unread.map(|one| unread_row(&one, options)).collect();
    if !unread.is_empty() {
        text.push('\n');
        add_rows(&unread, LIMIT / 4, &mut text);
    }
    let shown: Vec<_> = Show::select(options.show, report).collect();
    let (urgent, rest): (Vec<_>, Vec<_>) = shown
        .into_iter()
        .partition(|one| one.severity() <= Severity::Change);
    if !urgent.is_empty() {
        let _ = write!(text, "\n{HEAD}");
        add_rows(&rows(&urgent, options), LIMIT, &mut text);
    }
    if !rest.is_empty() {
        let count = rest.len();
        let _ = write!(
            text,
            "\n<details><summary>{count} less urgent</summary>\n\n{HEAD}"
        );
        add_rows(&rows(&rest, options), LIMIT, &mut text);
        text.push_str("\n</details>\n");
    }
    add_links(urgent.into_iter().chain(rest), &mut text);
    text
}

/// The rows that fit into `limit` bytes, then the number of the others.
pub(crate) fn add_rows(rows: &[String], limit: usize, text: &mut String) {
    for (at, row) in rows.iter().enumerate() {
        if text.len() + row.len() > limit {
            let others = rows.len() - at;
            let _ = writeln!(
                text,
                "\n{others} more are not shown: a comment has a limit."
            );
            return;
        }
        text.push_str(row);
    }
}

/// The pages of the reasons, to which the tables link.
fn add_links<'r>(findings: impl Iterator<Item = &'r FindingRecord>, text: &mut String) {
    let causes: BTreeSet<_> = findings.map(FindingRecord::cause).collect();
    for (at, cause) in causes.iter().enumerate() {
        let start = if at == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{start}[{cause}]: {}", cause.url());
    }
}

fn unread_row(one: &UnreadPart<'_>, options: FormatOptions<'_>) -> String {
    let problem = escaped(&one.problem);
    let Some(file) = one.file else {
        return format!("- {problem}\n");
    };
    let path = code(&options.paths.path(file));
    let position = one
        .position
        .map(|(line, column)| format!(":{line}:{column}"));
    format!("- {path}{}: {problem}\n", position.unwrap_or_default())
}

/// A row for each finding; equal ones of a file or an object are one row, with their number.
fn rows(findings: &[&FindingRecord], options: FormatOptions<'_>) -> Vec<String> {
    let (mut rows, mut positions) = (Vec::new(), BTreeMap::new());
    for one in findings {
        let row = MarkdownRow::of(one, options);
        let key = (row.file.clone(), row.rest.clone());
        let at = *positions.entry(key).or_insert(rows.len());
        match rows.get_mut(at) {
            None => rows.push((row, 1_usize)),
            Some((_, count)) => *count += 1,
        }
    }
    rows.iter().map(|(row, count)| row.text(*count)).collect()
}

/// A row of a table.
struct MarkdownRow {
    /// The file, or the object of a cluster.
    file: String,
    line: Option<usize>,
    /// The cells behind the place.
    rest: String,
}

impl MarkdownRow {
    fn of(one: &FindingRecord, options: FormatOptions<'_>) -> Self {
        let (file, line) = match (&one.source, &one.object) {
            (Some(source), _) => (options.paths.path(&source.file), Some(source.line)),
            (None, object) => {
                let object = object.as_ref().map(ToString::to_string);
                (object.unwrap_or_default(), None)
            }
        };
        let result = match &one.after {
            Some(after) if one.severity() == Severity::Change => code(after),
            Some(_) | None => {
                let step = messages::next_step(one);
                let separator = if step.is_empty() { "" } else { ": " };
                format!("[{}]{separator}{}", one.cause(), escaped(&step))
            }
        };
        let id = code(&messages::id(one));
        let rest = format!("{} | {id} | {result}", one.severity());
        Self { file, line, rest }
    }

    fn text(&self, count: usize) -> String {
        let Self { file, line, rest } = self;
        let place = line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"));
        let times = if count > 1 {
            format!(" (×{count})")
        } else {
            String::new()
        };
        format!("| {} | {rest}{times} |\n", code(&place))
    }
}

/// A text as code in a cell of a table. A backtick or a vertical bar would end the code or the cell.
pub(crate) fn code(text: &str) -> String {
    let text = printable(text);
    if text.is_empty() {
        String::new()
    } else if text.contains(['`', '|']) {
        escaped(&text)
    } else {
        format!("`{text}`")
    }
}

/// A text without a meaning in Markdown or HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '|' | '*' | '_' | '[' | ']' | '#' | '~' | '$' => {
                escaped.extend(['\\', character]);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
