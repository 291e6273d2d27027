//! The facts about Bedrock in `tests/data/`, as read from there: what the catalog is held against.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// One line of `matrix.csv`: a model and a region where something serves it, as of the catalog's date.
#[derive(Debug, Deserialize)]
pub(crate) struct Served {
    pub(crate) model_id: String,
    pub(crate) region: String,
    /// `yes`, `no`, or `ambiguous` where scans show it only beside bedrock-mantle.
    pub(crate) direct_on_demand: String,
    pub(crate) geo_profile: String,
    /// `current` or `legacy`; empty without a geographic profile.
    pub(crate) geo_status: String,
    pub(crate) geo_confidence: String,
    /// Separated by spaces; empty where unknown.
    pub(crate) geo_destinations: String,
    pub(crate) global_profile: String,
    pub(crate) global_confidence: String,
}

/// One line of `retired.csv`: a row of a profile that is gone.
#[derive(Debug, Deserialize)]
pub(crate) struct Gone {
    pub(crate) model_id: String,
    pub(crate) profile_id: String,
    pub(crate) source_region: String,
    pub(crate) destinations: String,
    /// `map`: shipped as retired. `reject`: must not be shipped.
    #[serde(rename = "use")]
    pub(crate) use_: String,
}

/// One line of `direct-only.csv`: an ID that never had a profile.
#[derive(Debug, Deserialize)]
pub(crate) struct DirectOnly {
    pub(crate) model_id: String,
    /// `active`, `legacy` or `gone`.
    pub(crate) lifecycle: String,
    /// Separated by spaces; empty for an ID that only bedrock-mantle serves.
    pub(crate) on_demand_regions: String,
    /// Empty where unknown.
    pub(crate) eol_date: String,
    pub(crate) eol_confidence: String,
}

/// The extract of a scan of the Bedrock API.
#[derive(Debug)]
pub(crate) struct Scan {
    /// The day of the scan.
    pub(crate) date: String,
    rows: Vec<ScanRow>,
}

/// One line of `scan.csv`: from where a model is served, in one way.
#[derive(Debug, Deserialize)]
struct ScanRow {
    model_id: String,
    /// `yes` if `ListFoundationModels` returned the ID, which it does for what bedrock-runtime serves.
    runtime: String,
    /// `direct`, or the geography of a profile.
    served: String,
    regions: String,
}

impl Scan {
    /// Every served combination of a model ID, `direct` or a geography, and a source region.
    pub(crate) fn served(&self) -> BTreeSet<(String, String, String)> {
        let rows = self.rows.iter().flat_map(|row| {
            let regions = row.regions.split_whitespace();
            regions.map(|region| (row.model_id.clone(), row.served.clone(), region.to_owned()))
        });
        rows.collect()
    }

    /// The IDs that bedrock-mantle alone serves.
    pub(crate) fn mantle_only(&self) -> BTreeSet<&str> {
        let rows = self.rows.iter().filter(|row| row.runtime != "yes");
        rows.map(|row| row.model_id.as_str()).collect()
    }
}

/// `models.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Facts {
    pub(crate) scanned_regions: Vec<String>,
    pub(crate) models: Vec<Model>,
}

/// What is known of one model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    pub(crate) id: String,
    /// `active`, `legacy`, `legacy-partial-eol`, `eol` or `unknown`.
    pub(crate) status: String,
    pub(crate) eol_date: Option<String>,
    /// `high` without it.
    pub(crate) eol_confidence: Option<String>,
    #[serde(default)]
    pub(crate) eol_regions: BTreeMap<String, Vec<String>>,
    pub(crate) successor: Option<String>,
    #[serde(default)]
    pub(crate) mantle_only: bool,
    /// What bedrock-mantle calls the model, where that differs.
    pub(crate) mantle_id: Option<String>,
    #[serde(default)]
    pub(crate) api_names: Vec<String>,
    #[serde(default)]
    pub(crate) direct: Vec<String>,
    #[serde(default)]
    pub(crate) direct_formerly: Vec<String>,
    #[serde(default)]
    pub(crate) direct_ambiguous: Vec<String>,
    #[serde(default)]
    pub(crate) profiles: Vec<Profile>,
    /// Profile IDs that others name and no scan has seen.
    #[serde(default)]
    pub(crate) unverified: Vec<String>,
    /// Profile IDs that others name and that do not exist.
    #[serde(default)]
    pub(crate) rejected: Vec<String>,
}

/// A profile that exists, or existed.
#[derive(Debug, Deserialize)]
pub(crate) struct Profile {
    pub(crate) id: String,
    /// `current`, `legacy`, `eol` or `retired`.
    pub(crate) status: String,
    /// `high` or `medium`.
    pub(crate) confidence: String,
    /// By source region; `*` is anywhere, nothing is unknown.
    pub(crate) destinations: BTreeMap<String, Vec<String>>,
}

/// IDs of models past their end of life, older than every scan: known, and nothing else is.
pub(crate) const EARLY: [&str; 22] = [
    "ai21.j2-grande-instruct",
    "ai21.j2-jumbo-instruct",
    "ai21.j2-mid",
    "ai21.j2-mid-v1",
    "ai21.j2-ultra",
    "ai21.j2-ultra-v1",
    "ai21.jamba-instruct-v1:0",
    "amazon.titan-text-premier-v1:0",
    "anthropic.claude-v1",
    "cohere.command-light-text-v14",
    "cohere.command-text-v14",
    "meta.llama2-13b-chat-v1",
    "meta.llama2-13b-v1",
    "meta.llama2-70b-chat-v1",
    "meta.llama2-70b-v1",
    "stability.sd3-large-v1:0",
    "stability.stable-diffusion-xl",
    "stability.stable-diffusion-xl-v0",
    "stability.stable-diffusion-xl-v1",
    "stability.stable-diffusion-xl-v1:0",
    "stability.stable-image-core-v1:0",
    "stability.stable-image-ultra-v1:0",
];

pub(crate) fn matrix() -> Vec<Served> {
    csv(include_str!("../data/matrix.csv"))
}

pub(crate) fn retired() -> Vec<Gone> {
    csv(include_str!("../data/retired.csv"))
}

pub(crate) fn direct_only() -> Vec<DirectOnly> {
    csv(include_str!("../data/direct-only.csv"))
}

/// The newest scan.
pub(crate) fn scan() -> Scan {
    let text = include_str!("../data/scan.csv");
    let (head, rows) = text.split_at(text.find("\nmodel_id,").unwrap() + 1);
    let date = head.lines().find_map(|line| line.strip_prefix("# date: "));
    Scan {
        date: date.unwrap().to_owned(),
        rows: csv(rows),
    }
}

pub(crate) fn models() -> Facts {
    serde_json::from_str(include_str!("../data/models.json")).unwrap()
}

/// Words separated by spaces.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Reads lines by the names in the first one. The files have no quoted fields.
fn csv<T: for<'de> Deserialize<'de>>(text: &str) -> Vec<T> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let fields: serde_json::Map<String, serde_json::Value> = names
            .iter()
            .zip(line.splitn(names.len(), ','))
            .map(|(name, value)| ((*name).to_owned(), value.into()))
            .collect();
        serde_json::from_value(fields.into()).unwrap()
    };
    lines.map(row).collect()
}
