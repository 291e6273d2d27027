//! The report as text for people, within the width of the terminal.

use std::fmt::Write as _;

use crate::report::AdmissionOutcome;
use crate::report::printable::{counted, printable, wrapped};
use crate::report::text_page::{BOLD, RESET};

use super::{AdmissionEffect, FindingChange, PreviewReport, RouteChange};

/// The indentation of the lines about an ID.
const ID: usize = 2;

/// The indentation of what becomes of an ID.
const EFFECT: usize = 4;

/// The indentation of a line that continues another one.
const CONTINUED: usize = 8;

/// The IDs for which something changes, by object or file, then the further regions that data reaches. The text contains colours, which
/// the caller strips for other outputs than a terminal.
pub fn text(report: &PreviewReport<'_>, width: usize) -> String {
    let mut text = String::new();
    let mut findings = report.findings.as_slice();
    while let Some(first) = findings.first() {
        let place = first.place();
        let count = findings.iter().take_while(|one| one.place() == place);
        let (group, rest) = findings.split_at(count.count());
        findings = rest;
        let _ = writeln!(text, "{BOLD}{}{RESET}", printable(&place));
        for (change, count) in folded(group) {
            push(&mut text, &subject(change, count), ID, width);
            let (now, planned) = (&change.now, &change.planned);
            push(
                &mut text,
                &format!("now      {}", effect(now.as_ref())),
                EFFECT,
                width,
            );
            push(
                &mut text,
                &format!("planned  {}", effect(planned.as_ref())),
                EFFECT,
                width,
            );
        }
    }
    if !report.routes.is_empty() {
        let _ = writeln!(text, "{BOLD}Regions that data reaches{RESET}");
    }
    for one in &report.routes {
        push(&mut text, &route(one), ID, width);
    }
    text
}

/// Equal changes that follow each other, each with their number.
fn folded<'a, 'r>(group: &'a [FindingChange<'r>]) -> Vec<(&'a FindingChange<'r>, usize)> {
    let mut folded: Vec<(&FindingChange<'_>, usize)> = Vec::new();
    for one in group {
        let key = |change: &FindingChange<'_>| {
            let effects = (effect(change.now.as_ref()), effect(change.planned.as_ref()));
            (change.id.clone(), effects)
        };
        match folded.last_mut() {
            Some((last, count)) if key(last) == key(one) => *count += 1,
            _ => folded.push((one, 1)),
        }
    }
    folded
}

fn subject(change: &FindingChange<'_>, count: usize) -> String {
    let at = change
        .source
        .map(|source| format!("{}:{} ", source.line, source.column));
    let times = if count > 1 {
        format!(" ×{count}")
    } else {
        String::new()
    };
    let id = if change.id.is_empty() {
        "an ID that is not known"
    } else {
        &change.id
    };
    format!("{}{id}{times}", at.unwrap_or_default())
}

/// What becomes of an ID, in words.
pub(super) fn effect(effect: Option<&AdmissionEffect<'_>>) -> String {
    let Some(effect) = effect else {
        return "unchanged: no policy selects the object".to_owned();
    };
    let region = effect.region.map(|region| format!(" ({region})"));
    let region = region.unwrap_or_default();
    match (effect.outcome, effect.replacement, effect.reason) {
        (AdmissionOutcome::Replaced, Some(to), _) => format!("{to}{region}"),
        (AdmissionOutcome::Denied, Some(to), _) => format!("denied: use {to}{region}"),
        (AdmissionOutcome::Denied, None, Some(reason)) => format!("denied: {reason}{region}"),
        (AdmissionOutcome::Denied | AdmissionOutcome::Replaced, None, _) => {
            format!("denied{region}")
        }
        (AdmissionOutcome::Unchanged, Some(to), _) => {
            format!(
                "unchanged: policy {} in mode {} would give {to}{region}",
                effect.policy, effect.mode
            )
        }
        (AdmissionOutcome::Unchanged, None, Some(reason)) => format!("unchanged: {reason}{region}"),
        (AdmissionOutcome::Unchanged, None, None) => format!("unchanged{region}"),
    }
}

/// The regions that data reaches, in words.
pub(super) fn route(one: &RouteChange) -> String {
    let mut text = format!("{}: {}", one.namespace, one.model_id);
    if !one.from.is_empty() {
        let _ = write!(text, " from {}", one.from.join(", "));
    }
    // "No longer any region" would be none.
    let regions = |regions: &[String], any: &str| match regions {
        [one] if one == "*" => format!("{any} region"),
        regions => regions.join(", "),
    };
    if !one.added.is_empty() {
        let _ = write!(text, "; also reaches {}", regions(&one.added, "any"));
    }
    for [from, to] in &one.new_crossings {
        let _ = write!(text, "; crosses from {from} to {to}");
    }
    if !one.removed.is_empty() {
        let _ = write!(
            text,
            "; no longer reaches {}",
            regions(&one.removed, "every")
        );
    }
    if one.is_incomplete {
        text += "; not all regions are known";
    }
    text
}

/// The counts in a line: `changed: 2 of 14 IDs, in 1 object; data reaches further regions in 1 namespace`.
pub fn summary(report: &PreviewReport<'_>) -> String {
    let counts = &report.summary;
    if counts.changed == 0 && report.routes.is_empty() {
        return format!("nothing changes for {}", counted(counts.findings, "ID"));
    }
    let place = counts.files.map_or("object", |_| "file");
    let mut text = format!(
        "changed: {} of {}, in {}",
        counts.changed,
        counted(counts.findings, "ID"),
        counted(counts.changed_places, place),
    );
    let mut further: Vec<_> = report
        .routes
        .iter()
        .filter(|one| one.is_further())
        .collect();
    further.dedup_by_key(|one| &one.namespace);
    let _ = match further.len() {
        0 => Ok(()),
        count => write!(
            text,
            "; data reaches further regions in {}",
            counted(count, "namespace")
        ),
    };
    text
}

impl RouteChange {
    /// Whether data reaches a region that it does not reach now, or may.
    fn is_further(&self) -> bool {
        !self.added.is_empty() || !self.new_crossings.is_empty() || self.is_newly_incomplete
    }
}

/// Adds a text in lines of at most `width` columns.
fn push(text: &mut String, line: &str, indentation: usize, width: usize) {
    let first = width.saturating_sub(indentation);
    let lines = wrapped(&printable(line), first, width.saturating_sub(CONTINUED));
    for (at, line) in lines.iter().enumerate() {
        let indentation = if at == 0 { indentation } else { CONTINUED };
        let _ = writeln!(text, "{:indentation$}{line}", "");
    }
}
