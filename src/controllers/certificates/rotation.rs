//! The CA rotation decisions of one replica, as a pure state machine: observations in, a [`Task`] out. Times are arguments, and
//! keys are created elsewhere.
//!
//! Every replica serves, and restores a Secret that has lost its content. The leader also creates CAs, activates them, and
//! decides what all clients trust.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::keyring::{Ca, Keyring, Lifetimes};
use super::secret::SecretContent;
use super::trust::{DesiredTrust, ObservedTrust, RetainPolicy, TrustHistory};
use crate::tls::trust::Fingerprint;
use crate::tls::validity::Validity;

/// How long followers give the leader to restore what the Secret has lost.
pub const LEADER_FIRST: Duration = Duration::from_secs(3);

/// How long a replica that knows no CA gives those that may know one, while a client still trusts one.
pub const HOLDERS_FIRST: Duration = Duration::from_secs(15);

/// The time by the wall clock, for validity periods, and by the monotonic clock, for waiting times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock.
    pub wall: SystemTime,
    /// The monotonic clock.
    pub monotonic: Instant,
}

/// The leaf certificate that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedLeaf {
    /// The CA that issued it.
    pub issuer: Fingerprint,
    /// Its validity period.
    pub validity: Validity,
}

/// What one replica has observed, knows and serves.
#[derive(Clone, Debug)]
pub struct CaRotation {
    /// The name that the common names of all CAs begin with.
    ca_name: Arc<str>,
    lifetimes: Lifetimes,
    /// The Secret, as last observed.
    secret: SecretContent,
    /// The rotation request on the Secret.
    request: Option<String>,
    /// All CAs that this replica ever observed and that have not expired. It survives the loss of the Secret.
    known: Keyring,
    /// Since when the Secret lacks a known CA.
    incomplete_since: Option<Instant>,
    trust: TrustHistory,
    /// Whether the Secret was read past all caches since this replica leads. Before that, another leader may have created a CA
    /// that replicas already serve certificates of, and that this one has not observed.
    confirmed: bool,
    served: Option<ServedLeaf>,
}

/// What to do about the Secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// Read it past all caches.
    Confirm,
    /// Create a CA, and write it.
    Create(NewCa),
    /// Write this keyring.
    Write(Keyring, WriteReason),
    /// Nothing for this long, or until the next observation.
    Wait(Option<Duration>),
}

/// A CA to create.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCa {
    /// The other CAs to write with it.
    pub beside: Keyring,
    /// Its expiry.
    pub not_after: SystemTime,
    /// Whether it signs at once.
    pub signs: bool,
    /// The rotation request that it fulfills.
    pub request: Option<String>,
    /// Why it is created.
    pub reason: WriteReason,
}

/// Why the Secret is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteReason {
    /// A CA was created, because the Secret was empty and the replica knew none.
    Initial,
    /// CAs that the Secret had lost were restored.
    Restored,
    /// A CA was created by schedule.
    Scheduled,
    /// A CA was created on request.
    Requested,
    /// A CA was published for long enough, and begins to sign.
    Activated,
}

/// Why a replica is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It has no leaf certificate.
    #[error("no signing CA was found in the Secret yet")]
    NoLeaf,
    /// The CA of its leaf certificate has expired.
    #[error("the CA of the served certificate has expired")]
    Untrusted,
    /// Its leaf certificate has expired, or is not valid yet.
    #[error("the served certificate is not valid now; check the clock of the node")]
    Invalid,
}

/// What the Secret lacks.
enum Missing {
    /// Known CAs: this is the complete keyring.
    Known(Keyring),
    /// All CAs, and this replica knows none either.
    All,
}

impl WriteReason {
    /// The name in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Restored => "restored",
            Self::Scheduled => "scheduled",
            Self::Requested => "requested",
            Self::Activated => "activated",
        }
    }
}

impl CaRotation {
    /// A replica that has observed nothing. The common names of its CAs begin with `ca_name`.
    pub fn new(ca_name: &str, lifetimes: Lifetimes) -> Self {
        Self {
            ca_name: ca_name.into(),
            lifetimes,
            secret: SecretContent::default(),
            request: None,
            known: Keyring::default(),
            incomplete_since: None,
            trust: TrustHistory::default(),
            confirmed: false,
            served: None,
        }
    }

    // --- observations

    /// Observes the Secret, and the rotation request on it.
    pub fn observe_secret(&mut self, secret: SecretContent, request: Option<String>, now: Now) {
        if let SecretContent::Keyring(keyring) = &secret {
            let stored = keyring.unexpired(now.wall, &self.lifetimes);
            self.known = stored.merged_with(&self.known.unexpired(now.wall, &self.lifetimes));
        }
        self.secret = secret;
        self.request = request;
        self.incomplete_since = match self.missing(now.wall) {
            Some(_) => self.incomplete_since.or(Some(now.monotonic)),
            None => None,
        };
    }

    /// Observes the result of [`Task::Confirm`].
    pub fn confirm(&mut self, secret: SecretContent, request: Option<String>, now: Now) {
        self.observe_secret(secret, request, now);
        self.confirmed = true;
    }

    /// Observes what the clients trust.
    pub fn observe_trust(&mut self, observed: ObservedTrust, now: Now) {
        self.trust.record(observed, now.monotonic);
    }

    /// Observes that this replica does not lead.
    pub fn observe_no_leadership(&mut self) {
        self.confirmed = false;
    }

    /// Records the leaf certificate that is served from now on.
    pub fn record_served(&mut self, served: ServedLeaf) {
        self.served = Some(served);
    }

    // --- state

    /// The CAs that this replica knows.
    pub fn known(&self) -> &Keyring {
        &self.known
    }

    /// The Secret, as last observed.
    pub fn secret(&self) -> &SecretContent {
        &self.secret
    }

    /// The CAs that all clients shall trust. They may be written if this replica leads and has read the Secret since.
    pub fn desired_trust(&self, is_leader: bool, now: SystemTime) -> Option<DesiredTrust> {
        let bundle = self.known.bundle(now, &self.lifetimes);
        let retain = RetainPolicy::Named(Arc::clone(&self.ca_name));
        let may_be_written = is_leader && self.confirmed;
        (!bundle.is_empty()).then(|| DesiredTrust::new(bundle, may_be_written, retain))
    }

    /// Whether this replica can answer calls. The bundles of clients are not considered: a mistake in one of them would make
    /// all replicas unready.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn ready(&self, now: SystemTime) -> Result<(), NotReady> {
        let served = self.served.ok_or(NotReady::NoLeaf)?;
        let bundle = self.known.bundle(now, &self.lifetimes);
        match (
            bundle.contains(served.issuer),
            served.validity.contains(now),
        ) {
            (true, true) => Ok(()),
            (false, _) => Err(NotReady::Untrusted),
            (true, false) => Err(NotReady::Invalid),
        }
    }

    // --- decisions

    /// The CA to issue a new leaf with, if one is needed: the first leaf, when the leaf is due for renewal, and when another CA
    /// has begun to sign.
    pub fn issuer(&self, now: SystemTime) -> Option<&Ca> {
        let signing = self.known.signing(now)?;
        let is_current = self.served.is_some_and(|served| {
            served.issuer == signing.fingerprint() && !served.validity.needs_renewal(now)
        });
        (!is_current).then_some(signing)
    }

    /// When the served leaf is due for renewal.
    pub fn renewal(&self) -> Option<SystemTime> {
        self.served.map(|served| served.validity.renewal())
    }

    /// What to do about the Secret.
    pub fn task(&self, is_leader: bool, now: Now) -> Task {
        if is_leader && !self.confirmed {
            return Task::Confirm;
        }
        match &self.secret {
            SecretContent::Unread | SecretContent::Missing | SecretContent::NewerVersion(_) => {
                Task::Wait(None)
            }
            SecretContent::Empty | SecretContent::Invalid(_) | SecretContent::Keyring(_) => {
                match self.missing(now.wall) {
                    Some(Missing::Known(complete)) => {
                        let wait = if is_leader {
                            Duration::ZERO
                        } else {
                            LEADER_FIRST
                        };
                        self.after(wait, now, || Task::Write(complete, WriteReason::Restored))
                    }
                    Some(Missing::All) => self.initialize(now),
                    None if is_leader => self.rotate(now),
                    None => Task::Wait(None),
                }
            }
        }
    }

    /// What the Secret, which exists, lacks.
    fn missing(&self, now: SystemTime) -> Option<Missing> {
        let known = self.known.unexpired(now, &self.lifetimes);
        match &self.secret {
            SecretContent::Unread | SecretContent::Missing | SecretContent::NewerVersion(_) => None,
            SecretContent::Empty | SecretContent::Invalid(_) if known.cas().is_empty() => {
                Some(Missing::All)
            }
            SecretContent::Empty | SecretContent::Invalid(_) => Some(Missing::Known(known)),
            SecretContent::Keyring(stored) => {
                let stored = stored.unexpired(now, &self.lifetimes);
                let complete = stored.merged_with(&known);
                (complete != stored).then_some(Missing::Known(complete))
            }
        }
    }

    /// Creates the first CA, or the first one after all were lost. If no client trusts a CA, none was ever in use.
    fn initialize(&self, now: Now) -> Task {
        let Some(observed) = self.trust.observed() else {
            return Task::Wait(None);
        };
        let in_use = observed.includes_other_than(None, now.wall);
        let is_fresh = !in_use && self.secret == SecretContent::Empty;
        let wait = if is_fresh {
            Duration::ZERO
        } else {
            HOLDERS_FIRST
        };
        self.after(wait, now, || {
            self.create(&Keyring::default(), WriteReason::Initial, now.wall)
        })
    }

    /// The leader's task if the Secret is complete: activates the pending CA, or creates one that is due.
    fn rotate(&self, now: Now) -> Task {
        let unexpired = self.known.unexpired(now.wall, &self.lifetimes);
        if let Some(pending) = unexpired.pending(now.wall) {
            return self.activate(&unexpired, pending, now);
        }
        let Some(signing) = unexpired.signing(now.wall) else {
            return self.create(&unexpired, WriteReason::Scheduled, now.wall);
        };
        if self.has_open_request(&unexpired) && unexpired.has_room_for_request() {
            return self.create(&unexpired, WriteReason::Requested, now.wall);
        }
        if now.wall >= signing.renewal() && unexpired.has_room() {
            return self.create(&unexpired, WriteReason::Scheduled, now.wall);
        }
        let next = [
            Some(signing.renewal()),
            unexpired.next_expiry(&self.lifetimes),
        ];
        let remaining = |time: SystemTime| time.duration_since(now.wall).ok();
        Task::Wait(next.into_iter().flatten().filter_map(remaining).min())
    }

    /// Whether a rotation is requested that was not fulfilled yet.
    fn has_open_request(&self, keyring: &Keyring) -> bool {
        self.request.is_some() && self.request != keyring.rotated
    }

    /// Whether a requested rotation has to wait until a CA has expired.
    pub fn delays_request(&self) -> bool {
        self.has_open_request(&self.known) && !self.known.has_room_for_request()
    }

    /// Lets a CA sign once all clients have trusted it for long enough; at once if no replica can serve by another CA.
    fn activate(&self, keyring: &Keyring, pending: &Ca, now: Now) -> Task {
        let fingerprint = pending.fingerprint();
        let write = || {
            let keyring = keyring.with_signing(fingerprint, now.wall);
            Task::Write(keyring, WriteReason::Activated)
        };
        if self.is_only_usable(keyring, Some(fingerprint), now.wall) {
            return write();
        }
        let Some(since) = self.trust.trusted_since(fingerprint) else {
            return Task::Wait(None);
        };
        match remaining(self.lifetimes.publication, since, now.monotonic) {
            None => write(),
            wait => Task::Wait(wait),
        }
    }

    fn create(&self, beside: &Keyring, reason: WriteReason, now: SystemTime) -> Task {
        Task::Create(NewCa {
            beside: beside.clone(),
            not_after: beside.expiry_of_next(now, &self.lifetimes),
            signs: self.is_only_usable(beside, None, now),
            request: self.request.clone(),
            reason,
        })
    }

    /// Whether no replica can serve by a CA other than this one: none signs, and no client trusts one that this replica does
    /// not know.
    fn is_only_usable(
        &self,
        keyring: &Keyring,
        fingerprint: Option<Fingerprint>,
        now: SystemTime,
    ) -> bool {
        let observed = self.trust.observed();
        keyring.signing(now).is_none()
            && observed.is_some_and(|observed| !observed.includes_other_than(fingerprint, now))
    }

    /// `task`, once the Secret has been incomplete for `wait`.
    fn after(&self, wait: Duration, now: Now, task: impl FnOnce() -> Task) -> Task {
        let since = self.incomplete_since.unwrap_or(now.monotonic);
        remaining(wait, since, now.monotonic).map_or_else(task, |wait| Task::Wait(Some(wait)))
    }
}

/// The rest of a waiting time that began at `since`; `None` when it is over.
fn remaining(wait: Duration, since: Instant, now: Instant) -> Option<Duration> {
    let remaining = wait.saturating_sub(now.saturating_duration_since(since));
    (!remaining.is_zero()).then_some(remaining)
}
