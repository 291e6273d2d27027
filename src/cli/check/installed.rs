//! `check`: reads an installed release.

use bedrock_profiles_engine::in_group;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::api::{BOOTSTRAP_KEY, BootstrapConfig};
use crate::audit::list_path;
use crate::catalog;
use crate::cli::cluster_args::ClusterConnection;
use crate::cli::version::installed::{definitions, releases};
use crate::cluster::access::ResourceAccess;
use crate::cluster::dry_run::DryRunError;
use crate::cluster::release::{GROUP, POD_WEBHOOK, ReleaseNames};
use crate::domain::kinds::BuiltInKind;
use crate::domain::policy::Namespace;
use crate::health::{
    CheckReport, DeploymentState, Expectation, InstalledInput, LeaseState, OwnVersion, Reading,
    ReleaseInput, ReplicaMetrics, ReplicaPod, ResourceState, ReviewRead, Unread,
    WebhookObjectState, expectation, sample_pod,
};
use crate::report::ToolVersion;
use crate::why::DryRunAnswer;

use super::Args;
use super::before::LIST_DEPLOYMENTS;
use super::reader::{ClusterReader, lookup};

/// The path of the lists of the custom resources.
const RESOURCES: &str = concat!("/apis/", in_group!("v1alpha1/"));

/// What was read of the custom resources, as they are stored.
struct StoredResources {
    mappings: Reading<Vec<Value>>,
    policies: Reading<Vec<Value>>,
    webhooks: Reading<Vec<WebhookObjectState>>,
}

/// Reads the release, and makes its checks.
pub(super) async fn report(
    args: &Args,
    connection: &ClusterConnection,
    today: Date,
) -> anyhow::Result<CheckReport> {
    let reader = ClusterReader::new(connection);
    let mut releases = lookup(releases(reader.pager).await, &LIST_DEPLOYMENTS)?;
    if let (Ok(releases), Some(namespace)) = (&mut releases, &args.namespace) {
        releases.retain(|release| release.namespace == *namespace);
    }
    // Of several releases, which one works is not the question.
    let deployment = match releases.as_deref() {
        Ok([only]) => Some(only.clone()),
        Ok(_) | Err(_) => None,
    };
    let names = deployment
        .as_ref()
        .map(|one| (one.namespace.clone(), one.name.clone()));
    let stored = StoredResources {
        mappings: resources(&reader, "inferenceprofilemappings").await?,
        policies: resources(&reader, "inferenceprofilepolicies").await?,
        webhooks: reader.webhooks().await?,
    };
    let release = match deployment {
        Some(deployment) => Some(release(args, &reader, deployment, &stored, today).await?),
        None => None,
    };
    let right = "get customresourcedefinitions.apiextensions.k8s.io";
    let states = |objects: &Reading<Vec<Value>>| {
        objects
            .clone()
            .map(|objects| objects.iter().map(ResourceState::of).collect())
    };
    let catalog_date = catalog::date()?;
    let input = InstalledInput {
        own: OwnVersion {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            catalog_date: catalog_date.clone(),
        },
        today,
        now: Timestamp::now(),
        server: reader.server(),
        releases,
        definitions: lookup(definitions(reader.pager).await, &right)?,
        mappings: states(&stored.mappings),
        policies: states(&stored.policies),
        webhooks: stored.webhooks,
        release,
    };
    let (namespace, name) = names.unzip();
    Ok(CheckReport {
        namespace,
        release: name,
        ..CheckReport::new(
            ToolVersion::current(catalog_date),
            today,
            input.server.url.clone(),
            input.results(),
        )
    })
}

async fn resources(
    reader: &ClusterReader<'_>,
    plural: &'static str,
) -> anyhow::Result<Reading<Vec<Value>>> {
    let right = ResourceAccess::new("list", GROUP, plural, None);
    reader.list(&format!("{RESOURCES}{plural}"), &right).await
}

/// Reads the namespace of a release.
async fn release(
    args: &Args,
    reader: &ClusterReader<'_>,
    deployment: DeploymentState,
    stored: &StoredResources,
    today: Date,
) -> anyhow::Result<ReleaseInput> {
    let names = ReleaseNames {
        namespace: deployment.namespace.clone(),
        name: deployment.name.clone(),
    };
    let namespace = &names.namespace;
    let right = |group, resource| ResourceAccess::new("get", group, resource, Some(namespace));
    let path = format!(
        "/api/v1/namespaces/{namespace}/configmaps/{}",
        names.bootstrap()
    );
    let config = reader.get(&path, &right("", "configmaps")).await?;
    let path = format!(
        "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{}",
        names.lease()
    );
    let lease = reader
        .get(&path, &right("coordination.k8s.io", "leases"))
        .await?;
    let stored_namespace = reader.namespace(namespace).await?;
    Ok(ReleaseInput {
        namespace: stored_namespace.map(|stored| {
            stored.map_or_else(|| Namespace::named(namespace), |(_, namespace)| namespace)
        }),
        config: config.and_then(|config| config.as_ref().map(bootstrap).transpose()),
        pods: pods(reader, &deployment).await?,
        lease: lease.map(|lease| lease.as_ref().map(LeaseState::of)),
        review: review(args, reader, stored, today).await?,
        deployment,
    })
}

fn bootstrap(map: &Value) -> Result<BootstrapConfig, Unread> {
    let text = map["data"][BOOTSTRAP_KEY].as_str().unwrap_or_default();
    BootstrapConfig::read(text).map_err(|error| Unread {
        reason: format!("the bootstrap configuration of the release cannot be read: {error}"),
        hint: "Use the command of the version of the release.".to_owned(),
    })
}

/// The running Pods of a release, with their metrics.
async fn pods(
    reader: &ClusterReader<'_>,
    deployment: &DeploymentState,
) -> anyhow::Result<Reading<Vec<ReplicaPod>>> {
    let namespace = &deployment.namespace;
    // The characters of labels need no escape in a query, but for the slash of a key, which may have none.
    let labels: Vec<_> = deployment
        .selector
        .iter()
        .map(|(key, value)| format!("{key}%3D{value}"))
        .collect();
    let selector = labels.join("%2C");
    let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}");
    let right = ResourceAccess::new("list", "", "pods", Some(namespace));
    let listed = match reader.list(&path, &right).await? {
        Ok(listed) => listed,
        Err(unread) => return Ok(Err(unread)),
    };
    let mut pods = Vec::new();
    for (name, image, port) in listed.iter().filter_map(ReplicaPod::running) {
        let metrics = reader.metrics(namespace, &name, port).await;
        pods.push(ReplicaPod {
            metrics: metrics.map(|text| ReplicaMetrics::parse(&text)),
            name,
            image,
        });
    }
    Ok(Ok(pods))
}

/// Sends a review by way of the API server.
async fn review(
    args: &Args,
    reader: &ClusterReader<'_>,
    stored: &StoredResources,
    today: Date,
) -> anyhow::Result<ReviewRead> {
    let namespace = &args.sample_namespace;
    let mut review = ReviewRead {
        namespace: namespace.clone(),
        answer: DryRunAnswer::not_sent("no dry run was sent, because of --no-dry-run"),
        warnings: Vec::new(),
        refusal: None,
        expectation: expected(reader, namespace, stored, today).await?,
    };
    let Some(kind) = BuiltInKind::find("", "Pod").filter(|_| !args.no_dry_run) else {
        return Ok(review);
    };
    let pod = sample_pod(namespace, "sample");
    let path = list_path(kind, Some(namespace));
    let object = pod.to_string().into_bytes();
    let response = reader
        .pager
        .create_dry_run_with_warnings(&path, None, object)
        .await;
    review.warnings = response.warnings;
    review.answer = match response.created {
        Ok(text) => match serde_json::from_str(&text) {
            Ok(created) => DryRunAnswer::admitted(&pod, &created),
            Err(error) => DryRunAnswer::no_response(&error.to_string()),
        },
        Err(DryRunError::Refused(status)) => {
            let answer =
                DryRunAnswer::refused(status.code, &status.reason, &status.message, POD_WEBHOOK);
            review.refusal = Some(status.message);
            answer
        }
        Err(DryRunError::NoResponse(error)) => DryRunAnswer::no_response(&error),
    };
    Ok(review)
}

/// Whether a response of the webhook to the sample can be observed.
async fn expected(
    reader: &ClusterReader<'_>,
    namespace: &str,
    stored: &StoredResources,
    today: Date,
) -> anyhow::Result<Reading<Expectation>> {
    let namespace = match reader.namespace(namespace).await? {
        Ok(Some((_, namespace))) => namespace,
        Ok(None) => return Ok(Ok(Err(format!("namespace {namespace} does not exist")))),
        Err(unread) => return Ok(Err(unread)),
    };
    let expected = || {
        let webhooks = stored.webhooks.as_ref().map_err(Unread::clone)?;
        let webhook = webhooks.iter().find(|one| one.configuration == POD_WEBHOOK);
        let mappings = stored.mappings.as_ref().map_err(Unread::clone)?;
        let policies = stored.policies.as_ref().map_err(Unread::clone)?;
        Ok(expectation(webhook, &namespace, mappings, policies, today))
    };
    Ok(expected())
}
