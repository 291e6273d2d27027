//! `audit` without files: the cluster of the kubeconfig, by its own custom resources where it has them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Write as _};

use serde::Deserialize;

use crate::api::{self, Resource as CustomResource};
use crate::cluster::client::Clients;
use crate::cluster::list::{Gap, Items, List, Pager};
use crate::controllers::audit::pass::{Extent, pass};
use crate::controllers::audit::standing;
use crate::controllers::view::REGION_LABEL;
use crate::domain::region::Region;
use crate::domain::view::View;
use crate::report::AuditReport;
use crate::scan::cluster::{Counts, Resource, Survey, Surveyed, Terms};

use super::{Args, Tally, default_policy};

/// Where the custom resources are listed.
const CUSTOM: [&str; 2] = [
    "/apis/bedrock-profiles.dev/v1alpha1/inferenceprofilemappings",
    "/apis/bedrock-profiles.dev/v1alpha1/inferenceprofilepolicies",
];

/// Where nodes are listed.
const NODES: &str = "/api/v1/nodes";

/// What no webhook of ours is ever asked about, so that nothing would become of it.
const NEVER: &str = "kube-system";

/// Audits the cluster.
pub(super) fn audit(args: &Args) -> anyhow::Result<(AuditReport, Tally)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let connected = Clients::connect(args.context.as_deref()).await;
        let without = |error| anyhow::anyhow!("without -f, a cluster is audited: {error}");
        let clients = connected.map_err(without)?;
        let namespace = args.files.namespace.clone();
        let namespace = namespace.unwrap_or_else(|| clients.namespace.clone());
        let pager = Pager {
            client: clients.reading,
            pace: None,
        };
        let mut tally = Tally::default();
        let surveyed = survey(args, &pager, namespace, &mut tally).await?;
        let findings = surveyed.findings.into_iter().map(|kept| kept.record);
        let report = AuditReport::new(surveyed.counts.objects, findings.collect());
        Ok((report, tally))
    })
}

async fn survey(
    args: &Args,
    pager: &Pager,
    namespace: String,
    tally: &mut Tally,
) -> anyhow::Result<Surveyed> {
    let statuses = standing::statuses(pager).await.unwrap_or_default();
    let all = args.all_namespaces;
    let terms = Terms {
        view: view(args, pager, tally).await?,
        today: (args.files.judging.today())(),
        excluded: all.then(|| NEVER.to_owned()).into_iter().collect(),
        coverage: standing::coverage(&pager.client, &statuses).await,
        keep: usize::MAX,
    };
    let extent = Extent {
        namespace: (!all).then_some(namespace),
        config_maps: true,
    };
    let mut survey = Survey::new(terms);
    let mut progress = Progress::default();
    let tell = |resource: &Resource, counts| progress.tell(resource, counts);
    let unread = pass(pager, &extent, &mut survey, tell).await;
    progress.end();
    for one in unread {
        tally.error(&format!("incomplete: cannot list {one}"));
    }
    let surveyed = survey.finish();
    if surveyed.counts.unread > 0 {
        let unread = surveyed.counts.unread;
        tally.error(&format!("incomplete: {unread} objects cannot be read"));
    }
    Ok(surveyed)
}

/// By what is judged: the cluster's own mappings and policies, as far as the flags name no others, and its nodes' region.
async fn view(args: &Args, pager: &Pager, tally: &mut Tally) -> anyhow::Result<View> {
    let mut own = Vec::new();
    for path in CUSTOM {
        match all::<serde_json::Value>(pager, path, false).await {
            Ok(items) => own.extend(items.iter().filter_map(|item| custom(item, tally))),
            Err(Gap::Missing) => {}
            Err(gap) => tally.error(&format!(
                "cannot list {path}: {gap}; judged without what it holds"
            )),
        }
    }
    let judging = &args.files.judging;
    let mut view = judging.view_of_cluster(own, default_policy())?;
    match all::<Node>(pager, NODES, true).await {
        Ok(nodes) => view.cluster_region = agreed(&nodes),
        Err(gap) => anstream::eprintln!(
            "note: cannot list nodes: {gap}; the region of the cluster is not known"
        ),
    }
    Ok(view)
}

fn custom(item: &serde_json::Value, tally: &mut Tally) -> Option<CustomResource> {
    match api::read(&item.to_string(), "the cluster") {
        Ok(mut read) => read.pop(),
        Err(error) => {
            tally.error(&error);
            None
        }
    }
}

/// What is read of a node.
#[derive(Deserialize)]
struct Node {
    metadata: NodeMetadata,
}

#[derive(Deserialize)]
struct NodeMetadata {
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// The region that all nodes agree on which say one.
fn agreed(nodes: &[Node]) -> Option<Region> {
    let said = nodes
        .iter()
        .filter_map(|node| node.metadata.labels.get(REGION_LABEL));
    let regions: BTreeSet<Region> = said.filter_map(|name| Region::parse(name).ok()).collect();
    regions.first().copied().filter(|_| regions.len() == 1)
}

/// The items of a list that is small enough to be had as a whole.
struct All<T> {
    whole: Vec<T>,
    page: Vec<T>,
}

impl<T: for<'de> Deserialize<'de>> Items for All<T> {
    fn take(&mut self, item: &str) {
        self.page.extend(serde_json::from_str(item));
    }

    fn commit(&mut self) {
        self.whole.append(&mut self.page);
    }

    fn abandon(&mut self) {
        self.page.clear();
    }
}

async fn all<T: for<'de> Deserialize<'de>>(
    pager: &Pager,
    path: &str,
    metadata_only: bool,
) -> Result<Vec<T>, Gap> {
    let list = List {
        path: path.to_owned(),
        metadata_only,
        ..List::default()
    };
    let mut items = All {
        whole: Vec::new(),
        page: Vec::new(),
    };
    pager.read(&list, &mut items).await?;
    Ok(items.whole)
}

/// Says on a terminal how far the audit is.
#[derive(Default)]
struct Progress {
    told: bool,
}

impl Progress {
    fn tell(&mut self, resource: &Resource, counts: Counts) {
        let mut stderr = std::io::stderr();
        if stderr.is_terminal() {
            let (objects, plural) = (counts.objects, resource.plural);
            // A terminal that is gone is told nothing.
            let _ = write!(stderr, "\r\u{1b}[K{objects} objects, listing {plural}");
            self.told = true;
        }
    }

    fn end(self) {
        if self.told {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}
