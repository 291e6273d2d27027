//! Which CAs the clients shall trust, which CAs they do trust, and since when. Pure.
//!
//! A client is one entry of a webhook configuration: the API server verifies the webhook by the `caBundle` of the entry.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::keyring::MAX_CAS;
use crate::tls::trust::{Anchor, Bundle, Fingerprint};

/// The CAs that every client shall trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredTrust {
    bundle: Bundle,
    may_be_written: bool,
    retain: RetainPolicy,
}

/// Which CAs of a client's current bundle are retained until they expire, because a replica that this one does not know of may
/// still serve certificates of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetainPolicy {
    /// CAs whose common name begins with this name, which are those of the same controller.
    Named(Arc<str>),
    /// All CAs: those of other issuers have no common mark.
    All,
}

/// The largest bundle where other programs create the CAs: an issuer may use several, and retired ones are kept beside them.
const MAX_EXTERNAL_CAS: usize = 16;

/// The bundle of each client, as last read. A client that is not configured yet counts as one with an empty bundle: it may have
/// been configured since, with an older bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedTrust {
    bundles: Vec<Bundle>,
}

/// Since when each CA has been trusted by all clients, by the monotonic clock of this process.
#[derive(Clone, Debug, Default)]
pub struct TrustHistory {
    observed: Option<ObservedTrust>,
    everywhere: BTreeMap<Fingerprint, Instant>,
}

impl DesiredTrust {
    /// The CAs of `bundle`, beside those that `retain` keeps. `may_be_written`: the bundle includes every CA that a replica serves
    /// certificates of, so it may be written.
    pub fn new(bundle: Bundle, may_be_written: bool, retain: RetainPolicy) -> Self {
        Self {
            bundle,
            may_be_written,
            retain,
        }
    }

    /// Whether it may be written. The answer expires with the leadership: ask at each write.
    pub fn may_be_written(&self) -> bool {
        self.may_be_written
    }

    /// The bundle of a client that trusts `current`, at `now`. Merging the result again changes nothing.
    ///
    /// Write the result with the resource version that `current` was read at: based on an outdated version, it could remove a
    /// CA that another replica has added since.
    #[must_use]
    pub fn merged_into(&self, current: &Bundle, now: SystemTime) -> Bundle {
        let limit = match self.retain {
            RetainPolicy::Named(_) => MAX_CAS,
            RetainPolicy::All => MAX_EXTERNAL_CAS,
        };
        let anchors = current.anchors().iter();
        let retained = anchors.filter(|anchor| self.retain.retains(anchor));
        self.bundle.merged_with(retained, now, limit)
    }

    /// As [`Self::merged_into`], for PEM. An invalid bundle is replaced.
    pub fn merged_into_pem(&self, current: &[u8], now: SystemTime) -> Vec<u8> {
        let current = Bundle::from_pem(current).unwrap_or_default();
        self.merged_into(&current, now).pem().into_bytes()
    }
}

impl RetainPolicy {
    fn retains(&self, anchor: &Anchor) -> bool {
        match self {
            Self::Named(name) => anchor.common_name.starts_with(&**name),
            Self::All => true,
        }
    }
}

impl ObservedTrust {
    /// The bundles of all clients.
    pub fn new(bundles: impl IntoIterator<Item = Bundle>) -> Self {
        Self {
            bundles: bundles.into_iter().collect(),
        }
    }

    /// The bundles of all clients, as PEM. An invalid bundle counts as empty.
    pub fn from_pem<'a>(bundles: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::new(
            bundles
                .into_iter()
                .map(|pem| Bundle::from_pem(pem).unwrap_or_default()),
        )
    }

    /// The CAs that all clients trust: none if there is no client.
    pub fn everywhere(&self) -> impl Iterator<Item = &Anchor> {
        let first = self.bundles.first().into_iter().flat_map(Bundle::anchors);
        first.filter(|anchor| {
            let mut bundles = self.bundles.iter();
            bundles.all(|bundle| bundle.contains(anchor.fingerprint))
        })
    }

    /// Whether a client trusts an unexpired CA other than this one at `now`.
    pub fn includes_other_than(&self, fingerprint: Option<Fingerprint>, now: SystemTime) -> bool {
        let mut anchors = self.bundles.iter().flat_map(Bundle::anchors);
        anchors.any(|anchor| Some(anchor.fingerprint) != fingerprint && now < anchor.not_after)
    }
}

impl TrustHistory {
    /// Records the bundles that were read at `at`.
    pub fn record(&mut self, observed: ObservedTrust, at: Instant) {
        let before = std::mem::take(&mut self.everywhere);
        let since = |fingerprint| before.get(&fingerprint).copied().unwrap_or(at);
        let fingerprints = observed.everywhere().map(|anchor| anchor.fingerprint);
        self.everywhere = fingerprints
            .map(|fingerprint| (fingerprint, since(fingerprint)))
            .collect();
        self.observed = Some(observed);
    }

    /// The bundles that were recorded last.
    pub fn observed(&self) -> Option<&ObservedTrust> {
        self.observed.as_ref()
    }

    /// Since when all clients have trusted a CA; `None` if one does not.
    pub fn trusted_since(&self, fingerprint: Fingerprint) -> Option<Instant> {
        self.everywhere.get(&fingerprint).copied()
    }
}
