//! The known regions whose codes are nearest to a misspelled one.

use std::fmt;

use super::{JURISDICTIONS, Region};
use crate::domain::spelling::Spelling;

/// Regions of partitions whose jurisdiction is a prefix, so that the table of jurisdictions does not list them.
const REGIONS_BY_PREFIX: &[&str] = &[
    "us-gov-east-1",
    "us-gov-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eusc-de-east-1",
];

/// The maximum edit distance of a suggested region. More changes lead to another region as easily.
const MAX_DISTANCE: usize = 2;

/// The maximum length of a text that is compared, in characters.
const MAX_LENGTH: usize = 24;

/// The known regions nearest to a misspelled code: at most two, which are equally near; none if more are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NearestRegions([Option<Region>; 2]);

impl NearestRegions {
    /// The regions nearest to `text`. Case and the kind of separator are no difference.
    pub fn of(text: &str) -> Self {
        match nearest_regions(text)[..] {
            [one] => Self([Some(one), None]),
            [one, other] => Self([Some(one), Some(other)]),
            _ => Self::default(),
        }
    }

    /// Whether no region is near.
    pub fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }
}

/// All known regions that are nearest to `text`, in order; empty if none is near. Case and the kind of separator are no difference.
pub fn nearest_regions(text: &str) -> Vec<Region> {
    let letters = text.trim().chars().take(MAX_LENGTH + 1);
    let mut text = Spelling::of(letters.map(|c| match c {
        '_' | ' ' => '-',
        other => other.to_ascii_lowercase(),
    }));
    if text.len() > MAX_LENGTH {
        return Vec::new();
    }
    let mut found: Vec<(usize, Region)> = known_regions()
        .filter_map(|region| Some((text.distance(region.as_str(), MAX_DISTANCE)?, region)))
        .collect();
    found.sort_unstable();
    let best = found.first().map(|(distance, _)| *distance);
    found.retain(|(distance, _)| Some(*distance) == best);
    found.into_iter().map(|(_, region)| region).collect()
}

/// Every region that this version knows.
fn known_regions() -> impl Iterator<Item = Region> {
    let listed = JURISDICTIONS.iter().map(|(code, ..)| *code);
    listed
        .chain(REGIONS_BY_PREFIX.iter().copied())
        .filter_map(|code| Region::parse(code).ok())
}

/// A question for messages: `did you mean eu-west-1?`
impl fmt::Display for NearestRegions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [Some(one), None] => write!(f, "did you mean {one}?"),
            [Some(one), Some(other)] => write!(f, "did you mean {one} or {other}?"),
            [None, _] => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_leads_to_the_nearest_region() {
        for (text, expected) in [
            ("eu-wset-1", "did you mean eu-west-1?"),
            ("us-esat-1", "did you mean us-east-1?"),
            ("eu-central1", "did you mean eu-central-1?"),
            ("us_east_1", "did you mean us-east-1?"),
            ("US-EAST-1", "did you mean us-east-1?"),
            ("us-east-1a", "did you mean us-east-1?"),
            ("ap-northest-1", "did you mean ap-northeast-1?"),
            ("us-gov-wets-1", "did you mean us-gov-west-1?"),
            ("us-est-1", "did you mean us-east-1 or us-west-1?"),
        ] {
            assert_eq!(NearestRegions::of(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_near_no_region_or_many_leads_to_none() {
        let similar = nearest_regions("eu-west-9").into_iter();
        let similar: Vec<_> = similar.map(|region| region.to_string()).collect();
        assert_eq!(similar, ["eu-west-1", "eu-west-2", "eu-west-3"]);
        let long = "eu-west-1".repeat(9);
        for text in [
            "",
            "asia-northeast-1",
            "europe-west1",
            "nowhere",
            "eu-west-9",
            &long,
        ] {
            assert!(NearestRegions::of(text).is_empty(), "{text}");
        }
    }
}
