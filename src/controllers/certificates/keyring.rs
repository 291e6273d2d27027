//! The CAs of one installation: which are trusted, which signs, and what becomes of them. Pure; it makes no key.
//!
//! Order is everything: a CA is published to whoever trusts, then signs, then retires. It signs once it says so itself, by
//! [`Ca::signs_from`], which is written *after* it was published everywhere. So no clock is compared with another machine's:
//! whoever reads that it signs may sign with it at once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::tls::authority::BACKDATED;
use crate::tls::schedule::Life;
use crate::tls::trust::{Anchor, Bundle, CLOCKS_APART, Fingerprint};

/// How many CAs are held and trusted at once. Two are the rule while one follows the other, a third is there for a rotation
/// on demand, and the fourth place is kept for the next in its turn.
pub const MOST: usize = 4;

/// How many CAs there may be before another is made on demand: the last place is not given away.
const MOST_ON_DEMAND: usize = MOST - 2;

/// How long things live and how long is waited; shorter in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    /// A CA: ninety days. Rotation needs nobody, so a short life costs nothing; and as a CA is trusted until its end, it is
    /// also the time after which a key that was stolen with the Secret is worth nothing. After two thirds the next one takes
    /// over, and thirty days are left to notice that this fails. A cluster that sleeps for longer heals by itself.
    pub authority: Duration,
    /// A leaf: a day. Its key never leaves the process.
    pub leaf: Duration,
    /// From the moment at which every configuration trusts a CA to the moment at which it signs. API servers learn of a
    /// configuration by a watch, in seconds; one that lags by a minute has a wide margin.
    pub publication: Duration,
    /// How far clocks may be apart.
    pub clocks_apart: Duration,
}

/// One CA as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Ca {
    /// Its certificate.
    pub anchor: Anchor,
    /// Its private key.
    pub key: KeyPem,
    /// Since when it signs, for people to read: that it is there is what counts. None: it is being published.
    pub signs_from: Option<SystemTime>,
    /// Fields of a later version of this program.
    pub rest: Map<String, Value>,
}

/// A private key as PEM, which never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPem(Arc<str>);

/// All CAs of an installation, by the end of their lives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keyring {
    cas: Vec<Ca>,
    /// The wish for a rotation that was fulfilled last.
    pub rotated: Option<String>,
    /// Fields of a later version of this program.
    pub rest: Map<String, Value>,
}

// === Lives ===

impl Default for Lives {
    fn default() -> Self {
        Self {
            authority: Duration::from_hours(90 * 24),
            leaf: crate::tls::authority::LEAF_LIFE,
            publication: Duration::from_mins(5),
            clocks_apart: CLOCKS_APART,
        }
    }
}

// === KeyPem ===

impl KeyPem {
    /// Keeps a key.
    pub fn new(pem: &str) -> Self {
        Self(pem.into())
    }

    /// The key itself, for signing and for the Secret alone.
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
    /// A CA that nobody has stored before.
    pub fn new(anchor: Anchor, key: KeyPem, signs_from: Option<SystemTime>) -> Self {
        Self {
            anchor,
            key,
            signs_from,
            rest: Map::new(),
        }
    }

    /// What it is told apart by.
    pub fn fingerprint(&self) -> Fingerprint {
        self.anchor.fingerprint
    }

    /// When it is time for the next one.
    pub fn renewal(&self) -> SystemTime {
        let Anchor {
            not_before,
            not_after,
            ..
        } = self.anchor;
        let issued = not_before + BACKDATED;
        Life {
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

    /// All CAs, by the end of their lives.
    pub fn cas(&self) -> &[Ca] {
        &self.cas
    }

    /// The CA with this fingerprint.
    pub fn get(&self, fingerprint: Fingerprint) -> Option<&Ca> {
        self.cas.iter().find(|ca| ca.fingerprint() == fingerprint)
    }

    /// The CA that leaves are signed with at `now`: of those that sign, the one that lives longest.
    pub fn signing(&self, now: SystemTime) -> Option<&Ca> {
        self.cas.iter().rfind(|ca| ca.signs(now))
    }

    /// The CA that is being published and is to sign next.
    pub fn pending(&self, now: SystemTime) -> Option<&Ca> {
        let newest = self.cas.last()?;
        let pending = newest.signs_from.is_none() && now < newest.anchor.not_after;
        pending.then_some(newest)
    }

    /// Without the CAs that are over for everybody.
    #[must_use]
    pub fn living(&self, now: SystemTime, lives: &Lives) -> Self {
        let mut living = self.clone();
        living
            .cas
            .retain(|ca| !ca.anchor.is_over(now, lives.clocks_apart));
        living
    }

    /// What clients are to trust at `now`.
    pub fn bundle(&self, now: SystemTime, lives: &Lives) -> Bundle {
        Bundle::new(self.living(now, lives).cas.into_iter().map(|ca| ca.anchor))
    }

    /// When a CA that is made at `now` ends: later than all others, as the one that lives longest is the newest, also where
    /// two are made in one hour by machines whose clocks are apart.
    pub fn end_of_next(&self, now: SystemTime, lives: &Lives) -> SystemTime {
        let end = now + lives.authority;
        let newest = self.cas.last().map(|ca| ca.anchor.not_after);
        newest.map_or(end, |newest| end.max(newest + Duration::from_secs(1)))
    }

    /// When the next CA is over.
    pub fn next_end(&self, lives: &Lives) -> Option<SystemTime> {
        let first = self.cas.first()?;
        Some(first.anchor.not_after + lives.clocks_apart)
    }

    /// Whether there is room for another CA in its turn.
    pub fn has_room(&self) -> bool {
        self.cas.len() < MOST
    }

    /// Whether there is room for another CA on demand.
    pub fn has_room_on_demand(&self) -> bool {
        self.cas.len() <= MOST_ON_DEMAND
    }

    /// Itself, and what `other` has besides or knows to sign, as far as there is room. Where both hold a CA, other fields are
    /// its own.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut by_print: BTreeMap<_, _> = self
            .cas
            .iter()
            .map(|ca| (ca.fingerprint(), ca.clone()))
            .collect();
        // What signs is wanted more than what does not, and what lives long more than what is nearly over.
        let mut wanted: Vec<_> = other.cas.iter().collect();
        wanted.sort_by_key(|ca| {
            (
                ca.signs_from.is_none(),
                std::cmp::Reverse(ca.anchor.not_after),
            )
        });
        for ca in wanted {
            if let Some(own) = by_print.get_mut(&ca.fingerprint()) {
                own.signs_from = own.signs_from.or(ca.signs_from);
            } else if by_print.len() < MOST {
                by_print.insert(ca.fingerprint(), ca.clone());
            }
        }
        Self::new(
            by_print.into_values(),
            self.rotated.clone(),
            self.rest.clone(),
        )
    }

    /// Itself and a new CA, made for the wish `rotated` if there is one. Where there is no room, as after all have ended at
    /// once, the one that ended first goes.
    #[must_use]
    pub fn with(&self, ca: Ca, rotated: Option<String>) -> Self {
        let mut keyring = self.clone();
        keyring.cas.push(ca);
        keyring.sort();
        let surplus = keyring.cas.len().saturating_sub(MOST);
        keyring.cas.drain(..surplus);
        keyring.rotated = rotated.or(keyring.rotated);
        keyring
    }

    /// Itself, where the CA with this fingerprint signs.
    #[must_use]
    pub fn signing_with(&self, fingerprint: Fingerprint, from: SystemTime) -> Self {
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
