//! Findings as an OpenReports `Report` (`openreports.io/v1alpha1`): one per namespace, ordered by severity, and limited to the
//! size of an object.

use bedrock_profiles_engine::in_group;
use serde::Serialize;
use serde_json::{Value, json};

use super::severity::{Severity, SeverityCounts};
use super::{FindingRecord, ObjectReference, content_hash, messages};
use crate::domain::reason::Reason;

/// API version of reports.
pub const API_VERSION: &str = "openreports.io/v1alpha1";

/// The name of every report, and the source of its results.
pub const NAME: &str = "bedrock-profiles";

/// The annotation with the hash of the content.
pub const HASH: &str = in_group!("hash");

/// The annotation with the number of findings that are counted and not listed.
const UNLISTED: &str = in_group!("unlisted");

/// The maximum number of results of a report.
const MOST_RESULTS: usize = 500;

/// The maximum size of the results in bytes, so that a whole report is smaller than 512 KiB.
const MOST_BYTES: usize = 500 * 1024;

/// The owner of a report, with which it is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// API group and version.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
}

/// The report of one namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The hash of the content.
    pub hash: String,
    /// The object, to be applied.
    pub object: Value,
}

/// The result of a finding, in the terms of OpenReports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReportedResult {
    Fail,
    Warn,
    Skip,
}

impl ReportedResult {
    /// The result of a finding; `None` for an ID that is right.
    const fn of(severity: Severity) -> Option<Self> {
        match severity {
            Severity::Error => Some(Self::Fail),
            Severity::Change | Severity::Warning => Some(Self::Warn),
            Severity::Note => Some(Self::Skip),
            Severity::Ok => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Skip => "skip",
        }
    }

    /// The severity of the result, in the terms of OpenReports.
    const fn severity(self) -> &'static str {
        match self {
            Self::Fail => "high",
            Self::Warn => "medium",
            Self::Skip => "info",
        }
    }
}

#[derive(Serialize)]
struct ReportResult {
    source: &'static str,
    policy: String,
    rule: &'static str,
    category: &'static str,
    severity: &'static str,
    result: &'static str,
    scored: bool,
    message: String,
    resources: [Value; 1],
    properties: Value,
}

/// The report of a namespace: `findings`, each with the UID of its object, and the number of findings in `dropped`, which are
/// counted and not listed. An ID that is right is not reported. `None` if there is nothing to report.
pub fn report<'f>(
    namespace: &str,
    findings: impl IntoIterator<Item = (&'f FindingRecord, &'f str)>,
    dropped: SeverityCounts,
    owner: Option<&Owner>,
) -> Option<Report> {
    let mut graded: Vec<_> = findings
        .into_iter()
        .filter_map(|(one, uid)| {
            let severity = one.severity();
            Some((severity, ReportedResult::of(severity)?, one, uid))
        })
        .collect();
    graded.sort_by_key(|(severity, ..)| *severity);
    let mut counts = dropped;
    for (severity, ..) in &graded {
        counts.count(*severity);
    }
    let all = |result| {
        let of_result = |severity: &&Severity| ReportedResult::of(**severity) == Some(result);
        let severities = Severity::ALL.iter().filter(of_result);
        severities.map(|one| counts.of(*one)).sum::<usize>()
    };
    let (fail, warn, skip) = (
        all(ReportedResult::Fail),
        all(ReportedResult::Warn),
        all(ReportedResult::Skip),
    );
    let total = fail + warn + skip;
    if total == 0 {
        return None;
    }
    let results = listed(&graded);
    let unlisted = total - results.len();
    let content = json!({
        "summary": {
            "pass": 0, "fail": fail, "warn": warn, "error": 0, "skip": skip,
        },
        "results": results,
    });
    let hash = content_hash(&json!([content, unlisted, owner.map(|owner| &owner.uid)]));
    let mut object = json!({
        "apiVersion": API_VERSION, "kind": "Report",
        "metadata": {
            "name": NAME, "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": NAME},
            "annotations": {HASH: hash, UNLISTED: unlisted.to_string()},
            "ownerReferences": owner.into_iter().collect::<Vec<_>>(),
        },
        "source": NAME,
        "configuration": {"limits": {"maxResults": MOST_RESULTS}},
    });
    object["summary"] = content["summary"].clone();
    object["results"] = content["results"].clone();
    Some(Report { hash, object })
}

/// The results, up to the limits of a report.
fn listed(graded: &[(Severity, ReportedResult, &FindingRecord, &str)]) -> Vec<Value> {
    let mut room = MOST_BYTES;
    let results = graded.iter().take(MOST_RESULTS);
    results
        .map_while(|(_, policy_result, one, uid)| {
            let result = json!(result(*policy_result, one, uid));
            room = room.checked_sub(result.to_string().len() + 1)?;
            Some(result)
        })
        .collect()
}

fn result(policy_result: ReportedResult, one: &FindingRecord, uid: &str) -> ReportResult {
    ReportResult {
        source: NAME,
        policy: one.policy.clone(),
        rule: one.reason.map_or(one.outcome.as_str(), Reason::as_str),
        category: "Amazon Bedrock",
        severity: policy_result.severity(),
        result: policy_result.as_str(),
        scored: true,
        message: messages::finding(one),
        resources: [resource(one.object.as_ref(), uid)],
        properties: properties(one),
    }
}

fn resource(object: Option<&ObjectReference>, uid: &str) -> Value {
    let mut resource = json!(object);
    if !uid.is_empty() {
        resource["uid"] = json!(uid);
    }
    resource
}

/// The details of the message; the schema permits only strings.
fn properties(one: &FindingRecord) -> Value {
    let seen_in = one.seen_in.as_ref();
    let known = [
        ("pointer", Some(one.pointer.clone())),
        ("innerPointer", one.inner_pointer.clone()),
        ("reference", one.reference.as_ref().map(ToString::to_string)),
        ("modelId", Some(one.model_id.clone())),
        ("before", Some(one.before.clone())),
        ("after", one.after.clone()),
        ("suggestion", one.suggestion.clone()),
        ("region", one.region.map(|region| region.to_string())),
        ("mode", Some(one.mode.to_string())),
        (
            "seenIn",
            seen_in.map(|one| format!("{}/{}", one.kind, one.name)),
        ),
        (
            "instances",
            (one.instances > 0).then(|| one.instances.to_string()),
        ),
        (
            "missed",
            one.missed.map(|missed| missed.as_str().to_owned()),
        ),
        ("shadow", one.preview.then(|| "true".to_owned())),
    ];
    let known = known.into_iter().filter_map(|(name, text)| {
        Some((
            name.to_owned(),
            Value::from(text.filter(|text| !text.is_empty())?),
        ))
    });
    Value::Object(known.collect())
}

#[cfg(test)]
mod tests;
