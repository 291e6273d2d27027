//! What has changed since an earlier report, `audit -o json` of the same files or the same cluster.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::printable::counted;
use super::{API_VERSION, AuditReport, FindingRecord};

/// The findings that differ from those of an earlier report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportChanges {
    /// The day of the earlier report.
    pub since: String,
    /// Findings that only the new report has.
    pub new: Vec<ChangedFindingText>,
    /// Findings that only the earlier report has.
    pub gone: Vec<ChangedFindingText>,
    /// Findings whose severity, result, mode or route differs.
    pub changed: Vec<ChangedFindingText>,
    /// Whether one of the two reports is incomplete, so that `new` and `gone` have findings that have not changed.
    pub is_incomplete: bool,
}

/// A finding in two reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFindingText {
    /// The object, or else the file.
    pub place: String,
    /// The ID as written.
    pub id: String,
    /// The answer of the earlier report; empty if it has none.
    pub then: String,
    /// The answer of the new report; empty if it has none.
    pub now: String,
}

/// A text is no report of this program.
#[derive(Debug, thiserror::Error)]
pub enum EarlierReportError {
    /// It is no JSON, or lacks a field.
    #[error("it is no report: {0}; `audit -o json` writes one")]
    Invalid(#[from] serde_json::Error),
    /// Its day is no date.
    #[error("it is no report: `today` is no date; `audit -o json` writes one")]
    Day,
    /// It is of another kind or version.
    #[error("it is no AuditReport of {API_VERSION}; `audit -o json` writes one")]
    Version,
}

/// An earlier report.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlierReport {
    api_version: String,
    kind: String,
    today: String,
    #[serde(default)]
    incomplete: Vec<IgnoredAny>,
    #[serde(default)]
    unread_files: Vec<EarlierUnreadPart>,
    #[serde(default)]
    unread: Vec<EarlierUnreadPart>,
    findings: Vec<EarlierFinding>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EarlierUnreadPart {
    #[serde(default)]
    is_error: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EarlierFinding {
    object: Option<EarlierObject>,
    source: Option<EarlierSource>,
    pointer: String,
    inner_pointer: Option<String>,
    before: String,
    severity: String,
    reason: Option<String>,
    after: Option<String>,
    mode: String,
    region: Option<String>,
    #[serde(default)]
    destinations: Option<Vec<String>>,
    #[serde(default)]
    shadow: bool,
}

#[derive(Debug, Deserialize)]
struct EarlierObject {
    kind: String,
    namespace: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct EarlierSource {
    file: String,
}

/// What two reports have of a finding. A line number is no part of its place.
struct FindingAnswer {
    id: String,
    severity: String,
    result: String,
    /// The mode of the policy, where it decides: for an ID that has a replacement.
    mode: String,
    region: String,
    destinations: Vec<String>,
}

/// Where a finding is: the file, the object, the pointers, the ID, and the number among equal ones.
type NumberedPlace = (String, String, String, String, String, usize);

impl EarlierReport {
    /// Parses a report.
    ///
    /// # Errors
    /// The text is no report of this version.
    pub fn parse(text: &str) -> Result<Self, EarlierReportError> {
        let report: Self = serde_json::from_str(text)?;
        if report.api_version != API_VERSION || report.kind != "AuditReport" {
            return Err(EarlierReportError::Version);
        }
        if report.today.parse::<Date>().is_err() {
            return Err(EarlierReportError::Day);
        }
        Ok(report)
    }

    fn is_incomplete(&self) -> bool {
        let mut unread = self.unread_files.iter().chain(&self.unread);
        !self.incomplete.is_empty() || unread.any(|part| part.is_error)
    }
}

impl ReportChanges {
    /// The findings of `report` that differ from those of `earlier`. Previews are skipped.
    pub fn between(earlier: &EarlierReport, report: &AuditReport) -> Self {
        let then = earlier.findings.iter().filter(|one| !one.shadow);
        let mut then = numbered(then.map(|one| (one.place(), one.answer())));
        let now = report.findings.iter().filter(|one| !one.preview);
        let now = numbered(now.map(|one| (place(one), answer(one))));
        let mut changes = Self {
            since: earlier.today.clone(),
            new: Vec::new(),
            gone: Vec::new(),
            changed: Vec::new(),
            is_incomplete: earlier.is_incomplete()
                || report.unread_parts().any(|part| part.is_error),
        };
        for (place, answer) in &now {
            match then.remove(place) {
                None => changes
                    .new
                    .push(ChangedFindingText::of(place, None, Some(answer))),
                Some(known) if known.differs(answer) => {
                    let text = ChangedFindingText::of(place, Some(&known), Some(answer));
                    changes.changed.push(text);
                }
                Some(_) => {}
            }
        }
        let gone = then.iter();
        changes.gone = gone
            .map(|(place, answer)| ChangedFindingText::of(place, Some(answer), None))
            .collect();
        changes
    }

    /// The counts: `2 new findings, 1 no longer found, 3 changed`.
    pub fn summary(&self) -> String {
        let new = counted(self.new.len(), "new finding");
        let incomplete = if self.is_incomplete {
            "; one of the two reports is incomplete, so a finding that only the other one has may not have changed"
        } else {
            ""
        };
        format!(
            "{new}, {} no longer found, {} changed{incomplete}",
            self.gone.len(),
            self.changed.len()
        )
    }
}

/// The answers by place; equal places are numbered in their order.
fn numbered(
    all: impl Iterator<Item = ([String; 5], FindingAnswer)>,
) -> BTreeMap<NumberedPlace, FindingAnswer> {
    let mut counts = BTreeMap::new();
    let numbered = all.map(|(place, answer)| {
        let count = counts.entry(place.clone()).or_insert(0_usize);
        *count += 1;
        let [file, object, pointer, inner, id] = place;
        ((file, object, pointer, inner, id, *count), answer)
    });
    numbered.collect()
}

fn place(one: &FindingRecord) -> [String; 5] {
    let source = one.source.as_ref().map(|source| source.file.clone());
    let object = one.object.as_ref().map(ToString::to_string);
    [
        source.unwrap_or_default(),
        object.unwrap_or_default(),
        one.pointer.clone(),
        one.inner_pointer.clone().unwrap_or_default(),
        one.before.clone(),
    ]
}

fn answer(one: &FindingRecord) -> FindingAnswer {
    let reason = one.reason.map(|reason| reason.as_str().to_owned());
    FindingAnswer {
        id: one.before.clone(),
        severity: one.severity().to_string(),
        mode: one.after.iter().map(|_| one.mode.to_string()).collect(),
        result: result(one.after.clone(), reason),
        region: one
            .region
            .map(|region| region.to_string())
            .unwrap_or_default(),
        destinations: one.destinations.clone().unwrap_or_default(),
    }
}

fn result(after: Option<String>, reason: Option<String>) -> String {
    after.or(reason).unwrap_or_default()
}

impl EarlierFinding {
    fn place(&self) -> [String; 5] {
        let object = self.object.as_ref().map(|object| {
            let EarlierObject {
                kind,
                namespace,
                name,
            } = object;
            if namespace.is_empty() {
                format!("{kind}/{name}")
            } else {
                format!("{namespace}/{kind}/{name}")
            }
        });
        let source = self.source.as_ref().map(|source| source.file.clone());
        [
            source.unwrap_or_default(),
            object.unwrap_or_default(),
            self.pointer.clone(),
            self.inner_pointer.clone().unwrap_or_default(),
            self.before.clone(),
        ]
    }

    fn answer(&self) -> FindingAnswer {
        FindingAnswer {
            id: self.before.clone(),
            severity: self.severity.clone(),
            mode: self.after.iter().map(|_| self.mode.as_str()).collect(),
            result: result(self.after.clone(), self.reason.clone()),
            region: self.region.clone().unwrap_or_default(),
            destinations: self.destinations.clone().unwrap_or_default(),
        }
    }
}

impl FindingAnswer {
    fn differs(&self, other: &Self) -> bool {
        let parts = |one: &Self| {
            (
                one.severity.clone(),
                one.result.clone(),
                one.mode.clone(),
                one.region.clone(),
                one.destinations.clone(),
            )
        };
        parts(self) != parts(other)
    }

    fn text(&self) -> String {
        let Self {
            severity,
            result,
            mode,
            region,
            ..
        } = self;
        let mode = match mode.as_str() {
            "" | "Rewrite" => String::new(),
            mode => format!(" in mode {mode}"),
        };
        let region = if region.is_empty() {
            String::new()
        } else {
            format!(" ({region})")
        };
        let to = match self.destinations.as_slice() {
            [] => String::new(),
            [any] if any == "*" => "; the profile routes to any region".to_owned(),
            regions => format!("; the profile routes to {}", regions.join(", ")),
        };
        format!("{severity}: {result}{mode}{region}{to}")
    }
}

impl ChangedFindingText {
    fn of(
        place: &NumberedPlace,
        then: Option<&FindingAnswer>,
        now: Option<&FindingAnswer>,
    ) -> Self {
        let (file, object, ..) = place;
        let place = if object.is_empty() { file } else { object };
        let text =
            |answer: Option<&FindingAnswer>| answer.map(FindingAnswer::text).unwrap_or_default();
        Self {
            place: place.clone(),
            id: then.or(now).map(|one| one.id.clone()).unwrap_or_default(),
            then: text(then),
            now: text(now),
        }
    }
}
