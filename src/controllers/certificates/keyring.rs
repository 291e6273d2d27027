//! The CAs of one installation: which of them are trusted, and which one signs. Pure; it generates no key.
//!
//! A CA is first published to all clients, then it signs, then it retires. It signs from when its own field
//! [`Ca::signs_from`] is set, which happens after it was published everywhere. A reader that finds the field set may sign with
//! the CA at once, so no clock is compared with that of another machine.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::tls::authority::{BACKDATE, LEAF_LIFETIME};
use crate::tls::trust::{Anchor, Bundle, CLOCK_SKEW, Fingerprint};
use crate::tls::validity::Validity;

/// The largest number of CAs that are stored and trusted at once. A scheduled rotation needs two; the third allows a rotation
/// on request, and the fourth is reserved for the next scheduled rotation.
pub const MAX_CAS: usize = 4;

/// The largest number of CAs beside which another is created on request: one place is reserved for scheduled rotation.
const MAX_CAS_BEFORE_REQUEST: usize = MAX_CAS - 2;

/// Lifetimes and waiting times; shorter in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Lifetime of a CA: ninety days. Rotation is automatic, so a short lifetime costs nothing. A CA is trusted until it
    /// expires, so this is also how long a key stolen from the Secret stays useful. The next CA takes over after two thirds,
    /// which leaves thirty days to notice that rotation fails. A cluster that is suspended for longer recovers by itself.
    pub ca: Duration,
    /// Lifetime of a leaf: one day. Its key never leaves the process.
    pub leaf: Duration,
    /// How long all clients must have trusted a CA before it signs. API servers learn of a changed configuration by a watch,
    /// within seconds; five minutes leave a wide margin.
    pub publication: Duration,
    /// The largest supported difference between two clocks.
    pub clock_skew: Duration,
}

/// One CA as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Ca {
    /// Its certificate.
    pub anchor: Anchor,
    /// Its private key.
    pub key: KeyPem,
    /// Set once the CA signs, `None` while it is being published. The time is informational.
    pub signs_from: Option<SystemTime>,
    /// Unknown fields, written by a later version.
    pub rest: Map<String, Value>,
}

/// A PEM private key, which `Debug` never shows.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPem(Arc<str>);

/// All CAs of an installation, sorted by expiry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keyring {
    cas: Vec<Ca>,
    /// The last rotation request that was fulfilled.
    pub rotated: Option<String>,
    /// Unknown fields, written by a later version.
    pub rest: Map<String, Value>,
}

// === Lifetimes ===

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            ca: Duration::from_hours(90 * 24),
            leaf: LEAF_LIFETIME,
            publication: Duration::from_mins(5),
            clock_skew: CLOCK_SKEW,
        }
    }
}

// === KeyPem ===

impl KeyPem {
    /// Wraps a key.
    pub fn new(pem: &str) -> Self {
        Self(pem.into())
    }

    /// The key itself, for signing and for the Secret only.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a private key)")
    }
}

// === Ca ===

impl Ca {
    /// A new CA, without unknown fields.
    pub fn new(anchor: Anchor, key: KeyPem, signs_from: Option<SystemTime>) -> Self {
        Self {
            anchor,
            key,
            signs_from,
            rest: Map::new(),
        }
    }

    /// Its identity.
    pub fn fingerprint(&self) -> Fingerprint {
        self.anchor.fingerprint
    }

    /// When the next CA is due.
    pub fn renewal(&self) -> SystemTime {
        let Anchor {
            not_before,
            not_after,
            ..
        } = self.anchor;
        let issued = not_before + BACKDATE;
        Validity {
            issued,
            not_before,
            not_after,
        }
        .renewal()
    }

    /// Whether it signs at `now`.
    fn signs(&self, now: SystemTime) -> bool {
        let valid = self.anchor.not_before..self.anchor.not_after;
        self.signs_from.is_some() && valid.contains(&now)
    }
}

// === Keyring ===

impl Keyring {
    /// A keyring of these CAs.
    pub fn new(
        cas: impl IntoIterator<Item = Ca>,
        rotated: Option<String>,
        rest: Map<String, Value>,
    ) -> Self {
        let mut keyring = Self {
            cas: cas.into_iter().collect(),
            rotated,
            rest,
        };
        keyring.sort();
        keyring
    }

    /// All CAs, sorted by expiry.
    pub fn cas(&self) -> &[Ca] {
        &self.cas
    }

    /// The CA with this fingerprint.
    pub fn get(&self, fingerprint: Fingerprint) -> Option<&Ca> {
        self.cas.iter().find(|ca| ca.fingerprint() == fingerprint)
    }

    /// The CA that issues leaves at `now`: of those that sign, the one that expires last.
    pub fn signing(&self, now: SystemTime) -> Option<&Ca> {
        self.cas.iter().rfind(|ca| ca.signs(now))
    }

    /// The CA that is being published and will sign next.
    pub fn pending(&self, now: SystemTime) -> Option<&Ca> {
        let newest = self.cas.last()?;
        let pending = newest.signs_from.is_none() && now < newest.anchor.not_after;
        pending.then_some(newest)
    }

    /// The keyring without the CAs that have expired by every clock.
    #[must_use]
    pub fn unexpired(&self, now: SystemTime, lifetimes: &Lifetimes) -> Self {
        let mut unexpired = self.clone();
        unexpired
            .cas
            .retain(|ca| !ca.anchor.is_expired(now, lifetimes.clock_skew));
        unexpired
    }

    /// The CAs that clients shall trust at `now`.
    pub fn bundle(&self, now: SystemTime, lifetimes: &Lifetimes) -> Bundle {
        let unexpired = self.unexpired(now, lifetimes).cas;
        Bundle::new(unexpired.into_iter().map(|ca| ca.anchor))
    }

    /// The expiry of a CA that is created at `now`: after that of all others, so that the CA that expires last is the newest,
    /// also if two machines whose clocks differ create one within an hour.
    pub fn expiry_of_next(&self, now: SystemTime, lifetimes: &Lifetimes) -> SystemTime {
        let end = now + lifetimes.ca;
        let newest = self.cas.last().map(|ca| ca.anchor.not_after);
        newest.map_or(end, |newest| end.max(newest + Duration::from_secs(1)))
    }

    /// When the next CA will have expired by every clock.
    pub fn next_expiry(&self, lifetimes: &Lifetimes) -> Option<SystemTime> {
        let first = self.cas.first()?;
        Some(first.anchor.not_after + lifetimes.clock_skew)
    }

    /// Whether there is room for another CA by schedule.
    pub fn has_room(&self) -> bool {
        self.cas.len() < MAX_CAS
    }

    /// Whether there is room for another CA on request.
    pub fn has_room_for_request(&self) -> bool {
        self.cas.len() <= MAX_CAS_BEFORE_REQUEST
    }

    /// This keyring, completed by the CAs of `other` as far as there is room, and by its knowledge of which CAs sign. All other
    /// fields are those of this keyring.
    #[must_use]
    pub fn merged_with(&self, other: &Self) -> Self {
        let mut merged: BTreeMap<_, _> = self
            .cas
            .iter()
            .map(|ca| (ca.fingerprint(), ca.clone()))
            .collect();
        // CAs that sign before those that do not, then those that expire late before those that expire soon.
        let mut additions: Vec<_> = other.cas.iter().collect();
        additions.sort_by_key(|ca| {
            (
                ca.signs_from.is_none(),
                std::cmp::Reverse(ca.anchor.not_after),
            )
        });
        for ca in additions {
            if let Some(known) = merged.get_mut(&ca.fingerprint()) {
                known.signs_from = known.signs_from.or(ca.signs_from);
            } else if merged.len() < MAX_CAS {
                merged.insert(ca.fingerprint(), ca.clone());
            }
        }
        Self::new(
            merged.into_values(),
            self.rotated.clone(),
            self.rest.clone(),
        )
    }

    /// This keyring and a new CA, which fulfills the rotation request `rotated` if there is one. Without room, as after all CAs
    /// have expired at once, the CA that expired first is dropped.
    #[must_use]
    pub fn with_ca(&self, ca: Ca, rotated: Option<String>) -> Self {
        let mut keyring = self.clone();
        keyring.cas.push(ca);
        keyring.sort();
        let surplus = keyring.cas.len().saturating_sub(MAX_CAS);
        keyring.cas.drain(..surplus);
        keyring.rotated = rotated.or(keyring.rotated);
        keyring
    }

    /// This keyring, in which the CA with this fingerprint signs.
    #[must_use]
    pub fn with_signing(&self, fingerprint: Fingerprint, from: SystemTime) -> Self {
        let mut keyring = self.clone();
        for ca in &mut keyring.cas {
            if ca.fingerprint() == fingerprint {
                ca.signs_from = ca.signs_from.or(Some(from));
            }
        }
        keyring
    }

    fn sort(&mut self) {
        self.cas
            .sort_by_key(|ca| (ca.anchor.not_after, ca.fingerprint()));
    }
}
