//! A certificate authority of our own, in memory: a CA that clients are told to trust, and leaves signed by it. It
//! stores nothing, and tells nobody.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::sign::CertifiedKey;
use rustls_pki_types::PrivateKeyDer;

use crate::tls::schedule::{Action, Life};
use crate::tls::{Resolver, TlsError, certified};

/// How far back a certificate is dated, so that a client whose clock is behind ours by an hour, and by one more of a
/// wrongly set summer time, still takes it.
pub const BACKDATED: Duration = Duration::from_hours(2);

/// How long a CA is valid: ten years, longer than any process that keeps it in memory, as whoever was given its
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
    not_after: SystemTime,
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
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let not_after = now + CA_LIFE;
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "bedrock-profiles CA");
        // No path below it: this CA signs leaves and no further CA.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = (now - BACKDATED).into();
        params.not_after = not_after.into();
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
            not_after,
        })
    }

    /// The CA's certificate as PEM: what clients are to trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a leaf for `names` that is valid from `now` on for [`LEAF_LIFE`], and never longer than the CA.
    ///
    /// # Errors
    /// [`TlsError::Issue`] where a name is no DNS name, or the system gives no randomness.
    pub fn issue(&self, names: &Names, now: SystemTime) -> Result<Leaf, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let life = Life {
            issued: now,
            not_before: now - BACKDATED,
            not_after: self.not_after.min(now + LEAF_LIFE),
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
