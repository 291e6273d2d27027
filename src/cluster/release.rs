//! Names of what the chart ships and the controllers fill: stated once, for whoever reads or writes one of them.

/// The group of our custom resources, annotations and entries.
pub const GROUP: &str = "bedrock-profiles.dev";

/// What everything that we create is labelled with, under `app.kubernetes.io/managed-by`. Never Helm's own labels: Argo CD
/// would prune what has them and is in no chart.
pub const MANAGED_BY: &str = "bedrock-profiles";

/// The namespace of Kubernetes' own components, which the webhook never reviews: a mistake there would break the cluster.
pub const SYSTEM_NAMESPACE: &str = "kube-system";

/// The webhook configuration for Pods; also the name of its webhook.
pub const POD_WEBHOOK: &str = "webhook-pods.bedrock-profiles.dev";

/// The webhook configuration for ConfigMaps.
pub const CONFIG_MAP_WEBHOOK: &str = "webhook-configmaps.bedrock-profiles.dev";

/// The webhook configuration that validates workloads, by their Pod templates.
pub const TEMPLATE_WEBHOOK: &str = "webhook-templates.bedrock-profiles.dev";

/// One installed release: its namespace and the chart's full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseNames {
    /// Where the chart was installed.
    pub namespace: String,
    /// The chart's full name, before which its objects' names begin.
    pub name: String,
}

impl ReleaseNames {
    /// The Secret that holds the CA, shipped empty.
    pub fn ca_secret(&self) -> String {
        format!("{}-ca", self.name)
    }

    /// The Lease of whoever writes, shipped empty.
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

    /// The DNS names under which anybody calls the webhook's Service.
    pub fn service_names(&self) -> Vec<String> {
        let name = self.service_name();
        let whole = format!("{name}.cluster.local");
        vec![name, whole]
    }
}

/// Who a server-side apply is done as. One manager for each writer: a second apply under the same name gives up the fields
/// of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Conditions of mappings and policies.
    Status,
    /// `lastAudit`.
    Audit,
    /// `builtin`, `default`, and the rules of the entries.
    Bootstrap,
    /// CA bundles.
    Certificates,
}

impl Manager {
    /// The field manager's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "bedrock-profiles.dev/status",
            Self::Audit => "bedrock-profiles.dev/audit",
            Self::Bootstrap => "bedrock-profiles.dev/bootstrap",
            Self::Certificates => "bedrock-profiles.dev/certificates",
        }
    }
}
