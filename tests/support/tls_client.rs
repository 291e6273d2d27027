//! An HTTPS client of tests and benchmarks: it trusts the given CAs only, and keeps its connection open.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Any error of a client.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// A client certificate and its key.
pub(crate) type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

/// Connects to `address`, and verifies its certificate for `name` by the CAs of `authorities`, which are PEM. `alpn` are the
/// protocols to offer.
pub(crate) async fn connect(
    address: SocketAddr,
    name: &str,
    authorities: &[u8],
    alpn: &[&[u8]],
) -> Result<TlsStream<TcpStream>, Error> {
    connect_as(address, name, authorities, alpn, None).await
}

/// Connects as [`connect`], with a client certificate if given.
pub(crate) async fn connect_as(
    address: SocketAddr,
    name: &str,
    authorities: &[u8],
    alpn: &[&[u8]],
    identity: Option<Identity>,
) -> Result<TlsStream<TcpStream>, Error> {
    let stream = TcpStream::connect(address).await?;
    shake_hands(stream, name, authorities, alpn, identity).await
}

/// The same on a connection that has been made.
pub(crate) async fn shake_hands(
    stream: TcpStream,
    name: &str,
    authorities: &[u8],
    alpn: &[&[u8]],
    identity: Option<Identity>,
) -> Result<TlsStream<TcpStream>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        roots.add(certificate?)?;
    }
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match identity {
        Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    // A request is one small write; without this option it waits for the acknowledgement of the previous one.
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(name.to_owned())?;
    Ok(TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?)
}

/// Begins HTTP/1.1 on a connection. Returns the sender of requests, and the task that ends when the server closes the connection.
pub(crate) async fn http1(
    stream: TlsStream<TcpStream>,
) -> hyper::Result<(SendRequest<Full<Bytes>>, JoinHandle<hyper::Result<()>>)> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    Ok((sender, tokio::spawn(connection)))
}
