//! Sentences about the record of a finding, for audits of files and of clusters.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::domain::catalog::{Confidence, LifecycleState};
use crate::domain::policy::Mode;
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::domain::resolve::Note;
use crate::report::cause::Cause;
use crate::report::printable::{counted, wrapped};
use crate::report::severity::Severity;
use crate::report::{AuditReport, FindingRecord, LifecycleRecord, Missed};

use super::LEGACY;

/// What is wrong with a finding and what to do: the message of a policy report and the note of an event.
pub fn finding(record: &FindingRecord) -> String {
    let before = &record.before;
    let (Some(after), None) = (&record.after, record.reason) else {
        let why = record.message.as_deref().unwrap_or_default();
        return format!("{before}: {why}");
    };
    let region = record.region.as_ref();
    let region = region.map_or("its region", Region::as_str);
    let lifecycle = if record.note == Some(Note::EndOfLife) {
        "; the model has reached its end of life, which a profile does not change".to_owned()
    } else if record.note == Some(Note::Successor) {
        "; the model has reached its end of life, and this is its successor".to_owned()
    } else if is_legacy(record, after) {
        format!("; the model is Legacy: {LEGACY}")
    } else {
        String::new()
    };
    match record.missed {
        Some(Missed::Missed) => format!(
            "{before} should be {after} in {region}, and the webhook did not rewrite it{lifecycle}. The API server's audit \
             annotations `failed-open.…` and apiserver_admission_webhook_fail_open_count show why"
        ),
        Some(Missed::Before) | None => {
            format!("{before} would become {after} in {region}{lifecycle}")
        }
    }
}

/// The finding in one sentence: the ID, and what it becomes or why it stays, with the next step.
pub fn sentence(record: &FindingRecord) -> String {
    let step = next_step(record);
    match record.cause() {
        Cause::Change | Cause::Missed | Cause::Successor => finding(record),
        cause if step.is_empty() => format!("{}: {}", id(record), cause.description()),
        Cause::Legacy | Cause::OptOutEndsSoon | Cause::Reason(_) => {
            format!("{}: {step}", id(record))
        }
    }
}

/// What to do about the finding; empty where nothing is to be done, or the change says it.
pub fn next_step(one: &FindingRecord) -> String {
    if let Some(exemption) = &one.exempt {
        return exemption.to_string();
    }
    let life = one.lifecycle.as_ref();
    let of_model = || {
        let life = life?;
        let date = life
            .end_of_life_date
            .map(|date| format!("end of life {date}"));
        let successor = life
            .successor
            .as_ref()
            .map(|next| format!("successor {next}"));
        let parts: Vec<_> = date.into_iter().chain(successor).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    };
    let message = one.message.as_deref();
    let message = message.map(|text| text.trim_end_matches('.').to_owned());
    let parts: Vec<String> = match (one.reason, &one.suggestion) {
        (None, _) if one.note == Some(Note::EndOfLife) => of_model().into_iter().collect(),
        (None, _) if one.note == Some(Note::Successor) => {
            let date = life.and_then(|life| life.end_of_life_date);
            let date = date.map(|date| format!("end of life {date}"));
            let advice = "test the application with the successor".to_owned();
            date.into_iter().chain([advice]).collect()
        }
        (None, _) if one.missed == Some(Missed::Missed) => vec![finding(one)],
        (None, _) => Vec::new(),
        (Some(Reason::UnknownModel), Some(nearest)) => {
            vec![format!("nearest known ID: {nearest}")]
        }
        (Some(Reason::EndOfLife), _) => of_model().or(message).into_iter().collect(),
        (Some(reason), _) if Severity::of(reason) == Severity::Ok => {
            of_model().into_iter().collect()
        }
        // The reason says what is wrong, so the step has room for the profile in one line.
        (Some(Reason::ProfileNotServed), Some(working)) => match one.region {
            Some(region) => vec![format!("use {working} in {region}")],
            None => vec![format!("use {working}")],
        },
        (Some(_), Some(working)) => message
            .into_iter()
            .chain([format!("use {working}")])
            .collect(),
        (Some(_), None) => message.into_iter().collect(),
    };
    parts.join("; ")
}

/// Whether the target is of the model that was found, and that model is `Legacy`.
fn is_legacy(record: &FindingRecord, after: &str) -> bool {
    let life = record.lifecycle.as_ref();
    after.ends_with(&record.model_id)
        && life.is_some_and(|life| life.state == LifecycleState::Legacy)
}

/// What becomes of the ID of a finding, for a cell of a table.
pub fn replacement(record: &FindingRecord) -> String {
    if record.exempt.is_some() {
        return "unchanged: Exempt".to_owned();
    }
    let replacement = match (&record.after, record.reason) {
        (Some(after), _) if record.preview || record.mode == Mode::DryRun => {
            format!("would become {after}")
        }
        (Some(after), _) => after.clone(),
        (None, reason) => format!("unchanged: {}", reason.map_or("", Reason::as_str)),
    };
    match record.note {
        Some(Note::EndOfLife) => format!("{replacement} (end of life)"),
        Some(Note::Successor) => format!("{replacement} (successor)"),
        None => replacement,
    }
}

/// The ID of a finding, and the object that it comes from if that is another one, for a cell of a table.
pub fn id(record: &FindingRecord) -> String {
    let before = &record.before;
    match &record.reference {
        Some(reference) if before.is_empty() => format!("from {reference}"),
        Some(reference) => format!("{before} from {reference}"),
        None => before.clone(),
    }
}

/// The counts of a report, of which `rewritten` findings have been rewritten in their files, in lines of at most `width` columns:
/// `3 files, 5 objects, 9 findings: 2 errors, 4 changes, 3 notes`, then the unchanged IDs by reason.
pub fn summary(report: &AuditReport, rewritten: usize, width: usize) -> String {
    let counts = &report.summary;
    let mut looked_at: Vec<_> = counts
        .files
        .map(|files| counted(files, "file"))
        .into_iter()
        .collect();
    looked_at.push(counted(counts.objects, "object"));
    looked_at.push(counted(counts.findings, "finding"));
    let mut by_severity = Vec::new();
    for severity in Severity::ALL {
        let count = counts.severities.of(severity);
        match (severity, count) {
            (_, 0) => {}
            (Severity::Change, all) => {
                if rewritten > 0 {
                    by_severity.push(format!("{rewritten} changed"));
                }
                if all > rewritten {
                    by_severity.push(counted(all - rewritten, "change"));
                }
            }
            (Severity::Ok, all) => by_severity.push(format!("{all} ok")),
            (Severity::Error | Severity::Warning | Severity::Note, all) => {
                by_severity.push(counted(all, severity.as_str()));
            }
        }
    }
    let mut text = looked_at.join(", ");
    if !report.incomplete.is_empty() {
        text.insert_str(0, "incomplete: ");
    }
    if !by_severity.is_empty() {
        let _ = write!(text, ": {}", by_severity.join(", "));
    }
    let mut lines = wrapped(&text, width, width);
    let mut rest = Vec::new();
    // Where every ID is right, the reasons say nothing more.
    let is_all_right = counts.severities.of(Severity::Ok) == counts.findings;
    if !counts.leave.is_empty() && !is_all_right {
        rest.push(unchanged(&counts.leave));
    }
    if counts.successors > 0 {
        rest.push(counted(counts.successors, "successor"));
    }
    if counts.previews > 0 {
        rest.push(counted(counts.previews, "preview"));
    }
    if counts.exempt > 0 {
        rest.push(format!("{} exempt", counts.exempt));
    }
    if !rest.is_empty() {
        lines.extend(wrapped(&rest.join(", "), width, width));
    }
    lines.join("\n")
}

/// The counts of a policy's audit: `12 model IDs in 4000 objects: 7 to rewrite, 5 unchanged (5 NoRegion)`.
pub fn totals(
    objects: usize,
    rewrites: usize,
    unchanged_by_reason: &BTreeMap<&'static str, usize>,
) -> String {
    let findings = rewrites + unchanged_by_reason.values().sum::<usize>();
    let unchanged = unchanged(unchanged_by_reason);
    format!("{findings} model IDs in {objects} objects: {rewrites} to rewrite, {unchanged}")
}

/// The life of a model: `EndOfLife, end of life 2026-10-14, successor anthropic.claude-sonnet-4-6`.
pub fn lifecycle(life: &LifecycleRecord) -> String {
    let mut text = life.state.to_string();
    if life.state == LifecycleState::Legacy {
        let _ = write!(text, " ({LEGACY})");
    }
    if let Some(date) = life.end_of_life_date {
        let _ = write!(text, ", end of life {date}");
    }
    if life.end_of_life_confidence == Some(Confidence::Medium) {
        text.push_str(" (medium confidence)");
    }
    if let Some(successor) = &life.successor {
        let _ = write!(text, ", successor {successor}");
    }
    text
}

fn unchanged(by_reason: &BTreeMap<&'static str, usize>) -> String {
    let count: usize = by_reason.values().sum();
    if count == 0 {
        return "0 unchanged".to_owned();
    }
    let reasons: Vec<_> = by_reason
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    format!("{count} unchanged ({})", reasons.join(", "))
}
