//! The severity of a finding, in the terms of policy reports.

use crate::domain::reason::{Group, Reason};

use super::{FindingRecord, Missed};

/// The severity of a finding, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// The ID does not work, or the webhook missed it.
    Fail,
    /// The text, or what its evaluation depends on, cannot be read.
    Error,
    /// The ID would be replaced, or needs attention.
    Warn,
    /// The ID is excluded by a policy or an annotation.
    Skip,
}

/// The numbers of findings by grade.
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
    /// The grade; `None` for an ID that works, or that is out of scope.
    pub fn grade(&self) -> Option<Grade> {
        match self.reason {
            None if self.missed == Some(Missed::Missed) || self.note.is_some() => Some(Grade::Fail),
            None => Some(Grade::Warn),
            Some(reason) => of_reason(reason),
        }
    }
}

fn of_reason(reason: Reason) -> Option<Grade> {
    if does_not_work(reason) {
        Some(Grade::Fail)
    } else if is_unreadable(reason) {
        Some(Grade::Error)
    } else if reason == Reason::OptedOut || reason.group() == Group::Policy {
        Some(Grade::Skip)
    } else {
        needs_attention(reason).then_some(Grade::Warn)
    }
}

fn does_not_work(reason: Reason) -> bool {
    reason.is_unresolved()
        || matches!(
            reason,
            Reason::NeverExisted | Reason::DoublePrefix | Reason::ProfileNotServed
        )
}

fn is_unreadable(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::OutOfSight
            | Reason::ReferenceUnseen
            | Reason::RegionOutOfSight
            | Reason::UnknownFormat
    )
}

/// Reasons that the webhook warns about, and those for which only the object prevents a replacement.
fn needs_attention(reason: Reason) -> bool {
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

    /// The total.
    pub fn all(&self) -> usize {
        self.fail + self.error + self.warn + self.skip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_does_not_work_fails_and_an_unknown_one_does_not() {
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
