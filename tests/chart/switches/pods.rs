//! The Deployment.

use serde_json::{Value, json};

use super::{Row, is};

pub(super) fn rows() -> Vec<Row> {
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
                is(&r.container()["env"][2], json!({"name": "A", "value": "b"}));
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
