//! Flags that select a cluster, as kubectl has them, and the connection that they describe.

use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::version::Info;

use crate::cluster::client::{ClientError, ClientOptions, Clients};
use crate::cluster::list::Pager;

use super::duration;

/// The heading of these flags in the help.
pub(super) const HEADING: &str = "Cluster";

/// Which cluster to use.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ClusterArgs {
    /// Use the cluster of the current context: files are evaluated with its policies, mappings, namespaces and region.
    #[arg(long, help_heading = HEADING)]
    pub cluster: bool,
    /// Context of the kubeconfig; implies --cluster. Default: the current context.
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    pub context: Option<String>,
    /// The kubeconfig; implies --cluster. Default: that of KUBECONFIG, or ~/.kube/config.
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub kubeconfig: Option<PathBuf>,
    /// Time after which a request has failed, such as 30s or 2m; 0 is no limit.
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration::parse, help_heading = HEADING)]
    pub request_timeout: Duration,
}

/// A connection to an API server that responds.
pub struct ClusterConnection {
    /// The clients.
    pub clients: Clients,
    /// The reader of lists.
    pub pager: Pager,
    /// The version of the API server, if the caller may read it.
    pub version: Option<Info>,
}

impl ClusterArgs {
    /// Whether the flags select a cluster for files.
    pub const fn is_selected(&self) -> bool {
        self.cluster || self.context.is_some() || self.kubeconfig.is_some()
    }

    /// Connects to the cluster, and checks by one request that its API server responds.
    pub async fn connect(&self) -> Result<ClusterConnection, ClientError> {
        let request_timeout = Some(self.request_timeout).filter(|time| !time.is_zero());
        let clients = Clients::connect(&ClientOptions {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            request_timeout,
        })
        .await?;
        let version = clients.server_version().await?;
        let pager = Pager {
            client: clients.reading.clone(),
            objects_per_second: None,
            request_timeout,
        };
        Ok(ClusterConnection {
            clients,
            pager,
            version,
        })
    }
}

/// Runs requests on the thread of the command.
pub(super) fn block_on<T>(requests: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(requests)
}
