//! A pair, and the CAs to trust for it, in PEM files that somebody else renews.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::sign::CertifiedKey;

use crate::tls::trust::Bundle;
use crate::tls::{Resolver, TlsError, pair};

/// How often certificate files are read again. The kubelet brings a changed Secret within about a minute, so ten
/// seconds add little; a watch would miss the symlink swap by which it does so.
pub const FILES_EVERY: Duration = Duration::from_secs(10);

/// Where the files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The certificate chain, the leaf first.
    pub certificate: PathBuf,
    /// The leaf's private key.
    pub key: PathBuf,
    /// The certificates of the CAs to trust, where somebody has to be told.
    pub authorities: Option<PathBuf>,
}

/// The files, and what they held when they were last looked at.
pub struct Files {
    paths: Paths,
    seen: Bytes,
}

/// What the files hold.
#[derive(Clone)]
pub struct Content {
    /// The pair to serve with.
    pub pair: Arc<CertifiedKey>,
    /// The CAs to trust; empty where no file names them.
    pub authorities: Bundle,
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
    /// [`TlsError`] where there is nothing to serve with.
    pub fn open(paths: Paths) -> Result<(Self, Content), TlsError> {
        let seen = Bytes::read(&paths)?;
        let content = seen.content()?;
        Ok((Self { paths, seen }, content))
    }

    /// Reads the files again: their content where it is another one, none where it is as before.
    ///
    /// # Errors
    /// [`TlsError`] where they hold something else that cannot be served with. It is told once for the same content.
    pub fn look(&mut self) -> Result<Option<Content>, TlsError> {
        let now = Bytes::read(&self.paths)?;
        if now == self.seen {
            return Ok(None);
        }
        self.seen = now;
        self.seen.content().map(Some)
    }

    /// Waits for `every`, then looks, without keeping the runtime from its work. None where the runtime ends.
    pub async fn look_after(
        mut self,
        every: Duration,
    ) -> Option<(Self, Result<Option<Content>, TlsError>)> {
        tokio::time::sleep(every).await;
        let looked = tokio::task::spawn_blocking(move || {
            let result = self.look();
            (self, result)
        });
        looked.await.ok()
    }

    /// Looks at the files every `every` and feeds `resolver`, for ever. What cannot be read or used is logged, and
    /// the pair in force stays.
    pub async fn follow(mut self, resolver: Arc<Resolver>, every: Duration) {
        while let Some((files, looked)) = self.look_after(every).await {
            self = files;
            match looked {
                Ok(None) => {}
                Ok(Some(content)) => {
                    resolver.replace(content.pair);
                    tracing::info!(certificate = %self.paths.certificate.display(), "serving a new certificate");
                }
                Err(error) => tracing::warn!(%error, "keeping the old certificate"),
            }
        }
    }
}

impl Bytes {
    fn read(paths: &Paths) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| TlsError::Read {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self {
            certificate: read(&paths.certificate)?,
            key: read(&paths.key)?,
            authorities: paths.authorities.as_deref().map(read).transpose()?,
        })
    }

    fn content(&self) -> Result<Content, TlsError> {
        let authorities = self.authorities.as_deref().map(Bundle::read).transpose()?;
        if authorities.as_ref().is_some_and(Bundle::is_empty) {
            return Err(TlsError::Trust(
                "there is no certificate of a CA to trust".to_owned(),
            ));
        }
        Ok(Content {
            pair: pair(&self.certificate, &self.key)?,
            authorities: authorities.unwrap_or_default(),
        })
    }
}
