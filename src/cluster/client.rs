//! The two ways to the API server: one that waits and tries again, for watches and lists, and one that says at once what
//! became of a write.

use std::time::Duration;

use kube::config::{InferConfigError, KubeConfigOptions};
use kube::{Client, Config};

/// How long a write, or a call about the lease, may take: less than the time in which a leader must renew.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// After how many seconds the API server ends a watch, so that one whose packets are dropped is noticed soon. It sends a
/// bookmark two seconds before, from which the next watch goes on.
pub const WATCH_SECONDS: u32 = 25;

/// How long a read may be silent: a watch that is silent for longer than it lasts has lost its connection without notice.
pub const READ_TIMEOUT: Duration = Duration::from_secs(35);

/// Both clients of one cluster.
#[derive(Clone)]
pub struct Clients {
    /// For lists and watches; repeats what the server is too busy for.
    pub reading: Client,
    /// For writes and the lease; repeats nothing, and gives up within [`WRITE_TIMEOUT`].
    pub writing: Client,
    /// The namespace of the service account, or of the context.
    pub namespace: String,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Neither a service account nor a kubeconfig says where the cluster is.
    #[error(
        "no cluster is configured: {0}; run in a pod or set KUBECONFIG; `serve --standalone` and `audit -f` need none"
    )]
    Config(#[from] InferConfigError),
    /// The kubeconfig has no such context, or cannot be read.
    #[error("cannot use the kubeconfig: {0}; `kubectl config get-contexts` lists what it has")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// What is configured cannot be used.
    #[error("cannot connect as configured: {0}")]
    Client(#[from] kube::Error),
}

impl Clients {
    /// The clients of the cluster that this process runs in, or that the kubeconfig names: `context`, or its current one.
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

    /// The clients of a configuration.
    pub fn of(config: &Config) -> Result<Self, ClientError> {
        let mut reading = config.clone();
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
