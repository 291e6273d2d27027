//! Audits of the cluster by the leader: when they run, and where their results are written: the status of policies, reports,
//! events, metrics and the log. [`crate::audit`] does the audit itself.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;

use super::reconcile::{self, Next, Reconciler};
use crate::audit::{
    AuditInput, AuditResult, Counts, ListScope, PolicyStatus, PolicyStatuses, PolicyTotals,
    audit_cluster, list_policy_statuses, read_coverage,
};
use crate::cluster::client::Clients;
use crate::cluster::leader_election::Leadership;
use crate::cluster::list::{ListError, Pager};
use crate::cluster::release::ReleaseNames;
use crate::domain::kinds::BuiltInKind;
use crate::domain::policy::Selector;
use crate::domain::snapshot::Snapshot;
use crate::domain::view::View;
use crate::runtime::published::{Changes, Published};

mod events;
mod metrics;
mod reports;
mod schedule;
mod status;
mod write_limit;

pub use metrics::Metrics;
pub use schedule::AuditInterval;

use schedule::Schedule;
use write_limit::WriteLimiter;

/// The maximum number of stored records: about ten megabytes.
const MAX_RECORDS: usize = 10_000;

/// The interval of progress messages in the log.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(15);

/// How a release audits its cluster.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// When audits run.
    pub interval: AuditInterval,
    /// The maximum number of objects to list each second; `None` is unlimited.
    pub objects_per_second: Option<NonZero<u32>>,
    /// Whether to list `ConfigMap`s.
    pub config_maps: bool,
    /// Whether to write reports where the cluster has OpenReports.
    pub reports: bool,
    /// Whether to create events on workloads, which needs permission to create events in every namespace.
    pub events_on_owners: bool,
    /// Namespaces to skip, as the webhook skips them.
    pub excluded: BTreeSet<String>,
}

/// Audits the cluster while this replica is the leader.
pub struct AuditRunner {
    /// Clients of the API server.
    pub clients: Clients,
    /// The names of the release.
    pub release: ReleaseNames,
    /// Policies, mappings and the cluster's region.
    pub view: Arc<Published<Option<View>>>,
    /// Whether this replica is the leader.
    pub leadership: Leadership,
    /// The day that end-of-life dates are compared with.
    pub today: Arc<dyn Fn() -> Date + Send + Sync>,
    /// How to audit.
    pub options: AuditOptions,
    /// Counts audits.
    pub metrics: Metrics,
}

/// Why an audit cannot start.
#[derive(Debug, thiserror::Error)]
enum AuditError {
    /// The policies cannot be listed.
    #[error("cannot list policies for the audit: {0}")]
    Policies(#[source] ListError),
}

/// A finished audit.
struct FinishedAudit {
    result: AuditResult,
    ended: Timestamp,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            interval: AuditInterval::default(),
            objects_per_second: NonZero::new(100),
            config_maps: true,
            reports: true,
            events_on_owners: false,
            excluded: BTreeSet::new(),
        }
    }
}

impl FinishedAudit {
    /// The totals of a policy; zero where the audit found nothing.
    fn totals(&self, policy: &str) -> PolicyTotals {
        let totals = self.result.totals.policies.get(policy);
        totals.cloned().unwrap_or_default()
    }

    fn log(&self, duration: Duration) {
        let result = &self.result;
        let totals = result.totals.policies.values();
        let findings: usize = totals.map(|totals| totals.findings).sum();
        let Counts {
            objects,
            unreadable,
            unselected: _,
        } = result.counts;
        let seconds = duration.as_secs();
        if result.is_complete() {
            tracing::info!(objects, findings, unreadable, seconds, "audit completed");
            return;
        }
        for list in &result.incomplete {
            tracing::warn!(resource = list.resource, error = %list.error, "audit cannot list a resource");
        }
        tracing::warn!(
            objects,
            findings,
            unreadable,
            seconds,
            "audit incomplete; keeping the result of the last complete audit"
        );
    }
}

/// The running controller.
struct Audits {
    runner: AuditRunner,
    view_changes: Changes,
    /// The schedule of this leader; `None` in other replicas.
    schedule: Option<Schedule>,
    /// The snapshot when the schedule was last updated.
    snapshot: Option<Arc<Snapshot>>,
}

impl Reconciler for Audits {
    type Error = AuditError;
    const NAME: &'static str = "audit";

    async fn changed(&mut self) {
        tokio::select! {
            () = self.view_changes.changed() => {}
            () = self.runner.leadership.changed() => {}
        }
    }

    async fn step(&mut self) -> Result<Next, AuditError> {
        let leadership = self.runner.leadership.clone();
        let next = leadership.run(|| self.step_as_leader()).await;
        next.unwrap_or_else(|| {
            if self.schedule.take().is_some() {
                self.runner.metrics.clear_gauges();
            }
            Ok(Next::Change)
        })
    }
}

impl Audits {
    /// Audits if an audit is due.
    async fn step_as_leader(&mut self) -> Result<Next, AuditError> {
        let has_changed = self.has_snapshot_changed();
        let now = Timestamp::now();
        let schedule = match &mut self.schedule {
            Some(schedule) => {
                if has_changed {
                    schedule.input_changed(now);
                }
                schedule
            }
            schedule => {
                let last = self.runner.last_audit().await?;
                let interval = self.runner.options.interval;
                schedule.insert(Schedule::for_new_leader(
                    interval,
                    now,
                    last,
                    fastrand::f64(),
                ))
            }
        };
        let wait = schedule.until_due(Timestamp::now());
        if !wait.is_zero() {
            return Ok(Next::Within(wait));
        }
        self.runner.audit().await?;
        schedule.audit_ended(Timestamp::now(), fastrand::f64());
        Ok(Next::Within(schedule.until_due(Timestamp::now())))
    }

    /// Whether mappings or policies changed since the last call. A change during an audit is found after it. Changed namespaces
    /// need no audit.
    fn has_snapshot_changed(&mut self) -> bool {
        let view = self.runner.view.load();
        let now = Option::as_ref(&view).map(|view| Arc::clone(&view.snapshot));
        let is_same = match (&self.snapshot, &now) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.snapshot = now;
        !is_same
    }
}

impl AuditRunner {
    /// Runs forever.
    pub async fn run(self) {
        reconcile::run(Audits {
            view_changes: self.view.subscribe(),
            schedule: None,
            snapshot: None,
            runner: self,
        })
        .await;
    }

    /// When the last audit ended that every policy's status knows of.
    async fn last_audit(&self) -> Result<Option<Timestamp>, AuditError> {
        let statuses = self.policy_statuses().await?;
        let audited: Option<Vec<_>> = statuses.values().map(PolicyStatus::audited).collect();
        Ok(audited.and_then(|times| times.into_iter().min()))
    }

    async fn policy_statuses(&self) -> Result<PolicyStatuses, AuditError> {
        match list_policy_statuses(&self.pager(None)).await {
            // The custom resource definition is not installed.
            Err(ListError::NotFound) => Ok(PolicyStatuses::new()),
            statuses => statuses.map_err(AuditError::Policies),
        }
    }

    fn pager(&self, objects_per_second: Option<NonZero<u32>>) -> Pager {
        Pager {
            client: self.clients.reading.clone(),
            objects_per_second,
            request_timeout: None,
        }
    }

    /// Audits once, and writes the result.
    async fn audit(&self) -> Result<(), AuditError> {
        let view = Option::as_ref(&self.view.load()).cloned();
        let Some(view) = view else {
            return Ok(());
        };
        let started = Instant::now();
        tracing::info!("audit started");
        let statuses = self.policy_statuses().await?;
        let audit = FinishedAudit {
            result: self.audit_cluster(view, &statuses).await,
            ended: Timestamp::now(),
        };
        let duration = started.elapsed();
        self.metrics
            .audit_ended(audit.result.is_complete(), duration);
        status::write(&self.clients.writing, &audit, &statuses).await;
        audit.log(duration);
        if audit.result.is_complete() {
            self.metrics.set_findings(&audit.result, audit.ended);
            self.publish(&audit, &statuses).await;
        }
        Ok(())
    }

    async fn audit_cluster(&self, view: View, statuses: &PolicyStatuses) -> AuditResult {
        let input = AuditInput {
            view,
            today: (self.today)(),
            excluded: self.options.excluded.clone(),
            coverage: read_coverage(&self.clients.reading, statuses).await,
            objects: Selector::default(),
            keeps_outdated_pods: false,
            max_records: MAX_RECORDS,
        };
        let scope = ListScope {
            namespace: None,
            config_maps: self.options.config_maps,
        };
        let mut logged = Instant::now();
        let progress = |kind: &BuiltInKind, counts: Counts| {
            self.metrics.set_objects(counts.objects);
            if logged.elapsed() > PROGRESS_INTERVAL {
                logged = Instant::now();
                tracing::info!(
                    objects = counts.objects,
                    resource = kind.plural,
                    "audit in progress"
                );
            }
        };
        let pager = self.pager(self.options.objects_per_second);
        let [result] =
            audit_cluster(&pager, &scope, [input], progress, std::future::pending()).await;
        result
    }

    /// Writes reports and events of a complete audit. After an incomplete one, missing findings would look resolved.
    async fn publish(&self, audit: &FinishedAudit, statuses: &PolicyStatuses) {
        let (client, mut limiter) = (&self.clients.writing, WriteLimiter::default());
        let instance = &self.release.name;
        let mut all = events::for_policies(audit, statuses);
        if self.options.events_on_owners {
            all.extend(events::for_owners(&audit.result.findings));
        }
        events::create_all(client, instance, &all, audit.ended, &mut limiter).await;
        let mut written = reports::ReportsWritten::default();
        if self.options.reports {
            let clients = &self.clients;
            let outcome = reports::write(clients, &self.release, &audit.result, &mut limiter).await;
            match outcome {
                Ok(done) => written = done,
                Err(error) => {
                    tracing::warn!(%error, "cannot list reports; the next audit retries");
                }
            }
        }
        self.metrics.add_writes(written, limiter.failed);
    }
}
