//! The cluster of the kubeconfig, evaluated with its own custom resources where it has them.

use std::io::{IsTerminal as _, Write as _};

use serde_json::Value;

use crate::audit::{
    AuditInput, AuditResult, Counts, ListScope, audit_cluster, list_policy_statuses, read_coverage,
};
use crate::cluster::list::{ListError, ListRequest, Pager};
use crate::cluster::release::SYSTEM_NAMESPACE;
use crate::domain::kinds::BuiltInKind;
use crate::domain::object::Object;
use crate::domain::view::View;
use crate::domain::workload_role::{WorkloadRole, WorkloadRoles, workload_role};
use crate::report::{AuditReport, AuditSubject};
use crate::text::Tree;

use super::super::cluster_args::block_on;
use super::super::cluster_view;
use super::super::console::message;
use super::super::interruption::Interruption;
use super::super::planned_change_args::PlannedChangeArgs;
use super::super::restart_plan;
use super::super::tally::{Tally, subject};
use super::{AuditPurpose, Comparison, SubjectArgs};

/// Audits the cluster.
pub(super) fn audit(
    args: &SubjectArgs,
    interruption: &Interruption,
    purpose: AuditPurpose,
) -> anyhow::Result<(AuditReport, Tally)> {
    block_on(async {
        let cluster = AuditedCluster::connect(args).await?;
        let pager = &cluster.pager;
        let mut tally = Tally::default();
        let view = cluster_view::view(&args.files.evaluation, pager, &mut tally).await?;
        let input = AuditInput {
            keeps_outdated_pods: purpose == AuditPurpose::Restarts,
            ..cluster.input(view).await
        };
        let [result] = cluster.audit([input], interruption, &mut tally).await;
        if purpose == AuditPurpose::Permissions && interruption.received().is_none() {
            tally.roles = roles(pager).await?;
        }
        // A plan of a part of the Pods would be followed as if it were whole.
        if purpose == AuditPurpose::Restarts && result.is_complete() {
            let plan = restart_plan::read(pager, &cluster.scope, &result.outdated_pods).await?;
            tally.restart_plan = Some(plan);
        }
        report_unselected(result.counts);
        Ok((cluster.report(result)?, tally))
    })
}

/// Audits the cluster with its mappings and policies, and with those after a change. Both audits see the same objects.
pub(super) fn compare(
    args: &SubjectArgs,
    change: &PlannedChangeArgs,
    interruption: &Interruption,
) -> anyhow::Result<(Comparison, Tally)> {
    block_on(async {
        let cluster = AuditedCluster::connect(args).await?;
        let pager = &cluster.pager;
        let evaluation = &args.files.evaluation;
        let mut tally = Tally::default();
        let [now, planned] =
            cluster_view::views_of_change(change, evaluation, pager, &mut tally).await?;
        let input = cluster.input(now).await;
        let assumed_region = input.view.assumed_region;
        let planned = AuditInput {
            view: View {
                assumed_region,
                ..planned
            },
            ..input.clone()
        };
        let results = cluster
            .audit([input, planned], interruption, &mut tally)
            .await;
        let [now, planned] = results.map(|result| cluster.report(result));
        let comparison = Comparison {
            now: now?,
            planned: planned?,
        };
        Ok((comparison, tally))
    })
}

/// The part of a cluster that the arguments select.
struct AuditedCluster<'a> {
    args: &'a SubjectArgs,
    pager: Pager,
    scope: ListScope,
}

impl<'a> AuditedCluster<'a> {
    async fn connect(args: &'a SubjectArgs) -> anyhow::Result<Self> {
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
        Ok(Self { args, pager, scope })
    }

    /// What an audit with this view evaluates with.
    async fn input(&self, mut view: View) -> AuditInput {
        let (args, pager) = (self.args, &self.pager);
        let statuses = list_policy_statuses(pager).await.unwrap_or_default();
        let excluded = args.all_namespaces.then(|| SYSTEM_NAMESPACE.to_owned());
        view.assumed_region = args.files.region;
        AuditInput {
            view,
            today: (args.files.evaluation.today())(),
            excluded: excluded.into_iter().collect(),
            coverage: read_coverage(&pager.client, &statuses).await,
            objects: args.files.selector.clone().unwrap_or_default(),
            max_records: usize::MAX,
            keeps_outdated_pods: false,
        }
    }

    /// The results of audits of the same objects.
    async fn audit<const N: usize>(
        &self,
        inputs: [AuditInput; N],
        interruption: &Interruption,
        tally: &mut Tally,
    ) -> [AuditResult; N] {
        let mut progress = Progress::default();
        let print = |kind: &BuiltInKind, counts| progress.print(kind, counts);
        let work = interruption.begin();
        let stopped = interruption.stopped();
        let results = audit_cluster(&self.pager, &self.scope, inputs, print, stopped).await;
        drop(work);
        progress.clear();
        if let Some(result) = results.first() {
            report_incomplete(result, tally);
        }
        tally.stop(interruption.received());
        results
    }

    fn report(&self, result: AuditResult) -> anyhow::Result<AuditReport> {
        let incomplete = result.incomplete.iter().map(ToString::to_string).collect();
        let findings = result.findings.into_iter().map(|stored| stored.record);
        let today = (self.args.files.evaluation.today())();
        let subject = AuditSubject {
            incomplete,
            ..subject(today, result.counts.objects)?
        };
        Ok(AuditReport::new(subject, findings.collect()))
    }
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

/// The lists of Pod Identity associations, of ACK and of Crossplane.
const ASSOCIATIONS: [&str; 2] = [
    "/apis/eks.services.k8s.aws/v1alpha1/podidentityassociations",
    "/apis/eks.aws.upbound.io/v1beta1/podidentityassociations",
];

/// The roles of the ServiceAccounts of the cluster, as far as the caller may list them.
async fn roles(pager: &Pager) -> Result<WorkloadRoles, ListError> {
    let mut roles = WorkloadRoles::new();
    let accounts = "/api/v1/serviceaccounts";
    for path in std::iter::once(accounts).chain(ASSOCIATIONS) {
        let request = ListRequest {
            path: path.to_owned(),
            ..ListRequest::default()
        };
        match pager.collect::<Value>(&request).await {
            Ok(objects) => {
                for object in objects {
                    // The items of a list have no kind.
                    add_role(object, path == accounts, &mut roles);
                }
            }
            // The resources of this operator are not installed.
            Err(ListError::NotFound) => {}
            Err(error) if error.is_final() => return Err(error),
            Err(error) => {
                message!("note: cannot list {path}: {error}; the roles there are unknown");
            }
        }
    }
    Ok(roles)
}

fn add_role(mut object: Value, is_account: bool, roles: &mut WorkloadRoles) {
    if is_account {
        object["apiVersion"] = "v1".into();
        object["kind"] = "ServiceAccount".into();
    }
    let own = object["metadata"]["namespace"].as_str().map(Box::from);
    let text = object.to_string();
    let Ok(tree) = Tree::json_file(&text) else {
        return;
    };
    if let Some(WorkloadRole {
        namespace,
        service_account,
        role,
    }) = workload_role(&Object::at(&tree, tree.root()))
        && let Some(namespace) = namespace.or(own)
    {
        roles.insert((namespace, service_account), role);
    }
}
