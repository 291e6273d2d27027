//! Leader election by a Kubernetes Lease, after the algorithm of client-go.
//!
//! # Promise
//!
//! - At most one replica leads at any moment, whatever fails: lost or late requests, paused processes, clocks that differ, and
//!   users that delete, empty or replace the Lease.
//! - When the faults end, one replica leads. After a clean shutdown another one takes over within three seconds, and after a crash
//!   within 18 seconds.
//! - [`Leadership`] ends on time without any message: it carries its deadline, and [`Leadership::run`] drops its work then.
//!
//! # States
//!
//! | state | the replica | it ends when |
//! |---|---|---|
//! | follower | reads the Lease every two seconds | the Lease is free, or unchanged for [its duration](election::LEASE_DURATION) |
//! | leader | renews the Lease every two seconds | no write succeeded for [ten seconds](election::RENEW_DEADLINE), or another replica holds the Lease |
//! | stopping | waits for its last request, then releases the Lease | the process ends |
//!
//! # Assumptions
//!
//! - Times in the Lease are written for people and never read: a replica measures by its own monotonic clock how long the Lease
//!   has not changed. Wall clocks may differ by any amount, and may be set. Monotonic clocks may run at speeds that differ by
//!   half: a follower waits 15 seconds, and a leader stops after 10.
//! - The API server replaces an object only over the resource version that the write is based on.
//! - The Lease exists. The elector reads and updates it, and creates nothing.
//! - Identities are unique, also across restarts of a process.
//! - One case is outside of the promise: a replica that starts while a user has just emptied the Lease of a leader cannot
//!   distinguish it from a new Lease, and takes it. The leader learns of that at its next renewal, two seconds later.
//!
//! # Simulation
//!
//! `election/simulation.rs` runs the pure state machine [`election::Election`] in random orders of events, with clocks of
//! different speeds; `tests.rs` runs whole electors against an API server whose network is unreliable. Both check at every step
//! that at most one leads, and that one leads in the end.

mod election;
mod leadership;
mod lease;

use std::pin::pin;

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::time::{Instant, sleep_until, timeout};

use crate::runtime::Shutdown;
use election::RETRY_PERIOD;
pub use leadership::{LeaderChange, Leadership, Term, term};
use lease::{LeaseClient, LeaseError};

/// Takes part in the election of a leader.
pub struct LeaderElector {
    lease: LeaseClient,
    reporter: ElectionReporter,
}

/// Publishes the results of the election: as [`Leadership`], in metrics, and in the log.
struct ElectionReporter {
    identity: String,
    term: Term,
    metrics: Metrics,
    /// The failure that was logged last, if the Lease is still unavailable.
    logged: Option<FailureKind>,
}

/// Metrics of the election, from the view of this replica.
#[derive(Clone, Debug)]
pub struct Metrics {
    leads: Gauge,
    acquired: Counter,
    renewed: Gauge,
    failures: Counter,
}

/// The kinds of failures that are logged separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailureKind {
    Missing,
    Other,
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            leads: Gauge::default(),
            acquired: Counter::default(),
            renewed: Gauge::default(),
            failures: Counter::default(),
        };
        registry.register(
            "leader",
            "1 if this replica is the leader",
            metrics.leads.clone(),
        );
        registry.register(
            "leader_terms",
            "Times that this replica became the leader",
            metrics.acquired.clone(),
        );
        registry.register(
            "lease_renewed_timestamp_seconds",
            "Unix time at which this replica last acquired or renewed the Lease; 0 if never",
            metrics.renewed.clone(),
        );
        registry.register(
            "lease_failures",
            "Failed attempts to read or write the Lease",
            metrics.failures.clone(),
        );
        metrics
    }
}

impl LeaderElector {
    /// An elector for the Lease `name` in `namespace`, and the leadership that it publishes. No other process may ever use
    /// `identity`. `client` must not retry requests, and must time out within
    /// [`WRITE_TIMEOUT`](crate::cluster::client::WRITE_TIMEOUT).
    pub fn new(
        client: kube::Client,
        namespace: &str,
        name: &str,
        identity: String,
        metrics: Metrics,
    ) -> (Self, Leadership) {
        let (term, leadership) = term();
        let elector = Self {
            lease: LeaseClient::new(client, namespace, name, identity.clone()),
            reporter: ElectionReporter {
                identity,
                term,
                metrics,
                logged: None,
            },
        };
        (elector, leadership)
    }

    /// Takes part until the drain begins, then releases the Lease, so that another replica need not wait for its expiry.
    pub async fn run(mut self, shutdown: Shutdown) {
        while !shutdown.is_draining() {
            self.attempt(&shutdown).await;
            let now = Instant::now();
            let election = &self.lease.election;
            self.reporter.report(election.leads_until(now));
            tokio::select! {
                biased;
                () = shutdown.draining() => {}
                () = sleep_until(election.next_attempt(now, fastrand::f64())) => {}
            }
            let until = self.lease.election.leads_until(Instant::now());
            self.reporter.report(until);
        }
        self.reporter.resign();
        if self.lease.election.may_hold() {
            self.release().await;
        }
    }

    /// Attempts once to acquire or renew the Lease. When the drain begins, the leadership ends at once, but the attempt is
    /// awaited: the API server could otherwise store it after the release.
    async fn attempt(&mut self, shutdown: &Shutdown) {
        let name = self.lease.name().to_owned();
        let mut attempt = pin!(self.lease.attempt());
        tokio::select! {
            biased;
            () = shutdown.draining() => {
                self.reporter.resign();
                // The release reads the Lease, and so learns whether the write was stored.
                let _ = timeout(RETRY_PERIOD, attempt).await;
            }
            result = &mut attempt => match result {
                Ok(written) => self.reporter.on_success(written),
                Err(error) => self.reporter.on_failure(&name, &error),
            }
        }
    }

    /// Releases the Lease if this replica holds it, before followers read it next. An uninstallation has removed the Lease or the
    /// permission by then, so a failure is no warning; followers acquire an unreleased Lease after its duration.
    async fn release(&self) {
        match timeout(RETRY_PERIOD, self.lease.release()).await {
            Ok(Ok(())) => tracing::info!("released the lease"),
            Ok(Err(error)) => {
                tracing::debug!(%error, "cannot release the lease; other replicas wait until it expires");
            }
            Err(_) => {
                tracing::debug!(
                    "the lease was not released in time; other replicas wait until it expires"
                );
            }
        }
    }
}

impl ElectionReporter {
    /// Reports until when this replica leads.
    fn report(&self, until: Option<Instant>) {
        match self.term.set(until) {
            None => {}
            Some(LeaderChange::Acquired) => {
                self.metrics.leads.set(1);
                self.metrics.acquired.inc();
                tracing::info!(identity = self.identity, "acquired leadership");
            }
            Some(LeaderChange::Lost) => {
                self.metrics.leads.set(0);
                tracing::warn!(identity = self.identity, "lost leadership");
            }
        }
    }

    /// Ends the leadership for the shutdown.
    fn resign(&mut self) {
        if self.term.set(None) == Some(LeaderChange::Lost) {
            self.metrics.leads.set(0);
            tracing::info!(identity = self.identity, "gave up leadership");
        }
    }

    fn on_success(&mut self, written: bool) {
        if written {
            self.metrics.renewed.set(Timestamp::now().as_second());
        }
        if self.logged.take().is_some() {
            tracing::info!("the lease is available again");
        }
    }

    /// Reports a failed attempt. A leader continues to lead until its deadline.
    fn on_failure(&mut self, lease: &str, error: &LeaseError) {
        self.metrics.failures.inc();
        let kind = if error.is_missing() {
            FailureKind::Missing
        } else {
            FailureKind::Other
        };
        if self.logged.replace(kind) == Some(kind) {
            return;
        }
        match kind {
            FailureKind::Missing => tracing::warn!(
                lease,
                "the lease is missing, so no replica leads; reinstall or upgrade the release, which ships it"
            ),
            FailureKind::Other => {
                tracing::warn!(lease, %error, "cannot read or write the lease; retrying");
            }
        }
    }
}

#[cfg(test)]
mod tests;
