//! Whether the webhook should have caught a stored finding. `Missed` is claimed only where the API server must have asked the
//! webhook about the object; every other case is `Before`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhook, RuleWithOperations, ValidatingWebhook,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::domain::catalog::LifecycleState;
use crate::domain::judge::JudgedFinding;
use crate::domain::kinds::BuiltInKind;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::{Mode, Namespace, Policy, Selector};
use crate::domain::region::RegionSource;
use crate::report::{FindingRecord, Missed};
use crate::validate;

/// Which writes the API server must have sent to the webhook.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// When each policy took effect, by the API server's clock: the latest change of its spec, of any mapping, and of the rules of
    /// the webhook configurations. A policy that is absent has no effect yet.
    pub ready_since: BTreeMap<Box<str>, Timestamp>,
    /// The mutating webhooks, which rewrite and deny Pods and ConfigMaps.
    pub mutating: Vec<Reach>,
    /// The validating webhooks, which deny workloads.
    pub validating: Vec<Reach>,
    /// When each namespace was last changed, by the API server's clock.
    pub namespaces_changed: BTreeMap<Box<str>, Timestamp>,
}

/// The requests that one active webhook receives.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// The namespaces that the webhook selects.
    pub namespaces: Selector,
    /// The resources and operations that the webhook is called for.
    pub rules: Vec<RuleWithOperations>,
}

/// A stored object.
pub(super) struct Subject<'a, 't> {
    pub(super) object: &'a Object<'t>,
    pub(super) kind: &'static BuiltInKind,
    pub(super) namespace: &'a Namespace,
}

/// The last write of an object that the webhook could have acted on.
struct LastWrite {
    time: Timestamp,
    /// The operations that it may have been.
    operations: &'static [&'static str],
}

impl Reach {
    /// The requests that a mutating webhook receives; `None` where its namespace selector and rules do not determine that.
    pub fn of_mutating(webhook: &MutatingWebhook) -> Option<Self> {
        let selects_more = webhook.object_selector.as_ref().is_some_and(selects)
            || webhook.match_conditions.iter().flatten().next().is_some();
        Self::of(
            webhook.rules.as_deref(),
            webhook.namespace_selector.as_ref(),
            selects_more,
        )
    }

    /// The requests that a validating webhook receives; see [`Reach::of_mutating`].
    pub fn of_validating(webhook: &ValidatingWebhook) -> Option<Self> {
        let selects_more = webhook.object_selector.as_ref().is_some_and(selects)
            || webhook.match_conditions.iter().flatten().next().is_some();
        Self::of(
            webhook.rules.as_deref(),
            webhook.namespace_selector.as_ref(),
            selects_more,
        )
    }

    fn of(
        rules: Option<&[RuleWithOperations]>,
        namespaces: Option<&LabelSelector>,
        selects_more: bool,
    ) -> Option<Self> {
        let rules = rules.filter(|rules| !rules.is_empty() && !selects_more)?;
        let everywhere = LabelSelector::default();
        let selector = namespaces.unwrap_or(&everywhere);
        Some(Self {
            namespaces: validate::label_selector("the namespaceSelector", selector).ok()?,
            rules: rules.to_vec(),
        })
    }

    fn covers(&self, subject: &Subject<'_, '_>, operations: &[&str]) -> bool {
        let has_rule = |operation: &&str| {
            let mut rules = self.rules.iter();
            rules.any(|rule| rule_covers(rule, subject.kind, operation))
        };
        self.namespaces.selects(subject.namespace) && operations.iter().all(has_rule)
    }
}

fn selects(selector: &LabelSelector) -> bool {
    *selector != LabelSelector::default()
}

/// Whether a rule matches an operation on a namespaced resource, as the API server matches without `matchPolicy: Equivalent`.
pub fn rule_covers(rule: &RuleWithOperations, kind: &BuiltInKind, operation: &str) -> bool {
    let has = |values: &Option<Vec<String>>, wanted: &[&str]| {
        let mut values = values.iter().flatten();
        values.any(|value| wanted.contains(&value.as_str()))
    };
    let scope = rule.scope.as_deref().unwrap_or("*");
    has(&rule.operations, &["*", operation])
        && has(&rule.api_groups, &["*", kind.group()])
        && has(&rule.api_versions, &["*", kind.version()])
        && has(&rule.resources, &["*", "*/*", kind.plural])
        && matches!(scope, "*" | "Namespaced")
}

impl Coverage {
    /// Whether the webhook missed a finding of the effective policy; `None` where the webhook would have admitted the object
    /// unchanged.
    pub(super) fn missed(
        &self,
        subject: &Subject<'_, '_>,
        policy: &Policy,
        judged: &JudgedFinding<'_>,
        record: &FindingRecord,
    ) -> Option<Missed> {
        let object = subject.object;
        let would_act = match (policy.mode, object.kind) {
            _ if judged.resolution.target().is_none() => false,
            (Mode::Rewrite, ObjectKind::Pod | ObjectKind::ConfigMap) => true,
            (Mode::Deny, ObjectKind::Pod | ObjectKind::ConfigMap | ObjectKind::Template) => {
                !object.is_controlled()
            }
            _ => false,
        };
        if !would_act {
            return None;
        }
        let is_certain = last_write(object, policy.mode).is_some_and(|write| {
            self.was_asked(subject, policy, &write)
                && depends_on_object_alone(judged)
                && was_as_alive(record, write.time)
        });
        Some(if is_certain {
            Missed::Missed
        } else {
            Missed::Before
        })
    }

    /// Whether a mutating webhook is known to review objects like this one when they are created.
    pub(super) fn reviews_creates(&self, subject: &Subject<'_, '_>) -> bool {
        let mut webhooks = self.mutating.iter();
        webhooks.any(|reach| reach.covers(subject, &["CREATE"]))
    }

    /// Whether the API server must have asked the webhook about this write. Timestamps have whole seconds, so the order of two
    /// events in one second is unknown.
    fn was_asked(&self, subject: &Subject<'_, '_>, policy: &Policy, write: &LastWrite) -> bool {
        let webhooks = match subject.object.kind {
            ObjectKind::Pod | ObjectKind::ConfigMap => &self.mutating,
            ObjectKind::Template => &self.validating,
            ObjectKind::Secret | ObjectKind::Custom | ObjectKind::Plain => return false,
        };
        let is_before = |time: Option<&Timestamp>| {
            time.is_some_and(|time| time.as_second() < write.time.as_second())
        };
        let mut webhooks = webhooks.iter();
        webhooks.any(|reach| reach.covers(subject, write.operations))
            && is_before(self.ready_since.get(&policy.name))
            && is_before(self.namespaces_changed.get(&subject.namespace.name))
    }
}

/// Whether the resolution depends only on the object and its namespace, which are known as they were when the object was written.
fn depends_on_object_alone(judged: &JudgedFinding<'_>) -> bool {
    let is_guessed = judged
        .region
        .is_some_and(|chosen| chosen.source == RegionSource::Cluster);
    judged.finding.site.reference().is_none() && !is_guessed
}

/// Whether the model's life cycle had the same state then: an ID that worked when it was written was nothing to catch.
fn was_as_alive(record: &FindingRecord, written: Timestamp) -> bool {
    let Some(life) = record.lifecycle.as_ref() else {
        return true;
    };
    let end = life.end_of_life_date;
    let had_ended = end.is_some_and(|end| written.to_zoned(TimeZone::UTC).date() >= end);
    life.state != LifecycleState::EndOfLife || had_ended
}

/// When the webhook could have acted on a stored object last, under a policy of this mode; `None` if the object does not have the time.
pub fn last_reviewed_write(object: &Object<'_>, mode: Mode) -> Option<Timestamp> {
    last_write(object, mode).map(|write| write.time)
}

/// The last write of an object that the webhook could have acted on. Pods are rewritten only on creation, and an update is
/// denied only for IDs that it adds.
fn last_write(object: &Object<'_>, mode: Mode) -> Option<LastWrite> {
    let created = object.field(&["metadata", "creationTimestamp"]);
    let created = created.and_then(|time| time.parse::<Timestamp>().ok());
    if mode == Mode::Rewrite && object.kind == ObjectKind::ConfigMap {
        let time = last_changed(object)?;
        let is_update = created.is_some_and(|created| created.as_second() < time.as_second());
        let operations: &[_] = if is_update {
            &["UPDATE"]
        } else {
            &["CREATE", "UPDATE"]
        };
        return Some(LastWrite { time, operations });
    }
    Some(LastWrite {
        time: created?,
        operations: &["CREATE"],
    })
}

/// When a manager of anything but the status last changed the object.
pub fn last_changed(object: &Object<'_>) -> Option<Timestamp> {
    let tree = object.tree;
    let managers = tree.at(object.root, &["metadata", "managedFields"])?;
    let field = |manager, name| tree.get(manager, name).and_then(|node| tree.text(node));
    tree.children(managers)
        .filter(|manager| field(*manager, "subresource") != Some("status"))
        .filter_map(|manager| field(manager, "time")?.parse().ok())
        .max()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::kinds::{CONFIG_MAP, WORKLOADS};

    fn reach(webhook: &Value) -> Option<Reach> {
        let mut webhook = webhook.clone();
        webhook["name"] = json!("x");
        webhook["admissionReviewVersions"] = json!(["v1"]);
        webhook["sideEffects"] = json!("None");
        webhook["clientConfig"] = json!({});
        let validating = serde_json::from_value(webhook.clone()).unwrap();
        let mutating = Reach::of_mutating(&serde_json::from_value(webhook).unwrap());
        assert_eq!(mutating, Reach::of_validating(&validating));
        mutating
    }

    #[test]
    fn a_webhook_that_selects_by_more_than_namespaces_has_no_known_reach() {
        let rules = json!([{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]);
        let all = reach(&json!({"rules": rules})).unwrap();
        assert_eq!(all.namespaces, Selector::default());
        let with_empty_selector = reach(&json!({"rules": rules, "objectSelector": {}}));
        assert_eq!(with_empty_selector, Some(all));
        assert_eq!(reach(&json!({})), None);
        assert_eq!(reach(&json!({"rules": []})), None);
        let labels = json!({"matchLabels": {"a": "b"}});
        let by_label = json!({"rules": rules, "objectSelector": labels});
        assert_eq!(reach(&by_label), None);
        let condition = json!([{"name": "c", "expression": "true"}]);
        let by_condition = json!({"rules": rules, "matchConditions": condition});
        assert_eq!(reach(&by_condition), None);
        let some = reach(&json!({"rules": rules, "namespaceSelector": labels})).unwrap();
        assert_ne!(some.namespaces, Selector::default());
    }

    #[test]
    fn a_rule_covers_a_resource_by_operation_group_version_and_scope() {
        let rule = |field: &str, value: Value| {
            let mut rule = json!({"operations": ["CREATE", "UPDATE"], "apiGroups": ["apps"],
                "apiVersions": ["v1"], "resources": ["deployments"], "scope": "Namespaced"});
            rule[field] = value;
            serde_json::from_value::<RuleWithOperations>(rule).unwrap()
        };
        let deployments = &WORKLOADS[0];
        for (field, value, expected) in [
            ("scope", json!("*"), true),
            ("scope", json!("Cluster"), false),
            ("scope", Value::Null, true),
            ("operations", json!(["*"]), true),
            ("operations", json!(["UPDATE"]), false),
            ("apiGroups", json!(["*"]), true),
            ("apiGroups", json!([""]), false),
            ("apiVersions", json!(["v1beta1", "*"]), true),
            ("apiVersions", json!(["v1beta1"]), false),
            ("resources", json!(["*"]), true),
            ("resources", json!(["*/*"]), true),
            ("resources", json!(["deployments/*"]), false),
            ("resources", json!(["statefulsets"]), false),
        ] {
            let rule = rule(field, value.clone());
            let covers = rule_covers(&rule, deployments, "CREATE");
            assert_eq!(covers, expected, "{field}: {value}");
        }
        assert!(!rule_covers(
            &rule("scope", json!("*")),
            &CONFIG_MAP,
            "CREATE"
        ));
    }
}
