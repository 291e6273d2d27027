//! A finding as reports list it: with what follows from the finding.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::severity::Severity;
use super::{FindingRecord, schema};

/// A finding with its severity and a page that explains it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct ListedFinding<'a> {
    /// How urgent the finding is: `error`, `change`, `warning`, `note` or `ok`.
    #[schemars(schema_with = "schema::severity")]
    severity: Severity,
    /// The page that explains the finding, as a path in the repository of this program.
    help: String,
    #[serde(flatten)]
    finding: &'a FindingRecord,
}

impl<'a> ListedFinding<'a> {
    pub(super) fn of(finding: &'a FindingRecord) -> Self {
        Self {
            severity: finding.severity(),
            help: finding.cause().page(),
            finding,
        }
    }
}

/// Writes findings with their severities.
pub(super) fn serialize_all<S: Serializer>(
    findings: &[FindingRecord],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(findings.iter().map(ListedFinding::of))
}

/// Writes a finding with its severity.
pub(crate) fn serialize_finding<S: Serializer>(
    finding: &FindingRecord,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    ListedFinding::of(finding).serialize(serializer)
}
