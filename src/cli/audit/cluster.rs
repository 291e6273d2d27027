//! `audit` without files: audits the cluster of the kubeconfig, with its own custom resources where it has them.

use std::io::{IsTerminal as _, Write as _};

use crate::audit::{
    AuditInput, AuditResult, Counts, ListScope, audit_cluster, list_policy_statuses, read_coverage,
};
use crate::cluster::list::Pager;
use crate::cluster::release::SYSTEM_NAMESPACE;
use crate::domain::kinds::BuiltInKind;
use crate::report::{AuditReport, AuditSubject};

use super::super::cluster_args::block_on;
use super::super::cluster_view;
use super::super::console::message;
use super::super::interruption::Interruption;
use super::super::tally::subject;
use super::{Args, Tally};

/// Audits the cluster.
pub(super) fn audit(
    args: &Args,
    interruption: &Interruption,
) -> anyhow::Result<(AuditReport, Tally)> {
    block_on(async {
        let connection = args.cluster.connect().await?;
        let pager = connection.pager;
        let scope = ListScope {
            namespace: (!args.all_namespaces).then(|| {
                let namespace = args.files.namespace.clone();
                namespace.unwrap_or(connection.clients.namespace)
            }),
            config_maps: true,
        };
        if let Some(namespace) = &scope.namespace {
            cluster_view::check_namespace(&pager, namespace).await?;
        }
        let mut tally = Tally::default();
        let input = input(args, &pager, &mut tally).await?;
        let mut progress = Progress::default();
        let print = |kind: &BuiltInKind, counts| progress.print(kind, counts);
        let work = interruption.begin();
        let result = audit_cluster(&pager, &scope, input, print, interruption.stopped()).await;
        drop(work);
        progress.clear();
        report_incomplete(&result, &mut tally);
        tally.stop(interruption.received());
        report_unselected(result.counts);
        let incomplete = result.incomplete.iter().map(ToString::to_string).collect();
        let findings = result.findings.into_iter().map(|stored| stored.record);
        let today = (args.files.evaluation.today())();
        let subject = AuditSubject {
            incomplete,
            ..subject(today, result.counts.objects)?
        };
        let report = AuditReport::new(subject, findings.collect());
        Ok((report, tally))
    })
}

async fn input(args: &Args, pager: &Pager, tally: &mut Tally) -> anyhow::Result<AuditInput> {
    let statuses = list_policy_statuses(pager).await.unwrap_or_default();
    let excluded = args.all_namespaces.then(|| SYSTEM_NAMESPACE.to_owned());
    let evaluation = &args.files.evaluation;
    let mut view = cluster_view::view(evaluation, pager, tally).await?;
    view.assumed_region = args.files.region;
    Ok(AuditInput {
        view,
        today: (evaluation.today())(),
        excluded: excluded.into_iter().collect(),
        coverage: read_coverage(&pager.client, &statuses).await,
        objects: args.files.selector.clone().unwrap_or_default(),
        max_records: usize::MAX,
    })
}

fn report_incomplete(result: &AuditResult, tally: &mut Tally) {
    for list in &result.incomplete {
        tally.error(&format!("incomplete: cannot list {list}"));
    }
    let unreadable = result.counts.unreadable;
    if unreadable > 0 {
        tally.error(&format!("incomplete: {unreadable} objects cannot be read"));
    }
}

/// Prints how many objects no policy selects: a warning if that is all of them, which is rarely meant.
fn report_unselected(counts: Counts) {
    let (objects, unselected) = (counts.objects, counts.unselected);
    if unselected == 0 {
        return;
    }
    let level = if unselected == objects {
        "warning"
    } else {
        "note"
    };
    message!(
        "{level}: no policy selects {unselected} of {objects} objects, whose IDs are not found"
    );
}

/// The progress line of a terminal.
#[derive(Default)]
struct Progress {
    is_printed: bool,
}

impl Progress {
    fn print(&mut self, kind: &BuiltInKind, counts: Counts) {
        let mut stderr = std::io::stderr();
        if stderr.is_terminal() {
            let (objects, plural) = (counts.objects, kind.plural);
            // A failed write is no reason to stop: the report goes to another stream.
            let _ = write!(stderr, "\r\u{1b}[K{objects} objects, listing {plural}");
            self.is_printed = true;
        }
    }

    fn clear(self) {
        if self.is_printed {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
