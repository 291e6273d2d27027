//! Every response is one that an API server accepts.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[test]
fn an_allowing_response_has_the_uid_and_nothing_else() {
    let bytes = AdmissionResponse::allowed("u\"\n\u{1}é").to_bytes();
    assert_eq!(
        serde_json::from_slice::<Value>(&bytes).unwrap(),
        json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
               "response": {"uid": "u\"\n\u{1}é", "allowed": true}})
    );
}

#[test]
fn a_response_has_both_patch_and_patch_type_or_neither() {
    let patch = br#"[{"op":"replace","path":"/a","value":"b"}]"#.to_vec();
    let value: Value =
        serde_json::from_slice(&AdmissionResponse::patched("u", patch.clone()).to_bytes()).unwrap();
    let response = value.get("response").unwrap();
    assert_eq!(response.get("patchType").unwrap(), "JSONPatch");
    let encoded = response.get("patch").unwrap().as_str().unwrap();
    assert_eq!(STANDARD.decode(encoded).unwrap(), patch);

    let value: Value =
        serde_json::from_slice(&AdmissionResponse::patched("u", Vec::new()).to_bytes()).unwrap();
    assert_eq!(
        value.get("response").unwrap(),
        &json!({"uid": "u", "allowed": true})
    );
}

#[test]
fn a_denying_response_has_code_and_message() {
    let mut response = AdmissionResponse::denied("u", 403, "no \"such\" profile".to_owned());
    response.warnings = vec!["one".to_owned(), "two\\".to_owned()];
    response.audit_annotations =
        BTreeMap::from([("policy", "p".to_owned()), ("rewrites", "r".to_owned())]);
    let value: Value = serde_json::from_slice(&response.to_bytes()).unwrap();
    assert_eq!(
        value.get("response").unwrap(),
        &json!({"uid": "u", "allowed": false,
                "status": {"status": "Failure", "message": "no \"such\" profile", "reason": "Forbidden", "code": 403},
                "warnings": ["one", "two\\"],
                "auditAnnotations": {"policy": "p", "rewrites": "r"}})
    );
}

proptest! {
    #[test]
    fn every_response_is_json_with_the_fields_that_were_set(
        uid in any::<String>(), warning in any::<String>(), patch in proptest::collection::vec(any::<u8>(), 1..99)
    ) {
        let mut response = AdmissionResponse::patched(&uid, patch.clone());
        response.warnings.push(warning.clone());
        let value: Value = serde_json::from_slice(&response.to_bytes()).unwrap();
        prop_assert_eq!(value.pointer("/response/uid").unwrap(), &json!(uid));
        prop_assert_eq!(value.pointer("/response/warnings/0").unwrap(), &json!(warning));
        let encoded = value.pointer("/response/patch").unwrap().as_str().unwrap();
        prop_assert_eq!(STANDARD.decode(encoded).unwrap(), patch);
    }
}
