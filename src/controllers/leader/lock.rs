//! The Lease, as one replica reads and writes it.

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Api;
use kube::api::PostParams;
use tokio::time::{Instant, timeout_at};

use super::election::{Election, Step};
use crate::cluster::client::{Clients, WRITE_TIMEOUT};
use crate::cluster::release::ReleaseNames;

/// The Lease of a release, and one replica's part in the election.
pub(super) struct Lock {
    /// The Leases of the release's namespace, by a client that repeats nothing.
    api: Api<Lease>,
    name: String,
    pub(super) election: Election,
}

/// Why a try came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum TryError {
    #[error(transparent)]
    Kube(#[from] kube::Error),
    #[error("the API server has not answered in time")]
    Silence,
}

impl TryError {
    /// Whether there is no Lease.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Kube(kube::Error::Api(status)) if status.is_not_found())
    }
}

impl Lock {
    pub(super) fn new(clients: &Clients, release: &ReleaseNames, identity: String) -> Self {
        Self {
            api: Api::namespaced(clients.writing.clone(), &release.namespace),
            name: release.lease().to_owned(),
            election: Election::new(identity),
        }
    }

    /// The Lease's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Looks at the Lease and takes it where it may be had; whether it was written. No try goes on after the end of our term.
    /// Who was overtaken, if only by one who remembers something there, looks once more.
    pub(super) async fn attempt(&mut self) -> Result<bool, TryError> {
        let now = Instant::now();
        let patience = now + WRITE_TIMEOUT;
        let until = self.election.until(now);
        let limit = until.map_or(patience, |until| until.min(patience));
        let tried = timeout_at(limit, async {
            match self.once().await {
                Err(kube::Error::Api(status)) if status.is_conflict() => self.once().await,
                result => result,
            }
        });
        Ok(tried.await.map_err(|_| TryError::Silence)??)
    }

    async fn once(&mut self) -> kube::Result<bool> {
        let lease = self.api.get(&self.name).await?;
        let version = lease.metadata.resource_version.as_deref();
        let step = self.election.look(
            lease.spec.as_ref(),
            version,
            Instant::now(),
            Timestamp::now(),
        );
        let Step::Write(spec) = step else {
            return Ok(false);
        };
        let sent = Instant::now();
        let stored = self.write(lease, spec).await?;
        self.election
            .stored(stored.spec.as_ref(), sent, Instant::now());
        Ok(true)
    }

    /// Lets go of the Lease where it is ours. A write of another that comes between makes this one begin anew.
    pub(super) async fn release(&self) -> kube::Result<()> {
        loop {
            let lease = self.api.get(&self.name).await?;
            let released = self
                .election
                .released(lease.spec.as_ref(), Timestamp::now());
            let Some(spec) = released else {
                return Ok(());
            };
            match self.write(lease, spec).await {
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                result => return result.map(|_| ()),
            }
        }
    }

    /// Writes over the version that was read, and leaves everything but the holder's own as it is.
    async fn write(&self, read: Lease, spec: LeaseSpec) -> kube::Result<Lease> {
        let lease = Lease {
            spec: Some(spec),
            ..read
        };
        self.api
            .replace(&self.name, &PostParams::default(), &lease)
            .await
    }
}
