//! What clients are told to trust: CA certificates, told apart by their fingerprints, and bundles of them. It holds no key.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

use crate::tls::{TlsError, provider};

/// What the common name of each CA of ours begins with.
pub const COMMON_NAME: &str = "bedrock-profiles CA";

/// How far the clocks of two machines may be apart, and one more hour for a wrongly set summer time: a certificate is dated
/// back by that, and trusted for that long after its end.
pub const CLOCKS_APART: Duration = Duration::from_hours(2);

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// A CA certificate that clients are told to trust, or may be.
#[derive(Clone, PartialEq, Eq)]
pub struct Anchor {
    pub(crate) der: CertificateDer<'static>,
    /// What it is told apart by.
    pub fingerprint: Fingerprint,
    /// When it becomes valid.
    pub not_before: SystemTime,
    /// When it ends.
    pub not_after: SystemTime,
    /// Whether it names itself a CA of ours.
    pub ours: bool,
}

/// CA certificates in a stable order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle(Vec<Anchor>);

// === Fingerprint ===

impl Fingerprint {
    /// The fingerprint of a certificate in DER form.
    pub fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        Self(bytes)
    }

    /// The first 16 of its 64 hexadecimal digits: what a person needs to tell two apart.
    pub fn short(&self) -> String {
        hex(&self.0[..8])
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

// === Anchor ===

impl Anchor {
    /// Reads a certificate in DER form.
    ///
    /// # Errors
    /// [`TlsError::Trust`] where it is none, or not one of a CA.
    pub fn new(der: &CertificateDer<'_>) -> Result<Self, TlsError> {
        let (_, read) = X509Certificate::from_der(der).map_err(unreadable)?;
        if !read.is_ca() {
            return Err(TlsError::Trust(format!(
                "`{}` is no certificate of a CA",
                read.subject()
            )));
        }
        let mut names = read.subject().iter_common_name();
        let ours = names.any(|name| {
            name.as_str()
                .is_ok_and(|name| name.starts_with(COMMON_NAME))
        });
        let validity = read.validity();
        Ok(Self {
            fingerprint: Fingerprint::of(der),
            not_before: time(validity.not_before),
            not_after: time(validity.not_after),
            ours,
            der: der.clone().into_owned(),
        })
    }

    /// Whether nobody trusts it any more at `now`, by a clock that may be `apart` from ours.
    pub fn is_over(&self, now: SystemTime, apart: Duration) -> bool {
        now >= self.not_after + apart
    }

    /// Whether it certifies this public key, a `SubjectPublicKeyInfo`.
    pub(super) fn is_of(&self, key: &[u8]) -> Result<bool, TlsError> {
        let (_, read) = X509Certificate::from_der(&self.der).map_err(unreadable)?;
        Ok(read.public_key().raw == key)
    }

    /// The certificate as PEM.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for (at, letter) in text.char_indices() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END CERTIFICATE-----\n");
        pem
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.fingerprint)
    }
}

/// When the leaf of a pair ends; none where it says nothing readable.
pub fn end_of(pair: &CertifiedKey) -> Option<SystemTime> {
    let (_, read) = X509Certificate::from_der(pair.cert.first()?).ok()?;
    Some(time(read.validity().not_after))
}

fn unreadable(error: impl fmt::Display) -> TlsError {
    TlsError::Trust(format!("a CA certificate is unreadable: {error}"))
}

fn time(time: ASN1Time) -> SystemTime {
    let seconds = time.timestamp();
    let length = Duration::from_secs(seconds.unsigned_abs());
    let moved = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(length)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(length)
    };
    moved.unwrap_or(SystemTime::UNIX_EPOCH)
}

// === Bundle ===

impl Bundle {
    /// A bundle of these, without repetitions.
    pub fn new(anchors: impl IntoIterator<Item = Anchor>) -> Self {
        let mut bundle = Self::default();
        for anchor in anchors {
            bundle.add(anchor);
        }
        bundle
    }

    /// Reads certificates as PEM; a text without any is the empty bundle.
    ///
    /// # Errors
    /// [`TlsError::Trust`] where one is unreadable, or not one of a CA.
    pub fn read(pem: &[u8]) -> Result<Self, TlsError> {
        let mut bundle = Self::default();
        for der in CertificateDer::pem_slice_iter(pem) {
            let der = der.map_err(|error| {
                TlsError::Trust(format!(
                    "a bundle of CA certificates is unreadable: {error}"
                ))
            })?;
            bundle.add(Anchor::new(&der)?);
        }
        Ok(bundle)
    }

    /// All certificates as one PEM text.
    pub fn pem(&self) -> String {
        self.0.iter().map(Anchor::pem).collect()
    }

    /// Its certificates.
    pub fn anchors(&self) -> &[Anchor] {
        &self.0
    }

    /// Whether it has no certificate.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it has a certificate.
    pub fn has(&self, fingerprint: Fingerprint) -> bool {
        self.0
            .iter()
            .any(|anchor| anchor.fingerprint == fingerprint)
    }

    /// Itself, and of `others` what is not over at `now`, up to `most` in all. What is over is left out of both.
    #[must_use]
    pub fn with<'a>(
        &'a self,
        others: impl IntoIterator<Item = &'a Anchor>,
        now: SystemTime,
        most: usize,
    ) -> Self {
        let all = self.0.iter().chain(others);
        let lasting = all.filter(|anchor| !anchor.is_over(now, CLOCKS_APART));
        let mut whole = Self::new(lasting.cloned());
        whole.0.truncate(most);
        whole
    }

    /// Whether a client that trusts this bundle takes `pair` for `name` at `now`.
    ///
    /// # Errors
    /// What the client would say.
    pub fn verify(
        &self,
        pair: &CertifiedKey,
        name: &str,
        now: SystemTime,
    ) -> Result<(), rustls::Error> {
        let invalid = || rustls::Error::General("a name or a time that TLS does not know".into());
        let roots = Arc::new(self.roots()?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
        let verifier = verifier.map_err(|error| rustls::Error::General(error.to_string()))?;
        let name = ServerName::try_from(name.to_owned()).map_err(|_| invalid())?;
        let now = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_err(|_| invalid())?;
        let (leaf, intermediates) = pair.cert.split_first().ok_or_else(invalid)?;
        let now = UnixTime::since_unix_epoch(now);
        verifier
            .verify_server_cert(leaf, intermediates, &name, &[], now)
            .map(drop)
    }

    /// The rules of a client that trusts this bundle and nobody else.
    ///
    /// # Errors
    /// What TLS says of the certificates or of the cryptography in use.
    pub fn client_config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }

    fn roots(&self) -> Result<RootCertStore, rustls::Error> {
        let mut roots = RootCertStore::empty();
        for anchor in &self.0 {
            roots.add(anchor.der.clone())?;
        }
        Ok(roots)
    }

    fn add(&mut self, anchor: Anchor) {
        if !self.has(anchor.fingerprint) {
            self.0.push(anchor);
        }
    }
}
