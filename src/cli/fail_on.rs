//! The findings that end a command with exit code 1.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::report::severity::Severity;
use crate::report::{AuditReport, FindingRecord};

/// The least urgent severity that ends the command with exit code 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// An ID that cannot work.
    Error,
    /// An error, or an ID that would be replaced.
    #[default]
    Change,
    /// An error, a change, or an ID that works only by chance or not for long.
    Warning,
    /// No finding.
    Never,
}

impl FailOn {
    /// Whether a finding ends the command with exit code 1.
    pub(super) fn includes(self, one: &FindingRecord) -> bool {
        let least = match self {
            Self::Error => Severity::Error,
            Self::Change => Severity::Change,
            Self::Warning => Severity::Warning,
            Self::Never => return false,
        };
        one.severity() <= least
    }

    /// Whether a document that is not YAML or JSON ends the command with exit code 1, as every error does.
    pub(super) fn includes_unread(self, report: &AuditReport) -> bool {
        self != Self::Never && report.unread.iter().any(|one| one.is_error)
    }
}
