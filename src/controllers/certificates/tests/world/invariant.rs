//! What must hold after every event.

use super::{DAY, Event, MAX_STALENESS, World};
use crate::controllers::certificates::tests::issuers::Issuer;

impl<I: Issuer> World<I> {
    /// Each replica that knows a signing CA is ready, and its leaf is accepted by every API server, however stale.
    pub(super) fn check(&self, when: &str, event: Event) -> Result<(), String> {
        if self.now < self.checked_from {
            return Ok(());
        }
        let api_server = self.wall(self.api_server_skew);
        for (index, replica) in self.replicas.iter().enumerate() {
            let Some(running) = &replica.running else {
                continue;
            };
            let failure = |what: &str| {
                Err(format!(
                    "replica {index} {what}, {} days and {} s after the start, {when} {}\nsecret: {:?}\nreplica: {:#?}",
                    self.now / DAY,
                    self.now % DAY,
                    describe(event),
                    self.secret.last().content,
                    running.rotation,
                ))
            };
            let wall = self.wall(replica.skew);
            if let Err(reason) = running.rotation.ready(wall) {
                if running.rotation.known().signing(wall).is_some() {
                    return failure(&format!("is not ready ({reason})"));
                }
                continue;
            }
            let Some(leaf) = &running.leaf else { continue };
            for configuration in &self.configurations {
                for bundle in configuration
                    .since(self.now.saturating_sub(MAX_STALENESS))
                    .flatten()
                {
                    if !self.issuer.accepts(bundle, leaf, api_server) {
                        return failure(&format!("is rejected by a client of {bundle:?}"));
                    }
                }
            }
        }
        Ok(())
    }
}

fn describe(event: Event) -> String {
    match event {
        Event::Secret(index, ..) => format!("replica {index} observed the Secret"),
        Event::Configuration(index, _, which, _) => {
            format!("replica {index} observed configuration {which}")
        }
        Event::Wake(index, _) => format!("replica {index} woke"),
        Event::Start(index) => format!("replica {index} started"),
        Event::Elect => "the election".to_owned(),
        Event::Fault(fault) => format!("{fault:?}"),
    }
}
