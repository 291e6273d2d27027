//! The baseline: the findings of an earlier audit, so that only new ones fail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bedrock_profiles_engine::in_group;
use serde::{Deserialize, Serialize};

use crate::report::fingerprint::fingerprints;
use crate::report::relative_paths::RelativePaths;
use crate::report::severity::Severity;
use crate::report::{AuditReport, ExemptedBy, Exemption, FindingRecord};

use super::console::message;
use super::interruption::Interruption;
use super::named_file::read_named;
use super::replace_file::{OutputError, write_output};

/// The kind of the file.
const KIND: &str = "Baseline";

/// A baseline as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BaselineFile {
    api_version: String,
    kind: String,
    findings: Vec<KnownFinding>,
}

/// A finding of a baseline. Only the fingerprint identifies it; the rest is for people who read the file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct KnownFinding {
    /// The file, from the folder of the baseline.
    file: Option<String>,
    object: Option<String>,
    id: String,
    /// The reason; absent where the ID is replaced.
    reason: Option<String>,
    fingerprint: String,
}

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read {path}, a file of --write-baseline")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is no baseline.
    #[error("{path} is no baseline: {source}; --write-baseline writes one")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The file is of another version of this program.
    #[error("{0} is no baseline of this version; --write-baseline writes one")]
    Version(PathBuf),
    /// The file cannot be written.
    #[error(transparent)]
    Unwritable(#[from] OutputError),
}

/// Writes the findings of a report that are more urgent than a note into a baseline at `path`.
///
/// # Errors
/// The file cannot be written; it is as it was.
pub(super) fn write(
    path: &Path,
    report: &AuditReport,
    interruption: &Interruption,
) -> Result<(), BaselineError> {
    let folder = folder_of(path)?;
    let all = fingerprints(&report.findings, |name| name_from(&folder, name));
    let findings = report.findings.iter().zip(all);
    let counted = findings.filter(|(one, _)| one.severity() < Severity::Note);
    let mut findings: Vec<_> = counted
        .map(|(one, fingerprint)| KnownFinding::of(one, fingerprint, &folder))
        .collect();
    findings.sort();
    let count = findings.len();
    let file = BaselineFile {
        api_version: in_group!("v1alpha1").to_owned(),
        kind: KIND.to_owned(),
        findings,
    };
    let text = serde_json::to_string_pretty(&file).map_err(|source| BaselineError::Invalid {
        path: path.to_owned(),
        source,
    })?;
    write_output(path, (text + "\n").as_bytes(), interruption)?;
    message!("note: {} has {count} findings", path.display());
    Ok(())
}

/// The report with the findings of the baseline at `path` exempt, as far as `concerns` selects them. Prints how many of the baseline do
/// not occur.
///
/// # Errors
/// The file cannot be read, or is no baseline.
pub fn apply(
    path: &Path,
    report: AuditReport,
    concerns: impl Fn(&FindingRecord) -> bool,
) -> Result<AuditReport, BaselineError> {
    let folder = folder_of(path)?;
    let mut known = read(path)?;
    let count = known.len();
    let mut all = fingerprints(&report.findings, |name| name_from(&folder, name)).into_iter();
    let report = report.map_findings(|one| {
        let fingerprint = all.next().unwrap_or_default();
        let is_counted = one.severity() < Severity::Note && concerns(one);
        if known.remove(&fingerprint) && is_counted {
            one.exempt = Some(Exemption {
                by: ExemptedBy::Baseline,
                written_at: path.display().to_string(),
                until: None,
                owner: None,
                ticket: None,
            });
        }
    });
    if !known.is_empty() {
        let rest = known.len();
        message!(
            "note: {rest} of the {count} findings in {} do not occur in what was read",
            path.display()
        );
    }
    Ok(report)
}

/// The fingerprints of a baseline.
fn read(path: &Path) -> Result<BTreeSet<String>, BaselineError> {
    let text = read_named(path).map_err(|source| BaselineError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let file: BaselineFile =
        serde_json::from_str(&text).map_err(|source| BaselineError::Invalid {
            path: path.to_owned(),
            source,
        })?;
    if (&*file.api_version, &*file.kind) != (in_group!("v1alpha1"), KIND) {
        return Err(BaselineError::Version(path.to_owned()));
    }
    let findings = file.findings.into_iter();
    Ok(findings.map(|one| one.fingerprint).collect())
}

/// Paths from the folder of a baseline, so that the folder that a command runs in does not matter.
fn folder_of(path: &Path) -> Result<RelativePaths, BaselineError> {
    let here = std::env::current_dir().map_err(|source| BaselineError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(RelativePaths::new(&here, path.parent().unwrap_or(path)))
}

/// The name of a file from the folder of a baseline; the name itself if the file is elsewhere.
fn name_from(folder: &RelativePaths, name: &str) -> String {
    let path = folder.of(name.as_ref());
    path.map_or_else(|| name.to_owned(), |path| path.display().to_string())
}

impl KnownFinding {
    fn of(one: &FindingRecord, fingerprint: String, folder: &RelativePaths) -> Self {
        let object = one.object.as_ref();
        Self {
            file: one
                .source
                .as_ref()
                .map(|source| name_from(folder, &source.file)),
            object: object.map(|object| format!("{}/{}", object.kind, object.name)),
            id: one.before.clone(),
            reason: one.reason.map(|reason| reason.to_string()),
            fingerprint,
        }
    }
}
