//! Values that are refused, and in which words.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::helm::Release;
use crate::pinned::{HELM_3, HELM_4};
use crate::trial;

/// What is wrong, the values, and a part of what is said about it.
fn table() -> Vec<(&'static str, Value, &'static str)> {
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    vec![
        (
            "unknown",
            json!({"replicaCount": 3}),
            "additional properties 'replicaCount' not allowed",
        ),
        (
            "unknown_below",
            json!({"audit": {"interval": "1h"}}),
            "at '/audit': additional properties 'interval' not allowed",
        ),
        (
            "unknown_in_policy",
            json!({"policy": {"modus": "Rewrite"}}),
            "at '/policy': additional properties 'modus' not allowed",
        ),
        (
            "mode",
            json!({"policy": {"mode": "rewrite"}}),
            "at '/policy/mode': value must be one of 'Rewrite', 'Deny', 'DryRun'",
        ),
        (
            "references_as_a_boolean",
            json!({"policy": {"references": false}}),
            "at '/policy/references'",
        ),
        (
            "region",
            json!({"policy": {"region": {"default": "asia-northeast-1"}}}),
            "at '/policy/region/default': 'asia-northeast-1' does not match pattern",
        ),
        (
            "geography",
            json!({"policy": {"geography": {"allowed": ["US"]}}}),
            "at '/policy/geography/allowed/0': 'US' does not match pattern",
        ),
        (
            "resources",
            json!({"policy": {"match": {"resources": ["Secret"]}}}),
            "at '/policy/match/resources/0'",
        ),
        (
            "override_without_target",
            json!({"policy": {"overrides": [{"modelId": "anthropic.claude-sonnet-5"}]}}),
            "missing property 'target'",
        ),
        (
            "references_without_right",
            json!({"references": {"enabled": false}, "policy": {"references": "Resolve"}}),
            "at '/policy/references': value must be 'Off'",
        ),
        (
            "secret_without_name",
            json!({"certificates": {"mode": "secret"}}),
            "at '/certificates/secret': missing property 'name'",
        ),
        (
            "issuer_without_name",
            json!({"certificates": {"mode": "certManager", "certManager": {"issuer": {"kind": "Issuer"}}}}),
            "at '/certificates/certManager/issuer': missing property 'name'",
        ),
        (
            "issuer_without_ca",
            json!({"certificates": {"mode": "certManager", "certManager": {"issuer": {"name": "acme", "kind": "ClusterIssuer"}, "caInSecret": false}}}),
            "at '/certificates': missing property 'caBundle'",
        ),
        (
            "bundle_of_ones_own_ca",
            json!({"certificates": {"caBundle": certificate}}),
            "certificates.caBundle requires certificates.mode secret or certManager",
        ),
        (
            "bundle_that_is_none",
            json!({"certificates": {"mode": "secret", "secret": {"name": "tls"}, "caBundle": "LS0t"}}),
            "at '/certificates/caBundle': 'LS0t' does not match pattern",
        ),
        (
            "certificate_mode",
            json!({"certificates": {"mode": "vault"}}),
            "value must be one of 'self', 'secret', 'certManager'",
        ),
        (
            "account_without_name",
            json!({"serviceAccount": {"create": false}}),
            "at '/serviceAccount': missing property 'name'",
        ),
        (
            "failure_policy",
            json!({"webhooks": {"pods": {"failurePolicy": "Open"}}}),
            "value must be one of 'Ignore', 'Fail'",
        ),
        (
            "timeout",
            json!({"webhooks": {"timeoutSeconds": 60}}),
            "at '/webhooks/timeoutSeconds': maximum: got 60, want 30",
        ),
        (
            "condition",
            json!({"webhooks": {"pods": {"matchConditions": [{"name": "x"}]}}}),
            "missing property 'expression'",
        ),
        (
            "namespace",
            json!({"excludedNamespaces": ["Kube_System"]}),
            "at '/excludedNamespaces/0': 'Kube_System' does not match pattern",
        ),
        (
            "duration",
            json!({"audit": {"every": "hourly"}}),
            "at '/audit/every': 'hourly' does not match pattern",
        ),
        (
            "digest",
            json!({"image": {"digest": "0123"}}),
            "at '/image/digest': '0123' does not match pattern",
        ),
        (
            "replicas",
            json!({"replicas": 0}),
            "at '/replicas': minimum: got 0, want 1",
        ),
        (
            "no_port",
            json!({"ports": {"webhook": 0}}),
            "at '/ports/webhook': minimum: got 0, want 1",
        ),
        (
            "one_port_for_both",
            json!({"ports": {"webhook": 8080}}),
            "ports.webhook and ports.admin must differ",
        ),
        (
            "autoscaling",
            json!({"autoscaling": {"enabled": true, "minReplicas": 9}}),
            "autoscaling.minReplicas must not exceed autoscaling.maxReplicas",
        ),
        (
            "callers_without_a_ca",
            json!({"clientAuth": {"enabled": true, "commonNames": ["a"]}}),
            "at '/clientAuth/caSecret': minLength: got 0, want 1",
        ),
        (
            "callers_without_names",
            json!({"clientAuth": {"enabled": true, "caSecret": "callers"}}),
            "at '/clientAuth/commonNames': minItems: got 0, want 1",
        ),
        (
            "budget",
            json!({"podDisruptionBudget": {"maxUnavailable": 0}}),
            "at '/podDisruptionBudget/maxUnavailable'",
        ),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let refused = table().into_iter().map(|(what, values, phrase)| {
        trial(format!("refuses::{what}"), move || {
            for helm in [HELM_4, HELM_3] {
                let release = Release {
                    helm,
                    ..Release::default()
                };
                let error = release.try_text(&values.to_string(), &[]);
                let error = error.expect_err("it renders");
                assert!(error.contains(phrase), "{}: {error}", helm.name);
            }
        })
    });
    refused
        .chain([trial("refuses::an_old_kubernetes", old)])
        .collect()
}

fn old() {
    let error = Release::default().try_text("{}", &["--kube-version", "1.32.9"]);
    let error = error.expect_err("it renders");
    assert!(
        error.contains("requires kubeVersion: >=1.33.0-0"),
        "{error}"
    );
}
