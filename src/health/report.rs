//! The results of all checks, as JSON.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::report::{API_VERSION, ToolVersion, serialize};

use super::check::{Check, CheckGroup, CheckResult, CheckState};

/// The results of all checks of a cluster.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// Always `bedrock-profiles.dev/v1alpha1`.
    pub api_version: &'static str,
    /// Always `CheckReport`.
    pub kind: &'static str,
    /// The program that made the report.
    pub tool: ToolVersion,
    /// The day that the date of the catalog is compared with.
    #[serde(serialize_with = "serialize::text")]
    #[schemars(with = "String")]
    pub today: Date,
    /// The URL of the API server.
    pub server: String,
    /// Whether these are the checks before an installation.
    pub before_installation: bool,
    /// The namespace of the release; null if there is no release.
    pub namespace: Option<String>,
    /// The name of the release; null if there is none.
    pub release: Option<String>,
    /// The numbers of checks.
    pub summary: CheckSummary,
    /// The checks, by group.
    pub groups: Vec<GroupReport>,
}

/// The numbers of checks by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckSummary {
    /// Checks that are passed.
    pub passed: usize,
    /// Checks that are passed with something to look at.
    pub warnings: usize,
    /// Checks that are failed.
    pub failed: usize,
    /// Checks that could not be made.
    pub unknown: usize,
}

/// The checks of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupReport {
    /// The group.
    pub group: CheckGroup,
    /// Its checks.
    pub checks: Vec<CheckResult>,
}

impl CheckReport {
    /// A report of results, of which those of a group follow each other or not.
    pub fn new(tool: ToolVersion, today: Date, server: String, results: Vec<CheckResult>) -> Self {
        let mut summary = CheckSummary::default();
        let mut groups: Vec<GroupReport> = Vec::new();
        for result in results {
            *match result.state {
                CheckState::Passed => &mut summary.passed,
                CheckState::Warning => &mut summary.warnings,
                CheckState::Failed => &mut summary.failed,
                CheckState::Unknown => &mut summary.unknown,
            } += 1;
            let group = result.check.group();
            match groups.iter_mut().find(|one| one.group == group) {
                Some(found) => found.checks.push(result),
                None => groups.push(GroupReport {
                    group,
                    checks: vec![result],
                }),
            }
        }
        Self {
            api_version: API_VERSION,
            kind: "CheckReport",
            tool,
            today,
            server,
            before_installation: false,
            namespace: None,
            release: None,
            summary,
            groups,
        }
    }

    /// Whether it is not known which release there is, so that no release was checked.
    pub fn is_unread(&self) -> bool {
        let mut checks = self.groups.iter().flat_map(|group| &group.checks);
        checks.any(|one| one.check == Check::ReleaseInstalled && one.state == CheckState::Unknown)
    }

    /// Whether a check is failed.
    pub const fn has_failed(&self) -> bool {
        self.summary.failed > 0
    }
}
