//! Names of the objects that the chart installs and the controllers read or write.

use bedrock_profiles_engine::{group, in_group};

/// The API group of the custom resources, and the domain of annotations and webhook names.
pub const GROUP: &str = group!();

/// The label `app.kubernetes.io/managed-by` of objects that the controllers create. They never carry Helm's own labels: Argo CD
/// prunes objects that have them and are not in the chart.
pub const MANAGED_BY: &str = "bedrock-profiles";

/// The namespace of Kubernetes' own components, which the webhook never reviews: a mistake there would break the cluster.
pub const SYSTEM_NAMESPACE: &str = "kube-system";

/// The `ClusterRole` of users who may read mappings and policies, of a release with the default name.
pub const VIEW_ROLE: &str = "bedrock-profiles-view";

/// The webhook configuration for Pods; also the name of its webhook.
pub const POD_WEBHOOK: &str = concat!("webhook-pods.", group!());

/// The webhook configuration for updates of rewritten Pods, which restores values and applies no policy.
pub const POD_UPDATE_WEBHOOK: &str = concat!("webhook-pod-updates.", group!());

/// The webhook configuration for ConfigMaps.
pub const CONFIG_MAP_WEBHOOK: &str = concat!("webhook-configmaps.", group!());

/// The webhook configuration that validates workloads, by their Pod templates.
pub const TEMPLATE_WEBHOOK: &str = concat!("webhook-templates.", group!());

/// One installed release: its namespace and the chart's full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseNames {
    /// The namespace of the release.
    pub namespace: String,
    /// The chart's full name, which the names of its objects begin with.
    pub name: String,
}

impl ReleaseNames {
    /// The Secret that holds the CAs. The chart ships it empty.
    pub fn ca_secret(&self) -> String {
        format!("{}-ca", self.name)
    }

    /// The Lease of the leader election. The chart ships it empty.
    pub fn lease(&self) -> &str {
        &self.name
    }

    /// The ConfigMap with the configuration from the chart: the default policy and the rules of each webhook configuration.
    pub fn bootstrap(&self) -> String {
        format!("{}-bootstrap", self.name)
    }

    /// The Role for events, in the namespace `default`, where the release's own Role may live as well.
    pub fn events_role(&self) -> String {
        format!("{}-events", self.name)
    }

    /// The DNS name under which the API server calls the webhook's Service.
    pub fn service_name(&self) -> String {
        format!("{}.{}.svc", self.name, self.namespace)
    }

    /// All DNS names of the webhook's Service.
    pub fn service_names(&self) -> Vec<String> {
        let name = self.service_name();
        let whole = format!("{name}.cluster.local");
        vec![name, whole]
    }
}

/// The field managers of server-side apply, one for each writer: a second apply by the same manager gives up the fields of the
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Conditions of mappings and policies.
    Status,
    /// `lastAudit`.
    Audit,
    /// `builtin` and `default`.
    Bootstrap,
    /// Rules and CA bundles of webhook configurations.
    WebhookConfigurations,
    /// The Secret with the CAs.
    Certificates,
    /// The mapping of `catalog import --apply`.
    CatalogImport,
}

impl Manager {
    /// The field manager's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => in_group!("status"),
            Self::Audit => in_group!("audit"),
            Self::Bootstrap => in_group!("bootstrap"),
            Self::WebhookConfigurations => in_group!("webhook-configurations"),
            Self::Certificates => in_group!("certificates"),
            Self::CatalogImport => in_group!("catalog-import"),
        }
    }
}
