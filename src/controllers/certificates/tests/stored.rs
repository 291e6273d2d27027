//! The Secret's content.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::super::keyring::{Ca, KeyPem, Keyring};
use super::super::stored::{Stored, write};
use crate::tls::authority::Authority;

fn authority() -> Authority {
    let now = SystemTime::now();
    Authority::until(now + Duration::from_hours(10), now).unwrap()
}

fn entry(authority: &Authority) -> Value {
    json!({"certificate": authority.pem(), "key": authority.key_pem()})
}

fn read(document: &Value) -> Stored {
    Stored::read(Some(document.to_string().as_bytes()))
}

#[test]
fn what_is_written_is_read_again_with_fields_of_a_later_version() {
    let signs_from = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    let cas = [Some(signs_from), None].map(|signs_from| {
        let authority = authority();
        let key = KeyPem::new(&authority.key_pem());
        let mut ca = Ca::new(authority.anchor().clone(), key, signs_from);
        ca.rest.insert("purpose".to_owned(), json!("tests"));
        ca
    });
    let rest = json!({"notes": [1]}).as_object().unwrap().clone();
    let keyring = Keyring::new(cas, Some("wish".to_owned()), rest);
    let text = write(&keyring).unwrap();
    assert_eq!(Stored::read(Some(&text)), Stored::Keyring(keyring));
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
fn a_secret_as_it_is_shipped_is_empty() {
    assert_eq!(Stored::read(None), Stored::Empty);
    assert_eq!(Stored::read(Some(b"")), Stored::Empty);
}

#[test]
fn what_a_later_release_wrote_is_known_as_such() {
    let document = json!({"version": 2, "authorities": "elsewhere"});
    assert_eq!(read(&document), Stored::Newer(2));
}

#[test]
fn damaged_content_is_refused_as_a_whole_and_never_quoted() {
    let (one, other) = (authority(), authority());
    let with = |authorities: Value| json!({"version": 1, "authorities": authorities});
    let five = vec![entry(&one); 5];
    let mixed = json!([entry(&one), {"certificate": one.pem(), "key": other.key_pem()}]);
    let timeless = json!([{"certificate": one.pem(), "key": one.key_pem(), "signFrom": "soon"}]);
    for (document, why) in [
        (with(json!([])), "holds no CA"),
        (with(json!(five)), "holds 5 CAs"),
        (with(mixed), "CA 2: the private key does not belong"),
        (
            with(json!([{"certificate": one.pem(), "key": "secret"}])),
            "CA 1: the private key",
        ),
        (
            with(json!([{"certificate": "secret", "key": one.key_pem()}])),
            "CA 1: a CA certificate",
        ),
        (with(timeless), "no JSON of the expected form"),
        (json!({"authorities": []}), "no JSON of the expected form"),
        (json!("secret"), "no JSON of the expected form"),
    ] {
        let Stored::Damaged(said) = read(&document) else {
            panic!("{why}: it was read");
        };
        assert!(said.contains(why), "{said}");
        assert!(!said.contains("secret") && !said.contains("soon"), "{said}");
    }
}

#[test]
fn no_private_key_shows_itself() {
    let authority = authority();
    let Stored::Keyring(keyring) = read(&json!({"version": 1, "authorities": [entry(&authority)]}))
    else {
        panic!("it is readable");
    };
    let shown = format!("{keyring:?}");
    assert!(shown.contains(&authority.anchor().fingerprint.short()));
    let secret: String = authority.key_pem().lines().skip(1).take(1).collect();
    assert!(!shown.contains(&secret) && !shown.contains("PRIVATE KEY"));
}
