//! Kubernetes' own order: an entry of `env` over `envFrom`, a later source over an earlier one, the last entry of a name.

use serde_json::{Value, json};

use super::*;

/// In `ml`: an ID under `MODEL` of `a` and another one of `b`, no ID of `plain`, a key that is no name of a variable.
fn world() -> Scenario {
    let elsewhere = {
        let mut map = named_map("far", &[("MODEL", SONNET_4_5)]);
        map["metadata"]["namespace"] = "web".into();
        map
    };
    Scenario::under("{ region: { default: eu-west-1 } }").knowing(&[
        named_map("a", &[("MODEL", SONNET_4_5), ("1st", SONNET_4_5)]),
        named_map("b", &[("MODEL", SONNET_4_6), ("OTHER", "x")]),
        named_map("plain", &[("MODEL", "gpt-5"), ("APP_MODEL", "gpt-5")]),
        elsewhere,
    ])
}

/// What is found at which variable, and what becomes of it, in a few words.
fn answers(env: &Value, from: &Value) -> String {
    let outcome = world().create(&taking(env, from));
    let results = outcome.found.iter().map(|one| {
        let (_, name) = one.at.split_once("/env/").unwrap();
        let answer = one
            .answer
            .replace(SONNET_4_5, "4.5")
            .replace(SONNET_4_6, "4.6");
        format!("{name}: {answer}")
    });
    results.collect::<Vec<_>>().join(", ")
}

macro_rules! rows {
    ($($name:ident: [$($env:expr),*] [$($from:expr),*] => $expected:literal;)+) => {
        $(#[test] fn $name() {
            assert_eq!(answers(&json!([$($env),*]), &json!([$($from),*])), $expected);
        })+
    };
}

rows! {
    an_entry_takes_a_key: [key("M", "a", "MODEL")] [] => "M: eu.4.5";
    an_item_brings_every_key: [] [all_of("a")] => "MODEL: eu.4.5";
    a_prefix_precedes_every_key: [] [all_behind("APP_", "a")] => "APP_1st: eu.4.5, APP_MODEL: eu.4.5";
    a_later_item_wins: [] [all_of("a"), all_of("b")] => "MODEL: eu.4.6";
    a_later_item_wins_that_holds_no_id: [] [all_of("a"), all_of("plain")] => "";
    an_earlier_item_loses_that_holds_no_id: [] [all_of("plain"), all_of("a")] => "MODEL: eu.4.5";
    another_prefix_is_another_name: [] [all_of("b"), all_behind("APP_", "b")] => "MODEL: eu.4.6, APP_MODEL: eu.4.6";
    a_key_that_reads_like_prefix_and_key_wins: [] [all_behind("APP_", "b"), all_of("plain")] => "";
    a_literal_wins_over_an_item: [variable("MODEL", "x")] [all_of("a")] => "";
    an_empty_literal_wins_over_an_item: [variable("MODEL", "")] [all_of("a")] => "";
    an_entry_without_value_wins_over_an_item: [json!({ "name": "MODEL" })] [all_of("a")] => "";
    a_literal_id_wins_over_an_item: [variable("MODEL", SONNET_4_6)] [all_of("a")] => "MODEL: eu.4.6";
    an_entry_wins_over_an_item: [key("MODEL", "b", "MODEL")] [all_of("a")] => "MODEL: eu.4.6";
    an_entry_of_another_name_does_not: [variable("MODEL_2", "x")] [all_of("a")] => "MODEL: eu.4.5";
    the_last_entry_of_a_name_wins: [key("M", "a", "MODEL"), key("M", "b", "MODEL")] [] => "M: eu.4.6";
    a_last_literal_wins: [key("M", "a", "MODEL"), variable("M", "x")] [] => "";
    a_last_entry_wins_over_a_literal: [variable("M", "x"), key("M", "a", "MODEL")] [] => "M: eu.4.5";
    what_a_text_takes_before_it_is_defined_again_counts: [variable("APP", "$(MODEL)"), variable("MODEL", "x")] [all_of("a")] => "MODEL: eu.4.5";
    what_its_own_text_takes_counts: [variable("MODEL", "bedrock/$(MODEL)")] [all_of("a")] => "MODEL: eu.4.5";
    what_is_taken_after_it_is_defined_again_does_not: [variable("MODEL", "x"), variable("APP", "$(MODEL)")] [all_of("a")] => "";
    what_is_escaped_takes_nothing: [variable("APP", "$$(MODEL)"), variable("MODEL", "x")] [all_of("a")] => "";
    what_is_no_reference_takes_nothing: [variable("APP", "$(MODEL $MODEL ${MODEL}"), variable("MODEL", "x")] [all_of("a")] => "";
    of_entries_the_one_before_counts: [key("MODEL", "b", "MODEL"), variable("APP", "$(MODEL)"), variable("MODEL", "x")] [all_of("a")] => "MODEL: eu.4.6";
    of_items_the_last_one_counts: [variable("APP", "$(MODEL)"), variable("MODEL", "x")] [all_of("a"), all_of("b")] => "MODEL: eu.4.6";
    an_unseen_item_between_is_a_doubt: [variable("APP", "$(MODEL)"), variable("MODEL", "x")] [all_of("a"), secret("")] => "MODEL: MayBeShadowed";
    an_unseen_entry_behind_is_none: [variable("APP", "$(MODEL)"), secret_key("MODEL", true)] [all_of("a")] => "MODEL: eu.4.5, MODEL: OutOfSight";
    a_last_entry_wins_that_holds_no_id: [key("M", "a", "MODEL"), key("M", "plain", "MODEL")] [] => "";
    an_optional_key_that_is_absent_is_nothing: [optional_key("M", "a", "NONE")] [] => "";
    an_optional_key_of_no_config_map_is_nothing: [optional_key("M", "none", "MODEL")] [] => "";
    an_optional_key_that_is_there_counts: [optional_key("M", "a", "MODEL")] [] => "M: eu.4.5";
    what_is_nothing_beats_no_item: [optional_key("MODEL", "a", "NONE")] [all_of("a")] => "MODEL: eu.4.5";
    what_is_nothing_beats_no_entry: [key("M", "a", "MODEL"), optional_key("M", "none", "x")] [] => "M: eu.4.5";
    an_optional_item_that_is_absent_is_nothing: [] [all_of("a"), all_of_optional("none")] => "MODEL: eu.4.5";
    an_optional_item_that_is_there_counts: [] [all_of("a"), all_of_optional("b")] => "MODEL: eu.4.6";
    a_field_wins_over_an_item: [json!({ "name": "MODEL", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } })] [all_of("a")] => "";
    a_required_secret_wins_over_an_item: [secret_key("MODEL", false)] [all_of("a")] => "MODEL: OutOfSight";
    an_earlier_secret_loses: [] [secret(""), all_of("a")] => "MODEL: eu.4.5";
    a_secret_of_other_names_does_not_shadow: [] [all_of("a"), secret("DB_")] => "MODEL: eu.4.5";
    a_secret_whose_prefix_is_the_name_does_not_shadow: [] [all_of("a"), secret("MODEL")] => "MODEL: eu.4.5";
    a_key_that_is_no_name_is_no_variable: [] [all_of("a")] => "MODEL: eu.4.5";
    another_namespace_is_not_looked_at: [key("M", "far", "MODEL")] [] => "M: ReferenceUnseen";
    a_value_beside_its_source_is_a_literal: [json!({ "name": "M", "value": "x", "valueFrom": { "configMapKeyRef": { "name": "a", "key": "MODEL" } } })] [] => "";
    an_empty_value_beside_its_source_is_none: [json!({ "name": "M", "value": "", "valueFrom": { "configMapKeyRef": { "name": "a", "key": "MODEL" } } })] [] => "M: eu.4.5";
}

#[test]
fn an_expansion_before_a_redefinition_gets_the_profile() {
    let env = json!([variable("APP", "--model=$(MODEL)"), variable("MODEL", "x")]);
    let outcome = world().create(&taking(&env, &json!([all_of("a")])));
    let expected = json!([
        variable("MODEL", &behind("eu", SONNET_4_5)),
        variable("APP", "--model=$(MODEL)"),
        variable("MODEL", "x"),
    ]);
    assert_eq!(outcome.after["spec"]["containers"][0]["env"], expected);
    assert!(!world().create(&outcome.after).changed());
}

#[test]
fn every_sort_of_container_is_followed() {
    let container = |name: &str| json!({ "name": name, "envFrom": [all_of("a")] });
    let mut pod = pod_of(&container("app"));
    pod["spec"]["initContainers"] = json!([container("init")]);
    pod["spec"]["ephemeralContainers"] = json!([container("debug")]);
    let outcome = world().create(&pod);
    for at in ["init/env/MODEL", "app/env/MODEL", "debug/env/MODEL"] {
        let found: Vec<_> = outcome.found.iter().filter(|one| one.at == at).collect();
        assert_eq!(found.len(), 1, "{at}");
        assert_eq!(found[0].answer, behind("eu", SONNET_4_5));
    }
}

#[test]
fn only_config_map_values_equal_to_an_id_are_resolved() {
    for (text, answer) in [
        ("ID", Some("eu.ID")),
        (" ID\n", Some("eu.ID")),
        ("bedrock/ID", Some("eu.ID")),
        ("bedrock/us-east-1/ID", Some("us.ID")),
        ("us.ID", Some("ProfileNotServed")),
        ("eu.ID", None),
        ("ID,other", None),
        ("we use ID", None),
        ("{\"model\": \"ID\"}", None),
        ("MODEL=ID", None),
        ("us.us.ID", None),
        ("ID:48k", None),
        ("arn:aws:bedrock:us-east-1::foundation-model/ID", None),
    ] {
        let world = Scenario::under("{ region: { default: eu-west-1 } }").knowing(&[named_map(
            "a",
            &[("MODEL", &text.replace("ID", SONNET_4_5))],
        )]);
        let outcome = world.create(&taking(&json!([key("M", "a", "MODEL")]), &json!([])));
        let answers: Vec<_> = outcome.answers();
        let expected: Vec<_> = answer
            .iter()
            .map(|one| one.replace("ID", SONNET_4_5))
            .collect();
        assert_eq!(answers, expected, "{text:?}");
        if answers.first().is_some_and(|one| one.contains('.')) {
            let written = text.replace("ID", &expected[0]);
            assert_eq!(outcome.env("M"), written);
        }
    }
}
