//! The webhook configurations.

use serde_json::{Value, json};

use super::{Row, is};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row("entries", json!({}), |r| {
            for entry in ["pods", "configmaps", "templates"] {
                let webhook = r.entry(entry);
                is(
                    &webhook["name"],
                    format!("webhook-{entry}.bedrock-profiles.dev"),
                );
                // Unarmed: the leader puts both in, and an upgrade must not take them back.
                is(&webhook["rules"], Value::Null);
                is(&webhook["clientConfig"]["caBundle"], Value::Null);
                assert!(!webhook["clientConfig"].to_string().contains("caBundle"));
                is(&webhook["failurePolicy"], "Ignore");
                is(&webhook["matchPolicy"], "Equivalent");
                is(&webhook["sideEffects"], "None");
                is(&webhook["timeoutSeconds"], 2);
                is(&webhook["matchConditions"], Value::Null);
                is(&webhook["objectSelector"], Value::Null);
                let mutates = entry != "templates";
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
            let wished = r.wishes()["entries"].clone();
            assert_eq!(wished.as_array().unwrap().len(), 3);
            is(&wished[0]["kind"], "MutatingWebhookConfiguration");
            is(&wished[0]["rules"][0]["resources"], json!(["pods"]));
            is(&wished[0]["rules"][0]["operations"], json!(["CREATE"]));
            is(&wished[2]["kind"], "ValidatingWebhookConfiguration");
        }),
        Row("excluded", json!({"excludedNamespaces": ["a"]}), |r| {
            let selected = &r.entry("pods")["namespaceSelector"]["matchExpressions"][0];
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
                is(&r.entry("configmaps")["timeoutSeconds"], 9);
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
                let webhook = r.entry("pods");
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
                is(&r.entry("configmaps")["failurePolicy"], "Ignore");
                is(&r.entry("configmaps")["matchConditions"], Value::Null);
            },
        ),
        Row(
            "config_maps",
            json!({"webhooks": {"configMaps": {"failurePolicy": "Fail", "namespaceSelector": {"matchLabels": {"a": "b"}},
            "objectSelector": {"matchLabels": {"d": "e"}}, "matchConditions": [{"name": "f", "expression": "true"}]}}}),
            |r| {
                let webhook = r.entry("configmaps");
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
                let webhook = r.entry("templates");
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
                is(r.entry("pods"), Value::Null);
                assert!(!r.wishes()["entries"].to_string().contains("webhook-pods."));
            },
        ),
        Row(
            "no_config_maps",
            json!({"webhooks": {"configMaps": {"enabled": false}}}),
            |r| {
                is(r.entry("configmaps"), Value::Null);
                assert!(
                    !r.wishes()["entries"]
                        .to_string()
                        .contains("webhook-configmaps.")
                );
            },
        ),
        Row(
            "no_templates",
            json!({"webhooks": {"templates": {"enabled": false}}}),
            |r| {
                is(r.entry("templates"), Value::Null);
                assert!(
                    !r.wishes()["entries"]
                        .to_string()
                        .contains("webhook-templates.")
                );
            },
        ),
    ]
}
