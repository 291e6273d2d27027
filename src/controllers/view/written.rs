//! Custom resources as they stand in the cluster, and of each the last form that was valid: a bad object never replaces a
//! good one, and never stands in the way of another.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::ResourceExt as _;
use kube::api::DynamicObject;
use serde::de::DeserializeOwned;

use super::listed::Listed;
use crate::cluster::release::GROUP;
use crate::cluster::watch::Change;
use crate::validate::Invalid;

/// One custom resource as it stands.
#[derive(Debug)]
pub struct Written<W> {
    /// Tells an object from a later one of its name.
    pub uid: String,
    /// Counts the changes of its spec.
    pub generation: i64,
    /// Its annotations of our group.
    pub annotations: BTreeMap<String, String>,
    /// Its content, or why it cannot be read.
    pub object: Result<W, String>,
}

/// All custom resources of a kind.
#[derive(Debug)]
pub struct Kept<W, D> {
    listed: Listed<Arc<Written<W>>>,
    /// With the generation that is in force.
    valid: BTreeMap<Box<str>, (i64, D)>,
    invalid: BTreeMap<Box<str>, Invalid>,
}

/// Whatever becomes of the status, the object is the same.
impl<W> PartialEq for Written<W> {
    fn eq(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.generation == other.generation
            && self.annotations == other.annotations
    }
}

impl<W, D> Default for Kept<W, D> {
    fn default() -> Self {
        Self {
            listed: Listed::default(),
            valid: BTreeMap::new(),
            invalid: BTreeMap::new(),
        }
    }
}

impl<W: DeserializeOwned> Written<W> {
    /// Reads an object, one by one, so that one that cannot be read is nobody else's trouble.
    pub fn read(object: DynamicObject) -> (Box<str>, Arc<Self>) {
        let name = object.name_any().into();
        let annotations = object
            .annotations()
            .iter()
            .filter(|(key, _)| {
                key.strip_prefix(GROUP)
                    .is_some_and(|rest| rest.starts_with('/'))
            })
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let (uid, generation) = (
            object.uid().unwrap_or_default(),
            object.metadata.generation.unwrap_or_default(),
        );
        let object = serde_json::to_value(object)
            .and_then(serde_json::from_value)
            .map_err(|error| error.to_string());
        let written = Self {
            uid,
            generation,
            annotations,
            object,
        };
        (name, Arc::new(written))
    }
}

impl<W, D: Clone> Kept<W, D> {
    /// Takes a change, and says whether anything is other than before.
    pub fn take(
        &mut self,
        change: Change<(Box<str>, Arc<Written<W>>)>,
        kind: &str,
        validate: impl Fn(&W) -> Result<D, Invalid>,
    ) -> bool {
        let changed = self.listed.take(change);
        if changed {
            self.judge(kind, validate);
        }
        changed
    }

    /// Validates what stands there; of what is not valid the last valid form stays.
    fn judge(&mut self, kind: &str, validate: impl Fn(&W) -> Result<D, Invalid>) {
        let mut valid = BTreeMap::new();
        let mut invalid = BTreeMap::new();
        for (name, written) in self.listed.objects() {
            let form = match &written.object {
                Ok(object) => validate(object),
                Err(unreadable) => Err(Invalid::unreadable(format!("{kind}/{name}"), unreadable)),
            };
            match form {
                Ok(form) => {
                    valid.insert(name.clone(), (written.generation, form));
                }
                Err(problem) => {
                    if let Some(last) = self.valid.remove(name) {
                        valid.insert(name.clone(), last);
                    }
                    invalid.insert(name.clone(), problem);
                }
            }
        }
        (self.valid, self.invalid) = (valid, invalid);
    }
}

impl<W, D: Clone> Kept<W, D> {
    /// Whether a list has been complete once.
    pub fn is_complete(&self) -> bool {
        self.listed.is_complete()
    }

    /// The objects as they stand, by name.
    pub fn written(&self) -> &BTreeMap<Box<str>, Arc<Written<W>>> {
        self.listed.objects()
    }

    /// Those that are in force.
    pub fn valid(&self) -> impl Iterator<Item = &D> {
        self.valid.values().map(|(_, form)| form)
    }

    /// Their names and the generations that are in force: of an object that is not valid as it stands, the last that was.
    pub fn generations(&self) -> impl Iterator<Item = (&str, i64)> {
        self.valid
            .iter()
            .map(|(name, (generation, _))| (&**name, *generation))
    }

    /// What is wrong with those that are not valid as they stand, by name.
    pub fn invalid(&self) -> &BTreeMap<Box<str>, Invalid> {
        &self.invalid
    }
}
