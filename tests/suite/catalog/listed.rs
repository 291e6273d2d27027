//! `catalog check` and `catalog import` on answers of the Bedrock API for every region of the shipped catalog: rendered from its files
//! by a renderer of its own, without a difference and with 60 that a table plants.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::spec;
use crate::bedrock_answers::{Answers, account, model_arn, profile_summary};
use crate::json_schemas::{assert_valid, published_schema};

const TODAY: &str = "2026-11-30";

/// What a line of the table changes in the answers of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// A profile is not listed.
    HideProfile,
    /// A model is not listed.
    HideModel,
    /// A profile is listed, with these destinations.
    AddProfile,
    /// A model is listed, on demand.
    AddModel,
    /// A profile has one destination more.
    AddDestination,
    /// A profile has one destination less.
    RemoveDestination,
    /// The direct ID works.
    OnDemand,
    /// The direct ID does not work.
    NotOnDemand,
    /// The state of the model.
    State,
    /// The end of life of the model.
    EndOfLife,
}

use Change::{
    AddDestination, AddModel, AddProfile, EndOfLife, HideModel, HideProfile, NotOnDemand, OnDemand,
    RemoveDestination, State,
};

/// A line of the table.
struct Planted {
    change: Change,
    /// A profile or a model.
    id: String,
    region: String,
    value: String,
}

/// The table, which is written by hand.
fn table() -> Vec<Planted> {
    let text = fs::read_to_string("tests/data/planted-differences.txt").unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = |line: &str| {
        let mut words = line.splitn(4, ' ').map(str::to_owned);
        let name = words.next().unwrap();
        let change = Change::ALL
            .into_iter()
            .find(|change| format!("{change:?}") == name);
        Planted {
            change: change.expect("a change of the list"),
            id: words.next().unwrap(),
            region: words.next().unwrap(),
            value: words.next().unwrap_or_default(),
        }
    };
    lines.map(line).collect()
}

impl Change {
    const ALL: [Self; 10] = [
        HideProfile,
        HideModel,
        AddProfile,
        AddModel,
        AddDestination,
        RemoveDestination,
        OnDemand,
        NotOnDemand,
        State,
        EndOfLife,
    ];
}

/// A difference: model, row or profile, region, evidence.
type Found = BTreeSet<(String, String, String, String)>;

impl Planted {
    fn plant(&self, answers: &mut Answers) {
        let Self {
            change,
            id,
            region,
            value,
        } = self;
        let profiles = answers.profiles.get_mut(region).unwrap();
        let models = answers.models.get_mut(region).unwrap();
        let at =
            |listed: &[Value], key: &str| listed.iter().position(|one| one[key] == id.as_str());
        let profile = at(profiles, "inferenceProfileId");
        let model = at(models, "modelId");
        let model_of_profile = id.split_once('.').unwrap().1;
        let destination = json!({"modelArn": model_arn(value, region, model_of_profile)});
        match change {
            HideProfile => drop(profiles.remove(profile.expect(id))),
            HideModel => drop(models.remove(model.expect(id))),
            AddProfile => {
                assert_eq!(profile, None, "{id} in {region}");
                let destinations: Vec<_> = value.split(' ').map(str::to_owned).collect();
                profiles.push(profile_summary(id, region, &destinations));
            }
            AddModel => {
                assert_eq!(model, None, "{id} in {region}");
                models.push(json!({"modelArn": model_arn(region, region, id), "modelId": id, "inferenceTypesSupported": ["ON_DEMAND"]}));
            }
            AddDestination => {
                let models = profiles[profile.expect(id)]["models"].as_array_mut();
                models.unwrap().insert(0, destination);
            }
            RemoveDestination => {
                let models = profiles[profile.expect(id)]["models"].as_array_mut();
                let models = models.unwrap();
                let count = models.len();
                models.retain(|one| *one != destination);
                assert_eq!(models.len() + 1, count, "{id} in {region}");
            }
            OnDemand => models[model.expect(id)]["inferenceTypesSupported"] = json!(["ON_DEMAND"]),
            NotOnDemand => {
                models[model.expect(id)]["inferenceTypesSupported"] = json!(["PROVISIONED"]);
            }
            State => {
                let status = &mut models[model.expect(id)]["modelLifecycle"]["status"];
                assert_ne!(status, value, "{id} in {region}");
                *status = value.as_str().into();
            }
            EndOfLife => {
                let lifecycle = &mut models[model.expect(id)]["modelLifecycle"];
                lifecycle["endOfLifeTime"] = format!("{value}T00:00:00+00:00").into();
            }
        }
    }
}

/// Writes each answer as the AWS CLI prints it, in a folder for each account.
fn write(answers: &Answers, folder: &Path) {
    for (name, field, answers) in [
        ("profiles", "inferenceProfileSummaries", &answers.profiles),
        ("models", "modelSummaries", &answers.models),
    ] {
        for (region, summaries) in answers {
            let folder = folder.join(account(region));
            fs::create_dir_all(&folder).unwrap();
            let answer = json!({ field: summaries });
            let text = serde_json::to_string_pretty(&answer).unwrap();
            fs::write(folder.join(format!("{name}-{region}.json")), text).unwrap();
        }
    }
}

/// Runs a command of `catalog`; its exit code and its output.
fn catalog(args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let done = command
        .arg("catalog")
        .args(args)
        .args(["--today", TODAY])
        .output()
        .unwrap();
    let errors = String::from_utf8(done.stderr).unwrap();
    assert_eq!(errors, "", "{args:?}");
    (
        done.status.code().unwrap(),
        String::from_utf8(done.stdout).unwrap(),
    )
}

/// The differences that a check finds.
fn checked(args: &[&str]) -> (i32, Found) {
    let (code, report) = catalog(&[&["check", "-o", "json"], args].concat());
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_valid(&published_schema("catalog-check.json"), &report);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let differences = report["differences"].as_array().unwrap();
    let found: Found = differences
        .iter()
        .map(|one| {
            let row = one.get("profile").unwrap_or(&one["row"]);
            (
                text(&one["modelId"]),
                text(row),
                text(&one["region"]),
                text(&one["evidence"]),
            )
        })
        .collect();
    assert_eq!(found.len(), differences.len(), "no row is there twice");
    (code, found)
}

fn planted() -> Found {
    let found = table().into_iter().map(|planted| {
        let of_profile = planted.id.split_once('.').unwrap().1.to_owned();
        let (model, row) = match planted.change {
            HideProfile | AddProfile | AddDestination | RemoveDestination => {
                (of_profile, planted.id)
            }
            HideModel | AddModel | OnDemand | NotOnDemand => (planted.id, "Direct".to_owned()),
            State => (planted.id, "State".to_owned()),
            EndOfLife => (planted.id, "EndOfLife".to_owned()),
        };
        let is_weak = matches!(planted.change, HideProfile | HideModel);
        let evidence = if is_weak { "NotListed" } else { "Listed" };
        (model, row, planted.region, evidence.to_owned())
    });
    found.collect()
}

#[test]
fn a_check_finds_nothing_in_answers_that_are_rendered_from_the_catalog() {
    let folder = tempfile::tempdir().unwrap();
    write(&Answers::of_catalog(&spec(), TODAY), folder.path());
    let path = folder.path().to_str().unwrap();
    assert_eq!(checked(&[path]), (0, Found::new()));
    let (code, mapping) = catalog(&["import", path]);
    assert_eq!(code, 0);
    assert!(
        mapping.ends_with("  catalogDate: \"2026-11-30\"\n"),
        "{mapping}"
    );
}

#[test]
fn a_check_finds_exactly_the_60_planted_differences() {
    let folder = with_planted_differences();
    let path = folder.path().to_str().unwrap();
    let (code, found) = checked(&[path]);
    let planted = planted();
    assert_eq!(planted.len(), 60);
    let missing: Vec<_> = planted.difference(&found).collect();
    let beyond: Vec<_> = found.difference(&planted).collect();
    assert!(
        missing.is_empty() && beyond.is_empty(),
        "missing {missing:#?}\nbeyond {beyond:#?}"
    );
    assert_eq!(code, 1);
}

/// Models whose state the table changes in one of several regions: they have no common state.
const OF_SEVERAL_STATES: [&str; 5] = [
    "amazon.nova-2-sonic-v1:0",
    "anthropic.claude-opus-4-1-20250805-v1:0",
    "cohere.rerank-v3-5:0",
    "deepseek.r1-v1:0",
    "deepseek.v3.2",
];

/// Rows that come with the first row of a model, or of its first profile: a model, and the row.
const OF_NEW_MODELS: [(&str, &str); 5] = [
    ("amazon.titan-embed-text-v9:0", "State"),
    ("anthropic.claude-fable-5-2", "Knowledge"),
    ("anthropic.claude-sonnet-6", "State"),
    ("example.embed-v1", "State"),
    ("example.of-a-new-vendor-v1:0", "State"),
];

#[test]
fn an_import_changes_the_planted_rows_and_no_others() {
    let folder = with_planted_differences();
    let path = folder.path().to_str().unwrap();
    let is_uncorrected = |(model, row, ..): &(String, String, String, String)| {
        row == "State" && OF_SEVERAL_STATES.contains(&model.as_str())
    };
    for (flags, keeps_missing) in [(&[][..], true), (&["--remove-missing"], false)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        let done = command
            .args(["catalog", "import", path, "--today", TODAY])
            .args(flags)
            .output()
            .unwrap();
        let errors = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(1), "{errors}");
        for model in OF_SEVERAL_STATES {
            assert!(errors.contains(model), "{model}: {errors}");
        }
        let file = folder.path().join("import.yaml");
        fs::write(&file, &done.stdout).unwrap();
        let file = file.to_str().unwrap();

        let (_, remaining) = checked(&[path, "--mapping", file]);
        let mut expected = planted();
        expected.retain(|one| is_uncorrected(one) || keeps_missing && one.3 == "NotListed");
        assert_eq!(remaining, expected);

        let merged = format!("builtin+{file}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        let diff = command
            .args(["catalog", "diff", "builtin", &merged, "-o", "json"])
            .output()
            .unwrap();
        let diff: Value = serde_json::from_slice(&diff.stdout).unwrap();
        let changed = diff["differences"].as_array().unwrap().iter().map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            let row = Some(text("profile")).filter(|profile| !profile.is_empty());
            (
                text("modelId"),
                row.unwrap_or_else(|| text("row")),
                text("region"),
            )
        });
        let changed: BTreeSet<_> = changed.collect();
        let mut expected = planted();
        expected.retain(|one| !is_uncorrected(one) && (!keeps_missing || one.3 == "Listed"));
        let expected = expected.into_iter().map(|(model, row, region, _)| {
            let region = if row == "State" {
                String::new()
            } else {
                region
            };
            (model, row, region)
        });
        let new =
            OF_NEW_MODELS.map(|(model, row)| (model.to_owned(), row.to_owned(), String::new()));
        assert_eq!(changed, expected.chain(new).collect());

        // The next import of the same answers keeps the mapping.
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        let again = command
            .args([
                "catalog",
                "import",
                path,
                "--today",
                TODAY,
                "--mapping",
                file,
            ])
            .output()
            .unwrap();
        assert_eq!(again.stdout, done.stdout);
    }
}

fn with_planted_differences() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut answers = Answers::of_catalog(&spec(), TODAY);
    for planted in table() {
        planted.plant(&mut answers);
    }
    write(&answers, folder.path());
    folder
}
