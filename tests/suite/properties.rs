//! What holds for every object: only the intended scalars differ, a second run is empty, no input makes a panic or a wrong
//! answer, and a secret beside an ID stays where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use bedrock_profiles::domain::judge::{Action, Verdict};
use bedrock_profiles::domain::record::ANNOTATION;
use bedrock_profiles::webhook::desk::{Desk, Door};
use bedrock_profiles::webhook::metrics::Families;
use prometheus_client::registry::Registry;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::decision::{SONNET, TODAY, judged, named, patched, policy, verdict, view};

/// Texts with IDs in many shapes, and texts without one.
fn text() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec![
        SONNET,
        "anthropic.claude-sonnet-4-6",
        "anthropic.claude-sonnet-4-20250514-v1:0",
        "anthropic.claude-sonnet-9-9",
        "amazon.nova-lite-v1:0",
        "us.anthropic.claude-sonnet-4-6",
        "us.us.anthropic.claude-sonnet-4-6",
        "anthropic.com",
    ]);
    let frame = prop::sample::select(vec![
        "@",
        "@\n",
        "bedrock/@",
        "bedrock/converse/@",
        "bedrock/us-west-2/@",
        "bedrock:@",
        "aws/@",
        "vertex_ai/@",
        "--model=@",
        "--model @ --fast",
        "app --model '@'; other",
        "@,@",
        "[\"@\"]",
        "{\"model\": \"@\"}",
        "use @ please",
        "@:48k",
        "@[1m]",
        "arn:aws:bedrock:us-east-1::foundation-model/@",
        "é@",
        "\"@\"",
        "@ @",
        "$(@)",
        "x@",
    ]);
    prop_oneof![
        3 => (id, frame).prop_map(|(id, frame)| frame.replace('@', id)),
        1 => "[ -~é\\n\"\\\\]{0,40}",
    ]
}

fn variable() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "MODEL",
        "BEDROCK_MODEL_ID",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "BEDROCK_REGION",
        "OTHER",
        "X~/Y",
    ]);
    let region = prop::sample::select(vec![
        "us-east-1",
        "eu-west-1",
        "sa-east-1",
        "asia-1",
        "",
        "$(X)",
    ])
    .prop_map(ToOwned::to_owned);
    (name, prop_oneof![text(), region])
        .prop_map(|(name, value)| json!({"name": name, "value": value}))
}

fn container(name: String) -> impl Strategy<Value = Value> {
    (vec(variable(), 0..6), vec(text(), 0..3), vec(text(), 0..2))
        .prop_map(move |(env, args, command)| json!({"name": name, "env": env, "args": args, "command": command}))
}

fn pod() -> impl Strategy<Value = Value> {
    let annotations = prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!({"a/b": "c~d"})),
        Just(json!({ANNOTATION: "forged"}))
    ];
    let of = |sort: &'static str| {
        (0..3usize).prop_flat_map(move |count| {
            (0..count)
                .map(|at| container(format!("{sort}{at}")))
                .collect::<Vec<_>>()
        })
    };
    (of("i"), of("c"), of("e"), annotations).prop_map(|(init, containers, ephemeral, annotations)| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "annotations": annotations},
            "spec": {"initContainers": init, "containers": containers, "ephemeralContainers": ephemeral}})
    })
}

fn config_map() -> impl Strategy<Value = Value> {
    let region = prop::sample::select(vec!["us-east-1", "eu-west-1", "sa-east-1"]);
    (vec(text(), 0..6), region).prop_map(|(values, region)| {
        let mut data: serde_json::Map<_, _> = values
            .into_iter()
            .enumerate()
            .map(|(at, value)| (format!("key.{at}"), json!(value)))
            .collect();
        data.insert("AWS_REGION".to_owned(), json!(region));
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data})
    })
}

fn action(object: &Value) -> Action<'static> {
    if object["kind"] == "Pod" {
        Action::CreatePod
    } else {
        Action::Apply(None)
    }
}

/// Every scalar by its pointer.
fn leaves(value: &Value) -> BTreeMap<String, Value> {
    fn walk(value: &Value, at: &str, into: &mut BTreeMap<String, Value>) {
        if let Value::Object(fields) = value {
            for (key, value) in fields {
                walk(
                    value,
                    &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                    into,
                );
            }
        } else if let Value::Array(items) = value {
            for (index, value) in items.iter().enumerate() {
                walk(value, &format!("{at}/{index}"), into);
            }
        } else {
            into.insert(at.to_owned(), value.clone());
        }
    }
    let mut all = BTreeMap::new();
    walk(value, "", &mut all);
    all.retain(|pointer, _| !pointer.starts_with("/metadata/annotations"));
    all
}

/// The texts of an object with every target in the place of its ID, by pointer, as the judgement says them.
fn intended(
    view: &bedrock_profiles::domain::snapshot::View,
    object: &Value,
) -> BTreeMap<String, String> {
    let text = object.to_string();
    let tree = bedrock_profiles::text::Tree::json(&text).unwrap();
    let parsed = bedrock_profiles::domain::object::Object::at(&tree, tree.root());
    let namespace = bedrock_profiles::domain::policy::Namespace::named("ml");
    let context = bedrock_profiles::domain::judge::Context {
        view,
        namespace: &namespace,
        action: action(object),
        today: TODAY,
    };
    let judgement = bedrock_profiles::domain::judge::judge(&parsed, &context);
    let mut texts = BTreeMap::new();
    for one in judgement
        .decided
        .iter()
        .flat_map(|(_, findings)| findings)
        .rev()
    {
        let Some(target) = one.resolution.target() else {
            continue;
        };
        let node = one.finding.leaf.node;
        let text = texts
            .entry(tree.pointer(tree.root(), node))
            .or_insert_with(|| tree.text(node).unwrap().to_owned());
        text.replace_range(one.finding.token.span.clone(), &target.to_string());
    }
    texts
}

fn desk(policies: &str) -> Desk {
    let families = Families::register(&mut Registry::default());
    Desk::new(
        Arc::new(ArcSwap::from_pointee(view(policies))),
        families,
        BTreeSet::new(),
        || TODAY,
    )
}

fn review(object: &Value) -> Value {
    let resource = if object["kind"] == "Pod" {
        "pods"
    } else {
        "configmaps"
    };
    json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "the-uid", "kind": {"group": "", "version": "v1", "kind": object["kind"]}, "resource": {"group": "", "version": "v1", "resource": resource},
        "namespace": "ml", "operation": "CREATE", "userInfo": {}, "object": object, "oldObject": null, "dryRun": false}})
}

/// What a body is answered, checked for its form; the object as it would be stored.
fn answered(desk: &Desk, door: Door, body: &[u8]) -> Option<(Value, Option<Value>)> {
    let bytes = desk.answer(door, body).ok()?;
    let answer: Value = serde_json::from_slice(&bytes).expect("an answer is JSON");
    let response = &answer["response"];
    let request = serde_json::from_slice::<Value>(body).map(|review| review["request"].clone());
    if let Ok(request) = &request {
        assert_eq!(response["uid"], request["uid"]);
    }
    assert_eq!(
        response["patch"].is_string(),
        response["patchType"] == "JSONPatch"
    );
    let stored = response["patch"].as_str().map(|patch| {
        let patch = base64::engine::general_purpose::STANDARD
            .decode(patch)
            .expect("base64");
        let patch: json_patch::Patch = serde_json::from_slice(&patch).expect("a JSON patch");
        assert!(!patch.0.is_empty());
        let mut object = request.expect("only a whole review is patched")["object"].clone();
        json_patch::patch(&mut object, &patch).expect("the patch applies");
        object
    });
    Some((answer, stored))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn only_the_intended_scalars_differ_and_a_second_run_is_empty(object in prop_oneof![pod(), config_map()]) {
        let view = view(&policy(json!({"references": "Off", "region": {"default": "us-east-1"}})));
        let after = patched(&view, &object, action(&object));
        let mut expected = leaves(&object);
        for (pointer, text) in intended(&view, &object) {
            expected.insert(pointer, Value::String(text));
        }
        prop_assert_eq!(leaves(&after), expected);
        let annotations = |object: &Value| {
            let mut all = object["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
            all.remove(ANNOTATION);
            all
        };
        prop_assert_eq!(annotations(&after), annotations(&object));
        prop_assert_ne!(verdict(&view, &after, action(&after)), "rewrite");
    }

    #[test]
    fn the_answer_of_the_desk_is_the_judgement_s(object in prop_oneof![pod(), config_map()]) {
        let fields = json!({"references": "Off", "region": {"default": "us-east-1"}});
        let (_, stored) = answered(&desk(&policy(fields.clone())), Door::Mutate, review(&object).to_string().as_bytes()).unwrap();
        let expected = patched(&view(&policy(fields)), &object, action(&object));
        prop_assert_eq!(stored.unwrap_or(object), expected);
    }

    #[test]
    fn arbitrary_bytes_are_answered_or_refused(bytes in vec(any::<u8>(), 0..300), tail in text()) {
        let desk = desk(&policy(json!({"references": "Off"})));
        for door in [Door::Mutate, Door::Validate] {
            answered(&desk, door, &bytes);
            answered(&desk, door, &[&bytes, tail.as_bytes()].concat());
        }
    }

    #[test]
    fn a_broken_review_is_answered_or_refused(object in pod(), cut in any::<prop::sample::Index>(), swap in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let desk = desk(&policy(json!({"references": "Off"})));
        let whole = review(&object).to_string().into_bytes();
        answered(&desk, Door::Mutate, &whole[..cut.index(whole.len())]);
        let mut swapped = whole.clone();
        swapped[swap.index(whole.len())] = byte;
        answered(&desk, Door::Mutate, &swapped);
    }

    #[test]
    fn objects_of_any_form_are_answered(noise in json_value(), model in text()) {
        let desk = desk(&policy(json!({"references": "Off", "region": {"default": "us-east-1"}})));
        for object in [
            noise.clone(),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": noise, "spec": {"containers": [{"name": noise, "env": [{"name": "M", "value": model}, noise]}]}}),
            json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [noise, {"env": [{"name": "M", "value": model}], "args": noise}]}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": noise, "data": {"m": model, "n": noise}}),
        ] {
            let mut review = review(&object);
            if object["kind"] == "Pod" {
                review["request"]["resource"]["resource"] = json!("pods");
            }
            answered(&desk, Door::Mutate, review.to_string().as_bytes());
        }
    }

    #[test]
    fn a_secret_beside_an_id_stays_where_it_is(secret in "[A-Za-z0-9+/]{24}", mode in prop::sample::select(vec!["Rewrite", "Deny", "DryRun"]), region in prop::sample::select(vec!["eu-west-1", "sa-east-1"])) {
        let policies = named("p", json!({"mode": mode, "references": "Off", "unresolved": "Deny"}), json!({}));
        let argument = format!("--token={secret} --model {SONNET}");
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
            {"name": "app", "args": [argument], "env": [{"name": "TOKEN", "value": secret}, {"name": "M", "value": argument}, {"name": "AWS_REGION", "value": region}]}]}});
        let (mut answer, stored) = answered(&desk(&policies), Door::Mutate, review(&object).to_string().as_bytes()).unwrap();
        answer["response"]["patch"] = Value::Null;
        prop_assert!(!answer.to_string().contains(&secret), "{answer}");
        let annotations = stored.map(|object| object["metadata"]["annotations"].to_string()).unwrap_or_default();
        prop_assert!(!annotations.contains(&secret), "{annotations}");
        let view = view(&policies);
        judged(&view, &object, Action::CreatePod, |judgement| {
            prop_assert!(!matches!(judgement.verdict, Verdict::Untouched));
            Ok(())
        })?;
    }
}

/// JSON of any shape, a few levels deep.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop::sample::select(vec![
            "name",
            "env",
            "annotations",
            "bedrock-profiles.dev/rewrites",
            "value",
            "x",
        ]);
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.prop_map(ToOwned::to_owned), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
