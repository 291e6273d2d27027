//! Regions named in the document that an ID is in: beside it in the same mapping, or in one that encloses it.

use std::sync::Arc;

use super::{BEDROCK_NAMES, SDK_PROFILE, together};
use crate::domain::context_rules::{Sibling, SiblingValue, letters};
use crate::domain::policy::Policy;
use crate::domain::region::{RegionReading, read_region};

/// What the mappings around an ID say of regions, the nearest first.
#[derive(Debug, Clone, Default)]
pub struct DocumentRegions {
    /// One for each mapping or list of variables.
    pub levels: Vec<Arc<MappingRegions>>,
    /// Whether the nearest is a list of variables, as of a container.
    pub variables: bool,
    /// The name beside the ID that names the region of its model alone.
    pub of_one: Option<&'static str>,
}

/// What one mapping says of regions.
#[derive(Clone, Default)]
pub struct MappingRegions {
    /// Names that may name a region, with their texts; `None` where a text cannot be read here.
    names: Vec<(Box<str>, Option<Box<str>>)>,
    /// Whether the mapping speaks of Bedrock, so that a bare `region` is Bedrock's.
    bedrock: bool,
}

/// Never what the texts are.
impl std::fmt::Debug for MappingRegions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MappingRegions")
            .field("names", &self.names.len())
            .finish_non_exhaustive()
    }
}

/// Keys of an entry that name its region, besides the variables' names; the strongest first.
const ENTRY_NAMES: &[&str] = &["awsregionname", "regionname"];

/// Names of the SDKs' settings.
const SDK_LETTERS: &[&str] = &["awsregion", "awsdefaultregion"];

/// Counts only where the mapping speaks of Bedrock.
const BARE: &str = "region";

/// How long a text may be that tells a mapping as one that speaks of Bedrock: a name, not a document.
const LONGEST_NAME: usize = 256;

impl MappingRegions {
    /// What `neighbours` say, under any policy with these names of its own; `key` is that of the mapping itself.
    pub fn of<'t>(
        neighbours: impl Iterator<Item = Sibling<'t>>,
        key: Option<&str>,
        policies: &[Policy],
    ) -> Self {
        let mut level = Self {
            bedrock: key.is_some_and(names_bedrock),
            ..Self::default()
        };
        for neighbour in neighbours {
            level.bedrock |= names_bedrock(neighbour.name)
                || matches!(neighbour.text(), SiblingValue::Text(text) if names_bedrock(text));
            if !may_name_a_region(neighbour.name, policies) {
                continue;
            }
            let text = match neighbour.text() {
                SiblingValue::Text(text) => Some(text.into()),
                SiblingValue::Unknown => None,
                SiblingValue::Structure => continue,
            };
            level.names.push((neighbour.name.into(), text));
        }
        level
    }

    /// What one name says.
    fn named(&self, name: &str) -> Option<RegionReading> {
        let (_, text) = self.names.iter().find(|(one, _)| **one == *name)?;
        text.as_ref()
            .map_or(Some(RegionReading::OutOfSight), |text| read_region(text))
    }

    /// What the mapping says: the strongest names first.
    pub(super) fn says(&self, policy: &Policy) -> Option<RegionReading> {
        let value = |fits: &dyn Fn(&str) -> bool| {
            let texts = self.names.iter().filter(|(name, _)| fits(name));
            together(texts.filter_map(|(_, text)| match text {
                Some(text) => read_region(text),
                None => Some(RegionReading::OutOfSight),
            }))
        };
        let is = |name: &str, word: &str| letters(name).eq(word.chars());
        policy
            .extra_env_names
            .iter()
            .find_map(|extra| value(&|name| *name == **extra))
            .or_else(|| {
                value(&|name| {
                    BEDROCK_NAMES
                        .iter()
                        .any(|word| letters(name).eq(letters(word)))
                        || (self.bedrock && is(name, BARE))
                })
            })
            .or_else(|| value(&|name| ENTRY_NAMES.iter().any(|word| is(name, word))))
            .or_else(|| value(&|name| SDK_LETTERS.iter().any(|word| is(name, word))))
            .or_else(|| {
                value(&|name| letters(name).eq(letters(SDK_PROFILE)))
                    .map(|_| RegionReading::OutOfSight)
            })
    }
}

impl DocumentRegions {
    /// What the nearest mapping says.
    pub fn beside(&self, policy: &Policy) -> Option<RegionReading> {
        let nearest = self.levels.first()?;
        let of_one = self.of_one.and_then(|name| nearest.named(name));
        of_one.or_else(|| nearest.says(policy))
    }

    /// What the nearest of the mappings that enclose that one says.
    pub fn around(&self, policy: &Policy) -> Option<RegionReading> {
        self.levels
            .iter()
            .skip(1)
            .find_map(|level| level.says(policy))
    }
}

fn names_bedrock(text: &str) -> bool {
    const WORD: &[u8] = b"bedrock";
    text.len() <= LONGEST_NAME
        && text
            .as_bytes()
            .windows(WORD.len())
            .any(|word| word.eq_ignore_ascii_case(WORD))
}

fn may_name_a_region(name: &str, policies: &[Policy]) -> bool {
    let ends = |word: &str| {
        let mut end = letters(name).rev();
        word.chars().rev().all(|one| end.next() == Some(one))
    };
    ends("region")
        || ends("regionname")
        || letters(name).eq(letters(SDK_PROFILE))
        || policies
            .iter()
            .flat_map(|policy| &policy.extra_env_names)
            .any(|extra| **extra == *name)
}
