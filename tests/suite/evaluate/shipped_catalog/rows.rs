//! Model, region and policy: borders, destinations, global profiles, dates, a mapping of one's own.

use bedrock_profiles::budget::{Budget, Limits};
use bedrock_profiles::domain::resolve::{Note, Resolution};

use super::*;

/// Each row: fields of the policy, model, region, answer.
fn hold(rows: &[(Value, &str, &str, &str)]) {
    for (fields, model, region, expected) in rows {
        let view = view(&policy(fields.clone()));
        assert_eq!(
            answer(&view, &asking(model, region), Action::CreatePod),
            *expected,
            "{model} in {region} under {fields}"
        );
    }
}

#[test]
fn an_end_of_life_date_counts_from_its_day_on() {
    let view = view(&policy(json!({})));
    let text = asking(SONNET, "eu-west-1").to_string();
    let tree = Tree::json(&text).unwrap();
    let object = Object::at(&tree, tree.root());
    let namespace = Namespace::named("ml");
    let note_on = |today| {
        let judgement = judge(
            &object,
            &Context {
                view: &view,
                namespace: &namespace,
                action: Action::CreatePod,
                today,
                budget: &Budget::new(Limits::REVIEW),
            },
        );
        format!("{:?}", judgement.effective.unwrap().findings[0].resolution)
    };
    assert!(note_on(date(2027, 4, 7)).contains("note: None"));
    assert!(note_on(date(2027, 4, 8)).contains("note: Some(EndOfLife)"));
}

#[test]
fn a_profile_of_sonnet_4_that_a_scan_still_lists_is_answered_with_the_note_end_of_life() {
    const SONNET_4: &str = "anthropic.claude-sonnet-4-20250514-v1:0";
    let geographies = ["us", "eu", "apac"];
    let served = facts::scan().served();
    let rows = served.iter().filter(|(model, _, _)| model == SONNET_4);
    let mut count = 0;
    for (_, geography, region) in rows {
        count += 1;
        let prefer = if geography == "global" {
            "Prefer"
        } else {
            "Never"
        };
        let view = view(&policy(
            json!({"geography": {"global": prefer, "allowed": geographies}}),
        ));
        evaluated(
            &view,
            &asking(SONNET_4, region),
            Action::CreatePod,
            |judgement| {
                let finding = &judgement.effective.as_ref().unwrap().findings[0];
                let Resolution::Rewrite { target, note, .. } = &finding.resolution else {
                    panic!("{region}: {:?}", finding.resolution);
                };
                assert_eq!(target.to_string(), format!("{geography}.{SONNET_4}"));
                assert_eq!(*note, Some(Note::EndOfLife), "{region}");
            },
        );
    }
    assert_eq!(count, 28);
}

#[test]
fn an_end_of_life_of_medium_confidence_denies_nothing() {
    const LLAMA: &str = "meta.llama3-8b-instruct-v1:0";
    let deny = policy(json!({"unresolved": "Deny", "models": {"include": ["*"]}}));
    let date_of = |confidence: &str| {
        let model = json!({"modelId": LLAMA, "lifecycle": {"endOfLife": [{"date": "2026-11-01", "confidence": confidence}]}});
        let spec = json!({"priority": 1, "models": [model]});
        let object = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfileMapping", "metadata": {"name": "date"}, "spec": spec});
        view(&format!("{deny}---\n{object}\n"))
    };
    let pod = asking(LLAMA, "us-east-1");
    for (confidence, expected) in [("Medium", "tell"), ("High", "refuse")] {
        let view = date_of(confidence);
        assert_eq!(answer(&view, &pod, Action::CreatePod), "EndOfLife");
        assert_eq!(verdict(&view, &pod, Action::CreatePod), expected);
    }
}

#[test]
fn consent_to_one_geography_is_no_consent_to_another() {
    let allowed = |word: &str| json!({"geography": {"allowed": [word]}});
    hold(&[
        (allowed("eu"), SONNET, "ca-central-1", "GeographyNotAllowed"),
        (json!({}), SONNET, "ap-southeast-6", "GeographyNotAllowed"),
        // It is also one to destinations that nobody has told.
        (
            allowed("us"),
            "anthropic.claude-mythos-5-1",
            "us-east-1",
            "us.anthropic.claude-mythos-5-1",
        ),
    ]);
}

#[test]
fn global_fallback_serves_a_refused_geography_and_prefer_needs_a_global_profile() {
    let global = |word: &str| json!({"geography": {"global": word}});
    hold(&[
        (
            global("Fallback"),
            SONNET,
            "ca-central-1",
            &format!("global.{SONNET}"),
        ),
        (
            global("Prefer"),
            "anthropic.claude-opus-4-1-20250805-v1:0",
            "us-east-1",
            "us.anthropic.claude-opus-4-1-20250805-v1:0",
        ),
    ]);
}

#[test]
fn allowed_destinations_bind_allowed_geographies() {
    let only = |globs: &[&str], global: &str| json!({"geography": {"allowedDestinations": globs, "allowed": ["us", "eu"], "global": global}});
    hold(&[
        (
            only(&["eu-*"], "Never"),
            SONNET,
            "eu-west-1",
            &format!("eu.{SONNET}"),
        ),
        (
            only(&["eu-west-*"], "Never"),
            SONNET,
            "eu-west-1",
            "DestinationNotAllowed",
        ),
        (
            only(&["eu-*"], "Fallback"),
            SONNET,
            "sa-east-1",
            "DestinationNotAllowed",
        ),
        (
            only(&["*"], "Fallback"),
            SONNET,
            "sa-east-1",
            &format!("global.{SONNET}"),
        ),
        (
            only(&["us-gov-*"], "Never"),
            "anthropic.claude-opus-4-8",
            "us-gov-west-1",
            "DestinationsUnknown",
        ),
    ]);
}

#[test]
fn one_mapping_row_corrects_one_answer() {
    let mapping = r#"---
{"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfileMapping", "metadata": {"name": "ours"}, "spec": {"models": [
  {"modelId": "anthropic.claude-sonnet-4-5-20250929-v1:0", "profiles": [
    {"id": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "geography": "eu", "routes": [{"sourceRegions": ["eu-west-1"], "absent": true}]}]},
  {"modelId": "anthropic.claude-sonnet-4-6", "direct": [{"region": "eu-west-2", "state": "Never"}, {"region": "eu-west-1", "state": "Works"}]}]}}
"#;
    let view = view(&format!(
        "{}{mapping}",
        policy(json!({"geography": {"allowed": ["eu"]}}))
    ));
    for (model, region, expected) in [
        (SONNET, "eu-west-1", "OnlyGlobalServes"),
        (SONNET, "eu-west-3", &*format!("eu.{SONNET}")),
        (
            "anthropic.claude-sonnet-4-6",
            "eu-west-2",
            "eu.anthropic.claude-sonnet-4-6",
        ),
        ("anthropic.claude-sonnet-4-6", "eu-west-1", "WorksDirectly"),
        (
            "anthropic.claude-sonnet-4-6",
            "eu-west-3",
            "eu.anthropic.claude-sonnet-4-6",
        ),
    ] {
        assert_eq!(
            answer(&view, &asking(model, region), Action::CreatePod),
            expected,
            "{model} in {region}"
        );
    }
}
