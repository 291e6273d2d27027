//! An ID that is taken from elsewhere is left for the names around it, in the ConfigMap and in the container.

use serde_json::{Value, json};

use super::*;

const GATEWAY: (&str, &str) = ("OPENAI_BASE_URL", "http://litellm:4000");
const RUNTIME: (&str, &str) = (
    "ANTHROPIC_BEDROCK_BASE_URL",
    "https://bedrock-runtime.eu-west-1.amazonaws.com",
);

fn answers(data: &[(&str, &str)], pod: &Value) -> Vec<String> {
    let world = World::under("{ region: { default: eu-west-1 } }").knowing(&[named_map("a", data)]);
    let outcome = world.create(pod);
    assert_eq!(
        outcome.changed(),
        outcome.found.iter().any(|one| one.answer.contains('.'))
    );
    let answers = outcome.answers().into_iter();
    answers.map(|one| one.replace(SONNET_4_5, "ID")).collect()
}

#[test]
fn the_names_beside_it_in_the_config_map_count() {
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
fn the_names_beside_it_in_the_container_count() {
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
