//! The content of the CA Secret.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::issuers::CA_NAME;
use crate::controllers::certificates::keyring::{Ca, KeyPem, Keyring};
use crate::controllers::certificates::secret::{SecretContent, encode};
use crate::tls::authority::Authority;

fn authority() -> Authority {
    let now = SystemTime::now();
    Authority::valid_until(now + Duration::from_hours(10), CA_NAME, now).unwrap()
}

fn entry(authority: &Authority) -> Value {
    json!({"certificate": authority.pem(), "key": authority.key_pem()})
}

fn parse(document: &Value) -> SecretContent {
    SecretContent::parse(Some(document.to_string().as_bytes()))
}

#[test]
fn a_keyring_is_parsed_as_it_was_encoded_with_fields_of_a_later_version() {
    let signs_from = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    let cas = [Some(signs_from), None].map(|signs_from| {
        let authority = authority();
        let key = KeyPem::new(&authority.key_pem());
        let mut ca = Ca::new(authority.anchor().clone(), key, signs_from);
        ca.rest.insert("purpose".to_owned(), json!("tests"));
        ca
    });
    let rest = json!({"notes": [1]}).as_object().unwrap().clone();
    let keyring = Keyring::new(cas, Some("request".to_owned()), rest);
    let text = encode(&keyring).unwrap();
    assert_eq!(
        SecretContent::parse(Some(&text)),
        SecretContent::Keyring(keyring)
    );
    let document: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(document["version"], 1);
    let times = document["authorities"].as_array().unwrap();
    assert!(
        times
            .iter()
            .any(|ca| ca["signFrom"] == "2027-01-15T08:00:00Z")
    );
}

#[test]
fn a_secret_without_a_document_is_empty() {
    assert_eq!(SecretContent::parse(None), SecretContent::Empty);
    assert_eq!(SecretContent::parse(Some(b"")), SecretContent::Empty);
}

#[test]
fn a_document_of_a_later_version_is_recognized() {
    let document = json!({"version": 2, "authorities": "elsewhere"});
    assert_eq!(parse(&document), SecretContent::NewerVersion(2));
}

#[test]
fn an_invalid_document_is_rejected_as_a_whole_and_never_quoted() {
    let (one, other) = (authority(), authority());
    let with = |authorities: Value| json!({"version": 1, "authorities": authorities});
    let five = vec![entry(&one); 5];
    let mixed = json!([entry(&one), {"certificate": one.pem(), "key": other.key_pem()}]);
    let timeless = json!([{"certificate": one.pem(), "key": one.key_pem(), "signFrom": "soon"}]);
    for (document, why) in [
        (with(json!([])), "holds no CA"),
        (with(json!(five)), "holds 5 CAs"),
        (with(mixed), "CA 2: the private key does not match"),
        (
            with(json!([{"certificate": one.pem(), "key": "secret"}])),
            "CA 1: the private key",
        ),
        (
            with(json!([{"certificate": "secret", "key": one.key_pem()}])),
            "CA 1: a CA certificate",
        ),
        (with(timeless), "not JSON of the expected form"),
        (json!({"authorities": []}), "not JSON of the expected form"),
        (json!("secret"), "not JSON of the expected form"),
    ] {
        let SecretContent::Invalid(message) = parse(&document) else {
            panic!("{why}: it was parsed");
        };
        assert!(message.contains(why), "{message}");
        assert!(
            !message.contains("secret") && !message.contains("soon"),
            "{message}"
        );
    }
}

#[test]
fn a_private_key_is_never_shown_by_debug() {
    let authority = authority();
    let SecretContent::Keyring(keyring) =
        parse(&json!({"version": 1, "authorities": [entry(&authority)]}))
    else {
        panic!("the document is valid");
    };
    let shown = format!("{keyring:?}");
    assert!(shown.contains(&authority.anchor().fingerprint.short()));
    let secret: String = authority.key_pem().lines().skip(1).take(1).collect();
    assert!(!shown.contains(&secret) && !shown.contains("PRIVATE KEY"));
}
