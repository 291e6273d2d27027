//! Who may lead, given what was read of the Lease and when. Pure: the clock is an argument, and no time in a Lease is read.
//!
//! Why no two replicas lead at once: a write is stored only over the resource version that it is based on. A replica that takes
//! the Lease from another has observed it unchanged for [`LEASE_DURATION`], so the holder sent its last stored write longer ago
//! than that, and the holder leads for [`RENEW_DEADLINE`] after it sent a write. A Lease that was emptied or recreated, and not
//! released by its holder, is waited for in the same way. A replica that reads the Lease for the first time cannot distinguish
//! an emptied Lease from a new one: it takes it, and the previous holder learns of that at its next attempt.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;

/// How long followers wait for a silent holder. The five seconds between [`RENEW_DEADLINE`] and this allow for monotonic clocks
/// whose speeds differ by half, and for the leader's last request to finish.
pub(super) const LEASE_DURATION: Duration = Duration::from_secs(15);

/// How long a replica leads after it sent a write that was stored, unless another one follows.
pub(super) const RENEW_DEADLINE: Duration = Duration::from_secs(10);

/// How often a leader renews, and followers read the Lease: a leader has five attempts before its deadline. Each pause varies by
/// up to a fifth, so that replicas that start together do not send all requests together.
pub(super) const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// The lease duration of a released Lease, as client-go writes it. It distinguishes a released Lease from an emptied one. The
/// API server requires a positive number.
const RELEASED_SECONDS: i32 = 1;

/// The state of one replica in the election.
#[derive(Debug)]
pub(super) struct Election {
    identity: String,
    observed: Option<ObservedLease>,
    until: Option<Instant>,
    /// Whether the Lease may name this replica: a write whose response was lost may have been stored.
    claimed: bool,
}

/// The content of the Lease, and since when it is unchanged, by the local clock.
#[derive(Debug)]
struct ObservedLease {
    spec: Option<LeaseSpec>,
    version: Option<String>,
    since: Instant,
}

/// What to do about the Lease.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ElectionStep {
    /// Replace the version that was read by this spec: this replica holds the Lease, or it is free, or its holder was silent
    /// for too long.
    Write(LeaseSpec),
    /// Another replica holds the Lease, or may not have noticed yet that it was lost.
    Wait,
}

impl Election {
    /// A follower. No other process may ever use `identity`.
    pub(super) fn new(identity: String) -> Self {
        Self {
            identity,
            observed: None,
            until: None,
            claimed: false,
        }
    }

    /// Until when this replica leads; `None` if it does not.
    pub(super) fn leads_until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| now < *until)
    }

    /// Whether the Lease may name this replica, and so has to be released.
    pub(super) fn may_hold(&self) -> bool {
        self.claimed
    }

    /// Observes the Lease as just read. `wall` is the time that a write shows to people; no decision depends on it.
    pub(super) fn observe(
        &mut self,
        spec: Option<&LeaseSpec>,
        version: Option<&str>,
        now: Instant,
        wall: Timestamp,
    ) -> ElectionStep {
        let is_first = self.observed.is_none();
        let leads = self.leads_until(now).is_some();
        let silent = now.duration_since(self.unchanged_since(spec, version, now));
        let (is_own, is_free) = match holder(spec) {
            Some(holder) => (holder == self.identity, false),
            None => (false, is_first || leads || is_released(spec)),
        };
        if !is_own {
            // If it was emptied, another replica may hold it soon.
            self.until = None;
        }
        self.claimed = is_own || is_free || silent >= lease_duration(spec);
        if self.claimed {
            ElectionStep::Write(self.held(spec, wall))
        } else {
            ElectionStep::Wait
        }
    }

    /// Records a stored write, which was sent at `sent`. If the response arrives after the deadline that the write would set,
    /// this replica does not lead.
    pub(super) fn record_stored(&mut self, spec: Option<&LeaseSpec>, sent: Instant, now: Instant) {
        self.unchanged_since(spec, None, now);
        self.until = Some(sent + RENEW_DEADLINE);
    }

    /// When to attempt again; `jitter` is between 0 and 1. Not after the end of the own leadership, which must be reported on
    /// time.
    pub(super) fn next_attempt(&self, now: Instant, jitter: f64) -> Instant {
        let next = now + RETRY_PERIOD.mul_f64(0.8 + 0.4 * jitter);
        self.leads_until(now).map_or(next, |until| until.min(next))
    }

    /// The released Lease; `None` if this replica does not hold it.
    pub(super) fn released(&self, spec: Option<&LeaseSpec>, wall: Timestamp) -> Option<LeaseSpec> {
        let spec = spec.filter(|spec| holder(Some(spec)) == Some(&self.identity))?;
        Some(LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(RELEASED_SECONDS),
            renew_time: Some(MicroTime(wall)),
            ..spec.clone()
        })
    }

    /// Since when the Lease is unchanged. The resource version of a held Lease is ignored, because changed annotations are no
    /// sign of its holder; a Lease without a holder may have been held in between if it was written.
    fn unchanged_since(
        &mut self,
        spec: Option<&LeaseSpec>,
        version: Option<&str>,
        now: Instant,
    ) -> Instant {
        let is_held = holder(spec).is_some();
        let is_same = |observed: &ObservedLease| {
            observed.spec.as_ref() == spec && (is_held || observed.version.as_deref() == version)
        };
        match &self.observed {
            Some(observed) if is_same(observed) => observed.since,
            _ => {
                self.observed = Some(ObservedLease {
                    spec: spec.cloned(),
                    version: version.map(str::to_owned),
                    since: now,
                });
                now
            }
        }
    }

    /// The Lease with this replica as its holder.
    fn held(&self, spec: Option<&LeaseSpec>, wall: Timestamp) -> LeaseSpec {
        let before = spec.cloned().unwrap_or_default();
        let is_renewal = holder(spec) == Some(&self.identity);
        let transitions = before.lease_transitions.unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            acquire_time: before
                .acquire_time
                .filter(|_| is_renewal)
                .or(Some(MicroTime(wall))),
            renew_time: Some(MicroTime(wall)),
            lease_transitions: Some(transitions.saturating_add(i32::from(!is_renewal))),
            ..before
        }
    }
}

fn holder(spec: Option<&LeaseSpec>) -> Option<&str> {
    let holder = spec?.holder_identity.as_deref()?;
    (!holder.is_empty()).then_some(holder)
}

/// Whether its holder has released the Lease, and so does not lead any more.
fn is_released(spec: Option<&LeaseSpec>) -> bool {
    holder(spec).is_none()
        && spec.and_then(|spec| spec.lease_duration_seconds) == Some(RELEASED_SECONDS)
}

/// How long its holder may be silent: the duration in the Lease, and at least [`LEASE_DURATION`].
fn lease_duration(spec: Option<&LeaseSpec>) -> Duration {
    let stated = spec.and_then(|spec| spec.lease_duration_seconds);
    let stated = stated.and_then(|seconds| u64::try_from(seconds).ok());
    stated.map_or(LEASE_DURATION, |seconds| {
        Duration::from_secs(seconds).max(LEASE_DURATION)
    })
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
