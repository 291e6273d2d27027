//! `serve`: the composition root. The stages are: parse the arguments, connect to the cluster, bind the ports, run, drain.
//!
//! Contains no logic of its own; it constructs the parts of the other modules and connects them.

use std::io::IsTerminal as _;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::{self, InferenceProfilePolicySpec};
use crate::catalog::{self, CatalogError};
use crate::cluster::client::{ClientError, ClientOptions, Clients};
use crate::cluster::release::ReleaseNames;
use crate::controllers::certificates::keyring::Lifetimes;
use crate::runtime::{http, telemetry};
use crate::tls::TlsError;
use crate::tls::files::Paths;
use crate::webhook;
use crate::webhook::body::ServerLimits;

use super::evaluation_args::{EvaluationArgs, EvaluationArgsError, default_policy};

mod audit_args;
mod cluster;
pub mod flags;
mod server;
mod standalone;

pub use audit_args::AuditArgs;
pub use cluster::{ClusterOptions, ca_controller, start_in_cluster};
pub use server::{Addresses, CallerOptions, RunningServer};
pub use standalone::NeedsClusterError;
pub use standalone::{CertificateSource, StandaloneOptions, start_standalone};

/// Maximum number of threads of the runtime, on a machine of any size. Each may evaluate a small review, for which memory is kept.
const MAX_THREADS: usize = 8;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Serve without a cluster, with the built-in catalog and the policies of --policy.
    #[arg(long)]
    pub standalone: bool,
    /// Full name of the Helm release, which is the name of its objects.
    #[arg(long, value_name = "NAME", default_value = "bedrock-profiles")]
    pub name: String,
    /// Namespace of the Helm release. Default: the namespace of the service account, or of the kubeconfig context.
    #[arg(long, short, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Context of the kubeconfig. Default: the cluster that the process runs in, or else the current context.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Identity of this replica in the leader election, such as the name of the Pod. Default: the host name.
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    pub identity: Option<String>,
    /// Use the region of the node labels, if all nodes agree, where no other source names a region.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub region_from_nodes: bool,
    /// Whether another webhook may set a region in Pods. `false` warns about Pods and workload templates without a region.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub region_injected: bool,
    /// Address of the webhook.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Address of /livez, /readyz and /metrics, without TLS.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub admin_listen: SocketAddr,
    /// DNS name of the certificate of a standalone server, besides localhost; can be given several times.
    #[arg(long = "dns-name", value_name = "NAME")]
    pub dns_names: Vec<String>,
    /// IP address of the certificate of a standalone server, besides the loopback addresses; can be given several times.
    #[arg(long = "ip-address", value_name = "ADDRESS")]
    pub ip_addresses: Vec<IpAddr>,
    /// File to write the CA certificate of a standalone server to, for clients to trust.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_cert_file")]
    pub ca_file: Option<PathBuf>,
    /// Serving certificate chain, as PEM; reloaded when it changes. Default: a self-signed CA and its certificate.
    #[arg(long, value_name = "FILE", requires = "tls_key_file")]
    pub tls_cert_file: Option<PathBuf>,
    /// Private key of the serving certificate, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub tls_key_file: Option<PathBuf>,
    /// CA certificates of the serving certificate, as PEM; reloaded when they change. Required in a cluster, for the `caBundle` of
    /// the webhook configurations.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub ca_bundle_file: Option<PathBuf>,
    /// CA certificates of client certificates, as PEM; reloaded when they change. Only callers with a certificate of these CAs and a
    /// common name of --client-common-name may send reviews. Default: any caller.
    #[arg(long, value_name = "FILE", requires = "client_common_names")]
    pub client_ca_file: Option<PathBuf>,
    /// Common name of a client certificate that may send reviews; can be given several times.
    #[arg(
        long = "client-common-name",
        value_name = "NAME",
        requires = "client_ca_file"
    )]
    pub client_common_names: Vec<String>,
    /// Namespace to ignore, besides kube-system; can be given several times.
    #[arg(long = "exclude-namespace", value_name = "NAME")]
    pub excluded: Vec<String>,
    /// Log format.
    #[arg(long, value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// Log levels by target, as in `RUST_LOG`: `info,kube=debug`. The default disables the Kubernetes client's own messages about failed requests, which
    /// the controllers log too.
    #[arg(
        long,
        value_name = "FILTER",
        default_value = "info,kube_client::client::builder=off"
    )]
    pub log: String,
    /// Policies and mappings of a standalone server.
    #[command(flatten)]
    pub evaluation: EvaluationArgs,
    /// Audits of the cluster.
    #[command(flatten)]
    pub audit: AuditArgs,
}

/// Log format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text.
    Text,
    /// One JSON object per line.
    Json,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A policy needs a cluster.
    #[error(transparent)]
    NeedsCluster(#[from] NeedsClusterError),
    /// The embedded catalog is not valid.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The cluster cannot be connected to.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A serving certificate is given without its CA.
    #[error(
        "--tls-cert-file requires --ca-bundle-file in a cluster, for the caBundle of the webhook configurations"
    )]
    MissingCaBundle,
    /// A port cannot be bound.
    #[error(transparent)]
    Bind(#[from] http::BindError),
    /// The serving certificate cannot be created or read.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The CA certificate cannot be written.
    #[error("cannot write the CA certificate to {path}; choose a writable path for --ca-file")]
    CaFile {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles serve                                         in a Pod of the release
  bedrock-profiles serve --standalone --ca-file target/ca.crt   without a cluster";

/// Runs the command until SIGTERM, SIGINT or SIGHUP.
pub fn run(args: Args) -> anyhow::Result<()> {
    let format = match args.log_format {
        LogFormat::Text => telemetry::LogEncoding::Text,
        LogFormat::Json => telemetry::LogEncoding::Json,
    };
    // Dropped last, so that the log is written.
    let _log = telemetry::install(format, &args.log)?;
    let (ca_file, is_text_log) = (args.ca_file.clone(), args.log_format == LogFormat::Text);
    let cpus = std::thread::available_parallelism().map_or(1, NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cpus.min(MAX_THREADS))
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut running = if args.standalone {
            start_standalone(standalone_options(args)?).await?
        } else {
            start_in_cluster(cluster_options(args).await?).await?
        };
        running.shut_down_on_signals()?;
        tracing::info!(webhook = %running.address, admin = %running.admin_address, "serving");
        if is_text_log {
            print_example_request(&running, ca_file.as_deref());
        }
        Ok(running.wait().await?)
    })
}

/// The options of a server without a cluster.
fn standalone_options(args: Args) -> Result<StandaloneOptions, EvaluationArgsError> {
    let default = InferenceProfilePolicySpec {
        references: api::References::Off,
        ..default_policy()
    };
    let (view, problems) = args.evaluation.view(default)?;
    for problem in problems {
        tracing::warn!("{problem}");
    }
    Ok(StandaloneOptions {
        addresses: args.addresses(),
        view,
        today: Box::new(args.evaluation.today()),
        excluded: args.excluded.clone(),
        regions_injected: args.region_injected,
        callers: args.callers(),
        certificate: args.certificate(),
        limits: ServerLimits::default(),
    })
}

/// The options of a replica in a cluster.
async fn cluster_options(args: Args) -> Result<ClusterOptions, StartError> {
    let clients = Clients::connect(&ClientOptions {
        context: args.context.clone(),
        ..ClientOptions::default()
    })
    .await?;
    let namespace = args.namespace.clone();
    Ok(ClusterOptions {
        addresses: args.addresses(),
        release: ReleaseNames {
            namespace: namespace.unwrap_or_else(|| clients.namespace.clone()),
            name: args.name.clone(),
        },
        clients,
        identity: identity(args.identity.as_deref()),
        shipped: catalog::builtin()?,
        region_from_nodes: args.region_from_nodes,
        audit: args.audit.options(),
        today: Arc::new(args.evaluation.today()),
        excluded: args.excluded.clone(),
        regions_injected: args.region_injected,
        callers: args.callers(),
        certificate: args.certificate_files()?,
        lifetimes: Lifetimes::default(),
        limits: ServerLimits::default(),
    })
}

/// The identity of this replica: its name and a random suffix, so that a restarted replica does not take the Lease of its
/// predecessor for its own.
fn identity(given: Option<&str>) -> String {
    let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = given.map_or_else(host, str::to_owned);
    format!("{}_{:08x}", name.trim(), fastrand::u32(..))
}

impl Args {
    fn addresses(&self) -> Addresses {
        Addresses {
            webhook: self.listen,
            admin: self.admin_listen,
        }
    }

    /// Which callers may send reviews; `None`: any.
    fn callers(&self) -> Option<CallerOptions> {
        self.client_ca_file
            .clone()
            .map(|authorities| CallerOptions {
                authorities,
                common_names: self.client_common_names.clone(),
            })
    }

    /// The certificate files to serve with in a cluster, if any.
    fn certificate_files(self) -> Result<Option<Paths>, StartError> {
        match (self.tls_cert_file, self.tls_key_file, self.ca_bundle_file) {
            (Some(certificate), Some(key), Some(authorities)) => Ok(Some(Paths {
                certificate,
                key,
                authorities: Some(authorities),
            })),
            (Some(_), ..) => Err(StartError::MissingCaBundle),
            (None, ..) => Ok(None),
        }
    }

    fn certificate(self) -> CertificateSource {
        match (self.tls_cert_file, self.tls_key_file) {
            (Some(certificate), Some(key)) => CertificateSource::Files { certificate, key },
            _ => CertificateSource::SelfSigned {
                dns: self.dns_names,
                ips: self.ip_addresses,
                ca_file: self.ca_file,
            },
        }
    }
}

/// Prints how to send a review by hand; not in the log of a Pod.
fn print_example_request(running: &RunningServer, ca_file: Option<&Path>) {
    if !std::io::stderr().is_terminal() && ca_file.is_none() {
        return;
    }
    let trust = ca_file.map_or_else(
        || "--insecure".to_owned(),
        |path| format!("--cacert {}", path.display()),
    );
    let port = running.address.port();
    anstream::eprintln!(
        "To send an AdmissionReview to the webhook, run:\n  curl --silent {trust} --json @docs/samples/review.json https://localhost:{port}{}",
        webhook::MUTATE
    );
}
