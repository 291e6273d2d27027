//! A cluster's objects, item by item as lists bring them: nothing is kept of an object but its findings, who owns it, and of a
//! ConfigMap what others may take from it.
//!
//! Pure: who calls reads the lists. [`Survey`] takes them in this order: namespaces, ConfigMaps, then [`WORKLOADS`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::domain::config_maps::{ConfigMap, References};
use crate::domain::judge::{Judged, Judgement};
use crate::domain::object::{Object, Sort};
use crate::domain::policy::Namespace;
use crate::domain::view::{Namespaces, View};
use crate::report::{FindingRecord, ObjectReference};
use crate::text::Tree;

use super::Scan;

mod caught;
mod gathered;
mod owners;
mod resource;

pub use caught::{Coverage, Reach};
pub use gathered::{Gathered, Kept, PolicySums, Seen, Sums};
pub use owners::{Owner, Owners, is_over};
pub use resource::{CONFIG_MAPS, NAMESPACES, Resource, WORKLOADS};

/// How a cluster is surveyed.
#[derive(Debug, Clone)]
pub struct Terms {
    /// By what is judged. Its namespaces and ConfigMaps are those of the lists, as far as they are read.
    pub view: View,
    /// The day that decides over dates of end of life.
    pub today: Date,
    /// Namespaces that are passed over.
    pub excluded: BTreeSet<String>,
    /// Since when the webhook was certain to be asked.
    pub coverage: Coverage,
    /// How many records are kept at most.
    pub keep: usize,
}

/// A cluster that is being read.
#[derive(Debug)]
pub struct Survey {
    terms: Terms,
    namespaces: BTreeMap<Box<str>, Arc<Namespace>>,
    references: References,
    owners: Owners,
    gathered: Gathered,
    counts: Counts,
    page: Page,
}

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects that were judged.
    pub objects: usize,
    /// Objects that could not be read.
    pub unread: usize,
}

/// What a whole survey found.
#[derive(Debug)]
pub struct Surveyed {
    /// What was read.
    pub counts: Counts,
    /// The findings that are kept.
    pub findings: Vec<Kept>,
    /// All findings, counted.
    pub sums: Sums,
}

/// What a page brought, as long as it is not whole: one that breaks off is read again.
#[derive(Debug, Default)]
struct Page {
    counts: Counts,
    found: Vec<Vec<Seen>>,
}

/// The object that findings are told of.
struct Told<'a> {
    itself: ObjectReference,
    uid: &'a str,
    owner: Option<Owner>,
}

impl Survey {
    /// Starts a survey.
    pub fn new(terms: Terms) -> Self {
        Self {
            gathered: Gathered::keeping(terms.keep),
            namespaces: BTreeMap::new(),
            references: References::of_all(),
            owners: Owners::default(),
            counts: Counts::default(),
            page: Page::default(),
            terms,
        }
    }

    /// Takes an item of the list of a resource, as JSON.
    pub fn take(&mut self, resource: &Resource, text: &str) {
        let Ok(tree) = Tree::json(text) else {
            self.page.counts.unread += 1;
            return;
        };
        let object = Object::of_kind(&tree, tree.root(), resource.api_version, resource.kind);
        if *resource == NAMESPACES {
            return self.namespace(&object);
        }
        let namespace = object.field(&["metadata", "namespace"]).unwrap_or_default();
        if self.terms.excluded.contains(namespace) {
            return;
        }
        self.owners.take(&object);
        if object.sort == Sort::ConfigMap {
            let name = object.field(&["metadata", "name"]).unwrap_or_default();
            let map = ConfigMap::of(&object, &self.terms.view.snapshot);
            self.references.insert(namespace, name, map);
        }
        if is_over(&object, resource.kind) {
            return;
        }
        self.page.counts.objects += 1;
        let found = self.found(resource, &object);
        if !found.is_empty() {
            self.page.found.push(found);
        }
    }

    fn namespace(&mut self, object: &Object<'_>) {
        let name = object.field(&["metadata", "name"]).unwrap_or_default();
        let read = super::namespaces::read(object);
        self.namespaces.insert(name.into(), Arc::new(read));
        let changed = &mut self.terms.coverage.namespaces;
        match caught::last_changed(object) {
            Some(time) => drop(changed.insert(name.into(), time)),
            None => drop(changed.remove(name)),
        }
    }

    fn found(&self, resource: &Resource, object: &Object<'_>) -> Vec<Seen> {
        let scan = Scan {
            view: &self.terms.view,
            today: self.terms.today,
            namespace: "",
            edit: false,
        };
        scan.judged(object, |namespace, judgement| {
            let told = told(judgement);
            let mut found = told.peekable();
            if found.peek().is_none() {
                return Vec::new();
            }
            let told = self.told(resource, object, &namespace.name);
            found
                .map(|(policy, shadow, one)| {
                    let around = (policy, shadow, namespace);
                    self.seen(&scan, &told, object, one, around)
                })
                .collect()
        })
    }

    fn told<'t>(&self, resource: &Resource, object: &Object<'t>, namespace: &str) -> Told<'t> {
        let itself = ObjectReference {
            api_version: resource.api_version.to_owned(),
            kind: resource.kind.to_owned(),
            namespace: namespace.to_owned(),
            name: super::name(object).to_owned(),
        };
        Told {
            itself,
            uid: object.field(&["metadata", "uid"]).unwrap_or_default(),
            owner: self.owners.topmost(object),
        }
    }

    fn seen(
        &self,
        scan: &Scan<'_>,
        told: &Told<'_>,
        object: &Object<'_>,
        one: &Judged<'_>,
        (policy, shadow, namespace): (usize, bool, &Namespace),
    ) -> Seen {
        let mut record = scan.record((object, None), one, policy, shadow);
        if !shadow {
            let policy = &scan.view.snapshot.policies[policy];
            let coverage = &self.terms.coverage;
            record.missed = coverage.of(object, namespace, policy, one, &record);
        }
        Seen {
            spot: one.finding.leaf.spot.to_string().into(),
            uid: stand_on(&mut record, told),
            record,
        }
    }

    /// Keeps what the page brought: it is whole.
    pub fn commit(&mut self) {
        let Page { counts, found } = std::mem::take(&mut self.page);
        self.counts.objects += counts.objects;
        self.counts.unread += counts.unread;
        for one in found {
            self.gathered.take(one);
        }
    }

    /// Forgets what the page brought: it will be read again. Of who owns whom and of ConfigMaps it will bring the same.
    pub fn abandon(&mut self) {
        self.page = Page::default();
    }

    /// Takes that a list is read, as a whole or with a gap.
    pub fn end(&mut self, resource: &Resource, whole: bool) {
        if *resource == NAMESPACES && whole {
            let seen = std::mem::take(&mut self.namespaces);
            self.terms.view.namespaces = Arc::new(Namespaces::Seen(seen));
        }
        if *resource == CONFIG_MAPS && whole {
            let read = std::mem::take(&mut self.references);
            self.terms.view.references = Arc::new(read);
        }
    }

    /// What was read so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Everything that was found.
    pub fn finish(self) -> Surveyed {
        let (findings, sums) = self.gathered.finish();
        Surveyed {
            counts: self.counts,
            findings,
            sums,
        }
    }
}

/// What a judgement says: of which policy, and whether in the shadow of the one that decides.
fn told<'j, 't>(
    judgement: &'j Judgement<'t>,
) -> impl Iterator<Item = (usize, bool, &'j Judged<'t>)> {
    let shadow = judgement.decided.is_some();
    let decided = judgement.decided.iter().map(|said| (false, said));
    let shadows = judgement.shadows.iter().map(move |said| (shadow, said));
    decided
        .chain(shadows)
        .flat_map(|(shadow, (policy, all))| all.iter().map(move |one| (*policy, shadow, one)))
}

/// Puts a record on the topmost owner, and returns that one's identity.
fn stand_on(record: &mut FindingRecord, told: &Told<'_>) -> Box<str> {
    let itself = told.itself.clone();
    let Some(owner) = &told.owner else {
        record.object = Some(itself);
        return told.uid.into();
    };
    record.object = Some(ObjectReference {
        api_version: owner.api_version.to_string(),
        kind: owner.kind.to_string(),
        namespace: itself.namespace.clone(),
        name: owner.name.to_string(),
    });
    record.seen_in = Some(itself);
    record.instances = 1;
    owner.uid.clone()
}
