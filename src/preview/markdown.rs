//! The report as a comment on a pull request, in GitHub's and GitLab's Markdown.

use std::fmt::Write as _;

use crate::report::formats::{add_rows, code, escaped};

use super::text::{effect, route, summary};
use super::{FindingChange, PreviewReport};

/// The limit of each of the two parts in bytes. That of a comment on GitHub is 65,536 characters.
const LIMIT: usize = 30_000;

/// The counts, a table of the IDs for which something changes, and the regions that data reaches.
pub fn markdown(report: &PreviewReport<'_>) -> String {
    let change = report.change.join(", ");
    let mut text = format!(
        "**bedrock-profiles** preview, {}: {}\n",
        escaped(&change),
        escaped(&summary(report))
    );
    for problem in &report.incomplete {
        let _ = writeln!(text, "\n- {}", escaped(problem));
    }
    if !report.findings.is_empty() {
        text.push_str("\n| place | ID | now | planned |\n|---|---|---|---|\n");
        let rows: Vec<_> = report.findings.iter().map(row).collect();
        let limit = text.len() + LIMIT;
        add_rows(&rows, limit, &mut text);
    }
    if !report.routes.is_empty() {
        text.push_str("\nRegions that data reaches:\n\n");
        let rows = report.routes.iter();
        let rows: Vec<_> = rows
            .map(|one| format!("- {}\n", escaped(&route(one))))
            .collect();
        let limit = text.len() + LIMIT;
        add_rows(&rows, limit, &mut text);
    }
    text
}

fn row(one: &FindingChange<'_>) -> String {
    let line = one.source.map(|source| format!(":{}", source.line));
    format!(
        "| {} | {} | {} | {} |\n",
        code(&format!("{}{}", one.place(), line.unwrap_or_default())),
        code(&one.id),
        escaped(&effect(one.now.as_ref())),
        escaped(&effect(one.planned.as_ref())),
    )
}
