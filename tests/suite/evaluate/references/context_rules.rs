//! An ID that is taken from elsewhere is left for the names around it, in the ConfigMap and in the container.

use serde_json::{Value, json};

use super::*;

const GATEWAY: (&str, &str) = ("OPENAI_BASE_URL", "http://litellm:4000");
const RUNTIME: (&str, &str) = (
    "ANTHROPIC_BEDROCK_BASE_URL",
    "https://bedrock-runtime.eu-west-1.amazonaws.com",
);

fn answers(data: &[(&str, &str)], pod: &Value) -> Vec<String> {
    evaluated(&[named_map("a", data)], pod)
}

fn evaluated(maps: &[Value], pod: &Value) -> Vec<String> {
    let world = Scenario::under("{ region: { default: eu-west-1 } }").knowing(maps);
    let outcome = world.create(pod);
    assert_eq!(
        outcome.changed(),
        outcome.found.iter().any(|one| one.answer.contains('.'))
    );
    let answers = outcome.answers().into_iter();
    answers.map(|one| one.replace(SONNET_4_5, "ID")).collect()
}

#[test]
fn sibling_names_in_the_config_map_match_context_rules() {
    let model = ("MODEL", SONNET_4_5);
    for (data, expected) in [
        (&[model][..], "eu.ID"),
        (&[model, RUNTIME], "eu.ID"),
        (&[model, GATEWAY], "GatewayClient"),
        (
            &[model, ("BEDROCK_INFERENCE_PROFILE_ID", "x")],
            "ExplicitProfile",
        ),
        (&[("description", SONNET_4_5)], "Prose"),
        (&[("base_model", SONNET_4_5)], "PriceTable"),
    ] {
        let name = data[0].0;
        for pod in [
            taking(&json!([key("M", "a", name)]), &json!([])),
            taking(&json!([]), &json!([all_of("a")])),
            taking(&json!([]), &json!([all_behind("APP_", "a")])),
        ] {
            assert_eq!(answers(data, &pod), [expected], "{name} {pod}");
        }
    }
}

#[test]
fn sibling_names_in_the_container_match_context_rules() {
    let data = [("MODEL", SONNET_4_5)];
    for (entry, expected) in [
        (variable("OTHER", "x"), "eu.ID"),
        (variable(RUNTIME.0, RUNTIME.1), "eu.ID"),
        (variable(GATEWAY.0, GATEWAY.1), "GatewayClient"),
        (secret_key(GATEWAY.0, false), "GatewayClient"),
        (variable("CLAUDE_CODE_USE_VERTEX", "1"), "OtherCloud"),
    ] {
        for pod in [
            taking(&json!([entry, key("M", "a", "MODEL")]), &json!([])),
            taking(&json!([entry]), &json!([all_of("a")])),
            taking(&json!([entry]), &json!([all_behind("APP_", "a")])),
        ] {
            assert_eq!(answers(&data, &pod), [expected], "{pod}");
        }
    }
    // The variable's own name, where it is another than the key.
    let pod = taking(&json!([key("description", "a", "MODEL")]), &json!([]));
    assert_eq!(answers(&data, &pod), ["Prose"]);
    // Another container's gateway says nothing.
    let mut pod = taking(&json!([key("M", "a", "MODEL")]), &json!([]));
    let gateway = variable(GATEWAY.0, GATEWAY.1);
    pod["spec"]["initContainers"] = json!([{ "name": "init", "env": [gateway] }]);
    assert_eq!(answers(&data, &pod), ["eu.ID"]);
}

/// What becomes of a literal ID in a container that takes the keys of these ConfigMaps, besides entries of its own.
fn beside(maps: &[&[(&str, &str)]], env: &[Value], from: &Value) -> Vec<String> {
    let named = |(at, data): (usize, &&[(&str, &str)])| named_map(["a", "b"][at], data);
    let maps: Vec<_> = maps.iter().enumerate().map(named).collect();
    let model = [variable("MODEL", SONNET_4_5)];
    let env: Vec<_> = env.iter().chain(&model).cloned().collect();
    evaluated(&maps, &taking(&json!(env), from))
}

#[test]
fn env_from_keys_match_context_rules_of_a_literal_id() {
    for (name, text, expected) in [
        GATEWAY_REASON,
        (RUNTIME.0, RUNTIME.1, "eu.ID"),
        ("OPENAI_BASE_URL", "", "eu.ID"),
        ("BEDROCK_INFERENCE_PROFILE_PREFIX", "us", "PrefixedByTool"),
        ("BEDROCK_INFERENCE_PROFILE_PREFIX", "true", "eu.ID"),
        ("ENABLE_CROSS_REGION_INFERENCE", "true", "PrefixedByTool"),
        ("ENABLE_CROSS_REGION_INFERENCE", "false", "eu.ID"),
        ("LLM_PROVIDER", "vertex_ai", "OtherCloud"),
        ("LLM_PROVIDER", "bedrock", "eu.ID"),
        ("CLAUDE_CODE_USE_MANTLE", "1", "Mantle"),
        (
            "SOME_URL",
            "https://bedrock-mantle.eu-west-1.api.aws",
            "Mantle",
        ),
        (
            "MODEL_ID",
            "arn:aws:bedrock:eu-west-1:1:application-inference-profile/a",
            "ExplicitProfile",
        ),
        ("OTHER", "http://litellm:4000", "eu.ID"),
        // Said of entries of a document alone.
        ("PROVIDER", "openai", "eu.ID"),
    ] {
        let found = beside(&[&[(name, text)]], &[], &json!([all_of("a")]));
        assert_eq!(found, [expected], "{name}={text}");
    }
    // A container's own arguments and files stand beside them too.
    let container =
        json!({ "name": "app", "args": ["--model", SONNET_4_5], "envFrom": [all_of("a")] });
    assert_eq!(answers(&[GATEWAY], &pod_of(&container)), ["GatewayClient"]);
}

#[test]
fn a_config_map_key_reference_matches_context_rules_of_a_literal_id() {
    for (name, text, expected) in [
        GATEWAY_REASON,
        (RUNTIME.0, RUNTIME.1, "eu.ID"),
        (GATEWAY.0, "", "eu.ID"),
        (GATEWAY.0, "$(URL)", "GatewayClient"),
        ("CLAUDE_CODE_USE_MANTLE", "1", "Mantle"),
        ("CLAUDE_CODE_USE_MANTLE", "0", "eu.ID"),
        ("BEDROCK_INFERENCE_PROFILE_PREFIX", "us", "PrefixedByTool"),
        ("BEDROCK_INFERENCE_PROFILE_PREFIX", "false", "eu.ID"),
        ("LLM_PROVIDER", "openai", "GatewayClient"),
        ("LLM_PROVIDER", "bedrock", "eu.ID"),
        ("OTHER", GATEWAY.1, "eu.ID"),
    ] {
        // The key has a name of its own, which says nothing in the container.
        for name_there in ["x", "BASE_URL", "CLAUDE_CODE_USE_VERTEX"] {
            let entry = key(name, "a", name_there);
            let found = beside(&[&[(name_there, text)]], &[entry], &json!([]));
            assert_eq!(found, [expected], "{name}={text} from {name_there}");
        }
    }
    // The entry counts over what envFrom brings in.
    let direct: &[(&str, &str)] = &[("x", RUNTIME.1), GATEWAY];
    let entry = key(GATEWAY.0, "a", "x");
    assert_eq!(
        beside(&[direct], &[entry], &json!([all_of("a")])),
        ["eu.ID"]
    );
    // A region that is taken so is read where the setting is.
    let data: &[(&str, &str)] = &[("x", "0"), ("r", "us-east-1")];
    let entries = [
        key("CLAUDE_CODE_USE_MANTLE", "a", "x"),
        key("AWS_REGION", "a", "r"),
    ];
    assert_eq!(beside(&[data], &entries, &json!([])), ["us.ID"]);
}

#[test]
fn an_unobserved_variable_may_hold_any_value() {
    let observed: &[(&str, &str)] = &[("x", "0")];
    for (entry, expected) in [
        (key("CLAUDE_CODE_USE_MANTLE", "unseen", "x"), "Mantle"),
        (key("CLAUDE_CODE_USE_MANTLE", "a", "unseen"), "Mantle"),
        (secret_key("CLAUDE_CODE_USE_MANTLE", false), "Mantle"),
        (secret_key("CLAUDE_CODE_USE_MANTLE", true), "Mantle"),
        (key("CLAUDE_CODE_USE_MANTLE", "a", "x"), "eu.ID"),
        // Nothing is there, and nothing has to be.
        (optional_key("CLAUDE_CODE_USE_MANTLE", "none", "x"), "eu.ID"),
        (optional_key("CLAUDE_CODE_USE_MANTLE", "a", "none"), "eu.ID"),
    ] {
        assert_eq!(
            beside(&[observed], std::slice::from_ref(&entry), &json!([])),
            [expected],
            "{entry}"
        );
    }
}

const GATEWAY_REASON: (&str, &str, &str) = (GATEWAY.0, GATEWAY.1, "GatewayClient");

#[test]
fn env_from_keys_match_context_rules_under_their_prefixed_names() {
    let url = ("BASE_URL", "http://gateway:4000");
    let provider = ("LLM_PROVIDER", "openai");
    for (data, from, expected) in [
        (url, all_of("a"), "eu.ID"),
        (url, all_behind("OPENAI_", "a"), "GatewayClient"),
        (url, all_behind("OTHER_", "a"), "eu.ID"),
        (provider, all_of("a"), "GatewayClient"),
        (provider, all_behind("APP_", "a"), "GatewayClient"),
        (provider, all_behind("EMBEDDING_", "a"), "eu.ID"),
    ] {
        assert_eq!(
            beside(&[&[data]], &[], &json!([from])),
            [expected],
            "{data:?} {from}"
        );
    }
}

#[test]
fn a_redefined_variable_is_not_reported() {
    let direct = (GATEWAY.0, RUNTIME.1);
    let both = json!([all_of("a"), all_of("b")]);
    assert_eq!(beside(&[&[GATEWAY], &[direct]], &[], &both), ["eu.ID"]);
    assert_eq!(
        beside(&[&[direct], &[GATEWAY]], &[], &both),
        ["GatewayClient"]
    );
    let one = json!([all_of("a")]);
    let entry = |text: &str| variable(GATEWAY.0, text);
    assert_eq!(beside(&[&[GATEWAY]], &[entry("")], &one), ["eu.ID"]);
    assert_eq!(beside(&[&[GATEWAY]], &[entry(RUNTIME.1)], &one), ["eu.ID"]);
    assert_eq!(
        beside(&[&[direct]], &[entry(GATEWAY.1)], &one),
        ["GatewayClient"]
    );
    // What may be nothing leaves what stands before it.
    let absent = optional_key(GATEWAY.0, "none", "x");
    assert_eq!(beside(&[&[GATEWAY]], &[absent], &one), ["GatewayClient"]);
    // A Secret may hold any name.
    assert_eq!(
        beside(&[&[("X", "x")]], &[], &json!([secret("")])),
        ["eu.ID"]
    );
}

#[test]
fn references_off_ignores_context_rules_of_config_maps() {
    let pod = taking(
        &json!([variable("MODEL", SONNET_4_5)]),
        &json!([all_of("a")]),
    );
    let maps = [named_map("a", &[GATEWAY])];
    let region = "region: { default: eu-west-1 }";
    let world = Scenario::of(
        &[
            (
                "now",
                &format!("{{ mode: Rewrite, references: \"Off\", {region} }}"),
            ),
            ("next", &format!("{{ {region} }}")),
        ],
        &[],
    );
    let outcome = world.knowing(&maps).create(&pod);
    assert_eq!(outcome.answer(), behind("eu", SONNET_4_5));
    assert_eq!(outcome.previews[0].1[0].answer, "GatewayClient");
}
