//! Pairs and where they come from; handshakes are tested with the server.

use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::{ServerName, UnixTime};

use super::authority::{Authority, BACKDATED, CA_LIFE, LEAF_LIFE, Leaf, Names};
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
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let at = UnixTime::since_unix_epoch(at.duration_since(SystemTime::UNIX_EPOCH).unwrap());
    verifier
        .verify_server_cert(leaf.pair.end_entity_cert().unwrap(), &[], &name, &[], at)
        .map(drop)
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
    assert_eq!(leaf.life.not_after, now + CA_LIFE);
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
    let (mut files, first) = Files::open(path("tls.crt"), path("tls.key")).unwrap();
    assert!(files.look().unwrap().is_none());

    publish(root.path(), "v2", &two);
    let second = files.look().unwrap().unwrap();
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
    assert_eq!(files.look().unwrap().unwrap().cert, first.cert);

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
    let (files, pair) = Files::open(path("crt"), path("key")).unwrap();
    let resolver = Resolver::new(Arc::clone(&pair));
    let task = tokio::spawn(files.follow(Arc::clone(&resolver), Duration::from_millis(1)));
    // Between the two writes the pair does not fit, which must not end the following.
    std::fs::write(path("key"), &two.key).unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(resolver.current().cert, pair.cert);
    std::fs::write(path("crt"), &two.certificate).unwrap();
    while resolver.current().cert == pair.cert {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    task.abort();
}
