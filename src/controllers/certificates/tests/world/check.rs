//! What must hold at every moment.

use super::super::craft::Craft;
use super::{DAY, Event, STALE, World};

impl<C: Craft> World<C> {
    /// Each replica that has heard of CAs is ready, and what it serves is taken by every API server, however far behind.
    pub(super) fn check(&self, when: &str, event: Event) -> Result<(), String> {
        if self.now < self.checked_from {
            return Ok(());
        }
        let api_server = self.wall(self.askew);
        for (number, seat) in self.seats.iter().enumerate() {
            let Some(up) = &seat.up else { continue };
            let here = |what: &str| {
                Err(format!(
                    "replica {number} {what}, {} days and {} s after the start, {when} {}\nsecret: {:?}\nit: {:#?}",
                    self.now / DAY,
                    self.now % DAY,
                    describe(event),
                    self.secret.last().stored,
                    up.replica,
                ))
            };
            if let Err(why) = up.replica.ready(self.wall(seat.skew)) {
                if up.replica.held().signing(self.wall(seat.skew)).is_some() {
                    return here(&format!("is not ready ({why})"));
                }
                continue;
            }
            let Some(leaf) = &up.leaf else { continue };
            for configuration in &self.configurations {
                for bundle in configuration
                    .since(self.now.saturating_sub(STALE))
                    .flatten()
                {
                    if !self.craft.takes(bundle, leaf, api_server) {
                        return here(&format!("fails a call by {bundle:?}"));
                    }
                }
            }
        }
        Ok(())
    }
}

fn describe(event: Event) -> String {
    match event {
        Event::Secret(seat, ..) => format!("replica {seat} heard of the Secret"),
        Event::Configuration(seat, _, which, _) => format!("{seat} heard of configuration {which}"),
        Event::Wake(seat, _) => format!("{seat} woke"),
        Event::Start(seat) => format!("{seat} started"),
        Event::Elect => "the election".to_owned(),
        Event::Fate(fate) => format!("{fate:?}"),
    }
}
