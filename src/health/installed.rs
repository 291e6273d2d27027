//! The checks of an installed release.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::api::BootstrapConfig;
use crate::domain::policy::Namespace;

use super::check::{Check, CheckResult};
use super::definitions::{DefinitionState, check_fit};
use super::other_webhooks::check_other_webhooks;
use super::release::{DeploymentState, OwnVersion, check_installed, check_versions};
use super::replicas::{
    LeaseState, ReplicaPod, check_agreement, check_certificates, check_lease, check_trust,
};
use super::resources::{
    ResourceState, catalog_date, check_catalog, check_mappings, check_policies,
};
use super::review::{ReviewRead, check_review};
use super::server::ServerState;
use super::unread::Reading;
use super::webhooks::{WebhookObjectState, check_active, check_ca};

/// What was read of a release. Without a release nothing is read but what is before it.
#[derive(Debug, Clone)]
pub struct InstalledInput {
    /// The version of this program.
    pub own: OwnVersion,
    /// The day that the date of the catalog is compared with.
    pub today: Date,
    /// The time that the Lease and the certificates are compared with.
    pub now: Timestamp,
    /// The API server.
    pub server: ServerState,
    /// The releases.
    pub releases: Reading<Vec<DeploymentState>>,
    /// The definitions of the custom resources.
    pub definitions: Reading<DefinitionState>,
    /// The webhooks of every webhook configuration.
    pub webhooks: Reading<Vec<WebhookObjectState>>,
    /// The mappings.
    pub mappings: Reading<Vec<ResourceState>>,
    /// The policies.
    pub policies: Reading<Vec<ResourceState>>,
    /// What is in the namespace of the release; `None` without a release.
    pub release: Option<ReleaseInput>,
}

/// What was read of the namespace of a release.
#[derive(Debug, Clone)]
pub struct ReleaseInput {
    /// Its Deployment.
    pub deployment: DeploymentState,
    /// The namespace.
    pub namespace: Reading<Namespace>,
    /// The bootstrap configuration; `None` if its ConfigMap does not exist.
    pub config: Reading<Option<BootstrapConfig>>,
    /// The running Pods.
    pub pods: Reading<Vec<ReplicaPod>>,
    /// The Lease; `None` if it does not exist.
    pub lease: Reading<Option<LeaseState>>,
    /// A review.
    pub review: ReviewRead,
}

impl InstalledInput {
    /// The results, in the order of their groups.
    pub fn results(&self) -> Vec<CheckResult> {
        let mut results = vec![self.server.check_version(), check_installed(&self.releases)];
        let Some(release) = &self.release else {
            return results;
        };
        let (pods, deployment) = (&release.pods, &release.deployment);
        let date = catalog_date(&self.mappings);
        results.push(check_versions(&self.own, deployment, pods, date));
        results.push(check_fit(&self.definitions, &deployment.version));

        let active = check_active(&release.config, &self.webhooks);
        let ca = check_ca(&self.webhooks, self.now);
        let mut trust = check_trust(pods);
        if active.is_failed() && trust.is_failed() {
            // The leader observes the same.
            trust = Check::WebhooksTrust.unknown(active.detail.clone(), "See WebhooksActive.");
        }
        let webhooks_failed = active.is_failed() || trust.is_failed();
        let review = check_review(&release.review, &[&active, &trust, &ca]);
        results.extend([
            active,
            trust,
            ca,
            check_certificates(pods, self.now),
            review,
        ]);
        results.push(check_other_webhooks(&self.webhooks, &release.namespace));

        results.push(deployment.check_replicas(pods));
        results.push(check_lease(&release.lease, self.now));
        let kinds = [
            ("InferenceProfileMapping", &self.mappings),
            ("InferenceProfilePolicy", &self.policies),
        ];
        results.push(check_agreement(pods, kinds));

        results.push(check_policies(&self.policies, webhooks_failed));
        results.push(check_mappings(&self.mappings));
        results.push(check_catalog(&self.mappings, self.today));
        results
    }
}
