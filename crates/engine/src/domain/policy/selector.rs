//! Namespaces, and the label selectors that select them.

use std::collections::BTreeMap;

/// A label selector; the empty one selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(pub(super) Box<[Requirement]>);

/// One condition of a label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// The label has one of these values.
    In(Box<str>, Box<[Box<str>]>),
    /// The label is absent or has none of these values.
    NotIn(Box<str>, Box<[Box<str>]>),
    /// The label is present.
    Exists(Box<str>),
    /// The label is absent.
    DoesNotExist(Box<str>),
}

/// A namespace, as observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: Box<str>,
    /// Its labels.
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// Its annotations.
    pub annotations: BTreeMap<Box<str>, Box<str>>,
}

/// The label in which every namespace has its name.
pub const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";

impl Selector {
    /// A selector of all `requirements`.
    pub fn new(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        Self(requirements.into_iter().collect())
    }

    /// Whether the namespace's labels meet every requirement.
    pub fn selects(&self, namespace: &Namespace) -> bool {
        self.matches(|key| namespace.labels.get(key).map(|value| &**value))
    }

    /// Whether labels, which `label` looks up, meet every requirement.
    pub fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        let has_one = |value: &str, values: &[Box<str>]| values.iter().any(|one| **one == *value);
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|value| has_one(value, values)),
            Requirement::NotIn(key, values) => {
                label(key).is_none_or(|value| !has_one(value, values))
            }
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::DoesNotExist(key) => label(key).is_none(),
        })
    }

    /// The requirements.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.0.iter()
    }

    /// The label keys of the requirements.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Requirement::key)
    }
}

impl Requirement {
    /// The label key of the requirement.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::In(key, _)
            | Self::NotIn(key, _)
            | Self::Exists(key)
            | Self::DoesNotExist(key) => key,
        }
    }
}

impl Namespace {
    /// A namespace of which only the name is known.
    pub fn named(name: &str) -> Self {
        let labels = BTreeMap::from([(NAMESPACE_NAME_LABEL.into(), name.into())]);
        Self {
            name: name.into(),
            labels,
            annotations: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_follows_the_rules_of_label_selectors() {
        let namespace = Namespace::named("ml");
        let selects = |requirement| Selector::new([requirement]).selects(&namespace);
        assert!(Selector::default().selects(&namespace));
        assert!(selects(Requirement::In(
            NAMESPACE_NAME_LABEL.into(),
            ["ml".into()].into()
        )));
        assert!(!selects(Requirement::NotIn(
            NAMESPACE_NAME_LABEL.into(),
            ["ml".into()].into()
        )));
        assert!(selects(Requirement::NotIn(
            "team".into(),
            ["a".into()].into()
        )));
        assert!(selects(Requirement::DoesNotExist("team".into())));
        assert!(!selects(Requirement::Exists("team".into())));
    }
}
