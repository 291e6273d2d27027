//! Who may write, by what was read of the Lease and when. Pure: the clock is an argument, and no time that stands in a Lease
//! is ever read.
//!
//! Why two never lead at once: a write is stored only over the version that it rests on. Whoever takes the Lease of another
//! has seen it unchanged for [`HELD_FOR`], so the other's last write was sent longer ago than that; and the other leads for no
//! longer than [`RENEW_WITHIN`] after it has sent a write. A Lease that was emptied, or made anew, by anybody but its holder is
//! waited for in the same way. Only who sees the Lease for the first time cannot tell such a one from one that nobody has ever
//! held: it takes it, and who held it hears of that when it looks next.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::time::Instant;

/// How long others wait for a silent holder. With [`RENEW_WITHIN`] it leaves five seconds in which nobody leads, so that the
/// clocks of two machines may run at speeds that differ by half, and what a leader has sent last comes to its end.
const HELD_FOR: Duration = Duration::from_secs(15);

/// For how long a replica leads after it has sent a write that was stored, if none follows.
const RENEW_WITHIN: Duration = Duration::from_secs(10);

/// How often a leader renews, and others look: five tries before a leader loses. Each pause is up to a fifth longer or
/// shorter, so that replicas that were started together do not always ask together.
pub(super) const EVERY: Duration = Duration::from_secs(2);

/// The duration that tells a Lease that was let go by its holder, as Kubernetes' own controllers do, from one that somebody has
/// emptied. The API server wants one above 0.
const RELEASED_SECONDS: i32 = 1;

/// One replica's part in the election.
#[derive(Debug)]
pub(super) struct Election {
    identity: String,
    seen: Option<Seen>,
    until: Option<Instant>,
    /// Whether the Lease may name us: also a write of which nothing was heard may have been stored.
    claimed: bool,
}

/// What the Lease says, and since when by our own clock.
#[derive(Debug)]
struct Seen {
    spec: Option<LeaseSpec>,
    version: Option<String>,
    since: Instant,
}

/// What to do about the Lease.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Store this over the version that was read: the Lease is ours, or free, or its holder has been silent for too long.
    Write(LeaseSpec),
    /// Somebody else holds it, or may not know yet that it was taken away.
    Wait,
}

impl Election {
    /// Takes part under a name that nobody else has, nor had before.
    pub(super) fn new(identity: String) -> Self {
        Self {
            identity,
            seen: None,
            until: None,
            claimed: false,
        }
    }

    /// Until when this replica leads; `None` where it does not.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| now < *until)
    }

    /// Whether the Lease may name this replica, so that it has to be let go.
    pub(super) fn may_hold(&self) -> bool {
        self.claimed
    }

    /// Takes note of the Lease as it was just read. `wall` is what a write would tell people; nobody decides by it.
    pub(super) fn look(
        &mut self,
        spec: Option<&LeaseSpec>,
        version: Option<&str>,
        now: Instant,
        wall: Timestamp,
    ) -> Step {
        let is_new = self.seen.is_none();
        let leads = self.until(now).is_some();
        let silent = now.duration_since(self.see(spec, version, now));
        let (is_ours, is_free) = match holder(spec) {
            Some(holder) => (holder == self.identity, false),
            None => (false, is_new || leads || is_released(spec)),
        };
        if !is_ours {
            // Where somebody has emptied it, another may have it by now.
            self.until = None;
        }
        self.claimed = is_ours || is_free || silent >= held_for(spec);
        if self.claimed {
            Step::Write(self.taken(spec, wall))
        } else {
            Step::Wait
        }
    }

    /// Takes note of a write that was stored. An answer that comes after the end of the term that it would begin begins none.
    pub(super) fn stored(&mut self, spec: Option<&LeaseSpec>, sent: Instant, now: Instant) {
        self.see(spec, None, now);
        self.until = Some(sent + RENEW_WITHIN);
    }

    /// When to look again; `jitter` is from 0 to 1. Not after the end of our term, which others have to be told of in time.
    pub(super) fn next(&self, now: Instant, jitter: f64) -> Instant {
        let next = now + EVERY.mul_f64(0.8 + 0.4 * jitter);
        self.until(now).map_or(next, |until| until.min(next))
    }

    /// The Lease as it is when nobody holds it any more; `None` where it is not ours.
    pub(super) fn released(&self, spec: Option<&LeaseSpec>, wall: Timestamp) -> Option<LeaseSpec> {
        let spec = spec.filter(|spec| holder(Some(spec)) == Some(&self.identity))?;
        Some(LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(RELEASED_SECONDS),
            renew_time: Some(MicroTime(wall)),
            ..spec.clone()
        })
    }

    /// Since when the Lease has said the same. Annotations are no sign of its holder's life; but one that nobody holds may have
    /// been held in between, if it has been written.
    fn see(&mut self, spec: Option<&LeaseSpec>, version: Option<&str>, now: Instant) -> Instant {
        let is_held = holder(spec).is_some();
        let is_same = |seen: &Seen| {
            seen.spec.as_ref() == spec && (is_held || seen.version.as_deref() == version)
        };
        match &self.seen {
            Some(seen) if is_same(seen) => seen.since,
            _ => {
                self.seen = Some(Seen {
                    spec: spec.cloned(),
                    version: version.map(str::to_owned),
                    since: now,
                });
                now
            }
        }
    }

    /// The Lease as this replica holds it from now on.
    fn taken(&self, spec: Option<&LeaseSpec>, wall: Timestamp) -> LeaseSpec {
        let before = spec.cloned().unwrap_or_default();
        let kept = holder(spec) == Some(&self.identity);
        let transitions = before.lease_transitions.unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(HELD_FOR.as_secs()).ok(),
            acquire_time: before
                .acquire_time
                .filter(|_| kept)
                .or(Some(MicroTime(wall))),
            renew_time: Some(MicroTime(wall)),
            lease_transitions: Some(transitions.saturating_add(i32::from(!kept))),
            ..before
        }
    }
}

fn holder(spec: Option<&LeaseSpec>) -> Option<&str> {
    let holder = spec?.holder_identity.as_deref()?;
    (!holder.is_empty()).then_some(holder)
}

/// Whether whoever held it has let it go, and so leads no more.
fn is_released(spec: Option<&LeaseSpec>) -> bool {
    holder(spec).is_none()
        && spec.and_then(|spec| spec.lease_duration_seconds) == Some(RELEASED_SECONDS)
}

/// How long its holder may be silent: as long as it has stated, and never less than we would be ourselves.
fn held_for(spec: Option<&LeaseSpec>) -> Duration {
    let stated = spec.and_then(|spec| spec.lease_duration_seconds);
    let stated = stated.and_then(|seconds| u64::try_from(seconds).ok());
    stated.map_or(HELD_FOR, |seconds| {
        Duration::from_secs(seconds).max(HELD_FOR)
    })
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
