//! What a finding is listed under.

use std::fmt;

use crate::domain::catalog::LifecycleState;
use crate::domain::reason::Reason;
use crate::domain::resolve::Note;

use super::severity::Severity;
use super::{FindingRecord, Missed};

/// The folder of the project's pages, for links.
const PAGES: &str = "https://github.com/bedrock-profiles/bedrock-profiles/blob/main/";

/// The URL of a page of the repository, by its path, with or without an anchor.
pub fn page_url(path: &str) -> String {
    format!("{PAGES}{path}")
}

/// What a finding is listed under: the reason, or what is more urgent than the reason. An ID may be right and its model out of
/// service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The ID is or would be replaced.
    Change,
    /// The webhook should have replaced the ID.
    Missed,
    /// The model has reached its end of life, and its successor replaces it.
    Successor,
    /// The ID is right, and its model has an end of life.
    Legacy,
    /// The annotation that opts the ID out has a last day, which is near.
    OptOutEndsSoon,
    /// The ID is unchanged.
    Reason(Reason),
}

impl Cause {
    /// Every cause: those that are no reason first.
    pub fn all() -> impl Iterator<Item = Self> {
        let reasons = Reason::ALL.iter().map(|reason| Self::Reason(*reason));
        let others = [
            Self::Change,
            Self::Missed,
            Self::Successor,
            Self::Legacy,
            Self::OptOutEndsSoon,
        ];
        others.into_iter().chain(reasons)
    }

    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Missed => Missed::Missed.as_str(),
            Self::Successor => Note::Successor.as_str(),
            Self::Legacy => "Legacy",
            Self::OptOutEndsSoon => "OptOutEndsSoon",
            Self::Reason(reason) => reason.as_str(),
        }
    }

    /// A sentence for users.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Change => "A direct model ID is replaced by that of an inference profile.",
            Self::Missed => "The webhook should have replaced the ID, and did not.",
            Self::Successor => {
                "The model has reached its end of life, and `fix --replace-end-of-life` replaces it by its successor."
            }
            Self::Legacy => "The ID is right, and its model has an end of life.",
            Self::OptOutEndsSoon => {
                "The object or its namespace has opted out by an annotation that ends within 30 days."
            }
            Self::Reason(reason) => reason.description(),
        }
    }

    /// The severity of most findings of this cause. A finding may differ, see [`FindingRecord::severity`].
    pub const fn severity(self) -> Severity {
        match self {
            Self::Change | Self::Successor => Severity::Change,
            Self::Missed => Severity::Error,
            Self::Legacy | Self::OptOutEndsSoon => Severity::Warning,
            Self::Reason(reason) => Severity::of(reason),
        }
    }

    /// The page that explains the cause, as a path in the repository.
    pub fn page(self) -> String {
        format!("docs/reasons/{self}.md")
    }

    /// The URL of that page.
    pub fn url(self) -> String {
        page_url(&self.page())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FindingRecord {
    /// What the finding is listed under.
    pub fn cause(&self) -> Cause {
        match self.reason {
            None if self.note == Some(Note::EndOfLife) => Cause::Reason(Reason::EndOfLife),
            None if self.note == Some(Note::Successor) => Cause::Successor,
            None if self.missed == Some(Missed::Missed) => Cause::Missed,
            None => Cause::Change,
            Some(reason)
                if Severity::of(reason) == Severity::Ok && self.severity() < Severity::Ok =>
            {
                self.cause_by_lifecycle(reason)
            }
            Some(_) if self.opt_out_ends_soon() => Cause::OptOutEndsSoon,
            Some(reason) => Cause::Reason(reason),
        }
    }

    /// The reason that the finding is listed under, which exemptions and severities of the user name; `None` if the ID is replaced by a
    /// profile that works.
    pub fn listed_reason(&self) -> Option<Reason> {
        match self.cause() {
            Cause::Reason(listed) => Some(listed),
            Cause::Change
            | Cause::Missed
            | Cause::Successor
            | Cause::Legacy
            | Cause::OptOutEndsSoon => self.reason,
        }
    }

    /// The cause where the ID is right and the finding is more urgent than that.
    fn cause_by_lifecycle(&self, reason: Reason) -> Cause {
        match self.lifecycle.as_ref().map(|life| life.state) {
            Some(LifecycleState::EndOfLife) => Cause::Reason(Reason::EndOfLife),
            Some(LifecycleState::Legacy) => Cause::Legacy,
            Some(LifecycleState::Active) | None => Cause::Reason(reason),
        }
    }
}
