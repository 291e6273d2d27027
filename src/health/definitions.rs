//! The definitions of the custom resources: whether they are those of this version, and whose they are.

use serde::Serialize;
use serde_json::Value;

use super::check::{Check, CheckResult};
use super::unread::{Reading, Unread, known, string};

/// The version of the custom resources.
const VERSION: &str = "v1alpha1";

/// The command that installs the definitions.
const INSTALL: &str = "bedrock-profiles export crds | kubectl apply --server-side -f -";

/// The definitions of the custom resources beside those of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum DefinitionState {
    /// The API server does not serve them.
    Missing,
    /// They are served, and have the schema of this version.
    Equal,
    /// They are served, and have another schema.
    Different,
    /// They are served; the caller may not read their schema.
    Served,
}

/// The release of Helm that owns an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmOwner {
    /// The namespace of the release; empty if no release of Helm owns the object.
    pub namespace: String,
    /// The name of the release.
    pub release: String,
}

/// A definition as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDefinition {
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: HelmOwner,
}

impl DefinitionState {
    /// The state in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "not installed",
            Self::Equal => "as in this version",
            Self::Different => "of another version",
            Self::Served => "installed; no right to compare them",
        }
    }

    /// Compares a stored definition with that of this version.
    pub fn of(stored: &Value, own: &Value) -> Self {
        if schema(stored) == schema(own) {
            Self::Equal
        } else {
            Self::Different
        }
    }

    /// The remedy where the definitions do not fit.
    pub fn problem(self) -> Option<String> {
        matches!(self, Self::Missing | Self::Different).then(|| {
            format!(
                "the definitions of the custom resources are {}; `{INSTALL}` installs them",
                self.as_str()
            )
        })
    }
}

/// The schema of the served version of a definition.
fn schema(definition: &Value) -> Option<&Value> {
    let mut versions = definition["spec"]["versions"].as_array()?.iter();
    Some(&versions.find(|version| version["name"] == VERSION)?["schema"])
}

impl HelmOwner {
    /// Reads the marks by which Helm recognises an object as its own.
    pub fn of(object: &Value) -> Self {
        let metadata = &object["metadata"];
        if metadata["labels"]["app.kubernetes.io/managed-by"] != "Helm" {
            return Self {
                namespace: String::new(),
                release: String::new(),
            };
        }
        let annotation = |name: &str| string(&metadata["annotations"][name]);
        Self {
            namespace: annotation("meta.helm.sh/release-namespace"),
            release: annotation("meta.helm.sh/release-name"),
        }
    }

    /// Whether the owner is this release.
    pub(super) fn is(&self, namespace: &str, release: &str) -> bool {
        self.namespace == namespace && self.release == release
    }
}

impl std::fmt::Display for HelmOwner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.release.is_empty() {
            return f.write_str("no release of Helm");
        }
        write!(
            f,
            "release {} in namespace {}",
            self.release, self.namespace
        )
    }
}

/// Whether the definitions are those of this version. A release of another version explains other ones.
pub(super) fn check_fit(state: &Reading<DefinitionState>, release_version: &str) -> CheckResult {
    let check = Check::DefinitionsFit;
    known(check, state.as_ref().map_err(Unread::clone).map(|state| {
        let own = env!("CARGO_PKG_VERSION");
        let is_other_version = release_version != own;
        match state {
            DefinitionState::Equal => check.passed(format!("they are those of {own}")),
            DefinitionState::Served => check.unknown(
                "they are served; you may not read their schemas",
                "Ask for the right to get customresourcedefinitions.apiextensions.k8s.io.",
            ),
            DefinitionState::Different if is_other_version => check.warning(
                format!("they are not those of this command, {own}, and the release has another version too"),
                "Use the command of the version of the release, or upgrade the release.",
            ),
            DefinitionState::Different => check.failed(
                format!("they are not those of {own}, the version of this command"),
                format!("Install those of this version: `{INSTALL}`."),
            ),
            DefinitionState::Missing => check.failed(
                "the API server does not serve the custom resources",
                format!("Install them: `{INSTALL}`, or `helm upgrade` with crds.install."),
            ),
        }
    }))
}

/// Whether Helm will accept the definitions that there are as those of the release.
pub(super) fn check_owned(
    stored: &Reading<Vec<StoredDefinition>>,
    namespace: &str,
    release: &str,
) -> CheckResult {
    let check = Check::DefinitionsOwned;
    known(check, stored.as_ref().map_err(Unread::clone).map(|stored| {
        let Some(other) = stored.iter().find(|one| !one.owner.is(namespace, release)) else {
            return check.passed(match stored.len() {
                0 => "there are none; the chart installs them".to_owned(),
                _ => format!("they belong to release {release}"),
            });
        };
        check.failed(
            format!("{} belongs to {}, and Helm does not take it over", other.name, other.owner),
            "Set crds.install=false and keep the definitions up to date yourself; or install with --take-ownership of Helm.",
        )
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check::CheckState;
    use super::*;

    fn definition(managed_by: &str, release: &str) -> StoredDefinition {
        let object = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": managed_by},
            "annotations": {"meta.helm.sh/release-namespace": "ai", "meta.helm.sh/release-name": release}}});
        StoredDefinition {
            name: "x".to_owned(),
            owner: HelmOwner::of(&object),
        }
    }

    #[test]
    fn helm_takes_definitions_of_its_own_release_only() {
        let state = |stored| check_owned(&Ok(stored), "ai", "profiles").state;
        assert_eq!(state(vec![]), CheckState::Passed);
        assert_eq!(
            state(vec![definition("Helm", "profiles")]),
            CheckState::Passed
        );
        for other in [definition("Helm", "other"), definition("", "profiles")] {
            assert_eq!(
                state(vec![definition("Helm", "profiles"), other]),
                CheckState::Failed
            );
        }
    }

    #[test]
    fn definitions_are_compared_by_the_schema_of_the_version() {
        let with = |schema: &str| json!({"spec": {"versions": [{"name": "v1", "schema": "?"}, {"name": VERSION, "schema": schema}]}});
        assert_eq!(
            DefinitionState::of(&with("a"), &with("a")),
            DefinitionState::Equal
        );
        assert_eq!(
            DefinitionState::of(&with("b"), &with("a")),
            DefinitionState::Different
        );
        assert_eq!(
            DefinitionState::of(&json!({}), &with("a")),
            DefinitionState::Different
        );
        for (state, expected) in [
            (DefinitionState::Equal, CheckState::Passed),
            (DefinitionState::Different, CheckState::Failed),
            (DefinitionState::Missing, CheckState::Failed),
            (DefinitionState::Served, CheckState::Unknown),
        ] {
            assert_eq!(
                check_fit(&Ok(state), env!("CARGO_PKG_VERSION")).state,
                expected
            );
        }
    }
}
