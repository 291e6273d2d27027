//! The serving side of TLS: which certificate is shown, and under which rules. A [`Resolver`] holds the pair in force
//! and is fed from outside, by an [`authority`] of our own or by [`files`]; a swap is seen by the next handshake and
//! leaves living connections alone.
//!
//! It knows nothing of Kubernetes, and opens no socket.

pub mod authority;
pub mod files;
pub mod schedule;
pub mod trust;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The pair that is shown to clients, replaceable while connections live. Without one no handshake succeeds.
pub struct Resolver(ArcSwapOption<CertifiedKey>);

/// Why there is no pair to serve with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds no certificate in PEM form, or a broken one.
    #[error("{0}; give a certificate chain as PEM, the leaf first")]
    Certificate(String),
    /// A file holds no private key in PEM form, or one that cannot be used.
    #[error("{0}; give one unencrypted private key as PEM (PKCS#8, PKCS#1 or SEC1)")]
    Key(String),
    /// What shall be trusted is no CA certificate in PEM form.
    #[error("{0}; give certificates of CAs as PEM")]
    Trust(String),
    /// Certificate and key do not belong together, as while one of two files has been renewed.
    #[error(
        "the private key does not belong to the certificate; give the key that the leaf was issued for"
    )]
    Mismatch,
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Issue(#[from] rcgen::Error),
    /// TLS could not be set up with the cryptography in use.
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] rustls::Error),
}

// === Resolver ===

impl Resolver {
    /// A resolver that shows `pair` until told otherwise.
    pub fn new(pair: Arc<CertifiedKey>) -> Arc<Self> {
        Arc::new(Self(ArcSwapOption::new(Some(pair))))
    }

    /// A resolver that has nothing to show until it is told.
    pub fn waiting() -> Arc<Self> {
        Arc::new(Self(ArcSwapOption::empty()))
    }

    /// Shows `pair` from the next handshake on.
    pub fn replace(&self, pair: Arc<CertifiedKey>) {
        self.0.store(Some(pair));
    }

    /// The pair that is shown now.
    pub fn current(&self) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Whatever name is asked for: probes and port-forwards come without ours, and the client judges the names.
        self.current()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

/// The cryptography of this program. Passed explicitly, so that nothing depends on a default of the process.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The rules under which a webhook is served: TLS 1.2 or newer, no client certificates, and HTTP/1.1 only, as the API
/// server asks for nothing else and a stuck HTTP/2 connection would hold all its reviews.
///
/// # Errors
/// [`TlsError::Setup`] where the cryptography in use does not know these versions.
pub fn server_config(resolver: Arc<Resolver>) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A pair from PEM texts: a chain with the leaf first, and the leaf's key.
///
/// # Errors
/// [`TlsError`] where either cannot be read or they do not belong together.
pub fn pair(certificate: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            TlsError::Certificate(format!("the certificate is unreadable: {error}"))
        })?;
    if chain.is_empty() {
        return Err(TlsError::Certificate("there is no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| TlsError::Key(format!("the private key is unreadable: {error}")))?;
    certified(chain, key)
}

/// A pair from decoded parts, checked to belong together.
fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let key = provider()
        .key_provider
        .load_private_key(key)
        .map_err(|error| TlsError::Key(format!("the private key is of no use: {error}")))?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        Ok(()) => Ok(Arc::new(pair)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::Mismatch),
        Err(error) => Err(TlsError::Certificate(format!(
            "the certificate is unreadable: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests;
