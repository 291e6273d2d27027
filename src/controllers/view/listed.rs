//! What a watch has told so far: the objects of one sort by name, the old ones until a new list is complete.

use std::collections::BTreeMap;

use crate::cluster::watch::Change;

/// The objects of one sort, by name.
#[derive(Debug)]
pub struct Listed<T> {
    objects: BTreeMap<Box<str>, T>,
    coming: Option<BTreeMap<Box<str>, T>>,
    complete: bool,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            coming: None,
            complete: false,
        }
    }
}

impl<T: PartialEq> Listed<T> {
    /// Takes a change, and says whether the objects are others now, or are all there for the first time.
    pub fn take(&mut self, change: Change<(Box<str>, T)>) -> bool {
        match change {
            Change::Restarted => {
                self.coming = Some(BTreeMap::new());
                false
            }
            Change::Listed((name, object)) => {
                self.coming.get_or_insert_default().insert(name, object);
                false
            }
            Change::Complete => {
                let first = !self.complete;
                self.complete = true;
                let coming = self.coming.take().unwrap_or_default();
                let other = coming != self.objects;
                self.objects = coming;
                first || other
            }
            Change::Applied((name, object)) => {
                if self.objects.get(&name) == Some(&object) {
                    return false;
                }
                self.objects.insert(name, object);
                self.complete
            }
            Change::Deleted((name, _)) => self.objects.remove(&name).is_some() && self.complete,
        }
    }
}

impl<T> Listed<T> {
    /// Whether a list has been complete once.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The objects, by name in order.
    pub fn objects(&self) -> &BTreeMap<Box<str>, T> {
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
    fn the_old_objects_stay_until_the_new_list_is_complete() {
        let mut listed = Listed::default();
        assert!(!listed.take(Change::Restarted));
        assert!(!listed.take(Change::Listed(named("a", 1))));
        assert!(!listed.take(Change::Listed(named("b", 1))));
        assert!(!listed.is_complete());
        assert!(listed.take(Change::Complete));

        assert!(!listed.take(Change::Restarted));
        assert!(!listed.take(Change::Listed(named("b", 1))));
        assert_eq!(listed.objects().len(), 2);
        assert!(listed.take(Change::Complete));
        assert_eq!(
            listed.objects().keys().map(|k| &**k).collect::<Vec<_>>(),
            ["b"]
        );
    }

    #[test]
    fn only_a_difference_is_a_change() {
        let mut listed = Listed::default();
        assert!(listed.take(Change::Complete), "an empty list is one too");
        assert!(listed.take(Change::Applied(named("a", 1))));
        assert!(!listed.take(Change::Applied(named("a", 1))));
        assert!(listed.take(Change::Applied(named("a", 2))));
        assert!(listed.take(Change::Deleted(named("a", 2))));
        assert!(!listed.take(Change::Deleted(named("a", 2))));
        assert!(!listed.take(Change::Restarted));
        assert!(
            !listed.take(Change::Complete),
            "nothing is other than before"
        );
    }
}
