//! A release of several replicas that has a fault while Pods are created without a pause.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::{
    clients::{Clients, chart},
    link::Link,
    prober::Observations,
    process::wait_for,
    release::{LEADER, Release, Replica},
    trials::product::{SONNET, asking},
    world::World,
};

/// How long the endpoint of a replica that has ended stays, as the kubelet and the controllers take some time to remove it.
pub(crate) const ENDPOINT_LAG: Duration = Duration::from_secs(1);

/// Which of three replicas has the fault.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    Follower,
    Leader,
}

/// A release of three replicas, and the clients.
pub(crate) struct Creates<'w> {
    /// The release.
    pub(crate) release: Release<'w>,
    /// The replicas that serve.
    pub(crate) replicas: Vec<Replica>,
    /// The connections between the API server and each replica, if they can be disturbed.
    pub(crate) links: Vec<Link>,
    first: usize,
    /// The clients that create Pods.
    pub(crate) clients: Clients<'w>,
}

impl<'w> Creates<'w> {
    /// Installs a release with three replicas, and starts to create Pods as soon as they are rewritten; `first` is the only endpoint
    /// at that time.
    pub(crate) fn start(world: &'w World, first: Which) -> Result<Self> {
        Self::start_by(world, first, false)
    }

    /// The same with a [`Link`] between the API server and each replica.
    pub(crate) fn start_linked(world: &'w World, first: Which) -> Result<Self> {
        Self::start_by(world, first, true)
    }

    fn start_by(world: &'w World, first: Which, linked: bool) -> Result<Self> {
        let release = Release::install(world, &chart())?;
        let (mut replicas, mut links) = (Vec::new(), Vec::new());
        for name in ["one", "two", "three"] {
            if linked {
                let (replica, link) = Link::start(world, &release, name)?;
                replicas.push(replica);
                links.push(link);
            } else {
                replicas.push(release.start(name, &[])?);
            }
            if name == "one" {
                replicas[0].wait_until_ready()?;
                replicas[0].wait_until_leader()?;
            }
        }
        let at = match first {
            Which::Leader => 0,
            Which::Follower => 1,
        };
        send_to(&release, &replicas[at], links.get(at))?;
        release.wait_until_active()?;
        let clients = Clients::start(world, &asking("probe", SONNET, "eu-west-1"))?;
        // The connections that the API server keeps are those to the first endpoint, so the fault concerns all of them.
        clients.store(5)?;
        for other in (0..replicas.len()).filter(|place| *place != at) {
            send_to(&release, &replicas[other], links.get(other))?;
        }
        Ok(Self {
            release,
            replicas,
            links,
            first: at,
            clients,
        })
    }

    /// The link of the replica that serves every kept connection.
    pub(crate) fn first_link(&self) -> Result<&Link> {
        self.links.get(self.first).context("a linked release")
    }

    /// Takes the replica that serves every kept connection from the others.
    pub(crate) fn remove_first(&mut self) -> Result<Replica> {
        ensure!(
            self.leader()? == 0,
            "another replica than the first started leads"
        );
        Ok(self.replicas.remove(self.first))
    }

    /// The leader's place among the replicas.
    ///
    /// # Errors
    /// If another number of replicas than one leads within a minute.
    pub(crate) fn leader(&self) -> Result<usize> {
        wait_for("one leader", || {
            let leads: Result<Vec<bool>> = self
                .replicas
                .iter()
                .map(|replica| Ok(replica.metric(LEADER)? == Some(1.0)))
                .collect();
            let leads = leads?;
            let count = leads.iter().filter(|leads| **leads).count();
            ensure!(count < 2, "{count} replicas lead");
            Ok(leads.iter().position(|leads| *leads))
        })
    }

    /// Starts another replica, and waits until it serves.
    pub(crate) fn succeed(&mut self, name: &str) -> Result<()> {
        let replica = self.release.start_ready(name, &[])?;
        self.replicas.push(replica);
        Ok(())
    }

    /// Waits until each client has stored so many more Pods.
    pub(crate) fn store(&self, more: u32) -> Result<()> {
        self.clients.store(more)
    }

    /// Changes the policy, and so the answer.
    pub(crate) fn change_policy(&mut self) -> Result<()> {
        self.clients.change_policy()
    }

    /// Runs a fault that changes the policy once, holds every stored value against the two generations, and prints a row.
    pub(crate) fn fault(
        &mut self,
        name: &str,
        fault: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Observations> {
        self.clients.begin()?;
        fault(self)?;
        let replicas: Vec<_> = self.replicas.iter().map(Replica::admin).collect();
        self.clients.finish(name, &replicas)
    }

    /// [`Clients::end`].
    pub(crate) fn end(self, at_least: u32, continuous: bool) -> Result<()> {
        self.clients.end(at_least, continuous)
    }
}

/// Makes a replica an endpoint once it is ready, at its own address or at that of its link.
fn send_to(release: &Release<'_>, replica: &Replica, link: Option<&Link>) -> Result<()> {
    replica.wait_until_ready()?;
    let address = link.map_or(replica.address, Link::endpoint);
    release.add_endpoint(&replica.name, address)
}
