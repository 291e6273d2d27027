//! Two clients of the API server: one for watches and lists, which retries, and one for writes, which fails fast.

use std::time::Duration;

use kube::config::{InferConfigError, KubeConfigOptions};
use kube::{Client, Config};

use crate::runtime::BoxError;

/// Timeout of a write or a request for the Lease: less than the time in which a leader has to renew it.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Seconds after which the API server ends a watch, so that a lost connection is noticed soon. It sends a bookmark two seconds
/// before, from which the next watch resumes.
pub const WATCH_SECONDS: u32 = 25;

/// How long a read may be silent: a watch that is silent for longer than it lasts has lost its connection without notice.
pub const READ_TIMEOUT: Duration = Duration::from_secs(35);

/// The clients of one cluster.
#[derive(Clone)]
pub struct Clients {
    /// For lists and watches. Retries requests that an overloaded server rejects.
    pub reading: Client,
    /// For writes and the Lease. Retries nothing, and fails within [`WRITE_TIMEOUT`].
    pub writing: Client,
    /// The namespace of the service account, or of the context.
    pub namespace: String,
}

/// Why no client can be created.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is neither a service account nor a kubeconfig.
    #[error(
        "no cluster is configured; run in a Pod or set KUBECONFIG; `serve --standalone` and `audit -f` need none"
    )]
    Config(#[from] InferConfigError),
    /// The kubeconfig cannot be read, or does not have the context.
    #[error("cannot use the kubeconfig; `kubectl config get-contexts` lists its contexts")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// The API server gives no response.
    #[error("cannot reach the API server")]
    Unreachable(#[source] BoxError),
    /// The configuration is invalid.
    #[error("cannot connect to the cluster as configured")]
    Client(#[from] kube::Error),
}

impl Clients {
    /// The clients of the cluster of `context`. Without a context: of the cluster that the process runs in, or of the current context
    /// of the kubeconfig.
    pub async fn connect(context: Option<&str>) -> Result<Self, ClientError> {
        let config = match context {
            None => Config::infer().await?,
            Some(context) => {
                let options = KubeConfigOptions {
                    context: Some(context.to_owned()),
                    ..KubeConfigOptions::default()
                };
                Config::from_kubeconfig(&options).await?
            }
        };
        Self::of(&config)
    }

    /// Checks that the API server responds, within [`WRITE_TIMEOUT`]. Every response counts, an error too.
    pub async fn check_reachable(&self) -> Result<(), ClientError> {
        let version = self.writing.apiserver_version();
        match tokio::time::timeout(WRITE_TIMEOUT, version).await {
            Ok(Ok(_) | Err(kube::Error::Api(_))) => Ok(()),
            Ok(Err(error)) => Err(ClientError::Unreachable(error.into())),
            Err(timeout) => Err(ClientError::Unreachable(timeout.into())),
        }
    }

    /// The clients of a configuration.
    pub fn of(config: &Config) -> Result<Self, ClientError> {
        let mut reading = config.clone();
        reading.connect_timeout = Some(WRITE_TIMEOUT);
        reading.read_timeout = Some(READ_TIMEOUT);
        let mut writing = config.clone();
        writing.default_retry = false;
        writing.connect_timeout = Some(WRITE_TIMEOUT);
        writing.read_timeout = Some(WRITE_TIMEOUT);
        writing.write_timeout = Some(WRITE_TIMEOUT);
        Ok(Self {
            namespace: config.default_namespace.clone(),
            reading: Client::try_from(reading)?,
            writing: Client::try_from(writing)?,
        })
    }
}
