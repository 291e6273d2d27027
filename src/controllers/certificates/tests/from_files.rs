//! Which of two leaves is served, and which CAs clients shall trust for it.

use std::time::{Duration, Instant, SystemTime};

use super::issuers::{CA_NAME, SERVER, names};
use crate::controllers::certificates::from_files::LeafSelection;
use crate::controllers::certificates::keyring::Lifetimes;
use crate::controllers::certificates::rotation::Now;
use crate::controllers::certificates::trust::ObservedTrust;
use crate::tls::authority::Authority;
use crate::tls::files::Content;
use crate::tls::trust::{Anchor, Bundle};

const MINUTE: Duration = Duration::from_mins(1);

struct Issuer(Authority);

impl Issuer {
    fn new(lifetime: Duration, now: Now) -> Self {
        Self(Authority::valid_until(now.wall + lifetime, CA_NAME, now.wall).unwrap())
    }

    fn content(&self, name: &str, now: Now) -> Content {
        Content {
            pair: self.0.issue(&names(name), now.wall).unwrap().pair,
            authorities: self.bundle(),
        }
    }

    fn bundle(&self) -> Bundle {
        Bundle::new([self.0.anchor().clone()])
    }
}

fn start() -> Now {
    Now {
        wall: SystemTime::now(),
        monotonic: Instant::now(),
    }
}

fn later(now: Now, time: Duration) -> Now {
    Now {
        wall: now.wall + time,
        monotonic: now.monotonic + time,
    }
}

fn selection(content: Content) -> LeafSelection {
    LeafSelection::new(SERVER.to_owned(), Lifetimes::default(), content)
}

fn observe_trust(selection: &mut LeafSelection, bundles: &[&Bundle], at: Now) {
    let bundles = bundles.iter().map(|bundle| (*bundle).clone());
    selection.observe_trust(ObservedTrust::new(bundles), at.monotonic);
}

fn anchors(selection: &LeafSelection, now: Now) -> Vec<Anchor> {
    let desired = selection.desired_trust(true);
    let bundle = desired.merged_into(&Bundle::default(), now.wall);
    bundle.anchors().to_vec()
}

#[test]
fn a_leaf_of_another_ca_waits_until_all_clients_have_trusted_the_ca_for_long_enough() {
    let now = start();
    let (old, new) = (
        Issuer::new(2 * MINUTE, now),
        Issuer::new(1_000 * MINUTE, now),
    );
    let mut selection = selection(old.content(SERVER, now));
    let both = Bundle::new([new.0.anchor().clone(), old.0.anchor().clone()]);
    observe_trust(&mut selection, &[&old.bundle(), &old.bundle()], now);
    let content = new.content(SERVER, now);
    selection.observe_files(content.clone(), now.wall);
    assert_eq!(anchors(&selection, now), both.anchors(), "old and new");
    assert!(selection.take_next(now).is_none());
    observe_trust(&mut selection, &[&both, &old.bundle()], now);
    assert!(selection.take_next(now).is_none(), "one does not trust it");
    observe_trust(&mut selection, &[&both, &both], now);
    assert!(selection.take_next(now).is_none(), "just now");
    let waited = Now {
        wall: now.wall,
        ..later(now, 5 * MINUTE)
    };
    assert_eq!(selection.take_next(waited).unwrap().cert, content.pair.cert);
    assert!(selection.take_next(waited).is_none(), "it is served");
    let expired = later(now, Duration::from_hours(3));
    selection.observe_files(content, expired.wall);
    assert_eq!(anchors(&selection, expired), new.bundle().anchors());
}

#[test]
fn a_renewed_leaf_of_the_same_ca_is_served_at_once() {
    let now = start();
    let issuer = Issuer::new(1_000 * MINUTE, now);
    let mut selection = selection(issuer.content(SERVER, now));
    observe_trust(&mut selection, &[&issuer.bundle()], now);
    let now = later(now, 5 * MINUTE);
    let content = issuer.content(SERVER, now);
    selection.observe_files(content.clone(), now.wall);
    assert_eq!(selection.take_next(now).unwrap().cert, content.pair.cert);
}

#[test]
fn a_leaf_is_not_served_after_its_expiry() {
    let now = start();
    let (old, new) = (Issuer::new(MINUTE, now), Issuer::new(1_000 * MINUTE, now));
    let mut selection = selection(old.content(SERVER, now));
    selection.observe_files(new.content(SERVER, now), now.wall);
    assert!(selection.ready(now.wall).is_ok() && selection.take_next(now).is_none());
    let expired = later(now, 2 * MINUTE);
    selection.ready(expired.wall).unwrap_err();
    assert!(selection.take_next(expired).is_some());
    selection.ready(expired.wall).unwrap();
}

#[test]
fn a_certificate_for_another_name_is_not_ready_and_replaces_no_good_one() {
    let now = start();
    let issuer = Issuer::new(1_000 * MINUTE, now);
    let other = issuer.content("other.test.svc", now);
    selection(other.clone()).ready(now.wall).unwrap_err();
    let mut selection = selection(issuer.content(SERVER, now));
    observe_trust(&mut selection, &[&issuer.bundle()], now);
    let now = later(now, 5 * MINUTE);
    selection.observe_files(other, now.wall);
    assert!(selection.take_next(now).is_none());
}
