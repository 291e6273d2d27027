//! `audit` without files: audits the cluster of the kubeconfig, with its own custom resources where it has them.

use std::io::{IsTerminal as _, Write as _};

use anyhow::Context as _;
use bedrock_profiles_engine::in_group;
use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;

use crate::api::{self, Resource as CustomResource};
use crate::audit::{
    AuditInput, AuditResult, Counts, ListScope, audit_cluster, list_policy_statuses, read_coverage,
};
use crate::cluster::client::Clients;
use crate::cluster::list::{ListError, ListRequest, Pager};
use crate::cluster::release::SYSTEM_NAMESPACE;
use crate::controllers::cluster_state::REGION_LABEL;
use crate::domain::kinds::BuiltInKind;
use crate::domain::region::Region;
use crate::domain::view::View;
use crate::report::AuditReport;

use super::super::console::message;
use super::super::tally::subject;
use super::{Args, Tally};

/// The paths of the lists of custom resources.
const CUSTOM_RESOURCES: [&str; 2] = [
    concat!("/apis/", in_group!("v1alpha1/inferenceprofilemappings")),
    concat!("/apis/", in_group!("v1alpha1/inferenceprofilepolicies")),
];

/// The path of the list of nodes.
const NODES: &str = "/api/v1/nodes";

/// Audits the cluster.
pub(super) fn audit(args: &Args) -> anyhow::Result<(AuditReport, Tally)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let context = "cannot connect to the cluster to audit (use -f to audit files)";
        let clients = Clients::connect(args.context.as_deref())
            .await
            .context(context)?;
        clients.check_reachable().await.context(context)?;
        let pager = Pager {
            client: clients.reading,
            objects_per_second: None,
        };
        let namespace = args.files.namespace.clone();
        let scope = ListScope {
            namespace: (!args.all_namespaces)
                .then(|| namespace.unwrap_or_else(|| clients.namespace.clone())),
            config_maps: true,
        };
        let mut tally = Tally::default();
        let input = input(args, &pager, &mut tally).await?;
        let mut progress = Progress::default();
        let print = |kind: &BuiltInKind, counts| progress.print(kind, counts);
        let result = audit_cluster(&pager, &scope, input, print).await;
        progress.clear();
        report_incomplete(&result, &mut tally);
        let findings = result.findings.into_iter().map(|stored| stored.record);
        let today = (args.files.evaluation.today())();
        let subject = subject(today, result.counts.objects)?;
        let report = AuditReport::new(subject, findings.collect());
        Ok((report, tally))
    })
}

async fn input(args: &Args, pager: &Pager, tally: &mut Tally) -> anyhow::Result<AuditInput> {
    let statuses = list_policy_statuses(pager).await.unwrap_or_default();
    let excluded = args.all_namespaces.then(|| SYSTEM_NAMESPACE.to_owned());
    Ok(AuditInput {
        view: view(args, pager, tally).await?,
        today: (args.files.evaluation.today())(),
        excluded: excluded.into_iter().collect(),
        coverage: read_coverage(&pager.client, &statuses).await,
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

/// The mappings and policies of the flags, or else of the cluster, and the region of its nodes.
async fn view(args: &Args, pager: &Pager, tally: &mut Tally) -> anyhow::Result<View> {
    let mut own = Vec::new();
    for path in CUSTOM_RESOURCES {
        match pager.collect::<serde_json::Value>(&list(path)).await {
            Ok(items) => own.extend(items.iter().filter_map(|item| custom_resource(item, tally))),
            Err(ListError::NotFound) => {}
            Err(error @ ListError::Unreachable(_)) => return Err(error.into()),
            Err(error) => tally.error(&format!(
                "cannot list {path}: {error}; evaluating without them"
            )),
        }
    }
    let evaluation = &args.files.evaluation;
    let mut view = evaluation.view_of_cluster(own)?;
    let nodes = ListRequest {
        metadata_only: true,
        ..list(NODES)
    };
    match pager.collect::<PartialObjectMeta<Node>>(&nodes).await {
        Ok(nodes) => view.cluster_region = Region::common(nodes.iter().filter_map(region_of)),
        Err(error @ ListError::Unreachable(_)) => return Err(error.into()),
        Err(error) => {
            message!("note: cannot list nodes: {error}; the region of the cluster is unknown");
        }
    }
    Ok(view)
}

fn list(path: &str) -> ListRequest<'_> {
    ListRequest {
        path: path.to_owned(),
        ..ListRequest::default()
    }
}

fn custom_resource(item: &serde_json::Value, tally: &mut Tally) -> Option<CustomResource> {
    match api::read(&item.to_string(), "the cluster") {
        Ok(mut read) => read.pop(),
        Err(error) => {
            tally.error(&error);
            None
        }
    }
}

fn region_of(node: &PartialObjectMeta<Node>) -> Option<Region> {
    Region::parse(node.labels().get(REGION_LABEL)?).ok()
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
