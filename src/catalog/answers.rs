//! What the Bedrock API lists in each region, read from what `aws bedrock list-inference-profiles` and `list-foundation-models`
//! print.
//!
//! Source of the fields: the service model of botocore 1.44.8. An ARN has the region that answered, so neither the name of a file nor a
//! flag decides about an entry that has one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::catalog::{Destinations, LifecycleState};
use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

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
    rows: BTreeMap<K, V>,
    /// Rows that differ between answers.
    disputed: BTreeSet<K>,
    is_complete: bool,
}

/// A model of `list-foundation-models`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedModel {
    /// Whether the direct ID works on demand.
    pub on_demand: bool,
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListAnswer {
    inference_profile_summaries: Option<Vec<ProfileSummary>>,
    model_summaries: Option<Vec<ModelSummary>>,
    /// The AWS CLI writes it in capitals where `--max-items` ends a list.
    #[serde(alias = "NextToken")]
    next_token: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileSummary {
    inference_profile_id: String,
    inference_profile_arn: Option<String>,
    models: Vec<ProfileModel>,
    status: Option<String>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileModel {
    model_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelSummary {
    model_id: String,
    model_arn: Option<String>,
    #[serde(default)]
    inference_types_supported: Vec<String>,
    model_lifecycle: Option<ModelLifecycle>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelLifecycle {
    status: Option<String>,
    end_of_life_time: Option<Timestamp>,
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

    /// The states that the regions give a model.
    pub fn states_of(&self, model: &ModelId) -> impl Iterator<Item = LifecycleState> {
        let listings = self.regions.values().filter_map(|one| one.models.as_ref());
        listings.filter_map(|listing| listing.get(model)?.state)
    }

    fn add(&mut self, answer: &ListAnswer, source: &AnswerFile<'_>) -> Result<(), AnswerError> {
        let is_last = answer.next_token.is_none();
        if answer.inference_profile_summaries.is_none() && answer.model_summaries.is_none() {
            let file = source.name.to_owned();
            return Err(AnswerError::NoAnswer { file });
        }
        if let Some(summaries) = &answer.inference_profile_summaries {
            self.add_profiles(summaries, is_last, source)?;
        }
        if let Some(summaries) = &answer.model_summaries {
            self.add_models(summaries, is_last, source)?;
        }
        Ok(())
    }

    fn add_profiles(
        &mut self,
        summaries: &[ProfileSummary],
        is_last: bool,
        source: &AnswerFile<'_>,
    ) -> Result<(), AnswerError> {
        let mut regions = BTreeSet::new();
        for summary in summaries {
            let region = source.region(summary.inference_profile_arn.as_deref())?;
            regions.insert(region);
            if summary
                .r#type
                .as_deref()
                .is_some_and(|kind| kind == "APPLICATION")
            {
                continue;
            }
            let id = &summary.inference_profile_id;
            match summary.row() {
                Some((key, destinations)) => {
                    let listing = self.regions.entry(region).or_default();
                    let listing = listing.profiles.get_or_insert_default();
                    if listing.insert(key, destinations) {
                        self.notes.insert(disputed(id, region));
                    }
                }
                None => {
                    self.notes.insert(format!(
                        "{id} in {region} is not compared: expected an active profile of one model, named GEOGRAPHY.MODEL"
                    ));
                }
            }
        }
        // An answer without entries is one too.
        if regions.is_empty() {
            regions.insert(source.region(None)?);
        }
        for region in regions {
            let listed = self.regions.entry(region).or_default();
            listed.profiles.get_or_insert_default().is_complete |= is_last;
        }
        Ok(())
    }

    fn add_models(
        &mut self,
        summaries: &[ModelSummary],
        is_last: bool,
        source: &AnswerFile<'_>,
    ) -> Result<(), AnswerError> {
        let mut regions = BTreeSet::new();
        for summary in summaries {
            let region = source.region(summary.model_arn.as_deref())?;
            regions.insert(region);
            let Ok(id) = ModelId::parse(&summary.model_id) else {
                let id = &summary.model_id;
                self.notes.insert(format!(
                    "{id} in {region} is not compared: it is no model ID"
                ));
                continue;
            };
            let listed = self.regions.entry(region).or_default();
            if listed
                .models
                .get_or_insert_default()
                .insert(id, summary.row())
            {
                self.notes.insert(disputed(&summary.model_id, region));
            }
        }
        if regions.is_empty() {
            regions.insert(source.region(None)?);
        }
        for region in regions {
            let listed = self.regions.entry(region).or_default();
            listed.models.get_or_insert_default().is_complete |= is_last;
        }
        Ok(())
    }
}

fn disputed(id: &str, region: Region) -> String {
    format!("{id} in {region} is not compared: the answers disagree about it; list it again")
}

impl AnswerFile<'_> {
    /// The region of an entry: that of its ARN.
    fn region(&self, arn: Option<&str>) -> Result<Region, AnswerError> {
        let of_arn = arn.and_then(|arn| Region::from_code(arn.split(':').nth(3)?));
        match (of_arn, self.of_flag) {
            (Some(found), Some(expected)) if found != expected => Err(AnswerError::OtherRegion {
                file: self.name.to_owned(),
                found,
                expected,
            }),
            (Some(region), _) | (None, Some(region)) => Ok(region),
            // An ARN that names no region is no reason to take that of the file.
            (None, None) => self.of_name.filter(|_| arn.is_none()).ok_or_else(|| {
                let file = self.name.to_owned();
                AnswerError::NoRegion { file }
            }),
        }
    }
}

impl<K: Ord + Clone, V: PartialEq> Listing<K, V> {
    /// Adds a row. Returns whether another answer has it with another value.
    fn insert(&mut self, key: K, value: V) -> bool {
        let differs = self.rows.get(&key).is_some_and(|known| *known != value);
        if differs {
            self.disputed.insert(key);
        } else {
            self.rows.insert(key, value);
        }
        differs
    }

    /// The value of a row on which the answers agree.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).filter(|_| !self.disputed.contains(key))
    }

    /// The rows on which the answers agree.
    pub fn rows(&self) -> impl Iterator<Item = (&K, &V)> {
        let rows = self.rows.iter();
        rows.filter(|(key, _)| !self.disputed.contains(*key))
    }

    /// Whether the last page of an answer is known and does not have the row.
    pub fn lacks(&self, key: &K) -> bool {
        self.is_complete && !self.rows.contains_key(key)
    }

    /// Whether there is no row at all.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<K, V> Default for Listing<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            disputed: BTreeSet::new(),
            is_complete: false,
        }
    }
}

impl ProfileSummary {
    /// The profile and its destinations; `None` if it is not an active profile of one model.
    fn row(&self) -> Option<(ProfileKey, Destinations)> {
        let is_active = self
            .status
            .as_deref()
            .is_none_or(|status| status == "ACTIVE");
        let (geography, model) = self.inference_profile_id.split_once('.')?;
        let geography = Geography::parse(geography).ok()?;
        let model = ModelId::parse(model).ok().filter(|_| is_active)?;
        let mut regions = BTreeSet::new();
        let mut is_anywhere = false;
        for one in &self.models {
            let mut parts = one.model_arn.splitn(6, ':').skip(3);
            let (region, resource) = (parts.next()?, parts.nth(1)?);
            if resource.strip_prefix("foundation-model/")? != model.as_str() {
                return None;
            }
            match region {
                "" => is_anywhere = true,
                code => {
                    regions.insert(Region::from_code(code)?);
                }
            }
        }
        let destinations = match (is_anywhere, regions.is_empty()) {
            (true, _) => Destinations::Anywhere,
            (false, true) => Destinations::Unknown,
            (false, false) => Destinations::Known(regions.into_iter().collect()),
        };
        Some(((model, geography), destinations))
    }
}

impl ModelSummary {
    fn row(&self) -> ListedModel {
        let mut types = self.inference_types_supported.iter();
        let lifecycle = self.model_lifecycle.as_ref();
        let end = lifecycle.and_then(|one| one.end_of_life_time);
        ListedModel {
            on_demand: types.any(|one| one == "ON_DEMAND"),
            state: match lifecycle.and_then(|one| one.status.as_deref()) {
                Some("ACTIVE") => Some(LifecycleState::Active),
                Some("LEGACY") => Some(LifecycleState::Legacy),
                _ => None,
            },
            end_of_life: end.map(|end| end.to_zoned(jiff::tz::TimeZone::UTC).date()),
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
