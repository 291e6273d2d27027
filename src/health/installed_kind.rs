//! The kinds of the chart, and the rights that an installation needs.

use crate::cluster::access::ResourceAccess;
use crate::cluster::rbac::{PolicyRule, RuleScope, Switch, TABLE, VIEW};
use crate::cluster::release::ReleaseNames;

use super::check::{Check, CheckResult};
use super::unread::{Reading, Unread, known};

/// The namespace beside that of the release in which the chart installs a Role and its binding.
const EVENTS_NAMESPACE: &str = "default";

/// The verbs that Helm needs on each object.
const VERBS: [&str; 4] = ["get", "create", "patch", "delete"];

/// How many missing rights a result lists.
const MAX_LISTED: usize = 8;

const RBAC: &str = "rbac.authorization.k8s.io";

/// A kind that the chart installs with its default values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstalledKind {
    /// API group and version.
    pub api_version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// The plural name of the resource.
    pub plural: &'static str,
    /// Whether its objects are in a namespace.
    pub is_namespaced: bool,
}

/// Every kind of `manifests/install.yaml`, without the namespace, by API. A test compares them.
#[rustfmt::skip]
pub const INSTALLED_KINDS: &[InstalledKind] = &[
    kind("v1", "ConfigMap", "configmaps", true),
    kind("v1", "Secret", "secrets", true),
    kind("v1", "Service", "services", true),
    kind("v1", "ServiceAccount", "serviceaccounts", true),
    kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false),
    kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", false),
    kind("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", false),
    kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false),
    kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
    kind("apps/v1", "Deployment", "deployments", true),
    kind("coordination.k8s.io/v1", "Lease", "leases", true),
    kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true),
    kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
    kind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false),
    kind("rbac.authorization.k8s.io/v1", "Role", "roles", true),
    kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true),
];

const fn kind(
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    is_namespaced: bool,
) -> InstalledKind {
    InstalledKind {
        api_version,
        kind,
        plural,
        is_namespaced,
    }
}

impl InstalledKind {
    /// The API group; empty is the core.
    pub fn group(&self) -> &'static str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }
}

/// The rights of the caller, as far as an installation needs them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstallRights {
    /// Those of [`rights_to_install`] that the caller lacks.
    pub missing: Vec<ResourceAccess>,
    /// Those of [`rights_to_grant`] that the caller lacks, unless the caller may grant any right.
    pub missing_to_grant: Vec<ResourceAccess>,
}

/// The rights on the objects of the chart. Helm keeps the record of a release in Secrets, which are among them.
pub fn rights_to_install(namespace: &str) -> Vec<ResourceAccess> {
    let mut rights = Vec::new();
    for kind in INSTALLED_KINDS {
        let namespaces = match (kind.is_namespaced, kind.group()) {
            (false, _) => vec![None],
            (true, RBAC) => vec![Some(namespace), Some(EVENTS_NAMESPACE)],
            (true, _) => vec![Some(namespace)],
        };
        for namespace in namespaces {
            let right = |verb| ResourceAccess::new(verb, kind.group(), kind.plural, namespace);
            rights.extend(VERBS.map(right));
        }
    }
    rights
}

/// The rights that the roles of the chart grant with its default values. RBAC lets a user grant only rights that the user has, or any if
/// the user may `escalate` roles.
pub fn rights_to_grant(release: &ReleaseNames) -> Vec<ResourceAccess> {
    let is_granted = |rule: &&PolicyRule| rule.when.is_none_or(|on| Switch::DEFAULTS.contains(&on));
    let rules = TABLE.iter().filter(is_granted).chain([&VIEW]);
    rules.flat_map(|rule| requests_of(rule, release)).collect()
}

/// One request for each verb, resource and name of a rule.
fn requests_of(rule: &PolicyRule, release: &ReleaseNames) -> Vec<ResourceAccess> {
    let namespace = match rule.scope {
        RuleScope::Cluster | RuleScope::Named(_) => None,
        RuleScope::Own(_) => Some(release.namespace.as_str()),
        RuleScope::Default => Some(EVENTS_NAMESPACE),
    };
    let names = rule
        .scope
        .names(release)
        .map_or_else(|| vec![None], |names| names.into_iter().map(Some).collect());
    let mut requests = Vec::new();
    for resource in rule.resources {
        for verb in rule.verbs {
            for name in &names {
                requests.push(ResourceAccess {
                    name: name.clone(),
                    ..ResourceAccess::new(verb, rule.group, resource, namespace)
                });
            }
        }
    }
    requests
}

/// Whether the caller may install the objects of the chart.
pub(super) fn check_install_rights(rights: &Reading<InstallRights>) -> CheckResult {
    let check = Check::InstallRights;
    known(check, rights.as_ref().map_err(Unread::clone).map(|rights| {
        if rights.missing.is_empty() {
            return check.passed("you may install every object of the chart");
        }
        check.failed(
            format!("you may not {}", listed(&rights.missing)),
            "Let a user install the release who has these rights, such as one with the ClusterRole cluster-admin.",
        )
    }))
}

/// Whether the caller may grant what the replicas need.
pub(super) fn check_grant_rights(rights: &Reading<InstallRights>) -> CheckResult {
    let check = Check::GrantRights;
    known(check, rights.as_ref().map_err(Unread::clone).map(|rights| {
        if rights.missing_to_grant.is_empty() {
            return check.passed("you may grant the rights of the replicas");
        }
        check.failed(
            format!(
                "the chart's roles have rights that you lack: {}",
                listed(&rights.missing_to_grant)
            ),
            "Ask for these rights, or for the verb escalate on roles and clusterroles; or set rbac.create=false and let another user create the roles of manifests/rbac.yaml.",
        )
    }))
}

fn listed(rights: &[ResourceAccess]) -> String {
    let first: Vec<_> = rights
        .iter()
        .take(MAX_LISTED)
        .map(ToString::to_string)
        .collect();
    let more = rights.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", first.join("; "))
}

#[cfg(test)]
mod tests {
    use super::super::check::CheckState;
    use super::*;

    fn release() -> ReleaseNames {
        ReleaseNames {
            namespace: "ai".to_owned(),
            name: "x".to_owned(),
        }
    }

    #[test]
    fn rights_are_asked_for_where_the_objects_are() {
        let rights = rights_to_install("ai");
        let texts: Vec<_> = rights.iter().map(ToString::to_string).collect();
        for expected in [
            "create secrets in namespace ai",
            "delete roles.rbac.authorization.k8s.io in namespace default",
            "patch clusterroles.rbac.authorization.k8s.io",
        ] {
            assert!(
                texts.iter().any(|text| text == expected),
                "{expected}: {texts:#?}"
            );
        }
    }

    #[test]
    fn the_rights_to_grant_are_those_of_the_replicas_table() {
        let texts: Vec<_> = rights_to_grant(&release())
            .iter()
            .map(ToString::to_string)
            .collect();
        for expected in [
            "watch namespaces",
            "update secrets x-ca in namespace ai",
            "create events.events.k8s.io in namespace default",
        ] {
            assert!(
                texts.iter().any(|text| text == expected),
                "{expected}: {texts:#?}"
            );
        }
        let off = "create events.events.k8s.io";
        assert!(
            !texts.iter().any(|text| text == off),
            "events.onOwners is off by default"
        );
    }

    #[test]
    fn missing_rights_are_listed_and_the_rest_is_counted() {
        let rights = |missing: Vec<ResourceAccess>| {
            Ok(InstallRights {
                missing,
                missing_to_grant: Vec::new(),
            })
        };
        assert_eq!(
            check_install_rights(&rights(Vec::new())).state,
            CheckState::Passed
        );
        let result = check_install_rights(&rights(rights_to_install("ai")));
        assert_eq!(result.state, CheckState::Failed);
        assert!(
            result.detail.contains("get configmaps in namespace ai"),
            "{result:?}"
        );
        assert!(result.detail.ends_with(" more"), "{result:?}");
        let grants = Ok(InstallRights {
            missing: Vec::new(),
            missing_to_grant: rights_to_grant(&release()),
        });
        assert_eq!(check_grant_rights(&grants).state, CheckState::Failed);
        assert_eq!(check_install_rights(&grants).state, CheckState::Passed);
    }
}
