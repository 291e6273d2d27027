//! Hashes of the objects that the leader applied last, as annotations of the Lease. The chart ships the Lease, so the hashes end
//! with the release.

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::{Api, ResourceExt as _};

use crate::cluster::client::Clients;
use crate::cluster::release::{GROUP, ReleaseNames};

/// Attempts to write: the lease's holder writes every two seconds, so a conflict is likely.
const ATTEMPTS: usize = 5;

/// The hashes of a release.
#[derive(Clone)]
pub struct AppliedHashes {
    api: Api<Lease>,
    name: String,
}

/// The objects whose hashes are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The default policy.
    Policy,
    /// The catalog.
    Catalog,
}

impl Applied {
    fn annotation(self) -> String {
        let name = match self {
            Self::Policy => "applied-policy",
            Self::Catalog => "applied-catalog",
        };
        format!("{GROUP}/{name}")
    }
}

impl AppliedHashes {
    /// The hashes of a release.
    pub fn of(clients: &Clients, release: &ReleaseNames) -> Self {
        Self {
            api: Api::namespaced(clients.writing.clone(), &release.namespace),
            name: release.lease().to_owned(),
        }
    }

    /// Loads the hashes of some objects, in their order.
    pub async fn load<const N: usize>(
        &self,
        objects: [Applied; N],
    ) -> kube::Result<[Option<String>; N]> {
        let lease = self.api.get(&self.name).await?;
        Ok(objects.map(|object| lease.annotations().get(&object.annotation()).cloned()))
    }

    /// Stores the hash of an object. The other fields of the Lease stay unchanged: after a conflict the Lease is read again.
    pub async fn store(&self, object: Applied, hash: &str) -> kube::Result<()> {
        let mut attempts = 0;
        loop {
            let mut lease = self.api.get(&self.name).await?;
            lease
                .annotations_mut()
                .insert(object.annotation(), hash.to_owned());
            let written = self
                .api
                .replace(&self.name, &PostParams::default(), &lease)
                .await;
            attempts += 1;
            match written {
                Err(kube::Error::Api(status)) if status.is_conflict() && attempts < ATTEMPTS => {}
                written => return written.map(|_| ()),
            }
        }
    }
}
