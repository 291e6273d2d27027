//! Which of two leaves is served, and what is to be trusted for it.

use std::time::{Duration, Instant, SystemTime};

use super::super::keyring::Lives;
use super::super::mounted::Choice;
use super::super::published::ReadBack;
use super::super::replica::Now;
use crate::tls::authority::{Authority, Names};
use crate::tls::files::Content;
use crate::tls::trust::{Anchor, Bundle};

const NAME: &str = "bedrock-profiles.bedrock-profiles.svc";
const MINUTE: Duration = Duration::from_mins(1);

struct Issuer(Authority);

impl Issuer {
    fn new(life: Duration, now: Now) -> Self {
        Self(Authority::until(now.wall + life, now.wall).unwrap())
    }

    fn content(&self, name: &str, now: Now) -> Content {
        let names = Names {
            dns: vec![name.to_owned()],
            ips: Vec::new(),
        };
        Content {
            pair: self.0.issue(&names, now.wall).unwrap().pair,
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
        steady: Instant::now(),
    }
}

fn later(now: Now, time: Duration) -> Now {
    Now {
        wall: now.wall + time,
        steady: now.steady + time,
    }
}

fn trusts(choice: &mut Choice, bundles: &[&Bundle], at: Now) {
    let bundles = bundles.iter().map(|bundle| (*bundle).clone());
    choice.see_configurations(ReadBack::new(bundles), at.steady);
}

fn anchors(choice: &Choice, now: Now) -> Vec<Anchor> {
    let whole = choice.target(true).over(&Bundle::default(), now.wall);
    whole.anchors().to_vec()
}

#[test]
fn a_leaf_of_another_ca_waits_until_all_have_trusted_it_for_long_enough() {
    let now = start();
    let (old, new) = (
        Issuer::new(2 * MINUTE, now),
        Issuer::new(1_000 * MINUTE, now),
    );
    let mut choice = Choice::new(NAME.to_owned(), Lives::default(), old.content(NAME, now));
    let both = Bundle::new([new.0.anchor().clone(), old.0.anchor().clone()]);
    trusts(&mut choice, &[&old.bundle(), &old.bundle()], now);
    let content = new.content(NAME, now);
    choice.see_files(content.clone(), now.wall);
    assert_eq!(anchors(&choice, now), both.anchors(), "old and new");
    assert!(choice.take(now).is_none());
    trusts(&mut choice, &[&both, &old.bundle()], now);
    assert!(choice.take(now).is_none(), "one does not trust it");
    trusts(&mut choice, &[&both, &both], now);
    assert!(choice.take(now).is_none(), "just now");
    let steady = Now {
        wall: now.wall,
        ..later(now, 5 * MINUTE)
    };
    assert_eq!(choice.take(steady).unwrap().cert, content.pair.cert);
    assert!(choice.take(steady).is_none(), "it is served");
    let ended = later(now, Duration::from_hours(3));
    choice.see_files(content, ended.wall);
    assert_eq!(anchors(&choice, ended), new.bundle().anchors());
}

#[test]
fn a_renewed_leaf_of_the_same_ca_is_served_at_once() {
    let now = start();
    let issuer = Issuer::new(1_000 * MINUTE, now);
    let mut choice = Choice::new(NAME.to_owned(), Lives::default(), issuer.content(NAME, now));
    trusts(&mut choice, &[&issuer.bundle()], now);
    let now = later(now, 5 * MINUTE);
    let content = issuer.content(NAME, now);
    choice.see_files(content.clone(), now.wall);
    assert_eq!(choice.take(now).unwrap().cert, content.pair.cert);
}

#[test]
fn a_leaf_is_not_kept_beyond_its_end() {
    let now = start();
    let (old, new) = (Issuer::new(MINUTE, now), Issuer::new(1_000 * MINUTE, now));
    let mut choice = Choice::new(NAME.to_owned(), Lives::default(), old.content(NAME, now));
    choice.see_files(new.content(NAME, now), now.wall);
    assert!(choice.ready(now.wall).is_ok() && choice.take(now).is_none());
    let ended = later(now, 2 * MINUTE);
    choice.ready(ended.wall).unwrap_err();
    assert!(choice.take(ended).is_some());
    choice.ready(ended.wall).unwrap();
}

#[test]
fn a_certificate_for_another_name_is_not_ready_and_takes_no_place() {
    let now = start();
    let issuer = Issuer::new(1_000 * MINUTE, now);
    let other = issuer.content("other.bedrock-profiles.svc", now);
    let choice = Choice::new(NAME.to_owned(), Lives::default(), other.clone());
    choice.ready(now.wall).unwrap_err();
    let mut choice = Choice::new(NAME.to_owned(), Lives::default(), issuer.content(NAME, now));
    trusts(&mut choice, &[&issuer.bundle()], now);
    let now = later(now, 5 * MINUTE);
    choice.see_files(other, now.wall);
    assert!(choice.take(now).is_none());
}
