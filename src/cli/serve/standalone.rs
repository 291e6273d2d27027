//! `serve --standalone`: the webhook without a cluster, with the embedded catalog and policies from files.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::civil::Date;

use crate::domain::policy::{NAMESPACE_NAME_LABEL, Policy, References, Selector};
use crate::domain::view::View;
use crate::runtime::published::Published;
use crate::runtime::{BoxError, Tasks};
use crate::tls::CertificateResolver;
use crate::tls::authority::{Authority, Names};
use crate::tls::files::{Files, Paths, RELOAD_INTERVAL};
use crate::webhook::body;

use super::StartError;
use super::server::{
    Addresses, BoundServer, CA_NAME, CallerOptions, RunningServer, SERVER_NAME, WebhookOptions,
};

/// Options of a server without a cluster.
pub struct StandaloneOptions {
    /// Addresses to listen on.
    pub addresses: Addresses,
    /// The view to evaluate with.
    pub view: View,
    /// The serving certificate.
    pub certificate: CertificateSource,
    /// Namespaces to ignore, besides `kube-system`.
    pub excluded: Vec<String>,
    /// Whether another webhook may set a region in Pods.
    pub regions_injected: bool,
    /// The date to compare end-of-life dates with.
    pub today: Box<dyn Fn() -> Date + Send + Sync>,
    /// The limits of the server.
    pub limits: body::ServerLimits,
    /// Which callers may send reviews; `None`: any.
    pub callers: Option<CallerOptions>,
}

/// The source of the serving certificate.
pub enum CertificateSource {
    /// A self-signed CA in memory, and a certificate for these names besides `localhost` and the loopback addresses.
    SelfSigned {
        /// Further DNS names.
        dns: Vec<String>,
        /// Further addresses.
        ips: Vec<IpAddr>,
        /// File to write the CA certificate to.
        ca_file: Option<PathBuf>,
    },
    /// Files, reloaded when they change.
    Files {
        /// The certificate chain, the leaf first.
        certificate: PathBuf,
        /// The private key of the leaf.
        key: PathBuf,
    },
}

/// Starts a server without a cluster. A process can start several.
pub async fn start_standalone(options: StandaloneOptions) -> Result<RunningServer, StartError> {
    for policy in &options.view.snapshot.policies {
        check_needs_no_cluster(policy)?;
    }
    let mut server = BoundServer::bind(options.addresses).await?;
    let (resolver, ca) = certificate(options.certificate, &mut server.tasks)?;
    let webhook = WebhookOptions {
        view: Arc::new(Published::new(Some(options.view))),
        excluded: options.excluded,
        regions_injected: options.regions_injected,
        today: options.today,
        limits: options.limits,
        callers: options.callers,
    };
    server.serve(webhook, resolver, ca)
}

/// The serving certificate, renewed or reloaded by a task, and the CA certificate unless it is from files.
pub(super) fn certificate(
    source: CertificateSource,
    tasks: &mut Tasks,
) -> Result<(Arc<CertificateResolver>, Option<String>), StartError> {
    match source {
        CertificateSource::SelfSigned { dns, ips, ca_file } => {
            let names = Names {
                common_name: SERVER_NAME.to_owned(),
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
            let authority = Authority::new(CA_NAME, now)?;
            let leaf = authority.issue(&names, now)?;
            let ca = authority.pem().to_owned();
            if let Some(path) = ca_file {
                write_atomically(&path, &ca)
                    .map_err(|source| StartError::CaFile { path, source })?;
            }
            let resolver = CertificateResolver::new(leaf.pair);
            let renewal = authority.renew(names, leaf.validity, Arc::clone(&resolver));
            tasks.support("certificate", async move {
                let _: () = renewal.await;
                Ok::<(), BoxError>(())
            });
            Ok((resolver, Some(ca)))
        }
        CertificateSource::Files { certificate, key } => {
            let paths = Paths {
                certificate,
                key,
                authorities: None,
            };
            let (files, content) = Files::open(paths)?;
            let resolver = CertificateResolver::new(content.pair);
            let reloading = files.feed(Arc::clone(&resolver), RELOAD_INTERVAL);
            tasks.support("certificate", async move {
                let _: () = reloading.await;
                Ok::<(), BoxError>(())
            });
            Ok((resolver, None))
        }
    }
}

/// Writes a file by renaming a temporary file, so that no reader sees a part of it.
fn write_atomically(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// Why a policy cannot be used without a cluster.
#[derive(Debug, thiserror::Error)]
pub enum NeedsClusterError {
    /// The policy selects namespaces by a label other than their name.
    #[error(
        "policy `{policy}` selects namespaces by label `{key}`, and only their names are known without a cluster: \
         select by `{NAMESPACE_NAME_LABEL}`, or run without --standalone"
    )]
    NamespaceLabel {
        /// The name of the policy.
        policy: Box<str>,
        /// The label.
        key: String,
    },
    /// The policy resolves references to ConfigMaps.
    #[error(
        "policy `{policy}` resolves references, and ConfigMaps cannot be read without a cluster: \
         set `spec.references` to \"Off\" or Report, or run without --standalone"
    )]
    References {
        /// The name of the policy.
        policy: Box<str>,
    },
}

/// Checks that a policy needs neither labels of namespaces nor ConfigMaps.
fn check_needs_no_cluster(policy: &Policy) -> Result<(), NeedsClusterError> {
    let overrides = policy.overrides.iter().map(|rule| &rule.namespaces);
    let selectors = std::iter::once(&policy.namespaces).chain(overrides);
    let mut keys = selectors.flat_map(Selector::keys);
    if let Some(key) = keys.find(|key| *key != NAMESPACE_NAME_LABEL) {
        return Err(NeedsClusterError::NamespaceLabel {
            policy: policy.name.clone(),
            key: key.to_owned(),
        });
    }
    if policy.references == References::Resolve {
        return Err(NeedsClusterError::References {
            policy: policy.name.clone(),
        });
    }
    Ok(())
}
