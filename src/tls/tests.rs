//! Certificates and their sources. Handshakes are tested with the server.

use std::time::SystemTime;

use std::path::Path;
use std::time::Duration;

use super::authority::{Authority, BACKDATE, CA_LIFETIME, LEAF_LIFETIME, Leaf, Names};
use super::files::{AuthoritiesFile, Files, Paths};
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
        common_name: "test webhook".to_owned(),
        dns: vec!["webhook.test.svc".to_owned()],
        ips: vec![[127, 0, 0, 1].into()],
    }
}

fn verify(
    authority: &Authority,
    leaf: &Leaf,
    name: &str,
    at: SystemTime,
) -> Result<(), rustls::Error> {
    Bundle::from_pem(authority.pem().as_bytes())
        .unwrap()
        .verify(&leaf.pair, name, at)
}

#[test]
fn a_leaf_is_valid_for_its_names_and_lifetime_under_its_own_ca_only() {
    let now = SystemTime::now();
    let authority = Authority::new("test CA", now).unwrap();
    let leaf = authority.issue(&names(), now).unwrap();
    let second = Duration::from_secs(1);
    for name in ["webhook.test.svc", "127.0.0.1"] {
        verify(&authority, &leaf, name, now).unwrap();
        verify(&authority, &leaf, name, now - BACKDATE + second).unwrap();
        verify(&authority, &leaf, name, now + LEAF_LIFETIME - second).unwrap();
        verify(&authority, &leaf, name, now - BACKDATE - second).unwrap_err();
        verify(&authority, &leaf, name, now + LEAF_LIFETIME + second).unwrap_err();
    }
    verify(&authority, &leaf, "other.ns.svc", now).unwrap_err();
    verify(&authority, &leaf, "127.0.0.2", now).unwrap_err();
    verify(
        &Authority::new("test CA", now).unwrap(),
        &leaf,
        "webhook.test.svc",
        now,
    )
    .unwrap_err();
}

#[test]
fn a_leaf_never_outlives_its_ca() {
    let now = SystemTime::now();
    let authority = Authority::new("test CA", now).unwrap();
    let late = now + CA_LIFETIME - Duration::from_hours(1);
    let leaf = authority.issue(&names(), late).unwrap();
    assert_eq!(leaf.validity.not_after, authority.anchor().not_after);
    let second = Duration::from_secs(1); // below the precision of a certificate
    assert!(
        leaf.validity.not_after <= now + CA_LIFETIME
            && leaf.validity.not_after + second > now + CA_LIFETIME
    );
}

#[test]
fn a_certificate_and_a_key_that_do_not_match_are_rejected() {
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
fn files_that_the_kubelet_swaps_are_reloaded_and_errors_keep_the_old_pair() {
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
    assert!(files.reload().unwrap().is_none());

    publish(root.path(), "v2", &two);
    let second = files.reload().unwrap().unwrap().pair;
    assert_ne!(first.cert, second.cert);
    assert!(files.reload().unwrap().is_none());

    publish(
        root.path(),
        "v3",
        &Pem {
            certificate: one.certificate.clone(),
            key: two.key,
        },
    );
    assert!(matches!(files.reload(), Err(TlsError::Mismatch)));
    assert!(
        files.reload().unwrap().is_none(),
        "the same error is reported once"
    );

    publish(root.path(), "v4", &one);
    assert_eq!(files.reload().unwrap().unwrap().pair.cert, first.cert);

    std::fs::remove_file(path("..data")).unwrap();
    assert!(matches!(files.reload(), Err(TlsError::Read { .. })));
}

#[tokio::test]
async fn a_resolver_follows_certificate_files() {
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
    let resolver = CertificateResolver::new(Arc::clone(&pair));
    let task = tokio::spawn(files.feed(Arc::clone(&resolver), Duration::from_millis(1)));
    // Between the two writes certificate and key do not match, which must not end the task.
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
fn a_loaded_ca_signs_as_before_and_not_with_another_key() {
    let now = SystemTime::now();
    let (one, other) = (
        Authority::new("test CA", now).unwrap(),
        Authority::valid_until(now + Duration::from_hours(1), "test CA", now).unwrap(),
    );
    assert_ne!(one.anchor().fingerprint, other.anchor().fingerprint);
    let again = Authority::load(one.pem(), &one.key_pem()).unwrap();
    assert_eq!(again.anchor(), one.anchor());
    assert_eq!(again.pem(), one.pem());
    let leaf = again.issue(&names(), now).unwrap();
    verify(&one, &leaf, "webhook.test.svc", now).unwrap();
    let mismatched = Authority::load(one.pem(), &other.key_pem());
    assert!(matches!(mismatched, Err(TlsError::Mismatch)));
    let no_key = Authority::load(one.pem(), "-----BEGIN PRIVATE KEY-----\nAAAA");
    assert!(matches!(no_key, Err(TlsError::Key(_))));
    let no_ca = Authority::load(&self_signed().certificate, &one.key_pem());
    assert!(matches!(no_ca, Err(TlsError::Trust(_))));
}

#[test]
fn a_client_that_trusts_several_cas_accepts_a_leaf_of_each() {
    let now = SystemTime::now();
    let [one, two, three] = [(); 3].map(|()| Authority::new("test CA", now).unwrap());
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
    let bundle = Bundle::from_pem(format!("{}{}{}", one.pem(), two.pem(), one.pem()).as_bytes());
    let bundle = bundle.unwrap();
    assert_eq!(
        bundle.anchors(),
        [one.anchor().clone(), two.anchor().clone()]
    );
    assert!(
        bundle
            .anchors()
            .iter()
            .all(|anchor| anchor.common_name.starts_with("test CA "))
    );
    assert_eq!(Bundle::from_pem(bundle.pem().as_bytes()).unwrap(), bundle);
    let accepts = |authority: &Authority| {
        let leaf = authority.issue(&names(), now).unwrap();
        bundle.verify(&leaf.pair, "webhook.test.svc", now).is_ok()
    };
    assert!(accepts(&one) && accepts(&two));
    assert!(!accepts(&three));
}

#[test]
fn a_merged_bundle_retains_other_cas_and_drops_expired_ones() {
    let now = SystemTime::now();
    let expiring_in =
        |hours| Authority::valid_until(now + Duration::from_hours(hours), "test CA", now).unwrap();
    let (one, two, three) = (expiring_in(1), expiring_in(2), expiring_in(30));
    let only = |authority: &Authority| Bundle::new([authority.anchor().clone()]);
    let prints = |bundle: &Bundle| -> Vec<_> {
        let anchors = bundle.anchors().iter();
        anchors.map(|anchor| anchor.fingerprint).collect()
    };
    let print = |authority: &Authority| authority.anchor().fingerprint;
    let rest = [one.anchor().clone(), two.anchor().clone()];
    let bundle = only(&three).merged_with(&rest, now, 4);
    assert_eq!(prints(&bundle), [print(&three), print(&one), print(&two)]);
    let bundle = only(&three).merged_with(&rest, now + Duration::from_hours(3), 4);
    assert_eq!(prints(&bundle), [print(&three), print(&two)]);
    let bundle = only(&three).merged_with(&rest, now, 2);
    assert_eq!(prints(&bundle), [print(&three), print(&one)]);
}

#[test]
fn a_bundle_of_anything_but_cas_is_an_error() {
    assert!(Bundle::from_pem(b"").unwrap().is_empty());
    for pem in [
        self_signed().certificate,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
    ] {
        assert!(matches!(
            Bundle::from_pem(pem.as_bytes()),
            Err(TlsError::Trust(_))
        ));
    }
}

#[test]
fn a_ca_file_beside_the_pair_is_read_and_must_not_be_empty() {
    let root = tempfile::tempdir().unwrap();
    let pem = self_signed();
    let now = SystemTime::now();
    let (one, two) = (
        Authority::new("test CA", now).unwrap(),
        Authority::new("test CA", now).unwrap(),
    );
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
    let content = files.reload().unwrap().unwrap();
    assert_eq!(content.authorities.anchors(), [two.anchor().clone()]);
    write("ca", "");
    assert!(matches!(files.reload(), Err(TlsError::Trust(_))));
}

#[test]
fn a_file_of_cas_alone_is_reported_when_it_changes_and_must_hold_a_ca() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crt");
    let one = Authority::new("one", SystemTime::now()).unwrap();
    let two = Authority::new("two", SystemTime::now()).unwrap();
    std::fs::write(&path, one.pem()).unwrap();
    let (mut file, bundle) = AuthoritiesFile::open(path.clone()).unwrap();
    assert_eq!(bundle.pem(), one.pem());
    assert!(file.reload().unwrap().is_none());
    std::fs::write(&path, "no certificate").unwrap();
    let error = file.reload().err().unwrap();
    assert!(matches!(error, TlsError::Trust(_)), "{error}");
    assert!(file.reload().unwrap().is_none(), "reported once");
    std::fs::write(&path, two.pem()).unwrap();
    assert_eq!(file.reload().unwrap().unwrap().pem(), two.pem());
    assert!(AuthoritiesFile::open(folder.path().join("absent")).is_err());
}
