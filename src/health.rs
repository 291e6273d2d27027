//! Whether a cluster can have a release, and whether an installed release works. Pure; the command `check` reads what it needs.
//!
//! ```text
//! check            the checks, and the result of one
//! unread           what could not be read, and fields of objects in JSON
//! server           the API server: its version and its APIs
//! installed_kind   the kinds of the chart, and the rights that an installation needs
//! namespace        the namespace of the release
//! definitions      the definitions of the custom resources
//! release          the Deployment of the release, other releases, and versions
//! webhooks         the webhook configurations of the release
//! other_webhooks   the webhook configurations of other programs
//! replica_metrics  the metrics of a replica
//! replicas         the Lease, and what each replica publishes
//! resources        policies, mappings and the catalog
//! sample           the Pod of a review, and what the webhook would respond
//! review           the response to a review through the API server
//! before           the checks before an installation
//! installed        the checks of an installed release
//! report           the results, as JSON
//! text             the results, for people
//! ```

mod before;
mod check;
mod definitions;
mod installed;
mod installed_kind;
mod namespace;
mod other_webhooks;
mod release;
mod replica_metrics;
mod replicas;
mod report;
mod resources;
mod review;
mod sample;
mod server;
mod text;
mod unread;
mod webhooks;

pub use before::BeforeInput;
pub use check::{Check, CheckGroup, CheckResult, CheckState};
pub use definitions::{DefinitionState, HelmOwner, StoredDefinition};
pub use installed::{InstalledInput, ReleaseInput};
pub use installed_kind::{
    INSTALLED_KINDS, InstallRights, InstalledKind, rights_to_grant, rights_to_install,
};
pub use namespace::{NamespaceInput, NamespaceState};
pub use other_webhooks::OtherWebhook;
pub use release::{DeploymentState, OwnVersion, full_name};
pub use replica_metrics::ReplicaMetrics;
pub use replicas::{LeaseState, ReplicaPod};
pub use report::{CheckReport, CheckSummary, GroupReport};
pub use resources::ResourceState;
pub use review::ReviewRead;
pub use sample::{Expectation, SAMPLE_NAMESPACE, expectation, sample_pod};
pub use server::{OLDEST_MINOR, ServerState};
pub use text::text;
pub use unread::{Reading, Unread};
pub use webhooks::WebhookObjectState;
