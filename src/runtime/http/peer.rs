//! The client at the other end of a connection.

use std::sync::Arc;

use rustls::ServerConnection;
use rustls_pki_types::CertificateDer;

/// The verified client certificate of a connection; an extension of each request on it.
#[derive(Clone, Debug)]
pub struct PeerCertificate(Arc<CertificateDer<'static>>);

impl PeerCertificate {
    /// The certificate that the client has presented, after the handshake has verified it.
    pub(super) fn of(connection: &ServerConnection) -> Option<Self> {
        let leaf = connection.peer_certificates()?.first()?;
        Some(Self(Arc::new(leaf.clone().into_owned())))
    }

    /// The certificate, as DER.
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}
