//! Findings that the user knows: they are reported, and do not count.

use std::fmt;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

/// Why a finding does not count, as a comment, the configuration file or the baseline says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Exemption {
    /// What exempts.
    pub by: ExemptedBy,
    /// Where the exemption is written: `FILE:LINE` of a comment, the configuration file and the item, or the baseline.
    pub written_at: String,
    /// The last day of the exemption; without an end if absent.
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// The owner.
    pub owner: Option<String>,
    /// The ticket.
    pub ticket: Option<String>,
}

/// What exempts a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum ExemptedBy {
    /// A comment of the file.
    Comment,
    /// The configuration file.
    Configuration,
    /// The baseline, which has the findings of an earlier audit.
    Baseline,
}

impl Exemption {
    /// Whether the exemption has ended. It counts through its last day.
    pub fn has_ended(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

/// `until 2027-01-31, owner team-a, ticket OPS-7 (chat.yaml:12)`.
impl fmt::Display for Exemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until.map(|until| format!("until {until}"));
        let owner = self.owner.as_ref().map(|owner| format!("owner {owner}"));
        let ticket = self
            .ticket
            .as_ref()
            .map(|ticket| format!("ticket {ticket}"));
        let known: Vec<_> = [until, owner, ticket].into_iter().flatten().collect();
        if known.is_empty() {
            return write!(f, "by {}", self.written_at);
        }
        write!(f, "{} ({})", known.join(", "), self.written_at)
    }
}
