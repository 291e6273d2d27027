//! What is read of a review, what is refused, and that every answer is what an API server accepts.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const HEAD: &str = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"requestKind":{"group":"","version":"v1","kind":"Pod"},"requestResource":{"group":"","version":"v1","resource":"pods"},"namespace":"ml","operation":"CREATE","userInfo":{"username":"jane","groups":["a","b"]},"object":"#;

fn whole() -> String {
    format!(r#"{HEAD}{{"spec": {{"x":[1, 2]}}}},"oldObject":null,"dryRun":true,"options":{{}}}}}}"#)
}

fn sorted_keys() -> String {
    let value: Value = serde_json::from_str(&whole()).unwrap();
    value.to_string()
}

#[test]
fn reads_the_envelope_without_the_object() {
    let whole = whole();
    let envelope = Envelope::read(whole.as_bytes()).unwrap();
    assert_eq!(&*envelope.uid, "u-1");
    assert_eq!((&*envelope.kind.group, &*envelope.kind.version), ("", "v1"));
    assert_eq!(
        (&*envelope.kind.kind, &*envelope.resource.resource),
        ("Pod", "pods")
    );
    assert_eq!((&*envelope.namespace, &*envelope.name), ("ml", ""));
    assert_eq!(
        (envelope.operation, &*envelope.sub_resource),
        (Operation::Create, "")
    );
    assert_eq!(Review::read(whole.as_bytes()).unwrap().envelope, envelope);
}

#[test]
fn leaves_what_follows_the_envelope_unread() {
    let cut = format!("{HEAD}\u{fffd}{{{{{{ not json");
    assert_eq!(&*Envelope::read(cut.as_bytes()).unwrap().uid, "u-1");
    let whole = Review::read(cut.as_bytes()).unwrap_err();
    assert!(
        matches!(whole, ReviewError::NotJson { line: 1, .. }),
        "{whole:?}"
    );
}

#[test]
fn reads_to_the_end_where_the_order_is_not_that_of_go() {
    let sorted = sorted_keys();
    assert!(sorted.find("\"object\"").unwrap() < sorted.find("\"uid\"").unwrap());
    let envelope = Envelope::read(sorted.as_bytes()).unwrap();
    assert_eq!((&*envelope.uid, &*envelope.namespace), ("u-1", "ml"));
    // As nothing was skipped, a cut is noticed.
    let cut = sorted.get(..sorted.len() - 1).unwrap();
    assert_eq!(
        Envelope::read(cut.as_bytes()),
        Err(ReviewError::Truncated(cut.len()))
    );
}

#[test]
fn the_template_and_the_parser_read_the_same() {
    let more = [
        ("\"operation\":\"CREATE\"", "\"operation\":\"DELETE\""),
        ("\"group\":\"\"", "\"group\":\"apps\""),
        (
            ",\"requestKind\"",
            ",\"subResource\":\"ephemeralcontainers\",\"requestKind\"",
        ),
        (
            ",\"namespace\"",
            ",\"requestSubResource\":\"x\",\"name\":\"näme\",\"namespace\"",
        ),
        (",\"namespace\":\"ml\"", ""),
    ];
    let mut body = whole();
    for (from, to) in more {
        assert!(body.contains(from), "{from}");
        body = body.replace(from, to);
        let scanned = head::scan(body.as_bytes());
        assert_eq!(
            scanned.unwrap(),
            Review::read(body.as_bytes()).unwrap().envelope,
            "{to}"
        );
    }
    // Whatever is written differently is left to the parser.
    for (from, to) in [
        ("ml", "m\\u006c"),
        (":{\"uid", ": {\"uid"),
        ("CREATE", "PATCH"),
        ("\"u-1\"", "\"\""),
    ] {
        let body = whole().replace(from, to);
        assert_eq!(head::scan(body.as_bytes()), None, "{to}");
    }
    assert_eq!(head::scan(sorted_keys().as_bytes()), None);
}

#[test]
fn keeps_the_objects_as_the_text_they_came_in() {
    let whole = whole();
    let review = Review::read(whole.as_bytes()).unwrap();
    assert_eq!(review.object, Some(r#"{"spec": {"x":[1, 2]}}"#));
    assert_eq!(review.old_object, None);
    assert!(review.dry_run);
    let body = whole.replace(r#""oldObject":null,"dryRun":true"#, r#""oldObject":{}"#);
    let review = Review::read(body.as_bytes()).unwrap();
    assert_eq!(review.old_object, Some("{}"));
    assert!(!review.dry_run);
}

#[test]
fn borrows_plain_strings_and_undoes_escapes() {
    let body = whole().replace("\"u-1\"", r#""u\u002d\"1""#);
    for envelope in [
        Envelope::read(body.as_bytes()).unwrap(),
        Review::read(body.as_bytes()).unwrap().envelope,
    ] {
        assert_eq!(&*envelope.uid, "u-\"1");
        assert!(matches!(envelope.uid.0, Cow::Owned(_)));
        assert!(matches!(envelope.namespace.0, Cow::Borrowed("ml")));
        assert!(matches!(envelope.kind.kind.0, Cow::Borrowed("Pod")));
    }
}

#[test]
fn says_what_is_wrong_with_a_body() {
    let whole = whole();
    let with = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from}");
        whole.replace(from, to)
    };
    let cases = [
        (String::new(), 400),
        ("hello".to_owned(), 400),
        ("[]".to_owned(), 422),
        ("{}".to_owned(), 422),
        (with("admission.k8s.io/v1", "admission.k8s.io/v1beta1"), 422),
        (with("AdmissionReview", "ConversionReview"), 422),
        (with("\"u-1\"", "\"\""), 422),
        (with("\"u-1\"", "null"), 422),
        (with("\"u-1\"", "7"), 422),
        (with("\"CREATE\"", "\"PATCH\""), 422),
        (with("\"operation\":\"CREATE\",", ""), 422),
        (with("\"request\":", "\"response\":"), 422),
        (
            r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":null}"#
                .into(),
            422,
        ),
        (
            r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":3}"#.into(),
            422,
        ),
    ];
    for (body, status) in cases {
        for error in [
            Envelope::read(body.as_bytes()).unwrap_err(),
            Review::read(body.as_bytes()).unwrap_err(),
        ] {
            assert_eq!(error.status().as_u16(), status, "{body}: {error}");
        }
    }
    assert_eq!(
        Review::read(b"{}\xff").unwrap_err(),
        ReviewError::NotUtf8(2)
    );
    let trailing = format!("{whole} x");
    assert_eq!(
        Review::read(trailing.as_bytes())
            .unwrap_err()
            .status()
            .as_u16(),
        400
    );
}

#[test]
fn notices_every_cut() {
    let whole = whole();
    for end in 0..whole.len() {
        let body = whole.as_bytes().get(..end).unwrap();
        assert!(
            Review::read(body).is_err(),
            "cut at {end} of {}",
            whole.len()
        );
        // The object's key is looked for, what follows is not.
        let head = Envelope::read(body).is_ok();
        assert_eq!(head, end >= HEAD.len(), "cut at {end}");
    }
}

#[test]
fn survives_deep_nesting() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let body = whole().replace(r#"{"spec": {"x":[1, 2]}}"#, &deep);
    assert_eq!(
        Review::read(body.as_bytes()).unwrap().object,
        Some(deep.as_str())
    );
    assert!(Review::read("[".repeat(200_000).as_bytes()).is_err());
    assert!(
        Envelope::read(format!("{{\"request\":{}", "{\"kind\":".repeat(9_000)).as_bytes()).is_err()
    );
}

#[test]
fn never_repeats_the_body_in_an_error() {
    let body = whole()
        .replace("\"u-1\"", "[\"s3cret\"]")
        .replace("\"CREATE\"", "\"s3cret\"");
    let error = Review::read(body.as_bytes()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

#[test]
fn allows_with_the_uid_and_nothing_else() {
    let bytes = Answer::allowed("u\"\n\u{1}é").to_bytes();
    assert_eq!(
        serde_json::from_slice::<Value>(&bytes).unwrap(),
        json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
               "response": {"uid": "u\"\n\u{1}é", "allowed": true}})
    );
}

#[test]
fn gives_patch_and_type_together_or_not_at_all() {
    let patch = br#"[{"op":"replace","path":"/a","value":"b"}]"#.to_vec();
    let value: Value =
        serde_json::from_slice(&Answer::patched("u", patch.clone()).to_bytes()).unwrap();
    let response = value.get("response").unwrap();
    assert_eq!(response.get("patchType").unwrap(), "JSONPatch");
    let encoded = response.get("patch").unwrap().as_str().unwrap();
    assert_eq!(STANDARD.decode(encoded).unwrap(), patch);

    let value: Value =
        serde_json::from_slice(&Answer::patched("u", Vec::new()).to_bytes()).unwrap();
    assert_eq!(
        value.get("response").unwrap(),
        &json!({"uid": "u", "allowed": true})
    );
}

#[test]
fn denies_with_code_and_message() {
    let mut answer = Answer::denied("u", 403, "no \"such\" profile".to_owned());
    answer.warnings = vec!["one".to_owned(), "two\\".to_owned()];
    answer.audit_annotations =
        BTreeMap::from([("policy", "p".to_owned()), ("rewrites", "r".to_owned())]);
    let value: Value = serde_json::from_slice(&answer.to_bytes()).unwrap();
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
    fn every_answer_is_json_that_says_what_it_was_given(
        uid in any::<String>(), warning in any::<String>(), patch in proptest::collection::vec(any::<u8>(), 1..99)
    ) {
        let mut answer = Answer::patched(&uid, patch.clone());
        answer.warnings.push(warning.clone());
        let value: Value = serde_json::from_slice(&answer.to_bytes()).unwrap();
        prop_assert_eq!(value.pointer("/response/uid").unwrap(), &json!(uid));
        prop_assert_eq!(value.pointer("/response/warnings/0").unwrap(), &json!(warning));
        let encoded = value.pointer("/response/patch").unwrap().as_str().unwrap();
        prop_assert_eq!(STANDARD.decode(encoded).unwrap(), patch);
    }

    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Envelope::read(&body).is_err());
        prop_assert!(Review::read(&body).is_err());
    }
}
