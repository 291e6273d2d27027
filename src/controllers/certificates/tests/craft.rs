//! Who makes keys in a test: a forger, whose certificates are numbers and cost nothing, and a smith, whose are real.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use super::super::keyring::{Ca, KeyPem};
use crate::tls::authority::{Authority, BACKDATED, Names};
use crate::tls::schedule::Life;
use crate::tls::trust::{Anchor, Bundle, Fingerprint};

const NAME: &str = "bedrock-profiles.bedrock-profiles.svc";

/// Makes CAs and leaves, and knows whether a client takes a leaf.
pub(super) trait Craft {
    /// A leaf.
    type Leaf;
    /// A CA.
    fn mint(&mut self, end: SystemTime, now: SystemTime) -> (Anchor, KeyPem);
    /// A leaf of this CA.
    fn issue(&mut self, ca: &Ca, life: Duration, now: SystemTime) -> (Self::Leaf, Life);
    /// Whether a client that trusts the bundle takes the leaf at `now`. As Go does, it looks at the end of the CA too.
    fn takes(&self, bundle: &Bundle, leaf: &Self::Leaf, now: SystemTime) -> bool;
}

/// Numbers instead of keys.
#[derive(Default)]
pub(super) struct Forger {
    made: u64,
}

/// A leaf that is only a claim.
pub(super) struct Forged {
    issuer: Fingerprint,
    life: Life,
}

/// Real keys and certificates.
#[derive(Default)]
pub(super) struct Smith {
    loaded: BTreeMap<Fingerprint, Authority>,
}

impl Craft for Forger {
    type Leaf = Forged;

    fn mint(&mut self, end: SystemTime, now: SystemTime) -> (Anchor, KeyPem) {
        self.made += 1;
        let der = CertificateDer::from(self.made.to_be_bytes().to_vec());
        let anchor = Anchor {
            fingerprint: Fingerprint::of(&der),
            not_before: now - BACKDATED,
            not_after: end,
            ours: true,
            der,
        };
        (anchor, KeyPem::new(&self.made.to_string()))
    }

    fn issue(&mut self, ca: &Ca, life: Duration, now: SystemTime) -> (Forged, Life) {
        let life = Life {
            issued: now,
            not_before: now - BACKDATED,
            not_after: ca.anchor.not_after.min(now + life),
        };
        let issuer = ca.fingerprint();
        (Forged { issuer, life }, life)
    }

    fn takes(&self, bundle: &Bundle, leaf: &Forged, now: SystemTime) -> bool {
        let mut anchors = bundle.anchors().iter();
        let issuer = anchors.find(|anchor| anchor.fingerprint == leaf.issuer);
        issuer.is_some_and(|issuer| {
            (issuer.not_before..issuer.not_after).contains(&now)
                && (leaf.life.not_before..leaf.life.not_after).contains(&now)
        })
    }
}

impl Craft for Smith {
    type Leaf = Arc<CertifiedKey>;

    fn mint(&mut self, end: SystemTime, now: SystemTime) -> (Anchor, KeyPem) {
        let authority = Authority::until(end, now).unwrap();
        (
            authority.anchor().clone(),
            KeyPem::new(&authority.key_pem()),
        )
    }

    fn issue(&mut self, ca: &Ca, life: Duration, now: SystemTime) -> (Self::Leaf, Life) {
        let authority = self
            .loaded
            .entry(ca.fingerprint())
            .or_insert_with(|| Authority::load(&ca.anchor.pem(), ca.key.reveal()).unwrap());
        let names = Names {
            dns: vec![NAME.to_owned()],
            ips: Vec::new(),
        };
        let leaf = authority.issue_for(life, &names, now).unwrap();
        (leaf.pair, leaf.life)
    }

    fn takes(&self, bundle: &Bundle, leaf: &Self::Leaf, now: SystemTime) -> bool {
        let valid = |anchor: &&Anchor| (anchor.not_before..anchor.not_after).contains(&now);
        let bundle = Bundle::new(bundle.anchors().iter().filter(valid).cloned());
        bundle.verify(leaf, NAME, now).is_ok()
    }
}
