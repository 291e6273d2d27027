//! Metrics of audits. Only the leader has the gauges, because they describe its last audit.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::reports::ReportsWritten;
use crate::audit::{AuditResult, StoredFinding};
use crate::report::model_ends::{ModelEnd, model_ends};
use crate::report::{FindingRecord, Missed};

/// Counts audits.
#[derive(Debug, Clone)]
pub struct Metrics {
    audits: Family<AuditLabels, Counter>,
    writes: Family<AuditWriteLabels, Counter>,
    findings: Family<FindingLabels, Gauge>,
    objects: Family<NoLabels, Gauge>,
    duration: Family<NoLabels, Gauge<f64, AtomicU64>>,
    last_complete: Family<NoLabels, Gauge>,
    model_ends: Family<ModelLabels, Gauge>,
    opt_out_ends: Family<ObjectLabels, Gauge>,
}

/// How many models, and how many objects, have a gauge of their end, the nearest ones: more would be too many series.
const MOST_ENDS: usize = 20;

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

/// The direct ID of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabels {
    model: String,
}

/// An object, for example `ml/Deployment/chat`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObjectLabels {
    object: String,
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
            model_ends: Family::default(),
            opt_out_ends: Family::default(),
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
        registry.register(
            "model_end_of_life_timestamp_seconds",
            "Unix time at which a model in use ends or has ended, of the 20 models with the nearest ends",
            metrics.model_ends.clone(),
        );
        registry.register(
            "opt_out_end_timestamp_seconds",
            "Unix time at which the annotation that opts an object out ends, of the 20 objects with the nearest ends",
            metrics.opt_out_ends.clone(),
        );
        metrics
    }

    /// Removes the gauges of a replica that is no longer the leader.
    pub(super) fn clear_gauges(&self) {
        self.findings.clear();
        self.objects.clear();
        self.duration.clear();
        self.last_complete.clear();
        self.model_ends.clear();
        self.opt_out_ends.clear();
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
        let records = result.findings.iter().map(|one| &one.record);
        self.set_model_ends(&model_ends(records.clone(), None), ended);
        self.set_opt_out_ends(records);
    }

    /// Sets the ends of the models whose ends are nearest, before or after `now`; the first one of a model that has several.
    fn set_model_ends(&self, ends: &[ModelEnd], now: jiff::Timestamp) {
        self.model_ends.clear();
        let mut seconds: BTreeMap<&str, i64> = BTreeMap::new();
        for end in ends {
            if let Some(at) = start_of(end.date) {
                seconds.entry(&end.model).or_insert(at);
            }
        }
        let mut nearest: Vec<_> = seconds.into_iter().collect();
        nearest.sort_by_key(|(_, at)| now.as_second().abs_diff(*at));
        for (model, at) in nearest.into_iter().take(MOST_ENDS) {
            let model = model.to_owned();
            self.model_ends
                .get_or_create(&ModelLabels { model })
                .set(at);
        }
    }

    /// Sets the ends of the opt-outs that end first, of each object its own.
    fn set_opt_out_ends<'r>(&self, records: impl Iterator<Item = &'r FindingRecord>) {
        self.opt_out_ends.clear();
        let mut nearest: Vec<_> = records
            .filter(|one| !one.preview)
            .filter_map(|one| {
                let next_day = one.opt_out_until?.day.tomorrow().ok()?;
                Some((start_of(next_day)?, one.place()))
            })
            .collect();
        nearest.sort_unstable();
        nearest.dedup();
        for (at, object) in nearest.into_iter().take(MOST_ENDS) {
            self.opt_out_ends
                .get_or_create(&ObjectLabels { object })
                .set(at);
        }
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

/// The Unix time of the start of a day, in UTC.
fn start_of(day: Date) -> Option<i64> {
    let start = day.to_zoned(TimeZone::UTC).ok()?;
    Some(start.timestamp().as_second())
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reason::Reason;
    use crate::report::LastDay;
    use crate::report::fixtures::record;

    fn printed(registry: &Registry) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_nearest_ends_have_gauges() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let today = jiff::civil::date(2026, 11, 23);
        let now = today.to_zoned(TimeZone::UTC).unwrap().timestamp();
        let end = |model: &str, days: i32| ModelEnd {
            date: today.checked_add(jiff::Span::new().days(days)).unwrap(),
            model: model.to_owned(),
            is_uncertain: false,
            is_legacy: true,
            users: BTreeMap::new(),
            successor: BTreeMap::new(),
        };
        let mut ends = vec![end("ended", -3), end("soon", 1), end("soon", 40)];
        ends.extend((100..130).map(|days| end(&format!("late-{days}"), days)));
        metrics.set_model_ends(&ends, now);
        let text = printed(&registry);
        let at = |days: i64| now.as_second() + days * 86_400;
        for (model, days) in [("ended", -3), ("soon", 1), ("late-117", 117)] {
            let sample = format!(
                "model_end_of_life_timestamp_seconds{{model=\"{model}\"}} {}",
                at(days)
            );
            assert!(text.contains(&sample), "{sample}\n{text}");
        }
        assert_eq!(text.lines().count(), MOST_ENDS, "{text}");
        metrics.set_model_ends(&[], now);
        assert_eq!(printed(&registry), "");
    }

    #[test]
    fn the_opt_outs_that_end_first_have_gauges() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let first = jiff::civil::date(2026, 12, 1);
        let until = |name: &str, days: i32| FindingRecord {
            opt_out_until: Some(LastDay {
                day: first.checked_add(jiff::Span::new().days(days)).unwrap(),
                is_near: true,
            }),
            ..record(name, Some(Reason::OptedOut))
        };
        let mut records = vec![until("soon", 0), until("soon", 0)];
        records.push(record("endless", Some(Reason::OptedOut)));
        records.extend((1..30).map(|days| until(&format!("late-{days}"), days)));
        metrics.set_opt_out_ends(records.iter());
        let text = printed(&registry);
        let end = start_of(first).unwrap() + 86_400;
        let sample = format!("opt_out_end_timestamp_seconds{{object=\"ml/Pod/soon\"}} {end}");
        assert!(text.contains(&sample), "{sample}\n{text}");
        assert!(
            text.contains("late-19") && !text.contains("late-20"),
            "{text}"
        );
        assert_eq!(text.lines().count(), MOST_ENDS, "{text}");
        metrics.set_opt_out_ends([].iter());
        assert_eq!(printed(&registry), "");
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
