//! A certificate authority of our own, in memory: a CA that clients are told to trust, and leaves signed by it. It
//! stores nothing, and tells nobody.

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

use crate::tls::schedule::{Action, Life};
use crate::tls::trust::{Anchor, CLOCKS_APART, COMMON_NAME, Fingerprint};
use crate::tls::{Resolver, TlsError, certified};

/// How far back a certificate is dated, so that a client whose clock is behind ours still takes it.
pub const BACKDATED: Duration = CLOCKS_APART;

/// How long a CA that is never stored is valid: ten years, longer than any process that keeps it in memory, as whoever was given its
/// certificate cannot be told of another one.
pub const CA_LIFE: Duration = Duration::from_hours(10 * 365 * 24);

/// How long a leaf is valid: a day. Its key never leaves the process, so a short life costs nothing but a signature
/// every sixteen hours, and a renewal that does not work is noticed in the first day and not in the first year.
pub const LEAF_LIFE: Duration = Duration::from_hours(24);

/// How often the wall clock is asked whether a leaf is to be renewed. The remaining third of its life is eight hours.
pub const CHECK_EVERY: Duration = Duration::from_mins(1);

/// The names that a leaf is good for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// DNS names, `bedrock-profiles.bedrock-profiles.svc`.
    pub dns: Vec<String>,
    /// IP addresses.
    pub ips: Vec<IpAddr>,
}

/// A CA with its key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    anchor: Anchor,
}

/// A leaf with its key, and how long it lives.
#[derive(Clone)]
pub struct Leaf {
    /// The leaf alone, as clients are given the CA by other means.
    pub pair: Arc<CertifiedKey>,
    /// Its life.
    pub life: Life,
}

// === Authority ===

impl Authority {
    /// Makes a CA that is valid from `now` on for [`CA_LIFE`].
    ///
    /// # Errors
    /// [`TlsError::Issue`] where the system gives no randomness.
    pub fn new(now: SystemTime) -> Result<Self, TlsError> {
        Self::until(now + CA_LIFE, now)
    }

    /// Makes a CA that is valid from `now` on until `end`. Its subject and its key identifier are its own, so that a client
    /// that trusts several of ours never takes one for another.
    ///
    /// # Errors
    /// [`TlsError::Issue`] where the system gives no randomness.
    pub fn until(end: SystemTime, now: SystemTime) -> Result<Self, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let number = Fingerprint::of(&key.subject_public_key_info()).short();
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{COMMON_NAME} {number}"));
        // No path below it: this CA signs leaves and no further CA.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = (now - BACKDATED).into();
        params.not_after = end.into();
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            anchor: Anchor::new(certificate.der())?,
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// A CA that was stored: its certificate and its key, both as PEM.
    ///
    /// # Errors
    /// [`TlsError`] where either is unreadable, the certificate is not one of a CA, or they do not belong together.
    pub fn load(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|error| TlsError::Trust(format!("a CA certificate is unreadable: {error}")))?;
        // The cause is left out: it could quote from the key.
        let key = KeyPair::from_pem(key)
            .map_err(|_| TlsError::Key("the private key of a CA is unreadable".to_owned()))?;
        let anchor = Anchor::new(&der)?;
        let issuer = Issuer::from_ca_cert_der(&anchor.der, key)?;
        if !anchor.is_of(&issuer.key().subject_public_key_info())? {
            return Err(TlsError::Mismatch);
        }
        Ok(Self {
            pem: anchor.pem(),
            anchor,
            issuer,
        })
    }

    /// The CA's certificate as PEM: what clients are to trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The CA's private key as PEM.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// The CA's certificate.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Issues a leaf for `names` that is valid from `now` on for [`LEAF_LIFE`], and never longer than the CA.
    ///
    /// # Errors
    /// [`TlsError::Issue`] where a name is no DNS name, or the system gives no randomness.
    pub fn issue(&self, names: &Names, now: SystemTime) -> Result<Leaf, TlsError> {
        self.issue_for(LEAF_LIFE, names, now)
    }

    /// The same, valid for `life`.
    ///
    /// # Errors
    /// [`TlsError::Issue`] where a name is no DNS name, or the system gives no randomness.
    pub fn issue_for(
        &self,
        life: Duration,
        names: &Names,
        now: SystemTime,
    ) -> Result<Leaf, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let life = Life {
            issued: now,
            not_before: now - BACKDATED,
            not_after: self.anchor.not_after.min(now + life),
        };
        let mut params = CertificateParams::new(names.dns.clone())?;
        params
            .subject_alt_names
            .extend(names.ips.iter().copied().map(SanType::IpAddress));
        params
            .distinguished_name
            .push(DnType::CommonName, "bedrock-profiles webhook");
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = life.not_before.into();
        params.not_after = life.not_after.into();
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Ok(Leaf {
            pair: certified(vec![certificate.der().clone()], key)?,
            life,
        })
    }

    /// Keeps `resolver` supplied with a leaf that is young enough, for ever. Where issuing fails, it is logged and
    /// tried again at the next look.
    pub async fn keep(self, names: Names, mut life: Life, resolver: Arc<Resolver>) {
        loop {
            tokio::time::sleep(CHECK_EVERY).await;
            let now = SystemTime::now();
            if life.action(now) == Action::Keep {
                continue;
            }
            match self.issue(&names, now) {
                Ok(leaf) => {
                    life = leaf.life;
                    resolver.replace(leaf.pair);
                    tracing::info!("serving a new certificate");
                }
                Err(error) => tracing::error!(%error, "keeping the old certificate"),
            }
        }
    }
}
