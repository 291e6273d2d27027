//! Reasons that a finding can be left for, beside an ID that is rewritten. `every_reason.rs` has all of them, at every level.

use serde_json::json;

use super::scenario::*;

const REGION: (&str, &str) = ("AWS_REGION", "us-east-1");
const IGNORE: &str = "bedrock-profiles.dev/ignore";

/// What a text in a variable becomes in Virginia: what the policy says, the text with `ID` for a living model, the reason.
pub(crate) const TEXTS: &[(&str, &str, &str)] = &[
    ("{}", "us.ID", "AlreadyProfiled"),
    (
        "{}",
        "zz.anthropic.claude-sonnet-4-7-v1:0",
        "AlreadyProfiled",
    ),
    ("{}", "eu.ID", "ProfileNotServed"),
    ("{}", "global.ID", "ProfileNotPermitted"),
    (
        "{ geography: { global: Fallback } }",
        "global.ID",
        "AlreadyProfiled",
    ),
    (
        "{ geography: { allowedDestinations: [eu-*] } }",
        "us.ID",
        "ProfileNotPermitted",
    ),
    ("{}", "apac.ID", "NeverExisted"),
    ("{}", "us.us.ID", "DoublePrefix"),
    (
        "{}",
        "arn:aws:bedrock:us-east-1::foundation-model/ID",
        "InArn",
    ),
    (
        "{}",
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.ID",
        "AlreadyProfiled",
    ),
    ("{}", "anthropic.claude-sonnet-4-6%3A0", "PercentEncoded"),
    ("{}", "ID:48k", "ProvisionedSuffix"),
    (
        "{}",
        "bedrock/us-east-1/1-month-commitment/ID",
        "ProvisionedSuffix",
    ),
    ("{}", "ID,other", "ListLeft"),
    ("{}", "[\"ID\"]", "ListLeft"),
    ("{}", "we use ID here", "Prose"),
    ("{}", "bedrock/mantle/ID", "Mantle"),
    ("{}", "anthropic.claude-mythos-5", "Mantle"),
    ("{}", "anthropic.claude-haiku-4-5", "Mantle"),
    ("{ models: { include: ['*'] } }", "deepseek.v3.1", "Mantle"),
    ("{}", "litellm_proxy/ID", "GatewayClient"),
    ("{}", "vertex_ai/ID", "OtherCloud"),
    ("{}", "ID@20250929", "OtherCloud"),
    ("{}", "bedrock/async_invoke/ID", "Batch"),
    ("{}", "curl -d '{\"model\": \"ID\"}'", "UnknownFormat"),
    ("{}", "https://host/model/ID/invoke", "GatewayClient"),
    ("{}", "amazon.nova-lite-v1:0", "NotIncluded"),
    (
        "{ models: { include: [anthropic.claude-opus-*] } }",
        "ID",
        "NotIncluded",
    ),
    ("{ models: { exclude: ['*sonnet*'] } }", "ID", "Excluded"),
    ("{}", "anthropic.claude-sonnet-4-7-v1:0", "UnknownModel"),
    ("{}", "anthropic.claude-fable-5-2", "Unverified"),
    (
        "{ models: { include: ['*'] } }",
        "amazon.titan-embed-text-v1",
        "NeverHadProfile",
    ),
    ("{}", "anthropic.claude-3-haiku-20240307-v1:0", "EndOfLife"),
    (
        "{ geography: { allowedDestinations: [us-east-1] } }",
        "ID",
        "DestinationNotAllowed",
    ),
    ("{}", "anthropic.claude-mythos-5-1", "DestinationsUnknown"),
    (
        "{ replacements: [{ from: anthropic.claude-v2, to: anthropic.claude-fable-5-2 }] }",
        "anthropic.claude-v2",
        "ReplacementNotServed",
    ),
    (
        "{ overrides: [{ modelId: \"anthropic.claude-sonnet-4-5-20250929-v1:0\", sourceRegions: [us-east-1], target: \"arn:aws:bedrock:us-east-1:1:application-inference-profile/a\" }] }",
        "bedrock/ID",
        "OverrideNeedsWholeValue",
    ),
];

/// The same for the region of a variable `AWS_REGION`.
pub(crate) const REGIONS: &[(&str, &str, &str)] = &[
    (SONNET_4_5, "", "NoRegion"),
    (SONNET_4_5, "${R}", "RegionOutOfSight"),
    (SONNET_4_5, "asia-northeast-1", "NotARegion"),
    (SONNET_4_5, "eusc-de-east-1", "RegionUnknown"),
    (SONNET_4_6, "eu-west-2", "WorksDirectly"),
    (SONNET_4_5, "sa-east-1", "OnlyGlobalServes"),
    (
        "anthropic.claude-opus-4-1-20250805-v1:0",
        "sa-east-1",
        "NothingServes",
    ),
    (SONNET_4_5, "eu-west-2", "GeographyNotAllowed"),
];

#[test]
fn each_syntax_policy_and_model_reason_skips_a_text() {
    for (spec, text, reason) in TEXTS {
        let text = text.replace("ID", SONNET_4_5);
        let outcome =
            Scenario::under(spec).create(&pod(&[("TEXT", &text), ("ID", SONNET_4_6), REGION]));
        let finding = &outcome.found[0];
        assert_eq!(
            (&*finding.at, &*finding.answer),
            ("app/env/TEXT", *reason),
            "{spec} {text}"
        );
        assert_eq!(outcome.env("TEXT"), text);
    }
}

#[test]
fn each_region_reason_skips_a_finding() {
    for (id, region, reason) in REGIONS {
        assert_eq!(
            Scenario::under("{}").answer(id, region),
            *reason,
            "{id} {region}"
        );
    }
    let two = [
        ("ID", SONNET_4_5),
        REGION,
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ];
    assert_eq!(Scenario::under("{}").sourced(&two).0, "RegionConflict");
}

#[test]
fn the_first_group_of_reasons_decides() {
    let world = Scenario::under("{ models: { include: [x.*] } }");
    let answer = |object: &serde_json::Value| world.create(object).only().answer.clone();
    let nowhere = [("ID", "we use anthropic.claude-sonnet-4-7-v1:0 here")];
    // Shape before object before policy before model before region.
    let object = annotate(pod(&nowhere), IGNORE, "x");
    assert_eq!(answer(&object), "Prose");
    let whole = annotate(
        pod(&[("ID", "anthropic.claude-sonnet-4-7-v1:0")]),
        IGNORE,
        "x",
    );
    assert_eq!(answer(&whole), "OptedOut");
    assert_eq!(answer(&annotate(whole, IGNORE, "false")), "NotIncluded");
    let unknown = pod(&[("ID", "anthropic.claude-sonnet-4-7-v1:0")]);
    assert_eq!(
        Scenario::under("{}").create(&unknown).only().answer,
        "UnknownModel"
    );
    let known = pod(&[("ID", SONNET_4_5)]);
    assert_eq!(
        Scenario::under("{}").create(&known).only().answer,
        "NoRegion"
    );
}

#[test]
fn wrapped_forms_are_rewritten_and_keep_their_wrapping() {
    let world = Scenario::under("{ lists: Rewrite }");
    for text in [
        "ID",
        " ID\n",
        "bedrock/ID",
        "bedrock/converse/ID",
        "bedrock/us-west-2/ID",
        "bedrock:ID",
        "amazon-bedrock/ID",
        "ID[1m]",
        "\"ID\"",
        "-Dmodel=ID -Xmx1g",
        "other,ID",
    ] {
        let written = text.replace("ID", SONNET_4_5);
        let outcome = world.create(&pod(&[("M", &written), REGION]));
        assert_eq!(
            outcome.env("M"),
            text.replace("ID", &behind("us", SONNET_4_5)),
            "{text}"
        );
    }
}

#[test]
fn every_place_of_every_container_is_read_and_no_other() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    let container = |name: &str| {
        json!({
            "name": name, "image": format!("r/{SONNET_4_5}"), "workingDir": SONNET_4_5,
            "command": ["run", SONNET_4_5], "args": ["--model", SONNET_4_5],
            "env": [variable("M", SONNET_4_5), { "name": SONNET_4_5, "value": "x" }],
            "lifecycle": { "postStart": { "exec": { "command": [SONNET_4_5] } } },
        })
    };
    let object = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "chat", "labels": { "m": SONNET_4_5 } },
        "spec": { "initContainers": [container("i")], "containers": [container("a"), container("b")] },
    });
    let outcome = world.create(&object);
    let places: Vec<_> = outcome.found.iter().map(|one| &*one.at).collect();
    assert_eq!(
        places,
        [
            "a/args",
            "a/command",
            "a/env/M",
            "a/postStart",
            "b/args",
            "b/command",
            "b/env/M",
            "b/postStart",
            "i/args",
            "i/command",
            "i/env/M",
            "i/postStart",
        ],
        "in the order of the document, whose keys are sorted here"
    );
    assert_eq!(outcome.patch.as_array().unwrap().len(), 13);
}

#[test]
fn an_opt_out_with_an_end_counts_through_its_last_day() {
    let world = Scenario::under("{}");
    let object = pod(&[("ID", SONNET_4_5), ("AWS_REGION", "eu-west-1")]);
    let until = |day: &str| {
        let object = annotate(object.clone(), IGNORE, &format!("ours; until={day}"));
        world.create(&object)
    };
    let last_day = until("2026-11-23");
    assert_eq!(last_day.only().answer, "OptedOut");
    let text = "bedrock-profiles.dev/ignore: ours; until=2026-11-23";
    assert!(last_day.audit["unchanged"].contains(text), "{last_day:?}");
    assert_eq!(
        until("2026-11-22").only().answer,
        format!("eu.{SONNET_4_5}")
    );
    let unreadable = until("tomorrow");
    assert_eq!(unreadable.only().answer, "OptedOut");
    assert!(
        unreadable.audit["unchanged"].contains("has no end"),
        "{unreadable:?}"
    );
    // That of the namespace counts where that of the object has ended.
    let ended = annotate(object, IGNORE, "until=2026-11-22");
    let world = world.annotated(IGNORE, "ours");
    assert_eq!(world.create(&ended).only().answer, "OptedOut");
}
