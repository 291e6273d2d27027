//! The findings of a whole cluster: what many Pods show is one finding of their workload, and however many there are, a bounded
//! number of records is kept.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::report::FindingRecord;
use crate::report::grade::Grades;

/// A finding of one object.
#[derive(Debug)]
pub struct Seen {
    /// Its record, which names the object that it stands on.
    pub record: FindingRecord,
    /// The identity of that object.
    pub uid: Box<str>,
    /// The place by names, which is the same in a workload and its Pods.
    pub spot: Box<str>,
}

/// A finding that is kept.
#[derive(Debug)]
pub struct Kept {
    /// Its record.
    pub record: FindingRecord,
    /// The identity of the object that it stands on.
    pub uid: Box<str>,
}

/// The findings of a cluster.
#[derive(Debug)]
pub struct Gathered {
    kept: Vec<Kept>,
    /// Where each finding is kept, if it is, by a hash of what makes it another one than the rest.
    known: BTreeMap<u64, Option<usize>>,
    most: usize,
    sums: Sums,
}

/// What is counted of all findings, kept or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// By policy.
    pub policies: BTreeMap<String, PolicySums>,
    /// What there was no room to keep, by namespace.
    pub dropped: BTreeMap<String, Grades>,
}

/// What is counted of the findings of one policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySums {
    /// All of them.
    pub findings: usize,
    /// Those that are left, by reason.
    pub left: BTreeMap<&'static str, usize>,
}

impl Gathered {
    /// Starts with none, and will keep so many records at most.
    pub fn keeping(most: usize) -> Self {
        Self {
            kept: Vec::new(),
            known: BTreeMap::new(),
            most,
            sums: Sums::default(),
        }
    }

    /// Takes what was found in one object.
    pub fn take(&mut self, found: Vec<Seen>) {
        // The same may stand twice in one container; below, the second is the second again.
        let mut here: BTreeMap<u64, usize> = BTreeMap::new();
        for seen in found {
            let place = key(&seen, 0);
            let nth = here.entry(place).or_default();
            *nth += 1;
            let key = key(&seen, *nth);
            self.one(key, seen);
        }
    }

    fn one(&mut self, key: u64, seen: Seen) {
        match self.known.get(&key) {
            Some(Some(at)) => merge(&mut self.kept[*at].record, &seen.record),
            Some(None) => {}
            None => {
                let at = self.keep(seen);
                self.known.insert(key, at);
            }
        }
    }

    /// Counts a finding that is new, and keeps it where there is room.
    fn keep(&mut self, seen: Seen) -> Option<usize> {
        let Seen { record, uid, .. } = seen;
        let sums = self.sums.policies.entry(record.policy.clone());
        let sums = sums.or_default();
        sums.findings += 1;
        if let Some(reason) = record.reason {
            *sums.left.entry(reason.as_str()).or_default() += 1;
        }
        if self.kept.len() >= self.most {
            let grade = record.grade();
            let namespace = record.object.map(|object| object.namespace);
            let dropped = self.sums.dropped.entry(namespace.unwrap_or_default());
            dropped.or_default().count(grade);
            return None;
        }
        self.kept.push(Kept { record, uid });
        Some(self.kept.len() - 1)
    }

    /// Everything that was found: by namespace, kind and name of what it stands on, then in the order of the objects.
    pub fn finish(mut self) -> (Vec<Kept>, Sums) {
        self.kept.sort_by(|one, other| name(one).cmp(&name(other)));
        (self.kept, self.sums)
    }
}

fn name(kept: &Kept) -> Option<(&str, &str, &str)> {
    let object = kept.record.object.as_ref()?;
    Some((&object.namespace, &object.kind, &object.name))
}

/// Adds what one more object shows to what is known.
fn merge(known: &mut FindingRecord, below: &FindingRecord) {
    known.instances += below.instances;
    known.missed = known.missed.max(below.missed);
}

/// What makes a finding another one: where it stands and what becomes of it. What does not is what it has gone through, such as
/// whether it was missed.
fn key(seen: &Seen, nth: usize) -> u64 {
    let record = &seen.record;
    let object = record.object.as_ref();
    let mut hasher = DefaultHasher::new();
    object
        .map(|one| (&one.namespace, &one.kind, &one.name))
        .hash(&mut hasher);
    (&*seen.uid, &*seen.spot, nth).hash(&mut hasher);
    (&record.before, &record.inner_pointer, &record.after).hash(&mut hasher);
    (record.reason, &record.region, record.shadow).hash(&mut hasher);
    record.policy.hash(&mut hasher);
    hasher.finish()
}
