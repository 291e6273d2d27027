//! The webhook configurations.

use std::collections::BTreeSet;

use bedrock_profiles::domain::kinds::{AdmissionWebhook, BuiltInKind};
use serde_json::{Value, json};

use super::{Row, is};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row("webhook_configurations", json!({}), |r| {
            for suffix in ["pods", "configmaps", "templates"] {
                let webhook = r.webhook(suffix);
                is(
                    &webhook["name"],
                    format!("webhook-{suffix}.bedrock-profiles.dev"),
                );
                // Inactive: the leader adds both, and an upgrade must not remove them.
                is(&webhook["rules"], Value::Null);
                is(&webhook["clientConfig"]["caBundle"], Value::Null);
                assert!(!webhook["clientConfig"].to_string().contains("caBundle"));
                is(&webhook["failurePolicy"], "Ignore");
                is(&webhook["matchPolicy"], "Equivalent");
                is(&webhook["sideEffects"], "None");
                is(&webhook["timeoutSeconds"], 2);
                is(&webhook["matchConditions"], Value::Null);
                is(&webhook["objectSelector"], Value::Null);
                let mutates = suffix != "templates";
                is(
                    &webhook["reinvocationPolicy"],
                    if mutates {
                        json!("IfNeeded")
                    } else {
                        Value::Null
                    },
                );
                is(
                    &webhook["clientConfig"]["service"]["path"],
                    if mutates { "/mutate" } else { "/validate" },
                );
                let excluded = &webhook["namespaceSelector"]["matchExpressions"][0];
                is(&excluded["operator"], "NotIn");
                for namespace in ["kube-system", "bedrock-profiles", "cert-manager"] {
                    assert!(
                        excluded["values"]
                            .as_array()
                            .unwrap()
                            .contains(&json!(namespace)),
                        "{namespace}"
                    );
                }
            }
            let configured = r.bootstrap()["webhooks"].clone();
            assert_eq!(configured.as_array().unwrap().len(), 4);
            is(&configured[0]["kind"], "MutatingWebhookConfiguration");
            is(&configured[0]["rules"][0]["resources"], json!(["pods"]));
            is(&configured[0]["rules"][0]["operations"], json!(["CREATE"]));
            is(&configured[3]["kind"], "ValidatingWebhookConfiguration");
        }),
        Row(
            "updates_of_rewritten_pods",
            json!({"webhooks": {"pods": {"failurePolicy": "Fail", "namespaceSelector": {"matchLabels": {"a": "b"}}}}}),
            |r| {
                let webhook = r.webhook("pod-updates");
                // Whatever the values say, so that no Pod depends on it.
                is(&webhook["failurePolicy"], "Ignore");
                is(&webhook["clientConfig"]["service"]["path"], "/restore");
                is(&webhook["rules"], Value::Null);
                is(&webhook["clientConfig"]["caBundle"], Value::Null);
                is(&webhook["namespaceSelector"]["matchLabels"], Value::Null);
                is(
                    &webhook["matchConditions"],
                    json!([{"name": "has-record", "expression":
                        "has(oldObject.metadata.annotations) && 'bedrock-profiles.dev/rewrites' in oldObject.metadata.annotations"}]),
                );
                let configured = &r.bootstrap()["webhooks"][1];
                is(
                    &configured["name"],
                    "webhook-pod-updates.bedrock-profiles.dev",
                );
                is(
                    &configured["rules"],
                    json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["pods"], "scope": "Namespaced"}]),
                );
            },
        ),
        Row(
            "no_pod_updates",
            json!({"webhooks": {"podUpdates": {"enabled": false}}}),
            |r| {
                is(r.webhook("pod-updates"), Value::Null);
                assert!(
                    !r.bootstrap()["webhooks"]
                        .to_string()
                        .contains("webhook-pod-updates.")
                );
            },
        ),
        Row("the_rules_cover_the_table_of_kinds", json!({}), |r| {
            let of = |webhook| {
                let kinds =
                    BuiltInKind::all().filter(move |kind| kind.reviewed_by == Some(webhook));
                let names = |kind: &BuiltInKind| {
                    [kind.group(), kind.version(), kind.plural].map(str::to_owned)
                };
                kinds.map(names).collect::<BTreeSet<_>>()
            };
            let mut ruled = [BTreeSet::new(), BTreeSet::new()];
            for configuration in r.bootstrap()["webhooks"].as_array().unwrap() {
                let mutates = configuration["kind"] == "MutatingWebhookConfiguration";
                for rule in configuration["rules"].as_array().unwrap() {
                    let group = rule["apiGroups"][0].as_str().unwrap();
                    let version = rule["apiVersions"][0].as_str().unwrap();
                    for resource in rule["resources"].as_array().unwrap() {
                        let resource = resource.as_str().unwrap().split('/').next().unwrap();
                        ruled[usize::from(!mutates)]
                            .insert([group, version, resource].map(str::to_owned));
                    }
                }
            }
            let expected = [AdmissionWebhook::Mutating, AdmissionWebhook::Validating].map(of);
            assert_eq!(ruled, expected);
        }),
        Row("excluded", json!({"excludedNamespaces": ["a"]}), |r| {
            let selected = &r.webhook("pods")["namespaceSelector"]["matchExpressions"][0];
            is(&selected["values"], json!(["a", "bedrock-profiles"]));
            assert!(
                r.has_argument("--exclude-namespace=a")
                    && r.has_argument("--exclude-namespace=bedrock-profiles")
            );
            assert!(!r.has_argument("--exclude-namespace=kyverno"));
        }),
        Row(
            "time",
            json!({"webhooks": {"timeoutSeconds": 9, "annotations": {"a": "b"}}}),
            |r| {
                is(&r.webhook("configmaps")["timeoutSeconds"], 9);
                is(
                    &r.only("ValidatingWebhookConfiguration")["metadata"]["annotations"]["a"],
                    "b",
                );
            },
        ),
        Row(
            "pods",
            json!({"webhooks": {"pods": {"failurePolicy": "Fail",
            "namespaceSelector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]},
            "objectSelector": {"matchLabels": {"d": "e"}}, "matchConditions": [{"name": "f", "expression": "true"}]}}}),
            |r| {
                let webhook = r.webhook("pods");
                is(&webhook["failurePolicy"], "Fail");
                is(&webhook["namespaceSelector"]["matchLabels"]["a"], "b");
                is(
                    &webhook["namespaceSelector"]["matchExpressions"][0]["operator"],
                    "NotIn",
                );
                is(
                    &webhook["namespaceSelector"]["matchExpressions"][1]["key"],
                    "c",
                );
                is(&webhook["objectSelector"]["matchLabels"]["d"], "e");
                is(&webhook["matchConditions"][0]["name"], "f");
                is(&r.webhook("configmaps")["failurePolicy"], "Ignore");
                is(&r.webhook("configmaps")["matchConditions"], Value::Null);
            },
        ),
        Row(
            "config_maps",
            json!({"webhooks": {"configMaps": {"failurePolicy": "Fail", "namespaceSelector": {"matchLabels": {"a": "b"}},
            "objectSelector": {"matchLabels": {"d": "e"}}, "matchConditions": [{"name": "f", "expression": "true"}]}}}),
            |r| {
                let webhook = r.webhook("configmaps");
                is(&webhook["failurePolicy"], "Fail");
                is(&webhook["namespaceSelector"]["matchLabels"]["a"], "b");
                is(&webhook["objectSelector"]["matchLabels"]["d"], "e");
                is(&webhook["matchConditions"][0]["name"], "f");
            },
        ),
        Row(
            "templates",
            json!({"webhooks": {"templates": {"failurePolicy": "Fail", "namespaceSelector": {"matchLabels": {"a": "b"}},
            "objectSelector": {"matchLabels": {"d": "e"}}, "matchConditions": [{"name": "f", "expression": "true"}]}}}),
            |r| {
                let webhook = r.webhook("templates");
                is(&webhook["failurePolicy"], "Fail");
                is(&webhook["namespaceSelector"]["matchLabels"]["a"], "b");
                is(&webhook["objectSelector"]["matchLabels"]["d"], "e");
                is(&webhook["matchConditions"][0]["name"], "f");
            },
        ),
        Row(
            "no_pods",
            json!({"webhooks": {"pods": {"enabled": false}}}),
            |r| {
                is(r.webhook("pods"), Value::Null);
                assert!(
                    !r.bootstrap()["webhooks"]
                        .to_string()
                        .contains("webhook-pods.")
                );
            },
        ),
        Row(
            "no_config_maps",
            json!({"webhooks": {"configMaps": {"enabled": false}}}),
            |r| {
                is(r.webhook("configmaps"), Value::Null);
                assert!(
                    !r.bootstrap()["webhooks"]
                        .to_string()
                        .contains("webhook-configmaps.")
                );
            },
        ),
        Row(
            "no_templates",
            json!({"webhooks": {"templates": {"enabled": false}}}),
            |r| {
                is(r.webhook("templates"), Value::Null);
                assert!(
                    !r.bootstrap()["webhooks"]
                        .to_string()
                        .contains("webhook-templates.")
                );
            },
        ),
    ]
}
