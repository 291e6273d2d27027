//! `serve` in a cluster: the custom resources are the truth, and every replica follows them.

use std::sync::Arc;

use jiff::civil::Date;

use crate::controllers::client::Clients;
use crate::controllers::installation::Installation;
use crate::controllers::view::{self, Follower, Objects};
use crate::controllers::watch;
use crate::runtime::BoxError;
use crate::runtime::current::Current;
use crate::webhook::server;

use super::StartError;
use super::stack::{Addresses, Judges, Running, Stack};
use super::standalone::{Certificate, certificate};

/// What a server in a cluster is started with.
pub struct ClusterOptions {
    /// Where to listen.
    pub addresses: Addresses,
    /// The ways to the API server.
    pub clients: Clients,
    /// What the chart has installed.
    pub installation: Installation,
    /// Whether the region that all nodes agree on counts.
    pub region_from_nodes: bool,
    /// Where the certificate comes from.
    pub certificate: Certificate,
    /// Namespaces that are never judged, besides `kube-system` and the own one.
    pub excluded: Vec<String>,
    /// The day that decides over dates of end of life.
    pub today: Box<dyn Fn() -> Date + Send + Sync>,
    /// What the server may be made to do.
    pub limits: server::Limits,
}

/// Starts a server in a cluster. It can be called several times in one process.
pub async fn start_in_cluster(options: ClusterOptions) -> Result<Running, StartError> {
    let mut stack = Stack::bind(options.addresses).await?;
    let view = Arc::new(Current::new(None));
    let objects = Arc::new(Current::new(Objects::default()));
    follow(
        &mut stack,
        &options,
        Arc::clone(&view),
        Arc::clone(&objects),
    );
    let (resolver, ca) = certificate(options.certificate, &mut stack.tasks)?;
    let own = options.installation.namespace;
    let judges = Judges {
        view,
        excluded: options.excluded.into_iter().chain([own]).collect(),
        today: options.today,
        limits: options.limits,
    };
    stack.serve(judges, resolver, ca)
}

fn follow(
    stack: &mut Stack,
    options: &ClusterOptions,
    view: Arc<Current<Option<crate::domain::snapshot::View>>>,
    objects: Arc<Current<Objects>>,
) {
    let (watches, metrics) = (watch::Metrics::default(), view::Metrics::default());
    watches.register(&mut stack.registry);
    metrics.register(&mut stack.registry);
    let follower = Follower {
        clients: options.clients.clone(),
        with_nodes: options.region_from_nodes,
        view,
        objects,
        watches,
        metrics,
    };
    let hold = stack
        .readiness
        .hold("mappings, policies, namespaces and nodes to be listed");
    stack.tasks.support("the view", async move {
        follower.run(hold).await;
        Ok::<(), BoxError>(())
    });
}
