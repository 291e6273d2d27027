//! The webhook configurations of other programs: those that change the same objects, and those that can stop the replicas.

use crate::audit::rule_covers;
use crate::domain::kinds::{BuiltInKind, CONFIG_MAP};
use crate::domain::policy::Namespace;
use crate::validate;

use super::check::{Check, CheckResult};
use super::unread::{Reading, Unread, known};
use super::webhooks::WebhookObjectState;

/// The operation by which Pods come to be.
const CREATE: &str = "CREATE";

/// A webhook of another program, as far as it concerns the release.
#[derive(Debug, Clone, Copy)]
pub struct OtherWebhook<'a>(&'a WebhookObjectState);

impl OtherWebhook<'_> {
    fn covers(self, kind: Option<&BuiltInKind>, operation: &str) -> bool {
        let mut rules = self.0.rules.iter();
        kind.is_some_and(|kind| rules.any(|rule| rule_covers(rule, kind, operation)))
    }

    /// Whether it may change Pods or ConfigMaps.
    fn changes_the_same_objects(self) -> bool {
        self.0.is_mutating
            && (self.covers(BuiltInKind::find("", "Pod"), CREATE)
                || self.covers(Some(&CONFIG_MAP), CREATE))
    }

    /// Whether no Pod can be created in the namespace while its call fails. One that selects Pods by labels is not taken for such.
    fn stops(self, namespace: &Namespace) -> bool {
        let selector = self.0.namespace_selector.clone().unwrap_or_default();
        let selects = validate::label_selector(&self.0.name, &selector)
            .is_ok_and(|selector| selector.selects(namespace));
        self.0.fails_closed
            && !self.0.selects_objects
            && selects
            && self.covers(BuiltInKind::find("", "Pod"), CREATE)
    }

    fn text(self) -> String {
        let Self(webhook) = self;
        format!(
            "{} (reinvocationPolicy {})",
            webhook.name, webhook.reinvocation_policy
        )
    }
}

/// Notes the webhooks of other programs that change the same objects, in the order in which the API server calls them, and warns about
/// those that can stop the replicas.
pub(super) fn check_other_webhooks(
    webhooks: &Reading<Vec<WebhookObjectState>>,
    namespace: &Reading<Namespace>,
) -> CheckResult {
    let check = Check::OtherWebhooks;
    let result = || {
        let webhooks = webhooks.as_ref().map_err(Unread::clone)?;
        let namespace = namespace.as_ref().map_err(Unread::clone)?;
        let others = webhooks
            .iter()
            .filter(|one| !one.is_own())
            .map(OtherWebhook);
        let stopping: Vec<_> = others
            .clone()
            .filter(|one| one.stops(namespace))
            .map(|one| one.0.name.as_str())
            .collect();
        if !stopping.is_empty() {
            let namespace = &namespace.name;
            return Ok(check.warning(
                format!("no replica can start while a call of these webhooks fails, since their failurePolicy is Fail and they select {namespace}: {}", stopping.join(", ")),
                format!("Exclude the namespace {namespace} from these webhooks."),
            ));
        }
        let mut changing: Vec<_> = others
            .filter(|one| one.changes_the_same_objects())
            .collect();
        changing.sort_by(|a, b| a.0.configuration.cmp(&b.0.configuration));
        let changing: Vec<_> = changing.into_iter().map(OtherWebhook::text).collect();
        Ok(check.passed(if changing.is_empty() {
            "no other webhook changes Pods or ConfigMaps".to_owned()
        } else {
            format!("others change Pods or ConfigMaps too, in this order: {}; the webhook is called again after them", changing.join("; "))
        }))
    };
    known(check, result())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::check::CheckState;
    use super::*;
    use crate::cluster::release::POD_WEBHOOK;

    fn webhook(name: &str, is_mutating: bool, fields: &Value) -> Vec<WebhookObjectState> {
        let mut webhook = json!({"name": name, "failurePolicy": "Fail", "rules": [
            {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["pods"], "scope": "*"}]});
        for (field, value) in fields.as_object().unwrap() {
            webhook[field] = value.clone();
        }
        WebhookObjectState::all_of(
            &json!({"metadata": {"name": name}, "webhooks": [webhook]}),
            is_mutating,
        )
    }

    fn result(webhooks: Vec<WebhookObjectState>) -> CheckResult {
        check_other_webhooks(&Ok(webhooks), &Ok(Namespace::named("ai")))
    }

    #[test]
    fn a_webhook_that_fails_closed_in_the_own_namespace_is_a_warning() {
        let elsewhere = json!({"namespaceSelector": {"matchLabels": {"team": "x"}}});
        for (fields, is_mutating, state) in [
            (json!({}), true, CheckState::Warning),
            (json!({}), false, CheckState::Warning),
            (json!({"failurePolicy": "Ignore"}), true, CheckState::Passed),
            (json!({"rules": []}), true, CheckState::Passed),
            (
                json!({"objectSelector": {"matchLabels": {"a": "b"}}}),
                true,
                CheckState::Passed,
            ),
            (elsewhere, true, CheckState::Passed),
        ] {
            assert_eq!(
                result(webhook("w", is_mutating, &fields)).state,
                state,
                "{fields}"
            );
        }
        assert_eq!(
            result(webhook(POD_WEBHOOK, true, &json!({}))).state,
            CheckState::Passed
        );
    }

    #[test]
    fn webhooks_that_change_the_same_objects_are_noted_in_their_order() {
        let ignored = |more: Value| {
            let mut fields = json!({"failurePolicy": "Ignore"});
            fields["reinvocationPolicy"] = more;
            fields
        };
        let mut webhooks = webhook("z", true, &ignored(json!("IfNeeded")));
        webhooks.extend(webhook("a", true, &ignored(json!("Never"))));
        webhooks.extend(webhook("v", false, &ignored(json!("Never"))));
        let detail = result(webhooks).detail;
        assert!(
            detail.contains(
                "order: a (reinvocationPolicy Never); z (reinvocationPolicy IfNeeded); the"
            ),
            "{detail}"
        );
        assert_eq!(
            result(Vec::new()).detail,
            "no other webhook changes Pods or ConfigMaps"
        );
    }
}
