//! Metrics of certificates: when they end, and what was done. Labels are closed sets, however many CAs there are.

use std::time::SystemTime;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::keyring::Keyring;
use super::replica::Reason;

/// Counts what becomes of certificates. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    ends: Family<CertificateLabels, Gauge>,
    issued: Counter,
    writes: Family<WriteLabels, Counter>,
    failures: Counter,
}

/// The certificates whose end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The leaf that this replica serves.
    Served,
    /// The CA that this replica issues by.
    Signing,
    /// Of the CAs that are trusted, the one that ends first.
    Oldest,
    /// Of the CAs that are trusted, the one that ends last.
    Newest,
    /// Of the CAs in the Secret, as it was last read, the one that ends last.
    Stored,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CertificateLabels {
    certificate: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    reason: &'static str,
}

impl Metrics {
    /// Makes the families known to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "certificate_end_timestamp_seconds",
            "When a certificate ends: the leaf served, and of the CAs the one that signs, the oldest, the newest, and the newest in the Secret",
            metrics.ends.clone(),
        );
        registry.register(
            "certificates_issued",
            "Leaves that this replica has begun to serve",
            metrics.issued.clone(),
        );
        registry.register(
            "authority_writes",
            "Times that this replica wrote the Secret of the CAs, by reason: a CA was made (filled, due, asked), began to sign, or was put back after the Secret had lost it",
            metrics.writes.clone(),
        );
        registry.register(
            "authority_failures",
            "Failed tries to read or write the Secret of the CAs, or to issue a leaf",
            metrics.failures.clone(),
        );
        metrics
    }

    /// Tells the end of a certificate; of one that is not there, nothing any more.
    pub fn end(&self, certificate: Certificate, end: Option<SystemTime>) {
        let labels = CertificateLabels {
            certificate: certificate.as_str(),
        };
        let since_1970 = end.and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok());
        match since_1970.and_then(|length| i64::try_from(length.as_secs()).ok()) {
            Some(seconds) => {
                self.ends.get_or_create(&labels).set(seconds);
            }
            None => {
                self.ends.remove(&labels);
            }
        }
    }

    /// Tells the ends of the CAs that are trusted.
    pub fn keyring(&self, keyring: &Keyring, now: SystemTime) {
        let end = |ca: Option<&super::keyring::Ca>| ca.map(|ca| ca.anchor.not_after);
        self.end(Certificate::Signing, end(keyring.signing(now)));
        self.end(Certificate::Oldest, end(keyring.cas().first()));
        self.end(Certificate::Newest, end(keyring.cas().last()));
    }

    /// Counts a leaf.
    pub fn issued(&self) {
        self.issued.inc();
    }

    /// Counts a write.
    pub fn written(&self, reason: Reason) {
        let reason = reason.as_str();
        self.writes.get_or_create(&WriteLabels { reason }).inc();
    }

    /// Counts a failure.
    pub fn failed(&self) {
        self.failures.inc();
    }
}

impl Certificate {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Signing => "signing",
            Self::Oldest => "oldest",
            Self::Newest => "newest",
            Self::Stored => "stored",
        }
    }
}
