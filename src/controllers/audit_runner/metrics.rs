//! Metrics of audits. Only the leader has the gauges, because they describe its last audit.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::reports::ReportsWritten;
use crate::audit::{AuditResult, StoredFinding};
use crate::report::Missed;

/// Counts audits.
#[derive(Debug, Clone)]
pub struct Metrics {
    audits: Family<AuditLabels, Counter>,
    writes: Family<AuditWriteLabels, Counter>,
    findings: Family<FindingLabels, Gauge>,
    objects: Family<NoLabels, Gauge>,
    duration: Family<NoLabels, Gauge<f64, AtomicU64>>,
    last_complete: Family<NoLabels, Gauge>,
}

/// Whether an audit was complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AuditLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AuditWriteLabels {
    result: &'static str,
}

/// The reason why findings are unchanged, or `Rewrite` or `Missed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    reason: &'static str,
}

/// No labels. A family can be cleared, a single gauge cannot.
type NoLabels = [(&'static str, &'static str); 0];

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            audits: Family::default(),
            writes: Family::default(),
            findings: Family::default(),
            objects: Family::default(),
            duration: Family::default(),
            last_complete: Family::default(),
        };
        registry.register(
            "audits",
            "Audits of the cluster, by outcome (complete or incomplete)",
            metrics.audits.clone(),
        );
        registry.register(
            "audit_writes",
            "Reports applied and deleted by audits, and failed writes of reports and events, by result",
            metrics.writes.clone(),
        );
        registry.register(
            "audit_findings",
            "Findings of the last complete audit, by reason (Rewrite: to be rewritten; Missed: not caught by the webhook)",
            metrics.findings.clone(),
        );
        registry.register(
            "audit_objects",
            "Objects evaluated by the running or the last audit",
            metrics.objects.clone(),
        );
        registry.register(
            "audit_duration_seconds",
            "Duration of the last audit",
            metrics.duration.clone(),
        );
        registry.register(
            "audit_timestamp_seconds",
            "Unix time at which the last complete audit ended",
            metrics.last_complete.clone(),
        );
        metrics
    }

    /// Removes the gauges of a replica that is no longer the leader.
    pub(super) fn clear_gauges(&self) {
        self.findings.clear();
        self.objects.clear();
        self.duration.clear();
        self.last_complete.clear();
    }

    /// Sets the number of objects that the running audit has evaluated.
    pub(super) fn set_objects(&self, objects: usize) {
        self.objects.get_or_create(&[]).set(gauge(objects));
    }

    /// Counts an audit.
    pub(super) fn audit_ended(&self, is_complete: bool, duration: std::time::Duration) {
        let outcome = if is_complete {
            "complete"
        } else {
            "incomplete"
        };
        self.audits.get_or_create(&AuditLabels { outcome }).inc();
        self.duration.get_or_create(&[]).set(duration.as_secs_f64());
    }

    /// Sets the findings of a complete audit.
    pub(super) fn set_findings(&self, result: &AuditResult, ended: jiff::Timestamp) {
        self.last_complete.get_or_create(&[]).set(ended.as_second());
        self.findings.clear();
        for totals in result.totals.policies.values() {
            self.add_findings("Rewrite", totals.rewrites());
            for (reason, count) in &totals.unchanged {
                self.add_findings(reason, *count);
            }
        }
        let is_missed = |one: &&StoredFinding| one.record.missed == Some(Missed::Missed);
        let missed = result.findings.iter().filter(is_missed).count();
        self.add_findings("Missed", missed);
    }

    /// Counts the writes of an audit.
    pub(super) fn add_writes(&self, reports: ReportsWritten, failed: usize) {
        for (result, count) in [
            ("applied", reports.applied),
            ("deleted", reports.deleted),
            ("failed", failed),
        ] {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            let counter = self.writes.get_or_create(&AuditWriteLabels { result });
            counter.inc_by(count);
        }
    }

    fn add_findings(&self, reason: &'static str, count: usize) {
        let gauge_of = self.findings.get_or_create(&FindingLabels { reason });
        gauge_of.inc_by(gauge(count));
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(registry: &Registry) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn gauges_are_cleared_with_leadership_and_counters_stay() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        metrics.set_objects(7);
        metrics.add_findings("NoRegion", 2);
        metrics.audit_ended(true, std::time::Duration::from_secs(3));
        metrics.add_writes(ReportsWritten::default(), 1);
        let before = printed(&registry);
        for sample in [
            "audits_total{outcome=\"complete\"} 1",
            "audit_findings{reason=\"NoRegion\"} 2",
            "audit_writes_total{result=\"failed\"} 1",
            "audit_objects{} 7",
            "audit_duration_seconds{} 3",
        ] {
            assert!(before.contains(sample), "{sample}\n{before}");
        }
        metrics.clear_gauges();
        let after = printed(&registry);
        assert!(after.contains("audits_total"));
        assert!(
            !after.contains("audit_objects") && !after.contains("NoRegion"),
            "{after}"
        );
    }
}
