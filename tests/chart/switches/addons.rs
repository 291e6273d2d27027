//! What stands around the Deployment.

use serde_json::{Value, json};

use super::{Row, is, objects::selects};

pub(super) fn rows() -> Vec<Row> {
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
        Row("any_caller", json!({}), |r| {
            assert!(!r.container().to_string().contains("client-ca"));
            assert!(!r.only("Pod").to_string().contains("--client-auth"));
        }),
        Row(
            "callers",
            json!({"clientAuth": {"enabled": true, "caSecret": "callers", "commonNames": ["kube-apiserver", "b"]}}),
            |r| {
                for argument in [
                    "--client-ca-file=/client-ca/ca.crt",
                    "--client-common-name=kube-apiserver",
                    "--client-common-name=b",
                ] {
                    assert!(r.has_argument(argument), "{argument}");
                }
                let secret = &r.pod()["volumes"][0]["secret"];
                is(&secret["secretName"], "callers");
                is(
                    &secret["items"],
                    json!([{"key": "ca.crt", "path": "ca.crt"}]),
                );
                is(
                    &r.container()["volumeMounts"],
                    json!([{"name": "client-ca", "mountPath": "/client-ca", "readOnly": true}]),
                );
                let check = &r.only("Pod")["spec"]["containers"][0]["args"];
                assert!(check.as_array().unwrap().contains(&json!("--client-auth")));
            },
        ),
        Row(
            "callers_beside_files",
            json!({"clientAuth": {"enabled": true, "caSecret": "callers", "commonNames": ["a"]},
            "certificates": {"mode": "secret", "secret": {"name": "tls"}}}),
            |r| {
                for list in ["volumes", "volumeMounts"] {
                    let of = if list == "volumes" {
                        r.pod()
                    } else {
                        r.container()
                    };
                    assert_eq!(of[list].as_array().unwrap().len(), 2, "{list}");
                }
            },
        ),
        Row(
            "monitor",
            json!({"metrics": {"serviceMonitor": {"enabled": true, "labels": {"release": "p"}, "interval": "15s"}}}),
            |r| {
                let monitor = r.only("ServiceMonitor");
                is(&monitor["metadata"]["labels"]["release"], "p");
                is(&monitor["spec"]["endpoints"][0]["interval"], "15s");
                assert!(selects(
                    &monitor["spec"]["selector"]["matchLabels"],
                    &r.only("Service")["metadata"]["labels"]
                ));
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
