//! Reads what the checks need. What the caller may not read is unread, and only a cluster that cannot be read at all is an error.

use std::fmt::Display;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace as StoredNamespace;
use kube::core::PartialObjectMeta;
use serde_json::Value;

use crate::cli::cluster_args::ClusterConnection;
use crate::cli::cluster_view::namespace_of;
use crate::cluster::access::ResourceAccess;
use crate::cluster::list::{ListError, Pager};
use crate::domain::policy::Namespace;
use crate::health::{Reading, ServerState, Unread, WebhookObjectState};

/// The path of namespaces.
const NAMESPACES: &str = "/api/v1/namespaces";

/// The API group of webhook configurations.
const ADMISSION: &str = "admissionregistration.k8s.io";

/// The time after which a replica that gives no response has none.
const REPLICA_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a cluster.
pub(super) struct ClusterReader<'a> {
    connection: &'a ClusterConnection,
    /// Reads lists and objects.
    pub(super) pager: &'a Pager,
}

impl<'a> ClusterReader<'a> {
    pub(super) const fn new(connection: &'a ClusterConnection) -> Self {
        Self {
            connection,
            pager: &connection.pager,
        }
    }

    /// The API server.
    pub(super) fn server(&self) -> ServerState {
        let version = self.connection.version.as_ref();
        ServerState {
            url: self.connection.clients.server.clone(),
            version: version.map(|version| version.git_version.clone()),
        }
    }

    /// The object at a path, which takes this right; `None` if there is none.
    pub(super) async fn get(
        &self,
        path: &str,
        right: &impl Display,
    ) -> anyhow::Result<Reading<Option<Value>>> {
        lookup(self.get_parsed(path).await, right)
    }

    /// The items of the list at a path, which takes this right; none if the API server does not serve it.
    pub(super) async fn list(
        &self,
        path: &str,
        right: &impl Display,
    ) -> anyhow::Result<Reading<Vec<Value>>> {
        let list = self.get(path, right).await?;
        Ok(
            list.map(|list| match list.map(|mut list| list["items"].take()) {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            }),
        )
    }

    async fn get_parsed(&self, path: &str) -> Result<Option<Value>, ListError> {
        let text = self.pager.get(path).await?;
        let parsed = text.map(|text| serde_json::from_str(&text)).transpose();
        parsed.map_err(|error| ListError::Failed(error.into()))
    }

    /// Whether the caller has a right.
    pub(super) async fn may(&self, access: &ResourceAccess) -> anyhow::Result<Reading<bool>> {
        let right = "create selfsubjectaccessreviews.authorization.k8s.io";
        lookup(self.pager.may(access).await, &right)
    }

    /// The metadata of a namespace, as an object and as the webhook observes it; `None` if it does not exist.
    pub(super) async fn namespace(
        &self,
        name: &str,
    ) -> anyhow::Result<Reading<Option<(Value, Namespace)>>> {
        let right = format!("get namespaces {name}");
        let text = lookup(self.pager.metadata(NAMESPACES, name).await, &right)?;
        Ok(match text {
            Ok(Some(text)) => {
                let object = serde_json::from_str(&text)?;
                let stored: PartialObjectMeta<StoredNamespace> = serde_json::from_str(&text)?;
                Ok(Some((object, namespace_of(&stored))))
            }
            Ok(None) => Ok(None),
            Err(unread) => Err(unread),
        })
    }

    /// The webhooks of every webhook configuration.
    pub(super) async fn webhooks(&self) -> anyhow::Result<Reading<Vec<WebhookObjectState>>> {
        let mut webhooks = Vec::new();
        for (resource, is_mutating) in [
            ("mutatingwebhookconfigurations", true),
            ("validatingwebhookconfigurations", false),
        ] {
            let right = ResourceAccess::new("list", ADMISSION, resource, None);
            match self
                .list(&format!("/apis/{ADMISSION}/v1/{resource}"), &right)
                .await?
            {
                Ok(items) => webhooks.extend(
                    items
                        .iter()
                        .flat_map(|item| WebhookObjectState::all_of(item, is_mutating)),
                ),
                Err(unread) => return Ok(Err(unread)),
            }
        }
        Ok(Ok(webhooks))
    }

    /// The metrics of a replica, by way of the API server.
    pub(super) async fn metrics(&self, namespace: &str, pod: &str, port: u16) -> Reading<String> {
        let pager = Pager {
            request_timeout: Some(REPLICA_TIMEOUT),
            ..self.pager.clone()
        };
        let path = format!("/api/v1/namespaces/{namespace}/pods/http:{pod}:{port}/proxy/metrics");
        match pager.get(&path).await {
            Ok(Some(text)) => Ok(text),
            Ok(None) => Err(no_metrics(pod, &"not found")),
            Err(ListError::Forbidden) => {
                let right = ResourceAccess::new("get", "", "pods/proxy", Some(namespace));
                Err(Unread::forbidden(&right))
            }
            // The API server responds to other requests: it is the replica that does not.
            Err(error) => Err(no_metrics(pod, &error)),
        }
    }
}

fn no_metrics(pod: &str, reason: &impl Display) -> Unread {
    Unread {
        reason: format!("the metrics of replica {pod} cannot be read by way of the API server: {reason}"),
        hint: "See whether the Pod is ready, and whether a NetworkPolicy keeps the API server from its port `admin`; Prometheus has the same metrics.".to_owned(),
    }
}

/// What was read, or why not. An error after which every further request would fail is an error here.
pub(super) fn lookup<T>(
    read: Result<T, ListError>,
    right: &impl Display,
) -> anyhow::Result<Reading<T>> {
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(ListError::Forbidden) => Ok(Err(Unread::forbidden(right))),
        Err(error) if error.is_final() => Err(error.into()),
        Err(error) => Ok(Err(Unread {
            reason: error.to_string(),
            hint: "Run the check again.".to_owned(),
        })),
    }
}
