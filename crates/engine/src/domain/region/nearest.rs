//! The known regions whose codes are nearest to a misspelled one.

use std::fmt;

use super::{JURISDICTIONS, Region};

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
        let text: Vec<char> = text
            .trim()
            .chars()
            .take(MAX_LENGTH + 1)
            .map(|c| match c {
                '_' | ' ' => '-',
                other => other.to_ascii_lowercase(),
            })
            .collect();
        if text.len() > MAX_LENGTH {
            return Self::default();
        }
        let mut found: Vec<(usize, Region)> = known_regions()
            .map(|region| (distance(&text, region.as_str()), region))
            .filter(|(distance, _)| *distance <= MAX_DISTANCE)
            .collect();
        found.sort_unstable();
        let best = found.first().map(|(distance, _)| *distance);
        found.retain(|(distance, _)| Some(*distance) == best);
        match found[..] {
            [(_, one)] => Self([Some(one), None]),
            [(_, one), (_, other)] => Self([Some(one), Some(other)]),
            _ => Self::default(),
        }
    }

    /// Whether no region is near.
    pub fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }
}

/// Every region that this version knows.
fn known_regions() -> impl Iterator<Item = Region> {
    let listed = JURISDICTIONS.iter().map(|(code, ..)| *code);
    listed
        .chain(REGIONS_BY_PREFIX.iter().copied())
        .filter_map(|code| Region::parse(code).ok())
}

/// The number of insertions, deletions, changes and swaps of neighbours from `text` to `code`.
fn distance(text: &[char], code: &str) -> usize {
    let code: Vec<char> = code.chars().collect();
    let mut rows = vec![(0..=code.len()).collect::<Vec<_>>()];
    for (at, letter) in text.iter().enumerate() {
        let above = &rows[at];
        let mut row = vec![at + 1];
        for (to, wanted) in code.iter().enumerate() {
            let changed = above[to] + usize::from(letter != wanted);
            let mut best = changed.min(above[to + 1] + 1).min(row[to] + 1);
            let is_swap = at > 0 && to > 0 && text[at - 1] == *wanted && *letter == code[to - 1];
            if is_swap {
                best = best.min(rows[at - 1][to - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[text.len()][code.len()]
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
