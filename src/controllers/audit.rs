//! The audit of a cluster: everything that is stored is judged as if it were applied today. The leader makes one from time to
//! time, and says what it found in the status of policies, in reports, events, metrics and the log.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;

use super::leader::Leadership;
use crate::cluster::client::Clients;
use crate::cluster::release::ReleaseNames;
use crate::domain::snapshot::Snapshot;
use crate::domain::view::View;
use crate::runtime::published::{Changes, Published};
use crate::scan::cluster::{Counts, Resource, Survey, Surveyed, Terms};

mod events;
mod metrics;
pub mod pass;
mod reports;
mod schedule;
pub mod standing;
mod status;
mod writes;

pub use metrics::Metrics;
pub use schedule::Rhythm;

use crate::cluster::list::{Gap, Pager};
use pass::{Extent, Unread};
use schedule::Schedule;
use standing::{PolicyStatus, Statuses};
use status::Outcome;
use writes::Pace;

/// How many records are kept at most: some ten megabytes.
const KEEP: usize = 10_000;

/// How often the log says how far an audit is.
const SAY: Duration = Duration::from_secs(15);

/// How long to wait until what failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// What an installation wants of audits.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often.
    pub rhythm: Rhythm,
    /// Objects a second; `None` is without a pause.
    pub pace: Option<NonZero<u32>>,
    /// Whether `ConfigMap`s are listed.
    pub config_maps: bool,
    /// Whether reports are written where the cluster knows them.
    pub reports: bool,
    /// Whether events are made on workloads, which needs the right to make them in every namespace.
    pub events_on_owners: bool,
    /// Namespaces that are passed over, as the webhook does.
    pub excluded: BTreeSet<String>,
}

/// Audits the cluster while this replica leads.
pub struct Auditor {
    /// The ways to the API server.
    pub clients: Clients,
    /// What the chart has installed.
    pub release: ReleaseNames,
    /// By what is judged.
    pub view: Arc<Published<Option<View>>>,
    /// Whether this replica leads.
    pub leads: Leadership,
    /// The day that decides over dates of end of life.
    pub today: Arc<dyn Fn() -> Date + Send + Sync>,
    /// What the installation wants.
    pub options: Options,
    /// Counts audits.
    pub metrics: Metrics,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rhythm: Rhythm::default(),
            pace: NonZero::new(100),
            config_maps: true,
            reports: true,
            events_on_owners: false,
            excluded: BTreeSet::new(),
        }
    }
}

impl Auditor {
    /// Runs for ever.
    pub async fn run(self) {
        let mut leads = self.leads.clone();
        loop {
            leads.leading().await;
            leads.run(|| self.lead()).await;
            self.metrics.vanish();
        }
    }

    /// Audits as long as this replica leads; dropped when it does not any more.
    async fn lead(&self) {
        let mut changes = self.view.subscribe();
        let mut judged_by = self.snapshot();
        let last = self.last_audit().await;
        let rhythm = self.options.rhythm;
        let mut schedule = Schedule::of_leader(rhythm, Timestamp::now(), last, fastrand::f64());
        loop {
            let now = Timestamp::now();
            if self
                .changes_within(schedule.wait(now), &mut changes, &mut judged_by)
                .await
            {
                schedule.changed(Timestamp::now());
                continue;
            }
            self.audit().await;
            schedule.ended(Timestamp::now(), fastrand::f64());
            // What changed while it ran was judged in part by what stood before.
            if self.is_changed(&mut judged_by) {
                schedule.changed(Timestamp::now());
            }
        }
    }

    /// Waits, and says whether what is judged by changed before the time was over.
    async fn changes_within(
        &self,
        wait: Duration,
        changes: &mut Changes,
        judged_by: &mut Option<Arc<Snapshot>>,
    ) -> bool {
        let end = tokio::time::sleep(wait);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return false,
                () = changes.changed() => {
                    if self.is_changed(judged_by) {
                        return true;
                    }
                }
            }
        }
    }

    /// Whether mappings or policies are others than those that were looked at last. A namespace that changes is no reason for
    /// an audit.
    fn is_changed(&self, judged_by: &mut Option<Arc<Snapshot>>) -> bool {
        let now = self.snapshot();
        let same = match (&*judged_by, &now) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        *judged_by = now;
        !same
    }

    fn snapshot(&self) -> Option<Arc<Snapshot>> {
        let view = self.view.load();
        Option::as_ref(&view).map(|view| Arc::clone(&view.snapshot))
    }

    /// When the last audit ended that speaks of every policy.
    async fn last_audit(&self) -> Option<Timestamp> {
        let statuses = self.statuses().await;
        let audited: Option<Vec<_>> = statuses.values().map(PolicyStatus::audited).collect();
        audited?.into_iter().min()
    }

    async fn statuses(&self) -> Statuses {
        loop {
            match standing::statuses(&self.pager(None)).await {
                Ok(statuses) => return statuses,
                // Without their definition there are none.
                Err(Gap::Missing) => return Statuses::new(),
                Err(gap) => {
                    tracing::warn!(%gap, "cannot list policies for the audit; tried again");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn pager(&self, pace: Option<NonZero<u32>>) -> Pager {
        Pager {
            client: self.clients.reading.clone(),
            pace,
        }
    }

    /// Audits once, and says what came of it.
    async fn audit(&self) {
        let view = Option::as_ref(&self.view.load()).cloned();
        let Some(view) = view else {
            return;
        };
        let started = Instant::now();
        tracing::info!("the audit begins");
        let statuses = self.statuses().await;
        let (surveyed, unread) = self.survey(view, &statuses).await;
        let outcome = Outcome {
            counts: surveyed.counts,
            sums: &surveyed.sums,
            unread: &unread,
            ended: Timestamp::now(),
        };
        self.metrics.ended(outcome.is_complete(), started.elapsed());
        status::write(&self.clients.writing, outcome, &statuses).await;
        say(outcome, started.elapsed());
        if outcome.is_complete() {
            self.metrics.found(&surveyed, outcome.ended);
            self.publish(outcome, &surveyed, &statuses).await;
        }
    }

    async fn survey(&self, view: View, statuses: &Statuses) -> (Surveyed, Vec<Unread>) {
        let terms = Terms {
            view,
            today: (self.today)(),
            excluded: self.options.excluded.clone(),
            coverage: standing::coverage(&self.clients.reading, statuses).await,
            keep: KEEP,
        };
        let extent = Extent {
            namespace: None,
            config_maps: self.options.config_maps,
        };
        let mut survey = Survey::new(terms);
        let mut said = Instant::now();
        let progress = |resource: &Resource, counts: Counts| {
            self.metrics.progress(counts.objects);
            if said.elapsed() > SAY {
                said = Instant::now();
                tracing::info!(
                    objects = counts.objects,
                    listing = resource.plural,
                    "the audit goes on"
                );
            }
        };
        let pager = self.pager(self.options.pace);
        let unread = pass::pass(&pager, &extent, &mut survey, progress).await;
        (survey.finish(), unread)
    }

    /// Writes reports and events. Of an audit with gaps nothing is written: what it did not see would be taken for gone.
    async fn publish(&self, outcome: Outcome<'_>, surveyed: &Surveyed, statuses: &Statuses) {
        let (client, mut pace) = (&self.clients.writing, Pace::default());
        let instance = &self.release.name;
        events::on_policies(client, instance, outcome, statuses, &mut pace).await;
        if self.options.events_on_owners {
            let found = &surveyed.findings;
            events::on_owners(client, instance, found, outcome.ended, &mut pace).await;
        }
        let mut written = reports::Written::default();
        if self.options.reports {
            let reported = reports::write(&self.clients, &self.release, surveyed, &mut pace).await;
            match reported {
                Ok(done) => written = done,
                Err(gap) => tracing::warn!(%gap, "cannot list reports; the next audit tries again"),
            }
        }
        self.metrics
            .wrote(written.applied, written.deleted, pace.failed);
    }
}

fn say(outcome: Outcome<'_>, took: Duration) {
    let findings: usize = outcome
        .sums
        .policies
        .values()
        .map(|sums| sums.findings)
        .sum();
    let (objects, unread, seconds) = (
        outcome.counts.objects,
        outcome.counts.unread,
        took.as_secs(),
    );
    if outcome.is_complete() {
        tracing::info!(objects, findings, unread, seconds, "the audit is complete");
        return;
    }
    for one in outcome.unread {
        tracing::warn!(resource = one.resource, gap = %one.gap, "the audit has a gap");
    }
    tracing::warn!(
        objects,
        findings,
        unread,
        seconds,
        "the audit is incomplete; the last complete one stands"
    );
}
