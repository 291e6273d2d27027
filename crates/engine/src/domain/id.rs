//! Direct model IDs, geographies and ARNs, by their syntax. The catalog has those that exist.

use std::fmt;

/// A foundation-model ID as AWS prints it, such as `anthropic.claude-sonnet-4-5-20250929-v1:0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelId(Box<str>);

/// The prefix of a system-defined inference profile: `us`, `eu`, `apac`, `us-gov`, … or `global`.
///
/// An open set: AWS adds geographies (`in`, `ca`), so this is a pattern and not an enum.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Geography(Box<str>);

/// An Amazon Resource Name with six parts, as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn(Box<str>);

/// A text that is not a valid model ID, geography or ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// A model ID is `VENDOR.NAME`, at most 64 characters long.
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

/// The longest profile ID that Bedrock accepts, in bytes (`InferenceProfileId` in the service model of botocore).
pub const LONGEST_ID: usize = 64;

/// Whether `byte` is valid in a model ID.
pub const fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'_')
}

/// Whether two texts differ by one letter that is added, missing, changed or swapped with its neighbour. A digit that differs is
/// no misspelling: it is another version.
pub fn is_misspelling(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let equal = |(a, b): &(&u8, &u8)| a == b;
    let before = one.iter().zip(other).take_while(equal).count();
    let (one, other) = (&one[before..], &other[before..]);
    let after = one.iter().rev().zip(other.iter().rev());
    let after = after.take_while(equal).count();
    let (one, other) = (&one[..one.len() - after], &other[..other.len() - after]);
    let letters = [one, other]
        .concat()
        .iter()
        .all(|byte| !byte.is_ascii_digit());
    letters
        && match (one, other) {
            ([], []) => false,
            ([a, b], [c, d]) => a == d && b == c,
            _ => one.len() <= 1 && other.len() <= 1,
        }
}

impl ModelId {
    /// Parses a model ID; [`ParseIdError::Model`] if the vendor is missing, a character is invalid or the text is too long.
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

    /// The vendor with its dot, such as `anthropic.`. Detection searches for these prefixes first.
    pub fn vendor_prefix(&self) -> &str {
        let end = self.0.find('.').map_or(self.0.len(), |dot| dot + 1);
        &self.0[..end]
    }
}

impl Geography {
    /// The geography of profiles that may route to any commercial region.
    pub const GLOBAL: &'static str = "global";

    /// The geographies that AWS has used.
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

    /// Parses a geography; [`ParseIdError::Geography`] if its syntax is invalid.
    pub fn parse(text: &str) -> Result<Self, ParseIdError> {
        if Self::fits(text) {
            Ok(Self(text.into()))
        } else {
            Err(ParseIdError::Geography(text.into()))
        }
    }

    /// Whether `text` has the syntax of a geography, known or not.
    pub fn fits(text: &str) -> bool {
        (2..=8).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    }

    /// Whether `text` is a geography that AWS used at the time of this release, in any case.
    pub fn is_known_prefix(text: &str) -> bool {
        Self::KNOWN.iter().any(|one| text.eq_ignore_ascii_case(one))
    }

    /// The geography as written before the dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether AWS used the geography at the time of this release. Others are valid too.
    pub fn is_known(&self) -> bool {
        Self::KNOWN.contains(&self.as_str())
    }

    /// Whether a request may be routed to any commercial region.
    pub fn is_global(&self) -> bool {
        &*self.0 == Self::GLOBAL
    }
}

impl Arn {
    /// Parses an ARN; [`ParseIdError::Arn`] if a part is missing.
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
    fn a_misspelling_differs_by_one_letter_and_no_digit() {
        let known = "anthropic.claude-sonnet-4-6";
        for one in [
            "anthropic.claude-sonet-4-6",
            "antropic.claude-sonnet-4-6",
            "anthropic.claude-sonnett-4-6",
            "anthropic.cluade-sonnet-4-6",
            "anthropic.claude_sonnet-4-6",
        ] {
            assert!(is_misspelling(one, known), "{one}");
            assert!(is_misspelling(known, one), "{one}");
        }
        for one in [
            known,
            "anthropic.claude-sonnet-4-7",
            "anthropic.claude-sonnet-4-61",
            "anthropic.claude-sonnet-5",
            "anthropic.claude-sonnet--46",
            "anthropic.claude-opus-4-6",
            "anthropic.claude-sont-4-6",
        ] {
            assert!(!is_misspelling(one, known), "{one}");
        }
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
