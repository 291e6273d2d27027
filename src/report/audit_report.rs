//! The report of an audit: what was looked at, and every finding.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bedrock_profiles_engine::in_group;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::resolve::Note;

use super::severity::SeverityCounts;
use super::{FindingRecord, ListedFinding, listed_finding, serialize};

/// API version of the report.
pub const API_VERSION: &str = in_group!("v1alpha1");

/// The result of an audit.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// Always `bedrock-profiles.dev/v1alpha1`.
    pub api_version: &'static str,
    /// Always `AuditReport`.
    pub kind: &'static str,
    /// The program that made the report.
    pub tool: ToolVersion,
    /// The day that dates of end of life are compared with.
    #[serde(serialize_with = "serialize::text")]
    #[schemars(with = "String")]
    pub today: Date,
    /// The numbers of objects and findings.
    pub summary: Summary,
    /// What was not evaluated to its end, each with the cause: lists of the cluster, or the files.
    pub incomplete: Vec<String>,
    /// The files that could not be read, and those that were skipped because they are no text.
    pub unread_files: Vec<UnreadFile>,
    /// The documents that could not be parsed, and were read line by line.
    pub unread: Vec<UnreadDocument>,
    /// Every finding, in the order of files, documents and lines.
    #[serde(serialize_with = "listed_finding::serialize_all")]
    #[schemars(with = "Vec<ListedFinding<'static>>")]
    pub findings: Vec<FindingRecord>,
}

/// The version of the program and of its catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolVersion {
    /// The name of the program.
    pub name: &'static str,
    /// The version of the program.
    pub version: &'static str,
    /// The date of the built-in catalog. Each finding has that of the mapping that was used.
    pub catalog_date: Option<String>,
}

impl ToolVersion {
    /// This program, with a built-in catalog of this date.
    pub const fn current(catalog_date: Option<String>) -> Self {
        Self {
            name: "bedrock-profiles",
            version: env!("CARGO_PKG_VERSION"),
            catalog_date,
        }
    }
}

/// What a report is about, besides its findings.
#[derive(Debug, Clone)]
pub struct AuditSubject {
    /// See [`AuditReport::tool`].
    pub tool: ToolVersion,
    /// See [`AuditReport::today`].
    pub today: Date,
    /// The number of files that were read; `None` for a cluster.
    pub files: Option<usize>,
    /// The number of objects that were evaluated.
    pub objects: usize,
    /// See [`AuditReport::incomplete`].
    pub incomplete: Vec<String>,
    /// See [`AuditReport::unread_files`].
    pub unread_files: Vec<UnreadFile>,
    /// See [`AuditReport::unread`].
    pub unread: Vec<UnreadDocument>,
}

/// A file that was not evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnreadFile {
    /// The name of the file.
    pub file: String,
    /// Why it was not evaluated.
    pub problem: String,
    /// Whether it is an error: the file could not be read. Else it was skipped, because it is no text.
    pub is_error: bool,
}

/// A document that could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnreadDocument {
    /// The name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: String,
    /// Whether it is an error, as in every file that is no template.
    pub is_error: bool,
}

/// A file, a document or a list of a cluster that was not evaluated as a whole.
#[derive(Debug, Clone)]
pub struct UnreadPart<'r> {
    /// The name of the file; `None` for a list of a cluster.
    pub file: Option<&'r str>,
    /// Line and column in characters, from 1; `None` for a whole file.
    pub position: Option<(usize, usize)>,
    /// What is wrong.
    pub problem: Cow<'r, str>,
    /// Whether it is an error.
    pub is_error: bool,
}

/// The numbers of objects and findings of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Files that were read; absent for a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<usize>,
    /// Objects that were evaluated.
    pub objects: usize,
    /// All findings: to rewrite, unchanged, and previews.
    pub findings: usize,
    /// Findings by severity.
    #[schemars(with = "BTreeMap<String, usize>")]
    pub severities: SeverityCounts,
    /// Findings that are or would be rewritten.
    pub rewrite: usize,
    /// Those of them that are or would be replaced by the successor of a model at its end of life.
    #[serde(skip_serializing_if = "is_zero")]
    pub successors: usize,
    /// IDs that are unchanged, by reason.
    pub leave: BTreeMap<&'static str, usize>,
    /// Previews: findings of policies in mode `DryRun`, while another policy is effective.
    #[serde(rename = "shadow")]
    pub previews: usize,
    /// Findings that are exempt, which no other of these counts has but `findings` and `severities`.
    #[serde(skip_serializing_if = "is_zero")]
    pub exempt: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference to the field"
)]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl AuditReport {
    /// The findings with their severities.
    pub fn listed(&self) -> impl Iterator<Item = ListedFinding<'_>> {
        self.findings.iter().map(ListedFinding::of)
    }

    /// The lists of a cluster that were not read to their end, the files that could not be read, and the documents that could not be
    /// parsed. Files that are no text are left out.
    pub fn unread_parts(&self) -> impl Iterator<Item = UnreadPart<'_>> {
        let files = self.unread_files.iter().filter(|one| one.is_error);
        let files = files.map(|one| UnreadPart {
            file: Some(one.file.as_str()),
            position: None,
            problem: Cow::Borrowed(one.problem.as_str()),
            is_error: true,
        });
        let documents = self.unread.iter().map(|one| UnreadPart {
            file: Some(one.file.as_str()),
            position: Some((one.line, one.column)),
            problem: Cow::Borrowed(one.problem.as_str()),
            is_error: one.is_error,
        });
        let is_of_files = self.summary.files.is_some();
        let problem = if is_of_files {
            "incomplete: "
        } else {
            "cannot list "
        };
        let lists = self.incomplete.iter().map(move |list| UnreadPart {
            file: None,
            position: None,
            problem: format!("{problem}{list}").into(),
            is_error: true,
        });
        lists.chain(files).chain(documents)
    }

    /// A report of `findings` about `subject`.
    pub fn new(subject: AuditSubject, findings: Vec<FindingRecord>) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "AuditReport",
            tool: subject.tool,
            today: subject.today,
            summary: Summary::of(subject.files, subject.objects, &findings),
            incomplete: subject.incomplete,
            unread_files: subject.unread_files,
            unread: subject.unread,
            findings,
        }
    }

    /// The report with every finding changed, and counted again.
    #[must_use]
    pub fn map_findings(mut self, change: impl FnMut(&mut FindingRecord)) -> Self {
        self.findings.iter_mut().for_each(change);
        let Summary { files, objects, .. } = self.summary;
        self.summary = Summary::of(files, objects, &self.findings);
        self
    }
}

impl Summary {
    fn of(files: Option<usize>, objects: usize, findings: &[FindingRecord]) -> Self {
        let mut summary = Self {
            files,
            objects,
            findings: findings.len(),
            ..Self::default()
        };
        for finding in findings {
            summary.severities.count(finding.severity());
            match finding.reason {
                _ if finding.preview => summary.previews += 1,
                _ if finding.exempt.is_some() => summary.exempt += 1,
                None => {
                    summary.rewrite += 1;
                    summary.successors += usize::from(finding.note == Some(Note::Successor));
                }
                Some(reason) => *summary.leave.entry(reason.as_str()).or_default() += 1,
            }
        }
        summary
    }
}
