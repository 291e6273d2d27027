//! `check --pre`: reads a cluster before an installation.

use anyhow::Context as _;
use jiff::civil::Date;
use serde_json::Value;

use crate::audit::list_path;
use crate::catalog;
use crate::cli::cluster_args::ClusterConnection;
use crate::cli::version::installed::{DEFINITIONS, own_definitions, releases};
use crate::cluster::access::ResourceAccess;
use crate::cluster::dry_run::DryRunError;
use crate::cluster::release::ReleaseNames;
use crate::domain::kinds::BuiltInKind;
use crate::domain::policy::Namespace;
use crate::health::{
    BeforeInput, CheckReport, HelmOwner, InstallRights, NamespaceInput, NamespaceState, Reading,
    StoredDefinition, Unread, full_name, rights_to_grant, rights_to_install, sample_pod,
};
use crate::report::ToolVersion;
use crate::why::{DryRunAnswer, DryRunOutcome};

use super::reader::{ClusterReader, lookup};
use super::{Args, DEFAULT_RELEASE};

const RBAC: &str = "rbac.authorization.k8s.io";

/// The right to list the Deployments of every namespace.
pub(super) const LIST_DEPLOYMENTS: &str = "list deployments.apps in every namespace";

/// Reads the cluster, and makes the checks before an installation.
pub(super) async fn report(
    args: &Args,
    connection: &ClusterConnection,
    today: Date,
) -> anyhow::Result<CheckReport> {
    let reader = ClusterReader::new(connection);
    let namespace = args.namespace.as_deref().unwrap_or(DEFAULT_RELEASE);
    let release = ReleaseNames {
        namespace: namespace.to_owned(),
        name: full_name(&args.release),
    };
    let stored = reader.namespace(namespace).await?;
    let exists = stored.as_ref().map_or(true, Option::is_some);
    let input = BeforeInput {
        release: args.release.clone(),
        server: reader.server(),
        apis: apis(&reader).await?,
        rights: rights(&reader, &release).await?,
        namespace: NamespaceInput {
            name: namespace.to_owned(),
            may_create: reader
                .may(&ResourceAccess::new("create", "", "namespaces", None))
                .await?,
            pod: admits_pod(&reader, namespace, exists && !args.no_dry_run).await,
            stored: stored
                .clone()
                .map(|stored| stored.map(|(object, _)| NamespaceState::of(&object))),
        },
        labels: stored.map(|stored| {
            stored.map_or_else(|| Namespace::named(namespace), |(_, namespace)| namespace)
        }),
        definitions: definitions(&reader).await?,
        releases: lookup(releases(reader.pager).await, &LIST_DEPLOYMENTS)?,
        webhooks: reader.webhooks().await?,
    };
    let tool = ToolVersion::current(catalog::date()?);
    Ok(CheckReport {
        before_installation: true,
        namespace: Some(namespace.to_owned()),
        release: Some(args.release.clone()),
        ..CheckReport::new(tool, today, input.server.url.clone(), input.results())
    })
}

/// The served APIs, as `GROUP/VERSION`; the core is `v1`.
async fn apis(reader: &ClusterReader<'_>) -> anyhow::Result<Reading<Vec<String>>> {
    let groups = reader.get("/apis", &"get the URL /apis").await?;
    Ok(groups.map(|groups| {
        let groups = groups.unwrap_or_default();
        let groups = groups["groups"].as_array().into_iter().flatten();
        let versions = groups.flat_map(|group| group["versions"].as_array().into_iter().flatten());
        let names = versions.filter_map(|version| version["groupVersion"].as_str());
        names.chain(["v1"]).map(str::to_owned).collect()
    }))
}

/// The rights that the caller lacks. A user who may do everything is asked about once.
async fn rights(
    reader: &ClusterReader<'_>,
    release: &ReleaseNames,
) -> anyhow::Result<Reading<InstallRights>> {
    let everything = [ResourceAccess::everything()];
    let result = match missing(reader, &everything).await? {
        Ok(missing) if missing.is_empty() => Ok(InstallRights::default()),
        Ok(_) => {
            let lacked = missing(reader, &rights_to_install(&release.namespace)).await?;
            let escalate =
                |resource, namespace| ResourceAccess::new("escalate", RBAC, resource, namespace);
            let escalation = [escalate("clusterroles", None), escalate("roles", None)];
            let lacked_to_grant = match missing(reader, &escalation).await? {
                Ok(missing) if missing.is_empty() => Ok(missing),
                Ok(_) => missing(reader, &rights_to_grant(release)).await?,
                Err(unread) => Err(unread),
            };
            lacked.and_then(|missing| {
                let missing_to_grant = lacked_to_grant?;
                Ok(InstallRights {
                    missing,
                    missing_to_grant,
                })
            })
        }
        Err(unread) => Err(unread),
    };
    Ok(result)
}

/// Those of the rights that the caller lacks.
async fn missing(
    reader: &ClusterReader<'_>,
    rights: &[ResourceAccess],
) -> anyhow::Result<Reading<Vec<ResourceAccess>>> {
    let mut missing = Vec::new();
    for right in rights {
        match reader.may(right).await? {
            Ok(true) => {}
            Ok(false) => missing.push(right.clone()),
            Err(unread) => return Ok(Err(unread)),
        }
    }
    Ok(Ok(missing))
}

/// The definitions of the custom resources that exist.
async fn definitions(reader: &ClusterReader<'_>) -> anyhow::Result<Reading<Vec<StoredDefinition>>> {
    let right = "get customresourcedefinitions.apiextensions.k8s.io";
    let mut found = Vec::new();
    for own in own_definitions()? {
        let name = own["metadata"]["name"]
            .as_str()
            .context("a definition has a name")?;
        match reader.get(&format!("{DEFINITIONS}{name}"), &right).await? {
            Ok(None) => {}
            Ok(Some(stored)) => found.push(StoredDefinition {
                name: name.to_owned(),
                owner: HelmOwner::of(&stored),
            }),
            Err(unread) => return Ok(Err(unread)),
        }
    }
    Ok(Ok(found))
}

/// Whether the namespace admits a Pod as those of the chart are, by a dry run.
async fn admits_pod(
    reader: &ClusterReader<'_>,
    namespace: &str,
    is_sent: bool,
) -> Reading<Result<(), String>> {
    let unread = |reason: &str, hint: &str| Unread {
        reason: reason.to_owned(),
        hint: hint.to_owned(),
    };
    if !is_sent {
        return Err(unread(
            "no dry run of a Pod was sent: the namespace does not exist, or --no-dry-run was given",
            "Create the namespace and run the check again, to see whether it admits the Pods.",
        ));
    }
    let image = format!(
        "{DEFAULT_RELEASE}/{DEFAULT_RELEASE}:{}",
        env!("CARGO_PKG_VERSION")
    );
    let pod: Value = sample_pod(namespace, &image);
    let Some(kind) = BuiltInKind::find("", "Pod") else {
        return Ok(Ok(()));
    };
    let path = list_path(kind, Some(namespace));
    let created = reader
        .pager
        .create_dry_run(&path, None, pod.to_string().into_bytes());
    match created.await {
        Ok(_) => Ok(Ok(())),
        Err(DryRunError::Refused(status)) => {
            let answer = DryRunAnswer::refused(status.code, &status.reason, &status.message, "");
            if answer.outcome == DryRunOutcome::NotPermitted {
                let right = ResourceAccess::new("create", "", "pods", Some(namespace));
                return Err(Unread::forbidden(&right));
            }
            Ok(Err(status.message))
        }
        Err(DryRunError::NoResponse(error)) => Err(unread(&error, "Run the check again.")),
    }
}
