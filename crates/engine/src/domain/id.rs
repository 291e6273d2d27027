//! The names of things: direct model IDs, geographies, profile IDs and ARNs.
//!
//! Does not know which of them exist; that is the catalog's.

use std::fmt;

/// A foundation-model ID as AWS prints it, such as `anthropic.claude-sonnet-4-5-20250929-v1:0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId(Box<str>);

/// The prefix of a system-defined inference profile: `us`, `eu`, `apac`, `us-gov`, … or `global`.
///
/// An open set: AWS adds geographies (`in`, `ca`), so this is a pattern and not an enum.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Geography(Box<str>);

/// An Amazon resource name, kept as written and known to have its six parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn(Box<str>);

/// Why a text is none of the names above.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// A model ID is a vendor, a dot and a name of at most 64 characters in all.
    #[error("`{0}` is not a model ID: expected `VENDOR.NAME`, such as `anthropic.claude-sonnet-5`")]
    Model(Box<str>),
    /// A geography is two to eight lower-case letters or hyphens.
    #[error(
        "`{0}` is not a geography: expected lower-case letters and hyphens, such as `eu` or `us-gov`"
    )]
    Geography(Box<str>),
    /// An ARN has six parts divided by colons and starts with `arn:`.
    #[error("`{0}` is not an ARN: expected `arn:PARTITION:bedrock:REGION:ACCOUNT:RESOURCE`")]
    Arn(Box<str>),
}

/// Longest profile ID that Bedrock takes, in bytes (`InferenceProfileId` in the service model of botocore).
pub const LONGEST_ID: usize = 64;

/// Whether `byte` can stand inside a model ID.
pub const fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'_')
}

impl ModelId {
    /// Takes `text` as a model ID; [`ParseIdError::Model`] when it has no vendor or a character that no ID has.
    pub fn parse(text: &str) -> Result<Self, ParseIdError> {
        let fits = text.len() <= LONGEST_ID
            && text.bytes().all(is_id_byte)
            && text.split_once('.').is_some_and(|(vendor, name)| {
                let vendor_fits = vendor
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
                !vendor.is_empty() && vendor_fits && !name.is_empty()
            });
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(ParseIdError::Model(text.into()))
        }
    }

    /// The ID as AWS prints it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The vendor with its dot, such as `anthropic.`: what a cheap search looks for.
    pub fn vendor_prefix(&self) -> &str {
        let end = self.0.find('.').map_or(self.0.len(), |dot| dot + 1);
        &self.0[..end]
    }
}

impl Geography {
    /// The geography of profiles that may route to any commercial region.
    pub const GLOBAL: &'static str = "global";

    /// Those that AWS has had so far.
    const KNOWN: [&'static str; 9] = [
        "us",
        "eu",
        "apac",
        "jp",
        "au",
        "in",
        "ca",
        "us-gov",
        Self::GLOBAL,
    ];

    /// Takes `text` as a geography; [`ParseIdError::Geography`] when it does not look like one.
    pub fn parse(text: &str) -> Result<Self, ParseIdError> {
        if Self::fits(text) {
            Ok(Self(text.into()))
        } else {
            Err(ParseIdError::Geography(text.into()))
        }
    }

    /// Whether `text` looks like a geography, known or not.
    pub fn fits(text: &str) -> bool {
        (2..=8).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    }

    /// The geography as written before the dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether AWS has had it when this version was made. A later one is as good.
    pub fn is_known(&self) -> bool {
        Self::KNOWN.contains(&self.as_str())
    }

    /// Whether a request through it may leave every jurisdiction.
    pub fn is_global(&self) -> bool {
        &*self.0 == Self::GLOBAL
    }
}

impl Arn {
    /// Takes `text` as an ARN; [`ParseIdError::Arn`] when a part is missing.
    pub fn parse(text: &str) -> Result<Self, ParseIdError> {
        let mut parts = text.splitn(6, ':');
        let fits = parts.next() == Some("arn")
            && parts
                .next()
                .is_some_and(|partition| partition.starts_with("aws"))
            && parts.next().is_some_and(|service| !service.is_empty())
            && parts.next().is_some()
            && parts.next().is_some()
            && parts.next().is_some_and(|resource| !resource.is_empty())
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'$'));
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(ParseIdError::Arn(text.into()))
        }
    }

    /// The ARN as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition part: `aws`, `aws-us-gov`, …
    pub fn partition(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }

    /// The region part, which is empty for global resources.
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

macro_rules! display_as_str {
    ($($name:ty),+) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+ };
}
display_as_str!(ModelId, Geography, Arn);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_ids_as_aws_prints_them() {
        for id in [
            "anthropic.claude-sonnet-5",
            "amazon.nova-lite-v1:0",
            "ai21.j2-mid-v1",
            "meta.llama3-1-405b-instruct-v1:0",
        ] {
            assert_eq!(ModelId::parse(id).unwrap().as_str(), id);
        }
        for bad in [
            "",
            "claude",
            ".claude",
            "anthropic.",
            "Anthropic.claude",
            "anthropic.claude sonnet",
            "us-gov.anthropic.x y",
        ] {
            assert!(ModelId::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            ModelId::parse("ai21.j2-mid-v1").unwrap().vendor_prefix(),
            "ai21."
        );
    }

    #[test]
    fn takes_geographies_that_are_not_known_yet() {
        for geography in ["us", "us-gov", "apac", "global", "sa"] {
            assert!(Geography::parse(geography).is_ok(), "{geography}");
        }
        for bad in ["", "e", "EU", "eu1", "-eu", "european-union"] {
            assert!(Geography::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_arn_has_six_parts() {
        let arn = Arn::parse(
            "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl",
        )
        .unwrap();
        assert_eq!((arn.partition(), arn.region()), ("aws", "us-east-1"));
        assert!(Arn::parse("arn:aws:bedrock:us-east-1:111122223333").is_err());
        assert!(Arn::parse("arn:aws:bedrock:us-east-1:1:a\"b").is_err());
    }
}
