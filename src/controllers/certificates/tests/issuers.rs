//! Two issuers for tests: one whose certificates are numbers and cost nothing, and one whose keys and certificates are real.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use crate::controllers::certificates::keyring::{Ca, KeyPem};
use crate::tls::authority::{Authority, BACKDATE, Names};
use crate::tls::trust::{Anchor, Bundle, Fingerprint};
use crate::tls::validity::Validity;

/// The name that the common names of all CAs begin with.
pub(super) const CA_NAME: &str = "test CA";

/// The DNS name of the server.
pub(super) const SERVER: &str = "webhook.test.svc";

/// Creates CAs and leaves, and verifies leaves as a client does.
pub(super) trait Issuer {
    /// A leaf certificate.
    type Leaf;
    /// Creates a CA.
    fn create(&mut self, end: SystemTime, now: SystemTime) -> (Anchor, KeyPem);
    /// Issues a leaf of this CA.
    fn issue(&mut self, ca: &Ca, lifetime: Duration, now: SystemTime) -> (Self::Leaf, Validity);
    /// Whether a client that trusts the bundle accepts the leaf at `now`. As Go does, it also checks the expiry of the CA.
    fn accepts(&self, bundle: &Bundle, leaf: &Self::Leaf, now: SystemTime) -> bool;
}

/// Issues numbers instead of keys.
#[derive(Default)]
pub(super) struct FakeIssuer {
    created: u64,
}

/// A leaf that only names its issuer.
pub(super) struct FakeLeaf {
    issuer: Fingerprint,
    validity: Validity,
}

/// Issues real keys and certificates.
#[derive(Default)]
pub(super) struct RealIssuer {
    loaded: BTreeMap<Fingerprint, Authority>,
}

/// Subject and names of all leaves.
pub(super) fn names(server: &str) -> Names {
    Names {
        common_name: "test webhook".to_owned(),
        dns: vec![server.to_owned()],
        ips: Vec::new(),
    }
}

impl Issuer for FakeIssuer {
    type Leaf = FakeLeaf;

    fn create(&mut self, end: SystemTime, now: SystemTime) -> (Anchor, KeyPem) {
        self.created += 1;
        let der = CertificateDer::from(self.created.to_be_bytes().to_vec());
        let anchor = Anchor {
            fingerprint: Fingerprint::of(&der),
            not_before: now - BACKDATE,
            not_after: end,
            common_name: format!("{CA_NAME} {}", self.created).into(),
            der,
        };
        (anchor, KeyPem::new(&self.created.to_string()))
    }

    fn issue(&mut self, ca: &Ca, lifetime: Duration, now: SystemTime) -> (FakeLeaf, Validity) {
        let validity = Validity {
            issued: now,
            not_before: now - BACKDATE,
            not_after: ca.anchor.not_after.min(now + lifetime),
        };
        let issuer = ca.fingerprint();
        (FakeLeaf { issuer, validity }, validity)
    }

    fn accepts(&self, bundle: &Bundle, leaf: &FakeLeaf, now: SystemTime) -> bool {
        let mut anchors = bundle.anchors().iter();
        let issuer = anchors.find(|anchor| anchor.fingerprint == leaf.issuer);
        issuer.is_some_and(|issuer| {
            (issuer.not_before..issuer.not_after).contains(&now) && leaf.validity.contains(now)
        })
    }
}

impl Issuer for RealIssuer {
    type Leaf = Arc<CertifiedKey>;

    fn create(&mut self, end: SystemTime, now: SystemTime) -> (Anchor, KeyPem) {
        let authority = Authority::valid_until(end, CA_NAME, now).unwrap();
        (
            authority.anchor().clone(),
            KeyPem::new(&authority.key_pem()),
        )
    }

    fn issue(&mut self, ca: &Ca, lifetime: Duration, now: SystemTime) -> (Self::Leaf, Validity) {
        let authority = self
            .loaded
            .entry(ca.fingerprint())
            .or_insert_with(|| Authority::load(&ca.anchor.pem(), ca.key.reveal()).unwrap());
        let leaf = authority.issue_for(lifetime, &names(SERVER), now).unwrap();
        (leaf.pair, leaf.validity)
    }

    fn accepts(&self, bundle: &Bundle, leaf: &Self::Leaf, now: SystemTime) -> bool {
        let valid = |anchor: &&Anchor| (anchor.not_before..anchor.not_after).contains(&now);
        let bundle = Bundle::new(bundle.anchors().iter().filter(valid).cloned());
        bundle.verify(leaf, SERVER, now).is_ok()
    }
}
