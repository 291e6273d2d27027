//! The two calls as the AWS CLI prints them, entry by entry.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{ListedModel, ListedRegion, Listing, ProfileKey};
use crate::domain::catalog::{Destinations, LifecycleState};
use crate::domain::id::{Arn, Geography, ModelId};
use crate::domain::region::Region;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListAnswer {
    pub inference_profile_summaries: Option<Vec<ProfileSummary>>,
    pub model_summaries: Option<Vec<ModelSummary>>,
    /// The AWS CLI writes it in capitals where `--max-items` ends a list.
    #[serde(alias = "NextToken")]
    pub next_token: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileSummary {
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
pub(super) struct ModelSummary {
    model_id: String,
    model_arn: Option<String>,
    inference_types_supported: Option<Vec<String>>,
    model_lifecycle: Option<ModelLifecycle>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelLifecycle {
    status: Option<String>,
    end_of_life_time: Option<Timestamp>,
}

/// An entry of one of the two calls.
pub(super) trait ListedSummary {
    type Key: Ord;
    type Value: PartialEq;

    fn id(&self) -> &str;
    fn arn(&self) -> Option<&str>;
    /// The row in the region that lists the entry.
    fn entry(&self, region: Region) -> ListedEntry<Self::Key, Self::Value>;
    /// The rows of the call.
    fn listing(listed: &mut ListedRegion) -> &mut Option<Listing<Self::Key, Self::Value>>;
}

/// What an entry has for a catalog.
pub(super) enum ListedEntry<K, V> {
    /// No catalog has its kind.
    Ignored,
    /// Its ID is of no known form.
    Unnamed { expected: &'static str },
    /// A row; `Err` with what is expected if its value is of no known form.
    Named {
        key: K,
        value: Result<V, &'static str>,
    },
}

/// The parts of an ARN of Bedrock.
pub(super) struct BedrockArn<'a> {
    partition: &'a str,
    /// `None` for any region.
    pub region: Option<Region>,
    resource: &'a str,
}

impl<'a> BedrockArn<'a> {
    /// Parses an ARN; `None` if it is of another service, or its region of another partition.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        Arn::parse(text).ok()?;
        let mut parts = text.splitn(6, ':').skip(1);
        let (partition, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let region = match region {
            "" => None,
            code => Some(Region::from_code(code).filter(|one| one.partition() == partition)?),
        };
        Some(Self {
            partition,
            region,
            resource: parts.nth(1)?,
        })
        .filter(|_| service == "bedrock")
    }
}

impl ListedSummary for ProfileSummary {
    type Key = ProfileKey;
    type Value = Destinations;

    fn id(&self) -> &str {
        &self.inference_profile_id
    }

    fn arn(&self) -> Option<&str> {
        self.inference_profile_arn.as_deref()
    }

    fn entry(&self, region: Region) -> ListedEntry<ProfileKey, Destinations> {
        const EXPECTED: &str = "expected an active profile of one model, named GEOGRAPHY.MODEL, with destinations in its partition";
        if self.r#type.as_deref() == Some("APPLICATION") {
            return ListedEntry::Ignored;
        }
        let Some((model, geography)) = self.key() else {
            return ListedEntry::Unnamed { expected: EXPECTED };
        };
        let is_active = self
            .status
            .as_deref()
            .is_none_or(|status| status == "ACTIVE");
        let destinations = self.destinations(&model, &geography, region);
        ListedEntry::Named {
            key: (model, geography),
            value: destinations.filter(|_| is_active).ok_or(EXPECTED),
        }
    }

    fn listing(listed: &mut ListedRegion) -> &mut Option<Listing<ProfileKey, Destinations>> {
        &mut listed.profiles
    }
}

impl ProfileSummary {
    fn key(&self) -> Option<ProfileKey> {
        let (geography, model) = self.inference_profile_id.split_once('.')?;
        Some((model_id(model)?, Geography::parse(geography).ok()?))
    }

    /// The regions of its models; `None` if one is another model, in another partition, or in any region although the profile is
    /// of some.
    fn destinations(
        &self,
        model: &ModelId,
        geography: &Geography,
        source: Region,
    ) -> Option<Destinations> {
        let mut regions = BTreeSet::new();
        let mut is_anywhere = false;
        for one in &self.models {
            let arn = BedrockArn::parse(&one.model_arn)?;
            let id = arn.resource.strip_prefix("foundation-model/")?;
            if id != model.as_str() || arn.partition != source.partition() {
                return None;
            }
            match arn.region {
                Some(region) => drop(regions.insert(region)),
                None => is_anywhere = true,
            }
        }
        match (is_anywhere, regions.is_empty()) {
            (true, _) => Some(Destinations::Anywhere).filter(|_| geography.is_global()),
            (false, true) => Some(Destinations::Unknown),
            (false, false) => Some(Destinations::Known(regions.into_iter().collect())),
        }
    }
}

impl ListedSummary for ModelSummary {
    type Key = ModelId;
    type Value = ListedModel;

    fn id(&self) -> &str {
        &self.model_id
    }

    fn arn(&self) -> Option<&str> {
        self.model_arn.as_deref()
    }

    fn entry(&self, _: Region) -> ListedEntry<ModelId, ListedModel> {
        match model_id(&self.model_id) {
            Some(key) => ListedEntry::Named {
                key,
                value: Ok(self.row()),
            },
            None => ListedEntry::Unnamed {
                expected: "it is no model ID",
            },
        }
    }

    fn listing(listed: &mut ListedRegion) -> &mut Option<Listing<ModelId, ListedModel>> {
        &mut listed.models
    }
}

impl ModelSummary {
    fn row(&self) -> ListedModel {
        let types = self.inference_types_supported.as_ref();
        let lifecycle = self.model_lifecycle.as_ref();
        let end = lifecycle.and_then(|one| one.end_of_life_time);
        ListedModel {
            on_demand: types.map(|types| types.iter().any(|one| one == "ON_DEMAND")),
            state: match lifecycle.and_then(|one| one.status.as_deref()) {
                Some("ACTIVE") => Some(LifecycleState::Active),
                Some("LEGACY") => Some(LifecycleState::Legacy),
                _ => None,
            },
            end_of_life: end.map(|end| end.to_zoned(TimeZone::UTC).date()),
        }
    }
}

/// The direct ID of a model: the ID of a profile has the form of one too.
fn model_id(text: &str) -> Option<ModelId> {
    let model = ModelId::parse(text).ok()?;
    let vendor = model.vendor_prefix().trim_end_matches('.');
    (!Geography::is_known_prefix(vendor)).then_some(model)
}
