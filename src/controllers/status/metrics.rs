//! Metrics of the status controller.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Metrics of the status controller.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    applied: Counter,
    failures: Counter,
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "statuses_applied",
            "Statuses of mappings and policies that this replica has written",
            metrics.applied.clone(),
        );
        registry.register(
            "status_failures",
            "Failed attempts to read or write statuses",
            metrics.failures.clone(),
        );
        metrics
    }

    pub(super) fn count_applied(&self) {
        self.applied.inc();
    }

    pub(super) fn count_failure(&self) {
        self.failures.inc();
    }
}
