//! Certificates of cert-manager or of the user, from mounted files. No Secret is read. The CAs of the files are published to all
//! clients, and a replica keeps its old leaf until all clients trust the CA of the new one.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustls::sign::CertifiedKey;

use super::context::CertificateContext;
use super::keyring::Lifetimes;
use super::metrics::Certificate;
use super::rotation::Now;
use super::trust::{DesiredTrust, ObservedTrust, RetainPolicy, TrustHistory};
use crate::tls::TlsError;
use crate::tls::files::{Content, Files, Paths, RELOAD_INTERVAL};
use crate::tls::trust::{Bundle, expiry_of};

/// Serves the certificate of the files, and follows their changes.
pub struct FileCertificates {
    files: Files,
    interval: Duration,
    selection: LeafSelection,
    context: CertificateContext,
}

/// Which of two leaves is served, and which CAs clients shall trust. Pure: times are arguments.
#[derive(Clone)]
pub(super) struct LeafSelection {
    server_name: String,
    lifetimes: Lifetimes,
    /// All unexpired CAs that the files ever held: another replica may still serve certificates of one that was removed.
    known: Bundle,
    trust: TrustHistory,
    served: Arc<CertifiedKey>,
    next: Option<Arc<CertifiedKey>>,
}

impl FileCertificates {
    /// Reads the files for the first time, and serves their certificate: there is no older one to keep. `server_name` is the
    /// DNS name that clients connect to.
    ///
    /// # Errors
    /// If the files have no usable certificate, key or CA.
    pub fn open(
        paths: Paths,
        server_name: String,
        lifetimes: Lifetimes,
        context: CertificateContext,
    ) -> Result<Self, TlsError> {
        let (files, first) = Files::open(paths)?;
        context.resolver.replace(Arc::clone(&first.pair));
        context.metrics.count_issued();
        Ok(Self {
            files,
            interval: RELOAD_INTERVAL,
            selection: LeafSelection::new(server_name, lifetimes, first),
            context,
        })
    }

    /// Sets how often the files are read.
    #[must_use]
    pub fn reload_every(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Runs forever. On errors, which are logged, the current certificate stays.
    pub async fn run(self) {
        let Self {
            files,
            interval,
            mut selection,
            mut context,
        } = self;
        let mut reload = Box::pin(files.reload_after(interval));
        loop {
            step(&mut selection, &mut context, now());
            tokio::select! {
                () = context.changed() => {}
                reloaded = &mut reload => {
                    // `None`: the runtime shuts down, and this task with it.
                    let Some((files, reloaded)) = reloaded else {
                        return std::future::pending().await;
                    };
                    reload = Box::pin(files.reload_after(interval));
                    observe(&mut selection, reloaded);
                }
            }
        }
    }
}

fn now() -> Now {
    Now {
        wall: SystemTime::now(),
        monotonic: Instant::now(),
    }
}

fn observe(selection: &mut LeafSelection, reloaded: Result<Option<Content>, TlsError>) {
    match reloaded {
        Ok(None) => {}
        Ok(Some(content)) => selection.observe_files(content, now().wall),
        Err(error) => {
            tracing::warn!(%error, "cannot load the certificate files; keeping the current certificate");
        }
    }
}

/// Serves the leaf that is due, and publishes what clients shall trust.
fn step(selection: &mut LeafSelection, context: &mut CertificateContext, now: Now) {
    if let Some(observed) = context.observed() {
        selection.observe_trust(observed, now.monotonic);
    }
    if let Some(pair) = selection.take_next(now) {
        context.resolver.replace(pair);
        context.metrics.count_issued();
        tracing::info!("serving a new certificate");
    }
    let is_leader = context.is_leader();
    context.publish(Some(selection.desired_trust(is_leader)));
    let ready = selection.ready(now.wall);
    if context.readiness.set(ready.is_ok())
        && let Err(error) = ready
    {
        tracing::error!(server_name = selection.server_name, %error, "not ready: clients would reject the served certificate");
    }
    let anchors = selection.known.anchors().iter();
    let expirations = anchors.map(|anchor| anchor.not_after);
    let metrics = &context.metrics;
    metrics.set_expiration(Certificate::Served, expiry_of(&selection.served));
    metrics.set_expiration(Certificate::Oldest, expirations.clone().min());
    metrics.set_expiration(Certificate::Newest, expirations.max());
}

impl LeafSelection {
    /// Serves the first content of the files.
    pub(super) fn new(server_name: String, lifetimes: Lifetimes, content: Content) -> Self {
        Self {
            server_name,
            lifetimes,
            known: content.authorities,
            trust: TrustHistory::default(),
            served: content.pair,
            next: None,
        }
    }

    /// Observes a new content of the files.
    pub(super) fn observe_files(&mut self, content: Content, now: SystemTime) {
        let trust = DesiredTrust::new(content.authorities, false, RetainPolicy::All);
        self.known = trust.merged_into(&self.known, now);
        self.next = Some(content.pair).filter(|pair| pair.cert != self.served.cert);
    }

    /// Observes what the clients trust.
    pub(super) fn observe_trust(&mut self, observed: ObservedTrust, at: Instant) {
        self.trust.record(observed, at);
    }

    /// The certificate to serve from now on, if it is another one.
    pub(super) fn take_next(&mut self, now: Now) -> Option<Arc<CertifiedKey>> {
        let pair = Arc::clone(self.next.as_ref()?);
        if !self.is_due(&pair, now) {
            return None;
        }
        self.next = None;
        self.served = Arc::clone(&pair);
        Some(pair)
    }

    /// What all clients shall trust.
    pub(super) fn desired_trust(&self, is_leader: bool) -> DesiredTrust {
        DesiredTrust::new(self.known.clone(), is_leader, RetainPolicy::All)
    }

    /// Verifies the served certificate as a client does that trusts the CAs of the files.
    ///
    /// # Errors
    /// The error of the client.
    pub(super) fn ready(&self, now: SystemTime) -> Result<(), rustls::Error> {
        self.known.verify(&self.served, &self.server_name, now)
    }

    /// Whether all clients have accepted `pair` for so long that all API servers know, or no client accepts the served
    /// certificate any more.
    fn is_due(&self, pair: &CertifiedKey, now: Now) -> bool {
        let is_published = |since: Instant| {
            now.monotonic.saturating_duration_since(since) >= self.lifetimes.publication
        };
        let published = self.known.anchors().iter().filter(|anchor| {
            let since = self.trust.trusted_since(anchor.fingerprint);
            since.is_some_and(is_published)
        });
        let published = Bundle::new(published.cloned());
        published.verify(pair, &self.server_name, now.wall).is_ok() || self.ready(now.wall).is_err()
    }
}
