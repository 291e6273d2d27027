//! The findings of a cluster: equal findings of a workload and its Pods are stored once, and the number of stored records is
//! bounded.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::report::FindingRecord;
use crate::report::severity::SeverityCounts;

/// A finding of one object.
#[derive(Debug)]
pub struct ObjectFinding {
    /// The record, which names the object that the finding is attributed to.
    pub record: FindingRecord,
    /// The UID of that object.
    pub uid: Box<str>,
    /// The location by names, which is the same in a workload and its Pods.
    pub location: Box<str>,
}

/// A finding that is stored.
#[derive(Debug)]
pub struct StoredFinding {
    /// The record.
    pub record: FindingRecord,
    /// The UID of the object that the finding is attributed to.
    pub uid: Box<str>,
}

/// The findings of a cluster.
#[derive(Debug)]
pub struct FindingStore {
    stored: Vec<StoredFinding>,
    /// Where each finding is stored, if it is, keyed by a hash of its identity.
    known: BTreeMap<u64, Option<usize>>,
    max_records: usize,
    totals: FindingTotals,
}

/// Counts of all findings, stored or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingTotals {
    /// By policy.
    pub policies: BTreeMap<String, PolicyTotals>,
    /// Findings beyond the maximum number of records, by namespace.
    pub dropped: BTreeMap<String, SeverityCounts>,
}

/// Counts of the findings of one policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyTotals {
    /// All findings.
    pub findings: usize,
    /// Findings that a rewrite would leave unchanged, by reason.
    pub unchanged: BTreeMap<&'static str, usize>,
}

impl PolicyTotals {
    /// Findings that a rewrite would replace.
    pub fn rewrites(&self) -> usize {
        self.findings - self.unchanged.values().sum::<usize>()
    }
}

impl FindingStore {
    /// An empty store of at most `max_records` records.
    pub fn new(max_records: usize) -> Self {
        Self {
            stored: Vec::new(),
            known: BTreeMap::new(),
            max_records,
            totals: FindingTotals::default(),
        }
    }

    /// Adds the findings of one object.
    pub fn add(&mut self, findings: Vec<ObjectFinding>) {
        // Equal findings of one container are numbered: the n-th of a Pod matches the n-th of its workload.
        let mut equal: BTreeMap<u64, usize> = BTreeMap::new();
        for finding in findings {
            let nth = equal.entry(identity(&finding, 0)).or_default();
            *nth += 1;
            let key = identity(&finding, *nth);
            self.merge_or_store(key, finding);
        }
    }

    fn merge_or_store(&mut self, key: u64, finding: ObjectFinding) {
        match self.known.get(&key) {
            Some(Some(at)) => merge(&mut self.stored[*at].record, &finding.record),
            Some(None) => {}
            None => {
                let at = self.store(finding);
                self.known.insert(key, at);
            }
        }
    }

    /// Counts a new finding, and stores it below the maximum number of records.
    fn store(&mut self, finding: ObjectFinding) -> Option<usize> {
        let ObjectFinding { record, uid, .. } = finding;
        let totals = self.totals.policies.entry(record.policy.clone());
        let totals = totals.or_default();
        totals.findings += 1;
        if let Some(reason) = record.reason {
            *totals.unchanged.entry(reason.as_str()).or_default() += 1;
        }
        if self.stored.len() >= self.max_records {
            let severity = record.severity();
            let namespace = record.object.map(|object| object.namespace);
            let dropped = self.totals.dropped.entry(namespace.unwrap_or_default());
            dropped.or_default().count(severity);
            return None;
        }
        self.stored.push(StoredFinding { record, uid });
        Some(self.stored.len() - 1)
    }

    /// All findings, ordered by namespace, kind and name of the object, then as the objects arrived.
    pub fn finish(mut self) -> (Vec<StoredFinding>, FindingTotals) {
        self.stored
            .sort_by(|one, other| object_key(one).cmp(&object_key(other)));
        (self.stored, self.totals)
    }
}

fn object_key(finding: &StoredFinding) -> Option<(&str, &str, &str)> {
    let object = finding.record.object.as_ref()?;
    Some((&object.namespace, &object.kind, &object.name))
}

/// Adds an equal finding of an owned object.
fn merge(known: &mut FindingRecord, owned: &FindingRecord) {
    known.instances += owned.instances;
    known.missed = known.missed.max(owned.missed);
}

/// A hash of what distinguishes a finding: its object, location, policy and resolution. `missed` and `instances` do not count.
fn identity(finding: &ObjectFinding, nth: usize) -> u64 {
    let record = &finding.record;
    let object = record.object.as_ref();
    let mut hasher = DefaultHasher::new();
    object
        .map(|one| (&one.namespace, &one.kind, &one.name))
        .hash(&mut hasher);
    (&*finding.uid, &*finding.location, nth).hash(&mut hasher);
    (&record.before, &record.inner_pointer, &record.after).hash(&mut hasher);
    (record.reason, &record.region, record.preview).hash(&mut hasher);
    record.policy.hash(&mut hasher);
    hasher.finish()
}
