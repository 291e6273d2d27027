//! AWS regions, the partitions and the jurisdictions that they lie in.
//!
//! Does not know which models a region offers; that is the catalog's.

use std::fmt;

mod source;
mod text;

pub use source::RegionSource;
pub(crate) use text::{LONGEST_EXPANSION, expand, read};
pub use text::{RegionReading, read_region};

/// A region code that fits a partition's pattern, such as `eu-west-1`; it need not exist yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region([u8; Region::LONGEST]);

/// Why a text is no region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an AWS region: expected a code such as `eu-west-1` or `us-gov-west-1`")]
pub struct NotARegion(pub Box<str>);

/// The state, or the EU as one, that a region lies in.
///
/// A region that the table does not list is a jurisdiction of its own: nothing crosses into it unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Jurisdiction {
    /// By its short name, such as `EU`, `GB` or `US-GOV`.
    Listed(&'static str),
    /// A region of which only the code is known.
    Unlisted(Region),
}

/// Region or prefix of regions, short name and the name that a person reads.
/// Source: AWS's list of regions; the EU sovereign cloud and the partitions of governments stand for themselves.
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

/// What region codes start with, partition by partition (`regionRegex` in botocore's `partitions.json`).
/// A longer start is before a shorter one that it contains.
const STARTS: &[(&str, &str)] = &[
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

/// The partition of everybody who needs no other.
const COMMERCIAL: &str = "aws";

impl Region {
    const LONGEST: usize = 20;

    /// The region that all of `regions` are; `None` where they differ, and where there are none.
    pub fn common(regions: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut regions = regions.into_iter();
        let first = regions.next()?;
        regions.all(|region| region == first).then_some(first)
    }

    /// Takes `text` as a region code; [`NotARegion`] when it fits no partition's pattern.
    pub fn parse(text: &str) -> Result<Self, NotARegion> {
        let fits = text.len() <= Self::LONGEST
            && start_of(text).is_some_and(|(start, _)| {
                text[start.len()..]
                    .rsplit_once('-')
                    .is_some_and(|(name, number)| {
                        !name.is_empty()
                            && name.bytes().all(|b| b.is_ascii_lowercase())
                            && (1..=2).contains(&number.len())
                            && number.bytes().all(|b| b.is_ascii_digit())
                    })
            });
        if !fits {
            return Err(NotARegion(text.chars().take(64).collect()));
        }
        let mut code = [0; Self::LONGEST];
        code[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(code))
    }

    /// The code, such as `eu-west-1`.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&b| b == 0).unwrap_or(Self::LONGEST);
        // The bytes were copied from a `str` of ASCII characters, so this never falls back.
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }

    /// Whether the region lies in the commercial partition, the only one whose profiles may leave their jurisdiction.
    pub fn is_commercial(&self) -> bool {
        self.partition() == COMMERCIAL
    }

    /// The partition that the region lies in, as ARNs name it: `aws`, `aws-us-gov`, …
    pub fn partition(&self) -> &'static str {
        // A region was parsed by these starts, so this never falls back.
        start_of(self.as_str()).map_or(COMMERCIAL, |(_, partition)| partition)
    }

    /// The jurisdiction that the region lies in.
    pub fn jurisdiction(&self) -> Jurisdiction {
        row_of(self.as_str()).map_or(Jurisdiction::Unlisted(*self), |row| {
            Jurisdiction::Listed(row.1)
        })
    }
}

impl Jurisdiction {
    /// The name that a sentence uses: `Canada`, `the EU`, or the region's code where no name is known.
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

fn start_of(text: &str) -> Option<&'static (&'static str, &'static str)> {
    STARTS.iter().find(|(start, _)| text.starts_with(start))
}

fn row_of(code: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    JURISDICTIONS.iter().find(|(pattern, ..)| {
        if pattern.ends_with(|c: char| c.is_ascii_digit()) {
            code == *pattern
        } else {
            code.starts_with(pattern)
        }
    })
}

/// Whether an address is one of Bedrock's own runtime, public or behind a VPC endpoint.
pub fn is_bedrock_runtime(address: &str) -> bool {
    address.contains("bedrock-runtime.") || address.contains("bedrock-runtime-fips.")
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
    fn takes_codes_of_every_partition_also_future_ones() {
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
    fn the_common_region_is_the_only_one() {
        let regions = |codes: &[&str]| {
            let codes = codes.iter().map(|code| Region::parse(code).unwrap());
            Region::common(codes).map(|region| region.as_str().to_owned())
        };
        assert_eq!(regions(&["eu-west-1", "eu-west-1"]).unwrap(), "eu-west-1");
        assert_eq!(regions(&["eu-west-1", "eu-west-2"]), None);
        assert_eq!(regions(&[]), None);
    }

    #[test]
    fn refuses_what_fits_no_partition() {
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
    fn a_region_lies_in_the_partition_that_its_arns_name() {
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
