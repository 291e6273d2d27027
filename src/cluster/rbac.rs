//! What a replica may do in a cluster: one table, from which `manifests/rbac.yaml` is made. Every replica may become leader,
//! so all have the same.

use serde_json::{Value, json};

use super::release::{
    CONFIG_MAP_WEBHOOK, GROUP, MANAGED_BY, POD_WEBHOOK, ReleaseNames, TEMPLATE_WEBHOOK,
};

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// The API group; empty is the core.
    pub group: &'static str,
    /// Resources and subresources.
    pub resources: &'static [&'static str],
    /// What may be done.
    pub verbs: &'static [&'static str],
    /// Where, and to which objects.
    pub scope: Scope,
    /// What has to be switched on for it to be granted.
    pub when: Option<Switch>,
    /// What it is for.
    pub why: &'static str,
}

/// Where a right holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In the whole cluster.
    Cluster,
    /// In the whole cluster, for objects of these names.
    Named(Names),
    /// In the release's namespace, for objects of these names.
    Own(Names),
    /// In the namespace `default`, where events on objects without a namespace live.
    Default,
}

/// Names of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// These.
    Fixed(&'static [&'static str]),
    /// The CA's Secret of the release.
    CaSecret,
    /// The Lease of the release.
    Lease,
    /// The ConfigMap with the configuration from the chart.
    Bootstrap,
    /// The release's own `ClusterRole`.
    ClusterRole,
}

/// A switch of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    /// `catalog.apply`.
    CatalogApply,
    /// `policy.create`.
    PolicyCreate,
    /// `region.fromNodes`.
    RegionFromNodes,
    /// `references.enabled`.
    References,
    /// `audit.enabled`.
    Audit,
    /// `audit.configMaps`, which needs `audit.enabled`.
    AuditConfigMaps,
    /// `reports.enabled`.
    Reports,
    /// `events.onOwners`: events on objects in every namespace.
    EventsOnOwners,
    /// `certificates.mode` is `self`.
    SelfSigned,
}

/// The names of the mutating webhook configurations.
pub const MUTATING: &[&str] = &[POD_WEBHOOK, CONFIG_MAP_WEBHOOK];

/// The names of the validating webhook configurations.
pub const VALIDATING: &[&str] = &[TEMPLATE_WEBHOOK];

const MAPPINGS: &str = "inferenceprofilemappings";
const POLICIES: &str = "inferenceprofilepolicies";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// Every right, in the order of the rendered file.
pub const TABLE: &[Right] = &[
    right(
        GROUP,
        &[MAPPINGS, POLICIES],
        &["list", "watch"],
        Scope::Cluster,
        None,
        "the view",
    ),
    right(
        GROUP,
        &[
            "inferenceprofilemappings/status",
            "inferenceprofilepolicies/status",
        ],
        &["patch"],
        Scope::Cluster,
        None,
        "conditions, the last audit",
    ),
    right(
        GROUP,
        &[MAPPINGS],
        &["create"],
        Scope::Cluster,
        Some(Switch::CatalogApply),
        "the first apply of builtin; creating cannot be limited to a name",
    ),
    right(
        GROUP,
        &[MAPPINGS],
        &["patch"],
        Scope::Named(Names::Fixed(&["builtin"])),
        Some(Switch::CatalogApply),
        "updates of the shipped catalog",
    ),
    right(
        GROUP,
        &[POLICIES],
        &["create"],
        Scope::Cluster,
        Some(Switch::PolicyCreate),
        "the first apply of default; creating cannot be limited to a name",
    ),
    right(
        GROUP,
        &[POLICIES],
        &["patch"],
        Scope::Named(Names::Fixed(&["default"])),
        Some(Switch::PolicyCreate),
        "changes of the chart's default policy",
    ),
    right(
        ADMISSION,
        &["mutatingwebhookconfigurations"],
        &["list", "watch", "patch"],
        Scope::Named(Names::Fixed(MUTATING)),
        None,
        "activate, apply the CA bundle, read it back",
    ),
    right(
        ADMISSION,
        &["validatingwebhookconfigurations"],
        &["list", "watch", "patch"],
        Scope::Named(Names::Fixed(VALIDATING)),
        None,
        "activate, apply the CA bundle, read it back",
    ),
    right(
        "",
        &["namespaces"],
        &["list", "watch"],
        Scope::Cluster,
        None,
        "labels and annotations, metadata only",
    ),
    right(
        "",
        &["nodes"],
        &["list", "watch"],
        Scope::Cluster,
        Some(Switch::RegionFromNodes),
        "the cluster's region, metadata only",
    ),
    right(
        "",
        &["configmaps"],
        &["list", "watch"],
        Scope::Cluster,
        Some(Switch::References),
        "what Pods take from ConfigMaps",
    ),
    right(
        "",
        &["configmaps"],
        &["list"],
        Scope::Cluster,
        Some(Switch::AuditConfigMaps),
        "the audit",
    ),
    right(
        "",
        &["pods", "replicationcontrollers", "podtemplates"],
        &["list"],
        Scope::Cluster,
        Some(Switch::Audit),
        "the audit",
    ),
    right(
        "apps",
        &["deployments", "statefulsets", "daemonsets", "replicasets"],
        &["list"],
        Scope::Cluster,
        Some(Switch::Audit),
        "the audit, owners by uid",
    ),
    right(
        "batch",
        &["jobs", "cronjobs"],
        &["list"],
        Scope::Cluster,
        Some(Switch::Audit),
        "the audit, owners by uid",
    ),
    right(
        "openreports.io",
        &["reports"],
        &["create"],
        Scope::Cluster,
        Some(Switch::Reports),
        "reports; creating cannot be limited to a name",
    ),
    right(
        "openreports.io",
        &["reports"],
        &["list", "patch", "delete"],
        Scope::Named(Names::Fixed(&["bedrock-profiles"])),
        Some(Switch::Reports),
        "reports",
    ),
    right(
        "rbac.authorization.k8s.io",
        &["clusterroles"],
        &["get"],
        Scope::Named(Names::ClusterRole),
        Some(Switch::Reports),
        "the owner of the reports",
    ),
    right(
        "events.k8s.io",
        &["events"],
        &["create"],
        Scope::Cluster,
        Some(Switch::EventsOnOwners),
        "events on what the audit finds",
    ),
    right(
        "events.k8s.io",
        &["events"],
        &["create"],
        Scope::Default,
        None,
        "events on policies",
    ),
    right(
        "",
        &["secrets"],
        &["get", "list", "watch", "update"],
        Scope::Own(Names::CaSecret),
        Some(Switch::SelfSigned),
        "the CA; it is shipped empty, so nothing is created",
    ),
    right(
        "coordination.k8s.io",
        &["leases"],
        &["get", "update"],
        Scope::Own(Names::Lease),
        None,
        "who writes; it is shipped empty, so nothing is created",
    ),
    right(
        "",
        &["configmaps"],
        &["list", "watch"],
        Scope::Own(Names::Bootstrap),
        None,
        "the chart's values",
    ),
];

const fn right(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    scope: Scope,
    when: Option<Switch>,
    why: &'static str,
) -> Right {
    Right {
        group,
        resources,
        verbs,
        scope,
        when,
        why,
    }
}

impl Switch {
    /// Those that are on in a release with the chart's defaults.
    pub const DEFAULTS: &'static [Self] = &[
        Self::CatalogApply,
        Self::PolicyCreate,
        Self::RegionFromNodes,
        Self::References,
        Self::Audit,
        Self::AuditConfigMaps,
        Self::Reports,
        Self::SelfSigned,
    ];
}

impl Scope {
    /// The names that the right is limited to.
    fn names(self, release: &ReleaseNames) -> Option<Vec<String>> {
        match self {
            Self::Cluster | Self::Default => None,
            Self::Named(names) | Self::Own(names) => Some(names.of(release)),
        }
    }
}

impl Names {
    fn of(self, release: &ReleaseNames) -> Vec<String> {
        match self {
            Self::Fixed(names) => names.iter().map(|name| (*name).to_owned()).collect(),
            Self::CaSecret => vec![release.ca_secret()],
            Self::Lease => vec![release.lease().to_owned()],
            Self::Bootstrap => vec![release.bootstrap()],
            Self::ClusterRole => vec![release.name.clone()],
        }
    }
}

/// The service account of a release, its roles, and what binds them: Kubernetes objects.
pub fn objects(rights: &[Right], on: &[Switch], release: &ReleaseNames) -> Vec<Value> {
    let ReleaseNames { namespace, name } = release;
    let rules = |belongs: fn(Scope) -> bool| -> Vec<Value> {
        let granted = |right: &&Right| {
            belongs(right.scope) && right.when.is_none_or(|switch| on.contains(&switch))
        };
        rights
            .iter()
            .filter(granted)
            .map(|right| rule(right, release))
            .collect()
    };
    let metadata = |name: &str, namespace: Option<&str>| {
        let labels = json!({"app.kubernetes.io/name": MANAGED_BY});
        match namespace {
            Some(namespace) => json!({"name": name, "namespace": namespace, "labels": labels}),
            None => json!({"name": name, "labels": labels}),
        }
    };
    let account = json!([{"kind": "ServiceAccount", "name": name, "namespace": namespace}]);
    let role = |kind: &str, metadata: Value, rules: Vec<Value>| {
        let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind,
            "name": metadata["name"]});
        let api = "rbac.authorization.k8s.io/v1";
        [
            json!({"apiVersion": api, "kind": kind, "metadata": metadata, "rules": rules}),
            json!({"apiVersion": api, "kind": format!("{kind}Binding"), "metadata": metadata,
                "roleRef": reference, "subjects": account}),
        ]
    };
    let mut objects = vec![json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(name, Some(namespace)),
    })];
    let cluster = rules(|scope| matches!(scope, Scope::Cluster | Scope::Named(_)));
    objects.extend(role("ClusterRole", metadata(name, None), cluster));
    let own = rules(|scope| matches!(scope, Scope::Own(_)));
    objects.extend(role("Role", metadata(name, Some(namespace)), own));
    let default = rules(|scope| scope == Scope::Default);
    let events = release.events_role();
    objects.extend(role("Role", metadata(&events, Some("default")), default));
    objects
}

fn rule(right: &Right, release: &ReleaseNames) -> Value {
    let mut rule = json!({
        "apiGroups": [right.group], "resources": right.resources, "verbs": right.verbs,
    });
    if let Some(names) = right.scope.names(release) {
        rule["resourceNames"] = json!(names);
    }
    rule
}
