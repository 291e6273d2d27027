//! A certificate, its key and the CAs that clients trust for it, in PEM files that another program renews.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::sign::CertifiedKey;

use crate::tls::trust::Bundle;
use crate::tls::{CertificateResolver, TlsError, pair};

/// How often certificate files are read again. The kubelet updates a mounted Secret within about a minute, so ten seconds add
/// little delay; a file watch would miss the symlink swap by which the kubelet updates it.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// Paths of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The certificate chain, leaf first.
    pub certificate: PathBuf,
    /// The private key of the leaf.
    pub key: PathBuf,
    /// The certificates of the CAs that clients shall trust, if clients get them from this program.
    pub authorities: Option<PathBuf>,
}

/// The files, and their bytes when they were last read.
pub struct Files {
    paths: Paths,
    loaded: Bytes,
}

/// The parsed content of the files.
#[derive(Clone)]
pub struct Content {
    /// The certificate chain and key to serve with.
    pub pair: Arc<CertifiedKey>,
    /// The CAs that clients shall trust; empty without a file of CAs.
    pub authorities: Bundle,
}

/// A file of CAs alone, and its bytes when it was last read.
pub struct AuthoritiesFile {
    path: PathBuf,
    loaded: Vec<u8>,
}

#[derive(PartialEq, Eq)]
struct Bytes {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authorities: Option<Vec<u8>>,
}

impl Files {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// [`TlsError`] if their content cannot be served.
    pub fn open(paths: Paths) -> Result<(Self, Content), TlsError> {
        let loaded = Bytes::read(&paths)?;
        let content = loaded.parse()?;
        Ok((Self { paths, loaded }, content))
    }

    /// Reads the files again, and returns their content if it has changed.
    ///
    /// # Errors
    /// [`TlsError`] if the new content cannot be served. The same content is reported once.
    pub fn reload(&mut self) -> Result<Option<Content>, TlsError> {
        let bytes = Bytes::read(&self.paths)?;
        if bytes == self.loaded {
            return Ok(None);
        }
        self.loaded = bytes;
        self.loaded.parse().map(Some)
    }

    /// Waits for `interval`, then reloads on a thread that may block. `None` when the runtime shuts down.
    pub async fn reload_after(
        mut self,
        interval: Duration,
    ) -> Option<(Self, Result<Option<Content>, TlsError>)> {
        tokio::time::sleep(interval).await;
        let reload = tokio::task::spawn_blocking(move || {
            let result = self.reload();
            (self, result)
        });
        reload.await.ok()
    }

    /// Reloads the files every `interval` and replaces the certificate of `resolver`, forever. On errors, which are logged,
    /// the current certificate stays.
    pub async fn feed(mut self, resolver: Arc<CertificateResolver>, interval: Duration) {
        while let Some((files, reloaded)) = self.reload_after(interval).await {
            self = files;
            match reloaded {
                Ok(None) => {}
                Ok(Some(content)) => {
                    resolver.replace(content.pair);
                    tracing::info!(certificate = %self.paths.certificate.display(), "serving a new certificate");
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot load the certificate files; keeping the current certificate");
                }
            }
        }
    }
}

impl AuthoritiesFile {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// [`TlsError`] if it cannot be read, or holds anything but certificates of CAs, of which there must be one.
    pub fn open(path: PathBuf) -> Result<(Self, Bundle), TlsError> {
        let loaded = read(&path)?;
        let bundle = some_authorities(&loaded)?;
        Ok((Self { path, loaded }, bundle))
    }

    /// Waits for `interval`, then reloads on a thread that may block. `None` when the runtime shuts down.
    pub async fn reload_after(
        mut self,
        interval: Duration,
    ) -> Option<(Self, Result<Option<Bundle>, TlsError>)> {
        tokio::time::sleep(interval).await;
        let reload = tokio::task::spawn_blocking(move || {
            let result = self.reload();
            (self, result)
        });
        reload.await.ok()
    }

    /// Reads the file again, and returns its CAs if it has changed.
    ///
    /// # Errors
    /// As for [`Self::open`]. The same content is reported once.
    pub fn reload(&mut self) -> Result<Option<Bundle>, TlsError> {
        let bytes = read(&self.path)?;
        if bytes == self.loaded {
            return Ok(None);
        }
        self.loaded = bytes;
        some_authorities(&self.loaded).map(Some)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The CAs of a PEM text that must hold one.
fn some_authorities(pem: &[u8]) -> Result<Bundle, TlsError> {
    let bundle = Bundle::from_pem(pem)?;
    if bundle.is_empty() {
        return Err(TlsError::Trust("no CA certificate found".to_owned()));
    }
    Ok(bundle)
}

impl Bytes {
    fn read(paths: &Paths) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: read(&paths.certificate)?,
            key: read(&paths.key)?,
            authorities: paths.authorities.as_deref().map(read).transpose()?,
        })
    }

    fn parse(&self) -> Result<Content, TlsError> {
        let authorities = self.authorities.as_deref();
        let authorities = authorities.map(some_authorities).transpose()?;
        Ok(Content {
            pair: pair(&self.certificate, &self.key)?,
            authorities: authorities.unwrap_or_default(),
        })
    }
}
