//! OpenReports reports of an audit, where the cluster serves them: one for each namespace, written when its content changes and
//! deleted when no finding remains.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{GroupVersionKind, PartialObjectMeta};
use kube::{Api, Client, ResourceExt as _};

use super::write_limit::WriteLimiter;
use crate::audit::AuditResult;
use crate::cluster::client::Clients;
use crate::cluster::list::{ListError, ListRequest, Pager};
use crate::cluster::release::{Manager, ReleaseNames};
use crate::report::FindingRecord;
use crate::report::openreports::{self, API_VERSION, HASH, NAME, Owner, Report};

/// The path of the list of reports.
const PATH: &str = "/apis/openreports.io/v1alpha1/reports";

/// The number of reports written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ReportsWritten {
    /// Reports with changed content.
    pub(super) applied: usize,
    /// Reports of namespaces with nothing left to report.
    pub(super) deleted: usize,
}

/// Writes the reports of an audit; nothing where the cluster does not serve reports.
pub(super) async fn write(
    clients: &Clients,
    release: &ReleaseNames,
    result: &AuditResult,
    limiter: &mut WriteLimiter,
) -> Result<ReportsWritten, ListError> {
    if !are_served(&clients.reading).await {
        return Ok(ReportsWritten::default());
    }
    let existing = existing_hashes(&clients.reading).await?;
    let owner = owner(&clients.writing, release).await;
    let desired = desired(result, owner.as_ref());
    Ok(update(&clients.writing, desired, existing, limiter).await)
}

/// Whether the API server serves reports.
async fn are_served(client: &Client) -> bool {
    let served = client.list_api_group_resources(API_VERSION).await;
    served.is_ok_and(|list| list.resources.iter().any(|one| one.kind == "Report"))
}

/// The content hash of each existing report, by namespace.
async fn existing_hashes(client: &Client) -> Result<BTreeMap<String, String>, ListError> {
    let pager = Pager {
        client: client.clone(),
        objects_per_second: None,
        request_timeout: None,
    };
    let list = ListRequest {
        path: PATH.to_owned(),
        name: Some(NAME),
        metadata_only: true,
    };
    let reports = pager
        .collect::<PartialObjectMeta<DynamicObject>>(&list)
        .await?;
    let hashes = reports.iter().filter(|one| one.name_any() == NAME);
    let hash = |one: &PartialObjectMeta<DynamicObject>| one.annotations().get(HASH).cloned();
    Ok(hashes
        .filter_map(|one| Some((one.namespace()?, hash(one).unwrap_or_default())))
        .collect())
}

/// The release's `ClusterRole` as owner: uninstalling the release deletes it, and garbage collection then deletes the reports.
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
            tracing::warn!(%error, "cannot read the ClusterRole of the release; uninstalling will not delete the reports");
            None
        }
    }
}

/// The report of each namespace that has findings to report.
fn desired(result: &AuditResult, owner: Option<&Owner>) -> BTreeMap<String, Report> {
    let mut findings: BTreeMap<&str, Vec<(&FindingRecord, &str)>> = BTreeMap::new();
    for stored in &result.findings {
        let object = stored.record.object.as_ref();
        let namespace = object.map_or("", |object| &object.namespace);
        let one = (&stored.record, &*stored.uid);
        findings.entry(namespace).or_default().push(one);
    }
    let dropped = &result.totals.dropped;
    for namespace in dropped.keys() {
        findings.entry(namespace).or_default();
    }
    let reports = findings.into_iter().filter_map(|(namespace, findings)| {
        let dropped = dropped.get(namespace).copied().unwrap_or_default();
        let report = openreports::report(namespace, findings, dropped, owner)?;
        Some((namespace.to_owned(), report))
    });
    reports.collect()
}

async fn update(
    client: &Client,
    desired: BTreeMap<String, Report>,
    mut existing: BTreeMap<String, String>,
    limiter: &mut WriteLimiter,
) -> ReportsWritten {
    let mut written = ReportsWritten::default();
    for (namespace, report) in desired {
        if existing.remove(&namespace).as_ref() == Some(&report.hash) {
            continue;
        }
        limiter.wait().await;
        let params = PatchParams::apply(Manager::Audit.as_str()).force();
        let patch = Patch::Apply(&report.object);
        let outcome = reports(client, &namespace)
            .patch(NAME, &params, &patch)
            .await;
        written.applied += usize::from(limiter.is_written(outcome, &namespace, "Report"));
    }
    for namespace in existing.into_keys() {
        limiter.wait().await;
        let outcome = reports(client, &namespace)
            .delete(NAME, &DeleteParams::default())
            .await;
        written.deleted += usize::from(limiter.is_written(outcome, &namespace, "Report"));
    }
    written
}

fn reports(client: &Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("openreports.io", "v1alpha1", "Report");
    let resource = ApiResource::from_gvk_with_plural(&kind, "reports");
    Api::namespaced_with(client.clone(), namespace, &resource)
}
