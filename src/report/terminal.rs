//! Reports for people: a table and a line of counts.

use comfy_table::{ContentArrangement, Table, presets};

use super::{AuditReport, FindingRecord};

/// A table of all findings, with more columns where `wide`. Empty where there is none.
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
        header.extend(["PLACE", "ROUTES TO", "LIFECYCLE", "POLICY"]);
    }
    table.set_header(header);
    for one in &report.findings {
        table.add_row(row(one, wide));
    }
    let lines = table.lines().map(|line| line.trim().to_owned() + "\n");
    lines.collect()
}

/// One line of counts.
pub fn summary(report: &AuditReport) -> String {
    let left: Vec<_> = report
        .summary
        .leave
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    let left = if left.is_empty() {
        String::new()
    } else {
        format!(", left: {}", left.join(", "))
    };
    format!(
        "{} objects, {} findings: {} rewritten{left}",
        report.summary.objects, report.summary.findings, report.summary.rewrite
    )
}

fn row(one: &FindingRecord, wide: bool) -> Vec<String> {
    let place = one
        .source
        .as_ref()
        .map(|source| format!("{}:{}:{}", source.file, source.line, source.column));
    let object = one
        .object
        .as_ref()
        .map(|object| format!("{}/{}", object.kind, object.name));
    let region = one
        .region
        .as_ref()
        .zip(one.region_source)
        .map(|(region, source)| format!("{region} ({source})"));
    let answer = match (&one.after, one.reason) {
        (Some(after), _) if one.shadow => format!("would become {after}"),
        (Some(after), _) => after.clone(),
        (None, reason) => format!("left: {}", reason.unwrap_or_default()),
    };
    let answer = if one.note.is_some() {
        format!("{answer} (end of life)")
    } else {
        answer
    };
    let mut row = vec![
        place.unwrap_or_default(),
        object.unwrap_or_default(),
        one.before.clone(),
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
            one.pointer.clone(),
            one.destinations
                .as_ref()
                .map(|regions| regions.join(" "))
                .unwrap_or_default(),
            life.unwrap_or_default(),
            one.policy.clone(),
        ]);
    }
    row
}
