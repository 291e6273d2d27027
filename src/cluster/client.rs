//! Two clients of the API server: one for watches and lists, which retries, and one for writes, which fails fast.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::version::Info;
use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

mod cause;

use cause::{connection_failure, credential_failure};

/// Timeout of a write or a request for the Lease: less than the time in which a leader has to renew it.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Seconds after which the API server ends a watch, so that a lost connection is noticed soon. It sends a bookmark two seconds
/// before, from which the next watch resumes.
pub const WATCH_SECONDS: u32 = 25;

/// How long a read may be silent: a watch that is silent for longer than it lasts has lost its connection without notice.
pub const READ_TIMEOUT: Duration = Duration::from_secs(35);

/// Which cluster to connect to, and how long to wait for it.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// The kubeconfig; without one, those of `KUBECONFIG` or the one of the home directory.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; without one, the current one.
    pub context: Option<String>,
    /// The time after which a request has failed; `None` limits only the time without a byte.
    pub request_timeout: Option<Duration>,
}

/// The clients of one cluster.
#[derive(Clone)]
pub struct Clients {
    /// The URL of the API server.
    pub server: String,
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
        "no cluster is configured: {0}; set KUBECONFIG, or run in a Pod; `serve --standalone` and `audit PATH` need none"
    )]
    NotConfigured(String),
    /// The kubeconfig cannot be read, or does not have the context.
    #[error("cannot use the kubeconfig; `kubectl config get-contexts` lists its contexts")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// The API server gives no response.
    #[error("cannot reach the API server {server}: {cause}")]
    Unreachable {
        /// The URL of the API server.
        server: String,
        /// Why there is no response.
        cause: String,
    },
    /// The API server does not know the caller.
    #[error(
        "not logged in to {server}: the credentials of the kubeconfig are missing or have expired; log in again"
    )]
    NotLoggedIn {
        /// The URL of the API server.
        server: String,
    },
    /// The kubeconfig names a command that should print credentials, and it fails.
    #[error("not logged in to {server}: {cause}; log in again")]
    Credentials {
        /// The URL of the API server.
        server: String,
        /// How the command failed.
        cause: String,
    },
    /// The configuration is invalid.
    #[error("cannot connect to the cluster as configured")]
    Client(#[source] kube::Error),
}

impl Clients {
    /// The clients of the cluster that `options` select. Without a kubeconfig and a context: of the cluster of the current context, or
    /// of the cluster that the process runs in.
    pub async fn connect(options: &ClientOptions) -> Result<Self, ClientError> {
        let selected = KubeConfigOptions {
            context: options.context.clone(),
            ..KubeConfigOptions::default()
        };
        let mut config = match &options.kubeconfig {
            Some(path) => {
                Config::from_custom_kubeconfig(Kubeconfig::read_from(path)?, &selected).await?
            }
            None if options.context.is_some() => Config::from_kubeconfig(&selected).await?,
            None => Config::infer()
                .await
                .map_err(|error| not_configured(&error))?,
        };
        if let Some(timeout) = options.request_timeout {
            config.connect_timeout = Some(timeout.min(WRITE_TIMEOUT));
        }
        Self::of(&config)
    }

    /// The version of the API server: proof that it responds to this caller, within [`WRITE_TIMEOUT`]. `None` if the caller may not
    /// read it.
    pub async fn server_version(&self) -> Result<Option<Info>, ClientError> {
        let server = self.server.clone();
        let cause =
            match tokio::time::timeout(WRITE_TIMEOUT, self.writing.apiserver_version()).await {
                Ok(Ok(version)) => return Ok(Some(version)),
                Ok(Err(kube::Error::Api(status))) if status.code == 401 => {
                    return Err(ClientError::NotLoggedIn { server });
                }
                Ok(Err(kube::Error::Api(_))) => return Ok(None),
                Ok(Err(error)) => connection_failure(&error),
                Err(_) => cause::silence(WRITE_TIMEOUT),
            };
        Err(ClientError::Unreachable { server, cause })
    }

    /// The clients of a configuration.
    pub fn of(config: &Config) -> Result<Self, ClientError> {
        let server = config.cluster_url.to_string();
        let server = server.trim_end_matches('/').to_owned();
        let connect_timeout = config
            .connect_timeout
            .map_or(WRITE_TIMEOUT, |time| time.min(WRITE_TIMEOUT));
        let mut reading = config.clone();
        reading.connect_timeout = Some(connect_timeout);
        reading.read_timeout = Some(READ_TIMEOUT);
        let mut writing = config.clone();
        writing.default_retry = false;
        writing.connect_timeout = Some(connect_timeout);
        writing.read_timeout = Some(WRITE_TIMEOUT);
        writing.write_timeout = Some(WRITE_TIMEOUT);
        let client = |config| {
            Client::try_from(config).map_err(|error| match credential_failure(&error) {
                Some(cause) => ClientError::Credentials {
                    server: server.clone(),
                    cause,
                },
                None => ClientError::Client(error),
            })
        };
        Ok(Self {
            reading: client(reading)?,
            writing: client(writing)?,
            namespace: config.default_namespace.clone(),
            server,
        })
    }
}

/// The cause outside of a Pod is the kubeconfig alone; in a Pod, the service account may be the one that is missing.
fn not_configured(error: &InferConfigError) -> ClientError {
    let in_a_pod = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let kubeconfig = error.source().filter(|_| !in_a_pod);
    ClientError::NotConfigured(kubeconfig.map_or_else(|| error.to_string(), ToString::to_string))
}
