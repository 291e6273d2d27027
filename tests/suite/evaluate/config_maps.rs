//! ConfigMaps: which are rewritten, and which never.

use serde_json::{Value, json};

use super::scenario::*;

const MIB: usize = 1024 * 1024;

fn keys() -> Value {
    config_map(&[("model", SONNET_4_5), ("AWS_REGION", "eu-west-1")])
}

#[test]
fn a_config_map_value_equal_to_an_id_is_rewritten_on_create_and_update() {
    let world = Scenario::under("{}");
    for event in [Event::Create, Event::Update(&keys())] {
        let outcome = world.judge(&keys(), event);
        assert_eq!(outcome.answer(), behind("eu", SONNET_4_5));
        assert_eq!(
            outcome.after["data"]["model"],
            behind("eu", SONNET_4_5).as_str()
        );
        assert_eq!(outcome.record()["entries"][0]["at"], "data/model");
    }
    let old = world.create(&keys()).after;
    let applied = world.judge(&keys(), Event::Update(&old));
    assert_eq!(
        applied.after, old,
        "the same manifest twice is the same object"
    );
}

#[test]
fn binary_data_counts_for_the_size_and_is_not_read() {
    let world = Scenario::under("{}");
    let fixed = SONNET_4_5.len() + "eu-west-1".len();
    // Four characters of base64 stand for three bytes.
    let characters = |bytes: usize| bytes.div_ceil(3) * 4;
    let mut object = keys();
    object["binaryData"] = json!({ "b": "A".repeat(characters(MIB - fixed - 6)) });
    assert_eq!(world.create(&object).answer(), behind("eu", SONNET_4_5));
    object["binaryData"] = json!({ "b": "A".repeat(characters(MIB - fixed)) });
    assert_eq!(world.create(&object).answer(), "TooLarge");
    object["data"] = json!({});
    object["binaryData"] = json!({ "b": SONNET_4_5 });
    assert_eq!(world.create(&object).verdict, "Untouched");
}

#[test]
fn a_reference_to_a_longer_value_is_skipped() {
    let world = Scenario::under("{}");
    for (text, expected) in [
        ("ID\n", "eu."),
        ("bedrock/converse/ID", "eu."),
        ("model: ID", "eu."),
        ("{\"model\": \"ID\"}", "eu."),
        ("{\"ID\": \"x\"}", "MapKey"),
        ("a: 1\nmodel: ID\n", "eu."),
        ("MODEL=ID", "eu."),
        ("call(\"ID\", 1)", "UnknownFormat"),
        ("[llm]\nmodel = ID\n", "UnknownFormat"),
        ("ID,other", "ListLeft"),
        ("[ ID, other ]\n", "ListLeft"),
        ("- ID\n- other\n", "ListLeft"),
    ] {
        let text = text.replace("ID", SONNET_4_5);
        let outcome = world.create(&config_map(&[("m", &text), ("AWS_REGION", "eu-west-1")]));
        let expected = expected.replace("eu.", &behind("eu", SONNET_4_5));
        assert_eq!(outcome.answer(), expected, "{text}");
    }
}

#[test]
fn the_region_of_a_config_map_comes_from_its_own_keys() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    let answer = |data: &[(&str, &str)]| {
        let outcome = world.create(&config_map(data));
        let only = outcome.only();
        (only.answer.replace(SONNET_4_5, ""), only.source)
    };
    let model = ("model", SONNET_4_5);
    assert_eq!(
        answer(&[model, ("AWS_REGION", "eu-west-1\n")]),
        ("eu.".to_owned(), "ConfigMapKey")
    );
    assert_eq!(
        answer(&[
            model,
            ("AWS_REGION", "eu-west-1"),
            ("BEDROCK_REGION", "ap-northeast-1")
        ]),
        ("jp.".to_owned(), "ConfigMapKey")
    );
    assert_eq!(
        answer(&[model, ("AWS_REGION", "")]),
        ("us.".to_owned(), "PolicyDefault")
    );
    // A key is no variable that could be expanded.
    assert_eq!(
        answer(&[model, ("R", "eu-west-1"), ("AWS_REGION", "$(R)")]).0,
        "RegionOutOfSight"
    );
    assert_eq!(
        answer(&[
            model,
            ("AWS_REGION", "eu-west-1"),
            ("AWS_DEFAULT_REGION", "us-east-1")
        ])
        .0,
        "RegionConflict"
    );
}

#[test]
fn prose_and_programs_are_reported_and_unchanged() {
    let world = Scenario::under("{ lists: Rewrite }");
    for (key, text) in [
        ("handler", "def f(model=\"ID\"): return model\n"),
        ("handler", "class Chat:\n    \"ID\"\n"),
        ("app.py", "MODEL = \"ID\"\n"),
        ("entrypoint", "#!/usr/bin/env python3\nMODEL='ID'\n"),
        ("run.sh", "python3 -c 'model=\"ID\"'\n"),
        ("entrypoint", "call --header model: ID\n"),
        ("Dockerfile", "MODEL=ID\n"),
        ("seed", "SELECT a AS b: 'ID'\n"),
        ("readme", "For chats take this one: ID\n"),
        ("readme", "Models for chats: ID, other\n"),
    ] {
        let text = text.replace("ID", SONNET_4_5);
        let outcome = world.create(&config_map(&[(key, &text), ("AWS_REGION", "eu-west-1")]));
        assert_eq!(
            (outcome.verdict, outcome.answer()),
            ("Tell", "UnknownFormat".to_owned()),
            "{text}"
        );
    }
    let note = format!("Note: use {SONNET_4_5}\n");
    let outcome = world.create(&config_map(&[("n", &note), ("AWS_REGION", "eu-west-1")]));
    assert_eq!(outcome.answer(), "Prose");
}

#[test]
fn text_after_a_template_has_its_own_syntax() {
    let world = Scenario::under("{}");
    for (text, expected) in [
        (
            "a: |\n  {{- if x }}\n  b\n  {{ end }}rest ID\n",
            "UnknownFormat",
        ),
        ("a: |\n  {{- if x }}\n  b\n  {{ end }}ID\n", "UnknownFormat"),
        ("a: {{ b\n  c }} ID\n", "UnknownFormat"),
        ("a: {{ b\n  c }}ID\n", "UnknownFormat"),
        ("a: {{ b\n  c }}ID # d\n", "UnknownFormat"),
        ("{{- if x }}\nb: c\n{{ end }}a: ID\n", "eu."),
        (
            "{{ if x }}\na: ID\n{{ else }}\na: other\n{{ end }}\n",
            "eu.",
        ),
        ("{{ .a }}: ID\n{{ .b }}: other\n", "eu."),
    ] {
        let text = text.replace("ID", SONNET_4_5);
        let outcome = world.create(&config_map(&[
            ("f.yaml", &text),
            ("AWS_REGION", "eu-west-1"),
        ]));
        let expected = expected.replace("eu.", &behind("eu", SONNET_4_5));
        assert_eq!(outcome.answer(), expected, "{text}");
    }
}

#[test]
fn regions_of_a_template_that_one_branch_each_sets_are_in_conflict() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    for text in [
        "{{ if x }}\naws_region_name: us-east-1\n{{ else }}\naws_region_name: eu-west-1\n{{ end }}\nmodel: bedrock/ID\n",
        "a:\n  model: bedrock/ID\n  {{ if x }}\n  aws_region_name: eu-west-1\n  {{ else }}\n  aws_region_name: us-east-1\n  {{ end }}\n",
    ] {
        let text = text.replace("ID", SONNET_4_5);
        let outcome = world.create(&config_map(&[("f.yaml", &text)]));
        assert_eq!(outcome.answer(), "RegionConflict", "{text}");
        assert_eq!(outcome.after["data"]["f.yaml"], text.as_str());
    }
}

#[test]
fn a_file_is_changed_behind_its_byte_order_mark_and_between_its_quotes() {
    let world = Scenario::under("{ lists: Rewrite }");
    for (key, text) in [
        ("a.json", "\u{feff}{\"model\": \"ID\"}"),
        ("a.yaml", "\u{feff}model: ID\r\n"),
        ("a.toml", "\u{feff}model = 'ID'\n"),
        ("a.properties", "\u{feff}model=ID\n"),
        (".env", "\u{feff}MODEL=ID\nB='c\nd'\n"),
        (".env", "A=b\nMODEL='\n  ID\n'\n"),
        (".env", "MODELS=\"ID,\nother\" # c\n"),
    ] {
        let text = text.replace("ID", SONNET_4_5);
        let outcome = world.create(&config_map(&[(key, &text), ("AWS_REGION", "eu-west-1")]));
        let expected = text.replace(SONNET_4_5, &behind("eu", SONNET_4_5));
        assert_eq!(outcome.after["data"][key], expected.as_str(), "{text:?}");
    }
}
