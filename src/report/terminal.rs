//! The wide table of a report.

use comfy_table::{ContentArrangement, Table, presets};

use crate::domain::policy::Mode;

use super::printable::printable;
use super::severity::Severity;
use super::{AuditReport, FindingRecord, ObjectReference, messages};

/// A table of all findings; empty without findings. The text contains colours, which the caller strips for other outputs than a
/// terminal, as `anstream` does.
pub fn table(report: &AuditReport) -> String {
    if report.findings.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    let header = [
        "LOCATION",
        "SEVERITY",
        "OBJECT",
        "ID",
        "RESULT",
        "REGION",
        "SUGGESTION",
        "POINTER",
        "DESTINATIONS",
        "LIFECYCLE",
        "POLICY",
        "MESSAGE",
    ];
    table.set_header(header);
    let rows: Vec<_> = report.findings.iter().map(row).collect();
    table.add_rows(&rows);
    // The layout is computed without colours, which would count as width and protect trailing spaces.
    let mut lines = table.lines();
    let header = lines.next().unwrap_or_default();
    let mut text = format!("{BOLD}{}{RESET}\n", header.trim());
    for ((line, row), one) in lines.zip(&rows).zip(&report.findings) {
        text += &painted(line.trim(), &row[RESULT], color(one));
        text.push('\n');
    }
    text
}

/// The index of the column RESULT.
const RESULT: usize = 4;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const RESET: &str = "\u{1b}[0m";

pub(super) fn color(one: &FindingRecord) -> &'static str {
    match one.severity() {
        Severity::Error => RED,
        Severity::Change => GREEN,
        Severity::Warning | Severity::Note | Severity::Ok => YELLOW,
    }
}

/// The line, with the part `text` in colour.
fn painted(line: &str, text: &str, color: &str) -> String {
    line.split_once(text).map_or_else(
        || line.to_owned(),
        |(before, after)| format!("{before}{color}{text}{RESET}{after}"),
    )
}

/// Whether there are IDs to rewrite, all under policies in mode `DryRun`.
pub fn only_dry_runs(report: &AuditReport) -> bool {
    let mut rewrites = report
        .findings
        .iter()
        .filter(|one| one.reason.is_none() && !one.preview)
        .peekable();
    rewrites.peek().is_some() && rewrites.all(|one| one.mode == Mode::DryRun)
}

fn row(one: &FindingRecord) -> Vec<String> {
    let location = match (&one.source, &one.object) {
        (Some(source), _) => source.to_string(),
        (None, object) => object
            .as_ref()
            .map(|object| object.namespace.clone())
            .unwrap_or_default(),
    };
    let region = one
        .region
        .as_ref()
        .zip(one.region_source)
        .map(|(region, source)| format!("{region} ({source})"));
    let life = one.lifecycle.as_ref().map(|life| {
        let date = life
            .end_of_life_date
            .as_ref()
            .map(|date| format!(" {date}"))
            .unwrap_or_default();
        format!("{}{date}", life.state)
    });
    let row = [
        location,
        one.severity().to_string(),
        object_label(one),
        messages::id(one),
        messages::replacement(one),
        region.unwrap_or_default(),
        one.suggestion.clone().unwrap_or_default(),
        one.pointer.clone(),
        one.destinations
            .as_ref()
            .map(|regions| regions.join(" "))
            .unwrap_or_default(),
        life.unwrap_or_default(),
        one.policy.clone(),
        one.message.clone().unwrap_or_default(),
    ];
    row.iter()
        .map(|text| printable(text).into_owned())
        .collect()
}

/// The object, with the Pod that contains the ID, or the number of Pods.
pub(super) fn object_label(one: &FindingRecord) -> String {
    let named = |object: &ObjectReference| format!("{}/{}", object.kind, object.name);
    let object = one.object.as_ref().map(named).unwrap_or_default();
    match (&one.seen_in, one.instances) {
        (None, 0) => object,
        (None, below) => format!("{object} (and {below} below)"),
        (Some(seen_in), 1) => format!("{object} (in {})", named(seen_in)),
        (Some(_), below) => format!("{object} (in {below} below)"),
    }
}
