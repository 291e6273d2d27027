//! A replica whose connections with the API server pass two proxies, one for each direction in which connections are made.

use anyhow::Result;
use std::net::SocketAddr;

use crate::{
    proxy::{Proxy, Quality},
    release::{Release, Replica},
    world::World,
};

/// The network between the API server and one replica.
pub(crate) struct Link {
    to_api_server: Proxy,
    to_replica: Proxy,
}

impl Link {
    /// Starts a replica and its link; it is not waited for, and not called.
    pub(crate) fn start(
        world: &World,
        release: &Release<'_>,
        name: &str,
    ) -> Result<(Replica, Self)> {
        let to_api_server = Proxy::start(world.next_address(), world.plane().api_server())?;
        let replica = release.start_behind(&to_api_server, name)?;
        let to_replica = Proxy::start(world.next_address(), replica.address)?;
        let link = Self {
            to_api_server,
            to_replica,
        };
        Ok((replica, link))
    }

    /// The address at which the API server reaches the replica.
    pub(crate) fn endpoint(&self) -> SocketAddr {
        self.to_replica.address()
    }

    /// Changes how both directions pass on bytes.
    pub(crate) fn set(&self, quality: Quality) {
        self.to_api_server.set(quality);
        self.to_replica.set(quality);
    }

    /// Passes on nothing in either direction, and closes no connection.
    pub(crate) fn cut(&self) {
        self.to_api_server.silence_all_connections();
        self.to_replica.silence_all_connections();
    }

    /// Passes on everything again.
    pub(crate) fn resume(&self) {
        self.to_api_server.resume();
        self.to_replica.resume();
    }
}
