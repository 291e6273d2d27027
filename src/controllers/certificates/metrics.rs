//! Metrics of certificates. All labels are closed sets, independent of the number of CAs.

use std::time::SystemTime;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::keyring::{Ca, Keyring};
use super::rotation::WriteReason;

/// Metrics of certificates. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    expirations: Family<CertificateLabels, Gauge>,
    issued: Counter,
    writes: Family<WriteLabels, Counter>,
    failures: Counter,
}

/// The certificates whose expiry is a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The leaf that this replica serves.
    Served,
    /// The CA that this replica issues leaves with.
    Signing,
    /// The trusted CA that expires first.
    Oldest,
    /// The trusted CA that expires last.
    Newest,
    /// The CA that expires last, of those in the Secret as it was last read.
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
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            expirations: Family::default(),
            issued: Counter::default(),
            writes: Family::default(),
            failures: Counter::default(),
        };
        registry.register(
            "certificate_expiration_timestamp_seconds",
            "Unix time at which a certificate expires: the served leaf; the signing, the oldest and the newest trusted CA; the newest CA in the Secret (stored)",
            metrics.expirations.clone(),
        );
        registry.register(
            "certificates_issued",
            "Leaf certificates that this replica began to serve",
            metrics.issued.clone(),
        );
        registry.register(
            "authority_writes",
            "Writes of the CA Secret by this replica, by reason: a CA was created (initial, scheduled, requested), began to sign (activated), or was restored after it had been lost from the Secret (restored)",
            metrics.writes.clone(),
        );
        registry.register(
            "authority_failures",
            "Failures to read or write the CA Secret, or to issue a leaf certificate",
            metrics.failures.clone(),
        );
        metrics
    }

    /// Sets the expiry of a certificate; removes the series if there is no such certificate.
    pub fn set_expiration(&self, certificate: Certificate, expiration: Option<SystemTime>) {
        let labels = CertificateLabels {
            certificate: certificate.as_str(),
        };
        let since_epoch =
            expiration.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        match since_epoch.and_then(|duration| i64::try_from(duration.as_secs()).ok()) {
            Some(seconds) => {
                self.expirations.get_or_create(&labels).set(seconds);
            }
            None => {
                self.expirations.remove(&labels);
            }
        }
    }

    /// Sets the expiries of the trusted CAs.
    pub fn set_keyring(&self, keyring: &Keyring, now: SystemTime) {
        let expiration = |ca: Option<&Ca>| ca.map(|ca| ca.anchor.not_after);
        self.set_expiration(Certificate::Signing, expiration(keyring.signing(now)));
        self.set_expiration(Certificate::Oldest, expiration(keyring.cas().first()));
        self.set_expiration(Certificate::Newest, expiration(keyring.cas().last()));
    }

    /// Counts a leaf.
    pub fn count_issued(&self) {
        self.issued.inc();
    }

    /// Counts a write of the Secret.
    pub fn count_write(&self, reason: WriteReason) {
        let reason = reason.as_str();
        self.writes.get_or_create(&WriteLabels { reason }).inc();
    }

    /// Counts a failure.
    pub fn count_failure(&self) {
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
