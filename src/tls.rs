//! The serving side of TLS: which certificate a server presents, and with which TLS settings. A [`CertificateResolver`] holds the current
//! certificate. An [`authority`] in memory or [`files`] that are renewed on disk replace it; the next handshake uses the new
//! one, and open connections are unaffected.
//!
//! This module knows nothing of Kubernetes, names no product, and opens no socket.

pub mod authority;
pub mod files;
pub mod trust;
pub mod validity;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use trust::Bundle;

/// The certificate and key that the server presents, replaceable while connections are open. Every handshake fails while it
/// is empty.
pub struct CertificateResolver(ArcSwapOption<CertifiedKey>);

/// Why certificates or keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file holds no PEM certificate, or an invalid one.
    #[error("{0}; provide a PEM certificate chain, leaf first")]
    Certificate(String),
    /// A file holds no PEM private key, or an unsupported one.
    #[error("{0}; provide one unencrypted PEM private key (PKCS#8, PKCS#1 or SEC1)")]
    Key(String),
    /// A CA bundle holds something other than PEM certificates of CAs.
    #[error("{0}; provide PEM certificates of CAs")]
    Trust(String),
    /// Certificate and key do not match, as while one of two files has been renewed.
    #[error(
        "the private key does not match the certificate; provide the key that the leaf certificate was issued for"
    )]
    Mismatch,
    /// A certificate could not be created.
    #[error("cannot create a certificate: {0}")]
    Issue(#[from] rcgen::Error),
    /// The TLS library rejected the settings.
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] rustls::Error),
}

// === CertificateResolver ===

impl CertificateResolver {
    /// A resolver that presents `pair` until it is replaced.
    pub fn new(pair: Arc<CertifiedKey>) -> Arc<Self> {
        Arc::new(Self(ArcSwapOption::new(Some(pair))))
    }

    /// A resolver without a certificate.
    pub fn empty() -> Arc<Self> {
        Arc::new(Self(ArcSwapOption::empty()))
    }

    /// Presents `pair` from the next handshake on.
    pub fn replace(&self, pair: Arc<CertifiedKey>) {
        self.0.store(Some(pair));
    }

    /// The certificate and key that are presented now.
    pub fn current(&self) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

impl ResolvesServerCert for CertificateResolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // The requested server name is ignored: probes and port-forwards send another name or none, and the client verifies it.
        self.current()
    }
}

impl fmt::Debug for CertificateResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateResolver")
    }
}

/// The cryptography provider. It is passed explicitly, so that nothing depends on a process-wide default.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// The settings of a webhook server: TLS 1.2 or newer, and HTTP/1.1 only. The API server negotiates HTTP/2 only if offered, and one
/// stalled HTTP/2 connection would delay all reviews on it.
///
/// With `client_authorities`, the server requests a client certificate of these CAs at each handshake: no session is resumed. A handshake with any other certificate fails; one
/// without a certificate succeeds, so that the server can respond with the reason for a refusal.
///
/// # Errors
/// [`TlsError::Setup`] if the cryptography provider does not support these versions, or a CA is not usable.
pub fn server_config(
    resolver: Arc<CertificateResolver>,
    client_authorities: Option<&Bundle>,
) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = match client_authorities {
        None => builder.with_no_client_auth(),
        Some(authorities) => builder.with_client_cert_verifier(client_verifier(authorities)?),
    };
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if client_authorities.is_some() {
        // A resumed session would use its client certificate after the certificate has expired.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// Verifies client certificates by these CAs, for the usage of TLS clients.
fn client_verifier(authorities: &Bundle) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let roots = Arc::new(authorities.roots()?);
    WebPkiClientVerifier::builder_with_provider(roots, provider())
        .allow_unauthenticated()
        .build()
        .map_err(|error| TlsError::Trust(format!("the client CAs are not usable: {error}")))
}

/// Reads a certificate chain, leaf first, and the private key of the leaf, both PEM.
///
/// # Errors
/// [`TlsError`] if either is unreadable or they do not match.
pub fn pair(certificate: &[u8], key: &[u8]) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Certificate(format!("the certificate is invalid: {error}")))?;
    if chain.is_empty() {
        return Err(TlsError::Certificate("no certificate found".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| TlsError::Key(format!("the private key is invalid: {error}")))?;
    certified(chain, key)
}

/// A chain and its key, verified to match.
fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let key = provider()
        .key_provider
        .load_private_key(key)
        .map_err(|error| TlsError::Key(format!("the private key is not supported: {error}")))?;
    let pair = CertifiedKey::new(chain, key);
    match pair.keys_match() {
        Ok(()) => Ok(Arc::new(pair)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::Mismatch),
        Err(error) => Err(TlsError::Certificate(format!(
            "the certificate is invalid: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests;
