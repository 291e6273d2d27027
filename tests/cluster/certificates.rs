//! Certificates of the control plane and of the stand-ins: one authority each, leaves that are good for servers and clients.

use std::net::Ipv4Addr;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

/// A certificate authority that lives as long as the value.
pub(crate) struct Authority {
    certificate: String,
    key: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, both PEM.
pub(crate) struct Leaf {
    /// The certificate alone, without its authority.
    pub(crate) certificate: String,
    /// The private key, PKCS #8.
    pub(crate) key: String,
}

/// Whom a leaf names.
#[derive(Default)]
pub(crate) struct Subject<'a> {
    /// The common name: to the API server, the user.
    pub(crate) name: &'a str,
    /// The organization: to the API server, the group.
    pub(crate) group: Option<&'a str>,
    /// Host names that the leaf may serve.
    pub(crate) hosts: &'a [&'a str],
    /// Addresses that the leaf may serve.
    pub(crate) addresses: &'a [Ipv4Addr],
}

impl Authority {
    /// Makes an authority of this common name.
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

    /// The authority's own certificate, PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The authority's private key, PEM: the controller manager signs with it.
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

/// A key pair for nothing but signatures, PEM, the private key first: the service accounts' tokens.
pub(crate) fn signing_keys() -> Result<(String, String)> {
    let pair = KeyPair::generate()?;
    Ok((pair.serialize_pem(), pair.public_key_pem()))
}
