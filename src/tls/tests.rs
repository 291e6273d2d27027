//! Pairs and where they come from; handshakes are tested with the server.

use std::time::SystemTime;

use std::path::Path;
use std::time::Duration;

use super::authority::{Authority, BACKDATED, CA_LIFE, LEAF_LIFE, Leaf, Names};
use super::files::{Files, Paths};
use super::trust::Bundle;
use super::*;

struct Pem {
    certificate: String,
    key: String,
}

fn self_signed() -> Pem {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["webhook.test".to_owned()]).unwrap();
    Pem {
        certificate: cert.pem(),
        key: signing_key.serialize_pem(),
    }
}

fn names() -> Names {
    Names {
        dns: vec!["hook.ns.svc".to_owned()],
        ips: vec![[127, 0, 0, 1].into()],
    }
}

fn verify(
    authority: &Authority,
    leaf: &Leaf,
    name: &str,
    at: SystemTime,
) -> Result<(), rustls::Error> {
    Bundle::read(authority.pem().as_bytes())
        .unwrap()
        .verify(&leaf.pair, name, at)
}

#[test]
fn a_leaf_is_good_for_its_names_and_its_life_under_its_authority_alone() {
    let now = SystemTime::now();
    let authority = Authority::new(now).unwrap();
    let leaf = authority.issue(&names(), now).unwrap();
    let second = Duration::from_secs(1);
    for name in ["hook.ns.svc", "127.0.0.1"] {
        verify(&authority, &leaf, name, now).unwrap();
        verify(&authority, &leaf, name, now - BACKDATED + second).unwrap();
        verify(&authority, &leaf, name, now + LEAF_LIFE - second).unwrap();
        verify(&authority, &leaf, name, now - BACKDATED - second).unwrap_err();
        verify(&authority, &leaf, name, now + LEAF_LIFE + second).unwrap_err();
    }
    verify(&authority, &leaf, "other.ns.svc", now).unwrap_err();
    verify(&authority, &leaf, "127.0.0.2", now).unwrap_err();
    verify(&Authority::new(now).unwrap(), &leaf, "hook.ns.svc", now).unwrap_err();
}

#[test]
fn no_leaf_outlives_its_authority() {
    let now = SystemTime::now();
    let authority = Authority::new(now).unwrap();
    let late = now + CA_LIFE - Duration::from_hours(1);
    let leaf = authority.issue(&names(), late).unwrap();
    assert_eq!(leaf.life.not_after, authority.anchor().not_after);
    let second = Duration::from_secs(1); // what a certificate cannot say
    assert!(leaf.life.not_after <= now + CA_LIFE && leaf.life.not_after + second > now + CA_LIFE);
}

#[test]
fn refuses_a_pair_that_does_not_fit() {
    let (one, other) = (self_signed(), self_signed());
    let pair = |certificate: &str, key: &str| super::pair(certificate.as_bytes(), key.as_bytes());
    pair(&one.certificate, &one.key).unwrap();
    assert!(matches!(
        pair(&one.certificate, &other.key),
        Err(TlsError::Mismatch)
    ));
    assert!(matches!(pair("", &one.key), Err(TlsError::Certificate(_))));
    assert!(matches!(pair(&one.certificate, ""), Err(TlsError::Key(_))));
    assert!(matches!(
        pair("-----BEGIN CERTIFICATE-----", &one.key),
        Err(TlsError::Certificate(_))
    ));
}

/// Replaces files as the kubelet does: a new directory, and a symlink that is renamed over the old one.
fn publish(root: &Path, version: &str, pem: &Pem) {
    let directory = root.join(version);
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("tls.crt"), &pem.certificate).unwrap();
    std::fs::write(directory.join("tls.key"), &pem.key).unwrap();
    let link = root.join("..data_tmp");
    std::os::unix::fs::symlink(version, &link).unwrap();
    std::fs::rename(link, root.join("..data")).unwrap();
}

#[test]
fn sees_files_change_as_the_kubelet_changes_them_and_keeps_the_old_pair_on_error() {
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (self_signed(), self_signed());
    publish(root.path(), "v1", &one);
    for name in ["tls.crt", "tls.key"] {
        std::os::unix::fs::symlink(format!("..data/{name}"), root.path().join(name)).unwrap();
    }
    let path = |name: &str| root.path().join(name);
    let (mut files, first) = Files::open(Paths {
        certificate: path("tls.crt"),
        key: path("tls.key"),
        authorities: None,
    })
    .unwrap();
    let first = first.pair;
    assert!(files.look().unwrap().is_none());

    publish(root.path(), "v2", &two);
    let second = files.look().unwrap().unwrap().pair;
    assert_ne!(first.cert, second.cert);
    assert!(files.look().unwrap().is_none());

    publish(
        root.path(),
        "v3",
        &Pem {
            certificate: one.certificate.clone(),
            key: two.key,
        },
    );
    assert!(matches!(files.look(), Err(TlsError::Mismatch)));
    assert!(
        files.look().unwrap().is_none(),
        "the same fault is told once"
    );

    publish(root.path(), "v4", &one);
    assert_eq!(files.look().unwrap().unwrap().pair.cert, first.cert);

    std::fs::remove_file(path("..data")).unwrap();
    assert!(matches!(files.look(), Err(TlsError::Read { .. })));
}

#[tokio::test]
async fn feeds_the_resolver_from_files() {
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (self_signed(), self_signed());
    let path = |name: &str| root.path().join(name);
    std::fs::write(path("crt"), &one.certificate).unwrap();
    std::fs::write(path("key"), &one.key).unwrap();
    let (files, content) = Files::open(Paths {
        certificate: path("crt"),
        key: path("key"),
        authorities: None,
    })
    .unwrap();
    let pair = content.pair;
    let resolver = Resolver::new(Arc::clone(&pair));
    let task = tokio::spawn(files.follow(Arc::clone(&resolver), Duration::from_millis(1)));
    // Between the two writes the pair does not fit, which must not end the following.
    std::fs::write(path("key"), &two.key).unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(resolver.current().unwrap().cert, pair.cert);
    std::fs::write(path("crt"), &two.certificate).unwrap();
    while resolver.current().unwrap().cert == pair.cert {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    task.abort();
}

#[test]
fn a_stored_authority_signs_as_before_and_not_with_another_key() {
    let now = SystemTime::now();
    let (one, other) = (
        Authority::new(now).unwrap(),
        Authority::until(now + Duration::from_hours(1), now).unwrap(),
    );
    assert_ne!(one.anchor().fingerprint, other.anchor().fingerprint);
    let again = Authority::load(one.pem(), &one.key_pem()).unwrap();
    assert_eq!(again.anchor(), one.anchor());
    assert_eq!(again.pem(), one.pem());
    let leaf = again.issue(&names(), now).unwrap();
    verify(&one, &leaf, "hook.ns.svc", now).unwrap();
    let mismatched = Authority::load(one.pem(), &other.key_pem());
    assert!(matches!(mismatched, Err(TlsError::Mismatch)));
    let no_key = Authority::load(one.pem(), "-----BEGIN PRIVATE KEY-----\nAAAA");
    assert!(matches!(no_key, Err(TlsError::Key(_))));
    let no_ca = Authority::load(&self_signed().certificate, &one.key_pem());
    assert!(matches!(no_ca, Err(TlsError::Trust(_))));
}

#[test]
fn a_client_of_several_authorities_takes_the_leaf_of_each() {
    let now = SystemTime::now();
    let [one, two, three] = [(); 3].map(|()| Authority::new(now).unwrap());
    let subject = |authority: &Authority| {
        let der = authority.anchor().der.clone();
        let (_, read) = x509_parser::parse_x509_certificate(&der).unwrap();
        let identifier = read
            .get_extension_unique(&x509_parser::oid_registry::OID_X509_EXT_SUBJECT_KEY_IDENTIFIER);
        let identifier = identifier.unwrap().unwrap().value.to_vec();
        (read.subject().to_string(), identifier)
    };
    let (first, second) = (subject(&one), subject(&two));
    assert_ne!(first.0, second.0);
    assert_ne!(first.1, second.1);
    let bundle = Bundle::read(format!("{}{}{}", one.pem(), two.pem(), one.pem()).as_bytes());
    let bundle = bundle.unwrap();
    assert_eq!(
        bundle.anchors(),
        [one.anchor().clone(), two.anchor().clone()]
    );
    assert!(bundle.anchors().iter().all(|anchor| anchor.ours));
    assert_eq!(Bundle::read(bundle.pem().as_bytes()).unwrap(), bundle);
    let taken = |authority: &Authority| {
        let leaf = authority.issue(&names(), now).unwrap();
        bundle.verify(&leaf.pair, "hook.ns.svc", now).is_ok()
    };
    assert!(taken(&one) && taken(&two));
    assert!(!taken(&three));
}

#[test]
fn a_bundle_keeps_what_others_still_serve_by_and_drops_what_is_over() {
    let now = SystemTime::now();
    let living = |hours| Authority::until(now + Duration::from_hours(hours), now).unwrap();
    let (one, two, three) = (living(1), living(2), living(30));
    let only = |authority: &Authority| Bundle::new([authority.anchor().clone()]);
    let prints = |bundle: &Bundle| -> Vec<_> {
        let anchors = bundle.anchors().iter();
        anchors.map(|anchor| anchor.fingerprint).collect()
    };
    let print = |authority: &Authority| authority.anchor().fingerprint;
    let rest = [one.anchor().clone(), two.anchor().clone()];
    let bundle = only(&three).with(&rest, now, 4);
    assert_eq!(prints(&bundle), [print(&three), print(&one), print(&two)]);
    let bundle = only(&three).with(&rest, now + Duration::from_hours(3), 4);
    assert_eq!(prints(&bundle), [print(&three), print(&two)]);
    let bundle = only(&three).with(&rest, now, 2);
    assert_eq!(prints(&bundle), [print(&three), print(&one)]);
}

#[test]
fn a_text_that_is_no_bundle_says_so() {
    assert!(Bundle::read(b"").unwrap().is_empty());
    for pem in [
        self_signed().certificate,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
    ] {
        assert!(matches!(
            Bundle::read(pem.as_bytes()),
            Err(TlsError::Trust(_))
        ));
    }
}

#[test]
fn reads_the_authorities_beside_the_pair_and_wants_one_at_least() {
    let root = tempfile::tempdir().unwrap();
    let pem = self_signed();
    let now = SystemTime::now();
    let (one, two) = (Authority::new(now).unwrap(), Authority::new(now).unwrap());
    let path = |name: &str| root.path().join(name);
    let write = |name: &str, text: &str| std::fs::write(path(name), text).unwrap();
    write("crt", &pem.certificate);
    write("key", &pem.key);
    write("ca", one.pem());
    let paths = Paths {
        certificate: path("crt"),
        key: path("key"),
        authorities: Some(path("ca")),
    };
    let (mut files, content) = Files::open(paths).unwrap();
    assert_eq!(content.authorities.anchors(), [one.anchor().clone()]);
    write("ca", two.pem());
    let content = files.look().unwrap().unwrap();
    assert_eq!(content.authorities.anchors(), [two.anchor().clone()]);
    write("ca", "");
    assert!(matches!(files.look(), Err(TlsError::Trust(_))));
}
