//! The record of a finding: the one schema that log lines, reports and every output format are renderings of.
//!
//! Holds IDs and places, never the rest of a text, which may be a secret.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::catalog::Destinations;
use crate::domain::judge::Judged;
use crate::domain::policy::{Mode, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::{Region, RegionSource};
use crate::domain::resolve::{Note, Resolution, Target, crossings};
use crate::domain::snapshot::Snapshot;

pub mod grade;
mod lifecycle;
pub mod messages;
pub mod openreports;
mod reference;
pub(crate) mod serialize;
pub mod terminal;

pub use lifecycle::{LifecycleRecord, lifecycle, lifecycle_of};
pub use reference::ReferenceRecord;

/// API version of the report.
pub const API_VERSION: &str = "bedrock-profiles.dev/v1alpha1";

/// What an audit found.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// Always [`API_VERSION`].
    pub api_version: &'static str,
    /// Always `AuditReport`.
    pub kind: &'static str,
    /// Counts.
    pub summary: Summary,
    /// Every finding, in the order of files, documents and places.
    pub findings: Vec<FindingRecord>,
}

/// Counts over a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Objects that were judged.
    pub objects: usize,
    /// All findings: to rewrite, unchanged, and previews.
    pub findings: usize,
    /// Findings that are or would be rewritten.
    pub rewrite: usize,
    /// Findings left, by reason.
    pub leave: BTreeMap<&'static str, usize>,
    /// Previews: findings of policies in mode `DryRun`, while another policy is effective.
    #[serde(rename = "shadow")]
    pub previews: usize,
}

/// One finding and what becomes of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingRecord {
    /// The Kubernetes object, where there is one.
    pub object: Option<ObjectReference>,
    /// The object below that one on which it was seen, where it does not show it itself: a Pod of a workload. `pointer` leads
    /// into this one.
    pub seen_in: Option<ObjectReference>,
    /// How many ReplicaSets and Pods below show the same.
    pub instances: usize,
    /// The place in a file, where there is one.
    pub source: Option<Source>,
    /// RFC 6901 pointer from the object's root to the text, or to what takes it from elsewhere.
    pub pointer: String,
    /// Where the text stands, if the object takes it from elsewhere.
    pub reference: Option<ReferenceRecord>,
    /// Pointer inside a text that is itself a document.
    pub inner_pointer: Option<String>,
    /// Byte range of the ID in the decoded text at `pointer`, in the one at `innerPointer` where there is one, or in the one that
    /// is taken from elsewhere; in the key where the ID is a key.
    pub span: [usize; 2],
    /// The direct ID that was judged, without a prefix; empty where the text is not read.
    pub model_id: String,
    /// Whether the ID is replaced.
    pub outcome: Outcome,
    /// Why the ID is not replaced.
    #[serde(serialize_with = "serialize::optional_text")]
    pub reason: Option<Reason>,
    /// What would work in its place, or the known ID that is nearest to it, where it is told and never changed.
    pub suggestion: Option<String>,
    /// The inference profile that takes its place.
    pub profile: Option<String>,
    /// The ID as it stands, with its prefix; empty where the text is not read.
    pub before: String,
    /// What takes its place.
    pub after: Option<String>,
    /// The region that the workload calls.
    #[serde(serialize_with = "serialize::optional_text")]
    pub region: Option<Region>,
    /// Where the region was found.
    #[serde(serialize_with = "serialize::optional_text")]
    pub region_source: Option<RegionSource>,
    /// Where the profile may route the request: regions, `*`, or null where nobody has told.
    pub destinations: Option<Vec<String>>,
    /// Pairs of source and destination jurisdictions that a request may cross.
    pub crosses: Vec<[String; 2]>,
    /// The policy's mode.
    #[serde(serialize_with = "serialize::text")]
    pub mode: Mode,
    /// What a policy in mode `DryRun` would do, while another policy is effective.
    #[serde(rename = "shadow")]
    pub preview: bool,
    /// `EndOfLife`, where the rewrite cures nothing.
    #[serde(serialize_with = "serialize::optional_text")]
    pub note: Option<Note>,
    /// Whether the webhook should have caught it, where an object of a cluster could have been changed or refused.
    pub missed: Option<Missed>,
    /// The policy's name.
    pub policy: String,
    /// The mapping whose row decided.
    pub mapping: Option<String>,
    /// When that mapping's rows were true.
    #[serde(serialize_with = "serialize::optional_text")]
    pub catalog_date: Option<Date>,
    /// The model's life, where the model is known.
    pub lifecycle: Option<LifecycleRecord>,
}

/// Whether the ID of a finding is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// The ID is replaced, or would be.
    Rewrite,
    /// The ID stays as it is.
    Leave,
}

impl Outcome {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rewrite => "Rewrite",
            Self::Leave => "Leave",
        }
    }
}

/// Whether the webhook should have caught what is stored in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Missed {
    /// It was written before the policy was in force, or nobody can tell.
    Before,
    /// It was written while the policy was in force, and not caught.
    Missed,
}

impl Missed {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "Before",
            Self::Missed => "Missed",
        }
    }
}

/// A Kubernetes object by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectReference {
    /// API group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty where none is stated.
    pub namespace: String,
    /// Name, or the name to be generated with its hyphen.
    pub name: String,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The file as it was named or found.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The document in the file, from 0.
    pub document: usize,
}

/// What a record is made from, besides the finding itself.
#[derive(Debug, Clone, Copy)]
pub struct RecordContext<'a> {
    /// The snapshot that the finding was evaluated with.
    pub snapshot: &'a Snapshot,
    /// The policy that it was evaluated with.
    pub policy: &'a Policy,
    /// The date of the evaluation.
    pub today: Date,
    /// See [`FindingRecord::preview`].
    pub preview: bool,
}

impl FindingRecord {
    /// The record of `judged`, which stands at `pointer` of `object`.
    pub fn new(
        judged: &Judged<'_>,
        pointer: String,
        object: Option<ObjectReference>,
        context: RecordContext<'_>,
    ) -> Self {
        let RecordContext {
            snapshot,
            policy,
            today,
            preview,
        } = context;
        let region = judged.region.map(|(region, _)| region);
        let (target, destinations, note) = answered(judged);
        let mapping = judged
            .evidence
            .mapping
            .map(|at| snapshot.catalog.mapping(at));
        let after = target.map(ToString::to_string);
        let inner = judged.finding.inner.as_ref();
        let span = inner.map_or(&judged.finding.token.span, |inner| &inner.span);
        let profile = target
            .filter(|target| !matches!(target, Target::Direct(_)))
            .map(ToString::to_string);
        Self {
            object,
            seen_in: None,
            instances: 0,
            source: None,
            pointer,
            reference: judged.finding.leaf.reference().map(ReferenceRecord::of),
            inner_pointer: inner.map(|inner| inner.pointer.clone()),
            span: [span.start, span.end],
            model_id: judged.id.clone(),
            outcome: if target.is_some() {
                Outcome::Rewrite
            } else {
                Outcome::Leave
            },
            reason: judged.resolution.reason(),
            suggestion: judged.suggestion.as_ref().map(ToString::to_string),
            profile,
            before: judged.finding.text.to_owned(),
            after,
            region,
            region_source: judged.region.map(|(_, source)| source),
            destinations: destinations.and_then(names),
            crosses: crosses(destinations, region),
            mode: policy.mode,
            preview,
            note,
            missed: None,
            policy: policy.name.to_string(),
            mapping: mapping.map(|(name, _)| name.to_owned()),
            catalog_date: mapping.and_then(|(_, date)| date),
            lifecycle: lifecycle(judged, snapshot, today),
        }
    }
}

impl FindingRecord {
    /// Whether the ID cannot work and nothing that the policy permits serves it.
    pub fn is_unresolved(&self) -> bool {
        self.reason.is_some_and(Reason::is_unresolved)
    }
}

impl AuditReport {
    /// A report of `findings` in `objects` objects.
    pub fn new(objects: usize, findings: Vec<FindingRecord>) -> Self {
        let mut summary = Summary {
            objects,
            findings: findings.len(),
            ..Summary::default()
        };
        for finding in &findings {
            match finding.reason {
                _ if finding.preview => summary.previews += 1,
                None => summary.rewrite += 1,
                Some(reason) => *summary.leave.entry(reason.as_str()).or_default() += 1,
            }
        }
        Self {
            api_version: API_VERSION,
            kind: "AuditReport",
            summary,
            findings,
        }
    }
}

/// The target, where it may route, and what must be known besides; of a profile that was refused only where it may route.
fn answered<'a>(
    judged: &'a Judged<'_>,
) -> (Option<&'a Target>, Option<&'a Destinations>, Option<Note>) {
    match &judged.resolution {
        Resolution::Rewrite {
            target,
            destinations,
            note,
        } => (Some(target), Some(destinations), *note),
        Resolution::Leave(_) => (
            None,
            judged
                .evidence
                .route
                .as_ref()
                .map(|route| &route.destinations),
            None,
        ),
    }
}

/// Regions by name, `*` for any, `None` where nobody has told.
pub fn names(destinations: &Destinations) -> Option<Vec<String>> {
    match destinations {
        Destinations::Known(regions) => Some(regions.iter().map(ToString::to_string).collect()),
        Destinations::Anywhere => Some(vec!["*".to_owned()]),
        Destinations::Unknown => None,
    }
}

/// Pairs of source and destination jurisdictions that a request may cross.
pub fn crosses(destinations: Option<&Destinations>, region: Option<Region>) -> Vec<[String; 2]> {
    let (Some(destinations), Some(region)) = (destinations, region) else {
        return Vec::new();
    };
    crossings(destinations, region)
        .iter()
        .map(|(from, to)| [from.to_string(), to.to_string()])
        .collect()
}
