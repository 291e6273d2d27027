//! The checks before an installation.

use crate::domain::policy::Namespace;

use super::check::CheckResult;
use super::definitions::{StoredDefinition, check_owned};
use super::installed_kind::{InstallRights, check_grant_rights, check_install_rights};
use super::namespace::NamespaceInput;
use super::other_webhooks::check_other_webhooks;
use super::release::{DeploymentState, check_others};
use super::server::{ServerState, check_apis, check_optional_apis};
use super::unread::Reading;
use super::webhooks::WebhookObjectState;

/// What was read of a cluster before an installation.
#[derive(Debug, Clone)]
pub struct BeforeInput {
    /// The name of the release to be.
    pub release: String,
    /// The API server.
    pub server: ServerState,
    /// The APIs that it serves, as `GROUP/VERSION`.
    pub apis: Reading<Vec<String>>,
    /// The rights of the caller.
    pub rights: Reading<InstallRights>,
    /// The namespace of the release to be.
    pub namespace: NamespaceInput,
    /// The labels of that namespace; its name alone if it does not exist.
    pub labels: Reading<Namespace>,
    /// The definitions of the custom resources that exist.
    pub definitions: Reading<Vec<StoredDefinition>>,
    /// Releases in every namespace.
    pub releases: Reading<Vec<DeploymentState>>,
    /// The webhooks of every webhook configuration.
    pub webhooks: Reading<Vec<WebhookObjectState>>,
}

impl BeforeInput {
    /// The results, in the order of their groups.
    pub fn results(&self) -> Vec<CheckResult> {
        let (release, namespace) = (&self.release, &self.namespace.name);
        vec![
            self.server.check_version(),
            check_apis(&self.apis),
            check_optional_apis(&self.apis),
            check_install_rights(&self.rights),
            check_grant_rights(&self.rights),
            self.namespace.check_usable(),
            self.namespace.check_pods(),
            check_owned(&self.definitions, namespace, release),
            check_others(&self.releases, &self.webhooks, namespace, release),
            check_other_webhooks(&self.webhooks, &self.labels),
        ]
    }
}
