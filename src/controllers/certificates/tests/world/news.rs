//! What replicas hear, and when: late, of each state after the one before, and after a stall of all at once.

use super::super::super::published::ReadBack;
use super::super::craft::Craft;
use super::{Event, LATE, Up, World};

impl<C: Craft> World<C> {
    /// What one that starts now hears and when, if each state was stored at one of these times: what a cache had some time
    /// ago, and then each later state.
    pub(super) fn first_news(&mut self, stored: &[u64]) -> Vec<(usize, u64)> {
        let as_of = self.now - self.random.u64(0..=self.now.min(LATE));
        let first = stored.iter().rposition(|time| *time <= as_of).unwrap_or(0);
        let mut news = vec![(first, self.now + self.random.u64(1..=5))];
        for (version, time) in stored.iter().enumerate().skip(first + 1) {
            let latest = (time + LATE).max(self.now + 5);
            news.push((version, self.random.u64(self.now + 5..=latest)));
        }
        news
    }

    pub(super) fn tell_secret(&mut self, seat: usize) {
        let (time, life) = (self.later(seat), self.seats[seat].life);
        self.at(time, Event::Secret(seat, life, self.secret.0.len() - 1));
    }

    pub(super) fn tell_configuration(&mut self, seat: usize, which: usize) {
        let (time, life) = (self.later(seat), self.seats[seat].life);
        let version = self.configurations[which].0.len() - 1;
        self.at(time, Event::Configuration(seat, life, which, version));
    }

    /// When news of this moment reach a replica: half of them soon.
    fn later(&mut self, seat: usize) -> u64 {
        let most = if self.random.bool() { 2 } else { LATE };
        let late = self.random.u64(0..=most);
        self.now.max(self.seats[seat].stalled_until) + late
    }

    pub(super) fn hear_secret(&mut self, seat: usize, life: u32, version: usize) {
        let now = self.clock(seat);
        let Some(up) = self.alive(seat, life) else {
            return;
        };
        if up.secret.is_none_or(|heard| heard < version) {
            up.secret = Some(version);
            let secret = self.secret.0[version].1.clone();
            if let Some(up) = self.alive(seat, life) {
                up.replica.see_secret(secret.stored, secret.wish, now);
            }
            self.act(seat);
        }
    }

    pub(super) fn hear_configuration(
        &mut self,
        seat: usize,
        life: u32,
        which: usize,
        version: usize,
    ) {
        let Some(up) = self.alive(seat, life) else {
            return;
        };
        if up.configurations[which].is_none_or(|heard| heard < version) {
            up.configurations[which] = Some(version);
            self.read_back(seat);
            self.act(seat);
        }
    }

    fn alive(&mut self, seat: usize, life: u32) -> Option<&mut Up<C::Leaf>> {
        let seat = &mut self.seats[seat];
        seat.up.as_mut().filter(|_| seat.life == life)
    }

    /// Tells a replica what it knows of the configurations, once it knows of all.
    pub(super) fn read_back(&mut self, seat: usize) {
        let now = self.clock(seat);
        let Some(up) = &mut self.seats[seat].up else {
            return;
        };
        let states = up.configurations.iter().zip(&self.configurations);
        let known: Option<Vec<_>> = states
            .map(|(version, object)| version.map(|version| &object.0[version].1))
            .collect();
        if let Some(known) = known {
            let bundles = known
                .into_iter()
                .map(|bundle| bundle.clone().unwrap_or_default());
            up.replica.see_configurations(ReadBack::new(bundles), now);
        }
    }
}
