//! How grave a finding is, in the words of policy reports.

use crate::domain::reason::{Group, Reason};

use super::{FindingRecord, Missed};

/// How grave a finding is; the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// It cannot work, or stopped working, or should have been caught.
    Fail,
    /// What stands there, or what decides over it, cannot be read.
    Error,
    /// It would be rewritten, or somebody should look at it.
    Warn,
    /// Somebody has taken it out.
    Skip,
}

/// Findings by grade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grades {
    /// Of [`Grade::Fail`].
    pub fail: usize,
    /// Of [`Grade::Error`].
    pub error: usize,
    /// Of [`Grade::Warn`].
    pub warn: usize,
    /// Of [`Grade::Skip`].
    pub skip: usize,
}

impl Grade {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Skip => "skip",
        }
    }
}

impl FindingRecord {
    /// How grave it is; `None` for what is as it should be, or none of our business.
    pub fn grade(&self) -> Option<Grade> {
        match self.reason {
            None if self.missed == Some(Missed::Missed) || self.note.is_some() => Some(Grade::Fail),
            None => Some(Grade::Warn),
            Some(reason) => of_reason(reason),
        }
    }
}

fn of_reason(reason: Reason) -> Option<Grade> {
    if cannot_work(reason) {
        Some(Grade::Fail)
    } else if is_out_of_sight(reason) {
        Some(Grade::Error)
    } else if reason == Reason::OptedOut || reason.group() == Group::Policy {
        Some(Grade::Skip)
    } else {
        needs_a_look(reason).then_some(Grade::Warn)
    }
}

fn cannot_work(reason: Reason) -> bool {
    reason.is_unresolved()
        || matches!(
            reason,
            Reason::NeverExisted | Reason::DoublePrefix | Reason::ProfileNotServed
        )
}

fn is_out_of_sight(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::OutOfSight
            | Reason::ReferenceUnseen
            | Reason::RegionOutOfSight
            | Reason::UnknownFormat
    )
}

/// What is warned about when it is applied, and what would be rewritten if it stood elsewhere.
fn needs_a_look(reason: Reason) -> bool {
    reason.is_worth_a_warning()
        || matches!(
            reason,
            Reason::ProfileNotPermitted
                | Reason::Immutable
                | Reason::Tracked
                | Reason::TooLarge
                | Reason::MayBeShadowed
        )
}

impl Grades {
    /// Counts one finding.
    pub fn count(&mut self, grade: Option<Grade>) {
        match grade {
            Some(Grade::Fail) => self.fail += 1,
            Some(Grade::Error) => self.error += 1,
            Some(Grade::Warn) => self.warn += 1,
            Some(Grade::Skip) => self.skip += 1,
            None => {}
        }
    }

    /// All of them.
    pub fn all(&self) -> usize {
        self.fail + self.error + self.warn + self.skip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_fails_and_what_is_merely_unknown_does_not() {
        for reason in Reason::ALL.iter().copied() {
            let grade = of_reason(reason);
            if reason.is_unresolved() {
                assert_eq!(grade, Some(Grade::Fail), "{reason}");
            }
            if matches!(reason.group(), Group::Model | Group::Region) {
                assert_ne!(grade, Some(Grade::Fail), "{reason}");
            }
            if reason.is_worth_a_warning() {
                assert!(grade.is_some(), "{reason}");
            }
        }
        assert_eq!(of_reason(Reason::WorksDirectly), None);
        assert_eq!(of_reason(Reason::AlreadyProfiled), None);
        assert_eq!(of_reason(Reason::NotIncluded), Some(Grade::Skip));
    }
}
