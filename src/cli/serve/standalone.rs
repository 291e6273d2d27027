//! `serve --standalone`: the webhook without a cluster, by the embedded catalog and policies from files.

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
use crate::tls::Resolver;
use crate::tls::authority::{Authority, Names};
use crate::tls::files::{Files, Paths, RELOAD_INTERVAL};
use crate::webhook::body;

use super::StartError;
use super::stack::{Addresses, CA_NAME, Judges, Running, SERVER_NAME, Stack};

/// What a server without a cluster is started with.
pub struct Options {
    /// Where to listen.
    pub addresses: Addresses,
    /// What is judged by.
    pub view: View,
    /// Where the certificate comes from.
    pub certificate: Certificate,
    /// Namespaces that are never judged, besides `kube-system`.
    pub excluded: Vec<String>,
    /// The day that decides over dates of end of life.
    pub today: Box<dyn Fn() -> Date + Send + Sync>,
    /// What the server may be made to do.
    pub limits: body::Limits,
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

/// Starts a server without a cluster. It can be called twice in one process.
pub async fn start_standalone(options: Options) -> Result<Running, StartError> {
    for policy in &options.view.snapshot.policies {
        refuse_what_needs_a_cluster(policy)?;
    }
    let mut stack = Stack::bind(options.addresses).await?;
    let (resolver, ca) = certificate(options.certificate, &mut stack.tasks)?;
    let judges = Judges {
        view: Arc::new(Published::new(Some(options.view))),
        excluded: options.excluded,
        today: options.today,
        limits: options.limits,
    };
    stack.serve(judges, resolver, ca)
}

/// The certificate to serve with, kept current by a task, and the CA where it is ours.
pub(super) fn certificate(
    source: Certificate,
    tasks: &mut Tasks,
) -> Result<(Arc<Resolver>, Option<String>), StartError> {
    match source {
        Certificate::Own { dns, ips, ca_file } => {
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
                write_whole(&path, &ca).map_err(|source| StartError::CaFile { path, source })?;
            }
            let resolver = Resolver::new(leaf.pair);
            let renewal = authority.renew(names, leaf.validity, Arc::clone(&resolver));
            tasks.support("the certificate", async move {
                let _: () = renewal.await;
                Ok::<(), BoxError>(())
            });
            Ok((resolver, Some(ca)))
        }
        Certificate::Files { certificate, key } => {
            let paths = Paths {
                certificate,
                key,
                authorities: None,
            };
            let (files, content) = Files::open(paths)?;
            let resolver = Resolver::new(content.pair);
            let reloading = files.feed(Arc::clone(&resolver), RELOAD_INTERVAL);
            tasks.support("the certificate", async move {
                let _: () = reloading.await;
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
        .flat_map(Selector::keys)
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
