//! `serve`: the composition root, in stages. Parsed, bound, running, drained.
//!
//! Decides nothing; hands what was read to the rooms that do.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::civil::Date;
use prometheus_client::registry::Registry;

use crate::api::{self, InferenceProfilePolicySpec};
use crate::domain::policy::{NAMESPACE_NAME_LABEL, Policy, References};
use crate::domain::snapshot::View;
use crate::runtime::admin::{self, Readiness};
use crate::runtime::current::Current;
use crate::runtime::{BoxError, Shutdown, TaskError, Tasks, http, telemetry};
use crate::tls::authority::{Authority, Names};
use crate::tls::{self, Resolver, TlsError};
use crate::webhook;
use crate::webhook::desk::Desk;
use crate::webhook::metrics::Families;
use crate::webhook::server::{self, Gate};

use super::judging::{Judging, JudgingError};

/// Prefix of every metric.
const METRICS: &str = "bedrock_profiles";

/// Namespaces that are never judged: a mistake there would be nobody's to mend.
const NEVER: &[&str] = &["kube-system"];

/// Serves the webhook.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Serve without a cluster: by the built-in catalog and the policies given here.
    #[arg(long, required = true)]
    pub standalone: bool,
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
    /// Namespace that is never judged, besides kube-system; can be given several times.
    #[arg(long = "exclude-namespace", value_name = "NAME")]
    pub excluded: Vec<String>,
    /// Form of the log.
    #[arg(long, value_enum, default_value = "text")]
    pub log_format: LogFormat,
    /// Which events are logged, as in `RUST_LOG`.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// By what is judged.
    #[command(flatten)]
    pub judging: Judging,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object for each line.
    Json,
}

/// What a server is started with.
pub struct Options {
    /// Address of the webhook.
    pub listen: SocketAddr,
    /// Address of the admin port.
    pub admin_listen: SocketAddr,
    /// What is judged by.
    pub view: View,
    /// Where the certificate comes from.
    pub certificate: Certificate,
    /// Namespaces that are never judged, besides `kube-system`.
    pub excluded: Vec<String>,
    /// The day that decides over dates of end of life.
    pub today: Box<dyn Fn() -> Date + Send + Sync>,
    /// What the server may be made to do.
    pub limits: server::Limits,
}

/// Where the serving certificate comes from.
pub enum Certificate {
    /// A CA of our own, in memory, and a leaf for these DNS names besides `localhost` and the loopback addresses.
    Own {
        /// Further DNS names.
        dns: Vec<String>,
        /// Further addresses.
        ips: Vec<IpAddr>,
        /// Where to write the CA's certificate.
        ca_file: Option<PathBuf>,
    },
    /// Files of the user's, followed while they change.
    Files {
        /// The chain, the leaf first.
        certificate: PathBuf,
        /// The leaf's key.
        key: PathBuf,
    },
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A policy asks for something that only a cluster can tell.
    #[error("{0}")]
    NeedsACluster(String),
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

/// A server that accepts reviews.
pub struct Running {
    /// Address of the webhook, with the port that was taken.
    pub address: SocketAddr,
    /// Address of the admin port.
    pub admin_address: SocketAddr,
    /// The CA to trust, as PEM, where it is ours.
    pub ca: Option<String>,
    /// Ends it.
    pub shutdown: Shutdown,
    tasks: Tasks,
}

impl Running {
    /// Lets SIGTERM and SIGINT begin the drain, and a second one end at once.
    pub fn end_on_signals(&mut self) -> std::io::Result<()> {
        let signals = self.shutdown.on_signals()?;
        self.tasks.support("the signals", signals);
        Ok(())
    }

    /// Serves until the drain is over; the first task that ends early ends all.
    pub async fn wait(self) -> Result<(), TaskError> {
        self.tasks.run().await
    }
}

/// Runs the command until it is told to end.
pub fn run(args: Args) -> anyhow::Result<()> {
    let format = match args.log_format {
        LogFormat::Text => telemetry::Format::Text,
        LogFormat::Json => telemetry::Format::Json,
    };
    telemetry::install(format, &args.log)?;
    let (ca_file, args_format) = (args.ca_file.clone(), args.log_format);
    let options = options(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut running = start_standalone(options).await?;
        running.end_on_signals()?;
        tracing::info!(webhook = %running.address, admin = %running.admin_address, "serving");
        if args_format == LogFormat::Text {
            hint(&running, ca_file.as_deref());
        }
        Ok(running.wait().await?)
    })
}

/// What the flags ask for.
fn options(args: Args) -> Result<Options, JudgingError> {
    let default = InferenceProfilePolicySpec {
        mode: api::Mode::Rewrite,
        references: api::References::Off,
        ..InferenceProfilePolicySpec::default()
    };
    let (view, problems) = args.judging.view(default)?;
    for problem in problems {
        tracing::warn!("{problem}");
    }
    let certificate = match (args.tls_cert_file, args.tls_key_file) {
        (Some(certificate), Some(key)) => Certificate::Files { certificate, key },
        _ => Certificate::Own {
            dns: args.dns_names,
            ips: args.ip_addresses,
            ca_file: args.ca_file,
        },
    };
    Ok(Options {
        listen: args.listen,
        admin_listen: args.admin_listen,
        view,
        certificate,
        excluded: args.excluded,
        today: Box::new(args.judging.today()),
        limits: server::Limits::default(),
    })
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

/// Starts a server without a cluster. It can be called twice in one process.
pub async fn start_standalone(options: Options) -> Result<Running, StartError> {
    for policy in &options.view.snapshot.policies {
        refuse_what_needs_a_cluster(policy)?;
    }
    start(options).await
}

async fn start(options: Options) -> Result<Running, StartError> {
    let shutdown = Shutdown::new();
    let readiness = Readiness::new(shutdown.clone());
    let starting = readiness.hold("the listeners to be bound");
    let mut registry = Registry::with_prefix(METRICS);
    let mut tasks = Tasks::new(shutdown.clone());

    let webhook = http::Bound::new(options.listen).await?;
    let admin = http::Bound::new(options.admin_listen).await?;
    let (address, admin_address) = (webhook.address(), admin.address());
    let (resolver, ca) = certificate(options.certificate, &mut tasks)?;
    let tls = tls::server_config(resolver)?;

    let (connections, gate_metrics) = (http::Metrics::default(), server::Metrics::default());
    connections.register(&mut registry);
    gate_metrics.register(&mut registry);
    let excluded: BTreeSet<Box<str>> = NEVER
        .iter()
        .map(|name| (*name).into())
        .chain(options.excluded.into_iter().map(Into::into))
        .collect();
    let families = Families::register(&mut registry);
    let desk = Arc::new(Desk::new(
        Arc::new(Current::new(Some(options.view))),
        families,
        excluded,
        options.today,
    ));
    let gate = Gate::new(options.limits, gate_metrics);
    let router = webhook::router(desk, gate);

    let limits = options.limits.connections;
    let serving = webhook.server(router, Some(tls), limits, connections, shutdown.clone());
    tasks.work("the webhook", async move { told(serving.run().await) });
    let router = admin::router(readiness, registry);
    let serving = admin.server(
        router,
        None,
        http::Limits::default(),
        http::Metrics::default(),
        Shutdown::new(),
    );
    tasks.support("the admin port", async move { told(serving.run().await) });
    starting.release();
    Ok(Running {
        address,
        admin_address,
        ca,
        shutdown,
        tasks,
    })
}

/// Says what the drain had to cut. An error would be wrong: the process was told to end.
#[expect(clippy::unnecessary_wraps, reason = "a task's outcome is a result")]
fn told(drained: http::Drained) -> Result<(), BoxError> {
    if drained.cut > 0 {
        tracing::warn!(
            cut = drained.cut,
            "connections were cut at the end of the drain"
        );
    }
    Ok(())
}

fn certificate(
    source: Certificate,
    tasks: &mut Tasks,
) -> Result<(Arc<Resolver>, Option<String>), StartError> {
    match source {
        Certificate::Own { dns, ips, ca_file } => {
            let names = Names {
                dns: std::iter::once("localhost".to_owned()).chain(dns).collect(),
                ips: [
                    IpAddr::V4(Ipv4Addr::LOCALHOST),
                    IpAddr::V6(Ipv6Addr::LOCALHOST),
                ]
                .into_iter()
                .chain(ips)
                .collect(),
            };
            let now = SystemTime::now();
            let authority = Authority::new(now)?;
            let leaf = authority.issue(&names, now)?;
            let ca = authority.pem().to_owned();
            if let Some(path) = ca_file {
                write_whole(&path, &ca).map_err(|source| StartError::CaFile { path, source })?;
            }
            let resolver = Resolver::new(leaf.pair);
            let keeping = authority.keep(names, leaf.life, Arc::clone(&resolver));
            tasks.support("the certificate", async move {
                let _: () = keeping.await;
                Ok::<(), BoxError>(())
            });
            Ok((resolver, Some(ca)))
        }
        Certificate::Files { certificate, key } => {
            let (files, pair) = tls::Files::open(certificate, key)?;
            let resolver = Resolver::new(pair);
            let following = files.follow(Arc::clone(&resolver), tls::FILES_EVERY);
            tasks.support("the certificate", async move {
                let _: () = following.await;
                Ok::<(), BoxError>(())
            });
            Ok((resolver, None))
        }
    }
}

/// Writes a file through a temporary one beside it, so that nobody reads half of it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// Of a namespace only the name is known here, and of ConfigMaps nothing.
fn refuse_what_needs_a_cluster(policy: &Policy) -> Result<(), StartError> {
    let name = &policy.name;
    let selectors =
        std::iter::once(&policy.namespaces).chain(policy.overrides.iter().map(|o| &o.namespaces));
    if let Some(key) = selectors
        .flat_map(super::super::domain::policy::Selector::keys)
        .find(|key| *key != NAMESPACE_NAME_LABEL)
    {
        return Err(StartError::NeedsACluster(format!(
            "policy `{name}` selects namespaces by the label `{key}`, and without a cluster only their names are known: \
             select by `{NAMESPACE_NAME_LABEL}`, or run without --standalone"
        )));
    }
    if policy.references == References::Resolve {
        return Err(StartError::NeedsACluster(format!(
            "policy `{name}` resolves references, and without a cluster no ConfigMap can be read: \
             set `spec.references` to `Off` or `Report`, or run without --standalone"
        )));
    }
    Ok(())
}
