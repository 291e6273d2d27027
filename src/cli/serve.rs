//! `serve`: the composition root, in stages. Parsed, connected, bound, running, drained.
//!
//! Decides nothing; hands what was read to the rooms that do.

use std::io::IsTerminal as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::api::{self, InferenceProfilePolicySpec, ReadError};
use crate::catalog;
use crate::cluster::client::{ClientError, Clients};
use crate::cluster::release::ReleaseNames;
use crate::controllers::certificates::keyring::Lifetimes;
use crate::runtime::{http, telemetry};
use crate::tls::TlsError;
use crate::tls::files::Paths;
use crate::webhook;
use crate::webhook::body;

use super::judging::{Judging, JudgingError};

mod auditing;
mod cluster;
mod stack;
mod standalone;

pub use auditing::Auditing;
pub use cluster::{ClusterOptions, ca_settings, start_in_cluster};
pub use stack::{Addresses, Running};
pub use standalone::{Certificate, Options, start_standalone};

/// Serves the webhook.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Serve without a cluster: by the built-in catalog and the policies given here.
    #[arg(long)]
    pub standalone: bool,
    /// Full name of the release, as the chart gives it to its objects.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "bedrock-profiles",
        conflicts_with = "standalone"
    )]
    pub name: String,
    /// Namespace of the release. Without it: the one of the service account, or of the kubeconfig's context.
    #[arg(long, short, value_name = "NAME", conflicts_with = "standalone")]
    pub namespace: Option<String>,
    /// Context of the kubeconfig. Without it: the cluster that the process runs in, else the current context.
    #[arg(long, value_name = "NAME", conflicts_with = "standalone")]
    pub context: Option<String>,
    /// Tells this replica from the others, such as the pod's name. Without it: the host's name.
    #[arg(
        long,
        value_name = "NAME",
        env = "POD_NAME",
        conflicts_with = "standalone"
    )]
    pub identity: Option<String>,
    /// Whether the region that the labels of all nodes agree on counts where a policy names no default.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, conflicts_with = "standalone")]
    pub region_from_nodes: bool,
    /// Address of the webhook.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Address of /livez, /readyz and /metrics, without TLS.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub admin_listen: SocketAddr,
    /// DNS name that the certificate is for, besides localhost; can be given several times.
    #[arg(long = "dns-name", value_name = "NAME")]
    pub dns_names: Vec<String>,
    /// Address that the certificate is for, besides the loopback ones; can be given several times.
    #[arg(long = "ip-address", value_name = "ADDRESS")]
    pub ip_addresses: Vec<IpAddr>,
    /// Where to write the CA certificate that clients are to trust.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_cert_file")]
    pub ca_file: Option<PathBuf>,
    /// Certificate chain to serve with, as PEM; followed while it changes. Without it: one of our own.
    #[arg(long, value_name = "FILE", requires = "tls_key_file")]
    pub tls_cert_file: Option<PathBuf>,
    /// Private key of the certificate, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub tls_key_file: Option<PathBuf>,
    /// Certificates of the CAs that issue the certificate, as PEM; followed while they change. Needed in a cluster, where they
    /// are told to the API server.
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert_file",
        conflicts_with = "standalone"
    )]
    pub ca_bundle_file: Option<PathBuf>,
    /// Namespace that is never judged, besides kube-system; can be given several times.
    #[arg(long = "exclude-namespace", value_name = "NAME")]
    pub excluded: Vec<String>,
    /// Form of the log.
    #[arg(long, value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// Which events are logged, as in `RUST_LOG`. The client's own words about a failed request are left out: we say the same.
    #[arg(
        long,
        value_name = "FILTER",
        default_value = "info,kube_client::client::builder=off"
    )]
    pub log: String,
    /// By what is judged.
    #[command(flatten)]
    pub judging: Judging,
    /// How the cluster is audited.
    #[command(flatten)]
    pub auditing: Auditing,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object for each line.
    Json,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A policy asks for something that only a cluster can tell.
    #[error("{0}")]
    NeedsACluster(String),
    /// The embedded catalog has a mistake.
    #[error(transparent)]
    Catalog(#[from] ReadError),
    /// There is no way to a cluster.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What is asked for is only for a server without a cluster.
    #[error("{0} is for --standalone: in a cluster, apply it as a custom resource")]
    OnlyStandalone(&'static str),
    /// A certificate is given, and not who issued it.
    #[error(
        "--tls-cert-file needs --ca-bundle-file in a cluster: the API server is told whom to trust"
    )]
    NoAuthorities,
    /// A port is taken.
    #[error(transparent)]
    Bind(#[from] http::BindError),
    /// There is no certificate to serve with.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The CA's certificate cannot be handed out.
    #[error(
        "cannot write the CA certificate to {path}: {source}; choose a writable path for --ca-file"
    )]
    CaFile {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
}

/// Runs the command until it is told to end.
pub fn run(args: Args) -> anyhow::Result<()> {
    let format = match args.log_format {
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
    };
    telemetry::install(format, &args.log)?;
    let (ca_file, hints) = (args.ca_file.clone(), args.log_format == LogFormat::Text);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut running = if args.standalone {
            start_standalone(standalone(args)?).await?
        } else {
            start_in_cluster(in_cluster(args).await?).await?
        };
        running.end_on_signals()?;
        tracing::info!(webhook = %running.address, admin = %running.admin_address, "serving");
        if hints {
            hint(&running, ca_file.as_deref());
        }
        Ok(running.wait().await?)
    })
}

/// What the flags ask for, without a cluster.
fn standalone(args: Args) -> Result<Options, JudgingError> {
    let default = InferenceProfilePolicySpec {
        mode: api::Mode::Rewrite,
        references: api::References::Off,
        ..InferenceProfilePolicySpec::default()
    };
    let (view, problems) = args.judging.view(default)?;
    for problem in problems {
        tracing::warn!("{problem}");
    }
    Ok(Options {
        addresses: args.addresses(),
        view,
        today: Box::new(args.judging.today()),
        excluded: args.excluded.clone(),
        certificate: args.certificate(),
        limits: body::Limits::default(),
    })
}

/// What the flags ask for, in a cluster.
async fn in_cluster(args: Args) -> Result<ClusterOptions, StartError> {
    let judging = &args.judging;
    for (flag, given) in [
        ("--policy", !judging.policies.is_empty()),
        ("--mapping", !judging.mappings.is_empty()),
        ("--no-builtin", judging.no_builtin),
    ] {
        if given {
            return Err(StartError::OnlyStandalone(flag));
        }
    }
    let clients = Clients::connect(args.context.as_deref()).await?;
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
        audit: args.auditing.options(),
        today: Arc::new(judging.today()),
        excluded: args.excluded.clone(),
        certificate: args.files()?,
        lifetimes: Lifetimes::default(),
        limits: body::Limits::default(),
    })
}

/// The name of this replica, with something that tells it from itself before a restart: a Lease that it held then is not its
/// own.
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

    /// The files to serve with in a cluster, if any. What issued them must be named, as the API server is told.
    fn files(self) -> Result<Option<Paths>, StartError> {
        match (self.tls_cert_file, self.tls_key_file, self.ca_bundle_file) {
            (Some(certificate), Some(key), Some(authorities)) => Ok(Some(Paths {
                certificate,
                key,
                authorities: Some(authorities),
            })),
            (Some(_), ..) => Err(StartError::NoAuthorities),
            (None, ..) => Ok(None),
        }
    }

    fn certificate(self) -> Certificate {
        match (self.tls_cert_file, self.tls_key_file) {
            (Some(certificate), Some(key)) => Certificate::Files { certificate, key },
            _ => Certificate::Own {
                dns: self.dns_names,
                ips: self.ip_addresses,
                ca_file: self.ca_file,
            },
        }
    }
}

/// Tells a person how to try it; a pod's log has no use for it.
fn hint(running: &Running, ca_file: Option<&Path>) {
    if !std::io::stderr().is_terminal() && ca_file.is_none() {
        return;
    }
    let trust = ca_file.map_or_else(
        || "--insecure".to_owned(),
        |path| format!("--cacert {}", path.display()),
    );
    let port = running.address.port();
    anstream::eprintln!(
        "Send it a review:\n  curl --silent {trust} --json @docs/samples/review.json https://localhost:{port}{}",
        webhook::MUTATE
    );
}
