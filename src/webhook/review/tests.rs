//! The fast path and the reader of trees agree, and bodies that are not reviews are errors.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::budget::Limits;

const HEAD: &str = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"requestKind":{"group":"","version":"v1","kind":"Pod"},"requestResource":{"group":"","version":"v1","resource":"pods"},"namespace":"ml","operation":"CREATE","userInfo":{"username":"jane","groups":["a","b"]},"object":"#;

fn whole() -> String {
    format!(r#"{HEAD}{{"spec": {{"x":[1, 2]}}}},"oldObject":null,"dryRun":true,"options":{{}}}}}}"#)
}

/// The same review with its keys in the order of the alphabet, for which there is no fast path.
fn sorted_keys() -> String {
    let value: Value = serde_json::from_str(&whole()).unwrap();
    value.to_string()
}

/// The tree of a body that is a review.
fn read(body: &[u8]) -> Result<Tree<'_>, ReviewError> {
    let tree = parse(body, &Budget::new(Limits::NONE))?;
    AdmissionReview::of(&tree)?;
    Ok(tree)
}

#[test]
fn the_fast_path_reads_the_envelope() {
    let whole = whole();
    let envelope = Envelope::fast(whole.as_bytes()).unwrap();
    let expected = Envelope {
        uid: "u-1",
        resource: "pods",
        sub_resource: "",
        name: "",
        namespace: "ml",
        operation: Operation::Create,
        dry_run: true,
    };
    assert_eq!(envelope, expected);
    let tree = read(whole.as_bytes()).unwrap();
    assert_eq!(AdmissionReview::of(&tree).unwrap().envelope, expected);
}

#[test]
fn the_fast_path_does_not_read_the_object() {
    let cut = format!("{HEAD}\u{fffd}{{{{{{ not json");
    assert_eq!(Envelope::fast(cut.as_bytes()).unwrap().uid, "u-1");
    let error = read(cut.as_bytes()).unwrap_err();
    let ReviewError::NotJson { field, offset, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((*field, *offset), ("request.object", HEAD.len()));
    let start = format!("request.object is not valid JSON (byte {})", HEAD.len());
    assert!(error.to_string().starts_with(&start), "{error}");
}

#[test]
fn an_error_names_the_object_only_where_that_is_certain() {
    let broken = |from: &str, to: &str| {
        let body = whole();
        assert!(body.contains(from), "{from}");
        read(body.replace(from, to).as_bytes())
            .unwrap_err()
            .to_string()
    };
    for (from, to, field) in [
        ("[1, 2]", "[1, 2", "request.object"),
        ("[1, 2]", "[],\"x\":1", "request.object"),
        ("null", "nil", "the body"),
        ("\"CREATE\"", "CREATE", "the body"),
    ] {
        let message = broken(from, to);
        assert!(
            message.starts_with(&format!("{field} is not valid JSON (byte ")),
            "{message}"
        );
    }
}

#[test]
fn keys_in_another_order_have_no_fast_path_and_are_read() {
    let sorted = sorted_keys();
    assert!(sorted.find("\"object\"").unwrap() < sorted.find("\"uid\"").unwrap());
    assert_eq!(Envelope::fast(sorted.as_bytes()), None);
    let tree = read(sorted.as_bytes()).unwrap();
    let review = AdmissionReview::of(&tree).unwrap();
    assert_eq!(
        (review.envelope.uid, review.envelope.namespace),
        ("u-1", "ml")
    );
    let cut = sorted.get(..sorted.len() - 1).unwrap();
    assert_eq!(
        read(cut.as_bytes()).unwrap_err(),
        ReviewError::Truncated(cut.len())
    );
}

#[test]
fn the_fast_path_and_the_reader_of_trees_agree() {
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
        ("\"dryRun\":true", "\"dryRun\":false"),
    ];
    let mut body = whole();
    for (from, to) in more {
        assert!(body.contains(from), "{from}");
        body = body.replace(from, to);
        let fast = Envelope::fast(body.as_bytes());
        let tree = read(body.as_bytes()).unwrap();
        assert_eq!(
            fast.unwrap(),
            AdmissionReview::of(&tree).unwrap().envelope,
            "{to}"
        );
    }
    for (from, to) in [
        ("ml", "m\\u006c"),
        (":{\"uid", ": {\"uid"),
        ("CREATE", "PATCH"),
        ("\"u-1\"", "\"\""),
    ] {
        let body = whole().replace(from, to);
        assert_eq!(Envelope::fast(body.as_bytes()), None, "{to}");
    }
}

#[test]
fn the_objects_are_nodes_of_the_tree() {
    let whole = whole();
    let tree = read(whole.as_bytes()).unwrap();
    let review = AdmissionReview::of(&tree).unwrap();
    let object = tree.raw(review.object.unwrap());
    assert_eq!(&whole[object], r#"{"spec": {"x":[1, 2]}}"#);
    assert_eq!(review.old_object, None);
    let body = whole.replace(r#""oldObject":null,"dryRun":true"#, r#""oldObject":{}"#);
    let tree = read(body.as_bytes()).unwrap();
    let review = AdmissionReview::of(&tree).unwrap();
    assert_eq!(&body[tree.raw(review.old_object.unwrap())], "{}");
    assert!(!review.envelope.dry_run);
}

#[test]
fn escapes_in_fields_are_decoded() {
    let body = whole().replace("\"u-1\"", r#""u\u002d\"1""#);
    assert_eq!(Envelope::fast(body.as_bytes()), None);
    let tree = read(body.as_bytes()).unwrap();
    let envelope = AdmissionReview::of(&tree).unwrap().envelope;
    assert_eq!((envelope.uid, envelope.namespace), ("u-\"1", "ml"));
}

#[test]
fn a_body_that_is_not_a_review_is_an_error_with_its_status() {
    let whole = whole();
    let with = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from}");
        whole.replace(from, to)
    };
    let review = |request: &str| {
        format!(
            r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{request}}}"#
        )
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
        (with("\"resource\":\"pods\"", "\"plural\":\"pods\""), 422),
        (with("\"request\":", "\"response\":"), 422),
        (review("null"), 422),
        (review("3"), 422),
        (format!("{whole} x"), 400),
    ];
    for (body, status) in cases {
        assert_eq!(
            Envelope::fast(body.as_bytes()).is_some(),
            body.ends_with('x')
        );
        let error = read(body.as_bytes()).unwrap_err();
        assert_eq!(error.status().as_u16(), status, "{body}: {error}");
    }
    assert_eq!(read(b"{}\xff").unwrap_err(), ReviewError::NotUtf8(2));
}

#[test]
fn every_truncated_body_is_an_error() {
    let whole = whole();
    for end in 0..whole.len() {
        let body = whole.as_bytes().get(..end).unwrap();
        let status = read(body).unwrap_err().status().as_u16();
        assert_eq!(status, 400, "cut at {end}");
        // The fast path needs the key of the object and nothing behind it.
        let fast = Envelope::fast(body).is_some();
        assert_eq!(fast, end >= HEAD.len(), "cut at {end}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_does_not_overflow_the_stack() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let body = whole().replace(r#"{"spec": {"x":[1, 2]}}"#, &deep);
    assert_eq!(Envelope::fast(body.as_bytes()).unwrap().uid, "u-1");
    for body in [
        body,
        "[".repeat(200_000),
        format!("{{\"request\":{}", "{\"kind\":".repeat(9_000)),
    ] {
        assert_eq!(read(body.as_bytes()).unwrap_err().status().as_u16(), 400);
    }
}

#[test]
fn no_error_quotes_the_body() {
    let body = whole()
        .replace("\"u-1\"", "[\"s3cret\"]")
        .replace("\"CREATE\"", "\"s3cret\"");
    let error = read(body.as_bytes()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    let broken = body.replace("[1, 2]", "s3cret");
    let error = read(broken.as_bytes()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_an_error(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(Envelope::fast(&body), None);
        prop_assert!(read(&body).is_err());
    }
}
