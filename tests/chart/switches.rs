//! What each value does: a row for every one of them, which a test holds.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::helm::{CHART, Release, Rendered};
use crate::pinned::HELM_4;
use crate::tools::repository;
use crate::trial;

/// The name of a row, the values, and what is to be seen then.
struct Row(&'static str, Value, fn(&Rendered));

/// Holds a value against what is expected of it.
#[track_caller]
fn is(found: &Value, expected: impl Into<Value>) {
    assert_eq!(*found, expected.into());
}

fn table() -> Vec<Row> {
    [
        objects(),
        deciding(),
        entries(),
        certificates(),
        pods(),
        around(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Names, labels, and what may be left out.
fn objects() -> Vec<Row> {
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
                &r.entry("pods")["clientConfig"]["service"]["name"],
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
        }),
    ]
}

/// What is decided, written, audited; and the rights that go with it.
fn deciding() -> Vec<Row> {
    vec![
        Row(
            "mode",
            json!({"policy": {"mode": "Rewrite", "priority": 7}}),
            |r| {
                is(
                    &r.wishes()["policy"],
                    json!({"mode": "Rewrite", "priority": 7}),
                );
            },
        ),
        Row(
            "whole_policy",
            json!({"policy": {"references": "Off", "match": {"namespaceSelector": null}, "geography": {"allowed": ["us"]}}}),
            |r| {
                let policy = &r.wishes()["policy"];
                is(&policy["references"], "Off");
                is(&policy["geography"]["allowed"], json!(["us"]));
            },
        ),
        Row("no_policy", json!({"policy": {"create": false}}), |r| {
            is(&r.wishes()["policy"], Value::Null);
            assert!(!r.grants("inferenceprofilepolicies", "create"));
            assert!(!r.grants("inferenceprofilepolicies", "patch"));
        }),
        Row("catalog", json!({"catalog": {"apply": false}}), |r| {
            is(&r.wishes()["catalog"]["apply"], false);
            assert!(!r.grants("inferenceprofilemappings", "create"));
            assert!(!r.grants("inferenceprofilemappings", "patch"));
        }),
        Row(
            "region_of_nodes",
            json!({"region": {"fromNodes": "auto"}}),
            |r| {
                assert!(r.has_argument("--region-from-nodes=true") && r.grants("nodes", "watch"));
            },
        ),
        Row(
            "region_of_policy",
            json!({"policy": {"region": {"default": "eu-west-1"}}}),
            |r| {
                assert!(r.has_argument("--region-from-nodes=false") && !r.grants("nodes", "watch"));
            },
        ),
        Row(
            "region_of_both",
            json!({"region": {"fromNodes": true}, "policy": {"region": {"default": "eu-west-1"}}}),
            |r| {
                assert!(r.has_argument("--region-from-nodes=true") && r.grants("nodes", "watch"));
            },
        ),
        Row(
            "no_region_of_nodes",
            json!({"region": {"fromNodes": false}}),
            |r| {
                assert!(r.has_argument("--region-from-nodes=false") && !r.grants("nodes", "list"));
            },
        ),
        Row(
            "no_references",
            json!({"references": {"enabled": false}}),
            |r| {
                is(&r.wishes()["policy"]["references"], "Off");
                let cluster = r.get("ClusterRole", "bedrock-profiles")["rules"].to_string();
                assert!(
                    !cluster.contains(r#"["configmaps"],"verbs":["list","watch"]"#),
                    "{cluster}"
                );
                assert!(
                    cluster.contains(r#"["configmaps"],"verbs":["list"]"#),
                    "{cluster}"
                );
            },
        ),
        Row(
            "no_audit",
            json!({"audit": {"enabled": false}, "events": {"onOwners": true}}),
            |r| {
                assert!(r.has_argument("--audit=false"));
                for resource in ["pods", "deployments", "jobs", "reports", "clusterroles"] {
                    assert!(
                        !r.grants(resource, "list") && !r.grants(resource, "get"),
                        "{resource}"
                    );
                }
                is(
                    &r.get("ClusterRole", "bedrock-profiles")["rules"]
                        .to_string()
                        .contains("events")
                        .into(),
                    false,
                );
            },
        ),
        Row(
            "audit",
            json!({"audit": {"every": "2h", "settle": "90s", "pace": 0, "configMaps": false}}),
            |r| {
                for argument in [
                    "--audit=true",
                    "--audit-every=2h",
                    "--audit-settle=90s",
                    "--audit-pace=0",
                    "--audit-config-maps=false",
                ] {
                    assert!(r.has_argument(argument), "{argument}");
                }
                assert!(r.grants("pods", "list"));
                let cluster = r.get("ClusterRole", "bedrock-profiles")["rules"].to_string();
                assert!(
                    !cluster.contains(r#"["configmaps"],"verbs":["list"]"#),
                    "{cluster}"
                );
            },
        ),
        Row("no_reports", json!({"reports": {"enabled": false}}), |r| {
            assert!(
                r.has_argument("--reports=false")
                    && !r.grants("reports", "create")
                    && !r.grants("clusterroles", "get")
            );
        }),
        Row("events", json!({"events": {"onOwners": true}}), |r| {
            assert!(r.has_argument("--events-on-owners=true"));
            assert!(
                r.get("ClusterRole", "bedrock-profiles")["rules"]
                    .to_string()
                    .contains("events.k8s.io")
            );
        }),
    ]
}

/// The webhook configurations.
fn entries() -> Vec<Row> {
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

fn certificates() -> Vec<Row> {
    vec![
        Row(
            "own_authority",
            json!({"certificates": {"mode": "self"}}),
            |r| {
                assert!(r.grants("secrets", "update") && !r.grants("secrets", "create"));
                is(&r.pod()["volumes"], Value::Null);
                is(r.only("Certificate"), Value::Null);
            },
        ),
        Row(
            "secret",
            json!({"certificates": {"mode": "secret", "secret": {"name": "tls"}}}),
            |r| {
                is(r.only("Secret"), Value::Null);
                assert!(!r.grants("secrets", "get"));
                let sources = &r.pod()["volumes"][0]["projected"]["sources"];
                is(&sources[0]["secret"]["name"], "tls");
                is(&sources[1]["secret"]["name"], "tls");
                is(&sources[1]["secret"]["items"][0]["key"], "ca.crt");
                is(&r.container()["volumeMounts"][0]["readOnly"], true);
                for argument in [
                    "--tls-cert-file=/certificates/tls.crt",
                    "--tls-key-file=/certificates/tls.key",
                    "--ca-bundle-file=/certificates/ca.crt",
                ] {
                    assert!(r.has_argument(argument), "{argument}");
                }
            },
        ),
        Row(
            "cert_manager",
            json!({"certificates": {"mode": "certManager", "certManager": {
            "issuer": {"name": "ca", "kind": "Issuer", "group": "cert-manager.io"}, "duration": "48h", "renewBefore": "12h", "caInSecret": true}}}),
            |r| {
                let certificate = &r.only("Certificate")["spec"];
                is(
                    &certificate["issuerRef"],
                    json!({"name": "ca", "kind": "Issuer", "group": "cert-manager.io"}),
                );
                is(&certificate["duration"], "48h");
                is(&certificate["renewBefore"], "12h");
                is(
                    &certificate["dnsNames"][0],
                    "bedrock-profiles.bedrock-profiles.svc",
                );
                let sources = &r.pod()["volumes"][0]["projected"]["sources"];
                is(
                    &sources[0]["secret"]["name"],
                    certificate["secretName"].clone(),
                );
                is(
                    &sources[1]["secret"]["name"],
                    certificate["secretName"].clone(),
                );
            },
        ),
        Row(
            "issuer_without_ca",
            json!({"certificates": {"mode": "certManager", "certManager": {
            "issuer": {"name": "acme", "kind": "ClusterIssuer"}, "caInSecret": false}, "caBundle": "-----BEGIN CERTIFICATE-----\nA\n"}}),
            |r| {
                let source = &r.pod()["volumes"][0]["projected"]["sources"][1];
                is(&source["configMap"]["name"], "bedrock-profiles-ca-bundle");
                let bundle = &r.get("ConfigMap", "bedrock-profiles-ca-bundle")["data"]["ca.crt"];
                is(bundle, "-----BEGIN CERTIFICATE-----\nA\n");
            },
        ),
    ]
}

/// The Deployment.
fn pods() -> Vec<Row> {
    vec![
        Row("restricted", json!({}), |r| {
            for (pod, container) in [
                (r.pod(), r.container()),
                (
                    &r.only("Pod")["spec"],
                    &r.only("Pod")["spec"]["containers"][0],
                ),
            ] {
                is(&pod["securityContext"]["runAsNonRoot"], true);
                is(
                    &pod["securityContext"]["seccompProfile"]["type"],
                    "RuntimeDefault",
                );
                is(
                    &container["securityContext"]["readOnlyRootFilesystem"],
                    true,
                );
                is(
                    &container["securityContext"]["allowPrivilegeEscalation"],
                    false,
                );
                is(
                    &container["securityContext"]["capabilities"]["drop"],
                    json!(["ALL"]),
                );
            }
            is(
                &r.only("Pod")["spec"]["automountServiceAccountToken"],
                false,
            );
            is(
                &r.only("Deployment")["spec"]["strategy"]["rollingUpdate"],
                json!({"maxSurge": 1, "maxUnavailable": 0}),
            );
        }),
        Row("replicas", json!({"replicas": 3}), |r| {
            is(&r.only("Deployment")["spec"]["replicas"], 3);
        }),
        Row(
            "image",
            json!({"image": {"repository": "example.com/x", "tag": "y", "pullPolicy": "Never"}, "imagePullSecrets": [{"name": "z"}]}),
            |r| {
                is(&r.container()["image"], "example.com/x:y");
                is(&r.container()["imagePullPolicy"], "Never");
                is(&r.pod()["imagePullSecrets"], json!([{"name": "z"}]));
                is(
                    &r.only("Pod")["spec"]["containers"][0]["image"],
                    "example.com/x:y",
                );
                is(
                    &r.only("Pod")["spec"]["imagePullSecrets"],
                    json!([{"name": "z"}]),
                );
            },
        ),
        Row(
            "digest",
            json!({"image": {"repository": "x", "digest": format!("sha256:{}", "a".repeat(64))}}),
            |r| {
                is(
                    &r.container()["image"],
                    format!("x@sha256:{}", "a".repeat(64)),
                );
            },
        ),
        Row(
            "node_network",
            json!({"hostNetwork": true, "ports": {"webhook": 9443, "admin": 9080}}),
            |r| {
                is(
                    &r.only("Deployment")["spec"]["strategy"]["rollingUpdate"],
                    json!({"maxSurge": 0, "maxUnavailable": 1}),
                );
                is(&r.pod()["hostNetwork"], true);
                is(&r.pod()["dnsPolicy"], "ClusterFirstWithHostNet");
                is(&r.container()["ports"][0]["hostPort"], 9443);
                is(&r.container()["ports"][1]["hostPort"], 9080);
                assert!(
                    r.has_argument("--listen=0.0.0.0:9443")
                        && r.has_argument("--admin-listen=0.0.0.0:9080")
                );
            },
        ),
        Row("address", json!({"bindAddress": "::"}), |r| {
            assert!(
                r.has_argument("--listen=[::]:8443") && r.has_argument("--admin-listen=[::]:8080")
            );
            is(&r.container()["ports"][0]["hostPort"], Value::Null);
        }),
        Row(
            "log",
            json!({"log": {"format": "text", "filter": "debug,kube=off"}}),
            |r| {
                assert!(
                    r.has_argument("--log-format=text") && r.has_argument("--log=debug,kube=off")
                );
            },
        ),
        Row(
            "extras",
            json!({"extraArgs": ["--today=2026-01-01"], "extraEnv": [{"name": "A", "value": "b"}]}),
            |r| {
                assert!(r.has_argument("--today=2026-01-01"));
                is(&r.container()["env"][1], json!({"name": "A", "value": "b"}));
            },
        ),
        Row(
            "resources",
            json!({"resources": {"requests": {"cpu": "1"}}}),
            |r| is(&r.container()["resources"]["requests"]["cpu"], "1"),
        ),
        Row(
            "probes",
            json!({"livenessProbe": {"periodSeconds": 33}, "readinessProbe": {"periodSeconds": 44}}),
            |r| {
                is(
                    &r.container()["livenessProbe"]["httpGet"],
                    json!({"path": "/livez", "port": "admin"}),
                );
                is(&r.container()["livenessProbe"]["periodSeconds"], 33);
                is(
                    &r.container()["readinessProbe"]["httpGet"]["path"],
                    "/readyz",
                );
                is(&r.container()["readinessProbe"]["periodSeconds"], 44);
            },
        ),
        Row("end", json!({"terminationGracePeriodSeconds": 60}), |r| {
            is(&r.pod()["terminationGracePeriodSeconds"], 60);
        }),
        Row(
            "security",
            json!({"podSecurityContext": {"runAsUser": 7}, "securityContext": {"privileged": false}}),
            |r| {
                is(&r.pod()["securityContext"]["runAsUser"], 7);
                is(&r.container()["securityContext"]["privileged"], false);
            },
        ),
        Row(
            "pod_metadata",
            json!({"podLabels": {"a": "b"}, "podAnnotations": {"c": "d"}}),
            |r| {
                let metadata = &r.only("Deployment")["spec"]["template"]["metadata"];
                is(&metadata["labels"]["a"], "b");
                is(&metadata["annotations"]["c"], "d");
                is(
                    &r.only("Deployment")["spec"]["selector"]["matchLabels"]["a"],
                    Value::Null,
                );
            },
        ),
        Row(
            "where",
            json!({"priorityClassName": "high", "nodeSelector": {"pool": "a"}, "tolerations": [{"operator": "Exists"}],
            "affinity": {"podAntiAffinity": {}}, "topologySpreadConstraints": [{"topologyKey": "rack"}]}),
            |r| {
                is(&r.pod()["priorityClassName"], "high");
                is(&r.pod()["nodeSelector"]["pool"], "a");
                is(&r.pod()["tolerations"][0]["operator"], "Exists");
                is(&r.pod()["affinity"]["podAntiAffinity"], json!({}));
                is(
                    &r.pod()["topologySpreadConstraints"],
                    json!([{"topologyKey": "rack"}]),
                );
            },
        ),
        Row("spread", json!({}), |r| {
            let spread = &r.pod()["topologySpreadConstraints"];
            is(&spread[0]["topologyKey"], "kubernetes.io/hostname");
            is(&spread[1]["topologyKey"], "topology.kubernetes.io/zone");
            is(
                &spread[0]["labelSelector"],
                r.only("Deployment")["spec"]["selector"].clone(),
            );
        }),
    ]
}

/// What stands around the Deployment.
fn around() -> Vec<Row> {
    vec![
        Row(
            "service",
            json!({"service": {"annotations": {"a": "b"}, "ipFamilyPolicy": "PreferDualStack"}}),
            |r| {
                is(&r.only("Service")["metadata"]["annotations"]["a"], "b");
                is(
                    &r.only("Service")["spec"]["ipFamilyPolicy"],
                    "PreferDualStack",
                );
                is(&r.only("Service")["spec"]["ports"][0]["port"], 443);
            },
        ),
        Row(
            "budget",
            json!({"podDisruptionBudget": {"maxUnavailable": "50%"}}),
            |r| {
                is(
                    &r.only("PodDisruptionBudget")["spec"]["maxUnavailable"],
                    "50%",
                );
                is(
                    &r.only("PodDisruptionBudget")["spec"]["unhealthyPodEvictionPolicy"],
                    "AlwaysAllow",
                );
            },
        ),
        Row(
            "no_budget",
            json!({"podDisruptionBudget": {"enabled": false}}),
            |r| is(r.only("PodDisruptionBudget"), Value::Null),
        ),
        Row(
            "autoscaling",
            json!({"autoscaling": {"enabled": true, "minReplicas": 3, "maxReplicas": 7, "targetCPUUtilizationPercentage": 55}}),
            |r| {
                let spec = &r.only("HorizontalPodAutoscaler")["spec"];
                is(&spec["minReplicas"], 3);
                is(&spec["maxReplicas"], 7);
                is(
                    &spec["metrics"][0]["resource"]["target"]["averageUtilization"],
                    55,
                );
                is(&r.only("Deployment")["spec"]["replicas"], Value::Null);
            },
        ),
        Row(
            "network",
            json!({"networkPolicy": {"enabled": true}}),
            |r| {
                let spec = &r.only("NetworkPolicy")["spec"];
                is(
                    &spec["ingress"][0],
                    json!({"ports": [{"port": "webhook", "protocol": "TCP"}]}),
                );
                is(
                    &spec["egress"][0]["ports"],
                    json!([{"port": 443, "protocol": "TCP"}, {"port": 6443, "protocol": "TCP"}]),
                );
            },
        ),
        Row(
            "network_peers",
            json!({"networkPolicy": {"enabled": true, "webhookFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
            "metricsFrom": [{"podSelector": {}}], "apiServerTo": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "apiServerPorts": [8443]}}),
            |r| {
                let spec = &r.only("NetworkPolicy")["spec"];
                is(
                    &spec["ingress"][0]["from"],
                    json!([{"ipBlock": {"cidr": "10.0.0.0/8"}}]),
                );
                is(&spec["ingress"][1]["from"], json!([{"podSelector": {}}]));
                is(
                    &spec["egress"][0]["to"],
                    json!([{"ipBlock": {"cidr": "10.1.0.0/16"}}]),
                );
                is(&spec["egress"][0]["ports"][0]["port"], 8443);
            },
        ),
        Row(
            "monitor",
            json!({"metrics": {"serviceMonitor": {"enabled": true, "labels": {"release": "p"}, "interval": "15s"}}}),
            |r| {
                let monitor = r.only("ServiceMonitor");
                is(&monitor["metadata"]["labels"]["release"], "p");
                is(&monitor["spec"]["endpoints"][0]["interval"], "15s");
                is(
                    &monitor["spec"]["selector"]["matchLabels"],
                    r.only("Deployment")["spec"]["selector"]["matchLabels"].clone(),
                );
                is(
                    &r.only("Service")["spec"]["ports"][1]["name"],
                    monitor["spec"]["endpoints"][0]["port"].clone(),
                );
            },
        ),
        Row(
            "alerts",
            json!({"metrics": {"prometheusRule": {"enabled": true, "labels": {"release": "p"}, "runbookUrl": "https://example.com/r"}}}),
            |r| {
                let rule = r.only("PrometheusRule");
                is(&rule["metadata"]["labels"]["release"], "p");
                for alert in rule["spec"]["groups"][0]["rules"].as_array().unwrap() {
                    let name = alert["alert"].as_str().unwrap().to_lowercase();
                    is(
                        &alert["annotations"]["runbook_url"],
                        format!("https://example.com/r#{name}"),
                    );
                }
            },
        ),
        Row(
            "dashboard",
            json!({"metrics": {"dashboard": {"enabled": true, "labels": {"grafana": "x"}, "annotations": {"folder": "y"}}}}),
            |r| {
                let map = r.get("ConfigMap", "bedrock-profiles-dashboard");
                is(&map["metadata"]["labels"]["grafana"], "x");
                is(&map["metadata"]["annotations"]["folder"], "y");
                let text = map["data"]["bedrock-profiles.json"].as_str().unwrap();
                assert!(serde_json::from_str::<Value>(text).unwrap()["panels"].is_array());
            },
        ),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let rows = table().into_iter().map(|Row(name, values, see)| {
        trial(format!("switch::{name}"), move || {
            see(&Release::default().objects(&values));
        })
    });
    let others = [
        trial("every_value_has_a_row", every_value),
        trial("in_the_namespace_default", in_default),
        trial("no_name_is_too_long", long_names),
        trial("nothing_is_looked_up_or_random", settled),
        trial("the_notes_say_what_to_do_next", notes),
    ];
    rows.chain(others).collect()
}

/// The paths of what a mapping holds, down to what is no mapping or an empty one.
fn leaves(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                leaves(value, &format!("{path}.{key}"), into);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            into.insert(path.to_owned());
        }
    }
}

/// Values that are passed on as they are: a row for one key of theirs is enough.
const WHOLE: &[&str] = &[
    ".nodeSelector",
    ".resources",
    ".livenessProbe",
    ".readinessProbe",
    ".podSecurityContext",
    ".securityContext",
    ".metrics.dashboard.labels",
];

fn every_value() {
    let text = std::fs::read_to_string(repository(CHART).join("values.yaml")).unwrap();
    let (mut known, mut tried) = (BTreeSet::new(), BTreeSet::new());
    leaves(&serde_yaml::from_str(&text).unwrap(), "", &mut known);
    for Row(_, values, _) in table() {
        leaves(&values, "", &mut tried);
    }
    let below = |path: &str, whole: &str| {
        path.strip_prefix(whole)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let covered = |path: &&String| {
        let whole = WHOLE.iter().find(|whole| below(path, whole));
        let path = whole.map_or(path.as_str(), |whole| whole);
        tried.iter().any(|one| below(one, path))
    };
    let missed: Vec<_> = known.iter().filter(|path| !covered(path)).collect();
    assert!(missed.is_empty(), "without a row: {missed:?}");
}

/// In `default` the release's own namespace is the one where people work, which the notes say.
fn in_default() {
    let release = Release {
        namespace: "default",
        ..Release::default()
    };
    let rendered = release.objects(&json!({}));
    let excluded = &rendered.entry("pods")["namespaceSelector"]["matchExpressions"][0]["values"];
    assert!(excluded.as_array().unwrap().contains(&json!("default")));
    is(
        &rendered.get("Role", "bedrock-profiles")["metadata"]["namespace"],
        "default",
    );
    is(
        &rendered.get("Role", "bedrock-profiles-events")["metadata"]["namespace"],
        "default",
    );
}

fn long_names() {
    let name = "a".repeat(53);
    let release = Release {
        name: &name,
        ..Release::default()
    };
    for object in release.objects(&json!({})).0 {
        let name = object["metadata"]["name"].as_str().unwrap();
        let whole = object["kind"] == "CustomResourceDefinition";
        assert!(whole || name.len() <= 63, "{name}");
    }
}

/// The templates ask the cluster nothing and throw no dice.
fn settled() {
    let folder = repository(CHART).join("templates");
    for file in ignore::Walk::new(folder).map(Result::unwrap) {
        let Ok(text) = std::fs::read_to_string(file.path()) else {
            continue; // a folder
        };
        for word in [
            "lookup",
            "rand",
            "genCA",
            "genSelfSignedCert",
            "genSignedCert",
            "uuidv4",
            "now ",
            "getHostByName",
            "tpl ",
        ] {
            assert!(!text.contains(word), "{}: {word}", file.path().display());
        }
    }
}

fn notes() {
    let told = |namespace: &str, values: &[&str]| {
        let mut helm = HELM_4.command().unwrap();
        helm.args([
            "install",
            "bedrock-profiles",
            CHART,
            "--dry-run=client",
            "--namespace",
            namespace,
        ]);
        let output = helm.args(values).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_once("\nNOTES:\n").unwrap().1.to_owned()
    };
    let next = [
        "kubectl wait --for=condition=InForce ipp/default",
        "kubectl run sample --namespace default",
        "--set policy.mode=Rewrite",
        "OnlyGlobalServes",
    ];
    let off = "kubectl delete mutatingwebhookconfigurations,validatingwebhookconfigurations --selector app.kubernetes.io/instance=bedrock-profiles";
    let usual = told("bedrock-profiles", &[]);
    for line in next.iter().chain([&off, &"pause the application first"]) {
        assert!(usual.contains(line), "{line}: {usual}");
    }
    assert!(!usual.contains("NOTE:"), "{usual}");
    let other = told("default", &["--set", "replicas=1"]);
    assert!(
        other.contains("no workload in `default` is rewritten"),
        "{other}"
    );
    assert!(
        other.contains("kubectl run sample --namespace my-namespace"),
        "{other}"
    );
    assert!(other.contains("one replica alone"), "{other}");
    let without = told("bedrock-profiles", &["--set", "policy.create=false"]);
    assert!(
        without.contains("without a policy") && without.contains(off),
        "{without}"
    );
    assert!(!without.contains("ipp/default"), "{without}");
}
