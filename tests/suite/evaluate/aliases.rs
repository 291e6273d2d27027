//! Names that an application uses for a model, and that a policy asks for.

use serde_json::{Value, json};

use super::scenario::*;
use crate::evaluate::references::{all_behind, all_of, key, taking};
use crate::reviews::created;

const ON: &str = "{ models: { aliases: { enabled: true } } }";
const OFF: &str = "{}";
const SONNET: &str = "claude-sonnet-4-5";
const HAIKU_3: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const IGNORE: &str = "bedrock-profiles.dev/ignore";

/// A policy, an alias, a region, and what becomes of the variable.
const ANSWERS: &[(&str, &str, &str, &str)] = &[
    (
        ON,
        SONNET,
        "eu-west-1",
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    (
        ON,
        " claude-sonnet-4-5\n",
        "us-east-1",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    // Where the direct ID works, that takes its place: Bedrock knows no alias.
    (ON, "claude-sonnet-4-6", "eu-west-2", SONNET_4_6),
    (ON, "claude-3-haiku-20240307", "sa-east-1", HAIKU_3),
    (
        "{ models: { scope: All, aliases: { enabled: true } } }",
        "claude-sonnet-4-6",
        "eu-west-2",
        SONNET_4_6,
    ),
    (
        "{ models: { scope: All, aliases: { enabled: true } }, geography: { allowed: [eu] } }",
        "claude-sonnet-4-6",
        "eu-west-2",
        "eu.anthropic.claude-sonnet-4-6",
    ),
    (ON, "claude-3-haiku-20240307", "us-east-1", "EndOfLife"),
    (ON, SONNET, "sa-east-1", "OnlyGlobalServes"),
    (ON, SONNET, "ca-central-1", "GeographyNotAllowed"),
    (ON, SONNET, "", "NoRegion"),
    (ON, SONNET, "${R}", "RegionOutOfSight"),
    (ON, "claude-mythos-5", "us-east-1", "Mantle"),
    (ON, "claude-fable-5-2", "us-east-1", "Unverified"),
    // Include, exclude, replacements and overrides speak of the model.
    (
        "{ models: { include: [anthropic.claude-opus-*], aliases: { enabled: true } } }",
        SONNET,
        "eu-west-1",
        "NotIncluded",
    ),
    (
        "{ models: { exclude: ['*sonnet*'], aliases: { enabled: true } } }",
        SONNET,
        "eu-west-1",
        "Excluded",
    ),
    (
        "{ models: { aliases: { enabled: true } }, replacements: [{ from: \"anthropic.claude-sonnet-4-5-20250929-v1:0\", to: anthropic.claude-sonnet-4-6 }] }",
        SONNET,
        "eu-west-1",
        "eu.anthropic.claude-sonnet-4-6",
    ),
    (
        "{ models: { aliases: { enabled: true } }, replacements: [{ from: \"anthropic.claude-sonnet-4-5-20250929-v1:0\", to: anthropic.claude-sonnet-4-6 }] }",
        SONNET,
        "eu-west-2",
        SONNET_4_6,
    ),
    (
        "{ models: { aliases: { enabled: true } }, overrides: [{ modelId: \"anthropic.claude-sonnet-4-5-20250929-v1:0\", sourceRegions: [us-east-1], target: \"arn:aws:bedrock:us-east-1:1:application-inference-profile/a\" }] }",
        SONNET,
        "us-east-1",
        "arn:aws:bedrock:us-east-1:1:application-inference-profile/a",
    ),
];

/// A Pod that names its model so, and its region.
fn asking(alias: &str, region: &str) -> Value {
    pod(&[("BEDROCK_MODEL", alias), ("AWS_REGION", region)])
}

#[test]
fn an_alias_is_evaluated_as_its_model() {
    for (spec, alias, region, expected) in ANSWERS {
        let outcome = Scenario::under(spec).create(&asking(alias, region));
        assert_eq!(outcome.answer(), *expected, "{spec} {alias} {region}");
        assert_eq!(outcome.only().written, alias.trim());
        if outcome.changed() {
            let stored = alias.replace(alias.trim(), expected);
            assert_eq!(outcome.env("BEDROCK_MODEL"), stored);
        }
    }
}

#[test]
fn an_alias_is_matched_whole_and_in_matching_variable_names() {
    let world = Scenario::under(ON);
    let region = ("AWS_REGION", "eu-west-1");
    for name in ["BEDROCK_MODEL", "BEDROCK", "MY_BEDROCK_ID"] {
        assert!(
            world.create(&pod(&[(name, SONNET), region])).changed(),
            "{name}"
        );
    }
    for (name, text) in [
        ("MODEL", SONNET),
        ("bedrock_model", SONNET),
        ("BEDROCK_MODEL", "use claude-sonnet-4-5"),
        ("BEDROCK_MODEL", "claude-sonnet-4-5,claude-sonnet-4-6"),
        ("BEDROCK_MODEL", "bedrock/claude-sonnet-4-5"),
        ("BEDROCK_MODEL", "claude-sonnet-4-5-1"),
        ("BEDROCK_MODEL", "Claude-Sonnet-4-5"),
        ("BEDROCK_MODEL", "{\"model\": \"claude-sonnet-4-5\"}"),
    ] {
        let outcome = world.create(&pod(&[(name, text), region]));
        assert_eq!(
            (outcome.verdict, outcome.found.len()),
            ("Untouched", 0),
            "{name}={text}"
        );
    }
    let arguments = json!({ "name": "app", "args": ["--model", SONNET], "env": [variable(region.0, region.1)] });
    assert_eq!(world.create(&pod_of(&arguments)).verdict, "Untouched");
    let names =
        Scenario::under("{ models: { aliases: { enabled: true, envNames: [MODEL_?, LLM] } } }");
    for (name, taken) in [
        ("MODEL_A", true),
        ("LLM", true),
        ("MODEL", false),
        ("BEDROCK_MODEL", false),
    ] {
        assert_eq!(
            names.create(&pod(&[(name, SONNET), region])).changed(),
            taken,
            "{name}"
        );
    }
}

#[test]
fn aliases_are_ignored_without_a_policy_that_enables_them() {
    let object = asking(SONNET, "eu-west-1");
    assert_eq!(Scenario::under(OFF).create(&object).verdict, "Untouched");
    // A policy beside it asks, and says what it would do; the one that decides does not.
    let world = Scenario::of(
        &[
            ("now", "{ mode: Rewrite }"),
            ("next", "{ models: { aliases: { enabled: true } } }"),
        ],
        &[],
    );
    let outcome = world.create(&object);
    assert_eq!((outcome.verdict, outcome.found.len()), ("Tell", 0));
    assert_eq!(outcome.previews[0].1[0].answer, behind("eu", SONNET_4_5));
}

#[test]
fn an_alias_shaped_like_an_id_has_one_meaning() {
    const LIKE: &str = "anthropic.claude-sonnet-latest-4";
    let mapping =
        format!("{{ models: [{{ modelId: {SONNET_4_6}, aliases: [{LIKE}, \"{SONNET_4_5}\"] }}] }}");
    let world = Scenario::of(
        &[
            ("disabled", "{ mode: DryRun }"),
            (
                "enabled",
                "{ mode: Rewrite, models: { aliases: { enabled: true } } }",
            ),
        ],
        &[("own", &mapping)],
    );
    let outcome = world.create(&asking(LIKE, "eu-west-1"));
    assert_eq!(outcome.answer(), behind("eu", SONNET_4_6));
    let shadow: Vec<_> = outcome.previews[0]
        .1
        .iter()
        .map(|one| &*one.answer)
        .collect();
    assert_eq!(shadow, ["UnknownModel"]);
    // What is a model's ID is nobody's alias.
    let outcome = world.create(&asking(SONNET_4_5, "eu-west-1"));
    assert_eq!(outcome.answer(), behind("eu", SONNET_4_5));
}

#[test]
fn context_rules_and_opt_outs_apply_to_aliases() {
    let world = Scenario::under(ON);
    let region = ("AWS_REGION", "eu-west-1");
    let gateway = ("OPENAI_BASE_URL", "http://litellm:4000");
    let answer = |object: &Value| world.create(object).answer();
    assert_eq!(
        answer(&pod(&[("BEDROCK_MODEL", SONNET), gateway, region])),
        "GatewayClient"
    );
    assert_eq!(
        answer(&annotate(asking(SONNET, "eu-west-1"), IGNORE, "x")),
        "OptedOut"
    );
}

#[test]
fn the_record_has_the_alias_and_a_second_round_changes_nothing() {
    for (alias, region, answer) in [
        (SONNET, "eu-west-1", behind("eu", SONNET_4_5)),
        ("claude-sonnet-4-6", "eu-west-2", SONNET_4_6.to_owned()),
    ] {
        let world = Scenario::under(ON);
        let first = world.create(&asking(alias, region));
        let entry = &first.record()["entries"][0];
        assert_eq!(
            (&entry["from"], &entry["to"]),
            (&json!(alias), &json!(answer))
        );
        let second = world.create(&first.after);
        assert!(second.again && !second.changed(), "{}", second.patch);
        // Without the policy's word it is a record that nothing explains.
        let off = Scenario::under(OFF).create(&first.after);
        assert!(!off.again);
    }
}

#[test]
fn a_stronger_region_gives_another_answer_or_the_alias_back() {
    let world = Scenario::under(
        "{ models: { aliases: { enabled: true } }, region: { default: eu-west-2 } }",
    );
    let alias = "claude-sonnet-4-6";
    let first = world.create(&pod(&[("BEDROCK_MODEL", alias)]));
    assert_eq!(first.env("BEDROCK_MODEL"), SONNET_4_6);
    let injected = |region: &str| {
        let mut object = first.after.clone();
        let env = object["spec"]["containers"][0]["env"]
            .as_array_mut()
            .unwrap();
        env.push(variable("AWS_REGION", region));
        world.create(&object)
    };
    let dublin = injected("eu-west-1");
    assert_eq!(dublin.env("BEDROCK_MODEL"), behind("eu", SONNET_4_6));
    assert_eq!(dublin.record()["entries"][0]["from"], alias);
    let nowhere = injected("sa-east-1");
    assert_eq!(nowhere.env("BEDROCK_MODEL"), alias);
    assert_eq!(nowhere.record(), Value::Null);
    assert_eq!(injected("eu-west-2").env("BEDROCK_MODEL"), SONNET_4_6);
}

#[test]
fn a_config_map_is_rewritten_under_the_keys_that_fit() {
    let world = Scenario::under(ON);
    let map = config_map(&[
        ("BEDROCK_MODEL", SONNET),
        ("model", SONNET),
        ("AWS_REGION", "eu-west-1"),
    ]);
    let first = world.create(&map);
    assert_eq!(
        first.after["data"]["BEDROCK_MODEL"],
        behind("eu", SONNET_4_5)
    );
    assert_eq!(first.after["data"]["model"], SONNET);
    assert!(
        !world
            .judge(&first.after, Event::Update(&first.after))
            .changed()
    );
    let other = config_map(&[("model", SONNET), ("AWS_REGION", "eu-west-1")]);
    assert_eq!(world.create(&other).verdict, "Untouched");
}

#[test]
fn an_alias_from_a_config_map_is_resolved_like_an_id() {
    let region = variable("AWS_REGION", "eu-west-1");
    let answer = behind("eu", SONNET_4_5);
    let data = [("BEDROCK_MODEL", SONNET), ("sonnet", SONNET)];
    let plain = named_map("a", &data);
    // The same, as an earlier round has left it for another region.
    let other = Scenario::under(ON).annotated("bedrock-profiles.dev/region", "us-east-1");
    let rewritten = other.create(&named_map("a", &data)).after;
    assert_eq!(rewritten["data"]["BEDROCK_MODEL"], behind("us", SONNET_4_5));
    for map in [plain, rewritten] {
        let world = Scenario::under(ON).knowing(&[map]);
        for (entry, from, name) in [
            // The variable's name fits, or the key's, or both.
            (key("BEDROCK_ID", "a", "sonnet"), json!([]), "BEDROCK_ID"),
            (key("M", "a", "BEDROCK_MODEL"), json!([]), "M"),
            (variable("X", "x"), json!([all_of("a")]), "BEDROCK_MODEL"),
            (
                variable("X", "x"),
                json!([all_behind("APP_", "a")]),
                "APP_BEDROCK_MODEL",
            ),
        ] {
            let outcome = world.create(&taking(&json!([entry, region]), &from));
            assert_eq!(outcome.env(name), answer, "{name}");
            assert_eq!(outcome.only().written, SONNET);
            let again = world.create(&outcome.after);
            assert!(!again.changed(), "{}", again.patch);
        }
        let unnamed = taking(&json!([key("M", "a", "sonnet"), region]), &json!([]));
        assert_eq!(world.create(&unnamed).found, []);
    }
}

#[test]
fn an_alias_in_a_mounted_file_is_reported() {
    let world = Scenario::under(ON).knowing(&[named_map(
        "a",
        &[("BEDROCK_MODEL", SONNET), ("model", SONNET)],
    )]);
    let mut object = pod(&[("AWS_REGION", "eu-west-1")]);
    object["spec"]["containers"][0]["volumeMounts"] = json!([{ "name": "v", "mountPath": "/m" }]);
    object["spec"]["volumes"] = json!([{ "name": "v", "configMap": { "name": "a" } }]);
    assert_eq!(world.create(&object).answer(), "OutOfSight");
}

#[test]
fn warnings_and_denials_name_the_alias() {
    let spec = "{ mode: Deny, models: { aliases: { enabled: true } } }";
    let world = Scenario::under(spec);
    let env = [("BEDROCK_MODEL", SONNET), ("AWS_REGION", "eu-west-1")];
    let refused = world.create(&deployment(&env));
    assert_eq!(
        refused.message,
        format!(
            "use eu.{SONNET_4_5} instead of {SONNET} at app/env/BEDROCK_MODEL for eu-west-1 (ContainerEnv) (policy test)"
        )
    );
    let outcome = Scenario::under(ON).create(&deployment(&env));
    assert_eq!(
        outcome.warnings,
        [
            &*format!(
                "bedrock-profiles: Pods in eu-west-1 get eu.{SONNET_4_5} instead of {SONNET}"
            ),
            LEGACY_4_5
        ]
    );
}

#[tokio::test]
async fn a_review_with_only_an_alias_is_parsed_where_a_policy_enables_aliases() {
    let object = asking(SONNET, "eu-west-1");
    let (_, stored) = created(Scenario::under(ON).view, TODAY, &object).await;
    let written = &stored["spec"]["containers"][0]["env"][0]["value"];
    assert_eq!(*written, behind("eu", SONNET_4_5));
    let (response, stored) = created(Scenario::under(OFF).view, TODAY, &object).await;
    assert_eq!(response, json!({ "uid": "u", "allowed": true }));
    assert_eq!(stored, object);
    // A Pod that takes it from elsewhere does not even hold that.
    let world = Scenario::under(ON).knowing(&[named_map("a", &[("BEDROCK_MODEL", SONNET)])]);
    let taker = taking(
        &json!([variable("AWS_REGION", "eu-west-1")]),
        &json!([all_of("a")]),
    );
    let (_, stored) = created(world.view, TODAY, &taker).await;
    assert_eq!(
        stored["spec"]["containers"][0]["env"][0]["value"],
        behind("eu", SONNET_4_5)
    );
}

#[test]
fn only_where_a_policy_asks_for_aliases_they_open_the_gate() {
    for (body, opens) in [
        (r#"{"value":"claude-sonnet-4-5"}"#, true),
        (r#"{"value":"\u0063laude-sonnet-4-5"}"#, true),
        (r#"{"value":"claude-sonnet-4-5-20250929-x"}"#, false),
        (r#"{"value":"plain"}"#, false),
    ] {
        let snapshot = |spec| Scenario::under(spec).view.snapshot;
        assert_eq!(
            snapshot(ON).can_hold_an_id(body.as_bytes()),
            opens,
            "{body}"
        );
        let hidden = body.contains("\\u");
        assert_eq!(
            snapshot(OFF).can_hold_an_id(body.as_bytes()),
            hidden,
            "{body}"
        );
    }
}

#[test]
fn an_alias_is_a_single_word() {
    use bedrock_profiles::api::Resource;
    for (alias, fits) in [
        ("claude", true),
        ("team/claude@4", true),
        ("claude 4", false),
        ("$(X)", false),
        ("---", false),
        ("größe", false),
    ] {
        let spec = format!("{{ models: [{{ modelId: {SONNET_4_6}, aliases: ['{alias}'] }}] }}");
        let Resource::Mapping(wire) =
            resources("InferenceProfileMapping", &[("m", &spec)]).remove(0)
        else {
            panic!("a mapping is expected");
        };
        let read = bedrock_profiles::validate::mapping(&wire);
        assert_eq!(read.is_ok(), fits, "{alias}: {read:?}");
    }
}
