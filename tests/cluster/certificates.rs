//! Certificates of the control plane and of stand-in webhooks: a CA for each, and leaves for servers and clients.

use std::net::Ipv4Addr;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

/// A CA in memory.
pub(crate) struct Authority {
    certificate: String,
    key: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A leaf certificate and its key, both PEM.
pub(crate) struct Leaf {
    /// The certificate, without that of the CA.
    pub(crate) certificate: String,
    /// The private key, PKCS #8.
    pub(crate) key: String,
}

/// The subject and the names of a leaf.
#[derive(Default)]
pub(crate) struct Subject<'a> {
    /// The common name: the user name for the API server.
    pub(crate) name: &'a str,
    /// The organization: the group for the API server.
    pub(crate) group: Option<&'a str>,
    /// DNS names that the leaf is valid for.
    pub(crate) hosts: &'a [&'a str],
    /// IP addresses that the leaf is valid for.
    pub(crate) addresses: &'a [Ipv4Addr],
}

impl Authority {
    /// Creates a CA with this common name.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self {
            certificate,
            key: key.serialize_pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The certificate of the CA, PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The private key of the CA, PEM: kube-controller-manager signs with it.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Issues a leaf.
    pub(crate) fn issue(&self, subject: &Subject<'_>) -> Result<Leaf> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, subject.name);
        if let Some(group) = subject.group {
            params
                .distinguished_name
                .push(DnType::OrganizationName, group);
        }
        for host in subject.hosts {
            params
                .subject_alt_names
                .push(SanType::DnsName((*host).try_into()?));
        }
        params.subject_alt_names.extend(
            subject
                .addresses
                .iter()
                .map(|address| SanType::IpAddress((*address).into())),
        );
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Leaf {
            certificate,
            key: key.serialize_pem(),
        })
    }
}

/// A key pair for service account tokens, PEM: the private key, then the public key.
pub(crate) fn signing_keys() -> Result<(String, String)> {
    let pair = KeyPair::generate()?;
    Ok((pair.serialize_pem(), pair.public_key_pem()))
}
