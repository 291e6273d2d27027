//! One finding and its outcome, as a record.

use std::fmt;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::severity::Severity;
use super::{
    AdmissionOutcome, Exemption, LifecycleRecord, ObjectReference, ReferenceRecord, Source,
    admission, lifecycle, messages, schema, serialize,
};
use crate::domain::catalog::Destinations;
use crate::domain::judge::{JudgedFinding, ReasonDetail};
use crate::domain::policy::{Mode, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::{Region, RegionSource};
use crate::domain::resolve::{Note, Resolution, Target, crossings};
use crate::domain::snapshot::Snapshot;

/// One finding and its outcome.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingRecord {
    /// The Kubernetes object, unless the file contains no Kubernetes object.
    pub object: Option<ObjectReference>,
    /// The object that contains the ID, if it is not `object` itself: a Pod of a workload. `pointer` is relative to this object.
    pub seen_in: Option<ObjectReference>,
    /// The ServiceAccount of the Pods, whose role calls the model; none for an object without Pods.
    pub service_account: Option<String>,
    /// The number of ReplicaSets and Pods of `object` with the same finding.
    pub instances: usize,
    /// The location in a file.
    pub source: Option<Source>,
    /// RFC 6901 pointer from the root of the object to the text, or to the reference that the text comes from.
    pub pointer: String,
    /// The source of the text, if it comes from another object.
    pub reference: Option<ReferenceRecord>,
    /// Pointer inside the text, if that is a document.
    pub inner_pointer: Option<String>,
    /// Byte range of the ID in its decoded text: that at `innerPointer` if present, or else that of `reference` if present, or
    /// else that at `pointer`. If the ID is a key, the range is one of the key.
    pub span: [usize; 2],
    /// The direct ID, without a prefix; empty if the text is unknown.
    pub model_id: String,
    /// Whether the ID is replaced.
    pub outcome: Outcome,
    /// Why the ID is not replaced.
    #[serde(serialize_with = "serialize::optional_text")]
    #[schemars(schema_with = "schema::optional_reason")]
    pub reason: Option<Reason>,
    /// Why the ID is not replaced, with what to change: a field of the policy, an annotation, the tracker of the object.
    pub message: Option<String>,
    /// An ID that would work, or the nearest known ID, if the ID is reported and not replaced.
    pub suggestion: Option<String>,
    /// The inference profile that replaces the ID.
    pub profile: Option<String>,
    /// The ID as written, with its prefix; empty if the text is unknown.
    pub before: String,
    /// The replacement.
    pub after: Option<String>,
    /// The region that the workload calls.
    #[serde(serialize_with = "serialize::optional_text")]
    #[schemars(with = "Option<String>")]
    pub region: Option<Region>,
    /// The source of the region.
    #[serde(serialize_with = "serialize::optional_text")]
    #[schemars(schema_with = "schema::optional_region_source")]
    pub region_source: Option<RegionSource>,
    /// The regions that the profile may route requests to: names, `*` for any, or null if unknown.
    pub destinations: Option<Vec<String>>,
    /// Pairs of source and destination jurisdictions that a request may cross.
    pub crosses: Vec<[String; 2]>,
    /// The fields of the policy that permit the replacement to cross a border, or to call an ARN whose destinations are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<&'static str>,
    /// The mode of the policy.
    #[serde(serialize_with = "serialize::text")]
    #[schemars(with = "String")]
    pub mode: Mode,
    /// What a policy in mode `DryRun` would do, while another policy is effective.
    #[serde(rename = "shadow")]
    pub preview: bool,
    /// `EndOfLife` if the model has reached its end of life, so that the replacement does not work either; `Successor` if the
    /// replacement is of the successor of such a model.
    #[serde(serialize_with = "serialize::optional_text")]
    #[schemars(with = "Option<String>")]
    pub note: Option<Note>,
    /// Whether the webhook should have changed or denied the stored object.
    pub missed: Option<Missed>,
    /// The name of the policy.
    pub policy: String,
    /// The mapping whose row was used.
    pub mapping: Option<String>,
    /// The date of the data in that mapping.
    #[serde(serialize_with = "serialize::optional_text")]
    #[schemars(with = "Option<String>")]
    pub catalog_date: Option<Date>,
    /// The lifecycle of the model, if the model is known.
    pub lifecycle: Option<LifecycleRecord>,
    /// The last day of the annotation that opts the ID out; absent without such an annotation or without an end.
    #[serde(
        serialize_with = "serialize::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<String>")]
    pub opt_out_until: Option<LastDay>,
    /// Why the finding does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exempt: Option<Exemption>,
    /// The direct ID of the model that a replacement calls, if a mapping has it.
    #[serde(skip)]
    pub target_model: Option<String>,
    /// Whether calls of the direct ID fail in the region, as far as a mapping has a row for it.
    #[serde(skip)]
    pub direct_id_fails: bool,
    /// What the webhook does about the ID when the object is created.
    #[serde(skip)]
    pub admission: AdmissionOutcome,
    /// The severity that the user has given to the reason.
    #[serde(skip)]
    pub configured_severity: Option<Severity>,
}
/// The last day of an opt-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastDay {
    /// The day.
    pub day: Date,
    /// Whether the day is near, so that the finding is a warning.
    pub is_near: bool,
}

/// How many days before an opt-out ends its end is near.
const NEAR: i32 = 30;

impl fmt::Display for LastDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.day.fmt(f)
    }
}

/// Whether the ID of a finding is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
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

/// Whether the webhook should have changed or denied an object that is stored in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum Missed {
    /// The object was written before the policy was active, or the order is unknown.
    Before,
    /// The object was written while the policy was active.
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
    /// The record of `judged`, which is at `pointer` of `object`.
    pub fn new(
        judged: &JudgedFinding<'_>,
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
        let region = judged.region.map(|chosen| chosen.region);
        let (target, destinations, note) = target_of(judged);
        let mapping = judged.evidence.mapping;
        let mapping = mapping.map(|at| snapshot.catalog.mapping(at));
        let after = target.map(ToString::to_string);
        let inner = judged.finding.inner.as_ref();
        let span = inner.map_or(judged.finding.span(), |inner| &inner.span);
        let profile = target
            .filter(|target| !matches!(target, Target::Direct(_)))
            .map(ToString::to_string);
        Self {
            seen_in: None,
            service_account: None,
            instances: 0,
            source: None,
            reference: judged.finding.site.reference().map(ReferenceRecord::of),
            inner_pointer: inner.map(|inner| inner.pointer.clone()),
            span: [span.start, span.end],
            model_id: judged.id.clone(),
            outcome: if target.is_some() {
                Outcome::Rewrite
            } else {
                Outcome::Leave
            },
            reason: judged.resolution.reason(),
            message: message(judged, &pointer, object.as_ref(), context),
            suggestion: judged.suggestion.as_ref().map(ToString::to_string),
            profile,
            before: judged.finding.text().to_owned(),
            after,
            region,
            region_source: judged.region.map(|chosen| chosen.source),
            destinations: destinations.and_then(destination_names),
            consent: consent(judged),
            crosses: crossed_jurisdictions(destinations, region),
            mode: policy.mode,
            preview,
            note,
            missed: None,
            policy: policy.name.to_string(),
            mapping: mapping.map(|(name, _)| name.to_owned()),
            catalog_date: mapping.and_then(|(_, date)| date),
            lifecycle: lifecycle(judged, snapshot, today),
            opt_out_until: opt_out_until(judged, today),
            exempt: None,
            target_model: target_model(judged, snapshot),
            direct_id_fails: admission::direct_id_fails(judged, context),
            admission: AdmissionOutcome::of(judged, policy),
            configured_severity: None,
            object,
            pointer,
        }
    }
}

impl FindingRecord {
    /// Whether the annotation that opts the ID out ends soon.
    pub fn opt_out_ends_soon(&self) -> bool {
        self.opt_out_until.is_some_and(|last| last.is_near)
    }

    /// The object of the finding, or else its file.
    pub fn place(&self) -> String {
        let object = self.object.as_ref().filter(|one| !one.name.is_empty());
        match (object, &self.source) {
            (Some(object), _) => object.to_string(),
            (None, Some(source)) => source.name().into_owned(),
            (None, None) => String::new(),
        }
    }

    /// Whether the ID does not work and the policy permits no replacement.
    pub fn is_unresolved(&self) -> bool {
        self.reason.is_some_and(Reason::is_unresolved)
    }
}

/// Why the ID is not replaced, with what to change.
fn message(
    judged: &JudgedFinding<'_>,
    pointer: &str,
    object: Option<&ObjectReference>,
    RecordContext {
        snapshot, policy, ..
    }: RecordContext<'_>,
) -> Option<String> {
    match (judged.resolution.reason(), object) {
        (Some(Reason::CustomResource), Some(object)) if !pointer.is_empty() => {
            Some(messages::custom_field(&object.kind, pointer))
        }
        _ => messages::unchanged(judged, policy, snapshot),
    }
}

/// The fields of the policy that permit the target of a rewrite to cross a border; none if it crosses none.
fn consent(judged: &JudgedFinding<'_>) -> Option<&'static str> {
    let (target, destinations, _) = target_of(judged);
    let region = judged.region.map(|chosen| chosen.region);
    let crosses = !crossed_jurisdictions(destinations, region).is_empty();
    match (target?, destinations?) {
        (Target::System { geography, .. }, _) if geography.is_global() => Some("geography.global"),
        (Target::System { .. }, _) => crosses.then_some("geography.allowed"),
        // Its destinations may be anywhere: an override without them is consent by itself.
        (Target::Given(_), Destinations::Unknown | Destinations::Anywhere) => Some("overrides"),
        (Target::Given(_), Destinations::Known(_)) => {
            crosses.then_some("overrides, geography.allowed")
        }
        (Target::Direct(_), _) => None,
    }
}

/// The last day of the annotation that opts the ID out.
fn opt_out_until(judged: &JudgedFinding<'_>, today: Date) -> Option<LastDay> {
    match &judged.detail {
        Some(ReasonDetail::OptedOut(annotation)) => {
            let day = annotation.end.last_day()?;
            let is_near = (day - today).get_days() <= NEAR;
            Some(LastDay { day, is_near })
        }
        _ => None,
    }
}

/// The direct ID of the model that the target of a rewrite calls, if a mapping has it.
fn target_model(judged: &JudgedFinding<'_>, snapshot: &Snapshot) -> Option<String> {
    let target = target_of(judged).0;
    let model = judged.evidence.model.filter(|_| target.is_some());
    model.map(|at| snapshot.catalog.model(at).id.to_string())
}

/// The target, its destinations and its note; only the destinations for a profile that is not permitted.
fn target_of<'a>(
    judged: &'a JudgedFinding<'_>,
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

/// The names of the regions, `*` for any, `None` if unknown.
pub fn destination_names(destinations: &Destinations) -> Option<Vec<String>> {
    match destinations {
        Destinations::Known(regions) => Some(regions.iter().map(ToString::to_string).collect()),
        Destinations::Anywhere => Some(vec!["*".to_owned()]),
        Destinations::Unknown => None,
    }
}

/// Pairs of source and destination jurisdictions that a request may cross.
pub fn crossed_jurisdictions(
    destinations: Option<&Destinations>,
    region: Option<Region>,
) -> Vec<[String; 2]> {
    let (Some(destinations), Some(region)) = (destinations, region) else {
        return Vec::new();
    };
    crossings(destinations, region)
        .iter()
        .map(|(from, to)| [from.to_string(), to.to_string()])
        .collect()
}
