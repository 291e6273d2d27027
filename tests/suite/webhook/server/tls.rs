//! Which TLS the server speaks, and with which client certificates a caller may send reviews.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bedrock_profiles::tls::authority::Authority;
use bedrock_profiles::tls::server_config;
use bedrock_profiles::tls::trust::Bundle;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::rig::{Client, NAME, Reply, Rig, limits, review};
use super::until_closed_bytes;
use crate::tls_client::{Error, Identity, connect_as};

/// The version numbers of a `ClientHello`.
const TLS_1_0: [u8; 2] = [3, 1];
const TLS_1_1: [u8; 2] = [3, 2];
const TLS_1_2: [u8; 2] = [3, 3];

/// The type of a record with a message of the handshake, such as `ServerHello`.
const HANDSHAKE: u8 = 22;

/// A fatal alert: the version is not supported (RFC 8446, section 6).
const PROTOCOL_VERSION: [u8; 7] = [21, 3, 3, 0, 2, 2, 70];

/// A `ClientHello` for this version and no newer one (RFC 5246, section 7.4.1.2), which the server accepts but for its version.
fn client_hello(version: [u8; 2]) -> Vec<u8> {
    let mut hello = Vec::from(version);
    hello.extend([7; 32]); // random
    hello.push(0); // no session
    hello.extend([0, 2, 0xc0, 0x2b]); // ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    hello.extend([1, 0]); // no compression
    let groups = [0, 10, 0, 4, 0, 2, 0, 0x1d]; // x25519
    let points = [0, 11, 0, 2, 1, 0]; // uncompressed
    let signatures = [0, 13, 0, 4, 0, 2, 4, 3]; // ecdsa_secp256r1_sha256
    let secret = [0, 23, 0, 0]; // extended_master_secret
    let extensions = [&groups[..], &points, &signatures, &secret].concat();
    hello.extend([0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![HANDSHAKE, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

#[tokio::test]
async fn neither_plain_http_nor_an_old_tls_version_is_served() {
    let rig = Rig::start(limits()).await;
    let answer = async |sent: &[u8]| {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let answer = until_closed_bytes(&mut stream);
        timeout(Duration::from_mins(1), answer).await.unwrap()
    };
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(&client_hello(TLS_1_2)).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), HANDSHAKE);
    for version in [TLS_1_0, TLS_1_1] {
        assert_eq!(answer(&client_hello(version)).await, PROTOCOL_VERSION);
    }
    let body = review("ml", 0);
    let plain = format!("{}{body}", super::header(body.len()));
    let answered = answer(plain.as_bytes()).await;
    assert!(!answered.starts_with(b"HTTP/"), "{answered:?}");
    assert!(rig.client().await.review("ml").await.unwrap().admits());
}

/// The common name that may send reviews.
const CALLER: &str = "kube-apiserver";

/// A CA of client certificates.
struct ClientAuthority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl ClientAuthority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "clients");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    fn bundle(&self) -> Bundle {
        Bundle::from_pem(self.pem.as_bytes()).unwrap()
    }

    /// A certificate for this common name and usage, changed by `change`.
    fn issue(
        &self,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
        change: impl Fn(&mut CertificateParams),
    ) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        (certificate.der().clone(), key)
    }

    fn client(&self, name: &str) -> Identity {
        self.issue(name, ExtendedKeyUsagePurpose::ClientAuth, |_| {})
    }
}

/// A connection of a client with this certificate, if any.
async fn connect(rig: &Rig, identity: Option<Identity>) -> Result<Client, Error> {
    let (address, trust) = (rig.address, rig.trust.pem());
    Client::over(connect_as(address, NAME, trust, &[b"http/1.1"], identity).await?).await
}

/// The response to a review of a client with this certificate. A handshake that the server refuses is an error here at the latest.
async fn review_as(rig: &Rig, identity: Option<Identity>) -> Result<Reply, Error> {
    Ok(connect(rig, identity).await?.review("ml").await?)
}

/// A server that requires a client certificate of `clients` with the common name [`CALLER`].
async fn start(clients: &ClientAuthority) -> Rig {
    let authority = Authority::new("test CA", SystemTime::now()).unwrap();
    Rig::start_for(limits(), &authority, Some((&clients.bundle(), CALLER))).await
}

#[tokio::test]
async fn a_caller_needs_a_client_certificate_with_an_allowed_common_name() {
    let clients = ClientAuthority::new();
    let rig = start(&clients).await;
    assert!(
        review_as(&rig, Some(clients.client(CALLER)))
            .await
            .unwrap()
            .admits()
    );

    let stranger = review_as(&rig, None).await.unwrap();
    assert_eq!((stranger.status.as_u16(), stranger.closes), (401, true));
    let unauthenticated = r#"requests_rejected_total{reason="Unauthenticated"}"#;
    assert_eq!(rig.metric(unauthenticated), Some(1));

    let second_name = |params: &mut CertificateParams| {
        let other = DnType::CustomDnType(vec![2, 5, 4, 3]);
        params.distinguished_name.push(other, "kubelet");
    };
    let usage = ExtendedKeyUsagePurpose::ClientAuth;
    for (what, certificate) in [
        ("another name", clients.client("kubelet")),
        ("a longer name", clients.client("kube-apiserver.example")),
        ("no name", clients.client("")),
        ("two names", clients.issue(CALLER, usage, second_name)),
    ] {
        let reply = review_as(&rig, Some(certificate)).await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.closes), (403, true), "{what}");
    }
    assert_eq!(
        rig.metric(r#"requests_rejected_total{reason="NotAllowed"}"#),
        Some(4)
    );
}

#[tokio::test]
async fn an_invalid_client_certificate_ends_the_handshake() {
    let clients = ClientAuthority::new();
    let rig = start(&clients).await;
    let usage = ExtendedKeyUsagePurpose::ClientAuth;
    let expired = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    let server = ExtendedKeyUsagePurpose::ServerAuth;
    for (what, certificate) in [
        ("another CA", ClientAuthority::new().client(CALLER)),
        ("expired", clients.issue(CALLER, usage, expired)),
        ("a server's", clients.issue(CALLER, server, |_| {})),
    ] {
        assert!(review_as(&rig, Some(certificate)).await.is_err(), "{what}");
    }
    assert!(
        review_as(&rig, Some(clients.client(CALLER)))
            .await
            .unwrap()
            .admits()
    );
    // The server counts a handshake after the client has got the alert.
    let counted = async {
        while rig.metric(r#"connections_lost_total{reason="Handshake"}"#) != Some(3) {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_mins(1), counted).await.unwrap();
}

#[tokio::test]
async fn a_client_certificate_is_verified_at_each_handshake() {
    let clients = ClientAuthority::new();
    let authority = Authority::new("test CA", SystemTime::now()).unwrap();
    for (rig, resumed) in [
        (
            Rig::start_under(limits(), &authority).await,
            HandshakeKind::Resumed,
        ),
        (start(&clients).await, HandshakeKind::Full),
    ] {
        for version in [&TLS12, &TLS13] {
            let config = client_config(&rig, version, clients.client(CALLER));
            let mut kinds = Vec::new();
            for _ in 0..2 {
                let stream = TcpStream::connect(rig.address).await.unwrap();
                let name = ServerName::try_from(NAME).unwrap();
                let connector = TlsConnector::from(Arc::clone(&config));
                let mut stream = connector.connect(name, stream).await.unwrap();
                kinds.push(stream.get_ref().1.handshake_kind().unwrap());
                // Tickets come with the response.
                let body = review("ml", 0);
                let request = format!("{}{body}", super::header(body.len()));
                stream.write_all(request.as_bytes()).await.unwrap();
                assert_eq!(stream.read_u8().await.unwrap(), b'H');
            }
            assert_eq!(kinds, [HandshakeKind::Full, resumed], "{version:?}");
        }
    }
}

/// A client of this version that resumes sessions where it can.
fn client_config(
    rig: &Rig,
    version: &'static SupportedProtocolVersion,
    (certificate, key): Identity,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(rig.trust.pem()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}

#[tokio::test]
async fn new_client_cas_are_for_new_connections_alone() {
    let (old, new) = (ClientAuthority::new(), ClientAuthority::new());
    let rig = start(&old).await;
    let mut open = connect(&rig, Some(old.client(CALLER))).await.unwrap();
    assert!(open.review("ml").await.unwrap().admits());
    let config = server_config(Arc::clone(&rig.resolver), Some(&new.bundle())).unwrap();
    rig.tls.replace(config);
    assert!(open.review("ml").await.unwrap().admits());
    assert!(review_as(&rig, Some(old.client(CALLER))).await.is_err());
    assert!(
        review_as(&rig, Some(new.client(CALLER)))
            .await
            .unwrap()
            .admits()
    );
}
