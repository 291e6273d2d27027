//! What is decided, written, audited; and the rights that go with it.

use serde_json::{Value, json};

use super::{Row, is};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row(
            "mode",
            json!({"policy": {"mode": "Rewrite", "priority": 7}}),
            |r| {
                is(
                    &r.bootstrap()["policy"],
                    json!({"mode": "Rewrite", "priority": 7}),
                );
            },
        ),
        Row(
            "whole_policy",
            json!({"policy": {"references": "Off", "match": {"namespaceSelector": null}, "geography": {"allowed": ["us"]}}}),
            |r| {
                let policy = &r.bootstrap()["policy"];
                is(&policy["references"], "Off");
                is(&policy["geography"]["allowed"], json!(["us"]));
            },
        ),
        Row("no_policy", json!({"policy": {"create": false}}), |r| {
            is(&r.bootstrap()["policy"], Value::Null);
            assert!(!r.grants("inferenceprofilepolicies", "create"));
            assert!(!r.grants("inferenceprofilepolicies", "patch"));
        }),
        Row("catalog", json!({"catalog": {"apply": false}}), |r| {
            is(&r.bootstrap()["catalog"]["apply"], false);
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
            "no_injected_region",
            json!({"region": {"injected": false}}),
            |r| assert!(r.has_argument("--region-injected=false")),
        ),
        Row(
            "no_references",
            json!({"references": {"enabled": false}}),
            |r| {
                is(&r.bootstrap()["policy"]["references"], "Off");
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
