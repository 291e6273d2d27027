//! The configuration file as it is written. `docs/schemas/config.json` is generated from its types.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::cli::fail_on::FailOn;
use crate::cli::output::{Output, format_names};
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::report::severity::Severity;

/// The configuration file `.bedrock-profiles.yaml` of bedrock-profiles. Paths and globs are relative to its folder.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConfigFile {
    /// Policies to evaluate with, as with --policy: YAML or JSON files.
    #[schemars(with = "Vec<String>")]
    pub policies: Vec<PathBuf>,
    /// Mappings to use beside the built-in catalog, as with --mapping: YAML or JSON files.
    #[schemars(with = "Vec<String>")]
    pub mappings: Vec<PathBuf>,
    /// The region to assume where nothing names one, as with --region.
    #[serde(deserialize_with = "region")]
    #[schemars(with = "Option<String>")]
    pub region: Option<Region>,
    /// Files and folders to skip, by the rules of .gitignore, as with --exclude.
    pub exclude: Vec<String>,
    /// The severity of reasons, in place of the usual one.
    #[schemars(schema_with = "severities")]
    pub severities: BTreeMap<ReasonName, SeverityName>,
    /// The least urgent severity that ends the command with exit code 1, as with --fail-on.
    pub fail_on: Option<FailOn>,
    /// Where an audit of files is written, as with -o: a format, or FORMAT=FILE.
    #[schemars(schema_with = "outputs")]
    pub outputs: Vec<Output>,
    /// Findings that are known, and do not count.
    #[serde(deserialize_with = "exemptions")]
    pub exemptions: Vec<ExemptionEntry>,
    /// The baseline, a file of --write-baseline: the findings in it do not count, as with --baseline.
    #[schemars(with = "Option<String>")]
    pub baseline: Option<PathBuf>,
}

/// Findings that are known, and do not count: those that all of path, reason and model describe, as far as they are given.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("anyOf" = [{ "required": ["path"] }, { "required": ["reason"] }, { "required": ["model"] }]))]
pub struct ExemptionEntry {
    /// A glob over files, by the rules of .gitignore.
    pub path: Option<String>,
    /// A reason. Without it every reason is exempt, and fix does not change the ID.
    #[schemars(schema_with = "reason")]
    pub reason: Option<ReasonName>,
    /// A glob over model IDs.
    pub model: Option<String>,
    /// The last day of the exemption, in UTC.
    #[schemars(schema_with = "date")]
    pub until: Option<Date>,
    /// The owner, for reports.
    pub owner: Option<String>,
    /// The ticket, for reports.
    pub ticket: Option<String>,
}

/// The name of a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ReasonName(pub Reason);

/// The name of a severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SeverityName(pub Severity);

impl TryFrom<String> for ReasonName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Reason::named(&name)
            .map(Self)
            .ok_or_else(|| format!("`{name}` is no reason; docs/detection.md lists them"))
    }
}

impl TryFrom<String> for SeverityName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = Severity::ALL.iter().find(|one| one.as_str() == name);
        found.map(|severity| Self(*severity)).ok_or_else(|| {
            format!("`{name}` is no severity: write error, change, warning, note or ok")
        })
    }
}

fn reasons() -> Vec<&'static str> {
    Reason::ALL.iter().map(|one| one.as_str()).collect()
}

fn reason(_: &mut SchemaGenerator) -> Schema {
    let mut names: Vec<_> = reasons().into_iter().map(Some).collect();
    names.push(None);
    json_schema!({ "enum": names })
}

fn outputs(_: &mut SchemaGenerator) -> Schema {
    let pattern = format!("^({})(=.+)?$", format_names().join("|"));
    json_schema!({ "type": "array", "items": { "type": "string", "pattern": pattern } })
}

fn date(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" })
}

fn severities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "propertyNames": { "enum": reasons() },
        "additionalProperties": { "enum": Severity::ALL.map(Severity::as_str) },
    })
}

/// Entries that describe something: one without a path, a reason and a model would exempt every finding.
fn exemptions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ExemptionEntry>, D::Error> {
    let entries = Vec::<ExemptionEntry>::deserialize(deserializer)?;
    let is_empty =
        |one: &ExemptionEntry| one.path.is_none() && one.reason.is_none() && one.model.is_none();
    match entries.iter().position(is_empty) {
        None => Ok(entries),
        Some(index) => Err(de::Error::custom(format_args!(
            "exemptions[{index}] has neither path, reason nor model, and would exempt everything"
        ))),
    }
}

fn region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Region>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    let region = name.map(|name| Region::parse(&name).map_err(de::Error::custom));
    region.transpose()
}
