//! The Secret's content: one JSON text under one key, which a later version may add fields to.

use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::keyring::{Ca, KeyPem, Keyring, MOST};
use crate::tls::TlsError;
use crate::tls::authority::Authority;

/// The key of the Secret's `data`.
pub const KEY: &str = "keyring.json";

/// The key under which the certificates stand once more, without their keys: for whoever is to trust them and no more. It is
/// never read by us.
pub const CERTIFICATES_KEY: &str = "ca.crt";

/// The version that is written.
const VERSION: u64 = 1;

/// What the Secret is found to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stored {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// There is no Secret.
    Missing,
    /// Nothing, as it is shipped.
    Empty,
    /// Something that cannot be used, and why.
    Damaged(String),
    /// What a later version of this program wrote, which this one leaves alone.
    Newer(u64),
    /// CAs.
    Keyring(Keyring),
}

/// Why a content cannot be used. Nothing here quotes from it.
#[derive(Debug, thiserror::Error)]
enum Damage {
    #[error("it is no JSON of the expected form, at line {line}, column {column}")]
    Form { line: usize, column: usize },
    #[error("it holds {0} CAs, and {MOST} at most are written")]
    Many(usize),
    #[error("it holds no CA")]
    None,
    #[error("CA {number}: {error}")]
    Ca { number: usize, error: TlsError },
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u64,
    authorities: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotated: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    certificate: String,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sign_from: Option<Timestamp>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Stored {
    /// Reads the value of [`KEY`], if there is one.
    pub fn read(value: Option<&[u8]>) -> Self {
        let Some(text) = value.filter(|text| !text.is_empty()) else {
            return Self::Empty;
        };
        match serde_json::from_slice::<Versioned>(text) {
            Ok(Versioned { version }) if version > VERSION => Self::Newer(version),
            Ok(_) => read(text).map_or_else(|why| Self::Damaged(why.to_string()), Self::Keyring),
            Err(error) => Self::Damaged(Damage::from(error).to_string()),
        }
    }

    /// The CAs, where there are any.
    pub fn keyring(&self) -> Option<&Keyring> {
        match self {
            Self::Keyring(keyring) => Some(keyring),
            Self::Unknown | Self::Missing | Self::Empty | Self::Damaged(_) | Self::Newer(_) => None,
        }
    }
}

/// The text that [`Stored::read`] reads.
///
/// # Errors
/// Where a time lies outside of what can be written.
pub fn write(keyring: &Keyring) -> Result<Vec<u8>, String> {
    let entry = |ca: &Ca| {
        Ok(Entry {
            certificate: ca.anchor.pem(),
            key: ca.key.reveal().to_owned(),
            sign_from: ca.signs_from.map(Timestamp::try_from).transpose()?,
            rest: ca.rest.clone(),
        })
    };
    let authorities: Result<_, jiff::Error> = keyring.cas().iter().map(entry).collect();
    let document = Document {
        version: VERSION,
        authorities: authorities.map_err(|error| error.to_string())?,
        rotated: keyring.rotated.clone(),
        rest: keyring.rest.clone(),
    };
    serde_json::to_vec(&document).map_err(|error| error.to_string())
}

/// The text under [`CERTIFICATES_KEY`], as PEM.
pub fn certificates(keyring: &Keyring) -> String {
    keyring.cas().iter().map(|ca| ca.anchor.pem()).collect()
}

fn read(text: &[u8]) -> Result<Keyring, Damage> {
    let document: Document = serde_json::from_slice(text)?;
    match document.authorities.len() {
        0 => return Err(Damage::None),
        1..=MOST => {}
        many => return Err(Damage::Many(many)),
    }
    let mut cas = Vec::new();
    for (at, entry) in document.authorities.into_iter().enumerate() {
        cas.push(entry.read(at + 1)?);
    }
    Ok(Keyring::new(cas, document.rotated, document.rest))
}

impl Entry {
    fn read(self, number: usize) -> Result<Ca, Damage> {
        let authority = Authority::load(&self.certificate, &self.key)
            .map_err(|error| Damage::Ca { number, error })?;
        Ok(Ca {
            anchor: authority.anchor().clone(),
            key: KeyPem::new(&self.key),
            signs_from: self.sign_from.map(SystemTime::from),
            rest: self.rest,
        })
    }
}

impl From<serde_json::Error> for Damage {
    fn from(error: serde_json::Error) -> Self {
        Self::Form {
            line: error.line(),
            column: error.column(),
        }
    }
}
