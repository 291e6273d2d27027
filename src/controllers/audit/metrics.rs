//! What is counted of audits. Gauges speak of the leader's last audit and vanish with the lease.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::report::{FindingRecord, Missed};
use crate::scan::cluster::Surveyed;

/// Counts audits.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    audits: Family<OutcomeLabels, Counter>,
    written: Family<WriteLabels, Counter>,
    findings: Family<ReasonLabels, Gauge>,
    objects: Family<NoLabels, Gauge>,
    duration: Family<NoLabels, Gauge<f64, AtomicU64>>,
    ended: Family<NoLabels, Gauge>,
}

/// What an audit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    report: &'static str,
}

/// The reason for which findings are left, or what becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// None: a family, since a single gauge cannot vanish.
type NoLabels = [(&'static str, &'static str); 0];

impl Metrics {
    /// Makes the families known to `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "audits",
            "Audits of the cluster, complete or with gaps",
            self.audits.clone(),
        );
        registry.register(
            "audit_reports",
            "Reports that were applied or deleted, and writes of the audit that failed",
            self.written.clone(),
        );
        registry.register(
            "audit_findings",
            "Findings of the last audit by reason; Rewrite is what would be rewritten, Missed what was not caught",
            self.findings.clone(),
        );
        registry.register(
            "audit_objects",
            "Objects that the running audit, or the last one, has judged so far",
            self.objects.clone(),
        );
        registry.register(
            "audit_duration_seconds",
            "How long the last audit took",
            self.duration.clone(),
        );
        registry.register(
            "audit_timestamp_seconds",
            "When the last complete audit ended, in seconds since 1970",
            self.ended.clone(),
        );
    }

    /// The lease is lost: what this replica knows is nobody's word any more.
    pub(super) fn vanish(&self) {
        self.findings.clear();
        self.objects.clear();
        self.duration.clear();
        self.ended.clear();
    }

    /// The running audit has judged so many objects.
    pub(super) fn progress(&self, objects: usize) {
        self.objects.get_or_create(&[]).set(gauge(objects));
    }

    /// An audit has ended.
    pub(super) fn ended(&self, complete: bool, took: std::time::Duration) {
        let outcome = if complete { "complete" } else { "incomplete" };
        self.audits.get_or_create(&OutcomeLabels { outcome }).inc();
        self.duration.get_or_create(&[]).set(took.as_secs_f64());
    }

    /// A complete audit has found this.
    pub(super) fn found(&self, surveyed: &Surveyed, ended: jiff::Timestamp) {
        self.ended.get_or_create(&[]).set(ended.as_second());
        self.findings.clear();
        for sums in surveyed.sums.policies.values() {
            let left: usize = sums.left.values().sum();
            self.add("Rewrite", sums.findings - left);
            for (reason, count) in &sums.left {
                self.add(reason, *count);
            }
        }
        let missed = |record: &FindingRecord| record.missed == Some(Missed::Missed);
        let all = surveyed.findings.iter();
        self.add("Missed", all.filter(|kept| missed(&kept.record)).count());
    }

    /// What was written of it.
    pub(super) fn wrote(&self, applied: usize, deleted: usize, failed: usize) {
        for (report, count) in [
            ("applied", applied),
            ("deleted", deleted),
            ("failed", failed),
        ] {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.written
                .get_or_create(&WriteLabels { report })
                .inc_by(count);
        }
    }

    fn add(&self, reason: &'static str, count: usize) {
        let gauge_of = self.findings.get_or_create(&ReasonLabels { reason });
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
    fn gauges_vanish_and_counters_stay() {
        let (metrics, mut registry) = (Metrics::default(), Registry::default());
        metrics.register(&mut registry);
        metrics.progress(7);
        metrics.add("NoRegion", 2);
        metrics.ended(true, std::time::Duration::from_secs(3));
        metrics.wrote(1, 0, 0);
        let before = printed(&registry);
        for sample in [
            "audits_total{outcome=\"complete\"} 1",
            "audit_findings{reason=\"NoRegion\"} 2",
            "audit_objects{} 7",
            "audit_duration_seconds{} 3",
        ] {
            assert!(before.contains(sample), "{sample}\n{before}");
        }
        metrics.vanish();
        let after = printed(&registry);
        assert!(after.contains("audits_total"));
        assert!(
            !after.contains("audit_objects") && !after.contains("NoRegion"),
            "{after}"
        );
    }
}
