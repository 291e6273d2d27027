//! Reports for people: a table and a line of counts.

use comfy_table::{ContentArrangement, Table, presets};

use crate::domain::policy::Mode;
use crate::domain::reason::Reason;

use super::{AuditReport, FindingRecord, ObjectReference};

/// A table of all findings, with more columns where `wide`; empty where there is none. It is coloured: who prints it takes the
/// colours out where they are not wanted, as `anstream` does.
pub fn table(report: &AuditReport, wide: bool) -> String {
    if report.findings.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    let mut header = vec!["WHERE", "OBJECT", "FOUND", "BECOMES", "REGION"];
    if wide {
        header.extend(["SUGGESTION", "PLACE", "ROUTES TO", "LIFECYCLE", "POLICY"]);
    }
    table.set_header(header);
    let rows: Vec<_> = report.findings.iter().map(|one| row(one, wide)).collect();
    table.add_rows(&rows);
    // The table is laid out plain: colours would count as width, and keep the spaces at the end.
    let mut lines = table.lines();
    let header = lines.next().unwrap_or_default();
    let mut text = format!("{BOLD}{}{RESET}\n", header.trim());
    for ((line, row), one) in lines.zip(&rows).zip(&report.findings) {
        text += &painted(line.trim(), &row[ANSWER], color(one));
        text.push('\n');
    }
    text
}

/// The column of the answer.
const ANSWER: usize = 3;

const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const RESET: &str = "\u{1b}[0m";

fn color(one: &FindingRecord) -> &'static str {
    match one.reason {
        None => GREEN,
        Some(_) if one.is_unresolved() => RED,
        Some(_) => YELLOW,
    }
}

/// The line with the text in it coloured.
fn painted(line: &str, text: &str, color: &str) -> String {
    line.split_once(text).map_or_else(
        || line.to_owned(),
        |(before, after)| format!("{before}{color}{text}{RESET}{after}"),
    )
}

/// One line of counts.
pub fn summary(report: &AuditReport) -> String {
    let counts = &report.summary;
    let applied = applied(report);
    let mut parts = Vec::new();
    if applied > 0 {
        parts.push(format!("{applied} rewritten"));
    }
    if counts.rewrite > applied || applied == 0 {
        parts.push(format!("{} to rewrite", counts.rewrite - applied));
    }
    let left: usize = counts.leave.values().sum();
    if left > 0 {
        let reasons: Vec<_> = counts
            .leave
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        parts.push(format!("{left} left ({})", reasons.join(", ")));
    }
    if counts.shadow > 0 {
        parts.push(format!("{} in the shadow", counts.shadow));
    }
    format!(
        "{}, {}: {}",
        counted(counts.objects, "object"),
        counted(counts.findings, "finding"),
        parts.join(", ")
    )
}

/// Whether there is something to rewrite, and only policies that change nothing say so.
pub fn only_dry_runs(report: &AuditReport) -> bool {
    let mut rewrites = report
        .findings
        .iter()
        .filter(|one| one.reason.is_none() && !one.shadow)
        .peekable();
    rewrites.peek().is_some() && rewrites.all(|one| one.mode == Mode::DryRun)
}

fn applied(report: &AuditReport) -> usize {
    report.findings.iter().filter(|one| one.applied).count()
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn row(one: &FindingRecord, wide: bool) -> Vec<String> {
    let place = match (&one.source, &one.object) {
        (Some(source), _) => format!("{}:{}:{}", source.file, source.line, source.column),
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
    let answer = match (&one.after, one.reason) {
        (Some(after), _) if one.shadow || one.mode == Mode::DryRun => {
            format!("would become {after}")
        }
        (Some(after), _) => after.clone(),
        (None, reason) => format!("left: {}", reason.map_or("", Reason::as_str)),
    };
    let answer = if one.note.is_some() {
        format!("{answer} (end of life)")
    } else {
        answer
    };
    let found = match &one.reference {
        Some(reference) => format!("{} from {reference}", one.before),
        None => one.before.clone(),
    };
    let mut row = vec![
        place,
        object(one),
        found.trim_start().to_owned(),
        answer,
        region.unwrap_or_default(),
    ];
    if wide {
        let life = one.lifecycle.as_ref().map(|life| {
            let date = life
                .end_of_life_date
                .as_ref()
                .map(|date| format!(" {date}"))
                .unwrap_or_default();
            format!("{}{date}", life.state)
        });
        row.extend([
            one.suggestion.clone().unwrap_or_default(),
            one.pointer.clone(),
            one.destinations
                .as_ref()
                .map(|regions| regions.join(" "))
                .unwrap_or_default(),
            life.unwrap_or_default(),
            one.policy.clone(),
        ]);
    }
    row.iter().map(|text| shown(text)).collect()
}

/// The object, where below it the ID was seen, and how often there.
fn object(one: &FindingRecord) -> String {
    let named = |object: &ObjectReference| format!("{}/{}", object.kind, object.name);
    let object = one.object.as_ref().map(named).unwrap_or_default();
    match (&one.seen_in, one.instances) {
        (None, 0) => object,
        (None, below) => format!("{object} (and {below} below)"),
        (Some(seen_in), 1) => format!("{object} (in {})", named(seen_in)),
        (Some(_), below) => format!("{object} (in {below} below)"),
    }
}

/// A text that may hold anything, as a terminal may be given it: names come from files, and could carry control sequences.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
