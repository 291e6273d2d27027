//! The API server: its version and its APIs.

use super::check::{Check, CheckResult};
use super::installed_kind::INSTALLED_KINDS;
use super::unread::{Reading, Unread, known};

/// The oldest supported minor version of Kubernetes 1, as in `kubeVersion` of the chart.
pub const OLDEST_MINOR: u32 = 33;

/// API groups of features that the chart can use, and what each is for.
const OPTIONAL: [(&str, &str); 3] = [
    ("cert-manager.io", "certificates.mode certManager"),
    ("monitoring.coreos.com", "ServiceMonitor and PrometheusRule"),
    ("openreports.io", "Reports of audits"),
];

/// The API server, as it was read.
#[derive(Debug, Clone)]
pub struct ServerState {
    /// Its URL.
    pub url: String,
    /// Its version, such as `v1.36.0`; `None` if the caller may not read it.
    pub version: Option<String>,
}

impl ServerState {
    /// Whether the version is supported.
    pub(super) fn check_version(&self) -> CheckResult {
        let check = Check::ServerVersion;
        let url = &self.url;
        let Some(version) = &self.version else {
            return check.unknown(
                format!("{url} responds; you may not read its version"),
                "Ask for the ClusterRole system:public-info-viewer, which users who are logged in usually have.",
            );
        };
        match minor_of(version) {
            Some(minor) if minor >= OLDEST_MINOR => check.passed(format!("{version} at {url}")),
            Some(_) => check.failed(
                format!("{version} at {url} is older than v1.{OLDEST_MINOR}"),
                format!("Upgrade the cluster to Kubernetes 1.{OLDEST_MINOR} or later; Helm refuses to install the chart into an older one."),
            ),
            None => check.unknown(
                format!("`{version}` at {url} is no version of Kubernetes 1"),
                format!("Compare it with Kubernetes 1.{OLDEST_MINOR}, the oldest supported version."),
            ),
        }
    }
}

/// The minor version of a version of Kubernetes 1: 33 of `v1.33.5-eks-1a2b3c`.
fn minor_of(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("v1.")?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Whether the API server serves the APIs that the chart needs, as `GROUP/VERSION`.
pub(super) fn check_apis(served: &Reading<Vec<String>>) -> CheckResult {
    let check = Check::ApisServed;
    known(check, served.as_ref().map_err(Unread::clone).map(|served| {
        let mut missing: Vec<_> = INSTALLED_KINDS
            .iter()
            .map(|kind| kind.api_version)
            .filter(|needed| !served.iter().any(|one| one == needed))
            .collect();
        missing.dedup();
        if missing.is_empty() {
            return check.passed("every API of the chart is served");
        }
        check.failed(
            format!("not served: {}", missing.join(", ")),
            "Enable these APIs: `kubectl api-versions` lists what is served, and --runtime-config of the API server disables APIs.",
        )
    }))
}

/// Which optional features the cluster has the APIs for.
pub(super) fn check_optional_apis(served: &Reading<Vec<String>>) -> CheckResult {
    let check = Check::OptionalApis;
    known(
        check,
        served.as_ref().map_err(Unread::clone).map(|served| {
            let describe = |(group, purpose): &(&str, &str)| {
                let is_served = served
                    .iter()
                    .any(|one| one.split('/').next() == Some(group));
                let state = if is_served { "served" } else { "not served" };
                format!("{group} is {state} ({purpose})")
            };
            let all: Vec<_> = OPTIONAL.iter().map(describe).collect();
            check.passed(all.join(", "))
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::check::CheckState;
    use super::*;

    fn version(version: Option<&str>) -> CheckState {
        let server = ServerState {
            url: "https://c".to_owned(),
            version: version.map(str::to_owned),
        };
        server.check_version().state
    }

    #[test]
    fn versions_from_the_oldest_on_are_supported() {
        for (text, state) in [
            (Some("v1.33.0"), CheckState::Passed),
            (Some("v1.33.5-eks-1a2b3c"), CheckState::Passed),
            (Some("v1.40.0-alpha.1"), CheckState::Passed),
            (Some("v1.32.9"), CheckState::Failed),
            (Some("v2.0.0"), CheckState::Unknown),
            (Some("unknown"), CheckState::Unknown),
            (None, CheckState::Unknown),
        ] {
            assert_eq!(version(text), state, "{text:?}");
        }
    }

    #[test]
    fn a_missing_api_is_named_and_an_optional_one_is_only_noted() {
        let all = INSTALLED_KINDS
            .iter()
            .map(|kind| kind.api_version.to_owned());
        let mut served: Vec<_> = all.collect();
        assert_eq!(check_apis(&Ok(served.clone())).state, CheckState::Passed);
        served.retain(|one| one != "policy/v1");
        let result = check_apis(&Ok(served));
        assert_eq!(result.state, CheckState::Failed);
        assert_eq!(result.detail, "not served: policy/v1");
        let noted = check_optional_apis(&Ok(vec!["openreports.io/v1alpha1".to_owned()]));
        assert_eq!(noted.state, CheckState::Passed);
        assert!(
            noted.detail.contains("openreports.io is served"),
            "{noted:?}"
        );
        assert!(
            noted.detail.contains("cert-manager.io is not served"),
            "{noted:?}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        let unread = Unread::forbidden(&"get /apis");
        assert_eq!(check_apis(&Err(unread)).state, CheckState::Unknown);
    }
}
