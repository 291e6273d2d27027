//! OpenReports, where the cluster has their definition: written where what they say has changed, deleted where nothing is left.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client, ResourceExt as _};
use serde::Deserialize;

use super::writes::Pace;
use crate::cluster::client::Clients;
use crate::cluster::list::{Gap, Items, List, Pager};
use crate::cluster::release::{Manager, ReleaseNames};
use crate::report::FindingRecord;
use crate::report::openreports::{self, API_VERSION, HASH, NAME, Owner, Report};
use crate::scan::cluster::Surveyed;

/// Where reports are listed.
const PATH: &str = "/apis/openreports.io/v1alpha1/reports";

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Reports that say something else than before.
    pub(super) applied: usize,
    /// Reports of namespaces with nothing to report any more.
    pub(super) deleted: usize,
}

/// The hash of each report that stands, by namespace.
#[derive(Default)]
struct Standing {
    whole: BTreeMap<String, String>,
    page: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Wire {
    metadata: WireMetadata,
}

#[derive(Deserialize)]
struct WireMetadata {
    name: String,
    namespace: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Items for Standing {
    fn take(&mut self, item: &str) {
        let Ok(Wire { mut metadata }) = serde_json::from_str(item) else {
            return;
        };
        if metadata.name == NAME {
            let hash = metadata.annotations.remove(HASH).unwrap_or_default();
            self.page.push((metadata.namespace, hash));
        }
    }

    fn commit(&mut self) {
        self.whole.extend(std::mem::take(&mut self.page));
    }

    fn abandon(&mut self) {
        self.page.clear();
    }
}

/// Brings the reports in line with what was found; nothing where the cluster does not know them.
pub(super) async fn write(
    clients: &Clients,
    release: &ReleaseNames,
    surveyed: &Surveyed,
    pace: &mut Pace,
) -> Result<Written, Gap> {
    if !are_known(&clients.reading).await {
        return Ok(Written::default());
    }
    let pager = Pager {
        client: clients.reading.clone(),
        pace: None,
    };
    let list = List {
        path: PATH.to_owned(),
        name: Some(NAME),
        metadata_only: true,
    };
    let mut standing = Standing::default();
    pager.read(&list, &mut standing).await?;
    let owner = owner(&clients.writing, release).await;
    let wanted = wanted(surveyed, owner.as_ref());
    Ok(settle(&clients.writing, wanted, standing.whole, pace).await)
}

/// Whether the API server serves reports.
async fn are_known(client: &Client) -> bool {
    let served = client.list_api_group_resources(API_VERSION).await;
    served.is_ok_and(|list| list.resources.iter().any(|one| one.kind == "Report"))
}

/// The release's `ClusterRole`: the chart deletes it, and with it go the reports.
async fn owner(client: &Client, release: &ReleaseNames) -> Option<Owner> {
    let api = Api::<ClusterRole>::all(client.clone());
    match api.get_metadata(&release.name).await {
        Ok(role) => Some(Owner {
            api_version: "rbac.authorization.k8s.io/v1".to_owned(),
            kind: "ClusterRole".to_owned(),
            name: role.name_any(),
            uid: role.uid()?,
        }),
        Err(error) => {
            tracing::warn!(%error, "the release's ClusterRole cannot be read; reports will outlive the release");
            None
        }
    }
}

/// The report of each namespace that has something to report.
fn wanted(surveyed: &Surveyed, owner: Option<&Owner>) -> BTreeMap<String, Report> {
    let mut found: BTreeMap<&str, Vec<(&FindingRecord, &str)>> = BTreeMap::new();
    for kept in &surveyed.findings {
        let object = kept.record.object.as_ref();
        let namespace = object.map_or("", |object| &object.namespace);
        let one = (&kept.record, &*kept.uid);
        found.entry(namespace).or_default().push(one);
    }
    let dropped = &surveyed.sums.dropped;
    for namespace in dropped.keys() {
        found.entry(namespace).or_default();
    }
    let reports = found.into_iter().filter_map(|(namespace, findings)| {
        let dropped = dropped.get(namespace).copied().unwrap_or_default();
        let report = openreports::report(namespace, findings, dropped, owner)?;
        Some((namespace.to_owned(), report))
    });
    reports.collect()
}

async fn settle(
    client: &Client,
    wanted: BTreeMap<String, Report>,
    mut standing: BTreeMap<String, String>,
    pace: &mut Pace,
) -> Written {
    let mut written = Written::default();
    for (namespace, report) in wanted {
        if standing.remove(&namespace).as_ref() == Some(&report.hash) {
            continue;
        }
        pace.wait().await;
        let params = PatchParams::apply(Manager::Audit.as_str()).force();
        let patch = Patch::Apply(&report.object);
        let done = reports(client, &namespace)
            .patch(NAME, &params, &patch)
            .await;
        written.applied += usize::from(pace.told(done, &namespace, "report"));
    }
    for namespace in standing.into_keys() {
        pace.wait().await;
        let done = reports(client, &namespace)
            .delete(NAME, &DeleteParams::default())
            .await;
        written.deleted += usize::from(pace.told(done, &namespace, "report"));
    }
    written
}

fn reports(client: &Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("openreports.io", "v1alpha1", "Report");
    let resource = ApiResource::from_gvk_with_plural(&kind, "reports");
    Api::namespaced_with(client.clone(), namespace, &resource)
}
