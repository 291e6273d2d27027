//! What a certificate controller shares with the rest of the program, whoever issues the certificates.

use std::sync::Arc;

use tokio::sync::watch;

use super::metrics::Metrics;
use super::trust::{DesiredTrust, ObservedTrust};
use crate::cluster::leader_election::Leadership;
use crate::runtime::admin::{Hold, Readiness};
use crate::tls::CertificateResolver;

/// Inputs and outputs of a certificate controller.
pub struct CertificateContext {
    /// Input: whether this replica leads.
    pub leadership: Leadership,
    /// Input: the bundles of all clients; `None` until all have been read.
    pub observed: watch::Receiver<Option<ObservedTrust>>,
    /// Output: the CAs that all clients shall trust.
    pub desired: watch::Sender<Option<DesiredTrust>>,
    /// Output: the certificate to serve.
    pub resolver: Arc<CertificateResolver>,
    /// Output: whether the replica can serve.
    pub readiness: ReadinessGate,
    /// Output: metrics.
    pub metrics: Metrics,
}

/// Makes the process unready while it is closed. Unlike a [`Hold`], it can close again.
pub struct ReadinessGate {
    readiness: Readiness,
    hold: Option<Hold>,
}

impl CertificateContext {
    /// The bundles of all clients, once all have been read.
    pub(super) fn observed(&mut self) -> Option<ObservedTrust> {
        self.observed.borrow_and_update().clone()
    }

    /// Whether this replica leads now.
    pub(super) fn is_leader(&self) -> bool {
        self.leadership.is_leader()
    }

    /// Publishes what all clients shall trust.
    pub(super) fn publish(&self, desired: Option<DesiredTrust>) {
        self.desired.send_if_modified(|current| {
            let changed = *current != desired;
            *current = desired;
            changed
        });
    }

    /// Returns when this replica began or ceased to lead, or a client's bundle has changed.
    pub(super) async fn changed(&mut self) {
        tokio::select! {
            () = self.leadership.changed() => {}
            Ok(()) = self.observed.changed() => {}
        }
    }
}

impl ReadinessGate {
    /// A closed gate.
    pub fn new(readiness: Readiness) -> Self {
        let mut gate = Self {
            readiness,
            hold: None,
        };
        gate.set(false);
        gate
    }

    /// Opens or closes the gate. Returns whether it has changed.
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
