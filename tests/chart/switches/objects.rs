//! Names, labels, and what may be left out.

use serde_json::{Value, json};

use super::{Row, is};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row("nothing", json!({}), |r| {
            for object in &r.0 {
                let labels = &object["metadata"]["labels"];
                is(&labels["app.kubernetes.io/name"], "bedrock-profiles");
                is(&labels["app.kubernetes.io/instance"], "bedrock-profiles");
            }
            is(&r.only("Secret")["type"], "Opaque");
            is(&r.only("Secret")["data"], Value::Null);
            is(&r.only("Lease")["spec"], Value::Null);
            is(&r.only("Lease")["metadata"]["name"], "bedrock-profiles");
            is(r.only("NetworkPolicy"), Value::Null);
            is(
                &r.only("ServiceAccount")["automountServiceAccountToken"],
                false,
            );
        }),
        Row(
            "the_pod_of_helm_test_is_selected_by_nothing",
            json!({"networkPolicy": {"enabled": true}}),
            |r| {
                let labels = |object: &Value| object["metadata"]["labels"].clone();
                let replica = labels(&r.only("Deployment")["spec"]["template"]);
                let test = labels(r.only("Pod"));
                for selector in [
                    &r.only("Deployment")["spec"]["selector"]["matchLabels"],
                    &r.only("Service")["spec"]["selector"],
                    &r.only("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
                    &r.only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
                    &r.pod()["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
                ] {
                    assert!(selects(selector, &replica), "{selector} {replica}");
                    assert!(!selects(selector, &test), "{selector} {test}");
                }
            },
        ),
        Row("name", json!({"nameOverride": "profiles"}), |r| {
            let deployment = r.only("Deployment");
            is(&deployment["metadata"]["name"], "bedrock-profiles");
            is(
                &deployment["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"],
                "profiles",
            );
            is(
                &r.only("Service")["spec"]["selector"],
                deployment["spec"]["selector"]["matchLabels"].clone(),
            );
        }),
        Row("full_name", json!({"fullnameOverride": "profiles"}), |r| {
            assert!(r.has_argument("--name=profiles"));
            is(&r.only("Service")["metadata"]["name"], "profiles");
            is(&r.only("Secret")["metadata"]["name"], "profiles-ca");
            is(&r.only("Lease")["metadata"]["name"], "profiles");
            assert!(!r.get("ConfigMap", "profiles-bootstrap").is_null());
            assert!(!r.get("Role", "profiles-events").is_null());
            is(
                &r.webhook("pods")["clientConfig"]["service"]["name"],
                "profiles",
            );
            let role = &r.get("Role", "profiles")["rules"];
            let names: Vec<_> = role
                .as_array()
                .unwrap()
                .iter()
                .map(|rule| &rule["resourceNames"][0])
                .collect();
            assert_eq!(names, ["profiles-ca", "profiles", "profiles-bootstrap"]);
        }),
        Row(
            "labels",
            json!({"commonLabels": {"team": "a"}, "commonAnnotations": {"owner": "b"}}),
            |r| {
                for object in &r.0 {
                    is(&object["metadata"]["labels"]["team"], "a");
                    is(&object["metadata"]["annotations"]["owner"], "b");
                }
                let template = &r.only("Deployment")["spec"]["template"]["metadata"];
                is(&template["labels"]["team"], "a");
                is(&template["annotations"]["owner"], "b");
            },
        ),
        Row("definitions", json!({"crds": {"install": true}}), |r| {
            let definition = r.get(
                "CustomResourceDefinition",
                "inferenceprofilepolicies.bedrock-profiles.dev",
            );
            is(
                &definition["metadata"]["annotations"]["helm.sh/resource-policy"],
                "keep",
            );
            is(&definition["metadata"]["namespace"], Value::Null);
            assert!(
                !r.get(
                    "CustomResourceDefinition",
                    "inferenceprofilemappings.bedrock-profiles.dev"
                )
                .is_null()
            );
        }),
        Row("no_definitions", json!({"crds": {"install": false}}), |r| {
            is(r.only("CustomResourceDefinition"), Value::Null);
        }),
        Row(
            "account",
            json!({"serviceAccount": {"annotations": {"a": "b"}}}),
            |r| {
                is(
                    &r.only("ServiceAccount")["metadata"]["annotations"]["a"],
                    "b",
                );
            },
        ),
        Row(
            "account_given",
            json!({"serviceAccount": {"create": false, "name": "given"}}),
            |r| {
                is(r.only("ServiceAccount"), Value::Null);
                is(&r.pod()["serviceAccountName"], "given");
                for kind in ["RoleBinding", "ClusterRoleBinding"] {
                    is(
                        &r.get(kind, "bedrock-profiles")["subjects"][0]["name"],
                        "given",
                    );
                }
            },
        ),
        Row("no_roles", json!({"rbac": {"create": false}}), |r| {
            assert!(
                !r.0.iter()
                    .any(|object| object["apiVersion"] == "rbac.authorization.k8s.io/v1")
            );
            is(r.only("ValidatingAdmissionPolicy"), Value::Null);
        }),
        Row(
            "viewers",
            json!({"rbac": {"view": {"groups": ["a", "b"]}}}),
            |r| {
                let name = "bedrock-profiles-view";
                let rules = json!([{"apiGroups": ["bedrock-profiles.dev"], "verbs": ["get", "list", "watch"],
                "resources": ["inferenceprofilemappings", "inferenceprofilepolicies"]}]);
                is(&r.get("ClusterRole", name)["rules"], rules);
                let binding = r.get("ClusterRoleBinding", name);
                is(&binding["roleRef"]["name"], name);
                let group = |name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name});
                is(&binding["subjects"], json!([group("a"), group("b")]));
            },
        ),
        Row(
            "no_viewers",
            json!({"rbac": {"view": {"groups": []}}}),
            |r| {
                let of = |object: &Value| object["metadata"]["name"] == "bedrock-profiles-view";
                let kinds = r.0.iter().filter(|object| of(object));
                is(
                    &json!(kinds.map(|object| &object["kind"]).collect::<Vec<_>>()),
                    json!(["ClusterRole"]),
                );
            },
        ),
        Row("limits", json!({"rbac": {"limit": true}}), |r| {
            let policies = ["bedrock-profiles-webhooks", "bedrock-profiles-resources"];
            for name in policies {
                let policy = &r.get("ValidatingAdmissionPolicy", name)["spec"];
                is(&policy["failurePolicy"], "Fail");
                is(
                    &policy["matchConditions"][0]["expression"],
                    "request.userInfo.username == 'system:serviceaccount:bedrock-profiles:bedrock-profiles'",
                );
                let binding = &r.get("ValidatingAdmissionPolicyBinding", name)["spec"];
                is(&binding["policyName"], name);
                is(&binding["validationActions"], json!(["Deny"]));
            }
            // The rules that the leader applies are those that it may apply.
            let limits = &r.get("ValidatingAdmissionPolicy", policies[0])["spec"];
            let permitted = limits["variables"][0]["expression"].as_str().unwrap();
            let permitted: Value = serde_json::from_str(permitted).unwrap();
            let configured = r.bootstrap()["webhooks"].clone();
            let text = |rule: &Value| {
                let fields = ["apiGroups", "apiVersions", "operations", "resources"];
                let list = |field: &Value| {
                    let texts = field
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|text| text.as_str().unwrap());
                    texts.collect::<Vec<_>>().join(",")
                };
                let scope = rule["scope"].as_str().unwrap();
                let lists = fields.map(|field| list(&rule[field]));
                Value::from(format!("{} {scope}", lists.join(" ")))
            };
            for webhook in configured.as_array().unwrap() {
                let name = webhook["name"].as_str().unwrap();
                let rules = webhook["rules"].as_array().unwrap().iter().map(text);
                is(&permitted[name], rules.collect::<Vec<_>>());
            }
        }),
        Row("no_limits", json!({"rbac": {"limit": false}}), |r| {
            is(r.only("ValidatingAdmissionPolicy"), Value::Null);
            is(r.only("ValidatingAdmissionPolicyBinding"), Value::Null);
        }),
    ]
}

/// Whether a selector by labels selects an object with these labels.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let selector = selector.as_object().unwrap();
    !selector.is_empty() && selector.iter().all(|(key, value)| labels[key] == *value)
}
