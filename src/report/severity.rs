//! How urgent a finding is.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::catalog::LifecycleState;
use crate::domain::id::is_misspelling;
use crate::domain::reason::Reason;
use crate::domain::resolve::Note;

use super::{FindingRecord, LifecycleRecord, Missed};

/// How urgent a finding is, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The ID cannot work, or the webhook missed it.
    Error,
    /// The ID is or would be replaced.
    Change,
    /// The ID works only by chance or not for long, or its evaluation lacks something.
    Warning,
    /// The ID is skipped, with a reason.
    Note,
    /// The ID is right as it is.
    Ok,
}

impl Severity {
    /// Every severity, the most urgent first.
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::Change,
        Self::Warning,
        Self::Note,
        Self::Ok,
    ];

    /// The name in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Change => "change",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Ok => "ok",
        }
    }

    /// The severity of an ID that is unchanged for `reason`. A finding may be more urgent than its reason, see
    /// [`GradedAnswer::severity`].
    pub const fn of(reason: Reason) -> Self {
        use Reason as R;
        match reason {
            R::ProfileNotServed
            | R::NeverExisted
            | R::DoublePrefix
            | R::EndOfLife
            | R::OnlyGlobalServes
            | R::NothingServes
            | R::GeographyNotAllowed
            | R::DestinationNotAllowed
            | R::DestinationsUnknown
            | R::ReplacementNotServed
            | R::OverrideNeedsWholeValue => Self::Error,
            R::ProfileNotPermitted
            | R::InArn
            | R::PercentEncoded
            | R::Secret
            | R::UnknownFormat
            | R::Immutable
            | R::Tracked
            | R::TooLarge
            | R::UnknownModel
            | R::Unverified
            | R::NoRegion
            | R::RegionOutOfSight
            | R::RegionConflict
            | R::NotARegion
            | R::RegionUnknown
            | R::ReferenceUnseen
            | R::MayBeShadowed
            | R::OutOfSight => Self::Warning,
            R::ProvisionedSuffix
            | R::ListLeft
            | R::ClientAlias
            | R::MapKey
            | R::PriceTable
            | R::RoutingMatch
            | R::Dashboard
            | R::IamDocument
            | R::Prose
            | R::ExplicitProfile
            | R::PrefixedByTool
            | R::Mantle
            | R::GatewayClient
            | R::OtherCloud
            | R::Batch
            | R::DirectIdOnly
            | R::CustomResource
            | R::WrittenByTool
            | R::SharedAnchor
            | R::Unmappable
            | R::OptedOut
            | R::NotIncluded
            | R::Excluded => Self::Note,
            R::AlreadyProfiled | R::NeverHadProfile | R::WorksDirectly => Self::Ok,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for SeverityCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Severity::ALL.iter().map(|one| (one, self.of(*one))))
    }
}

/// The numbers of findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeverityCounts([usize; Severity::ALL.len()]);

impl SeverityCounts {
    /// Counts one finding.
    pub const fn count(&mut self, severity: Severity) {
        self.0[severity as usize] += 1;
    }

    /// The number of findings of a severity.
    pub const fn of(&self, severity: Severity) -> usize {
        self.0[severity as usize]
    }
}

/// What the severity of an answer depends on.
#[derive(Debug, Clone, Copy)]
pub struct GradedAnswer<'a> {
    /// The direct ID.
    pub model_id: &'a str,
    /// Why the ID is not replaced.
    pub reason: Option<Reason>,
    /// A note on the replacement.
    pub note: Option<Note>,
    /// An ID that would work.
    pub suggestion: Option<&'a str>,
    /// The lifecycle of the model.
    pub lifecycle: Option<&'a LifecycleRecord>,
}

impl GradedAnswer<'_> {
    /// How urgent the answer is: by its reason, and by what else is known of the model.
    pub fn severity(self) -> Severity {
        let Some(reason) = self.reason else {
            return match self.note {
                Some(Note::EndOfLife) => Severity::Error,
                Some(Note::Successor) | None => Severity::Change,
            };
        };
        match Severity::of(reason) {
            // A new model differs from known ones too, but in its numbers.
            Severity::Warning if reason == Reason::UnknownModel && self.is_misspelled() => {
                Severity::Error
            }
            Severity::Ok => self.severity_by_lifecycle(),
            Severity::Error | Severity::Change | Severity::Warning | Severity::Note => {
                Severity::of(reason)
            }
        }
    }

    fn is_misspelled(self) -> bool {
        let suggestion = self.suggestion;
        suggestion.is_some_and(|known| is_misspelling(self.model_id, known))
    }

    /// The severity of an ID that is right as long as its model is served.
    fn severity_by_lifecycle(self) -> Severity {
        match self.lifecycle {
            Some(life) if life.state == LifecycleState::EndOfLife => Severity::Error,
            Some(life)
                if life.state == LifecycleState::Legacy && life.end_of_life_date.is_some() =>
            {
                Severity::Warning
            }
            _ => Severity::Ok,
        }
    }
}

impl FindingRecord {
    /// How urgent the finding is: a preview and what the webhook missed, else the answer for the ID.
    pub fn severity(&self) -> Severity {
        if self.preview || self.exempt.is_some() {
            return Severity::Note;
        }
        if let Some(configured) = self.configured_severity {
            return configured;
        }
        if self.reason.is_none() && self.missed == Some(Missed::Missed) {
            return Severity::Error;
        }
        if self.opt_out_ends_soon() {
            return Severity::Warning;
        }
        let answer = GradedAnswer {
            model_id: &self.model_id,
            reason: self.reason,
            note: self.note,
            suggestion: self.suggestion.as_deref(),
            lifecycle: self.lifecycle.as_ref(),
        };
        answer.severity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reason::{Group, ReasonWarning};

    #[test]
    fn an_id_that_does_not_work_is_an_error_and_an_unknown_one_is_not() {
        for reason in Reason::ALL.iter().copied() {
            if reason.is_unresolved() {
                assert_eq!(Severity::of(reason), Severity::Error, "{reason}");
            }
            if matches!(reason.group(), Group::Model | Group::Region) {
                assert_ne!(Severity::of(reason), Severity::Error, "{reason}");
            }
        }
    }

    #[test]
    fn a_reason_with_a_warning_of_the_webhook_is_at_least_a_warning() {
        for reason in Reason::ALL.iter().copied() {
            if reason.warning() != ReasonWarning::Silent {
                assert!(Severity::of(reason) <= Severity::Warning, "{reason}");
            }
        }
    }

    #[test]
    fn severities_are_sorted() {
        assert!(Severity::ALL.is_sorted());
    }
}
