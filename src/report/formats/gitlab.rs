//! A code quality report of GitLab: findings that a merge request adds or removes.

use serde::Serialize;

use crate::report::fingerprint::fingerprints;
use crate::report::severity::Severity;
use crate::report::text::Show;
use crate::report::{AuditReport, FindingRecord, content_hash, messages};

use super::FormatOptions;

/// The path of a list of a cluster, for which there is no file.
const CLUSTER: &str = "cluster";

/// The fields that GitLab requires of a finding.
#[derive(Serialize)]
struct GitLabFinding {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: GitLabLocation,
}

#[derive(Serialize)]
struct GitLabLocation {
    path: String,
    lines: GitLabLines,
}

#[derive(Serialize)]
struct GitLabLines {
    begin: usize,
}

/// The findings that are shown, and the parts that were not read, as a JSON array.
///
/// # Errors
/// Never: the report has only values that JSON has.
pub fn gitlab(
    report: &AuditReport,
    options: FormatOptions<'_>,
) -> Result<String, serde_json::Error> {
    let paths = options.paths;
    let unread = report.unread_parts().map(|one| {
        let path = one
            .file
            .map_or_else(|| CLUSTER.to_owned(), |file| paths.path(file));
        GitLabFinding {
            description: one.problem.to_string(),
            check_name: "unread",
            fingerprint: content_hash(&serde_json::json!([
                "unread",
                path,
                one.position,
                one.problem
            ])),
            severity: if one.is_error { "critical" } else { "info" },
            location: location(path, one.position.map_or(1, |(line, _)| line)),
        }
    });
    let fingerprints = fingerprints(&report.findings, |name| paths.path(name));
    let all = report.findings.iter().zip(fingerprints);
    let shown = all.filter(|(one, _)| Show::any(options.show, one));
    let findings = shown.map(|(one, fingerprint)| GitLabFinding {
        description: format!("{}: {}", one.cause(), messages::sentence(one)),
        check_name: one.cause().as_str(),
        fingerprint,
        severity: severity(one.severity()),
        location: location_of(one, options),
    });
    let all: Vec<_> = unread.chain(findings).collect();
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

/// The file, or the object of a cluster in its place: GitLab requires a path.
fn location_of(one: &FindingRecord, options: FormatOptions<'_>) -> GitLabLocation {
    match (&one.source, &one.object) {
        (Some(source), _) => location(options.paths.path(&source.file), source.line),
        (None, object) => {
            let object = object.as_ref().map(ToString::to_string);
            location(object.unwrap_or_default(), 1)
        }
    }
}

const fn location(path: String, line: usize) -> GitLabLocation {
    GitLabLocation {
        path,
        lines: GitLabLines { begin: line },
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "critical",
        Severity::Change => "major",
        Severity::Warning => "minor",
        Severity::Note | Severity::Ok => "info",
    }
}
