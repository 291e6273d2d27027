//! Every reason at every level that it can be produced at, by really producing it there.
//!
//! The table says which levels each reason claims. A reason without a row, or a level that a row claims and its example does not
//! reach, or one that it reaches and does not claim, fails.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use bedrock_profiles::domain::reason::{Reason, ReasonWarning};
use bedrock_profiles::report::severity::Severity;
use serde::Deserialize as _;
use serde_json::Value;

use crate::evaluate::reasons::{REGIONS, TEXTS};
use crate::evaluate::scenario::*;
use crate::reviews::counted;

/// A level at which a person meets a reason. The documentation is one for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// What the domain says of an object.
    Judgement,
    /// The counter of the webhook that was asked.
    Count,
    /// A warning in the webhook's answer.
    Warning,
    /// `audit` on a file.
    Audit,
    /// `resolve` on the command line.
    Resolve,
}

use Level::{Audit, Count, Judgement, Resolve, Warning};

/// Wherever an object is judged.
const OBJECTS: &[Level] = &[Judgement, Count, Audit];
/// The same, and its author is told.
const WARNED: &[Level] = &[Judgement, Count, Warning, Audit];
/// Wherever an object is judged, and of an ID alone.
const WITHOUT_WARNING: &[Level] = &[Judgement, Count, Audit, Resolve];
const ALL: &[Level] = &[Judgement, Count, Warning, Audit, Resolve];
/// In files alone: the webhook is not asked.
const FILES: &[Level] = &[Judgement, Audit];

/// An object that is left for a reason.
enum Example {
    /// A Pod with this text in a variable: the first row of that reason among those of the judgement.
    Text,
    /// A Pod in this region: the same.
    Region,
    /// A file of `tests/fixtures/roles/`.
    Role(&'static str),
    /// A document.
    Written(&'static str),
    /// One that is too large to be written down.
    Made(fn() -> String),
}

use Example::{Made, Region, Role, Text, Written};

/// Each reason, the levels that it claims, and the example that produces it there.
const TABLE: &[(Reason, &[Level], Example)] = &[
    (Reason::AlreadyProfiled, WITHOUT_WARNING, Text),
    (Reason::ProfileNotServed, ALL, Text),
    (Reason::ProfileNotPermitted, ALL, Text),
    (Reason::NeverExisted, ALL, Text),
    (Reason::DoublePrefix, ALL, Text),
    (Reason::InArn, ALL, Text),
    (Reason::PercentEncoded, ALL, Text),
    (Reason::ProvisionedSuffix, WITHOUT_WARNING, Text),
    (Reason::ListLeft, WITHOUT_WARNING, Text),
    (Reason::ClientAlias, OBJECTS, Role("role-client-alias")),
    (Reason::MapKey, OBJECTS, Role("role-map-key")),
    (Reason::PriceTable, OBJECTS, Role("role-price-table")),
    (Reason::RoutingMatch, OBJECTS, Role("role-routing-match")),
    (Reason::Dashboard, OBJECTS, Role("role-dashboard")),
    (Reason::IamDocument, OBJECTS, Role("role-iam-document")),
    (Reason::Prose, WITHOUT_WARNING, Text),
    (
        Reason::ExplicitProfile,
        OBJECTS,
        Role("role-explicit-profile-variable"),
    ),
    (
        Reason::PrefixedByTool,
        OBJECTS,
        Role("role-prefixed-by-tool"),
    ),
    (Reason::Mantle, WITHOUT_WARNING, Text),
    (Reason::GatewayClient, WITHOUT_WARNING, Text),
    (Reason::OtherCloud, WITHOUT_WARNING, Text),
    (Reason::Batch, WITHOUT_WARNING, Text),
    (Reason::DirectIdOnly, OBJECTS, Role("form-direct-id-only")),
    (Reason::CustomResource, FILES, Role("role-custom-resource")),
    (Reason::Secret, FILES, Role("role-secret")),
    (Reason::WrittenByTool, OBJECTS, Role("role-written-by-tool")),
    (Reason::UnknownFormat, WITHOUT_WARNING, Text),
    (Reason::SharedAnchor, OBJECTS, Written(SHARED)),
    (Reason::Unmappable, OBJECTS, Written(ESCAPED)),
    (Reason::Immutable, OBJECTS, Written(IMMUTABLE)),
    (Reason::Tracked, OBJECTS, Role("role-tracked")),
    (Reason::TooLarge, OBJECTS, Made(too_large)),
    (Reason::OptedOut, OBJECTS, Role("role-opted-out")),
    (Reason::NotIncluded, WITHOUT_WARNING, Text),
    (Reason::Excluded, WITHOUT_WARNING, Text),
    (Reason::UnknownModel, ALL, Text),
    (Reason::Unverified, ALL, Text),
    (Reason::NeverHadProfile, WITHOUT_WARNING, Text),
    // A Pod may still be given a region after us, so that its author is not told yet: that of a ConfigMap is.
    (Reason::NoRegion, WARNED, Written(NO_REGION)),
    (Reason::RegionOutOfSight, WARNED, Region),
    (Reason::RegionConflict, WARNED, Written(TWO_REGIONS)),
    (Reason::NotARegion, WARNED, Region),
    (Reason::RegionUnknown, ALL, Region),
    (Reason::ReferenceUnseen, OBJECTS, Written(UNSEEN)),
    (Reason::MayBeShadowed, OBJECTS, Written(SHADOWED)),
    (Reason::OutOfSight, OBJECTS, Written(OUT_OF_SIGHT)),
    (Reason::WorksDirectly, WITHOUT_WARNING, Region),
    (Reason::EndOfLife, ALL, Text),
    (Reason::OnlyGlobalServes, ALL, Region),
    (Reason::NothingServes, ALL, Region),
    (Reason::GeographyNotAllowed, ALL, Region),
    (Reason::DestinationNotAllowed, ALL, Text),
    (Reason::DestinationsUnknown, ALL, Text),
    (Reason::ReplacementNotServed, ALL, Text),
    (Reason::OverrideNeedsWholeValue, ALL, Text),
];

const SHARED: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: models, namespace: ml }
data:
  AWS_REGION: us-east-1
  config.yaml: |
    default: &model anthropic.claude-sonnet-4-6
    models:
    - { model: *model, aws_region_name: us-east-1 }
    - { model: *model, aws_region_name: eu-west-1 }
";

const ESCAPED: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: { name: models, namespace: ml }
data:
  AWS_REGION: us-east-1
  config.json: '{"model": "anthropic.claude-sonnet-4\u002d6"}'
"#;

const IMMUTABLE: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: models, namespace: ml }
immutable: true
data: { model: anthropic.claude-sonnet-4-6, AWS_REGION: us-east-1 }
";

const NO_REGION: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: models, namespace: ml }
data: { model: anthropic.claude-sonnet-4-6 }
";

const TWO_REGIONS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: models, namespace: ml }
data: { model: anthropic.claude-sonnet-4-6, AWS_REGION: us-east-1, AWS_DEFAULT_REGION: eu-west-1 }
";

const UNSEEN: &str = "
apiVersion: v1
kind: Pod
metadata: { name: chat, namespace: ml }
spec:
  containers:
  - name: app
    env:
    - { name: FALLBACK, value: us.anthropic.claude-sonnet-4-6 }
    - { name: MODEL, valueFrom: { configMapKeyRef: { name: elsewhere, key: model } } }
";

const SHADOWED: &str = "
apiVersion: v1
kind: ConfigMap
metadata: { name: models, namespace: ml }
data: { MODEL: anthropic.claude-sonnet-4-6, AWS_REGION: us-east-1 }
---
apiVersion: v1
kind: Pod
metadata: { name: chat, namespace: ml }
spec:
  containers:
  - name: app
    envFrom: [{ configMapRef: { name: models } }, { secretRef: { name: keys } }]
";

const OUT_OF_SIGHT: &str = "
apiVersion: v1
kind: Pod
metadata: { name: chat, namespace: ml }
spec:
  containers:
  - name: app
    env:
    - { name: FALLBACK, value: us.anthropic.claude-sonnet-4-6 }
    - { name: MODEL, valueFrom: { secretKeyRef: { name: keys, key: model } } }
";

/// A ConfigMap that has no room for a prefix.
fn too_large() -> String {
    let rest = "x".repeat(1024 * 1024 - SONNET_4_6.len() - "us-east-1".len() - 1);
    let data = [
        ("model", SONNET_4_6),
        ("AWS_REGION", "us-east-1"),
        ("rest", &*rest),
    ];
    config_map(&data).to_string()
}

/// An example, ready to be judged.
struct Ready {
    reason: Reason,
    /// The spec of the policy.
    spec: &'static str,
    /// YAML.
    manifest: String,
    /// ID and region, where the example is no more than that.
    asked: Option<(String, &'static str)>,
}

impl Ready {
    fn of((reason, _, example): &(Reason, &'static [Level], Example)) -> Self {
        let name = reason.as_str();
        let ready = |spec, manifest, asked| Self {
            reason: *reason,
            spec,
            manifest,
            asked,
        };
        match example {
            Text => {
                let (spec, text, _) = TEXTS.iter().find(|row| row.2 == name).unwrap();
                let text = text.replace("ID", SONNET_4_5);
                let object = pod(&[("TEXT", &text), ("AWS_REGION", "us-east-1")]);
                ready(spec, object.to_string(), Some((text, "us-east-1")))
            }
            Region => {
                let (id, region, _) = REGIONS.iter().find(|row| row.2 == name).unwrap();
                let object = pod(&[("ID", id), ("AWS_REGION", region)]);
                ready("{}", object.to_string(), Some(((*id).to_owned(), region)))
            }
            Role(name) => {
                let path = format!("tests/fixtures/roles/{name}.yaml");
                ready("{}", fs::read_to_string(path).unwrap(), None)
            }
            Written(text) => ready("{}", (*text).to_owned(), None),
            Made(make) => ready("{}", make(), None),
        }
    }

    /// Its objects, all in the namespace `ml`.
    fn objects(&self) -> Vec<Value> {
        let documents = serde_yaml::Deserializer::from_str(&self.manifest);
        let read = |document| {
            let mut object = Value::deserialize(document).unwrap();
            object["metadata"]["namespace"] = "ml".into();
            object
        };
        documents.map(read).collect()
    }

    /// A world that has seen its ConfigMaps.
    fn world(&self) -> Scenario {
        let maps: Vec<_> = self
            .objects()
            .into_iter()
            .filter(|object| object["kind"] == "ConfigMap")
            .collect();
        Scenario::under(self.spec).observing(&maps)
    }

    /// A policy of its spec as a file.
    fn policy(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
        let spec = format!("{{ mode: Rewrite, {}", &self.spec[1..]);
        let policy = format!(
            "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfilePolicy\nmetadata: {{ name: test }}\nspec: {spec}\n"
        );
        fs::write(file.path(), policy).unwrap();
        file
    }

    /// What the command line says, read as JSON; `None` where it says nothing.
    fn run(&self, args: &[&str]) -> Option<Value> {
        let policy = self.policy();
        let done = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
            .args(args)
            .args(["-o", "json", "--today", &TODAY.to_string()])
            .arg("--policy")
            .arg(policy.path())
            .output()
            .unwrap();
        serde_json::from_slice(&done.stdout).ok()
    }

    async fn reaches(&self, level: Level) -> bool {
        let name = self.reason.as_str();
        match level {
            Judgement => self.evaluated().contains(name),
            Count => {
                let counter = format!("findings_total{{reason=\"{name}\"}}");
                self.answers()
                    .await
                    .iter()
                    .any(|(_, metrics)| metrics.contains(&counter))
            }
            Warning => {
                let answers = self.answers().await;
                let mut warnings = answers
                    .iter()
                    .filter_map(|(response, _)| response["warnings"].as_array())
                    .flatten();
                let phrase = phrase(self.reason);
                warnings.any(|one| one.as_str().unwrap().contains(phrase))
            }
            Audit => {
                let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
                fs::write(file.path(), &self.manifest).unwrap();
                let report = self
                    .run(&["audit", "-f", file.path().to_str().unwrap()])
                    .unwrap();
                let findings = report["findings"].as_array().unwrap();
                findings.iter().any(|one| one["reason"] == name)
            }
            Resolve => {
                let Some((text, region)) = &self.asked else {
                    return false;
                };
                let printed = self.run(&["resolve", text, "--region", region]);
                printed.is_some_and(|answer| answer["reason"] == name)
            }
        }
    }

    fn evaluated(&self) -> BTreeSet<String> {
        let world = self.world();
        let judge = |object: &Value| {
            let ours = ["Pod", "ConfigMap"].contains(&object["kind"].as_str().unwrap());
            let event = if ours { Event::Create } else { Event::Read };
            world.judge(object, event).found
        };
        let found = self.objects().iter().flat_map(judge).collect::<Vec<_>>();
        found.into_iter().map(|one| one.answer).collect()
    }

    /// What the webhook answers to each object, and what it counts.
    async fn answers(&self) -> Vec<(Value, String)> {
        let mut answers = Vec::new();
        for object in self.objects() {
            answers.push(counted(self.world().view, TODAY, &object).await);
        }
        answers
    }
}

/// What a warning about this reason contains; the name of a reason that has no warning.
fn phrase(reason: Reason) -> &'static str {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others have no warning")]
    match reason {
        Reason::ProfileNotServed => "this profile does not serve ",
        Reason::ProfileNotPermitted => "not permitted by policy ",
        Reason::NeverExisted => "no profile with this prefix is known",
        Reason::DoublePrefix => "it has two prefixes",
        Reason::InArn => "an ARN is never edited",
        Reason::PercentEncoded => "percent-encoded text is never edited",
        Reason::UnknownModel => "no mapping lists this model",
        Reason::Unverified => "its profiles are not verified yet",
        Reason::NoRegion => "no region is set",
        Reason::RegionOutOfSight => "its region cannot be read here",
        Reason::RegionConflict => "differ; ",
        Reason::NotARegion => "its region is not an AWS region",
        Reason::RegionUnknown => "no mapping covers it in ",
        Reason::EndOfLife => " reached its end of life",
        Reason::OnlyGlobalServes => "geography.global",
        Reason::NothingServes => "no inference profile serves ",
        Reason::GeographyNotAllowed => "allowed: [",
        Reason::DestinationNotAllowed => "its profile may route to ",
        Reason::DestinationsUnknown => "the destinations of its profile are unknown",
        Reason::ReplacementNotServed => "its replacement is not served in ",
        Reason::OverrideNeedsWholeValue => "which replaces whole values only",
        other => other.as_str(),
    }
}

#[test]
fn every_reason_has_a_row_in_order() {
    let rows: Vec<Reason> = TABLE.iter().map(|row| row.0).collect();
    assert_eq!(rows, Reason::ALL);
}

#[tokio::test]
async fn every_reason_is_produced_exactly_at_its_claimed_levels() {
    let mut wrong = Vec::new();
    for row in TABLE {
        let ready = Ready::of(row);
        for level in ALL {
            let (claimed, reached) = (row.1.contains(level), ready.reaches(*level).await);
            if claimed != reached {
                wrong.push(format!("{} at {level:?}: {claimed}, {reached}", row.0));
            }
        }
    }
    assert!(wrong.is_empty(), "claimed, reached: {wrong:#?}");
}

#[test]
fn a_reason_has_a_warning_exactly_where_its_table_names_one() {
    for (reason, levels, _) in TABLE {
        let warns = reason.warning() != ReasonWarning::Silent;
        assert_eq!(levels.contains(&Warning), warns, "{reason}");
    }
}

#[test]
fn every_reason_with_a_warning_has_a_phrase_of_its_own() {
    let phrases: Vec<_> = TABLE.iter().map(|row| phrase(row.0)).collect();
    let unique: BTreeSet<_> = phrases.iter().collect();
    assert_eq!(unique.len(), phrases.len());
    for (reason, levels, _) in TABLE {
        let named = phrase(*reason) == reason.as_str();
        assert_eq!(levels.contains(&Warning), !named, "{reason}");
    }
}

#[test]
fn every_reason_has_its_line_in_the_documentation() {
    let page = fs::read_to_string("docs/detection.md").unwrap();
    for reason in Reason::ALL {
        let severity = Severity::of(*reason);
        let line = format!(
            "| [`{reason}`](reasons/{reason}.md) | {severity} | {} |",
            reason.description()
        );
        assert!(page.contains(&line), "{reason}");
    }
}
