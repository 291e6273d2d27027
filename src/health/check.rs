//! The checks, and the result of one.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::cause::page_url;

/// The page that explains each check, under a heading of its name.
const PAGE: &str = "docs/check.md";

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Check {
    /// The API server responds, and its version is supported.
    ServerVersion,
    /// The API server serves every API of the chart.
    ApisServed,
    /// Which APIs of optional features are served.
    OptionalApis,
    /// The caller may create, change and delete the objects of the chart.
    InstallRights,
    /// The caller may grant the rights that the replicas need.
    GrantRights,
    /// The namespace exists, or can be created.
    NamespaceUsable,
    /// The namespace admits the Pods of the release.
    PodsAdmitted,
    /// No other owner has the definitions of the custom resources.
    DefinitionsOwned,
    /// No other release has the names that exist once in a cluster.
    NoOtherRelease,
    /// Webhooks of other programs neither stop the replicas nor go unnoticed.
    OtherWebhooks,
    /// There is one release.
    ReleaseInstalled,
    /// Release, replicas, catalog and command have the same version.
    VersionsFit,
    /// The definitions of the custom resources are those of this version.
    DefinitionsFit,
    /// Every replica is ready, and all have one image.
    ReplicasReady,
    /// Each webhook configuration exists, and has its rules and a CA bundle.
    WebhooksActive,
    /// Each webhook configuration trusts the current CAs, by the metrics of the leader.
    WebhooksTrust,
    /// Each CA bundle has a CA that does not expire soon.
    CaCertificates,
    /// The certificate of each replica does not expire soon.
    ServingCertificates,
    /// The API server gets the response of the webhook to a review.
    ReviewAnswered,
    /// A replica holds the Lease.
    LeaseHeld,
    /// Each replica uses the newest policies and mappings.
    ReplicasAgree,
    /// Each policy is valid and without conflicts.
    PoliciesAccepted,
    /// Each mapping is valid and without conflicts.
    MappingsAccepted,
    /// The catalog is not old.
    CatalogAge,
}

/// A group of checks, which have a heading of their own in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum CheckGroup {
    /// The API server.
    Kubernetes,
    /// The rights of the caller.
    Rights,
    /// The namespace of the release.
    Namespace,
    /// Objects of others.
    OtherObjects,
    /// The release and its versions.
    Release,
    /// Webhook configurations and certificates.
    Webhooks,
    /// The replicas.
    Replicas,
    /// The custom resources.
    Resources,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum CheckState {
    /// It is passed.
    Passed,
    /// It is passed, and something should be looked at.
    Warning,
    /// It is failed.
    Failed,
    /// It is not known: something could not be read.
    Unknown,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// How it ended.
    pub state: CheckState,
    /// What was observed.
    pub detail: String,
    /// What to do next; none if the check is passed.
    pub hint: Option<String>,
    /// The URL of the page that explains the check.
    pub url: String,
}

impl Check {
    /// Every check, in the order of the groups.
    pub const ALL: [Self; 24] = [
        Self::ServerVersion,
        Self::ApisServed,
        Self::OptionalApis,
        Self::InstallRights,
        Self::GrantRights,
        Self::NamespaceUsable,
        Self::PodsAdmitted,
        Self::DefinitionsOwned,
        Self::NoOtherRelease,
        Self::OtherWebhooks,
        Self::ReleaseInstalled,
        Self::VersionsFit,
        Self::DefinitionsFit,
        Self::ReplicasReady,
        Self::WebhooksActive,
        Self::WebhooksTrust,
        Self::CaCertificates,
        Self::ServingCertificates,
        Self::ReviewAnswered,
        Self::LeaseHeld,
        Self::ReplicasAgree,
        Self::PoliciesAccepted,
        Self::MappingsAccepted,
        Self::CatalogAge,
    ];

    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServerVersion => "ServerVersion",
            Self::ApisServed => "ApisServed",
            Self::OptionalApis => "OptionalApis",
            Self::InstallRights => "InstallRights",
            Self::GrantRights => "GrantRights",
            Self::NamespaceUsable => "NamespaceUsable",
            Self::PodsAdmitted => "PodsAdmitted",
            Self::DefinitionsOwned => "DefinitionsOwned",
            Self::NoOtherRelease => "NoOtherRelease",
            Self::OtherWebhooks => "OtherWebhooks",
            Self::ReleaseInstalled => "ReleaseInstalled",
            Self::VersionsFit => "VersionsFit",
            Self::DefinitionsFit => "DefinitionsFit",
            Self::ReplicasReady => "ReplicasReady",
            Self::WebhooksActive => "WebhooksActive",
            Self::WebhooksTrust => "WebhooksTrust",
            Self::CaCertificates => "CaCertificates",
            Self::ServingCertificates => "ServingCertificates",
            Self::ReviewAnswered => "ReviewAnswered",
            Self::LeaseHeld => "LeaseHeld",
            Self::ReplicasAgree => "ReplicasAgree",
            Self::PoliciesAccepted => "PoliciesAccepted",
            Self::MappingsAccepted => "MappingsAccepted",
            Self::CatalogAge => "CatalogAge",
        }
    }

    /// The group of the check.
    pub const fn group(self) -> CheckGroup {
        match self {
            Self::ServerVersion | Self::ApisServed | Self::OptionalApis => CheckGroup::Kubernetes,
            Self::InstallRights | Self::GrantRights => CheckGroup::Rights,
            Self::NamespaceUsable | Self::PodsAdmitted => CheckGroup::Namespace,
            Self::DefinitionsOwned | Self::NoOtherRelease | Self::OtherWebhooks => {
                CheckGroup::OtherObjects
            }
            Self::ReleaseInstalled | Self::VersionsFit | Self::DefinitionsFit => {
                CheckGroup::Release
            }
            Self::WebhooksActive
            | Self::WebhooksTrust
            | Self::CaCertificates
            | Self::ServingCertificates
            | Self::ReviewAnswered => CheckGroup::Webhooks,
            Self::ReplicasReady | Self::LeaseHeld | Self::ReplicasAgree => CheckGroup::Replicas,
            Self::PoliciesAccepted | Self::MappingsAccepted | Self::CatalogAge => {
                CheckGroup::Resources
            }
        }
    }

    /// The path of the page that explains the check, with the anchor of its heading.
    pub fn page(self) -> String {
        format!("{PAGE}#{}", self.as_str().to_ascii_lowercase())
    }

    /// The check, passed.
    pub(super) fn passed(self, detail: impl Into<String>) -> CheckResult {
        self.result(CheckState::Passed, detail.into(), None)
    }

    /// The check, passed with something to look at.
    pub(super) fn warning(self, detail: impl Into<String>, hint: impl Into<String>) -> CheckResult {
        self.result(CheckState::Warning, detail.into(), Some(hint.into()))
    }

    /// The check, failed.
    pub(super) fn failed(self, detail: impl Into<String>, hint: impl Into<String>) -> CheckResult {
        self.result(CheckState::Failed, detail.into(), Some(hint.into()))
    }

    /// The check, of which it is not known whether it is passed.
    pub(super) fn unknown(self, detail: impl Into<String>, hint: impl Into<String>) -> CheckResult {
        self.result(CheckState::Unknown, detail.into(), Some(hint.into()))
    }

    fn result(self, state: CheckState, detail: String, hint: Option<String>) -> CheckResult {
        CheckResult {
            check: self,
            state,
            detail,
            hint,
            url: page_url(&self.page()),
        }
    }
}

impl CheckResult {
    pub(super) fn is_failed(&self) -> bool {
        self.state == CheckState::Failed
    }
}

impl CheckGroup {
    /// The heading in the text.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Kubernetes => "Kubernetes",
            Self::Rights => "Rights",
            Self::Namespace => "Namespace",
            Self::OtherObjects => "Other objects",
            Self::Release => "Release",
            Self::Webhooks => "Webhooks",
            Self::Replicas => "Replicas",
            Self::Resources => "Policies and mappings",
        }
    }
}
