//! What certificates hang on and where they go: the same, whoever issues them.

use std::sync::Arc;

use tokio::sync::watch;

use super::metrics::Metrics;
use super::published::{ReadBack, Target};
use crate::controllers::arming::Entries;
use crate::controllers::leader::Leadership;
use crate::runtime::admin::{Hold, Readiness};
use crate::tls::Resolver;

/// What a follower of certificates is given.
pub struct Ties {
    /// Whether this replica leads.
    pub leads: Leadership,
    /// What stands in the cluster of the entries.
    pub entries: watch::Receiver<Entries>,
    /// Where it is said what the entries are to trust.
    pub target: watch::Sender<Option<Target>>,
    /// Where the leaf to serve goes.
    pub resolver: Arc<Resolver>,
    /// What is kept from being ready without a leaf that is good.
    pub readiness: Gate,
    /// Counts.
    pub metrics: Metrics,
}

/// A hold that can be taken again.
pub struct Gate {
    readiness: Readiness,
    hold: Option<Hold>,
}

impl Ties {
    /// What the entries trust, once all have been looked for.
    pub(super) fn read_back(&mut self) -> Option<ReadBack> {
        let entries = self.entries.borrow_and_update();
        let existing = entries.by_name.values().filter(|entry| entry.exists);
        let bundles = existing.map(|entry| entry.ca_bundle.as_slice());
        entries.complete.then(|| ReadBack::of_pem(bundles))
    }

    /// Whether this replica leads now.
    pub(super) fn leads(&self) -> bool {
        self.leads.is_leader()
    }

    /// Says what the entries are to trust, where it is news.
    pub(super) fn aim(&self, target: Option<Target>) {
        self.target.send_if_modified(|before| {
            let other = *before != target;
            *before = target;
            other
        });
    }

    /// Comes when this replica begins or ends to lead, or an entry has changed.
    pub(super) async fn changed(&mut self) {
        tokio::select! {
            () = self.leads.changed() => {}
            Ok(()) = self.entries.changed() => {}
        }
    }
}

impl Gate {
    /// Shut from the start.
    pub fn new(readiness: Readiness) -> Self {
        let mut gate = Self {
            readiness,
            hold: None,
        };
        gate.set(false);
        gate
    }

    /// Opens or shuts it. Whether that is news.
    pub fn set(&mut self, open: bool) -> bool {
        match (open, self.hold.take()) {
            (true, Some(hold)) => hold.release(),
            (false, None) => {
                self.hold = Some(self.readiness.hold("a certificate that clients trust"));
            }
            (_, hold) => {
                self.hold = hold;
                return false;
            }
        }
        true
    }
}
