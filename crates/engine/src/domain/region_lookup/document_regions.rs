//! Regions that the document of an ID sets: beside the ID in the same mapping, or in an enclosing mapping.

use std::sync::Arc;

use super::{BEDROCK_NAMES, SDK_PROFILE, combined};
use crate::domain::context_rules::{Sibling, SiblingValue, letters};
use crate::domain::policy::Policy;
use crate::domain::region::{RegionReading, read_region};

/// The regions that the mappings around an ID set, nearest first.
#[derive(Debug, Clone, Default)]
pub struct DocumentRegions {
    /// One for each mapping or list of variables.
    pub levels: Vec<Arc<MappingRegions>>,
    /// Whether the nearest mapping is a list of variables, as in a container.
    pub variables: bool,
    /// The name that sets the region of this ID's model only.
    pub of_one: Option<&'static str>,
}

/// The regions that one mapping sets.
#[derive(Clone, Default)]
pub struct MappingRegions {
    /// Names that may set a region, with their texts; `None` if a text cannot be read.
    names: Vec<(Box<str>, Option<Box<str>>)>,
    /// Whether the mapping names Bedrock, so that a bare `region` is Bedrock's.
    bedrock: bool,
}

/// Omits the texts, which may be secret.
impl std::fmt::Debug for MappingRegions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MappingRegions")
            .field("names", &self.names.len())
            .finish_non_exhaustive()
    }
}

/// Keys of an entry that set its region, besides the names of variables; in order of precedence.
const ENTRY_NAMES: &[&str] = &["awsregionname", "regionname"];

/// The SDKs' variables, as [`letters`].
const SDK_LETTERS: &[&str] = &["awsregion", "awsdefaultregion"];

/// A key that is used only if the mapping names Bedrock.
const BARE: &str = "region";

/// The maximum length of a text that is searched for Bedrock's name: a name, not a document.
const LONGEST_NAME: usize = 256;

impl MappingRegions {
    /// The regions that `neighbours` set, by the built-in names and those of `policies`; `key` is the key of the mapping.
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

    /// The region that one name sets.
    fn named(&self, name: &str) -> Option<RegionReading> {
        let (_, text) = self.names.iter().find(|(one, _)| **one == *name)?;
        text.as_ref()
            .map_or(Some(RegionReading::OutOfSight), |text| read_region(text))
    }

    /// The region that the mapping sets, by the names in order of precedence.
    pub(super) fn region(&self, policy: &Policy) -> Option<RegionReading> {
        let value = |fits: &dyn Fn(&str) -> bool| {
            let texts = self.names.iter().filter(|(name, _)| fits(name));
            combined(texts.filter_map(|(_, text)| match text {
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
    /// The region that the nearest mapping sets.
    pub fn beside(&self, policy: &Policy) -> Option<RegionReading> {
        let nearest = self.levels.first()?;
        let of_one = self.of_one.and_then(|name| nearest.named(name));
        of_one.or_else(|| nearest.region(policy))
    }

    /// The region that the nearest of the enclosing mappings sets.
    pub fn around(&self, policy: &Policy) -> Option<RegionReading> {
        self.levels
            .iter()
            .skip(1)
            .find_map(|level| level.region(policy))
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
