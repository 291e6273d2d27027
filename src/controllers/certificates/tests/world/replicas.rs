//! What replicas do: serve, write the Secret, and configure clients. The leader dies after most of its writes.

use std::time::{Duration, SystemTime};

use super::{DAY, Event, Flaw, Secret, World};
use crate::controllers::certificates::keyring::{Ca, Keyring};
use crate::controllers::certificates::rotation::{NewCa, ServedLeaf, Task, WriteReason};
use crate::controllers::certificates::secret::SecretContent;
use crate::controllers::certificates::tests::issuers::Issuer;
use crate::controllers::certificates::trust::DesiredTrust;
use crate::tls::trust::Bundle;

/// The result of looking at the configurations.
enum Step {
    /// They are up to date.
    None,
    /// One was written, or had another version than the replica knew.
    Taken,
    /// The leader died after its write.
    Died,
}

impl<I: Issuer> World<I> {
    /// Does what a replica has to do now, up to the write that a leader dies after.
    pub(super) fn act(&mut self, index: usize) {
        loop {
            self.issue(index);
            let now = self.clock(index);
            let is_leader = self.leads(index);
            let Some(running) = &mut self.replicas[index].running else {
                return;
            };
            if !is_leader {
                running.rotation.observe_no_leadership();
            }
            match running.rotation.task(is_leader, now) {
                Task::Confirm => self.confirm(index),
                Task::Create(new) => {
                    let keyring = self.create(new.clone(), now.wall);
                    if self.write(index, keyring, new.reason) {
                        return;
                    }
                }
                Task::Write(keyring, reason) => {
                    if self.write(index, keyring, reason) {
                        return;
                    }
                }
                Task::Wait(wait) => match is_leader.then(|| self.configure(index)) {
                    Some(Step::Taken) => {}
                    Some(Step::Died) => return,
                    None | Some(Step::None) => return self.sleep(index, wait),
                },
            }
        }
    }

    fn issue(&mut self, index: usize) {
        let now = self.clock(index).wall;
        let Some(running) = &mut self.replicas[index].running else {
            return;
        };
        if let Some(ca) = running.rotation.issuer(now) {
            let issuer = ca.fingerprint();
            let (leaf, validity) = self.issuer.issue(ca, self.lifetimes.leaf, now);
            let served = ServedLeaf { issuer, validity };
            running.rotation.record_served(served);
            running.leaf = Some(leaf);
        }
    }

    /// Reads the Secret past all caches.
    fn confirm(&mut self, index: usize) {
        let now = self.clock(index);
        let secret = self.secret.last().clone();
        if let Some(running) = &mut self.replicas[index].running {
            running.secret = Some(self.secret.0.len() - 1);
            running
                .rotation
                .confirm(secret.content, secret.request, now);
        }
    }

    fn create(&mut self, new: NewCa, now: SystemTime) -> Keyring {
        let (anchor, key) = self.issuer.create(new.not_after, now);
        let signs = new.signs || self.flaw == Some(Flaw::SignsUnpublished);
        let ca = Ca::new(anchor, key, signs.then_some(now));
        new.beside.with_ca(ca, new.request)
    }

    /// Writes the Secret if the replica knows its current version, and observes the result. Returns whether the replica died.
    fn write(&mut self, index: usize, keyring: Keyring, reason: WriteReason) -> bool {
        let Some(running) = &self.replicas[index].running else {
            return true;
        };
        let current = running.secret == Some(self.secret.0.len() - 1);
        let dies = current && self.leads(index) && self.dies();
        if current {
            *self.writes.entry(reason.as_str()).or_default() += 1;
            let request = self.secret.last().request.clone();
            let content = SecretContent::Keyring(keyring);
            self.store_secret(Secret { content, request });
        }
        if dies {
            self.kill(index);
            return true;
        }
        let (now, secret) = (self.clock(index), self.secret.last().clone());
        if let Some(running) = &mut self.replicas[index].running {
            running.secret = Some(self.secret.0.len() - 1);
            let rotation = &mut running.rotation;
            rotation.observe_secret(secret.content, secret.request, now);
        }
        false
    }

    /// Writes one configuration that, as far as this leader knows, does not trust the desired CAs.
    fn configure(&mut self, index: usize) -> Step {
        let now = self.clock(index).wall;
        for which in 0..self.configurations.len() {
            let Some(running) = &self.replicas[index].running else {
                return Step::Died;
            };
            let desired = running.rotation.desired_trust(true, now);
            let Some(desired) = desired.filter(DesiredTrust::may_be_written) else {
                return Step::None;
            };
            let object = &self.configurations[which];
            let Some(version) = running.configurations[which] else {
                continue;
            };
            let observed = &object.0[version].1;
            let wanted = if self.flaw == Some(Flaw::RemovesRetiring) {
                without_retiring(running.rotation.known(), now)
            } else {
                desired.merged_into(&observed.clone().unwrap_or_default(), now)
            };
            let cannot_serve = running.rotation.ready(now).is_err();
            if observed.as_ref() == Some(&wanted) || (observed.is_none() && cannot_serve) {
                continue;
            }
            let newest = object.0.len() - 1;
            if version == newest {
                self.store_configuration(which, Some(wanted));
                if self.dies() {
                    self.kill(index);
                    return Step::Died;
                }
            }
            let newest = self.configurations[which].0.len() - 1;
            if let Some(running) = &mut self.replicas[index].running {
                running.configurations[which] = Some(newest);
            }
            self.observe_trust(index);
            return Step::Taken;
        }
        Step::None
    }

    /// Whether a replica believes that it leads.
    fn leads(&self, index: usize) -> bool {
        let is_former = |(former, until): (usize, u64)| former == index && self.now < until;
        self.leader == Some(index) || self.former.is_some_and(is_former)
    }

    fn dies(&mut self) -> bool {
        self.deadly || self.random.u8(..4) > 0
    }

    fn sleep(&mut self, index: usize, wait: Option<Duration>) {
        let (now, run) = (self.clock(index).wall, self.replicas[index].run);
        let waits = wait.map_or(DAY, |wait| wait.as_secs() + 1);
        let Some(running) = &self.replicas[index].running else {
            return;
        };
        let renewal = running.rotation.renewal();
        let renewal = renewal.and_then(|time| time.duration_since(now).ok());
        let wake = self.now + renewal.map_or(waits, |wait| waits.min(wait.as_secs() + 1));
        // An earlier alarm stays set.
        let alarm = self.replicas[index].alarm;
        if alarm <= self.now || wake < alarm {
            self.replicas[index].alarm = wake;
            self.at(wake, Event::Wake(index, run));
        }
    }
}

/// The CA that signs, and the one that is published to sign next.
fn without_retiring(keyring: &Keyring, now: SystemTime) -> Bundle {
    let signing = keyring.signing(now).map(Ca::fingerprint);
    let retires = |ca: &&Ca| ca.signs_from.is_some() && Some(ca.fingerprint()) != signing;
    let kept = keyring.cas().iter().filter(|ca| !retires(ca));
    Bundle::new(kept.map(|ca| ca.anchor.clone()))
}
