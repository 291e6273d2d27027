//! Custom resources as observed, and the last valid form of each: an invalid object never replaces a valid one, and never
//! affects another object.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::ResourceExt as _;
use kube::api::DynamicObject;
use serde::de::DeserializeOwned;

use crate::cluster::release::GROUP;
use crate::cluster::store::ObjectStore;
use crate::cluster::watch::Event;
use crate::validate::Invalid;

/// A custom resource as observed.
#[derive(Debug)]
pub struct Observed<W> {
    /// The UID, which distinguishes it from a later object of its name.
    pub uid: String,
    /// The generation: counts the changes of the spec.
    pub generation: i64,
    /// Its annotations of the product's group.
    pub annotations: BTreeMap<String, String>,
    /// Its content, or why that cannot be parsed.
    pub object: Result<W, Arc<serde_json::Error>>,
}

/// The custom resources of a kind.
#[derive(Debug)]
pub struct ValidatedStore<W, D> {
    observed: ObjectStore<Arc<Observed<W>>>,
    /// The last valid form of each, with its generation.
    valid: BTreeMap<Box<str>, (i64, D)>,
    invalid: BTreeMap<Box<str>, Invalid>,
}

/// A change of the status makes no difference.
impl<W> PartialEq for Observed<W> {
    fn eq(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.generation == other.generation
            && self.annotations == other.annotations
    }
}

impl<W, D> Default for ValidatedStore<W, D> {
    fn default() -> Self {
        Self {
            observed: ObjectStore::default(),
            valid: BTreeMap::new(),
            invalid: BTreeMap::new(),
        }
    }
}

impl<W: DeserializeOwned> Observed<W> {
    /// Parses one object, so that an unreadable one does not affect the others of its list.
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
            .map_err(Arc::new);
        let observed = Self {
            uid,
            generation,
            annotations,
            object,
        };
        (name, Arc::new(observed))
    }
}

impl<W, D: Clone> ValidatedStore<W, D> {
    /// Applies an event. Returns whether the objects changed.
    pub fn apply(
        &mut self,
        event: Event<(Box<str>, Arc<Observed<W>>)>,
        kind: &str,
        validate: impl Fn(&W) -> Result<D, Invalid>,
    ) -> bool {
        let changed = self.observed.apply(event);
        if changed {
            self.validate(kind, validate);
        }
        changed
    }

    /// Validates all objects. The last valid form of an invalid object stays.
    fn validate(&mut self, kind: &str, validate: impl Fn(&W) -> Result<D, Invalid>) {
        let mut valid = BTreeMap::new();
        let mut invalid = BTreeMap::new();
        for (name, observed) in self.observed.objects() {
            let form = match &observed.object {
                Ok(object) => validate(object),
                Err(error) => Err(Invalid::unreadable(format!("{kind}/{name}"), error)),
            };
            match form {
                Ok(form) => {
                    valid.insert(name.clone(), (observed.generation, form));
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

    /// Whether a list was received completely.
    pub fn is_complete(&self) -> bool {
        self.observed.is_complete()
    }

    /// The objects as observed, by name.
    pub fn observed(&self) -> &BTreeMap<Box<str>, Arc<Observed<W>>> {
        self.observed.objects()
    }

    /// The last valid form of each object.
    pub fn valid(&self) -> impl Iterator<Item = &D> {
        self.valid.values().map(|(_, form)| form)
    }

    /// The generations of the last valid forms, by name.
    pub fn generations(&self) -> BTreeMap<Box<str>, i64> {
        let generations = self.valid.iter();
        generations
            .map(|(name, (generation, _))| (name.clone(), *generation))
            .collect()
    }

    /// Why objects are invalid, by name.
    pub fn invalid(&self) -> &BTreeMap<Box<str>, Invalid> {
        &self.invalid
    }
}
