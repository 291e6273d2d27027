//! Answers of the Bedrock API that say what a mapping says, by a renderer that shares no code with the product, in the form of
//! botocore 1.44.8.

use std::collections::BTreeMap;

use bedrock_profiles::api::{
    DirectState, InferenceProfileMappingSpec, LifecycleState, Model, ProfileState,
};
use serde_json::{Value, json};

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];

/// The answers of the two calls, by region.
pub(crate) struct Answers {
    pub(crate) profiles: BTreeMap<String, Vec<Value>>,
    pub(crate) models: BTreeMap<String, Vec<Value>>,
}

impl Answers {
    /// The answers that say what the catalog says.
    pub(crate) fn of_catalog(spec: &InferenceProfileMappingSpec, today: &str) -> Self {
        let mut answers = Self {
            profiles: BTreeMap::new(),
            models: BTreeMap::new(),
        };
        for region in &spec.scanned_regions {
            answers.profiles.insert(region.clone(), Vec::new());
            answers.models.insert(region.clone(), Vec::new());
        }
        for model in &spec.models {
            for (region, (profiles, on_demand)) in served(model) {
                if has_ended(model, &region, today) {
                    continue;
                }
                let listed = answers.models.entry(region.clone()).or_default();
                listed.push(model_summary(model, &region, on_demand));
                let listed = answers.profiles.entry(region.clone()).or_default();
                for (geography, destinations) in profiles {
                    let id = format!("{geography}.{}", model.model_id);
                    listed.push(profile_summary(&id, &region, &destinations));
                }
            }
        }
        answers
    }
}

pub(crate) fn account(region: &str) -> &'static str {
    ACCOUNTS[region.len() % 2]
}

/// What serves a model in each region: profiles with destinations, and the direct ID.
type ServedBy = (Vec<(String, Vec<String>)>, bool);

fn served(model: &Model) -> BTreeMap<String, ServedBy> {
    let mut regions: BTreeMap<String, ServedBy> = BTreeMap::new();
    for row in model
        .direct
        .iter()
        .filter(|row| row.state == DirectState::Works)
    {
        regions.entry(row.region.clone()).or_default().1 = true;
    }
    for profile in &model.profiles {
        for route in &profile.routes {
            if route.state.unwrap_or(profile.state) == ProfileState::Retired {
                continue;
            }
            for region in &route.source_regions {
                let row = (profile.geography.clone(), route.destination_regions.clone());
                regions.entry(region.clone()).or_default().0.push(row);
            }
        }
    }
    regions
}

/// The date of the end of life in a region.
fn end<'m>(model: &'m Model, region: &str) -> Option<&'m str> {
    let ends = model.lifecycle.as_ref()?.end_of_life.as_ref()?;
    let named = ends
        .iter()
        .find(|end| end.regions.iter().any(|one| one == region));
    let end = named.or_else(|| ends.iter().find(|end| end.regions.is_empty()));
    Some(&end?.date)
}

fn has_ended(model: &Model, region: &str, today: &str) -> bool {
    let state = model.lifecycle.as_ref().and_then(|one| one.state);
    match end(model, region) {
        Some(date) => date <= today,
        None => state == Some(LifecycleState::EndOfLife),
    }
}

fn model_summary(model: &Model, region: &str, on_demand: bool) -> Value {
    let id = &model.model_id;
    let state = model.lifecycle.as_ref().and_then(|one| one.state);
    let is_active = matches!(state, None | Some(LifecycleState::Active));
    let mut lifecycle = json!({"status": if is_active { "ACTIVE" } else { "LEGACY" }, "startOfLifeTime": "2024-01-01T00:00:00+00:00"});
    if let Some(date) = end(model, region) {
        lifecycle["endOfLifeTime"] = format!("{date}T00:00:00+00:00").into();
    }
    json!({
        "modelArn": model_arn(region, region, id), "modelId": id, "modelName": id,
        "providerName": "X", "inputModalities": ["TEXT"], "outputModalities": ["TEXT"], "responseStreamingSupported": true,
        "customizationsSupported": [], "inferenceTypesSupported": if on_demand { ["ON_DEMAND"] } else { ["INFERENCE_PROFILE"] },
        "modelLifecycle": lifecycle,
    })
}

pub(crate) fn profile_summary(id: &str, region: &str, destinations: &[String]) -> Value {
    let (partition, account) = (partition(region), account(region));
    let (_, model) = id.split_once('.').unwrap_or_default();
    let mut regions: Vec<&str> = destinations.iter().map(String::as_str).collect();
    if regions == ["*"] {
        regions.insert(0, region);
    }
    let arn = |destination: &str| model_arn(destination.trim_matches('*'), region, model);
    let models = regions.into_iter().map(|one| json!({"modelArn": arn(one)}));
    json!({
        "inferenceProfileName": id, "description": "…", "createdAt": "2025-05-13T00:00:00+00:00", "updatedAt": "2026-01-01T00:00:00.123456+00:00",
        "inferenceProfileArn": format!("arn:{partition}:bedrock:{region}:{account}:inference-profile/{id}"),
        "models": models.collect::<Vec<_>>(), "inferenceProfileId": id, "status": "ACTIVE", "type": "SYSTEM_DEFINED",
    })
}

/// The ARN of a model in a destination, which is empty for any, of a profile in a region.
pub(crate) fn model_arn(destination: &str, region: &str, model: &str) -> String {
    let partition = partition(region);
    format!("arn:{partition}:bedrock:{destination}::foundation-model/{model}")
}

fn partition(region: &str) -> &'static str {
    if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}
