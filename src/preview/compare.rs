//! The findings of two audits of the same objects, paired.

use std::collections::BTreeMap;

use crate::report::{AdmissionOutcome, FindingRecord, messages};

use super::FindingChange;
use super::effect::AdmissionEffect;

/// An ID in the two audits. At least one has it: where no policy selects an object, its IDs are not found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'r> {
    pub(super) now: Option<&'r FindingRecord>,
    pub(super) planned: Option<&'r FindingRecord>,
}

/// Where an ID is. Equal findings of the Pods of a workload are merged, so which of them a record names is no part of it.
type FindingPlace<'r> = (
    String,
    Option<(&'r str, usize, usize, usize)>,
    &'r str,
    Option<&'r str>,
    [usize; 2],
    &'r str,
);

/// The IDs of both audits, in the order of the second, then those that the first alone has, by place. Findings of policies in mode `DryRun` are
/// skipped where another policy is effective: nothing follows from them.
pub(super) fn pairs<'r>(now: &'r [FindingRecord], planned: &'r [FindingRecord]) -> Vec<Pair<'r>> {
    let mut known: BTreeMap<FindingPlace<'r>, Vec<&'r FindingRecord>> = BTreeMap::new();
    for one in now.iter().rev().filter(|one| !one.preview) {
        known.entry(place(one)).or_default().push(one);
    }
    let planned = planned.iter().filter(|one| !one.preview);
    let mut pairs: Vec<_> = planned
        .map(|one| Pair {
            now: known.get_mut(&place(one)).and_then(Vec::pop),
            planned: Some(one),
        })
        .collect();
    let rest = known.into_values().flatten();
    pairs.extend(rest.map(|one| Pair {
        now: Some(one),
        planned: None,
    }));
    pairs
}

fn place(one: &FindingRecord) -> FindingPlace<'_> {
    let source = one.source.as_ref();
    (
        one.place(),
        source.map(|at| (at.file.as_str(), at.line, at.column, at.document)),
        &one.pointer,
        one.inner_pointer.as_deref(),
        one.span,
        &one.before,
    )
}

impl<'r> Pair<'r> {
    /// The record after the change, or else the one before.
    pub(super) fn record(&self) -> Option<&'r FindingRecord> {
        self.planned.or(self.now)
    }
}

impl<'r> FindingChange<'r> {
    /// What changes for an ID; `None` if nothing does.
    pub(super) fn of(pair: &Pair<'r>) -> Option<Self> {
        let (now, planned) = (
            pair.now.map(AdmissionEffect::of),
            pair.planned.map(AdmissionEffect::of),
        );
        let is_same = match (&now, &planned) {
            (Some(now), Some(planned)) => now.has_same_consequences(planned),
            (None, None) => true,
            // Without a policy an ID stays as it is, too.
            (None, Some(one)) | (Some(one), None) => one.outcome == AdmissionOutcome::Unchanged,
        };
        let one = pair.record().filter(|_| !is_same)?;
        Some(Self {
            object: one.object.as_ref(),
            seen_in: one.seen_in.as_ref(),
            service_account: one.service_account.as_deref(),
            source: one.source.as_ref(),
            pointer: &one.pointer,
            inner_pointer: one.inner_pointer.as_deref(),
            id: messages::id(one),
            model_id: &one.model_id,
            now,
            planned,
        })
    }

    /// The file, or the object of a cluster.
    pub(super) fn place(&self) -> String {
        match (self.source, self.object) {
            (Some(source), _) => source.name().into_owned(),
            (None, Some(object)) => object.to_string(),
            (None, None) => String::new(),
        }
    }

    /// What changes are sorted by: the place, and the position in it.
    pub(super) fn order(&self) -> impl Ord + use<> {
        let position = self.source.map(|source| (source.line, source.column));
        (self.place(), position)
    }
}
