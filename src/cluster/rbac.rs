//! The permissions of a replica: one table, from which `manifests/rbac.yaml` and the chart's roles are generated. Every replica
//! may become the leader, so all have the same permissions.

use serde_json::{Value, json};

use super::release::{
    CONFIG_MAP_WEBHOOK, GROUP, MANAGED_BY, POD_UPDATE_WEBHOOK, POD_WEBHOOK, ReleaseNames,
    TEMPLATE_WEBHOOK,
};

/// A rule of a role, as in RBAC, with where it applies and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyRule {
    /// The API group; empty is the core.
    pub group: &'static str,
    /// Resources and subresources.
    pub resources: &'static [&'static str],
    /// The permitted verbs.
    pub verbs: &'static [&'static str],
    /// The namespace and the objects.
    pub scope: RuleScope,
    /// The value of the chart that grants it; `None` if it is always granted.
    pub when: Option<Switch>,
    /// Its purpose.
    pub why: &'static str,
}

/// Where a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleScope {
    /// In the whole cluster.
    Cluster,
    /// In the whole cluster, for objects of these names.
    Named(ObjectNames),
    /// In the release's namespace, for objects of these names.
    Own(ObjectNames),
    /// In the namespace `default`, where events on objects without a namespace live.
    Default,
}

/// Names of objects that a rule is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectNames {
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

/// A value of the chart that enables a feature.
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
pub const MUTATING: &[&str] = &[POD_WEBHOOK, POD_UPDATE_WEBHOOK, CONFIG_MAP_WEBHOOK];

/// The names of the validating webhook configurations.
pub const VALIDATING: &[&str] = &[TEMPLATE_WEBHOOK];

const MAPPINGS: &str = "inferenceprofilemappings";
const POLICIES: &str = "inferenceprofilepolicies";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// Every rule, in the order of the generated files.
pub const TABLE: &[PolicyRule] = &[
    rule_of(
        GROUP,
        &[MAPPINGS, POLICIES],
        &["list", "watch"],
        RuleScope::Cluster,
        None,
        "the view",
    ),
    rule_of(
        GROUP,
        &[
            "inferenceprofilemappings/status",
            "inferenceprofilepolicies/status",
        ],
        &["patch"],
        RuleScope::Cluster,
        None,
        "conditions, the last audit",
    ),
    rule_of(
        GROUP,
        &[MAPPINGS],
        &["create"],
        RuleScope::Cluster,
        Some(Switch::CatalogApply),
        "the first apply of builtin; create cannot be limited to a name",
    ),
    rule_of(
        GROUP,
        &[MAPPINGS],
        &["patch"],
        RuleScope::Named(ObjectNames::Fixed(&["builtin"])),
        Some(Switch::CatalogApply),
        "updates of the shipped catalog",
    ),
    rule_of(
        GROUP,
        &[POLICIES],
        &["create"],
        RuleScope::Cluster,
        Some(Switch::PolicyCreate),
        "the first apply of default; create cannot be limited to a name",
    ),
    rule_of(
        GROUP,
        &[POLICIES],
        &["patch"],
        RuleScope::Named(ObjectNames::Fixed(&["default"])),
        Some(Switch::PolicyCreate),
        "changes of the chart's default policy",
    ),
    rule_of(
        ADMISSION,
        &["mutatingwebhookconfigurations"],
        &["list", "watch", "patch"],
        RuleScope::Named(ObjectNames::Fixed(MUTATING)),
        None,
        "activate, apply the CA bundle, read it back",
    ),
    rule_of(
        ADMISSION,
        &["validatingwebhookconfigurations"],
        &["list", "watch", "patch"],
        RuleScope::Named(ObjectNames::Fixed(VALIDATING)),
        None,
        "activate, apply the CA bundle, read it back",
    ),
    rule_of(
        "",
        &["namespaces"],
        &["list", "watch"],
        RuleScope::Cluster,
        None,
        "labels and annotations, metadata only",
    ),
    rule_of(
        "",
        &["nodes"],
        &["list", "watch"],
        RuleScope::Cluster,
        Some(Switch::RegionFromNodes),
        "the cluster's region, metadata only",
    ),
    rule_of(
        "",
        &["configmaps"],
        &["list", "watch"],
        RuleScope::Cluster,
        Some(Switch::References),
        "references of Pods to ConfigMaps",
    ),
    rule_of(
        "",
        &["configmaps"],
        &["list"],
        RuleScope::Cluster,
        Some(Switch::AuditConfigMaps),
        "the audit",
    ),
    rule_of(
        "",
        &["pods", "replicationcontrollers", "podtemplates"],
        &["list"],
        RuleScope::Cluster,
        Some(Switch::Audit),
        "the audit",
    ),
    rule_of(
        "apps",
        &["deployments", "statefulsets", "daemonsets", "replicasets"],
        &["list"],
        RuleScope::Cluster,
        Some(Switch::Audit),
        "the audit, owners by uid",
    ),
    rule_of(
        "batch",
        &["jobs", "cronjobs"],
        &["list"],
        RuleScope::Cluster,
        Some(Switch::Audit),
        "the audit, owners by uid",
    ),
    rule_of(
        "openreports.io",
        &["reports"],
        &["create"],
        RuleScope::Cluster,
        Some(Switch::Reports),
        "reports; create cannot be limited to a name",
    ),
    rule_of(
        "openreports.io",
        &["reports"],
        &["list", "patch", "delete"],
        RuleScope::Named(ObjectNames::Fixed(&["bedrock-profiles"])),
        Some(Switch::Reports),
        "reports",
    ),
    rule_of(
        "rbac.authorization.k8s.io",
        &["clusterroles"],
        &["get"],
        RuleScope::Named(ObjectNames::ClusterRole),
        Some(Switch::Reports),
        "the owner of the reports",
    ),
    rule_of(
        "events.k8s.io",
        &["events"],
        &["create"],
        RuleScope::Cluster,
        Some(Switch::EventsOnOwners),
        "events on what the audit finds",
    ),
    rule_of(
        "events.k8s.io",
        &["events"],
        &["create"],
        RuleScope::Default,
        None,
        "events on policies",
    ),
    rule_of(
        "",
        &["secrets"],
        &["get", "list", "watch", "update"],
        RuleScope::Own(ObjectNames::CaSecret),
        Some(Switch::SelfSigned),
        "the CAs; the chart ships the Secret, so nothing is created",
    ),
    rule_of(
        "coordination.k8s.io",
        &["leases"],
        &["get", "update"],
        RuleScope::Own(ObjectNames::Lease),
        None,
        "leader election; the chart ships the Lease, so nothing is created",
    ),
    rule_of(
        "",
        &["configmaps"],
        &["list", "watch"],
        RuleScope::Own(ObjectNames::Bootstrap),
        None,
        "the bootstrap configuration",
    ),
];

/// The rule of the chart's `ClusterRole` for users who audit the cluster, or files by its policies. The `ServiceAccount` does not have the
/// role.
pub const VIEW: PolicyRule = rule_of(
    GROUP,
    &[MAPPINGS, POLICIES],
    &["get", "list", "watch"],
    RuleScope::Cluster,
    None,
    "users who audit the cluster, or files by its policies",
);

const fn rule_of(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    scope: RuleScope,
    when: Option<Switch>,
    why: &'static str,
) -> PolicyRule {
    PolicyRule {
        group,
        resources,
        verbs,
        scope,
        when,
        why,
    }
}

impl Switch {
    /// The switches that are on with the chart's default values.
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

impl RuleScope {
    /// The names that the rule is limited to.
    pub fn names(self, release: &ReleaseNames) -> Option<Vec<String>> {
        match self {
            Self::Cluster | Self::Default => None,
            Self::Named(names) | Self::Own(names) => Some(names.of(release)),
        }
    }
}

impl ObjectNames {
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

/// The objects of a release: service account, roles and bindings.
pub fn objects(rights: &[PolicyRule], on: &[Switch], release: &ReleaseNames) -> Vec<Value> {
    let ReleaseNames { namespace, name } = release;
    let rules = |belongs: fn(RuleScope) -> bool| -> Vec<Value> {
        let granted = |right: &&PolicyRule| {
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
    let cluster = rules(|scope| matches!(scope, RuleScope::Cluster | RuleScope::Named(_)));
    objects.extend(role("ClusterRole", metadata(name, None), cluster));
    let own = rules(|scope| matches!(scope, RuleScope::Own(_)));
    objects.extend(role("Role", metadata(name, Some(namespace)), own));
    let default = rules(|scope| scope == RuleScope::Default);
    let events = release.events_role();
    objects.extend(role("Role", metadata(&events, Some("default")), default));
    objects
}

fn rule(right: &PolicyRule, release: &ReleaseNames) -> Value {
    let mut rule = json!({
        "apiGroups": [right.group], "resources": right.resources, "verbs": right.verbs,
    });
    if let Some(names) = right.scope.names(release) {
        rule["resourceNames"] = json!(names);
    }
    rule
}
