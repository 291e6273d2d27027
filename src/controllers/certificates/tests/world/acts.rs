//! What replicas do in the world: serve, write the Secret, arm configurations. The leader dies of most of it.

use std::time::{Duration, SystemTime};

use super::super::super::keyring::{Ca, Keyring};
use super::super::super::published::Target;
use super::super::super::replica::{Mint, Reason, Served, Task};
use super::super::super::stored::Stored;
use super::super::craft::Craft;
use super::{DAY, Event, Secret, World};

/// What became of a look at the configurations.
enum Step {
    /// They are as they should be.
    None,
    /// One was written, or was found to be another than thought.
    Taken,
    /// The leader died of it.
    Died,
}

impl<C: Craft> World<C> {
    /// Does what a replica has to do now, up to the first step of a leader, which dies of it.
    pub(super) fn act(&mut self, seat: usize) {
        loop {
            self.issue(seat);
            let now = self.clock(seat);
            let leads = self.leader == Some(seat);
            let Some(up) = &mut self.seats[seat].up else {
                return;
            };
            if !leads {
                up.replica.see_no_leadership();
            }
            match up.replica.task(leads, now) {
                Task::Confirm => self.confirm(seat),
                Task::Mint(mint) => {
                    let keyring = self.mint(mint.clone(), now.wall);
                    if self.write(seat, keyring, mint.reason) {
                        return;
                    }
                }
                Task::Write(keyring, reason) => {
                    if self.write(seat, keyring, reason) {
                        return;
                    }
                }
                Task::Wait(wait) => match leads.then(|| self.arm(seat)) {
                    Some(Step::Taken) => {}
                    Some(Step::Died) => return,
                    None | Some(Step::None) => return self.sleep(seat, wait),
                },
            }
        }
    }

    fn issue(&mut self, seat: usize) {
        let now = self.clock(seat).wall;
        let Some(up) = &mut self.seats[seat].up else {
            return;
        };
        if let Some(ca) = up.replica.issuer(now) {
            let issuer = ca.fingerprint();
            let (leaf, life) = self.craft.issue(ca, self.lives.leaf, now);
            up.replica.see_served(Served { issuer, life });
            up.leaf = Some(leaf);
        }
    }

    /// A read that no cache answers.
    fn confirm(&mut self, seat: usize) {
        let now = self.clock(seat);
        let secret = self.secret.last().clone();
        if let Some(up) = &mut self.seats[seat].up {
            up.secret = Some(self.secret.0.len() - 1);
            up.replica.confirm(secret.stored, secret.wish, now);
        }
    }

    fn mint(&mut self, mint: Mint, now: SystemTime) -> Keyring {
        let (anchor, key) = self.craft.mint(mint.end, now);
        let ca = Ca::new(anchor, key, mint.signs.then_some(now));
        mint.beside.with(ca, mint.wish)
    }

    /// Writes the Secret if nobody wrote it since, and hears of it either way. Whether the writer died of it.
    fn write(&mut self, seat: usize, keyring: Keyring, reason: Reason) -> bool {
        let Some(up) = &self.seats[seat].up else {
            return true;
        };
        let current = up.secret == Some(self.secret.0.len() - 1);
        let dies = current && self.leader == Some(seat) && self.dies();
        if current {
            *self.written.entry(reason.as_str()).or_default() += 1;
            let wish = self.secret.last().wish.clone();
            let stored = Stored::Keyring(keyring);
            self.store_secret(Secret { stored, wish });
        }
        if dies {
            self.kill(seat);
            return true;
        }
        let (now, secret) = (self.clock(seat), self.secret.last().clone());
        if let Some(up) = &mut self.seats[seat].up {
            up.secret = Some(self.secret.0.len() - 1);
            up.replica.see_secret(secret.stored, secret.wish, now);
        }
        false
    }

    /// Writes one configuration that does not trust what it should, as far as this leader knows.
    fn arm(&mut self, seat: usize) -> Step {
        let now = self.clock(seat).wall;
        for which in 0..self.configurations.len() {
            let Some(up) = &self.seats[seat].up else {
                return Step::Died;
            };
            let target = up.replica.target(true, now);
            let Some(target) = target.filter(Target::is_sure) else {
                return Step::None;
            };
            let object = &self.configurations[which];
            let Some(version) = up.configurations[which] else {
                continue;
            };
            let seen = &object.0[version].1;
            let wanted = target.over(&seen.clone().unwrap_or_default(), now);
            if seen.as_ref() == Some(&wanted) || (seen.is_none() && up.replica.ready(now).is_err())
            {
                continue;
            }
            let newest = object.0.len() - 1;
            let current = version == newest;
            if current {
                self.store_configuration(which, Some(wanted));
                if self.dies() {
                    self.kill(seat);
                    return Step::Died;
                }
            }
            let newest = self.configurations[which].0.len() - 1;
            if let Some(up) = &mut self.seats[seat].up {
                up.configurations[which] = Some(newest);
            }
            self.read_back(seat);
            return Step::Taken;
        }
        Step::None
    }

    fn dies(&mut self) -> bool {
        self.deadly || self.random.u8(..4) > 0
    }

    fn sleep(&mut self, seat: usize, wait: Option<Duration>) {
        let (now, life) = (self.clock(seat).wall, self.seats[seat].life);
        let waits = wait.map_or(DAY, |wait| wait.as_secs() + 1);
        let Some(up) = &self.seats[seat].up else {
            return;
        };
        let renewal = up.replica.renewal();
        let renewal = renewal.and_then(|time| time.duration_since(now).ok());
        let wake = self.now + renewal.map_or(waits, |wait| waits.min(wait.as_secs() + 1));
        // An earlier wish stands until its moment has come.
        let standing = self.seats[seat].wishes_to_wake;
        if standing <= self.now || wake < standing {
            self.seats[seat].wishes_to_wake = wake;
            self.at(wake, Event::Wake(seat, life));
        }
    }
}
