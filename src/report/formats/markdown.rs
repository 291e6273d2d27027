//! A comment on a pull request, in GitHub's and GitLab's Markdown.

use std::fmt::Write as _;

use crate::report::printable::printable;
use crate::report::severity::Severity;
use crate::report::text::Show;
use crate::report::{AuditReport, FindingRecord, messages};

use super::FormatOptions;

/// The limit of a comment in bytes. GitHub's is 65,536 characters; the rest is for the last lines, and for what a workflow adds.
const LIMIT: usize = 60_000;

/// The heads of the two tables.
const HEAD: &str = "| place | | ID | finding |\n|---|---|---|---|\n";

/// The counts, a table of errors and changes, and one of the other findings that are shown, which a reader opens. Rows beyond the limit
/// of a comment are counted.
pub fn markdown(report: &AuditReport, options: FormatOptions<'_>) -> String {
    let counts = messages::summary(report, 0, usize::MAX);
    let counts = counts.lines().next().unwrap_or_default();
    let mut text = format!("**bedrock-profiles**: {counts}\n");
    let unread = report.unread.iter().filter(|one| one.is_error);
    for one in unread {
        if text.len() > LIMIT / 4 {
            break;
        }
        let path = code(&options.paths.path(&one.file));
        let problem = escaped(&one.problem);
        let (line, column) = (one.line, one.column);
        let _ = write!(text, "\n- {path}:{line}:{column}: {problem}\n");
    }
    let shown: Vec<_> = Show::select(options.show, report).collect();
    let (urgent, rest): (Vec<_>, Vec<_>) = shown
        .into_iter()
        .partition(|one| one.severity() <= Severity::Change);
    if !urgent.is_empty() {
        let _ = write!(text, "\n{HEAD}");
        add_rows(&urgent, options, &mut text);
    }
    if !rest.is_empty() {
        let count = rest.len();
        let _ = write!(
            text,
            "\n<details><summary>{count} less urgent</summary>\n\n{HEAD}"
        );
        add_rows(&rest, options, &mut text);
        text.push_str("\n</details>\n");
    }
    text
}

/// A row for each finding that fits, then the number of the others.
fn add_rows(findings: &[&FindingRecord], options: FormatOptions<'_>, text: &mut String) {
    for (at, one) in findings.iter().enumerate() {
        let row = row(one, options);
        if text.len() + row.len() > LIMIT {
            let others = findings.len() - at;
            let _ = writeln!(
                text,
                "\n{others} more are not shown: a comment has a limit."
            );
            return;
        }
        text.push_str(&row);
    }
}

fn row(one: &FindingRecord, options: FormatOptions<'_>) -> String {
    let place = match (&one.source, &one.object) {
        (Some(source), _) => format!("{}:{}", options.paths.path(&source.file), source.line),
        (None, object) => object.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let result = match &one.after {
        Some(after) if one.severity() == Severity::Change => code(after),
        Some(_) | None => {
            let step = messages::next_step(one);
            let separator = if step.is_empty() { "" } else { ": " };
            format!("{}{separator}{}", one.cause(), escaped(&step))
        }
    };
    let (place, id) = (code(&place), code(&messages::id(one)));
    format!("| {place} | {} | {id} | {result} |\n", one.severity())
}

/// A text as code in a cell of a table. A backtick or a vertical bar would end the code or the cell.
fn code(text: &str) -> String {
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
fn escaped(text: &str) -> String {
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
