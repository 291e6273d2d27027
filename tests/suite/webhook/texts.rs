//! The texts of a response to an object whose names admission sees before the API server has validated them.

use serde_json::{Value, json};

use crate::evaluate::shipped_catalog::{SONNET, TODAY, named, view};
use crate::reviews::created;

/// Names with a line feed, a terminal sequence and a character that reverses the text after it, and names of any length.
fn pod(length: usize) -> Value {
    let name = format!("a\r\nb\u{1b}[31m\u{202e}c{}", "x".repeat(length));
    let containers: Vec<_> = (0..20)
        .map(|number| {
            json!({"name": format!("{name}{number}"), "env": [
                {"name": format!("{name}_MODEL"), "value": SONNET},
                {"name": "AWS_REGION", "value": if number % 2 == 0 { "eu-west-1" } else { "ca-west-1" }},
            ]})
        })
        .collect();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}})
}

/// All strings that a response shows to people.
fn texts(response: &Value) -> Vec<&str> {
    let message = response.pointer("/status/message").into_iter();
    let warnings = response["warnings"].as_array().into_iter().flatten();
    let annotations = response["auditAnnotations"].as_object().into_iter();
    let annotations = annotations.flat_map(|annotations| annotations.values());
    let texts = message.chain(warnings).chain(annotations);
    texts.map(|text| text.as_str().unwrap()).collect()
}

#[tokio::test]
async fn names_of_an_object_are_shortened_and_have_no_control_characters() {
    for mode in ["Rewrite", "Deny", "DryRun"] {
        for length in [0, 140_000] {
            let policy = named("test", json!({"mode": mode}), json!({"references": "Off"}));
            let (response, _) = created(view(&policy), TODAY, &pod(length)).await;
            assert_eq!(response["allowed"], json!(mode != "Deny"));
            let texts = texts(&response);
            assert!(
                texts.iter().any(|text| text.contains("\\u{202e}c")),
                "{texts:?}"
            );
            for text in texts {
                assert!(text.len() < 5000, "{}", text.len());
                let raw = |character: char| character.is_control() || character == '\u{202e}';
                assert!(!text.contains(raw), "{text:?}");
            }
        }
    }
}
