//! Where the certificate comes from.

use serde_json::{Value, json};

use super::{Row, is};

pub(super) fn rows() -> Vec<Row> {
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
