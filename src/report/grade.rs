//! The numbers of findings by their grades.

use crate::domain::reason::Grade;

use super::{FindingRecord, Missed};

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

impl FindingRecord {
    /// The grade; `None` for an ID that works, or that is out of scope.
    pub fn grade(&self) -> Option<Grade> {
        match self.reason {
            None if self.missed == Some(Missed::Missed) || self.note.is_some() => Some(Grade::Fail),
            None => Some(Grade::Warn),
            Some(reason) => reason.grade(),
        }
    }
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
