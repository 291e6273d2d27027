//! Replicas in the test's own process, for what no flag changes: how long certificates live.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use bedrock_profiles::{
    catalog,
    cli::serve::{Addresses, ClusterOptions, start_in_cluster},
    cluster::client::Clients,
    controllers::certificates::keyring::Lifetimes,
    runtime::Shutdown,
    tls::files::Paths,
    webhook::body::ServerLimits,
};
use jiff::civil::{Date, date};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
};

use crate::{accounts::config, admin::Admin, process::wait_for, release::Release, world::World};

/// Half a minute instead of ninety days, and the rest in proportion, as far as a busy machine allows.
pub(crate) const LIFETIMES: Lifetimes = Lifetimes {
    ca: Duration::from_secs(30),
    leaf: Duration::from_secs(9),
    publication: Duration::from_secs(3),
    clock_skew: Duration::from_secs(2),
};

/// The day as of which replicas judge.
const TODAY: Date = date(2026, 11, 23);

/// A whole replica, whose certificates live as long as [`LIFETIMES`] says. It ends with the value.
pub(crate) struct Hosted {
    name: String,
    address: SocketAddr,
    admin: Admin,
    shutdown: Shutdown,
    running: JoinHandle<()>,
    _runtime: Runtime,
}

impl Hosted {
    /// Starts a replica, waits until it is ready, and makes it an endpoint of the Service. Without files, its certificate is
    /// the release's own.
    pub(crate) fn start(
        world: &World,
        release: &Release<'_>,
        name: &str,
        certificate: Option<Paths>,
    ) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let account = runtime.block_on(config(release.kubeconfig()))?;
        let (webhook, admin) = (world.next_address(), world.next_address());
        let running = runtime.block_on(async {
            start_in_cluster(ClusterOptions {
                addresses: Addresses { webhook, admin },
                clients: Clients::of(&account)?,
                release: release.installation().clone(),
                identity: name.to_owned(),
                shipped: catalog::builtin()?,
                region_from_nodes: true,
                certificate,
                lifetimes: LIFETIMES,
                excluded: Vec::new(),
                regions_injected: true,
                today: Arc::new(|| TODAY),
                audit: None,
                limits: ServerLimits::default(),
                callers: None,
            })
            .await
            .map_err(anyhow::Error::from)
        })?;
        let shutdown = running.shutdown.clone();
        let running = runtime.spawn(async move {
            // What ends it early is seen by who waits for it.
            let _ = running.wait().await;
        });
        let hosted = Self {
            name: name.to_owned(),
            address: webhook,
            admin: Admin(admin),
            shutdown,
            running,
            _runtime: runtime,
        };
        wait_for(&format!("a ready {name}"), || {
            Ok(hosted.is_ready()?.then_some(()))
        })?;
        release.add_endpoint(name, webhook)?;
        Ok(hosted)
    }

    /// Where the webhook listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it says that it is ready.
    pub(crate) fn is_ready(&self) -> Result<bool> {
        ensure!(!self.running.is_finished(), "{} has ended", self.name);
        Ok(self.admin.is_ready())
    }

    /// The value of a metric, with its labels as they are printed.
    pub(crate) fn metric(&self, series: &str) -> Result<Option<f64>> {
        self.admin.metric(series)
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.shutdown.abort();
    }
}
