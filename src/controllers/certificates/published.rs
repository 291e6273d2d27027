//! What the configurations are to trust, what they were last seen to trust, and since when. Pure; somebody else looks, and
//! writes.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use super::keyring::MOST;
use crate::tls::trust::{Anchor, Bundle, Fingerprint};

/// What all configurations are to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    bundle: Bundle,
    sure: bool,
    keeps: Keeps,
}

/// What of a standing bundle stays until it is over, as somebody may serve by it of whom we have not heard yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// CAs that name themselves ours.
    Ours,
    /// All: another's CAs look like anybody's.
    All,
}

/// How many CAs are trusted where others make them: an issuer may need some for itself, and has old ones beside the new.
const MOST_OF_OTHERS: usize = 16;

/// What each entry of all configurations was last seen to trust. One that is not armed is one that trusts nothing: it may
/// have been armed by somebody since it was seen, and with an older bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadBack {
    bundles: Vec<Bundle>,
}

/// Since when each CA has been trusted by all entries, by the steady clock of this process.
#[derive(Clone, Debug, Default)]
pub struct Published {
    read_back: Option<ReadBack>,
    everywhere: BTreeMap<Fingerprint, Instant>,
}

impl Target {
    /// The CAs of `bundle`, beside what stands. `sure`: it may be written, as it lacks nothing that somebody serves by.
    pub fn new(bundle: Bundle, sure: bool, keeps: Keeps) -> Self {
        Self {
            bundle,
            sure,
            keeps,
        }
    }

    /// Whether it may be written. That has a time limit: ask at each write.
    pub fn is_sure(&self) -> bool {
        self.sure
    }

    /// What an entry that trusts `standing` is to trust at `now`. Asked again with the answer, it says the same.
    ///
    /// Write it with the version of the configuration that `standing` is of: a view of it that is late could else take away
    /// what another has added since.
    #[must_use]
    pub fn over(&self, standing: &Bundle, now: SystemTime) -> Bundle {
        let (most, all) = match self.keeps {
            Keeps::Ours => (MOST, false),
            Keeps::All => (MOST_OF_OTHERS, true),
        };
        let kept = standing
            .anchors()
            .iter()
            .filter(|anchor| all || anchor.ours);
        self.bundle.with(kept, now, most)
    }

    /// The same from one PEM text to another. An unreadable one is replaced.
    pub fn over_pem(&self, standing: &[u8], now: SystemTime) -> Vec<u8> {
        let standing = Bundle::read(standing).unwrap_or_default();
        self.over(&standing, now).pem().into_bytes()
    }
}

impl ReadBack {
    /// What these entries trust, each by one bundle.
    pub fn new(bundles: impl IntoIterator<Item = Bundle>) -> Self {
        Self {
            bundles: bundles.into_iter().collect(),
        }
    }

    /// The same from the values of `caBundle`, decoded to PEM. An unreadable one trusts nothing.
    pub fn of_pem<'a>(bundles: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::new(
            bundles
                .into_iter()
                .map(|pem| Bundle::read(pem).unwrap_or_default()),
        )
    }

    /// The CAs that all entries trust: none, where there is no entry.
    pub fn everywhere(&self) -> impl Iterator<Item = &Anchor> {
        let first = self.bundles.first().into_iter().flat_map(Bundle::anchors);
        first.filter(|anchor| {
            let mut bundles = self.bundles.iter();
            bundles.all(|bundle| bundle.has(anchor.fingerprint))
        })
    }

    /// Whether an entry trusts a CA that has not ended at `now`, and is not this one.
    pub fn has_other_than(&self, fingerprint: Option<Fingerprint>, now: SystemTime) -> bool {
        let mut anchors = self.bundles.iter().flat_map(Bundle::anchors);
        anchors.any(|anchor| Some(anchor.fingerprint) != fingerprint && now < anchor.not_after)
    }
}

impl Published {
    /// Takes note of what was read back at `at`.
    pub fn see(&mut self, read_back: ReadBack, at: Instant) {
        let before = std::mem::take(&mut self.everywhere);
        let since = |print| before.get(&print).copied().unwrap_or(at);
        let prints = read_back.everywhere().map(|anchor| anchor.fingerprint);
        self.everywhere = prints.map(|print| (print, since(print))).collect();
        self.read_back = Some(read_back);
    }

    /// What was read back last, if anything was.
    pub fn read_back(&self) -> Option<&ReadBack> {
        self.read_back.as_ref()
    }

    /// Since when a CA has been trusted by all entries; none where it is not.
    pub fn since(&self, fingerprint: Fingerprint) -> Option<Instant> {
        self.everywhere.get(&fingerprint).copied()
    }
}
