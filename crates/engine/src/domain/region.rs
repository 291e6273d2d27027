//! AWS regions, their partitions and jurisdictions.
//!
//! The models of a region are in the catalog.

use std::fmt;

mod endpoint;
mod nearest;
mod source;
mod text;

pub use endpoint::{RuntimeEndpoint, is_bedrock_host, is_bedrock_runtime};
pub use nearest::{NearestRegions, nearest_regions};
pub use source::{ChosenRegion, RegionSource};
pub(crate) use text::read_region_only;
pub(crate) use text::{LONGEST_EXPANSION, expand, read};
pub use text::{RegionReading, read_endpoint, read_region};

/// A region code that fits a partition's pattern, such as `eu-west-1`; it need not exist yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region([u8; Region::LONGEST]);

/// The error for a text that is not a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an AWS region: expected a code such as `eu-west-1` or `us-gov-west-1`")]
pub struct NotARegion(pub Box<str>);

/// The country of a region; the EU counts as one.
///
/// A region that the table does not list is a jurisdiction of its own, so every route into it counts as a crossing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Jurisdiction {
    /// A jurisdiction of the table, by its short name, such as `EU`, `GB` or `US-GOV`.
    Listed(&'static str),
    /// A region that is not in the table.
    Unlisted(Region),
}

/// Region or prefix of regions, short name, and name in messages.
/// Source: AWS's list of regions. The EU sovereign cloud and the partitions of governments are separate jurisdictions.
const JURISDICTIONS: &[(&str, &str, &str)] = &[
    ("us-gov-", "US-GOV", "the US government's regions"),
    ("us-iso", "US-ISO", "the US isolated regions"),
    ("eu-isoe-", "EU-ISO", "the European isolated regions"),
    ("eusc-", "EUSC", "the EU sovereign cloud"),
    ("cn-", "CN", "China"),
    ("us-east-1", "US", "the United States"),
    ("us-east-2", "US", "the United States"),
    ("us-west-1", "US", "the United States"),
    ("us-west-2", "US", "the United States"),
    ("ca-central-1", "CA", "Canada"),
    ("ca-west-1", "CA", "Canada"),
    ("mx-central-1", "MX", "Mexico"),
    ("sa-east-1", "BR", "Brazil"),
    ("eu-west-1", "EU", "the EU"),
    ("eu-west-3", "EU", "the EU"),
    ("eu-central-1", "EU", "the EU"),
    ("eu-north-1", "EU", "the EU"),
    ("eu-south-1", "EU", "the EU"),
    ("eu-south-2", "EU", "the EU"),
    ("eu-west-2", "GB", "the United Kingdom"),
    ("eu-central-2", "CH", "Switzerland"),
    ("ap-northeast-1", "JP", "Japan"),
    ("ap-northeast-3", "JP", "Japan"),
    ("ap-northeast-2", "KR", "South Korea"),
    ("ap-east-2", "TW", "Taiwan"),
    ("ap-east-1", "HK", "Hong Kong"),
    ("ap-south-1", "IN", "India"),
    ("ap-south-2", "IN", "India"),
    ("ap-southeast-1", "SG", "Singapore"),
    ("ap-southeast-2", "AU", "Australia"),
    ("ap-southeast-4", "AU", "Australia"),
    ("ap-southeast-3", "ID", "Indonesia"),
    ("ap-southeast-5", "MY", "Malaysia"),
    ("ap-southeast-6", "NZ", "New Zealand"),
    ("ap-southeast-7", "TH", "Thailand"),
    ("me-central-1", "AE", "the United Arab Emirates"),
    ("me-south-1", "BH", "Bahrain"),
    ("il-central-1", "IL", "Israel"),
    ("af-south-1", "ZA", "South Africa"),
];

/// Prefixes of region codes and their partitions (`regionRegex` in botocore's `partitions.json`).
/// A longer prefix precedes the shorter prefixes that it starts with.
const PREFIXES: &[(&str, &str)] = &[
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-de-", "aws-eusc"),
    ("cn-", "aws-cn"),
    ("us-", COMMERCIAL),
    ("eu-", COMMERCIAL),
    ("ap-", COMMERCIAL),
    ("sa-", COMMERCIAL),
    ("ca-", COMMERCIAL),
    ("me-", COMMERCIAL),
    ("af-", COMMERCIAL),
    ("il-", COMMERCIAL),
    ("mx-", COMMERCIAL),
];

/// The commercial partition.
const COMMERCIAL: &str = "aws";

impl Region {
    const LONGEST: usize = 20;

    /// The region that all items of `regions` are; `None` if they differ or `regions` is empty.
    pub fn common(regions: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut regions = regions.into_iter();
        let first = regions.next()?;
        regions.all(|region| region == first).then_some(first)
    }

    /// Parses a region code; [`NotARegion`] if it fits no partition's pattern.
    pub fn parse(text: &str) -> Result<Self, NotARegion> {
        Self::from_code(text).ok_or_else(|| NotARegion(text.chars().take(64).collect()))
    }

    /// The region of a code; `None` if it fits no partition's pattern.
    pub fn from_code(text: &str) -> Option<Self> {
        let fits = text.len() <= Self::LONGEST
            && prefix_of(text).is_some_and(|(prefix, _)| {
                text[prefix.len()..]
                    .rsplit_once('-')
                    .is_some_and(|(name, number)| {
                        !name.is_empty()
                            && name.bytes().all(|b| b.is_ascii_lowercase())
                            && (1..=2).contains(&number.len())
                            && number.bytes().all(|b| b.is_ascii_digit())
                    })
            });
        if !fits {
            return None;
        }
        let mut code = [0; Self::LONGEST];
        code[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self(code))
    }

    /// The code, such as `eu-west-1`.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&b| b == 0).unwrap_or(Self::LONGEST);
        // The bytes were copied from a `str` of ASCII characters, so this never falls back.
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }

    /// Whether the region is in the commercial partition, the only one whose profiles may route to another jurisdiction.
    pub fn is_commercial(&self) -> bool {
        self.partition() == COMMERCIAL
    }

    /// The partition of the region, as in ARNs: `aws`, `aws-us-gov`, …
    pub fn partition(&self) -> &'static str {
        // A region was parsed by these prefixes, so this never falls back.
        prefix_of(self.as_str()).map_or(COMMERCIAL, |(_, partition)| partition)
    }

    /// The jurisdiction of the region.
    pub fn jurisdiction(&self) -> Jurisdiction {
        row_of(self).map_or(Jurisdiction::Unlisted(*self), |row| {
            Jurisdiction::Listed(row.1)
        })
    }
}

impl Jurisdiction {
    /// The name in messages: `Canada`, `the EU`, or the region's code if no name is known.
    pub fn name(&self) -> &str {
        match self {
            Self::Listed(short) => JURISDICTIONS
                .iter()
                .find(|row| row.1 == *short)
                .map_or(short, |row| row.2),
            Self::Unlisted(region) => region.as_str(),
        }
    }
}

fn prefix_of(text: &str) -> Option<&'static (&'static str, &'static str)> {
    PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix))
}

fn row_of(region: &Region) -> Option<&'static (&'static str, &'static str, &'static str)> {
    let code = &region.0;
    // Two letters tell most rows apart.
    let of_code = code.first_chunk::<2>();
    let mut rows = JURISDICTIONS
        .iter()
        .filter(|(pattern, ..)| pattern.as_bytes().first_chunk::<2>() == of_code);
    rows.find(|(pattern, ..)| {
        let pattern = pattern.as_bytes();
        let is_prefix = !pattern.last().is_some_and(u8::is_ascii_digit);
        let is_whole = code.get(pattern.len()).is_none_or(|byte| *byte == 0);
        (is_prefix || is_whole) && code.starts_with(pattern)
    })
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({self})")
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(short) => f.write_str(short),
            Self::Unlisted(region) => region.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_every_partition_are_regions_also_future_ones() {
        for code in [
            "us-east-1",
            "eu-west-9",
            "us-gov-west-1",
            "eusc-de-east-1",
            "cn-north-1",
            "us-isob-east-1",
            "ap-southeast-12",
        ] {
            assert_eq!(Region::parse(code).unwrap().as_str(), code);
        }
    }

    #[test]
    fn the_common_region_exists_only_if_all_regions_are_equal() {
        let regions = |codes: &[&str]| {
            let codes = codes.iter().map(|code| Region::parse(code).unwrap());
            Region::common(codes).map(|region| region.as_str().to_owned())
        };
        assert_eq!(regions(&["eu-west-1", "eu-west-1"]).unwrap(), "eu-west-1");
        assert_eq!(regions(&["eu-west-1", "eu-west-2"]), None);
        assert_eq!(regions(&[]), None);
    }

    #[test]
    fn a_text_that_fits_no_partition_is_not_a_region() {
        for bad in [
            "",
            "asia-northeast-1",
            "us-east",
            "us-east-1a",
            "US-EAST-1",
            "us--1",
            "us-east-",
            "global",
            "us-east-100",
            "eu-weſt-1",
        ] {
            assert!(Region::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_eu_is_one_jurisdiction_and_london_and_zurich_are_not_in_it() {
        let of = |code| Region::parse(code).unwrap().jurisdiction();
        assert_eq!(of("eu-west-1"), of("eu-south-2"));
        assert_ne!(of("eu-west-1"), of("eu-west-2"));
        assert_eq!(of("eu-west-2").name(), "the United Kingdom");
        assert_eq!(of("eu-central-2").to_string(), "CH");
        assert_eq!(of("us-gov-east-1").to_string(), "US-GOV");
    }

    #[test]
    fn an_unlisted_region_is_a_jurisdiction_of_its_own() {
        let of = |code| Region::parse(code).unwrap().jurisdiction();
        assert_ne!(of("eu-west-7"), of("eu-west-1"));
        assert_ne!(of("eu-west-7"), of("eu-west-8"));
        assert_eq!(of("eu-west-7").name(), "eu-west-7");
    }

    #[test]
    fn only_commercial_regions_are_commercial() {
        assert!(Region::parse("us-east-1").unwrap().is_commercial());
        assert!(!Region::parse("us-gov-east-1").unwrap().is_commercial());
        assert!(!Region::parse("eusc-de-east-1").unwrap().is_commercial());
    }

    #[test]
    fn the_partition_of_a_region_is_that_of_its_arns() {
        for (code, partition) in [
            ("eu-west-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-isob-east-1", "aws-iso-b"),
            ("us-iso-east-1", "aws-iso"),
            ("eusc-de-east-1", "aws-eusc"),
            ("cn-north-1", "aws-cn"),
        ] {
            assert_eq!(Region::parse(code).unwrap().partition(), partition);
        }
    }
}
