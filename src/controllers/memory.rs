//! What the leader remembers beside the release: annotations of the Lease, which the chart ships, so that the memory ends
//! with the release.

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::{Api, ResourceExt as _};

use crate::cluster::client::Clients;
use crate::cluster::release::{GROUP, ReleaseNames};

/// How often a write is tried that comes between two of the lease's holder, which writes every two seconds.
const TRIES: usize = 5;

/// Annotations of the Lease.
#[derive(Clone)]
pub struct Memory {
    api: Api<Lease>,
    name: String,
}

/// What is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// The hash of the default policy that was applied last.
    Policy,
    /// The hash of the catalog that was applied last.
    Catalog,
}

impl Thing {
    fn key(self) -> String {
        let name = match self {
            Self::Policy => "applied-policy",
            Self::Catalog => "applied-catalog",
        };
        format!("{GROUP}/{name}")
    }
}

impl Memory {
    /// The memory of a release.
    pub fn of(clients: &Clients, release: &ReleaseNames) -> Self {
        Self {
            api: Api::namespaced(clients.writing.clone(), &release.namespace),
            name: release.lease().to_owned(),
        }
    }

    /// What is remembered of some things, in their order.
    pub async fn recall<const N: usize>(
        &self,
        things: [Thing; N],
    ) -> kube::Result<[Option<String>; N]> {
        let lease = self.api.get(&self.name).await?;
        Ok(things.map(|thing| lease.annotations().get(&thing.key()).cloned()))
    }

    /// Remembers a thing. Whatever else stands in the Lease stays as it is: a write that comes between reading and writing
    /// makes this one begin anew.
    pub async fn remember(&self, thing: Thing, value: &str) -> kube::Result<()> {
        let mut tries = 0;
        loop {
            let mut lease = self.api.get(&self.name).await?;
            lease
                .annotations_mut()
                .insert(thing.key(), value.to_owned());
            let written = self
                .api
                .replace(&self.name, &PostParams::default(), &lease)
                .await;
            tries += 1;
            match written {
                Err(kube::Error::Api(status)) if status.is_conflict() && tries < TRIES => {}
                written => return written.map(|_| ()),
            }
        }
    }
}
