//! What the Bedrock API lists in each region, read from what `aws bedrock list-inference-profiles` and `list-foundation-models`
//! print.
//!
//! Source of the fields: the service model of botocore 1.44.8. An ARN has the region that answered, so neither the name of a file nor a
//! flag decides about an entry that has one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;

use self::summaries::{BedrockArn, ListAnswer, ListedEntry, ListedSummary};
use crate::domain::catalog::{Destinations, LifecycleState};
use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

mod summaries;

/// Why a row is not compared that two answers have differently.
const DISAGREEMENT: &str = "the answers disagree about it; list it again";

/// A profile of a model: the key of what `list-inference-profiles` lists in a region.
pub type ProfileKey = (ModelId, Geography);

/// What the API lists, by region.
#[derive(Debug, Default)]
pub struct ListedRegions {
    regions: BTreeMap<Region, ListedRegion>,
    notes: BTreeSet<String>,
}

/// What the API lists in one region. `None` is a call that has no answer in the files.
#[derive(Debug, Default)]
pub struct ListedRegion {
    /// The answers of `list-inference-profiles`, with the destinations of each profile.
    pub profiles: Option<Listing<ProfileKey, Destinations>>,
    /// The answers of `list-foundation-models`.
    pub models: Option<Listing<ModelId, ListedModel>>,
}

/// The rows of one call in one region, of all accounts.
#[derive(Debug)]
pub struct Listing<K, V> {
    /// `None` is an entry that cannot be compared: its value is of no known form, or differs between answers.
    rows: BTreeMap<K, Option<V>>,
    /// The files whose last page in this region is not that of a list.
    cut: BTreeSet<String>,
}

/// A model of `list-foundation-models`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedModel {
    /// Whether the direct ID works on demand; `None` if the answer lacks the field.
    pub on_demand: Option<bool>,
    /// Its state in the region.
    pub state: Option<LifecycleState>,
    /// The first day without service in the region, in UTC.
    pub end_of_life: Option<Date>,
}

/// Why a text cannot be read as answers.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The text is not JSON, or a field is missing.
    #[error(
        "{file} is no output of `aws bedrock list-…` in JSON: {error}; list again with `--output json`"
    )]
    Json {
        /// The name of the file.
        file: String,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// An object without the lists of the two calls.
    #[error(
        "{file} has neither inferenceProfileSummaries nor modelSummaries: write the whole output of the call, without --query"
    )]
    NoAnswer {
        /// The name of the file.
        file: String,
    },
    /// Neither an ARN, the name of the file nor a flag has the region.
    #[error(
        "{file}: the region of the answer is unknown: name it in the name of the file, or set --region"
    )]
    NoRegion {
        /// The name of the file.
        file: String,
    },
    /// An ARN of another form, or with a region of another partition.
    #[error(
        "{file}: {arn:?} is not an ARN of a known region: list again without --query, or remove the answer"
    )]
    Arn {
        /// The name of the file.
        file: String,
        /// The text in place of an ARN.
        arn: String,
    },
    /// The flag and an ARN disagree.
    #[error("{file} is an answer of {found}, and --region is {expected}: correct the flag")]
    OtherRegion {
        /// The name of the file.
        file: String,
        /// The region of the ARN.
        found: Region,
        /// The region of the flag.
        expected: Region,
    },
}

/// The file that is read, and the region of entries without an ARN.
struct AnswerFile<'a> {
    name: &'a str,
    of_flag: Option<Region>,
    of_name: Option<Region>,
}

impl ListedRegions {
    /// Reads the answers in a text: one, several after each other, or a list of them. `region` is that of a flag. Returns whether
    /// the text has an answer: the output of a call that failed is empty.
    ///
    /// # Errors
    /// The text is no such output, or the region of an entry is unknown.
    pub fn read(
        &mut self,
        file: &str,
        text: &str,
        region: Option<Region>,
    ) -> Result<bool, AnswerError> {
        let json = |error| AnswerError::Json {
            file: file.to_owned(),
            error,
        };
        let answers: Vec<ListAnswer> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).map_err(json)?
        } else {
            let answers = serde_json::Deserializer::from_str(text).into_iter();
            answers.collect::<Result<_, _>>().map_err(json)?
        };
        let source = AnswerFile {
            name: file,
            of_flag: region,
            of_name: region_in_name(file),
        };
        for answer in &answers {
            self.add(answer, &source)?;
        }
        Ok(!answers.is_empty())
    }

    /// What each region lists.
    pub fn regions(&self) -> impl Iterator<Item = (Region, &ListedRegion)> {
        self.regions
            .iter()
            .map(|(region, listed)| (*region, listed))
    }

    /// What one region lists.
    pub fn region(&self, region: Region) -> Option<&ListedRegion> {
        self.regions.get(&region)
    }

    /// Entries that are not compared, with the reason.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }

    /// The state that all regions with the model give it; `None` if they differ, or the answers of one region do.
    pub fn common_state(&self, model: &ModelId) -> Option<LifecycleState> {
        let listings = self.regions.values().filter_map(|one| one.models.as_ref());
        let mut common = None;
        for listed in listings.filter_map(|listing| listing.rows.get(model)) {
            let state = listed.as_ref()?.state;
            if state.is_some() && common.is_some() && state != common {
                return None;
            }
            common = state.or(common);
        }
        common
    }

    fn add(&mut self, answer: &ListAnswer, source: &AnswerFile<'_>) -> Result<(), AnswerError> {
        let is_last = answer.next_token.is_none();
        if answer.inference_profile_summaries.is_none() && answer.model_summaries.is_none() {
            let file = source.name.to_owned();
            return Err(AnswerError::NoAnswer { file });
        }
        if let Some(summaries) = &answer.inference_profile_summaries {
            self.add_entries(summaries, is_last, source)?;
        }
        if let Some(summaries) = &answer.model_summaries {
            self.add_entries(summaries, is_last, source)?;
        }
        Ok(())
    }

    fn add_entries<S: ListedSummary>(
        &mut self,
        summaries: &[S],
        is_last: bool,
        source: &AnswerFile<'_>,
    ) -> Result<(), AnswerError> {
        let mut regions = BTreeSet::new();
        for summary in summaries {
            let region = source.region(summary.arn())?;
            regions.insert(region);
            let problem = match summary.entry(region) {
                ListedEntry::Ignored => None,
                ListedEntry::Unnamed { expected } => Some(expected),
                ListedEntry::Named { key, value } => {
                    let listed = self.regions.entry(region).or_default();
                    S::listing(listed)
                        .get_or_insert_default()
                        .insert(key, value)
                }
            };
            if let Some(problem) = problem {
                let id = summary.id();
                let note = format!("{id} in {region} is not compared: {problem}");
                self.notes.insert(note);
            }
        }
        // An answer without entries is one too.
        if regions.is_empty() {
            regions.insert(source.region(None)?);
        }
        for region in regions {
            let listed = self.regions.entry(region).or_default();
            let listing = S::listing(listed).get_or_insert_default();
            listing.end_page(source.name, is_last);
        }
        Ok(())
    }
}

impl AnswerFile<'_> {
    /// The region of an entry: that of its ARN.
    fn region(&self, arn: Option<&str>) -> Result<Region, AnswerError> {
        let file = || self.name.to_owned();
        let Some(arn) = arn else {
            let region = self.of_flag.or(self.of_name);
            return region.ok_or_else(|| AnswerError::NoRegion { file: file() });
        };
        // An ARN that has no region is no reason to take another one.
        let found = BedrockArn::parse(arn).and_then(|arn| arn.region);
        let found = found.ok_or_else(|| AnswerError::Arn {
            file: file(),
            arn: arn.to_owned(),
        })?;
        match self.of_flag {
            Some(expected) if expected != found => Err(AnswerError::OtherRegion {
                file: file(),
                found,
                expected,
            }),
            _ => Ok(found),
        }
    }
}

impl<K: Ord, V: PartialEq> Listing<K, V> {
    /// Adds an entry, `Err` with the reason if its value cannot be compared. Returns why the row is not compared.
    fn insert(&mut self, key: K, value: Result<V, &'static str>) -> Option<&'static str> {
        let (value, problem) = match (self.rows.get(&key), value) {
            (_, Err(expected)) => (None, Some(expected)),
            (None, Ok(value)) => (Some(value), None),
            (Some(known), Ok(value)) if known.as_ref() == Some(&value) => return None,
            (Some(_), Ok(_)) => (None, Some(DISAGREEMENT)),
        };
        self.rows.insert(key, value);
        problem
    }

    /// Notes the end of a page of a file: another one follows in the file, or the list is cut, unless it is the last one.
    fn end_page(&mut self, file: &str, is_last: bool) {
        if is_last {
            self.cut.remove(file);
        } else {
            self.cut.insert(file.to_owned());
        }
    }

    /// The rows that can be compared.
    pub fn rows(&self) -> impl Iterator<Item = (&K, &V)> {
        let rows = self.rows.iter();
        rows.filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }

    /// Everything that is listed, whether or not it can be compared.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.rows.keys()
    }

    /// Whether no list is cut.
    pub fn is_complete(&self) -> bool {
        self.cut.is_empty()
    }

    /// Whether no list is cut, and none has the row.
    pub fn lacks(&self, key: &K) -> bool {
        self.is_complete() && !self.rows.contains_key(key)
    }

    /// Whether there is no row to compare.
    pub fn is_empty(&self) -> bool {
        self.rows().next().is_none()
    }
}

impl<K, V> Default for Listing<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            cut: BTreeSet::new(),
        }
    }
}

/// The one region that the name of a file or of its folder has.
fn region_in_name(file: &str) -> Option<Region> {
    let mut parts = Path::new(file).components().rev().take(2);
    parts.find_map(|part| {
        let name = part.as_os_str().to_str()?;
        let regions = name
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .filter_map(region_in_word);
        Region::common(regions)
    })
}

/// The region between the hyphens of a word: of `models-us-gov-west-1` it is `us-gov-west-1`.
fn region_in_word(word: &str) -> Option<Region> {
    let parts: Vec<_> = word.split('-').collect();
    let joined = |length: usize| parts.windows(length).map(|window| window.join("-"));
    let mut codes = joined(4).chain(joined(3));
    codes.find_map(|code| Region::from_code(&code))
}

#[cfg(test)]
mod tests;
