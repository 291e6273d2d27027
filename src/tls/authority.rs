//! A certificate authority in memory, which issues leaf certificates. It stores nothing, and distributes nothing.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData as _, SanType,
};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::tls::trust::{Anchor, CLOCK_SKEW, Fingerprint};
use crate::tls::validity::Validity;
use crate::tls::{CertificateResolver, TlsError, certified};

/// How far `notBefore` is set back, so that a client whose clock is slow accepts a new certificate.
pub const BACKDATE: Duration = CLOCK_SKEW;

/// Lifetime of a CA that is not stored: ten years, longer than any process that holds it in memory. Clients that were given its
/// certificate cannot be given another.
pub const CA_LIFETIME: Duration = Duration::from_hours(10 * 365 * 24);

/// Lifetime of a leaf: one day. Its key never leaves the process, so a short lifetime costs one signature every sixteen hours,
/// and a renewal that fails is noticed on the first day instead of after a year.
pub const LEAF_LIFETIME: Duration = Duration::from_hours(24);

/// How often to check, by the wall clock, whether a leaf needs renewal. The last third of its lifetime is eight hours.
pub const CHECK_INTERVAL: Duration = Duration::from_mins(1);

/// The subject of a leaf certificate, and the names that it is valid for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The common name, for people.
    pub common_name: String,
    /// DNS names, such as `webhook.namespace.svc`.
    pub dns: Vec<String>,
    /// IP addresses.
    pub ips: Vec<IpAddr>,
}

/// A CA with its private key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    anchor: Anchor,
}

/// A leaf certificate with its private key.
#[derive(Clone)]
pub struct Leaf {
    /// The certificate and the key. The chain is the leaf alone, because clients get the CA by other means.
    pub pair: Arc<CertifiedKey>,
    /// The validity period.
    pub validity: Validity,
}

// === Authority ===

impl Authority {
    /// Creates a CA that is valid from `now` for [`CA_LIFETIME`].
    ///
    /// # Errors
    /// [`TlsError::Issue`] if the system provides no randomness.
    pub fn new(name: &str, now: SystemTime) -> Result<Self, TlsError> {
        Self::valid_until(now + CA_LIFETIME, name, now)
    }

    /// Creates a CA that is valid from `now` until `end`. Its common name is `name` and a number derived from its key, so that
    /// subject and key identifier are unique, and a client that trusts several CAs of one name never confuses them.
    ///
    /// # Errors
    /// [`TlsError::Issue`] if the system provides no randomness.
    pub fn valid_until(end: SystemTime, name: &str, now: SystemTime) -> Result<Self, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let number = Fingerprint::of(&key.subject_public_key_info()).short();
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{name} {number}"));
        // A path length of zero: this CA issues leaves and no intermediate CAs.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = (now - BACKDATE).into();
        params.not_after = end.into();
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            anchor: Anchor::from_der(certificate.der())?,
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Loads a stored CA: its certificate and its private key, both PEM.
    ///
    /// # Errors
    /// [`TlsError`] if either is unreadable, the certificate is not one of a CA, or they do not match.
    pub fn load(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|error| TlsError::Trust(format!("a CA certificate is invalid: {error}")))?;
        // The cause is omitted, because it could quote from the key.
        let key = KeyPair::from_pem(key)
            .map_err(|_| TlsError::Key("the private key of a CA is invalid".to_owned()))?;
        let anchor = Anchor::from_der(&der)?;
        let issuer = Issuer::from_ca_cert_der(&anchor.der, key)?;
        if !anchor.certifies(&issuer.key().subject_public_key_info())? {
            return Err(TlsError::Mismatch);
        }
        Ok(Self {
            pem: anchor.pem(),
            anchor,
            issuer,
        })
    }

    /// The CA certificate as PEM, for clients to trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The CA private key as PEM.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// The CA certificate.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Issues a leaf for `names` that is valid from `now` for [`LEAF_LIFETIME`], and no longer than the CA.
    ///
    /// # Errors
    /// [`TlsError::Issue`] if a name is not a DNS name, or the system provides no randomness.
    pub fn issue(&self, names: &Names, now: SystemTime) -> Result<Leaf, TlsError> {
        self.issue_for(LEAF_LIFETIME, names, now)
    }

    /// As [`Self::issue`], valid for `lifetime`.
    ///
    /// # Errors
    /// [`TlsError::Issue`] if a name is not a DNS name, or the system provides no randomness.
    pub fn issue_for(
        &self,
        lifetime: Duration,
        names: &Names,
        now: SystemTime,
    ) -> Result<Leaf, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let validity = Validity {
            issued: now,
            not_before: now - BACKDATE,
            not_after: self.anchor.not_after.min(now + lifetime),
        };
        let mut params = CertificateParams::new(names.dns.clone())?;
        params
            .subject_alt_names
            .extend(names.ips.iter().copied().map(SanType::IpAddress));
        params
            .distinguished_name
            .push(DnType::CommonName, names.common_name.as_str());
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = validity.not_before.into();
        params.not_after = validity.not_after.into();
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Ok(Leaf {
            pair: certified(vec![certificate.der().clone()], key)?,
            validity,
        })
    }

    /// Renews the leaf of `resolver`, whose validity is `validity`, forever. A failed renewal is logged and retried at the next
    /// check.
    pub async fn renew(
        self,
        names: Names,
        mut validity: Validity,
        resolver: Arc<CertificateResolver>,
    ) {
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let now = SystemTime::now();
            if !validity.needs_renewal(now) {
                continue;
            }
            match self.issue(&names, now) {
                Ok(leaf) => {
                    validity = leaf.validity;
                    resolver.replace(leaf.pair);
                    tracing::info!("serving a new certificate");
                }
                Err(error) => {
                    tracing::error!(%error, "cannot renew the certificate; keeping the current one");
                }
            }
        }
    }
}
