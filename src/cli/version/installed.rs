//! What is installed in a cluster, and whether it fits this version.

use bedrock_profiles_engine::{group, in_group};
use serde::Serialize;
use serde_json::Value;

use crate::cluster::list::{ListError, Pager};
use crate::health::{DefinitionState, DeploymentState};

use super::super::cluster_args::ClusterConnection;
use super::super::export::CRDS;

/// The path of the served version of the custom resources.
const SERVED: &str = concat!("/apis/", group!(), "/v1alpha1");

/// The path of the definitions.
pub(in crate::cli) const DEFINITIONS: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";

/// The path of the Deployments of releases.
const RELEASES: &str =
    "/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dbedrock-profiles";

/// The path of the shipped catalog.
const CATALOG: &str = concat!(
    "/apis/",
    in_group!("v1alpha1/inferenceprofilemappings/builtin")
);

/// What is installed in a cluster. `None` is what the caller may not read.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Installed {
    pub server: String,
    pub kubernetes: Option<String>,
    pub releases: Option<Vec<Release>>,
    pub definitions: Option<DefinitionState>,
    pub catalog: Option<InstalledCatalog>,
    /// What does not fit this version.
    pub problems: Vec<String>,
}

/// A release of the chart.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Release {
    pub namespace: String,
    pub name: String,
    pub version: String,
}

/// The mapping `builtin`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct InstalledCatalog {
    /// The date of its data; absent if there is no such mapping.
    pub date: Option<String>,
}

impl Release {
    fn of(deployment: DeploymentState) -> Self {
        Self {
            namespace: deployment.namespace,
            name: deployment.name,
            version: deployment.version,
        }
    }
}

impl Installed {
    /// Reads what is installed. `own_date` is the date of the catalog of this version.
    pub(super) async fn read(
        connection: &ClusterConnection,
        own_date: Option<&str>,
    ) -> Result<Self, ListError> {
        let pager = &connection.pager;
        let version = connection.version.as_ref();
        let mut installed = Self {
            server: connection.clients.server.clone(),
            kubernetes: version.map(|version| version.git_version.clone()),
            releases: permitted(releases(pager).await)?
                .map(|releases| releases.into_iter().map(Release::of).collect()),
            definitions: permitted(definitions(pager).await)?,
            catalog: permitted(catalog(pager).await)?,
            problems: Vec::new(),
        };
        installed.problems = installed.compare(own_date);
        Ok(installed)
    }

    /// Whether everything that could be read fits this version.
    pub(super) const fn fits(&self) -> bool {
        self.problems.is_empty()
    }

    fn compare(&self, own_date: Option<&str>) -> Vec<String> {
        let own = env!("CARGO_PKG_VERSION");
        let others = self
            .releases
            .iter()
            .flatten()
            .filter(|one| one.version != own);
        let mut problems: Vec<_> = others
            .map(|one| {
                let (namespace, name, version) = (&one.namespace, &one.name, &one.version);
                format!("release {namespace}/{name} has version {version}, this command {own}")
            })
            .collect();
        problems.extend(self.definitions.and_then(DefinitionState::problem));
        let date = self.catalog.as_ref().and_then(|one| one.date.as_deref());
        if let Some(date) = date
            && Some(date) != own_date
        {
            let own = own_date.unwrap_or("an unknown date");
            problems.push(format!(
                "the catalog of the cluster is of {date}, that of this command of {own}"
            ));
        }
        problems
    }
}

/// What was read, or `None` if the caller may not read it.
fn permitted<T>(read: Result<T, ListError>) -> Result<Option<T>, ListError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(ListError::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn get(pager: &Pager, path: &str) -> Result<Option<Value>, ListError> {
    let text = pager.get(path).await?;
    let parsed = text.map(|text| serde_json::from_str(&text)).transpose();
    parsed.map_err(|error| ListError::Failed(error.into()))
}

/// The Deployments of releases.
pub(in crate::cli) async fn releases(pager: &Pager) -> Result<Vec<DeploymentState>, ListError> {
    let list = get(pager, RELEASES).await?.unwrap_or_default();
    let items = list["items"].as_array().into_iter().flatten();
    Ok(items.map(DeploymentState::of).collect())
}

/// The definitions of this version, as JSON.
pub(in crate::cli) fn own_definitions() -> Result<Vec<Value>, ListError> {
    let parse = |text: &&str| serde_saphyr::from_str(text);
    let own: Result<_, _> = CRDS.iter().map(parse).collect();
    own.map_err(|error| ListError::Failed(error.into()))
}

/// The definitions of the cluster beside those of this version.
pub(in crate::cli) async fn definitions(pager: &Pager) -> Result<DefinitionState, ListError> {
    let Some(served) = get(pager, SERVED).await? else {
        return Ok(DefinitionState::Missing);
    };
    let served = served["resources"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let mut state = DefinitionState::Equal;
    for own in own_definitions()? {
        if !served
            .iter()
            .any(|one| one["kind"] == own["spec"]["names"]["kind"])
        {
            return Ok(DefinitionState::Missing);
        }
        let name = own["metadata"]["name"].as_str().unwrap_or_default();
        let stored = match get(pager, &format!("{DEFINITIONS}{name}")).await {
            Err(ListError::Forbidden) => return Ok(DefinitionState::Served),
            stored => stored?.unwrap_or_default(),
        };
        if DefinitionState::of(&stored, &own) == DefinitionState::Different {
            state = DefinitionState::Different;
        }
    }
    Ok(state)
}

async fn catalog(pager: &Pager) -> Result<InstalledCatalog, ListError> {
    let builtin = get(pager, CATALOG).await?.unwrap_or_default();
    let date = builtin["spec"]["catalogDate"].as_str();
    Ok(InstalledCatalog {
        date: date.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_definitions_and_catalogs_of_others_do_not_fit() {
        let release = |version: &str| Release {
            namespace: "a".to_owned(),
            name: "b".to_owned(),
            version: version.to_owned(),
        };
        let of = |date: &str| {
            Some(InstalledCatalog {
                date: Some(date.to_owned()),
            })
        };
        let own = || Installed {
            releases: Some(vec![release(env!("CARGO_PKG_VERSION"))]),
            definitions: Some(DefinitionState::Equal),
            catalog: of("2026-11-30"),
            ..Installed::default()
        };
        let problems = |installed: &Installed| installed.compare(Some("2026-11-30")).len();
        assert_eq!(problems(&own()), 0);
        assert_eq!(
            problems(&Installed::default()),
            0,
            "what cannot be read is no problem"
        );
        let other = Installed {
            releases: Some(vec![release("9.9.9")]),
            definitions: Some(DefinitionState::Missing),
            catalog: of("2020-01-01"),
            ..own()
        };
        assert_eq!(problems(&other), 3);
    }
}
