//! The objects of one resource, folded from watch events: the previous objects stay until a new list is complete.

use std::collections::BTreeMap;

use super::watch::Event;

/// A collection that a [`Store`] fills.
pub trait Collection: Default {
    /// One object, with its key.
    type Object;

    /// Inserts or replaces an object. Returns whether the collection changed.
    fn insert(&mut self, object: Self::Object) -> bool;

    /// Removes an object. Returns whether the collection changed.
    fn remove(&mut self, object: &Self::Object) -> bool;

    /// Whether a new list of objects makes a difference.
    fn differs_from(&self, other: &Self) -> bool;
}

/// The objects of one resource.
#[derive(Debug, Default)]
pub struct Store<C> {
    objects: C,
    /// The list that is being received.
    pending: Option<C>,
    complete: bool,
}

/// The objects of one resource, by name.
pub type ObjectStore<T> = Store<BTreeMap<Box<str>, T>>;

impl<T: PartialEq> Collection for BTreeMap<Box<str>, T> {
    type Object = (Box<str>, T);

    fn insert(&mut self, (name, object): Self::Object) -> bool {
        if self.get(&name) == Some(&object) {
            return false;
        }
        Self::insert(self, name, object);
        true
    }

    fn remove(&mut self, (name, _): &Self::Object) -> bool {
        Self::remove(self, name).is_some()
    }

    fn differs_from(&self, other: &Self) -> bool {
        self != other
    }
}

impl<C: Collection> Store<C> {
    /// Applies an event. Returns whether the objects changed, or are complete for the first time.
    pub fn apply(&mut self, event: Event<C::Object>) -> bool {
        match event {
            Event::Init => {
                self.pending = Some(C::default());
                false
            }
            Event::InitApply(object) => {
                self.pending.get_or_insert_default().insert(object);
                false
            }
            Event::InitDone => {
                let first = !self.complete;
                self.complete = true;
                let objects = self.pending.take().unwrap_or_default();
                let differs = objects.differs_from(&self.objects);
                self.objects = objects;
                first || differs
            }
            Event::Apply(object) => self.objects.insert(object) && self.complete,
            Event::Delete(object) => self.objects.remove(&object) && self.complete,
        }
    }
}

impl<C> Store<C> {
    /// A store with initial objects, which stay until the first list is complete.
    pub fn of(objects: C) -> Self {
        Self {
            objects,
            pending: None,
            complete: false,
        }
    }

    /// Expects a new watch. The objects stay until its list is complete.
    pub fn restart(&mut self) {
        self.pending = None;
        self.complete = false;
    }

    /// Whether a list of the current watch was received completely.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The objects.
    pub fn objects(&self) -> &C {
        &self.objects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, value: u8) -> (Box<str>, u8) {
        (name.into(), value)
    }

    #[test]
    fn previous_objects_stay_until_a_new_list_is_complete() {
        let mut store = ObjectStore::default();
        assert!(!store.apply(Event::Init));
        assert!(!store.apply(Event::InitApply(named("a", 1))));
        assert!(!store.apply(Event::InitApply(named("b", 1))));
        assert!(!store.is_complete());
        assert!(store.apply(Event::InitDone));

        assert!(!store.apply(Event::Init));
        assert!(!store.apply(Event::InitApply(named("b", 1))));
        assert_eq!(store.objects().len(), 2);
        assert!(store.apply(Event::InitDone));
        assert_eq!(
            store.objects().keys().map(|k| &**k).collect::<Vec<_>>(),
            ["b"]
        );
    }

    #[test]
    fn an_event_without_a_difference_is_not_a_change() {
        let mut store = ObjectStore::default();
        assert!(store.apply(Event::InitDone), "the first list, though empty");
        assert!(store.apply(Event::Apply(named("a", 1))));
        assert!(!store.apply(Event::Apply(named("a", 1))));
        assert!(store.apply(Event::Apply(named("a", 2))));
        assert!(store.apply(Event::Delete(named("a", 2))));
        assert!(!store.apply(Event::Delete(named("a", 2))));
        assert!(!store.apply(Event::Init));
        assert!(!store.apply(Event::InitDone), "the same objects as before");
    }
}
