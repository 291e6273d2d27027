//! What a change of policies, mappings or regions does that has not been made: the findings that differ between two audits of the same
//! objects, and the regions that data would reach. No I/O.
//!
//! ```text
//! effect   what becomes of one ID when its object is created
//! compare  the findings of two audits, paired
//! routes   the regions that the data of a namespace reaches, before and after
//! text     the report as text
//! ```

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::report::{AuditReport, ObjectReference, Source, ToolVersion, serialize};

mod compare;
mod effect;
mod markdown;
mod routes;
mod text;

pub use effect::AdmissionEffect;
pub use markdown::markdown;
pub use routes::RouteChange;
pub use text::{summary, text};

/// What a planned change does.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewReport<'r> {
    /// Always `bedrock-profiles.dev/v1alpha1`.
    pub api_version: &'static str,
    /// Always `PreviewReport`.
    pub kind: &'static str,
    /// The program that made the report.
    pub tool: &'r ToolVersion,
    /// The day that dates of end of life are compared with.
    #[serde(serialize_with = "serialize::text")]
    #[schemars(with = "String")]
    pub today: Date,
    /// The parts of the change, such as `with policy.yaml` or `eu-west-1 moved to eu-south-2`.
    pub change: Vec<String>,
    /// The numbers of objects and findings.
    pub summary: PreviewSummary,
    /// What was not evaluated to its end, each with the cause. IDs there are not in the report.
    pub incomplete: Vec<String>,
    /// The IDs for which something changes, by file or object.
    pub findings: Vec<FindingChange<'r>>,
    /// The namespaces whose data reaches other regions than now, by model.
    pub routes: Vec<RouteChange>,
}

/// The numbers of objects and findings of a preview.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewSummary {
    /// Files that were read; absent for a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
    /// Objects that were evaluated.
    pub objects: usize,
    /// IDs that were found, now or after the change.
    pub findings: usize,
    /// Of these, the IDs for which something changes.
    pub changed: usize,
    /// The files of these, or the objects of a cluster.
    pub changed_places: usize,
}

/// An ID for which something changes.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingChange<'r> {
    /// The Kubernetes object, unless the file contains no Kubernetes object.
    pub object: Option<&'r ObjectReference>,
    /// The object that contains the ID, if it is not `object` itself: a Pod of a workload. `pointer` is relative to this object.
    pub seen_in: Option<&'r ObjectReference>,
    /// The ServiceAccount of the Pods, whose role calls the model; none for an object without Pods.
    pub service_account: Option<&'r str>,
    /// The location in a file.
    pub source: Option<&'r Source>,
    /// RFC 6901 pointer from the root of the object to the text.
    pub pointer: &'r str,
    /// Pointer inside the text, if that is a document.
    pub inner_pointer: Option<&'r str>,
    /// The ID as written, with its prefix, and the object that it comes from if that is another one.
    pub id: String,
    /// The direct ID, without a prefix.
    pub model_id: &'r str,
    /// What becomes of the ID now; null if no policy selects the object.
    pub now: Option<AdmissionEffect<'r>>,
    /// What would become of it; null if no policy would select the object.
    pub planned: Option<AdmissionEffect<'r>>,
}

/// The report about a change, from the audits of the same objects without it and with it.
pub fn preview<'r>(
    now: &'r AuditReport,
    planned: &'r AuditReport,
    change: Vec<String>,
) -> PreviewReport<'r> {
    let pairs = compare::pairs(&now.findings, &planned.findings);
    let mut findings: Vec<_> = pairs.iter().filter_map(FindingChange::of).collect();
    findings.sort_by_cached_key(FindingChange::order);
    let mut places: Vec<_> = findings.iter().map(FindingChange::place).collect();
    places.dedup();
    PreviewReport {
        api_version: now.api_version,
        kind: "PreviewReport",
        tool: &now.tool,
        today: now.today,
        change,
        summary: PreviewSummary {
            files: now.summary.files,
            objects: now.summary.objects,
            findings: pairs.len(),
            changed: findings.len(),
            changed_places: places.len(),
        },
        incomplete: incomplete(now, planned),
        routes: routes::route_changes(&pairs),
        findings,
    }
}

/// What one of the two audits could not read.
fn incomplete(now: &AuditReport, planned: &AuditReport) -> Vec<String> {
    let mut problems = Vec::new();
    for part in now.unread_parts().chain(planned.unread_parts()) {
        let file = part.file.map(|file| format!("{file}: "));
        let problem = format!("{}{}", file.unwrap_or_default(), part.problem);
        if part.is_error && !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}
