//! What differs from what is expected, file by file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Display};

/// Everything that is wrong, gathered before anything fails.
#[derive(Default)]
pub(crate) struct Differences {
    evaluated: BTreeSet<String>,
    by_file: BTreeMap<String, Vec<String>>,
}

impl Differences {
    /// Notes that something is expected of a file.
    pub(crate) fn judging(&mut self, file: &str) {
        self.evaluated.insert(file.to_owned());
    }

    /// Notes that `got` is not what is expected at a place.
    pub(crate) fn add(
        &mut self,
        file: &str,
        place: impl Display,
        expected: impl Display,
        got: impl Display,
    ) {
        let line = format!("{file}: {place}: expected {expected}, got {got}");
        self.by_file.entry(file.to_owned()).or_default().push(line);
    }

    /// Notes it where the two differ.
    pub(crate) fn compare<T: PartialEq + Debug>(
        &mut self,
        file: &str,
        place: impl Display,
        expected: &T,
        got: &T,
    ) {
        if expected != got {
            self.add(file, place, format!("{expected:?}"), format!("{got:?}"));
        }
    }

    /// Fails with every difference, if there is one.
    pub(crate) fn settle(self, what: &str) {
        let (evaluated, wrong) = (self.evaluated.len(), self.by_file.len());
        assert!(evaluated > 0, "{what}: nothing was judged");
        let lines: Vec<_> = self.by_file.into_values().flatten().collect();
        let right = evaluated - wrong;
        assert!(
            lines.is_empty(),
            "{what}: {right} of {evaluated} files are right\n{}",
            lines.join("\n")
        );
    }
}
