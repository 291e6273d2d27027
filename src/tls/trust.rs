//! The CA certificates that clients trust, identified by their fingerprints, and bundles of them. It holds no private key.

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

/// The largest supported difference between the clocks of two machines: one hour, and another for a wrong daylight saving time.
/// The start of a certificate is set back by it, and a CA stays trusted for it after its end.
pub const CLOCK_SKEW: Duration = Duration::from_hours(2);

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// A CA certificate that clients trust, or may be configured to trust.
#[derive(Clone, PartialEq, Eq)]
pub struct Anchor {
    pub(crate) der: CertificateDer<'static>,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// Start of its validity period.
    pub not_before: SystemTime,
    /// End of its validity period.
    pub not_after: SystemTime,
    /// The common name of its subject; empty if it has none.
    pub common_name: Arc<str>,
}

/// CA certificates in a stable order, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle(Vec<Anchor>);

// === Fingerprint ===

impl Fingerprint {
    /// The fingerprint of a DER certificate.
    pub fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        Self(bytes)
    }

    /// The first 16 of its 64 hexadecimal digits: enough for a person to distinguish two.
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
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// [`TlsError::Trust`] if it is invalid, or not one of a CA.
    pub fn from_der(der: &CertificateDer<'_>) -> Result<Self, TlsError> {
        let (_, read) = X509Certificate::from_der(der).map_err(unreadable)?;
        if !read.is_ca() {
            return Err(TlsError::Trust(format!(
                "`{}` is not a CA certificate",
                read.subject()
            )));
        }
        let common_name = read.subject().iter_common_name().next();
        let common_name = common_name.and_then(|name| name.as_str().ok());
        let validity = read.validity();
        Ok(Self {
            fingerprint: Fingerprint::of(der),
            not_before: time(validity.not_before),
            not_after: time(validity.not_after),
            common_name: common_name.unwrap_or_default().into(),
            der: der.clone().into_owned(),
        })
    }

    /// Whether it has expired at `now` by every clock that differs from this one by at most `skew`.
    pub fn is_expired(&self, now: SystemTime, skew: Duration) -> bool {
        now >= self.not_after + skew
    }

    /// Whether it certifies this public key, a `SubjectPublicKeyInfo`.
    pub(super) fn certifies(&self, key: &[u8]) -> Result<bool, TlsError> {
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

/// When the leaf of a chain expires; `None` if it is unreadable.
pub fn expiry_of(pair: &CertifiedKey) -> Option<SystemTime> {
    let (_, read) = X509Certificate::from_der(pair.cert.first()?).ok()?;
    Some(time(read.validity().not_after))
}

fn unreadable(error: impl fmt::Display) -> TlsError {
    TlsError::Trust(format!("a CA certificate is invalid: {error}"))
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
    /// A bundle of these certificates, without duplicates.
    pub fn new(anchors: impl IntoIterator<Item = Anchor>) -> Self {
        let mut bundle = Self::default();
        for anchor in anchors {
            bundle.add(anchor);
        }
        bundle
    }

    /// Reads PEM certificates. A text without certificates is an empty bundle.
    ///
    /// # Errors
    /// [`TlsError::Trust`] if one is invalid, or not one of a CA.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TlsError> {
        let mut bundle = Self::default();
        for der in CertificateDer::pem_slice_iter(pem) {
            let der =
                der.map_err(|error| TlsError::Trust(format!("the CA bundle is invalid: {error}")))?;
            bundle.add(Anchor::from_der(&der)?);
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

    /// Whether it holds no certificate.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it holds the certificate with this fingerprint.
    pub fn contains(&self, fingerprint: Fingerprint) -> bool {
        self.0
            .iter()
            .any(|anchor| anchor.fingerprint == fingerprint)
    }

    /// The certificates of this bundle and of `others` that have not expired at `now`, up to `limit` in all.
    #[must_use]
    pub fn merged_with<'a>(
        &'a self,
        others: impl IntoIterator<Item = &'a Anchor>,
        now: SystemTime,
        limit: usize,
    ) -> Self {
        let all = self.0.iter().chain(others);
        let valid = all.filter(|anchor| !anchor.is_expired(now, CLOCK_SKEW));
        let mut merged = Self::new(valid.cloned());
        merged.0.truncate(limit);
        merged
    }

    /// Verifies `pair` as a client does that trusts this bundle and connects to `name` at `now`.
    ///
    /// # Errors
    /// The error of the client.
    pub fn verify(
        &self,
        pair: &CertifiedKey,
        name: &str,
        now: SystemTime,
    ) -> Result<(), rustls::Error> {
        let invalid = || rustls::Error::General("invalid server name or time".into());
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

    /// The settings of a client that trusts this bundle and no other CA.
    ///
    /// # Errors
    /// [`TlsError::Setup`] if the TLS library rejects a certificate or the settings.
    pub fn client_config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }

    pub(super) fn roots(&self) -> Result<RootCertStore, rustls::Error> {
        let mut roots = RootCertStore::empty();
        for anchor in &self.0 {
            roots.add(anchor.der.clone())?;
        }
        Ok(roots)
    }

    fn add(&mut self, anchor: Anchor) {
        if !self.contains(anchor.fingerprint) {
            self.0.push(anchor);
        }
    }
}
