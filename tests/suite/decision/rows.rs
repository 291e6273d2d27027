//! Model, region and policy: replacements, overrides, geographies, destinations, lifecycle, prefixed IDs.

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
fn the_table_of_end_of_life_holds_by_scope() {
    let required = || json!({"models": {"include": ["*"]}});
    let all = || json!({"models": {"include": ["*"], "scope": "All"}});
    let haiku3 = "anthropic.claude-3-haiku-20240307-v1:0";
    let sonnet4 = "anthropic.claude-sonnet-4-20250514-v1:0";
    hold(&[
        (required(), haiku3, "eu-west-3", "WorksDirectly"),
        (required(), haiku3, "us-east-1", "EndOfLife"),
        (all(), haiku3, "us-east-1", &format!("us.{haiku3}")),
        (
            all(),
            "anthropic.claude-sonnet-4-6",
            "eu-west-2",
            "WorksDirectly",
        ),
        (required(), sonnet4, "us-east-1", &format!("us.{sonnet4}")),
        (all(), sonnet4, "us-east-1", &format!("us.{sonnet4}")),
        (required(), "anthropic.claude-v2", "us-east-1", "EndOfLife"),
        (all(), "anthropic.claude-v2:1", "eu-west-1", "EndOfLife"),
        (
            required(),
            "anthropic.claude-fable-5",
            "eu-west-1",
            "OnlyGlobalServes",
        ),
        (
            required(),
            "anthropic.claude-fable-5-2",
            "us-east-1",
            "Unverified",
        ),
        (
            required(),
            "anthropic.claude-opus-4-6-v1",
            "us-gov-west-1",
            "RegionUnknown",
        ),
        (
            required(),
            "amazon.nova-lite-v1:0",
            "me-central-1",
            "RegionUnknown",
        ),
        (
            required(),
            "anthropic.claude-opus-4-1-20250805-v1:0",
            "eu-west-1",
            "NothingServes",
        ),
        (
            required(),
            "amazon.nova-2-sonic-v1:0",
            "us-east-1",
            "NeverHadProfile",
        ),
        (
            required(),
            "anthropic.claude-mythos-5",
            "us-east-1",
            "Mantle",
        ),
    ]);
}

#[test]
fn a_date_decides_when_it_has_come() {
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
            },
        );
        format!("{:?}", judgement.decided.unwrap().1[0].resolution)
    };
    assert!(note_on(date(2027, 4, 7)).contains("note: None"));
    assert!(note_on(date(2027, 4, 8)).contains("note: Some(EndOfLife)"));
}

#[test]
fn no_border_is_crossed_without_the_word_for_it() {
    let allowed = |word: &str| json!({"geography": {"allowed": [word]}});
    hold(&[
        (json!({}), SONNET, "us-east-1", &format!("us.{SONNET}")),
        (json!({}), SONNET, "ca-central-1", "GeographyNotAllowed"),
        (
            allowed("us"),
            SONNET,
            "ca-central-1",
            &format!("us.{SONNET}"),
        ),
        (allowed("eu"), SONNET, "ca-central-1", "GeographyNotAllowed"),
        (json!({}), SONNET, "eu-west-2", "GeographyNotAllowed"),
        (json!({}), SONNET, "eu-central-2", "GeographyNotAllowed"),
        (
            allowed("eu"),
            SONNET,
            "eu-central-2",
            &format!("eu.{SONNET}"),
        ),
        (
            json!({}),
            "anthropic.claude-3-7-sonnet-20250219-v1:0",
            "ap-south-1",
            "GeographyNotAllowed",
        ),
        (
            json!({}),
            SONNET,
            "us-gov-west-1",
            &format!("us-gov.{SONNET}"),
        ),
        (json!({}), SONNET, "ap-southeast-6", "GeographyNotAllowed"),
        (
            json!({}),
            "anthropic.claude-mythos-5-1",
            "us-east-1",
            "DestinationsUnknown",
        ),
        (
            allowed("us"),
            "anthropic.claude-mythos-5-1",
            "us-east-1",
            "us.anthropic.claude-mythos-5-1",
        ),
    ]);
}

#[test]
fn destinations_bind_whatever_is_allowed() {
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
fn global_is_used_as_the_policy_wants_it() {
    let global = |word: &str| json!({"geography": {"global": word}});
    hold(&[
        (global("Never"), SONNET, "sa-east-1", "OnlyGlobalServes"),
        (
            global("Fallback"),
            SONNET,
            "sa-east-1",
            &format!("global.{SONNET}"),
        ),
        (
            global("Fallback"),
            SONNET,
            "eu-west-1",
            &format!("eu.{SONNET}"),
        ),
        (
            global("Prefer"),
            SONNET,
            "eu-west-1",
            &format!("global.{SONNET}"),
        ),
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
fn include_and_exclude_look_at_the_id_as_found() {
    hold(&[
        (
            json!({}),
            "amazon.nova-lite-v1:0",
            "eu-west-1",
            "NotIncluded",
        ),
        (
            json!({"models": {"exclude": ["*sonnet*"]}}),
            SONNET,
            "eu-west-1",
            "Excluded",
        ),
        (
            json!({"models": {"exclude": ["*sonnet*"]}, "replacements": [{"from": SONNET, "to": "anthropic.claude-haiku-4-5-20251001-v1:0"}]}),
            SONNET,
            "eu-west-1",
            "Excluded",
        ),
        (
            json!({}),
            "anthropic.claude-sonnet-9-9",
            "eu-west-1",
            "UnknownModel",
        ),
        (json!({}), SONNET, "asia-northeast-1", "NotARegion"),
        (json!({}), SONNET, "eu-west-9", "RegionUnknown"),
    ]);
}

#[test]
fn replacements_lead_to_what_works() {
    let to = |to: &str| json!({"replacements": [{"from": "anthropic.claude-sonnet-4-20250514-v1:0", "to": to}, {"from": "anthropic.claude-made-up-1", "to": to}]});
    let sonnet4 = "anthropic.claude-sonnet-4-20250514-v1:0";
    let chain = json!({"replacements": [{"from": sonnet4, "to": SONNET}, {"from": SONNET, "to": "anthropic.claude-sonnet-4-6"}]});
    hold(&[
        (
            to("anthropic.claude-sonnet-4-6"),
            sonnet4,
            "eu-west-1",
            "eu.anthropic.claude-sonnet-4-6",
        ),
        (
            to("anthropic.claude-sonnet-4-6"),
            sonnet4,
            "eu-west-2",
            "anthropic.claude-sonnet-4-6",
        ),
        (
            to("anthropic.claude-sonnet-4-6"),
            "anthropic.claude-made-up-1",
            "eu-west-1",
            "eu.anthropic.claude-sonnet-4-6",
        ),
        (
            chain,
            sonnet4,
            "eu-west-1",
            "eu.anthropic.claude-sonnet-4-6",
        ),
        (
            to("anthropic.claude-opus-4-20250514-v1:0"),
            sonnet4,
            "us-east-1",
            "ReplacementNotServed",
        ),
        (
            to("anthropic.claude-nothing-1"),
            sonnet4,
            "us-east-1",
            "ReplacementNotServed",
        ),
        (
            to("anthropic.claude-fable-5"),
            sonnet4,
            "eu-west-1",
            "OnlyGlobalServes",
        ),
        (
            to("anthropic.claude-sonnet-4-6"),
            sonnet4,
            "ca-central-1",
            "GeographyNotAllowed",
        ),
    ]);
}

#[test]
fn a_prefixed_id_is_judged_and_left_unless_the_policy_says_profiles_too() {
    let profiles = |to: &str| json!({"replacements": [{"from": SONNET, "to": to, "match": "DirectAndProfiles"}]});
    hold(&[
        (
            json!({}),
            &format!("eu.{SONNET}"),
            "eu-west-1",
            "AlreadyProfiled",
        ),
        (
            json!({}),
            &format!("eu.{SONNET}"),
            "us-east-1",
            "ProfileNotServed",
        ),
        (
            json!({}),
            &format!("apac.{SONNET}"),
            "ap-northeast-1",
            "NeverExisted",
        ),
        (
            json!({}),
            &format!("us.us.{SONNET}"),
            "us-east-1",
            "DoublePrefix",
        ),
        (
            json!({}),
            &format!("global.{SONNET}"),
            "eu-west-1",
            "ProfileNotPermitted",
        ),
        (
            json!({"geography": {"global": "Fallback"}}),
            &format!("global.{SONNET}"),
            "eu-west-1",
            "AlreadyProfiled",
        ),
        (
            json!({"geography": {"allowedDestinations": ["eu-*"]}}),
            &format!("us.{SONNET}"),
            "us-east-1",
            "ProfileNotPermitted",
        ),
        (
            json!({}),
            "us.anthropic.claude-sonnet-9-9",
            "us-east-1",
            "AlreadyProfiled",
        ),
        (
            profiles("anthropic.claude-sonnet-4-6"),
            &format!("eu.{SONNET}"),
            "eu-west-1",
            "eu.anthropic.claude-sonnet-4-6",
        ),
        (
            profiles("anthropic.claude-sonnet-4-6"),
            &format!("global.{SONNET}"),
            "eu-west-1",
            "OnlyGlobalServes",
        ),
        (
            profiles("anthropic.claude-fable-5"),
            &format!("eu.{SONNET}"),
            "eu-west-1",
            "ReplacementNotServed",
        ),
    ]);
}

#[test]
fn an_override_serves_whole_values_where_the_rules_permit_it() {
    const ARN: &str =
        "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl";
    let with = |destinations: &[&str], more: Value| {
        let mut fields = json!({"overrides": [{"modelId": SONNET, "sourceRegions": ["us-east-1"], "target": ARN, "destinations": destinations, "match": "DirectAndProfiles"}]});
        fields
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        fields
    };
    hold(&[
        (with(&[], json!({})), SONNET, "us-east-1", ARN),
        (
            with(&[], json!({})),
            SONNET,
            "us-west-2",
            &format!("us.{SONNET}"),
        ),
        (
            with(&[], json!({})),
            &format!("us.{SONNET}"),
            "us-east-1",
            ARN,
        ),
        (
            with(&[], json!({})),
            &format!("bedrock/{SONNET}"),
            "us-east-1",
            "OverrideNeedsWholeValue",
        ),
        (
            with(&[], json!({"geography": {"allowedDestinations": ["us-*"]}})),
            SONNET,
            "us-east-1",
            "DestinationsUnknown",
        ),
        (
            with(
                &["us-east-1"],
                json!({"geography": {"allowedDestinations": ["us-*"]}}),
            ),
            SONNET,
            "us-east-1",
            ARN,
        ),
        (
            with(&["us-east-1", "ca-central-1"], json!({})),
            SONNET,
            "us-east-1",
            "GeographyNotAllowed",
        ),
        (
            with(
                &["us-east-1"],
                json!({"replacements": [{"from": "anthropic.claude-sonnet-4-20250514-v1:0", "to": SONNET}]}),
            ),
            "anthropic.claude-sonnet-4-20250514-v1:0",
            "us-east-1",
            ARN,
        ),
    ]);
}

#[test]
fn one_row_of_a_mapping_corrects_one_answer_and_no_other() {
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
