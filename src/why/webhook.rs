//! The gates of the webhook configuration.

use k8s_openapi::api::admissionregistration::v1::RuleWithOperations;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::audit::rule_covers;
use crate::cluster::release::{CONFIG_MAP_WEBHOOK, POD_WEBHOOK, TEMPLATE_WEBHOOK};
use crate::domain::kinds::BuiltInKind;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::{Mode, NAMESPACE_NAME_LABEL, Namespace};
use crate::validate;

use super::gate::{Gate, GateResult};

/// The operation by which an object comes to be.
const CREATE: &str = "CREATE";

/// The webhook that reviews an object, by the name that the chart gives its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewingWebhook {
    /// That of Pods, which also decides about what a workload creates.
    Pods,
    /// That of ConfigMaps.
    ConfigMaps,
    /// That of workloads, which denies and does not rewrite.
    Templates,
}

/// What was read of a webhook configuration.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigurationLookup {
    /// Nothing, for this reason.
    NotRead(String),
    /// There is none of this name.
    Absent,
    /// Its first webhook, which is the only one of the chart.
    Found(Box<WebhookFields>),
}

/// The fields of a webhook that decide which requests it receives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WebhookFields {
    rules: Vec<RuleWithOperations>,
    has_ca_bundle: bool,
    namespace_selector: Option<LabelSelector>,
    object_selector: Option<LabelSelector>,
    has_conditions: bool,
}

/// The webhooks that may decide about an object of this kind, that of its own creation last.
pub const fn webhooks_of(kind: ObjectKind) -> &'static [ReviewingWebhook] {
    match kind {
        ObjectKind::Pod => &[ReviewingWebhook::Pods],
        ObjectKind::ConfigMap => &[ReviewingWebhook::ConfigMaps],
        ObjectKind::Template => &[ReviewingWebhook::Pods, ReviewingWebhook::Templates],
        ObjectKind::Secret | ObjectKind::Custom | ObjectKind::Plain => &[],
    }
}

impl ReviewingWebhook {
    /// The name of the configuration, and of its webhook.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pods => POD_WEBHOOK,
            Self::ConfigMaps => CONFIG_MAP_WEBHOOK,
            Self::Templates => TEMPLATE_WEBHOOK,
        }
    }

    /// The plural name of the resource of the configuration.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Pods | Self::ConfigMaps => "mutatingwebhookconfigurations",
            Self::Templates => "validatingwebhookconfigurations",
        }
    }

    /// The webhook that decides about an object of this kind under a policy of this mode: that of Pods about the Pods of a workload,
    /// unless the workload itself is denied. `None` if there is none.
    pub(super) fn of(object: ObjectKind, kind: Option<&BuiltInKind>, mode: Mode) -> Option<Self> {
        let is_reviewed = kind.is_some_and(|kind| kind.reviewed_by.is_some());
        match object {
            ObjectKind::Pod => Some(Self::Pods),
            ObjectKind::ConfigMap => Some(Self::ConfigMaps),
            ObjectKind::Template if mode == Mode::Deny => is_reviewed.then_some(Self::Templates),
            // A custom kind with a Pod template has a controller that makes Pods.
            ObjectKind::Template => (is_reviewed || kind.is_none()).then_some(Self::Pods),
            ObjectKind::Secret | ObjectKind::Custom | ObjectKind::Plain => None,
        }
    }

    /// The kind whose requests the webhook must receive: for the template of a workload, Pods.
    fn requested(self, kind: Option<&'static BuiltInKind>) -> Option<&'static BuiltInKind> {
        match self {
            Self::Pods => BuiltInKind::find("", "Pod"),
            Self::ConfigMaps | Self::Templates => kind,
        }
    }
}

impl ConfigurationLookup {
    /// Reads the first webhook of a configuration. An unreadable field counts as absent.
    pub fn of(configuration: &Value) -> Self {
        let webhook = &configuration["webhooks"][0];
        let bundle = webhook["clientConfig"]["caBundle"].as_str();
        let conditions = webhook["matchConditions"].as_array();
        Self::Found(Box::new(WebhookFields {
            rules: field(webhook, "rules").unwrap_or_default(),
            has_ca_bundle: bundle.is_some_and(|bundle| !bundle.is_empty()),
            namespace_selector: field(webhook, "namespaceSelector"),
            object_selector: field(webhook, "objectSelector"),
            has_conditions: conditions.is_some_and(|conditions| !conditions.is_empty()),
        }))
    }

    /// The gates of the configuration for an object in this namespace. Those after a failed one of existence or rules would say nothing.
    pub(super) fn gates(
        &self,
        webhook: ReviewingWebhook,
        kind: Option<&'static BuiltInKind>,
        object: &Object<'_>,
        namespace: &Namespace,
    ) -> Vec<GateResult> {
        let name = webhook.name();
        let fields = match self {
            Self::NotRead(why) => return vec![Gate::WebhookExists.unknown(why)],
            Self::Absent => {
                return vec![Gate::WebhookExists.failed(
                    format!("the webhook configuration {name} does not exist"),
                    format!(
                        "Enable it in the values of the chart (webhooks), which installs {name}."
                    ),
                )];
            }
            Self::Found(fields) => fields,
        };
        let exists = Gate::WebhookExists.passed(name);
        let active = fields.activity(name, webhook.requested(kind));
        if active.is_failed() {
            return vec![exists, active];
        }
        vec![
            exists,
            active,
            fields.exclusion(name, namespace),
            fields.selection(name, object, namespace),
        ]
    }
}

impl WebhookFields {
    fn activity(&self, name: &str, kind: Option<&BuiltInKind>) -> GateResult {
        let gate = Gate::WebhookActive;
        let lacks = match (self.rules.is_empty(), self.has_ca_bundle) {
            (true, true) => "no rules",
            (true, false) => "neither rules nor a CA bundle",
            (false, false) => "no CA bundle",
            (false, true) => {
                let mut rules = self.rules.iter();
                let plural = kind.map_or("the kind", |kind| kind.plural);
                let covers = |rule| kind.is_some_and(|kind| rule_covers(rule, kind, CREATE));
                return if rules.any(covers) {
                    gate.passed(format!("its rules have {CREATE} of {plural}"))
                } else {
                    gate.failed(
                        format!("the rules of {name} do not have {CREATE} of {plural}"),
                        format!(
                            "Add {CREATE} of {plural} to the rules of {name} in the chart's values."
                        ),
                    )
                };
            }
        };
        gate.failed(
            format!("the webhook configuration {name} is inactive: it has {lacks}"),
            "Make a replica ready: the leader activates the configuration as soon as one is; see `kubectl get pods` in the namespace of the release.",
        )
    }

    /// Whether the configuration excludes the namespace by its name, as the chart's `excludedNamespaces` do.
    fn exclusion(&self, name: &str, namespace: &Namespace) -> GateResult {
        let selector = self.namespace_selector.as_ref();
        let expressions = selector.and_then(|selector| selector.match_expressions.as_ref());
        let mut expressions = expressions.into_iter().flatten();
        let excludes = expressions.any(|one| {
            let mut values = one.values.iter().flatten();
            is_exclusion(&one.key, &one.operator) && values.any(|value| **value == *namespace.name)
        });
        let gate = Gate::NamespaceNotExcluded;
        let namespace = &namespace.name;
        if !excludes {
            return gate.passed(format!("it does not exclude {namespace}"));
        }
        gate.failed(
            format!("{name} excludes the namespace {namespace}, whose objects no policy changes"),
            format!("Run the workload in another namespace; or remove {namespace} from excludedNamespaces of the chart, unless it is that of the release."),
        )
    }

    /// Whether the selectors and conditions of the webhook select the object, besides the names of namespaces that they exclude.
    fn selection(&self, name: &str, object: &Object<'_>, namespace: &Namespace) -> GateResult {
        let gate = Gate::WebhookSelects;
        let mut in_namespace = self.namespace_selector.clone().unwrap_or_default();
        if let Some(expressions) = &mut in_namespace.match_expressions {
            expressions.retain(|one| !is_exclusion(&one.key, &one.operator));
        }
        let of_object = self.object_selector.clone().unwrap_or_default();
        let (Ok(by_namespace), Ok(by_object)) = (
            validate::label_selector(name, &in_namespace),
            validate::label_selector(name, &of_object),
        ) else {
            return gate.unknown("its selectors cannot be read");
        };
        if !by_namespace.selects(namespace) {
            let namespace = &namespace.name;
            let keys: Vec<_> = by_namespace.keys().collect();
            return gate.failed(
                format!("the namespaceSelector of {name} does not select the namespace {namespace}"),
                format!(
                    "Give the namespace {namespace} the label that the selector wants ({}), or change webhooks.*.namespaceSelector of the chart.",
                    keys.join(", ")
                ),
            );
        }
        // A label of the object itself: that of a template is in its Pods.
        let label = |key: &str| {
            if object.kind == ObjectKind::Template {
                object.label(key)
            } else {
                object.field(&["metadata", "labels", key])
            }
        };
        if !by_object.matches(label) {
            let keys: Vec<_> = by_object.keys().collect();
            return gate.failed(
                format!("the objectSelector of {name} does not select the object"),
                format!(
                    "Change the labels of the object that the selector names: {}.",
                    keys.join(", ")
                ),
            );
        }
        if self.has_conditions {
            return gate.unknown("its matchConditions are not evaluated here");
        }
        gate.passed("its selectors select the object")
    }
}

fn field<T: DeserializeOwned>(webhook: &Value, name: &str) -> Option<T> {
    serde_json::from_value(webhook.get(name)?.clone()).ok()
}

/// Whether a requirement excludes namespaces by name.
fn is_exclusion(key: &str, operator: &str) -> bool {
    key == NAMESPACE_NAME_LABEL && operator == "NotIn"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::text::Tree;
    use crate::why::gate::GateState;

    /// The gates of a webhook with these fields besides rules and a CA bundle, for a Pod of the namespace `ml` of team `a`.
    fn gates(fields: &Value) -> Vec<(Gate, GateState)> {
        let mut webhook = json!({"clientConfig": {"caBundle": "Q0E="}, "rules": [
            {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]});
        for (field, value) in fields.as_object().unwrap() {
            webhook[field] = value.clone();
        }
        let pod = json!({"metadata": {"labels": {"app": "chat"}}}).to_string();
        let tree = Tree::json(&pod).unwrap();
        let object = Object::of_kind(&tree, tree.root(), "v1", "Pod");
        let mut namespace = Namespace::named("ml");
        namespace.labels.insert("team".into(), "a".into());
        let lookup = ConfigurationLookup::of(&json!({"webhooks": [webhook]}));
        let kind = BuiltInKind::find("", "Pod");
        let gates = lookup.gates(ReviewingWebhook::Pods, kind, &object, &namespace);
        gates.iter().map(|one| (one.gate, one.state)).collect()
    }

    /// The last gate, after the ones that are passed.
    fn last(fields: &Value) -> (Gate, GateState) {
        let gates = gates(fields);
        let (last, before) = gates.split_last().unwrap();
        let is_passed = |one: &(Gate, GateState)| {
            one.1 == GateState::Passed || one.0 == Gate::NamespaceNotExcluded
        };
        assert!(before.iter().all(is_passed), "{gates:?}");
        *last
    }

    #[test]
    fn a_webhook_is_active_with_a_ca_bundle_and_rules_for_the_kind() {
        use GateState::{Failed, Passed};
        let others = json!([{"operations": ["UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]);
        assert_eq!(last(&json!({})), (Gate::WebhookSelects, Passed));
        for fields in [
            json!({"rules": []}),
            json!({"rules": null}),
            json!({"rules": others}),
            json!({"clientConfig": {}}),
        ] {
            assert_eq!(last(&fields), (Gate::WebhookActive, Failed), "{fields}");
        }
    }

    #[test]
    fn an_excluded_name_is_another_gate_than_a_label() {
        let name = "kubernetes.io/metadata.name";
        let excluding = |values: Value| json!({"namespaceSelector": {"matchExpressions": [{"key": name, "operator": "NotIn", "values": values}]}});
        let all = gates(&excluding(json!(["kube-system", "ml"])));
        assert!(
            all.contains(&(Gate::NamespaceNotExcluded, GateState::Failed)),
            "{all:?}"
        );
        assert!(
            all.contains(&(Gate::WebhookSelects, GateState::Passed)),
            "{all:?}"
        );
        let all = gates(&excluding(json!(["kube-system"])));
        assert!(all.iter().all(|one| one.1 == GateState::Passed), "{all:?}");
        let all = gates(&json!({"namespaceSelector": {"matchLabels": {"team": "b"}}}));
        assert!(
            all.contains(&(Gate::NamespaceNotExcluded, GateState::Passed)),
            "{all:?}"
        );
        assert!(
            all.contains(&(Gate::WebhookSelects, GateState::Failed)),
            "{all:?}"
        );
    }

    #[test]
    fn labels_of_the_object_count_and_conditions_are_not_evaluated() {
        use GateState::{Failed, Passed, Unknown};
        for (fields, state) in [
            (
                json!({"objectSelector": {"matchLabels": {"app": "chat"}}}),
                Passed,
            ),
            (
                json!({"objectSelector": {"matchLabels": {"app": "web"}}}),
                Failed,
            ),
            (
                json!({"matchConditions": [{"name": "c", "expression": "true"}]}),
                Unknown,
            ),
            (json!({"matchConditions": []}), Passed),
        ] {
            assert_eq!(last(&fields), (Gate::WebhookSelects, state), "{fields}");
        }
    }
}
