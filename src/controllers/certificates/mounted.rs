//! Certificates of the user's or of cert-manager's, in mounted files: no Secret is read. What others make is published by us
//! all the same, and a replica keeps its old leaf until everybody trusts the new one's CA.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustls::sign::CertifiedKey;

use super::keyring::Lives;
use super::metrics::Certificate;
use super::published::{Keeps, Published, ReadBack, Target};
use super::replica::Now;
use super::ties::Ties;
use crate::controllers::installation::Installation;
use crate::tls::TlsError;
use crate::tls::files::{Content, FILES_EVERY, Files, Paths};
use crate::tls::trust::{Bundle, end_of};

/// Follows the files, and serves what is in them.
pub struct Follower {
    files: Files,
    every: Duration,
    choice: Choice,
    ties: Ties,
}

/// Which of two leaves is served, and what is to be trusted. Pure: times are arguments.
#[derive(Clone)]
pub(super) struct Choice {
    name: String,
    lives: Lives,
    /// All CAs that the files ever named and that are not over: one that went may still be served by, elsewhere.
    known: Bundle,
    published: Published,
    served: Arc<CertifiedKey>,
    waiting: Option<Arc<CertifiedKey>>,
}

impl Follower {
    /// Reads the files for the first time, and serves what is in them: there is nothing older to keep.
    ///
    /// # Errors
    /// Where there is nothing to serve with, or a certificate names no CA to trust.
    pub fn open(
        paths: Paths,
        installation: &Installation,
        lives: Lives,
        ties: Ties,
    ) -> Result<Self, TlsError> {
        let (files, content) = Files::open(paths)?;
        ties.resolver.replace(Arc::clone(&content.pair));
        ties.metrics.issued();
        Ok(Self {
            files,
            every: FILES_EVERY,
            choice: Choice::new(installation.service_name(), lives, content),
            ties,
        })
    }

    /// The same, looking more often.
    #[must_use]
    pub fn every(self, every: Duration) -> Self {
        Self { every, ..self }
    }

    /// Runs for ever. What cannot be read or used is logged, and the pair in force stays.
    pub async fn run(self) {
        let Self {
            files,
            every,
            mut choice,
            mut ties,
        } = self;
        let mut looking = Box::pin(files.look_after(every));
        loop {
            step(&mut choice, &mut ties, now());
            tokio::select! {
                () = ties.changed() => {}
                looked = &mut looking => {
                    // None: the runtime ends, and this task with it.
                    let Some((files, looked)) = looked else {
                        return std::future::pending().await;
                    };
                    looking = Box::pin(files.look_after(every));
                    match looked {
                        Ok(None) => {}
                        Ok(Some(content)) => choice.see_files(content, now().wall),
                        Err(error) => tracing::warn!(%error, "keeping the old certificate"),
                    }
                }
            }
        }
    }
}

fn now() -> Now {
    Now {
        wall: SystemTime::now(),
        steady: Instant::now(),
    }
}

/// Serves the leaf that is due, and tells everybody what is so.
fn step(choice: &mut Choice, ties: &mut Ties, now: Now) {
    if let Some(read_back) = ties.read_back() {
        choice.see_configurations(read_back, now.steady);
    }
    if let Some(pair) = choice.take(now) {
        ties.resolver.replace(pair);
        ties.metrics.issued();
        tracing::info!("serving a new certificate");
    }
    let leads = ties.leads();
    ties.aim(Some(choice.target(leads)));
    let ready = choice.ready(now.wall);
    if ties.readiness.set(ready.is_ok())
        && let Err(error) = ready
    {
        tracing::error!(name = choice.name, %error, "not ready: clients would not take the certificate");
    }
    let ends = choice.known.anchors().iter().map(|anchor| anchor.not_after);
    let metrics = &ties.metrics;
    metrics.end(Certificate::Served, end_of(&choice.served));
    metrics.end(Certificate::Oldest, ends.clone().min());
    metrics.end(Certificate::Newest, ends.max());
}

impl Choice {
    /// What was found first is served.
    pub(super) fn new(name: String, lives: Lives, content: Content) -> Self {
        Self {
            name,
            lives,
            known: content.authorities,
            published: Published::default(),
            served: content.pair,
            waiting: None,
        }
    }

    /// The files hold something else.
    pub(super) fn see_files(&mut self, content: Content, now: SystemTime) {
        let standing = Target::new(content.authorities, false, Keeps::All);
        self.known = standing.over(&self.known, now);
        self.waiting = Some(content.pair).filter(|pair| pair.cert != self.served.cert);
    }

    /// What the configurations trust.
    pub(super) fn see_configurations(&mut self, read_back: ReadBack, at: Instant) {
        self.published.see(read_back, at);
    }

    /// The pair to serve from now on, where it is another.
    pub(super) fn take(&mut self, now: Now) -> Option<Arc<CertifiedKey>> {
        let pair = Arc::clone(self.waiting.as_ref()?);
        if !self.is_taken(&pair, now) {
            return None;
        }
        self.waiting = None;
        self.served = Arc::clone(&pair);
        Some(pair)
    }

    /// What the configurations are to trust.
    pub(super) fn target(&self, leads: bool) -> Target {
        Target::new(self.known.clone(), leads, Keeps::All)
    }

    /// Whether clients that trust what the files say take what is served.
    ///
    /// # Errors
    /// What they would say.
    pub(super) fn ready(&self, now: SystemTime) -> Result<(), rustls::Error> {
        self.known.verify(&self.served, &self.name, now)
    }

    /// Whether everybody takes the pair, for long enough that API servers know; or nobody takes the old one any more.
    fn is_taken(&self, pair: &CertifiedKey, now: Now) -> bool {
        let long_enough =
            |since: Instant| now.steady.saturating_duration_since(since) >= self.lives.publication;
        let trusted = self.known.anchors().iter().filter(|anchor| {
            self.published
                .since(anchor.fingerprint)
                .is_some_and(long_enough)
        });
        let trusted = Bundle::new(trusted.cloned());
        trusted.verify(pair, &self.name, now.wall).is_ok() || self.ready(now.wall).is_err()
    }
}
