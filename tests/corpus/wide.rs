//! A mapping that is wide on purpose: every model that ever had a profile has one in every region.
//!
//! Under it nothing is left for what the catalog knows of a region or a date, so that what is left is left for how it stands.

use serde_json::{Value, json};

use crate::facts::{self, EARLY};
use crate::file_runs::FileRun;

/// Each jurisdiction with its regions.
const JURISDICTIONS: &[(&str, &[&str])] = &[
    ("us", &["us-east-1", "us-east-2", "us-west-1", "us-west-2"]),
    ("us-gov", &["us-gov-east-1", "us-gov-west-1"]),
    ("ca", &["ca-central-1", "ca-west-1"]),
    ("mx", &["mx-central-1"]),
    ("br", &["sa-east-1"]),
    (
        "eu",
        &[
            "eu-west-1",
            "eu-west-3",
            "eu-central-1",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
        ],
    ),
    ("gb", &["eu-west-2"]),
    ("ch", &["eu-central-2"]),
    ("jp", &["ap-northeast-1", "ap-northeast-3"]),
    ("kr", &["ap-northeast-2"]),
    ("tw", &["ap-east-2"]),
    ("hk", &["ap-east-1"]),
    ("in", &["ap-south-1", "ap-south-2"]),
    ("sg", &["ap-southeast-1"]),
    ("au", &["ap-southeast-2", "ap-southeast-4"]),
    ("id", &["ap-southeast-3"]),
    ("my", &["ap-southeast-5"]),
    ("nz", &["ap-southeast-6"]),
    ("th", &["ap-southeast-7"]),
    ("ae", &["me-central-1"]),
    ("bh", &["me-south-1"]),
    ("il", &["il-central-1"]),
    ("za", &["af-south-1"]),
];

/// What happens to lists.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    Leave,
    Rewrite,
}

/// `us` in every region, and us-east-1 where nothing names one.
pub(crate) fn one_geography(lists: Lists) -> FileRun {
    world(|_| "us".to_owned(), lists, "us-east-1")
}

/// A made-up geography for each jurisdiction, and São Paulo, which no file names, where nothing names a region.
pub(crate) fn geographies_of_their_own() -> FileRun {
    world(
        |jurisdiction| format!("z-{jurisdiction}"),
        Lists::Rewrite,
        "sa-east-1",
    )
}

fn world(geography: impl Fn(&str) -> String, lists: Lists, region: &str) -> FileRun {
    let lists = if lists == Lists::Leave {
        "Leave"
    } else {
        "Rewrite"
    };
    let policy = json!({
        "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy", "metadata": { "name": "wide" },
        "spec": {
            "mode": "Rewrite",
            "models": { "scope": "All", "include": ["*"] },
            "region": { "default": region },
            "geography": { "global": "Never", "allowed": ["us"] },
            "lists": lists,
            "references": "Off",
            "configMaps": { "rewrite": "All" },
        },
    });
    FileRun {
        policy: Some(policy.to_string()),
        mapping: Some(mapping(geography).to_string()),
    }
}

fn mapping(geography: impl Fn(&str) -> String) -> Value {
    let facts = facts::models();
    let profiles = |id: &str| -> Vec<Value> {
        let mut profiles: Vec<Value> = Vec::new();
        for (jurisdiction, regions) in JURISDICTIONS {
            let geography = geography(jurisdiction);
            let routes = regions
                .iter()
                .map(|region| json!({ "sourceRegions": [region], "destinationRegions": [region] }));
            let profile = format!("{geography}.{id}");
            match profiles.iter_mut().find(|known| known["id"] == *profile) {
                Some(known) => known["routes"].as_array_mut().unwrap().extend(routes),
                None => profiles.push(json!({ "id": profile, "geography": geography, "routes": routes.collect::<Vec<_>>() })),
            }
        }
        profiles
    };
    let served = |model: &facts::Model| !(model.profiles.is_empty() && model.unverified.is_empty());
    let model = |model: &facts::Model| {
        let profiles = if served(model) {
            profiles(&model.id)
        } else {
            Vec::new()
        };
        json!({ "modelId": model.id, "profiles": profiles })
    };
    let bare = |id: &str| json!({ "modelId": id });
    let mut models: Vec<Value> = facts.models.iter().map(model).collect();
    let direct = facts::direct_only();
    let never = direct.iter().map(|one| &*one.model_id).chain(EARLY);
    for id in never {
        if !facts.models.iter().any(|model| model.id == id) {
            models.push(bare(id));
        }
    }
    let regions: Vec<_> = JURISDICTIONS
        .iter()
        .flat_map(|(_, regions)| *regions)
        .collect();
    json!({
        "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfileMapping", "metadata": { "name": "wide" },
        "spec": { "scannedRegions": regions, "models": models },
    })
}
