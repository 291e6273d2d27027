//! Random objects with planted IDs: what they are, and what they must become.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::evaluate::scenario::{SONNET_4_5, SONNET_4_6};

/// An object, and the same with every planted ID replaced.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) before: Value,
    pub(crate) after: Value,
    /// What stands beside IDs and must never be told.
    pub(crate) secret: String,
}

/// One text, before and after.
#[derive(Debug, Clone)]
struct Planted {
    before: String,
    /// As a template with `{}` for the answer; `None` where it stays.
    after: Option<(String, &'static str)>,
}

/// A region and the geography that serves all models of these scenes there.
const REGIONS: &[(&str, &str)] = &[
    ("eu-west-1", "eu"),
    ("us-east-1", "us"),
    ("ap-northeast-1", "jp"),
];

const MODELS: &[&str] = &[
    SONNET_4_5,
    SONNET_4_6,
    "anthropic.claude-haiku-4-5-20251001-v1:0",
];

/// Shapes that are rewritten in every place.
const PLAIN: &[&str] = &[
    "ID",
    " ID\n",
    "bedrock/ID",
    "bedrock/converse/ID",
    "bedrock:ID",
    "amazon-bedrock/ID",
    "ID[1m]",
];

/// Shapes that are rewritten in command lines.
const COMMANDS: &[&str] = &[
    "--model=ID",
    "--model 'ID' --key SECRET",
    "TOKEN=SECRET app --model=bedrock/ID",
    "curl -H \"Authorization: SECRET\" ; app --model ID\n",
    "é SECRET\tü --model \"ID\"",
    "set -eu\nexec app \\\n  --password SECRET \\\n  --model ID\n",
];

/// The same in variables: a value that is more than one word must look like options.
const OPTIONS: &[&str] = &[
    "\"ID\"",
    "--key=SECRET --model ID",
    "-Dkey=SECRET -Dmodel=ID",
    "{\"model\": \"ID\", \"key\": \"SECRET\"}",
];

/// Texts that stay as they are, in every place.
const LEFT: &[&str] = &[
    "us.us.ID",
    "ID-7",
    "anthropic.com",
    "arn:aws:bedrock:us-east-1::foundation-model/ID",
    "ID:48k",
    "curl -d '{\"model\": \"ID\", \"key\": \"SECRET\"}' http://gateway",
    // Of no other text: an ID that also stands in a list stays with it.
    "anthropic.claude-opus-4-5-20251101-v1:0,other,SECRET",
    "https://SECRET@host/model/ID/invoke",
    "vertex_ai/ID",
    "anthropic.claude-sonnet-9-v1:0",
    "anthropic.claude-fable-5-2",
    "xanthropic.claude-sonnet-4-6",
];

fn planted(shapes: Vec<&'static str>) -> impl Strategy<Value = Planted> {
    let rewritten = (select(shapes), select(MODELS)).prop_map(|(shape, id)| Planted {
        before: shape.replace("ID", id),
        after: Some((shape.to_owned(), id)),
    });
    let left = (select(LEFT), select(MODELS)).prop_map(|(shape, id)| Planted {
        before: shape.replace("ID", id),
        after: None,
    });
    let noise = "[ -~éß\n]{0,24}".prop_map(|text| Planted {
        before: text.replace('$', "_").replace("--", "__"),
        after: None,
    });
    prop_oneof![4 => rewritten, 1 => left, 2 => noise]
}

fn with(shapes: &[&[&'static str]]) -> Vec<&'static str> {
    shapes.concat()
}

impl Planted {
    fn texts(self, geography: Option<&str>, secret: &str) -> (String, String) {
        let after = match (&self.after, geography) {
            (Some((shape, id)), Some(geography)) => {
                shape.replace("ID", &format!("{geography}.{id}"))
            }
            _ => self.before.clone(),
        };
        let with_secret = |text: String| text.replace("SECRET", secret);
        (with_secret(self.before), with_secret(after))
    }
}

/// Any JSON, of texts that are near to what is looked for.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        "\\PC{0,12}".prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((key(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Keys of the objects that are judged, and others.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec![
            "apiVersion", "kind", "metadata", "spec", "template", "containers", "initContainers", "ephemeralContainers",
            "env", "args", "command", "name", "value", "valueFrom", "data", "binaryData", "annotations", "labels",
            "ownerReferences", "controller", "immutable", "deletionTimestamp", "bedrock-profiles.dev/rewrites",
            "bedrock-profiles.dev/region", "bedrock-profiles.dev/ignore", "AWS_REGION", "a/b~c",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ]
}

/// Texts that mean something here, and texts near to them.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let word = select(vec![
        "anthropic.claude-sonnet-4-6",
        SONNET_4_5,
        "claude-sonnet-4-5",
        "eu.",
        "us.",
        "global.",
        "bedrock/",
        "us-east-1",
        "eu-west-1",
        "asia-1",
        "arn:aws:bedrock:us-east-1::foundation-model/",
        "anthropic.",
        ",",
        "[",
        "]",
        "{",
        "\"",
        "'",
        " ",
        "\n",
        "--region ",
        "--model=",
        "$(AWS_REGION)",
        "${X}",
        "$(",
        ")",
        "@",
        "%",
        ":",
        ":48k",
        "[1m]",
        "é",
        "\u{10ffff}",
        "\u{0}",
        "=",
        "/",
        "AWS_REGION",
        "Pod",
        "ConfigMap",
        "Deployment",
        "v1",
        "apps/v1",
        "true",
        "app/env/M",
        "{\"entries\":[{\"at\":\"app/env/M\",\"from\":\"anthropic.claude-sonnet-4-6\",\"to\":\"eu.anthropic.claude-sonnet-4-6\",\"region\":\"eu-west-1\",\"by\":\"ContainerEnv\"}]}",
    ]);
    vec(word, 0..6).prop_map(|words| words.concat())
}

/// A container, before and after.
fn container(name: String) -> impl Strategy<Value = (Planted4, String)> {
    (
        (
            vec(planted(with(&[PLAIN, OPTIONS])), 0..5),
            vec(planted(with(&[PLAIN, COMMANDS])), 0..3),
            vec(planted(with(&[PLAIN, COMMANDS])), 0..3),
            prop::option::weighted(0.8, select(REGIONS)),
        ),
        Just(name),
    )
}

type Planted4 = (
    Vec<Planted>,
    Vec<Planted>,
    Vec<Planted>,
    Option<(&'static str, &'static str)>,
);

fn rendered((env, args, command, region): Planted4, name: &str, secret: &str) -> [Value; 2] {
    let geography = region.map(|(_, geography)| geography);
    let texts = |all: Vec<Planted>| -> (Vec<String>, Vec<String>) {
        all.into_iter()
            .map(|one| one.texts(geography, secret))
            .unzip()
    };
    let (env, args, command) = (texts(env), texts(args), texts(command));
    let container = |env: Vec<String>, args: Vec<String>, command: Vec<String>| {
        let mut list: Vec<Value> = (0..)
            .zip(env)
            .map(|(at, value): (usize, _)| json!({ "name": format!("V{at}"), "value": value }))
            .collect();
        list.push(json!({ "name": "KEY", "value": secret }));
        list.push(json!({ "name": "HOST", "valueFrom": { "fieldRef": { "fieldPath": "status.hostIP" } } }));
        list.extend(region.map(|(code, _)| json!({ "name": "AWS_REGION", "value": code })));
        json!({ "name": name, "image": "x", "env": list, "args": args, "command": command })
    };
    [
        container(env.0, args.0, command.0),
        container(env.1, args.1, command.1),
    ]
}

/// Pods with several containers.
fn pods() -> impl Strategy<Value = Scene> {
    (
        container("init".to_owned()),
        container("app".to_owned()),
        container("sidecar".to_owned()),
        "s3cr3t[A-Za-z0-9]{8}",
        vec(("[a-z]{1,8}/[a-z]{1,8}", "\\PC{0,16}"), 0..3),
        any_json(),
    )
        .prop_map(|(init, app, sidecar, secret, notes, noise)| {
            let [init, app, sidecar] =
                [init, app, sidecar].map(|(texts, name)| rendered(texts, &name, &secret));
            let notes: Map<String, Value> = notes
                .into_iter()
                .map(|(key, text)| (key, text.into()))
                .collect();
            let whole = |at: usize| {
                json!({
                    "apiVersion": "v1", "kind": "Pod",
                    "metadata": { "name": "p", "annotations": notes, "labels": { "noise": "anthropic.claude-sonnet-4-6" } },
                    "spec": { "initContainers": [init[at]], "containers": [app[at], sidecar[at]], "noise": noise },
                    "status": noise,
                })
            };
            Scene { before: whole(0), after: whole(1), secret }
        })
}

/// ConfigMaps.
fn config_maps() -> impl Strategy<Value = Scene> {
    (
        vec(planted(PLAIN.to_vec()), 0..8),
        prop::option::weighted(0.8, select(REGIONS)),
        "s3cr3t[A-Za-z0-9]{8}",
        any_json(),
    )
        .prop_map(|(values, region, secret, noise)| {
            let mut data = [Map::new(), Map::new()];
            for (at, value) in values.into_iter().enumerate() {
                let (before, after) = value.texts(region.map(|(_, geography)| geography), &secret);
                data[0].insert(format!("k{at}"), before.into());
                data[1].insert(format!("k{at}"), after.into());
            }
            let whole = |mut data: Map<String, Value>| {
                data.insert("key".to_owned(), secret.clone().into());
                data.extend(region.map(|(code, _)| ("AWS_REGION".to_owned(), code.into())));
                json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": data, "noise": noise })
            };
            let [before, after] = data.map(whole);
            Scene { before, after, secret }
        })
}

pub(crate) fn scenes() -> impl Strategy<Value = Scene> {
    prop_oneof![3 => pods(), 1 => config_maps()]
}
