//! What `catalog import` corrects, and what it leaves unchanged: small catalogs beside small answers.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::bedrock_answers::{model_arn, profile_summary};

const MODEL: &str = "anthropic.claude-x";

/// A folder with mappings and answers.
struct Scene(tempfile::TempDir);

impl Scene {
    /// A scene with a mapping of one model.
    fn of(model: &Value) -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        scene.mapping("base", -1000, model);
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn mapping(&self, name: &str, priority: i32, model: &Value) {
        let mut model = model.clone();
        model["modelId"] = MODEL.into();
        let mapping = json!({
            "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfileMapping", "metadata": {"name": name},
            "spec": {"priority": priority, "models": [model]},
        });
        fs::write(self.path(&format!("{name}.yaml")), mapping.to_string()).unwrap();
    }

    /// Replaces the answers.
    fn listed(&self, answers: &[Value]) -> &Self {
        let text: Vec<_> = answers.iter().map(Value::to_string).collect();
        fs::write(self.path("us-east-1.json"), text.join("\n")).unwrap();
        self
    }

    /// Runs a command about an operand, with the mapping alone.
    fn run_of(&self, command: &str, operand: &str) -> Output {
        self.run_with(command, operand, &["--mapping", "base.yaml"])
    }

    fn run(&self, command: &str, args: &[&str]) -> Output {
        self.run_with(command, "us-east-1.json", args)
    }

    fn run_with(&self, command: &str, operand: &str, args: &[&str]) -> Output {
        let mut run = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        run.args(["catalog", command, operand, "--no-builtin"])
            .args(["--today", "2026-11-30"])
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// The lines of a check below the name of the model.
    fn check(&self, mappings: &[&str]) -> Vec<String> {
        let flags: Vec<_> = mappings
            .iter()
            .flat_map(|file| ["--mapping", file])
            .collect();
        let done = self.run("check", &flags);
        let text = String::from_utf8(done.stdout).unwrap();
        let rows = text.lines().filter_map(|line| line.strip_prefix("  "));
        rows.filter(|line| line.starts_with(['+', '-', '~', '?']))
            .map(str::to_owned)
            .collect()
    }

    /// Imports with these mappings, and returns the model of the import, its exit code and its messages.
    fn import(&self, mappings: &[&str], flags: &[&str]) -> (Value, i32, String) {
        let files = mappings.iter().flat_map(|file| ["--mapping", file]);
        let args: Vec<_> = files.chain(flags.iter().copied()).collect();
        let done = self.run("import", &args);
        fs::write(self.path("import.yaml"), &done.stdout).unwrap();
        let mapping: Value = serde_yaml::from_slice(&done.stdout).unwrap();
        let messages = String::from_utf8(done.stderr).unwrap();
        let model = mapping["spec"]["models"]
            .get(0)
            .cloned()
            .unwrap_or_default();
        (model, done.status.code().unwrap(), messages)
    }
}

/// An answer of `list-inference-profiles` in us-east-1, or in the region after `@`.
fn profiles(listed: &[(&str, &[&str])]) -> Value {
    let summaries = listed.iter().map(|(geography, destinations)| {
        let (geography, region) = geography
            .split_once('@')
            .unwrap_or((geography, "us-east-1"));
        let destinations: Vec<_> = destinations.iter().map(ToString::to_string).collect();
        profile_summary(&format!("{geography}.{MODEL}"), region, &destinations)
    });
    json!({"inferenceProfileSummaries": summaries.collect::<Vec<_>>()})
}

/// An answer of `list-foundation-models` in a region.
fn model(region: &str, types: &[&str], lifecycle: &Value) -> Value {
    json!({"modelSummaries": [{
        "modelId": MODEL, "modelArn": model_arn(region, region, MODEL), "inferenceTypesSupported": types, "modelLifecycle": lifecycle,
    }]})
}

/// A profile of the model in a mapping.
fn profile(geography: &str, state: &str, routes: &[(&[&str], &[&str])]) -> Value {
    let routes = routes.iter().map(|(sources, destinations)| {
        json!({"sourceRegions": sources, "destinationRegions": destinations})
    });
    json!({"id": format!("{geography}.{MODEL}"), "geography": geography, "state": state, "routes": routes.collect::<Vec<_>>()})
}

const EAST: &[&str] = &["us-east-1"];
const US: &[&str] = &["us-east-1", "us-west-2"];

#[test]
fn another_geography_replaces_the_one_of_the_catalog() {
    let scene = Scene::of(&json!({"profiles": [profile("us", "Current", &[(EAST, US)])]}));
    scene.listed(&[profiles(&[("ca", &["ca-central-1"])])]);
    assert_eq!(
        scene.check(&["base.yaml"]),
        [
            "+ ca profile to ca-central-1, from us-east-1",
            "- us profile to us-east-1, us-west-2 (AWS lists another geography), from",
        ]
    );
    let (imported, code, messages) = scene.import(&["base.yaml"], &[]);
    assert_eq!((code, &*messages), (0, ""));
    assert_eq!(imported["profiles"][0]["id"], "ca.anthropic.claude-x");
    assert_eq!(imported["profiles"][1]["routes"][0]["absent"], true);
    assert_eq!(scene.check(&["base.yaml", "import.yaml"]), [""; 0]);
}

#[test]
fn two_geographies_of_a_model_in_a_region_are_not_corrected() {
    let scene = Scene::of(&json!({"profiles": [profile("us", "Current", &[(EAST, US)])]}));
    scene.listed(&[profiles(&[("ca", &["ca-central-1"]), ("us", US)])]);
    let (imported, code, messages) = scene.import(&["base.yaml"], &[]);
    assert_eq!((imported, code), (Value::Null, 1));
    assert!(
        messages.contains("not corrected") && messages.contains("+ ca profile"),
        "{messages}"
    );
}

#[test]
fn a_model_past_its_end_is_not_brought_back_but_for_a_later_date() {
    let ended = |date: &str| {
        let lifecycle = json!({"state": "EndOfLife", "endOfLife": [{"date": date}]});
        Scene::of(
            &json!({"lifecycle": lifecycle, "profiles": [profile("us", "Retired", &[(EAST, US)])]}),
        )
    };
    let legacy = model("us-east-1", &[], &json!({"status": "LEGACY"}));
    let listed = [profiles(&[("us", US)]), legacy];
    for (date, sign, code) in [
        ("2026-11-20", "?", 0),
        ("2026-10-31", "?", 0),
        ("2026-10-30", "~", 1),
    ] {
        let scene = ended(date);
        let rows = scene.listed(&listed).check(&["base.yaml"]);
        assert_eq!(rows.len(), 2, "{date}: {rows:?}");
        assert!(
            rows.iter().all(|row| row.starts_with(sign)),
            "{date}: {rows:?}"
        );
        let (imported, exit, _) = scene.import(&["base.yaml"], &["--remove-missing"]);
        assert_eq!((imported, exit), (Value::Null, code), "{date}");
    }
    let later = json!({"status": "LEGACY", "endOfLifeTime": "2027-06-30T07:00:00+00:00"});
    let scene = ended("2026-10-30");
    scene.listed(&[profiles(&[("us", US)]), model("us-east-1", &[], &later)]);
    let (imported, code, messages) = scene.import(&["base.yaml"], &[]);
    assert_eq!((code, &*messages), (0, ""));
    assert_eq!(
        imported["lifecycle"]["endOfLife"],
        json!([{"date": "2026-10-30"}, {"date": "2027-06-30", "regions": EAST}])
    );
    assert_eq!(
        imported["profiles"][0]["routes"][0]["destinationRegions"],
        json!(US)
    );
    assert_eq!(scene.check(&["base.yaml", "import.yaml"]), [""; 0]);
}

#[test]
fn rows_of_regions_without_an_answer_stay_and_rows_of_the_other_mappings_go() {
    let scene = Scene::of(&json!({"direct": [{"region": "us-east-1", "state": "Works"}]}));
    let both = profiles(&[("us", US), ("us@us-west-2", US)]);
    let (imported, ..) = scene.listed(&[both]).import(&["base.yaml"], &[]);
    let routes = json!([{"sourceRegions": US, "destinationRegions": US}]);
    assert_eq!(imported["profiles"][0]["routes"], routes);

    fs::rename(scene.path("import.yaml"), scene.path("last.yaml")).unwrap();
    let elsewhere = profiles(&[("global@us-east-2", &["*"])]);
    let (imported, ..) = scene
        .listed(&[elsewhere])
        .import(&["base.yaml", "last.yaml"], &[]);
    assert_eq!(
        imported["profiles"][1]["routes"], routes,
        "the regions are not listed now"
    );
    assert_eq!(imported["profiles"][0]["geography"], "global");

    let caught_up = profile("us", "Current", &[(EAST, US)]);
    scene.mapping("base", -1000, &json!({"profiles": [caught_up]}));
    let (imported, ..) = scene.import(&["base.yaml", "last.yaml"], &[]);
    assert_eq!(
        imported["profiles"][1]["routes"][0]["sourceRegions"],
        json!(["us-west-2"])
    );
}

#[test]
fn a_mapping_of_higher_priority_is_not_overridden() {
    let scene = Scene::of(&json!({"direct": [{"region": "us-east-1", "state": "Works"}]}));
    scene.mapping(
        "own",
        0,
        &json!({"direct": [{"region": "us-east-1", "state": "Never"}]}),
    );
    let on_demand = model("us-east-1", &["ON_DEMAND"], &json!({"status": "ACTIVE"}));
    let files = ["base.yaml", "own.yaml"];
    let (_, code, messages) = scene.listed(&[on_demand]).import(&files, &[]);
    assert_eq!(code, 1);
    assert!(
        messages.contains("+ direct ID: Works, in us-east-1"),
        "{messages}"
    );
    let (_, code, _) = scene.import(&files, &["--priority", "1"]);
    assert_eq!(code, 0);
}

#[test]
fn an_empty_list_withdraws_nothing() {
    let direct = json!([{"region": "us-east-1", "state": "Works"}]);
    let scene = Scene::of(
        &json!({"direct": direct, "profiles": [profile("us", "Current", &[(EAST, US)])]}),
    );
    scene.listed(&[
        json!({"inferenceProfileSummaries": []}),
        json!({"modelSummaries": []}),
    ]);
    assert_eq!(scene.check(&["base.yaml"]).len(), 2);
    let (imported, ..) = scene.import(&["base.yaml"], &["--remove-missing"]);
    assert_eq!(imported, Value::Null);
    scene.listed(&[profiles(&[("global", &["*"])])]);
    let (imported, ..) = scene.import(&["base.yaml"], &["--remove-missing"]);
    assert_eq!(imported["profiles"][1]["routes"][0]["absent"], true);

    // A withdrawal ends with the row that it withdraws.
    fs::rename(scene.path("import.yaml"), scene.path("last.yaml")).unwrap();
    scene.mapping("base", -1000, &json!({ "direct": direct }));
    let (imported, ..) = scene.import(&["base.yaml", "last.yaml"], &[]);
    assert_eq!(imported["profiles"].as_array().unwrap().len(), 1);
    assert_eq!(imported["profiles"][0]["geography"], "global");
}

#[test]
fn regions_that_disagree_about_the_state_have_no_common_one() {
    let scene = Scene::of(&json!({"lifecycle": {"state": "Active"}}));
    let legacy = |region| model(region, &[], &json!({"status": "LEGACY"}));
    let active = model("us-east-2", &[], &json!({"status": "ACTIVE"}));
    scene.listed(&[legacy("us-east-1"), legacy("us-west-2")]);
    let (imported, ..) = scene.import(&["base.yaml"], &[]);
    assert_eq!(imported["lifecycle"], json!({"state": "Legacy"}));
    scene.listed(&[legacy("us-east-1"), active]);
    let (imported, code, _) = scene.import(&["base.yaml"], &[]);
    assert_eq!((imported, code), (Value::Null, 1));
}

#[test]
fn another_geography_replaces_none_that_may_be_listed() {
    let scene = Scene::of(&json!({"profiles": [profile("us", "Current", &[(EAST, US)])]}));
    let ca = ("ca", &["ca-central-1"][..]);
    let mut inactive = profiles(&[ca, ("us", US)]);
    inactive["inferenceProfileSummaries"][1]["status"] = "CREATING".into();
    let mut cut = profiles(&[ca]);
    cut["nextToken"] = "x".into();
    let accounts = [profiles(&[ca, ("us", US)]), profiles(&[("us", EAST)])];
    for answers in [&[inactive][..], &[cut], &accounts] {
        scene.listed(answers);
        let rows = scene.check(&["base.yaml"]);
        assert_eq!(rows, ["+ ca profile to ca-central-1, from us-east-1"]);
        for flags in [&[][..], &["--remove-missing"]] {
            let (imported, code, messages) = scene.import(&["base.yaml"], flags);
            assert_eq!((imported, code), (Value::Null, 1), "{messages}");
        }
    }
}

#[test]
fn what_an_answer_lacks_or_cannot_mean_is_not_corrected() {
    let direct = json!([{"region": "us-east-1", "state": "Works"}]);
    let scene = Scene::of(
        &json!({"direct": direct, "profiles": [profile("us", "Current", &[(EAST, US)])]}),
    );
    let mut untyped = model("us-east-1", &[], &json!({"status": "ACTIVE"}));
    let summary = untyped["modelSummaries"][0].as_object_mut().unwrap();
    summary.remove("inferenceTypesSupported");
    let foreign = profiles(&[("us", &["us-gov-west-1"])]);
    for answer in [
        untyped,
        profiles(&[("us", &["*"])]),
        profiles(&[("us", &[])]),
        foreign,
    ] {
        scene.listed(std::slice::from_ref(&answer));
        assert_eq!(scene.check(&["base.yaml"]), [""; 0], "{answer}");
        let (imported, code, _) = scene.import(&["base.yaml"], &["--remove-missing"]);
        assert_eq!((imported, code), (Value::Null, 0), "{answer}");
    }
}

#[test]
fn accounts_that_disagree_about_the_state_leave_it() {
    let scene = Scene::of(&json!({"lifecycle": {"state": "Active"}}));
    let of = |region, status| model(region, &[], &json!({ "status": status }));
    scene.listed(&[
        of("us-east-1", "LEGACY"),
        of("us-west-2", "LEGACY"),
        of("us-west-2", "ACTIVE"),
    ]);
    let (imported, code, _) = scene.import(&["base.yaml"], &[]);
    assert_eq!((imported, code), (Value::Null, 1));
}

#[test]
fn rows_that_contradict_each_other_are_printed_once() {
    let scene = Scene::of(&json!({"profiles": [profile("us", "Current", &[(EAST, US)])]}));
    scene.mapping(
        "own",
        0,
        &json!({"profiles": [profile("eu", "Current", &[(EAST, US)])]}),
    );
    scene.listed(&[profiles(&[("eu", US), ("global", &["*"])])]);
    let (_, _, messages) = scene.import(&["base.yaml", "own.yaml"], &[]);
    assert!(
        messages.matches("has the geographies").count() <= 1,
        "{messages}"
    );
}

#[test]
fn texts_of_others_make_no_lines_of_their_own() {
    let scene = Scene::of(&json!({"direct": [{"region": "us-east-1", "state": "Works"}]}));
    let summary = json!({"inferenceProfileId": "us.a\nerror: b\u{1b}[2J", "models": []});
    scene.listed(&[json!({"inferenceProfileSummaries": [summary]})]);
    let done = scene.run("check", &["--mapping", "base.yaml"]);
    let messages = String::from_utf8(done.stderr).unwrap();
    assert!(
        messages.starts_with("note: us.a\\nerror: b\\u{1b}[2J in us-east-1"),
        "{messages}"
    );
    assert_eq!(messages.lines().count(), 1);

    scene.mapping("base", 0, &json!({}));
    let text = fs::read_to_string(scene.path("base.yaml")).unwrap();
    let text = text.replace(r#""name":"base""#, r#""name":"base\nmapping other""#);
    fs::write(scene.path("base.yaml"), text).unwrap();
    let shown = scene.run_of("show", MODEL);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.ends_with("  mapping base\\nmapping other\n"), "{text}");
}

#[test]
#[cfg(unix)]
fn a_link_in_a_folder_of_answers_is_read_if_it_is_to_a_file() {
    use std::os::unix::fs::symlink;
    let scene = Scene::of(&json!({}));
    let folder = scene.path("answers");
    fs::create_dir(&folder).unwrap();
    scene.listed(&[profiles(&[("us", US)])]);
    symlink("../us-east-1.json", folder.join("link.json")).unwrap();
    for loop_ in ["up", "up.json"] {
        symlink(".", folder.join(loop_)).unwrap();
    }
    let done = scene.run_of("check", "answers");
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.contains("1 row differs in 1 region"), "{text}");
}
