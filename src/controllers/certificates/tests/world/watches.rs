//! What replicas observe, and when: late, each state after the one before, and after a stall all at once.

use super::{Event, MAX_WATCH_DELAY, Running, World};
use crate::controllers::certificates::tests::issuers::Issuer;
use crate::controllers::certificates::trust::ObservedTrust;

impl<I: Issuer> World<I> {
    /// What a replica that starts now observes, and when, of an object whose versions were stored at these times: the version
    /// of a stale cache, and then each later version.
    pub(super) fn initial_list(&mut self, stored: &[u64]) -> Vec<(usize, u64)> {
        let as_of = self.now - self.random.u64(0..=self.now.min(MAX_WATCH_DELAY));
        let first = stored.iter().rposition(|time| *time <= as_of).unwrap_or(0);
        let mut observations = vec![(first, self.now + self.random.u64(1..=5))];
        for (version, time) in stored.iter().enumerate().skip(first + 1) {
            let latest = (time + MAX_WATCH_DELAY).max(self.now + 5);
            observations.push((version, self.random.u64(self.now + 5..=latest)));
        }
        observations
    }

    pub(super) fn send_secret(&mut self, index: usize) {
        let (time, run) = (self.delivery(index), self.replicas[index].run);
        let version = self.secret.0.len() - 1;
        self.at(time, Event::Secret(index, run, version));
    }

    pub(super) fn send_configuration(&mut self, index: usize, which: usize) {
        let (time, run) = (self.delivery(index), self.replicas[index].run);
        let version = self.configurations[which].0.len() - 1;
        self.at(time, Event::Configuration(index, run, which, version));
    }

    /// When a change of this moment reaches a replica: half of them within two seconds.
    fn delivery(&mut self, index: usize) -> u64 {
        let longest = if self.random.bool() {
            2
        } else {
            MAX_WATCH_DELAY
        };
        let delay = self.random.u64(0..=longest);
        self.now.max(self.replicas[index].stalled_until) + delay
    }

    pub(super) fn receive_secret(&mut self, index: usize, run: u32, version: usize) {
        let now = self.clock(index);
        let Some(running) = self.running(index, run) else {
            return;
        };
        if running.secret.is_none_or(|observed| observed < version) {
            running.secret = Some(version);
            let secret = self.secret.0[version].1.clone();
            if let Some(running) = self.running(index, run) {
                let rotation = &mut running.rotation;
                rotation.observe_secret(secret.content, secret.request, now);
            }
            self.act(index);
        }
    }

    pub(super) fn receive_configuration(
        &mut self,
        index: usize,
        run: u32,
        which: usize,
        version: usize,
    ) {
        let Some(running) = self.running(index, run) else {
            return;
        };
        if running.configurations[which].is_none_or(|observed| observed < version) {
            running.configurations[which] = Some(version);
            self.observe_trust(index);
            self.act(index);
        }
    }

    fn running(&mut self, index: usize, run: u32) -> Option<&mut Running<I::Leaf>> {
        let replica = &mut self.replicas[index];
        replica.running.as_mut().filter(|_| replica.run == run)
    }

    /// Has a replica observe the configurations, once it knows all of them.
    pub(super) fn observe_trust(&mut self, index: usize) {
        let now = self.clock(index);
        let Some(running) = &mut self.replicas[index].running else {
            return;
        };
        let versions = running.configurations.iter().zip(&self.configurations);
        let known: Option<Vec<_>> = versions
            .map(|(version, object)| version.map(|version| &object.0[version].1))
            .collect();
        if let Some(known) = known {
            let bundles = known
                .into_iter()
                .map(|bundle| bundle.clone().unwrap_or_default());
            let observed = ObservedTrust::new(bundles);
            running.rotation.observe_trust(observed, now);
        }
    }
}
