//! The content of the CA Secret: one JSON document under one key. A later version may add fields, which are preserved.

use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keyring::{Ca, KeyPem, Keyring, MAX_CAS};
use crate::tls::TlsError;
use crate::tls::authority::Authority;

/// The key of the JSON document in the Secret's `data`.
pub const KEYRING_KEY: &str = "keyring.json";

/// The key of the CA certificates without their private keys, as PEM, for clients outside of the cluster. The controller never
/// reads it.
pub const CERTIFICATES_KEY: &str = "ca.crt";

/// The version of the document that is written.
const VERSION: u64 = 1;

/// The content of the Secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SecretContent {
    /// The Secret was not read yet.
    #[default]
    Unread,
    /// There is no Secret.
    Missing,
    /// The Secret has no document, as when it was installed.
    Empty,
    /// The document cannot be used, with the cause.
    Invalid(String),
    /// The document has a later version, and must not be changed.
    NewerVersion(u64),
    /// The CAs.
    Keyring(Keyring),
}

/// Why a document cannot be read. Messages never quote from it.
#[derive(Debug, thiserror::Error)]
enum DecodeError {
    #[error("not JSON of the expected form, at line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("it holds {0} CAs, more than the maximum of {MAX_CAS}")]
    TooManyCas(usize),
    #[error("it holds no CA")]
    NoCa,
    #[error("CA {number}: {error}")]
    Ca { number: usize, error: TlsError },
}

/// Why a keyring cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A time is outside of the supported range.
    #[error("a time is out of range: {0}")]
    Time(#[from] jiff::Error),
    /// The document is not JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u64,
    authorities: Vec<StoredCa>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotated: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredCa {
    certificate: String,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sign_from: Option<Timestamp>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl SecretContent {
    /// Parses the value of [`KEYRING_KEY`].
    pub fn parse(value: Option<&[u8]>) -> Self {
        let Some(text) = value.filter(|text| !text.is_empty()) else {
            return Self::Empty;
        };
        match serde_json::from_slice::<Versioned>(text) {
            Ok(Versioned { version }) if version > VERSION => Self::NewerVersion(version),
            Ok(_) => {
                decode(text).map_or_else(|error| Self::Invalid(error.to_string()), Self::Keyring)
            }
            Err(error) => Self::Invalid(DecodeError::from(error).to_string()),
        }
    }

    /// The CAs, if there are any.
    pub fn keyring(&self) -> Option<&Keyring> {
        match self {
            Self::Keyring(keyring) => Some(keyring),
            Self::Unread
            | Self::Missing
            | Self::Empty
            | Self::Invalid(_)
            | Self::NewerVersion(_) => None,
        }
    }
}

/// Writes the value of [`KEYRING_KEY`].
///
/// # Errors
/// If a time is outside of the supported range.
pub fn encode(keyring: &Keyring) -> Result<Vec<u8>, EncodeError> {
    let stored = |ca: &Ca| {
        Ok(StoredCa {
            certificate: ca.anchor.pem(),
            key: ca.key.reveal().to_owned(),
            sign_from: ca.signs_from.map(Timestamp::try_from).transpose()?,
            rest: ca.rest.clone(),
        })
    };
    let authorities: Result<_, jiff::Error> = keyring.cas().iter().map(stored).collect();
    Ok(serde_json::to_vec(&Document {
        version: VERSION,
        authorities: authorities?,
        rotated: keyring.rotated.clone(),
        rest: keyring.rest.clone(),
    })?)
}

/// The value of [`CERTIFICATES_KEY`].
pub fn certificates_pem(keyring: &Keyring) -> String {
    keyring.cas().iter().map(|ca| ca.anchor.pem()).collect()
}

fn decode(text: &[u8]) -> Result<Keyring, DecodeError> {
    let document: Document = serde_json::from_slice(text)?;
    match document.authorities.len() {
        0 => return Err(DecodeError::NoCa),
        1..=MAX_CAS => {}
        count => return Err(DecodeError::TooManyCas(count)),
    }
    let mut cas = Vec::new();
    for (index, stored) in document.authorities.into_iter().enumerate() {
        cas.push(stored.load(index + 1)?);
    }
    Ok(Keyring::new(cas, document.rotated, document.rest))
}

impl StoredCa {
    fn load(self, number: usize) -> Result<Ca, DecodeError> {
        let authority = Authority::load(&self.certificate, &self.key)
            .map_err(|error| DecodeError::Ca { number, error })?;
        Ok(Ca {
            anchor: authority.anchor().clone(),
            key: KeyPem::new(&self.key),
            signs_from: self.sign_from.map(SystemTime::from),
            rest: self.rest,
        })
    }
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json {
            line: error.line(),
            column: error.column(),
        }
    }
}
