//! One replica's mind: what it has seen, and from that what is to be done. Pure: times are arguments, keys are made elsewhere.
//!
//! Every replica serves, and refills a Secret that is found bare. The leader makes CAs, lets them sign, and tells the
//! configurations what to trust.

use std::time::{Duration, Instant, SystemTime};

use super::keyring::{Ca, Keyring, Lives};
use super::published::{Keeps, Published, ReadBack, Target};
use super::stored::Stored;
use crate::tls::schedule::{Action, Life};
use crate::tls::trust::Fingerprint;

/// How long replicas that do not lead leave it to the leader to put back what the Secret has lost.
pub const LEADER_FIRST: Duration = Duration::from_secs(3);

/// How long a replica that holds no CA leaves it to those that may, while a configuration still trusts one.
pub const HOLDERS_FIRST: Duration = Duration::from_secs(15);

/// The time, twice: by the wall clock, which certificates go by, and by one that never jumps, which waits go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock.
    pub wall: SystemTime,
    /// The steady clock.
    pub steady: Instant,
}

/// What is known of the leaf that is being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// The CA that signed it.
    pub issuer: Fingerprint,
    /// Its life.
    pub life: Life,
}

/// What one replica has seen, holds and serves.
#[derive(Clone, Debug, Default)]
pub struct Replica {
    lives: Lives,
    stored: Stored,
    /// The wish for a rotation, as it stands on the Secret.
    wish: Option<String>,
    /// All CAs that were ever seen and are not over. It outlives what happens to the Secret.
    held: Keyring,
    /// Since when the Secret lacks something.
    lacking: Option<Instant>,
    published: Published,
    /// Whether the Secret was asked for since this replica leads: before that it may have been told late of a CA that
    /// others already serve by.
    confirmed: bool,
    served: Option<Served>,
}

/// What is to be done about the Secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// Ask what it holds now.
    Confirm,
    /// Make a CA and write it beside the others.
    Mint(Mint),
    /// Write this.
    Write(Keyring, Reason),
    /// Nothing for this long, or until something is seen.
    Wait(Option<Duration>),
}

/// A CA that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Mint {
    /// What it is written beside.
    pub beside: Keyring,
    /// Its end.
    pub end: SystemTime,
    /// Whether it signs at once.
    pub signs: bool,
    /// The wish that it fulfils.
    pub wish: Option<String>,
    /// Why it is made.
    pub reason: Reason,
}

/// Why the Secret is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It was bare, and nobody holds a CA.
    Filled,
    /// It had lost what this replica holds.
    PutBack,
    /// The time of the next CA has come.
    Due,
    /// Somebody asked for a new CA.
    Asked,
    /// A CA was published for long enough, and signs from now on.
    Signs,
}

/// Why a replica is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It has no leaf.
    #[error("no CA that signs was found in the Secret yet")]
    NoLeaf,
    /// Its leaf was issued by a CA that clients are not told to trust.
    #[error("the CA of the served certificate is over")]
    Untrusted,
    /// Its leaf is over, or not valid yet.
    #[error("the served certificate is not valid now; is the clock right?")]
    Invalid,
}

impl Reason {
    /// As metrics and logs name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::PutBack => "put_back",
            Self::Due => "due",
            Self::Asked => "asked",
            Self::Signs => "signs",
        }
    }
}

impl Replica {
    /// A replica that has seen nothing.
    pub fn new(lives: Lives) -> Self {
        Self {
            lives,
            ..Self::default()
        }
    }

    // --- what is seen

    /// The Secret, and the wish that stands on it.
    pub fn see_secret(&mut self, stored: Stored, wish: Option<String>, now: Now) {
        if let Stored::Keyring(keyring) = &stored {
            let living = keyring.living(now.wall, &self.lives);
            self.held = living.joined(&self.held.living(now.wall, &self.lives));
        }
        self.stored = stored;
        self.wish = wish;
        self.lacking = match self.lack(now.wall) {
            Some(_) => self.lacking.or(Some(now.steady)),
            None => None,
        };
    }

    /// The answer to [`Task::Confirm`].
    pub fn confirm(&mut self, stored: Stored, wish: Option<String>, now: Now) {
        self.see_secret(stored, wish, now);
        self.confirmed = true;
    }

    /// What the configurations trust.
    pub fn see_configurations(&mut self, read_back: ReadBack, now: Now) {
        self.published.see(read_back, now.steady);
    }

    /// That it does not lead, or no longer.
    pub fn see_no_leadership(&mut self) {
        self.confirmed = false;
    }

    /// The leaf that is served from now on.
    pub fn see_served(&mut self, served: Served) {
        self.served = Some(served);
    }

    // --- what is known

    /// The CAs that it knows.
    pub fn held(&self) -> &Keyring {
        &self.held
    }

    /// The Secret as it was last seen.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// What all configurations are to trust; surely so where this replica leads and has asked since it does.
    pub fn target(&self, leads: bool, now: SystemTime) -> Option<Target> {
        let bundle = self.held.bundle(now, &self.lives);
        let sure = leads && self.confirmed;
        (!bundle.is_empty()).then(|| Target::new(bundle, sure, Keeps::Ours))
    }

    /// Whether it can answer calls. What the configurations hold has no part in it: that would turn a mistake in one of them
    /// into an outage of all replicas.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn ready(&self, now: SystemTime) -> Result<(), NotReady> {
        let served = self.served.ok_or(NotReady::NoLeaf)?;
        let trusted = self.held.bundle(now, &self.lives).has(served.issuer);
        let valid = (served.life.not_before..served.life.not_after).contains(&now);
        match (trusted, valid) {
            (true, true) => Ok(()),
            (false, _) => Err(NotReady::Untrusted),
            (true, false) => Err(NotReady::Invalid),
        }
    }

    // --- what is to be done

    /// The CA that a new leaf is to be issued by, if one is needed: at the first occasion, when the leaf is old, and when
    /// another CA has begun to sign.
    pub fn issuer(&self, now: SystemTime) -> Option<&Ca> {
        let signing = self.held.signing(now)?;
        let fits = self.served.is_some_and(|served| {
            served.issuer == signing.fingerprint() && served.life.action(now) == Action::Keep
        });
        (!fits).then_some(signing)
    }

    /// When the leaf that is served is to be followed by another.
    pub fn renewal(&self) -> Option<SystemTime> {
        self.served.map(|served| served.life.renewal())
    }

    /// What is to be done about the Secret.
    pub fn task(&self, leads: bool, now: Now) -> Task {
        if leads && !self.confirmed {
            return Task::Confirm;
        }
        match &self.stored {
            Stored::Unknown | Stored::Missing | Stored::Newer(_) => Task::Wait(None),
            Stored::Empty | Stored::Damaged(_) | Stored::Keyring(_) => match self.lack(now.wall) {
                Some(Lack::Known(whole)) => self.after(
                    if leads { Duration::ZERO } else { LEADER_FIRST },
                    now,
                    || Task::Write(whole, Reason::PutBack),
                ),
                Some(Lack::All) => self.fill(now),
                None if leads => self.tend(now),
                None => Task::Wait(None),
            },
        }
    }

    /// What the Secret, which was found, lacks.
    fn lack(&self, now: SystemTime) -> Option<Lack> {
        let held = self.held.living(now, &self.lives);
        match &self.stored {
            Stored::Unknown | Stored::Missing | Stored::Newer(_) => None,
            Stored::Empty | Stored::Damaged(_) if held.cas().is_empty() => Some(Lack::All),
            Stored::Empty | Stored::Damaged(_) => Some(Lack::Known(held)),
            Stored::Keyring(stored) => {
                let living = stored.living(now, &self.lives);
                let whole = living.joined(&held);
                (whole != living).then_some(Lack::Known(whole))
            }
        }
    }

    /// Nobody has filled the Secret, or what it held is lost. Where no configuration trusts a CA, none was ever in use.
    fn fill(&self, now: Now) -> Task {
        let Some(read_back) = self.published.read_back() else {
            return Task::Wait(None);
        };
        let in_use = read_back.has_other_than(None, now.wall);
        let fresh = !in_use && self.stored == Stored::Empty;
        let wait = if fresh { Duration::ZERO } else { HOLDERS_FIRST };
        self.after(wait, now, || {
            self.mint(&Keyring::default(), Reason::Filled, now.wall)
        })
    }

    /// What a leader does with a Secret in order: let the next CA sign, or make one.
    fn tend(&self, now: Now) -> Task {
        let living = self.held.living(now.wall, &self.lives);
        if let Some(pending) = living.pending(now.wall) {
            return self.let_sign(&living, pending, now);
        }
        let Some(signing) = living.signing(now.wall) else {
            return self.mint(&living, Reason::Due, now.wall);
        };
        if self.is_asked(&living) && living.has_room_on_demand() {
            return self.mint(&living, Reason::Asked, now.wall);
        }
        if now.wall >= signing.renewal() && living.has_room() {
            return self.mint(&living, Reason::Due, now.wall);
        }
        let next = [Some(signing.renewal()), living.next_end(&self.lives)];
        let ahead = |time: SystemTime| time.duration_since(now.wall).ok();
        Task::Wait(next.into_iter().flatten().filter_map(ahead).min())
    }

    /// Whether somebody wishes for a new CA that has not been made yet.
    fn is_asked(&self, keyring: &Keyring) -> bool {
        self.wish.is_some() && self.wish != keyring.rotated
    }

    /// Whether a wish has to wait until a CA is over.
    pub fn postpones(&self) -> bool {
        self.is_asked(&self.held) && !self.held.has_room_on_demand()
    }

    /// Lets a CA sign once everybody has trusted it for long enough; at once where nobody can serve by another.
    fn let_sign(&self, living: &Keyring, pending: &Ca, now: Now) -> Task {
        let print = pending.fingerprint();
        let signs = || Task::Write(living.signing_with(print, now.wall), Reason::Signs);
        if self.is_only(living, Some(print), now.wall) {
            return signs();
        }
        let Some(since) = self.published.since(print) else {
            return Task::Wait(None);
        };
        match left(self.lives.publication, since, now.steady) {
            None => signs(),
            wait => Task::Wait(wait),
        }
    }

    fn mint(&self, beside: &Keyring, reason: Reason, now: SystemTime) -> Task {
        Task::Mint(Mint {
            beside: beside.clone(),
            end: beside.end_of_next(now, &self.lives),
            signs: self.is_only(beside, None, now),
            wish: self.wish.clone(),
            reason,
        })
    }

    /// Whether nobody can serve by a CA but `print`: none signs, and no configuration trusts one that this replica may not
    /// know.
    fn is_only(&self, keyring: &Keyring, print: Option<Fingerprint>, now: SystemTime) -> bool {
        let read_back = self.published.read_back();
        keyring.signing(now).is_none()
            && read_back.is_some_and(|read_back| !read_back.has_other_than(print, now))
    }

    /// `task`, once the Secret has lacked something for `wait`.
    fn after(&self, wait: Duration, now: Now, task: impl FnOnce() -> Task) -> Task {
        let since = self.lacking.unwrap_or(now.steady);
        left(wait, since, now.steady).map_or_else(task, |left| Task::Wait(Some(left)))
    }
}

/// What the Secret lacks.
enum Lack {
    /// What this replica holds: this is the whole.
    Known(Keyring),
    /// Everything, and this replica holds nothing.
    All,
}

/// What is left of a wait that began at `since`; none once it is over.
fn left(wait: Duration, since: Instant, now: Instant) -> Option<Duration> {
    let left = wait.saturating_sub(now.saturating_duration_since(since));
    (!left.is_zero()).then_some(left)
}
