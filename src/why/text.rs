//! The report for people: the answer, each ID with its regions, the gates, and what to change.

use crate::domain::reason::Group;
use crate::report::text_page::{GREEN, MARGIN, RED, RESET, TextPage, YELLOW};

use super::gate::{GateResult, GateState};
use super::ids::{IdExplanation, RegionProblem, SightedRegion};
use super::report::WhyReport;

/// The maximum number of IDs that are listed; JSON has all.
const MAX_IDS: usize = 10;

/// The maximum number of regions that are listed of an ID.
const MAX_REGIONS: usize = 6;

/// The column of the reason of a gate.
const GATE_COLUMN: usize = 32;

/// The column of what a label of an ID names.
const ID_COLUMN: usize = 11;

/// The report in lines of at most `width` columns, except for words that are longer. The text contains colours, which the caller strips
/// for other outputs than a terminal.
pub fn text(report: &WhyReport, width: usize) -> String {
    let mut page = TextPage::new(width);
    page.paragraph(0, &report.answer.message);
    for id in report.ids.iter().take(MAX_IDS) {
        page.id(id);
    }
    if let Some(more) = report.ids.len().checked_sub(MAX_IDS + 1) {
        page.heading(&format!("{} more IDs are in -o json", more + 1));
    }
    page.heading(&gates_heading(report));
    for gate in &report.gates {
        page.gate(gate);
    }
    if !report.changes.is_empty() {
        page.heading("What to change");
        for change in &report.changes {
            page.paragraph(MARGIN, change);
        }
        if report.changes.len() > 1 {
            page.paragraph(MARGIN, "All of these are needed.");
        }
    }
    page.heading("What the API server would answer now");
    page.paragraph(MARGIN, &sentence(&report.dry_run.message));
    for one in &report.dry_run.rewrites {
        page.paragraph(
            MARGIN + 2,
            &format!("{}: {} -> {}", one.at, one.from, one.to),
        );
    }
    if let Some(open) = &report.fail_open {
        page.heading("What is not known");
        page.paragraph(MARGIN, &open.message);
        page.paragraph(
            MARGIN,
            &format!(
                "An audit annotation {}… with the value {} shows that; {} shows that the webhook responded.",
                open.audit_annotation, open.webhook, open.answered_annotation
            ),
        );
    }
    page.text
}

fn gates_heading(report: &WhyReport) -> String {
    let policy = &report.policy;
    let name = &policy.name;
    if policy.selects {
        format!("Gates, by policy {name}")
    } else {
        format!("Gates, as if policy {name} selected the object")
    }
}

/// The parts of a report.
trait WhyPage {
    fn id(&mut self, id: &IdExplanation);
    fn gate(&mut self, gate: &GateResult);
}

impl WhyPage for TextPage {
    fn id(&mut self, id: &IdExplanation) {
        let text = id_text(id);
        self.heading(format!("{}: {text}", id.at).trim_end_matches(": "));
        self.labelled("outcome", ID_COLUMN, &outcome(id));
        let is_unchanged = id.finding.after.is_none() || id.report_only;
        if let Some(proposed) = id.proposed.as_ref().filter(|_| is_unchanged) {
            self.labelled(
                "profile",
                ID_COLUMN,
                &format!("{proposed}, if it were replaced"),
            );
        }
        let mut label = "regions";
        for region in id.regions.iter().take(MAX_REGIONS) {
            self.labelled(label, ID_COLUMN, &region_text(region));
            label = "";
        }
        if id.regions.is_empty() {
            self.labelled(label, ID_COLUMN, "none in sight");
        }
        if let Some(more) = id.regions.len().checked_sub(MAX_REGIONS + 1) {
            self.labelled(
                label,
                ID_COLUMN,
                &format!("{} more are in -o json", more + 1),
            );
        }
    }

    fn gate(&mut self, gate: &GateResult) {
        let (color, state) = match gate.state {
            GateState::Passed => (GREEN, "passed "),
            GateState::Failed => (RED, "FAILED "),
            GateState::Unknown => (YELLOW, "unknown"),
        };
        let label = format!("{color}{state}{RESET}  {}", gate.gate.as_str());
        self.labelled(&label, GATE_COLUMN, &gate.reason);
    }
}

/// The ID as it is written, and where it comes from if that is another object.
fn id_text(id: &IdExplanation) -> String {
    crate::report::messages::id(&id.finding)
}

fn outcome(id: &IdExplanation) -> String {
    let finding = &id.finding;
    if let Some(from) = &id.rewritten_from {
        return format!("rewritten, from {from}");
    }
    if id.report_only {
        return "unchanged, only reported".to_owned();
    }
    if let Some(after) = &finding.after {
        return format!("to be replaced by {after}");
    }
    let Some(reason) = finding.reason else {
        return "unchanged".to_owned();
    };
    match &finding.message {
        // The gate has why.
        _ if reason.group() == Group::Object => format!("unchanged, {reason}"),
        Some(message) => format!("unchanged, {reason}: {}", message.trim_end_matches('.')),
        None => format!("unchanged, {reason}"),
    }
}

fn region_text(one: &SightedRegion) -> String {
    let region = match (&one.region, one.problem) {
        (Some(region), _) => region.clone(),
        (None, Some(RegionProblem::NotARegion)) => "no region".to_owned(),
        (None, Some(RegionProblem::Conflict)) => "two regions".to_owned(),
        (None, Some(RegionProblem::OutOfSight) | None) => "not readable".to_owned(),
    };
    let place = match (&one.name, one.rank, one.distance) {
        (Some(name), Some(rank), Some(distance)) => {
            format!("{name} ({}, rank {rank}, distance {distance})", one.source)
        }
        _ => one.source.to_string(),
    };
    let decides = if one.decides { ", decides" } else { "" };
    format!("{region}: {place}{decides}")
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let text: String = first.into_iter().chain(letters).collect();
    format!("{}.", text.trim_end_matches('.'))
}
