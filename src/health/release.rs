//! The Deployment of the release, other releases, and versions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::check::{Check, CheckResult};
use super::replicas::ReplicaPod;
use super::unread::{Reading, Unread, known, string};
use super::webhooks::WebhookObjectState;

/// The name of the chart.
const CHART: &str = "bedrock-profiles";

/// The Deployment of a release, as stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeploymentState {
    /// Its namespace.
    pub namespace: String,
    /// Its name, which is the full name of the release.
    pub name: String,
    /// The name of the release, by its label.
    pub release: String,
    /// The version of the program, by its label.
    pub version: String,
    /// The labels that select its Pods.
    pub selector: BTreeMap<String, String>,
    wanted: i64,
    ready: i64,
    updated: i64,
    is_observed: bool,
}

/// The version of this program, and the date of its catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnVersion {
    /// The version.
    pub version: String,
    /// The date of the built-in catalog.
    pub catalog_date: Option<String>,
}

/// The full name of a release, which the names of its objects begin with, as the chart makes it without overrides.
pub fn full_name(release: &str) -> String {
    if release.contains(CHART) {
        release.to_owned()
    } else {
        format!("{release}-{CHART}")
    }
}

impl DeploymentState {
    /// Reads a Deployment.
    pub fn of(deployment: &Value) -> Self {
        let (metadata, status) = (&deployment["metadata"], &deployment["status"]);
        let label = |name: &str| string(&metadata["labels"][name]);
        let labels = deployment["spec"]["selector"]["matchLabels"].as_object();
        let count = |value: &Value| value.as_i64().unwrap_or_default();
        Self {
            namespace: string(&metadata["namespace"]),
            name: string(&metadata["name"]),
            release: label("app.kubernetes.io/instance"),
            version: label("app.kubernetes.io/version"),
            selector: labels
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), string(value)))
                .collect(),
            wanted: deployment["spec"]["replicas"].as_i64().unwrap_or(1),
            ready: count(&status["readyReplicas"]),
            updated: count(&status["updatedReplicas"]),
            is_observed: count(&status["observedGeneration"]) >= count(&metadata["generation"]),
        }
    }

    fn text(&self) -> String {
        let Self {
            namespace,
            name,
            version,
            ..
        } = self;
        format!("{namespace}/{name} {version}")
    }

    /// Whether every replica is ready, and all have one image.
    pub(super) fn check_replicas(&self, pods: &Reading<Vec<ReplicaPod>>) -> CheckResult {
        let check = Check::ReplicasReady;
        let Self {
            namespace,
            wanted,
            ready,
            updated,
            ..
        } = self;
        let see = format!(
            "`kubectl get pods -n {namespace}` shows them; docs/runbook.md has the causes."
        );
        let count = format!("{ready} of {wanted} replicas are ready");
        if *ready == 0 {
            return check.failed(count, see);
        }
        if ready < wanted {
            return check.warning(count, see);
        }
        if updated < wanted || !self.is_observed {
            return check.warning(
                format!("{count}, and {updated} are of the newest revision"),
                format!(
                    "Wait for the rollout: `kubectl rollout status deployment/{} -n {namespace}`.",
                    self.name
                ),
            );
        }
        let images: BTreeSet<_> = pods
            .iter()
            .flatten()
            .map(|pod| pod.image.as_str())
            .collect();
        match images.len() {
            0 | 1 => check.passed(count),
            _ => {
                let images: Vec<_> = images.into_iter().collect();
                check.warning(
                    format!("{count}, and their images differ: {}", images.join(", ")),
                    format!("Wait for the rollout: `kubectl rollout status deployment/{} -n {namespace}`.", self.name),
                )
            }
        }
    }
}

/// Whether there is one release.
pub(super) fn check_installed(releases: &Reading<Vec<DeploymentState>>) -> CheckResult {
    let check = Check::ReleaseInstalled;
    known(check, releases.as_ref().map_err(Unread::clone).map(|releases| match releases.as_slice() {
        [] => check.failed(
            "no Deployment has the label app.kubernetes.io/name=bedrock-profiles",
            "Install a release (docs/install.md), after `bedrock-profiles check --pre`; or name its namespace with -n.",
        ),
        [one] => check.passed(one.text()),
        several => {
            let several: Vec<_> = several.iter().map(DeploymentState::text).collect();
            check.failed(
                format!("there are {} releases: {}", several.len(), several.join(", ")),
                "Uninstall all but one: the names of their webhook configurations are the same. -n checks the release of one namespace.",
            )
        }
    }))
}

/// Whether another release has the names that exist once in a cluster.
pub(super) fn check_others(
    releases: &Reading<Vec<DeploymentState>>,
    webhooks: &Reading<Vec<WebhookObjectState>>,
    namespace: &str,
    release: &str,
) -> CheckResult {
    let check = Check::NoOtherRelease;
    let result = || {
        let releases = releases.as_ref().map_err(Unread::clone)?;
        let is_own = |one: &&DeploymentState| one.namespace == namespace && one.release == release;
        if let Some(other) = releases.iter().find(|one| !is_own(one)) {
            return Ok(check.failed(
                format!("another release is installed: {}", other.text()),
                "Uninstall it, or upgrade it instead: the names of webhook configurations exist once in a cluster.",
            ));
        }
        let mut webhooks = webhooks.as_ref().map_err(Unread::clone)?.iter();
        if let Some(other) = webhooks.find(|one| one.is_own() && !one.owner.is(namespace, release))
        {
            return Ok(check.failed(
                format!(
                    "{} exists, and belongs to {}",
                    other.configuration, other.owner
                ),
                "Delete it, if nothing uses it any more; or install with --take-ownership of Helm.",
            ));
        }
        Ok(match releases.first() {
            Some(own) => check.warning(
                format!("the release is installed: {}", own.text()),
                "Use `helm upgrade`, and `bedrock-profiles check` without --pre.",
            ),
            None => check.passed("no other release is installed"),
        })
    };
    known(check, result())
}

/// Whether release, replicas, catalog and command have the same version.
pub(super) fn check_versions(
    own: &OwnVersion,
    release: &DeploymentState,
    pods: &Reading<Vec<ReplicaPod>>,
    catalog_date: Option<&str>,
) -> CheckResult {
    let check = Check::VersionsFit;
    let mut differences = Vec::new();
    if release.version != own.version {
        differences.push(format!(
            "the release has version {}, this command {}",
            release.version, own.version
        ));
    }
    let of_replicas = pods.iter().flatten().filter_map(|pod| {
        let version = &pod.metrics.as_ref().ok()?.version;
        (*version != release.version).then(|| {
            format!(
                "replica {} has version {version}, the release {}",
                pod.name, release.version
            )
        })
    });
    differences.extend(of_replicas);
    if let Some(date) = catalog_date
        && Some(date) != own.catalog_date.as_deref()
    {
        let own = own.catalog_date.as_deref().unwrap_or("an unknown date");
        differences.push(format!(
            "the catalog of the cluster is of {date}, that of this command of {own}"
        ));
    }
    if differences.is_empty() {
        return check.passed(format!("release and command have version {}", own.version));
    }
    check.warning(
        differences.join("; "),
        "Install the command of the version of the release, or upgrade the release; remove image.tag from the chart's values.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check::CheckState;
    use super::super::replica_metrics::ReplicaMetrics;
    use super::*;

    fn deployment(namespace: &str, ready: i64, updated: i64) -> DeploymentState {
        DeploymentState::of(&json!({
            "metadata": {"namespace": namespace, "name": "bedrock-profiles", "generation": 2,
                "labels": {"app.kubernetes.io/version": "1.0.0", "app.kubernetes.io/instance": "bedrock-profiles"}},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}},
            "status": {"observedGeneration": 2, "readyReplicas": ready, "updatedReplicas": updated}}))
    }

    fn pod(image: &str, version: &str) -> ReplicaPod {
        ReplicaPod {
            name: "one".to_owned(),
            image: image.to_owned(),
            metrics: Ok(ReplicaMetrics {
                version: version.to_owned(),
                ..ReplicaMetrics::default()
            }),
        }
    }

    #[test]
    fn the_full_name_is_that_of_the_chart() {
        assert_eq!(full_name("bedrock-profiles"), "bedrock-profiles");
        assert_eq!(full_name("my-bedrock-profiles"), "my-bedrock-profiles");
        assert_eq!(full_name("ai"), "ai-bedrock-profiles");
    }

    #[test]
    fn replicas_are_ready_updated_and_of_one_image() {
        let same = || Ok(vec![pod("a", "1.0.0"), pod("a", "1.0.0")]);
        let state =
            |ready, updated, pods| deployment("ai", ready, updated).check_replicas(&pods).state;
        assert_eq!(state(2, 2, same()), CheckState::Passed);
        assert_eq!(state(2, 1, same()), CheckState::Warning);
        assert_eq!(state(1, 2, same()), CheckState::Warning);
        assert_eq!(state(0, 0, same()), CheckState::Failed);
        let mixed = Ok(vec![pod("a", "1.0.0"), pod("b", "1.0.0")]);
        assert_eq!(state(2, 2, mixed), CheckState::Warning);
        assert_eq!(
            state(2, 2, Err(Unread::forbidden(&"list pods"))),
            CheckState::Passed
        );
        let outdated = DeploymentState {
            is_observed: false,
            ..deployment("ai", 2, 2)
        };
        assert_eq!(outdated.check_replicas(&same()).state, CheckState::Warning);
    }

    #[test]
    fn one_release_is_installed() {
        let state = |releases| check_installed(&Ok(releases)).state;
        assert_eq!(state(vec![]), CheckState::Failed);
        assert_eq!(state(vec![deployment("ai", 2, 2)]), CheckState::Passed);
        assert_eq!(
            state(vec![deployment("ai", 2, 2), deployment("ml", 2, 2)]),
            CheckState::Failed
        );
    }

    #[test]
    fn before_an_installation_no_other_release_has_its_names() {
        let state = |releases, webhooks| {
            check_others(&Ok(releases), &Ok(webhooks), "ai", "bedrock-profiles").state
        };
        let webhook = |release: &str| {
            let object = json!({"metadata": {"name": crate::cluster::release::POD_WEBHOOK,
                "labels": {"app.kubernetes.io/managed-by": "Helm"},
                "annotations": {"meta.helm.sh/release-namespace": "ai", "meta.helm.sh/release-name": release}},
                "webhooks": [{"name": "x"}]});
            WebhookObjectState::all_of(&object, true)
        };
        assert_eq!(state(vec![], vec![]), CheckState::Passed);
        assert_eq!(
            state(vec![deployment("ai", 0, 0)], webhook("bedrock-profiles")),
            CheckState::Warning
        );
        assert_eq!(
            state(vec![deployment("ml", 0, 0)], vec![]),
            CheckState::Failed
        );
        assert_eq!(state(vec![], webhook("other")), CheckState::Failed);
    }

    #[test]
    fn versions_of_release_replicas_and_catalog_are_compared_with_the_command() {
        let own = OwnVersion {
            version: "1.0.0".to_owned(),
            catalog_date: Some("2026-11-30".to_owned()),
        };
        let release = deployment("ai", 2, 2);
        let result =
            |version, date| check_versions(&own, &release, &Ok(vec![pod("a", version)]), date);
        assert_eq!(
            result("1.0.0", Some("2026-11-30")).state,
            CheckState::Passed
        );
        assert_eq!(result("1.0.0", None).state, CheckState::Passed);
        assert!(
            result("1.0.0", Some("2026-01-01"))
                .detail
                .contains("2026-01-01")
        );
        assert!(
            result("0.9.0", None)
                .detail
                .contains("replica one has version 0.9.0")
        );
        let newer = OwnVersion {
            version: "2.0.0".to_owned(),
            ..own.clone()
        };
        let pods = Ok(Vec::new());
        assert_eq!(
            check_versions(&newer, &release, &pods, None).state,
            CheckState::Warning
        );
    }
}
