//! The planned change of each finding, and from all of them the plan and the record.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::JudgedFinding;
use super::occurrences::{IdPlace, Occurrences};
use crate::domain::detect::Finding;
use crate::domain::environment::EnvOrigin;
use crate::domain::object::Object;
use crate::domain::plan::Plan;
use crate::domain::reason::Reason;
use crate::domain::record::Entry;
use crate::domain::resolve::Resolution;
use crate::domain::site::TextSite;
use crate::text::NodeId;

/// The planned changes of all findings, in the order of the findings.
#[derive(Default)]
pub(super) struct PlannedFindings<'t>(Vec<PlannedFinding<'t>>);

/// What becomes of one finding.
pub(super) struct PlannedFinding<'t> {
    pub(super) site: TextSite<'t>,
    pub(super) place: Option<IdPlace>,
    pub(super) span: Range<usize>,
    /// The ID in the object as received.
    pub(super) before: &'t str,
    /// Whether the text is a document, in which aliases of YAML may visit a place more than once.
    pub(super) inner: bool,
    pub(super) change: PlannedChange,
    /// The entry of the new record.
    pub(super) entry: Option<Entry>,
}

/// The change to the place of a finding.
pub(super) enum PlannedChange {
    /// None.
    Unchanged,
    /// The ID becomes this text.
    Edit(String),
    /// An explicit variable with this text replaces a reference.
    Explicit(EnvOrigin, String),
}

impl<'t> PlannedFinding<'t> {
    pub(super) fn new(finding: &Finding<'t>) -> Self {
        Self {
            site: finding.site,
            place: IdPlace::of(finding),
            span: finding.span().clone(),
            before: finding.text(),
            inner: finding.inner.is_some(),
            change: PlannedChange::Unchanged,
            entry: None,
        }
    }

    /// The ID after the change, in a text of the object; `None` for a reference that stays.
    fn after(&self) -> Option<&str> {
        match &self.change {
            PlannedChange::Unchanged => self.place.map(|_| self.before),
            PlannedChange::Edit(to) => Some(to),
            PlannedChange::Explicit(..) => self.entry.as_ref().map(|entry| &*entry.to),
        }
    }
}

impl<'t> PlannedFindings<'t> {
    pub(super) fn push(&mut self, finding: PlannedFinding<'t>) {
        self.0.push(finding);
    }

    /// Leaves a text unchanged if several places of a document share it by YAML aliases and have different targets.
    pub(super) fn leave_conflicting_anchors(&mut self, judged: &mut [JudgedFinding<'t>]) {
        let mut answers: BTreeMap<IdPlace, Option<&str>> = BTreeMap::new();
        let mut conflicting = BTreeSet::new();
        for one in self.0.iter().filter(|one| one.inner) {
            let Some(place) = one.place else { continue };
            let answer = one.after();
            if *answers.entry(place).or_insert(answer) != answer {
                conflicting.insert(place);
            }
        }
        if conflicting.is_empty() {
            return;
        }
        for one in judged.iter_mut().filter(|one| one.finding.inner.is_some()) {
            let place = IdPlace::of(&one.finding);
            if place.is_some_and(|place| conflicting.contains(&place))
                && one.resolution.target().is_some()
            {
                one.resolution = Resolution::Leave(Reason::SharedAnchor);
            }
        }
        for one in self.0.iter_mut().filter(|one| one.inner) {
            let is_edit = matches!(one.change, PlannedChange::Edit(_));
            if is_edit && one.place.is_some_and(|place| conflicting.contains(&place)) {
                one.change = PlannedChange::Unchanged;
                one.entry = None;
            }
        }
    }

    /// The changes of the findings, without the record.
    pub(super) fn plan(&self, object: &Object<'t>) -> Plan<'t> {
        let mut plan = Plan::new(object);
        for one in &self.0 {
            match (&one.change, one.site.scalar()) {
                (PlannedChange::Edit(to), Some(node)) if to != one.before => {
                    plan.edit(node, one.span.clone(), to.clone());
                }
                (PlannedChange::Explicit(by, text), _) => plan.make_explicit(&one.site, *by, text),
                (PlannedChange::Edit(_) | PlannedChange::Unchanged, _) => {}
            }
        }
        plan
    }

    /// The entries of the new record, one for each place, with their ordinals in the object after all changes.
    pub(super) fn entries(&self, object: &Object<'_>) -> Vec<Entry> {
        let with_entry = || {
            let all = self.0.iter();
            all.filter_map(|one| Some((one, one.entry.as_ref()?)))
        };
        let mut occurrences = Occurrences::of(with_entry().map(|(_, entry)| entry));
        for one in &self.0 {
            if let (Some(place), Some(id)) = (one.place, one.after()) {
                occurrences.add(&one.site.location, id, place);
            }
        }
        let changed: BTreeSet<NodeId> = self
            .0
            .iter()
            .filter(|one| matches!(one.change, PlannedChange::Edit(_)))
            .filter_map(|one| one.site.scalar())
            .collect();
        occurrences.add_arns(object, |node| changed.contains(&node));
        let occurrences = occurrences.sorted();
        let mut taken = BTreeSet::new();
        let numbered = with_entry().filter_map(|(one, entry)| {
            let place = one.place?;
            if one.inner && !taken.insert(place) {
                return None;
            }
            let (nth, of) = occurrences.ordinal(entry, place)?;
            Some(Entry {
                nth,
                of,
                ..entry.clone()
            })
        });
        numbered.collect()
    }
}
