//! The Lease object, as one replica reads and writes it.

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Api;
use kube::api::PostParams;
use tokio::time::{Instant, timeout_at};

use super::election::{Election, ElectionStep};
use crate::cluster::client::WRITE_TIMEOUT;

/// Connects the election of one replica to the Lease.
pub(super) struct LeaseClient {
    /// Does not retry requests.
    api: Api<Lease>,
    name: String,
    pub(super) election: Election,
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum LeaseError {
    #[error(transparent)]
    Api(#[from] kube::Error),
    #[error("the API server did not respond in time")]
    Timeout,
}

impl LeaseError {
    /// Whether the Lease does not exist.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.is_not_found())
    }
}

impl LeaseClient {
    pub(super) fn new(client: kube::Client, namespace: &str, name: &str, identity: String) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            election: Election::new(identity),
        }
    }

    /// The name of the Lease.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Reads the Lease, and writes it if the election decides so. Returns whether it was written. No attempt continues beyond
    /// the end of the own leadership. On a conflict, as with a write of an annotation, the attempt is repeated once.
    pub(super) async fn attempt(&mut self) -> Result<bool, LeaseError> {
        let now = Instant::now();
        let timeout = now + WRITE_TIMEOUT;
        let until = self.election.leads_until(now);
        let limit = until.map_or(timeout, |until| until.min(timeout));
        let attempt = timeout_at(limit, async {
            match self.read_and_write().await {
                Err(kube::Error::Api(status)) if status.is_conflict() => {
                    self.read_and_write().await
                }
                result => result,
            }
        });
        Ok(attempt.await.map_err(|_| LeaseError::Timeout)??)
    }

    async fn read_and_write(&mut self) -> kube::Result<bool> {
        let lease = self.api.get(&self.name).await?;
        let version = lease.metadata.resource_version.as_deref();
        let step = self.election.observe(
            lease.spec.as_ref(),
            version,
            Instant::now(),
            Timestamp::now(),
        );
        let ElectionStep::Write(spec) = step else {
            return Ok(false);
        };
        let sent = Instant::now();
        let stored = self.write(lease, spec).await?;
        self.election
            .record_stored(stored.spec.as_ref(), sent, Instant::now());
        Ok(true)
    }

    /// Releases the Lease if this replica holds it. Repeated on conflicts.
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

    /// Replaces the version that was read; only the spec changes.
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
