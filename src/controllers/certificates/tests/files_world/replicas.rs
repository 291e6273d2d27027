//! What replicas do with their files, and the invariant.

use std::sync::Arc;

use super::{Event, FilesFlaw, FilesWorld, MAX_MOUNT_DELAY, Running};
use crate::controllers::certificates::from_files::LeafSelection;
use crate::controllers::certificates::keyring::Lifetimes;
use crate::controllers::certificates::tests::issuers::{Issuer as _, RealIssuer, SERVER};
use crate::controllers::certificates::tests::world::{DAY, MAX_STALENESS, MINUTE};
use crate::controllers::certificates::trust::ObservedTrust;
use crate::tls::trust::Bundle;

impl FilesWorld {
    /// A process starts: in the Pod of the one before, whose mounted files are as they were, or in a new Pod.
    pub(super) fn start(&mut self, index: usize) {
        let newest = self.files.0.len() - 1;
        let is_new_pod = self.random.bool();
        let replica = &mut self.replicas[index];
        if replica.running.is_some() {
            return;
        }
        if is_new_pod {
            replica.mounted = newest;
        }
        replica.run += 1;
        let (run, mounted) = (replica.run, replica.mounted);
        let content = self.files.0[mounted].1.clone();
        replica.running = Some(Running {
            served: Arc::clone(&content.pair),
            selection: LeafSelection::new(SERVER.to_owned(), Lifetimes::default(), content),
            configurations: vec![None; self.configurations.len()],
            is_early: false,
        });
        if !self.is_accepted(index) {
            let strict = self.flaw == Some(FilesFlaw::NoExceptionAtStart);
            if let Some(running) = &mut self.replicas[index].running {
                running.is_early = !strict;
            }
        }
        for version in mounted + 1..=newest {
            self.send_files(index, version, MAX_MOUNT_DELAY);
        }
        for which in 0..self.configurations.len() {
            let version = self.configurations[which].0.len() - 1;
            self.soon(1..=5, Event::Configuration(index, run, which, version));
        }
    }

    pub(super) fn act(&mut self, index: usize) {
        loop {
            let now = self.clock(index);
            let run = self.replicas[index].run;
            let newest = &self.files.0[self.replicas[index].mounted].1.pair;
            let newest = Arc::clone(newest);
            let Some(running) = self.running(index, run) else {
                return;
            };
            if let Some(pair) = running.selection.take_next(now) {
                running.served = pair;
            }
            let is_pending = running.served.cert != newest.cert;
            if self.leader == Some(index) && self.configure(index) {
                continue;
            }
            if is_pending && self.running(index, run).is_some() {
                self.soon(MINUTE..=10 * MINUTE, Event::Poll(index, run));
            }
            return;
        }
    }

    /// Writes one configuration that, as far as this leader knows, does not trust the desired CAs. Returns whether it knows more then.
    fn configure(&mut self, index: usize) -> bool {
        let now = self.clock(index).wall;
        let files = &self.files.0[self.replicas[index].mounted].1.authorities;
        for which in 0..self.configurations.len() {
            let object = &self.configurations[which];
            let Some(running) = &self.replicas[index].running else {
                return false;
            };
            let Some(version) = running.configurations[which] else {
                continue;
            };
            let observed = &object.0[version].1;
            let wanted = if self.flaw == Some(FilesFlaw::ReplacesTrust) {
                files.clone()
            } else {
                let desired = running.selection.desired_trust(true);
                desired.merged_into(&observed.clone().unwrap_or_default(), now)
            };
            let cannot_serve = running.selection.ready(now).is_err();
            if observed.as_ref() == Some(&wanted) || (observed.is_none() && cannot_serve) {
                continue;
            }
            if version + 1 == object.0.len() {
                self.store_configuration(which, Some(wanted));
                if self.random.bool() {
                    self.kill(index);
                    return false;
                }
            }
            let newest = self.configurations[which].0.len() - 1;
            if let Some(running) = &mut self.replicas[index].running {
                running.configurations[which] = Some(newest);
            }
            self.observe_trust(index);
            return true;
        }
        false
    }

    /// Has a replica observe the configurations, once it knows all of them.
    pub(super) fn observe_trust(&mut self, index: usize) {
        let now = self.clock(index).monotonic;
        let Some(running) = &mut self.replicas[index].running else {
            return;
        };
        let versions = running.configurations.iter().zip(&self.configurations);
        let known: Option<Vec<_>> = versions
            .map(|(version, object)| version.map(|version| object.0[version].1.clone()))
            .collect();
        if let Some(known) = known {
            let bundles = known.into_iter().map(Option::unwrap_or_default);
            running
                .selection
                .observe_trust(ObservedTrust::new(bundles), now);
        }
    }

    pub(super) fn running(&mut self, index: usize, run: u32) -> Option<&mut Running> {
        let replica = &mut self.replicas[index];
        replica.running.as_mut().filter(|_| replica.run == run)
    }

    /// Each replica is ready, and its leaf is accepted by every API server, however stale.
    pub(super) fn check(&mut self, event: Event) -> Result<(), String> {
        for index in 0..self.replicas.len() {
            let wall = self.clock(index).wall;
            let Some(running) = &self.replicas[index].running else {
                continue;
            };
            let failure = |what: &str| {
                let (day, second) = (self.now / DAY, self.now % DAY);
                Err(format!(
                    "replica {index} {what}, {day} days and {second} s after the start, after {}",
                    describe(event)
                ))
            };
            if let Err(error) = running.selection.ready(wall) {
                return failure(&format!("is not ready ({error})"));
            }
            match (self.is_accepted(index), running.is_early) {
                (false, false) => return failure("is rejected by a client"),
                (true, true) => {
                    if let Some(running) = &mut self.replicas[index].running {
                        running.is_early = false;
                    }
                }
                (true, false) | (false, true) => {}
            }
        }
        Ok(())
    }

    /// Whether every API server accepts what the replica serves, whichever of the recent versions it knows.
    fn is_accepted(&self, index: usize) -> bool {
        let now = self.wall(self.api_server_skew);
        let Some(running) = &self.replicas[index].running else {
            return true;
        };
        let from = self.now.saturating_sub(MAX_STALENESS);
        let mut bundles = self
            .configurations
            .iter()
            .flat_map(|object| object.since(from));
        let verifier = RealIssuer::default();
        bundles.all(|bundle| {
            let accepts = |bundle: &Bundle| verifier.accepts(bundle, &running.served, now);
            bundle.as_ref().is_none_or(accepts)
        })
    }
}

fn describe(event: Event) -> String {
    match event {
        Event::Start(index) => format!("the start of replica {index}"),
        Event::Files(index, ..) => format!("replica {index} observed the files"),
        Event::Configuration(index, _, which, _) => {
            format!("replica {index} observed configuration {which}")
        }
        Event::Poll(index, _) => format!("replica {index} looked again"),
        Event::Elect => "the election".to_owned(),
        Event::Kill(index) => format!("the end of replica {index}"),
        Event::Reset(which) => format!("the reset of configuration {which}"),
        Event::Renew => "a renewal".to_owned(),
    }
}
