//! Who writes: one replica at a time, by a Lease, after the algorithm of Kubernetes' own controllers. Losing it stops no
//! admission and no read.
//!
//! What is decided is in [`election`]; here it is asked and written, and told as [`Leadership`].

mod election;
mod leadership;
mod lock;

use std::pin::pin;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::time::{Instant, sleep_until, timeout};

use crate::cluster::client::Clients;
use crate::cluster::release::ReleaseNames;
use crate::runtime::Shutdown;
use election::EVERY;
pub use leadership::{Leadership, Term, Turn, term};
use lock::{Lock, TryError};

/// Takes part in the election.
pub struct Candidate {
    lock: Lock,
    voice: Voice,
}

/// Says what became of the election: to those who write, in metrics, and in the log.
struct Voice {
    /// Tells this replica from all others, and from itself after a restart.
    identity: String,
    term: Term,
    metrics: Metrics,
    said: Option<Trouble>,
}

/// Counts what became of the election, as this replica sees it.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    leads: Gauge,
    acquired: Counter,
    renewed: Gauge,
    failures: Counter,
}

/// What keeps a replica from taking part; the same is said once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Missing,
    Other,
}

impl Metrics {
    /// Makes the families known to `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("leader", "Whether this replica writes", self.leads.clone());
        registry.register(
            "leader_terms",
            "Times that this replica has become the one that writes",
            self.acquired.clone(),
        );
        registry.register(
            "lease_renewed_timestamp_seconds",
            "When this replica last took or renewed the Lease, in seconds since 1970; 0 if never",
            self.renewed.clone(),
        );
        registry.register(
            "lease_failures",
            "Failed tries to read or write the Lease",
            self.failures.clone(),
        );
    }
}

impl Candidate {
    /// A candidate for the Lease of a release, and where it is told whether it leads. `identity` is a name that no other
    /// candidate has, nor had before.
    pub fn new(
        clients: &Clients,
        release: &ReleaseNames,
        identity: String,
        metrics: Metrics,
    ) -> (Self, Leadership) {
        let (term, leadership) = term();
        let candidate = Self {
            lock: Lock::new(clients, release, identity.clone()),
            voice: Voice {
                identity,
                term,
                metrics,
                said: None,
            },
        };
        (candidate, leadership)
    }

    /// Takes part until the drain begins, and then lets go of the Lease at once, so that another need not wait.
    pub async fn run(mut self, shutdown: Shutdown) {
        while !shutdown.is_draining() {
            self.attempt(&shutdown).await;
            let now = Instant::now();
            self.voice.tell(self.lock.election.until(now));
            tokio::select! {
                biased;
                () = shutdown.draining() => {}
                () = sleep_until(self.lock.election.next(now, fastrand::f64())) => {}
            }
            self.voice.tell(self.lock.election.until(Instant::now()));
        }
        self.voice.tell(None);
        if self.lock.election.may_hold() {
            self.let_go().await;
        }
    }

    /// One try. When the drain begins, nobody leads any more, but what is on its way is waited for: else it could be stored
    /// after the Lease was released.
    async fn attempt(&mut self, shutdown: &Shutdown) {
        let name = self.lock.name().to_owned();
        let mut attempt = pin!(self.lock.attempt());
        tokio::select! {
            biased;
            () = shutdown.draining() => {
                self.voice.tell(None);
                // Whether it was stored is seen when the Lease is released.
                let _ = timeout(EVERY, attempt).await;
            }
            tried = &mut attempt => match tried {
                Ok(written) => self.voice.works(written),
                Err(error) => self.voice.fails(&name, &error),
            }
        }
    }

    /// Lets go of the Lease where it is ours, in as much time as there is before the next look of the others.
    async fn let_go(&self) {
        match timeout(EVERY, self.lock.release()).await {
            Ok(Ok(())) => tracing::info!("the lease is released"),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the lease cannot be released; others wait until it ends");
            }
            Err(_) => {
                tracing::warn!("the lease was not released in time; others wait until it ends");
            }
        }
    }
}

impl Voice {
    /// Tells until when this replica leads, if it does.
    fn tell(&self, until: Option<Instant>) {
        match self.term.set(until) {
            None => {}
            Some(Turn::Begins) => {
                self.metrics.leads.set(1);
                self.metrics.acquired.inc();
                tracing::info!(identity = self.identity, "this replica writes now");
            }
            Some(Turn::Ends) => {
                self.metrics.leads.set(0);
                tracing::warn!(identity = self.identity, "this replica writes no longer");
            }
        }
    }

    fn works(&mut self, written: bool) {
        if written {
            self.metrics.renewed.set(Timestamp::now().as_second());
        }
        if self.said.take().is_some() {
            tracing::info!("the lease can be read and written again");
        }
    }

    /// What fails ends no leadership before its deadline.
    fn fails(&mut self, lease: &str, error: &TryError) {
        self.metrics.failures.inc();
        let trouble = if error.is_missing() {
            Trouble::Missing
        } else {
            Trouble::Other
        };
        if self.said.replace(trouble) == Some(trouble) {
            return;
        }
        match trouble {
            Trouble::Missing => tracing::error!(
                lease,
                "the Lease is missing, so nobody writes; install the chart again, which ships it"
            ),
            Trouble::Other => {
                tracing::warn!(lease, %error, "the lease cannot be read or written; tried again");
            }
        }
    }
}

#[cfg(test)]
mod tests;
