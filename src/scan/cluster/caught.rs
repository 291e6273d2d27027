//! Whether the webhook should have caught what is stored: claimed only where it can be known, and `Before` in doubt.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::catalog::LifecycleState;
use crate::domain::judge::Judged;
use crate::domain::object::{Object, Sort};
use crate::domain::policy::{Mode, Namespace, Policy, Selector};
use crate::domain::region::RegionSource;
use crate::report::{FindingRecord, Missed};

/// Since when the webhook was certain to be asked, and about what.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// Since when each policy is in force, by the API server's clock: the latest of its own spec, every mapping, and the
    /// entries' rules. One that is not named is in force nowhere.
    pub in_force_since: BTreeMap<Box<str>, Timestamp>,
    /// The entry for Pods.
    pub pods: Reach,
    /// The entry for ConfigMaps.
    pub config_maps: Reach,
    /// The entry for workload templates.
    pub templates: Reach,
    /// When each namespace was last changed, by the API server's clock.
    pub namespaces: BTreeMap<Box<str>, Timestamp>,
}

/// What an entry of the webhook's configurations reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nobody knows: there is no such entry, or it looks at more than namespaces.
    #[default]
    Unknown,
    /// Every object of these namespaces.
    Namespaces(Selector),
}

impl Reach {
    fn reaches(&self, namespace: &Namespace) -> bool {
        match self {
            Self::Unknown => false,
            Self::Namespaces(selector) => selector.selects(namespace),
        }
    }
}

impl Coverage {
    /// What is to be said of a finding of the deciding policy; nothing where the webhook would have let it pass.
    pub fn of(
        &self,
        object: &Object<'_>,
        namespace: &Namespace,
        policy: &Policy,
        one: &Judged<'_>,
        record: &FindingRecord,
    ) -> Option<Missed> {
        let is_ours_to_catch = match (policy.mode, object.sort) {
            _ if one.resolution.target().is_none() => false,
            (Mode::Rewrite, Sort::Pod | Sort::ConfigMap) => true,
            (Mode::Deny, Sort::Pod | Sort::ConfigMap | Sort::Template) => !object.is_controlled(),
            _ => false,
        };
        if !is_ours_to_catch {
            return None;
        }
        let written = written(object, policy.mode);
        let certain = written.is_some_and(|written| {
            self.was_asked(object.sort, namespace, policy, written)
                && rests_on_the_object(one)
                && was_as_alive(record, written)
        });
        Some(if certain {
            Missed::Missed
        } else {
            Missed::Before
        })
    }

    /// Whether the webhook was certain to be asked about an object that was written then. Times are told in whole seconds, so
    /// that of two in one second nobody knows which came first.
    fn was_asked(
        &self,
        sort: Sort,
        namespace: &Namespace,
        policy: &Policy,
        written: Timestamp,
    ) -> bool {
        let reach = match sort {
            Sort::Pod => &self.pods,
            Sort::ConfigMap => &self.config_maps,
            Sort::Template => &self.templates,
            Sort::Custom | Sort::Plain => &Reach::Unknown,
        };
        let is_before = |time: Option<&Timestamp>| {
            time.is_some_and(|time| time.as_second() < written.as_second())
        };
        reach.reaches(namespace)
            && is_before(self.in_force_since.get(&policy.name))
            && is_before(self.namespaces.get(&namespace.name))
    }
}

/// Whether the answer rests on what stands in the object and its namespace, which is all as it was.
fn rests_on_the_object(one: &Judged<'_>) -> bool {
    let is_guessed = one
        .region
        .is_some_and(|(_, source)| source == RegionSource::Cluster);
    one.finding.leaf.reference().is_none() && !is_guessed
}

/// Whether the model had ended already, if it has: an ID that worked when it was written was nothing to catch.
fn was_as_alive(record: &FindingRecord, written: Timestamp) -> bool {
    let Some(life) = record.lifecycle.as_ref() else {
        return true;
    };
    let end = life.end_of_life_date;
    let had_ended = end.is_some_and(|end| written.to_zoned(TimeZone::UTC).date() >= end);
    life.state != LifecycleState::EndOfLife || had_ended
}

/// When the object was last written in a way that would have asked the webhook.
///
/// Pods are changed when they are created, and an update is refused only for what it brings.
fn written(object: &Object<'_>, mode: Mode) -> Option<Timestamp> {
    match (mode, object.sort) {
        (Mode::Rewrite, Sort::ConfigMap) => last_changed(object),
        _ => object
            .field(&["metadata", "creationTimestamp"])?
            .parse()
            .ok(),
    }
}

/// When a manager of anything but the status has last changed the object.
pub(super) fn last_changed(object: &Object<'_>) -> Option<Timestamp> {
    let tree = object.tree;
    let managers = tree.at(object.root, &["metadata", "managedFields"])?;
    let field = |manager, name| tree.get(manager, name).and_then(|node| tree.text(node));
    tree.children(managers)
        .filter(|manager| field(*manager, "subresource") != Some("status"))
        .filter_map(|manager| field(manager, "time")?.parse().ok())
        .max()
}
