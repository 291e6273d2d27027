//! Who writes: one replica at a time, by a Lease, after the algorithm of Kubernetes' own controllers. Losing it stops no
//! admission and no read.
//!
//! No clock of another machine is believed: how long a holder has been silent is measured by our own, from the moment at
//! which we saw it last change the Lease. Every write names the version that it rests on, so that of two that try, one fails.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::PostParams;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::client::Clients;
use super::installation::Installation;
use crate::runtime::Shutdown;

/// How long others wait for a silent holder. With [`RENEW_WITHIN`] it leaves five seconds in which nobody leads: more than
/// clocks of two machines drift apart in that time, and than a paused process needs to notice.
const HELD_FOR: Duration = Duration::from_secs(15);

/// A leader that has not renewed for so long has lost, whatever is still on its way.
const RENEW_WITHIN: Duration = Duration::from_secs(10);

/// How often a leader renews, and others look.
const EVERY: Duration = Duration::from_secs(2);

/// Takes part in the election.
pub struct Candidate {
    /// The Leases of the release's namespace, by a client that repeats nothing.
    api: Api<Lease>,
    name: String,
    /// Tells this replica from all others, and from itself after a restart.
    identity: String,
    leads: watch::Sender<bool>,
    metrics: Metrics,
    seen: Option<Seen>,
    /// Until when this replica leads, if nothing more is heard.
    until: Option<Instant>,
    said: Option<Trouble>,
}

/// Counts what became of the election, as this replica sees it.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    leads: Gauge,
    acquired: Counter,
    failures: Counter,
}

/// What the Lease's holder wrote last.
struct Seen {
    spec: Option<LeaseSpec>,
    /// When that was seen first, by our own clock.
    changed: Instant,
}

/// What keeps a replica from taking part; the same is said once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Missing,
    Other,
}

/// What to do about the Lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It is ours, or free, or its holder has been silent for too long.
    Take,
    /// Somebody holds it.
    Wait,
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
            "lease_failures",
            "Failed tries to read or write the Lease",
            self.failures.clone(),
        );
    }
}

impl Candidate {
    /// A candidate for the Lease of a release, and where it is told whether it leads.
    pub fn new(
        clients: &Clients,
        installation: &Installation,
        identity: String,
        metrics: Metrics,
    ) -> (Self, watch::Receiver<bool>) {
        let (leads, told) = watch::channel(false);
        let candidate = Self {
            api: Api::namespaced(clients.writing.clone(), &installation.namespace),
            name: installation.lease().to_owned(),
            identity,
            leads,
            metrics,
            seen: None,
            until: None,
            said: None,
        };
        (candidate, told)
    }

    /// Takes part until the drain begins, and then lets go of the Lease at once, so that another need not wait.
    pub async fn run(mut self, shutdown: Shutdown) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.draining() => break,
                () = self.round() => {}
            }
        }
        let led = self.leads.send_replace(false);
        self.metrics.leads.set(0);
        if led {
            let deadline = Instant::now() + EVERY;
            match timeout_at(deadline, self.release()).await {
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

    /// One try, and the pause after it. Leadership ends at its deadline, also in the middle of either.
    async fn round(&mut self) {
        let began = Instant::now();
        let tried = match self.until {
            Some(until) => timeout_at(until, self.attempt()).await.ok(),
            None => Some(self.attempt().await),
        };
        match tried {
            Some(Ok(true)) => self.lead(began + RENEW_WITHIN),
            Some(Err(error)) => self.fails(&error),
            Some(Ok(false)) | None => self.lose(),
        }
        let pause = EVERY.mul_f64(0.8 + 0.4 * fastrand::f64());
        match self.until {
            Some(until) if until < Instant::now() + pause => {
                tokio::time::sleep_until(until.min(Instant::now() + pause / 4)).await;
                if Instant::now() >= until {
                    self.lose();
                }
            }
            _ => sleep(pause).await,
        }
    }

    /// Reads the Lease and takes it where it may be had; whether it is ours then. Who was overtaken, if only by one who
    /// remembers something there, looks once more.
    async fn attempt(&mut self) -> kube::Result<bool> {
        match self.once().await {
            Err(kube::Error::Api(status)) if status.is_conflict() => self.once().await,
            result => result,
        }
    }

    async fn once(&mut self) -> kube::Result<bool> {
        let lease = self.api.get(&self.name).await?;
        let changed = self.see(&lease);
        if step(&lease, &self.identity, changed, Instant::now()) == Step::Wait {
            return Ok(false);
        }
        let lease = self.write(&taken(&lease, &self.identity)).await?;
        self.see(&lease);
        Ok(true)
    }

    async fn write(&self, lease: &Lease) -> kube::Result<Lease> {
        self.api
            .replace(&self.name, &PostParams::default(), lease)
            .await
    }

    /// Takes note of a Lease, and says since when its holder has been silent: only a change of what the holder writes is a
    /// sign of its life.
    fn see(&mut self, lease: &Lease) -> Instant {
        let changed = match &self.seen {
            Some(seen) if seen.spec == lease.spec => seen.changed,
            _ => Instant::now(),
        };
        self.seen = Some(Seen {
            spec: lease.spec.clone(),
            changed,
        });
        changed
    }

    /// Lets go of a Lease that is still ours.
    async fn release(&self) -> kube::Result<()> {
        let mut lease = self.api.get(&self.name).await?;
        if holder(&lease) != Some(self.identity.as_str()) {
            return Ok(());
        }
        if let Some(spec) = &mut lease.spec {
            spec.holder_identity = Some(String::new());
            spec.lease_duration_seconds = Some(1);
            spec.renew_time = Some(MicroTime(jiff::Timestamp::now()));
        }
        self.write(&lease).await.map(|_| ())
    }

    fn lead(&mut self, until: Instant) {
        self.until = Some(until);
        if self.said.take().is_some() {
            tracing::info!("the lease can be read and written again");
        }
        if !self.leads.send_replace(true) {
            self.metrics.leads.set(1);
            self.metrics.acquired.inc();
            tracing::info!(identity = self.identity, "this replica writes now");
        }
    }

    fn lose(&mut self) {
        self.until = None;
        if self.leads.send_replace(false) {
            self.metrics.leads.set(0);
            tracing::warn!(identity = self.identity, "this replica writes no longer");
        }
    }

    /// What fails ends no leadership before its deadline.
    fn fails(&mut self, error: &kube::Error) {
        self.metrics.failures.inc();
        let missing = matches!(error, kube::Error::Api(status) if status.is_not_found());
        let trouble = if missing {
            Trouble::Missing
        } else {
            Trouble::Other
        };
        if self.said.replace(trouble) == Some(trouble) {
            return;
        }
        match trouble {
            Trouble::Missing => tracing::error!(
                lease = self.name,
                "the Lease is missing, so nobody writes; install the chart again, which ships it"
            ),
            Trouble::Other => {
                tracing::warn!(lease = self.name, %error, "the lease cannot be read or written; tried again");
            }
        }
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    let holder = lease.spec.as_ref()?.holder_identity.as_deref()?;
    (!holder.is_empty()).then_some(holder)
}

/// What may be done with a Lease whose holder last changed it at `changed`.
fn step(lease: &Lease, identity: &str, changed: Instant, now: Instant) -> Step {
    let stated = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.lease_duration_seconds);
    let stated = stated.and_then(|seconds| u64::try_from(seconds).ok());
    let held_for = stated.map_or(HELD_FOR, Duration::from_secs);
    match holder(lease) {
        Some(other) if other != identity && now < changed + held_for => Step::Wait,
        _ => Step::Take,
    }
}

/// The Lease as `identity` holds it from now on. The times are for readers; nobody decides by them.
fn taken(lease: &Lease, identity: &str) -> Lease {
    let now = MicroTime(jiff::Timestamp::now());
    let before = lease.spec.clone().unwrap_or_default();
    let kept = before.holder_identity.as_deref() == Some(identity);
    let transitions = before.lease_transitions.unwrap_or_default();
    Lease {
        metadata: lease.metadata.clone(),
        spec: Some(LeaseSpec {
            holder_identity: Some(identity.to_owned()),
            lease_duration_seconds: i32::try_from(HELD_FOR.as_secs()).ok(),
            acquire_time: if kept {
                before.acquire_time
            } else {
                Some(now.clone())
            },
            renew_time: Some(now),
            lease_transitions: Some(if kept {
                transitions
            } else {
                transitions.saturating_add(1)
            }),
            ..before
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: Option<&str>, seconds: Option<i32>) -> Lease {
        let spec = LeaseSpec {
            holder_identity: holder.map(str::to_owned),
            lease_duration_seconds: seconds,
            lease_transitions: Some(4),
            ..LeaseSpec::default()
        };
        Lease {
            spec: Some(spec),
            ..Lease::default()
        }
    }

    #[test]
    fn a_lease_is_taken_where_nobody_holds_it_or_its_holder_is_silent() {
        let start = Instant::now();
        let empty = Lease::default();
        for (lease, seconds, expected, why) in [
            (&empty, 0, Step::Take, "as the chart ships it"),
            (&lease(None, None), 0, Step::Take, "nobody"),
            (&lease(Some(""), Some(1)), 0, Step::Take, "released"),
            (&lease(Some("me"), Some(15)), 3, Step::Take, "ours"),
            (&lease(Some("other"), Some(15)), 14, Step::Wait, "held"),
            (&lease(Some("other"), Some(15)), 15, Step::Take, "silent"),
            (
                &lease(Some("other"), Some(60)),
                30,
                Step::Wait,
                "held for longer",
            ),
            (
                &lease(Some("other"), None),
                14,
                Step::Wait,
                "no duration is stated",
            ),
            (
                &lease(Some("other"), Some(-1)),
                14,
                Step::Wait,
                "nonsense is stated",
            ),
        ] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(step(lease, "me", start, now), expected, "{why}");
        }
    }

    #[test]
    fn taking_counts_a_transition_and_renewing_does_not() {
        let mut before = lease(Some("other"), Some(60));
        before.metadata.resource_version = Some("7".into());
        before.metadata.annotations = Some([("a".to_owned(), "b".to_owned())].into());
        let first = taken(&before, "me");
        assert_eq!(
            first.metadata, before.metadata,
            "the version that the write rests on, and annotations"
        );
        let spec = first.spec.clone().unwrap();
        assert_eq!(spec.holder_identity.as_deref(), Some("me"));
        assert_eq!(
            (spec.lease_transitions, spec.lease_duration_seconds),
            (Some(5), Some(15))
        );
        let second = taken(&first, "me").spec.unwrap();
        assert_eq!(
            (second.lease_transitions, &second.acquire_time),
            (Some(5), &spec.acquire_time)
        );
    }
}
