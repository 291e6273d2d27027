//! Reviews that were made to cost much: one for each way in which the cost of an object may grow faster than its size.

use std::fmt::Write as _;

use std::collections::BTreeSet;
use std::sync::Arc;

use bedrock_profiles::cli::evaluation_args::EvaluationArgs;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::webhook::handler::AdmissionHandler;
use bedrock_profiles::webhook::metrics::Metrics;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

#[path = "generated_reviews.rs"]
mod generated;
#[path = "costly_shapes.rs"]
mod shapes;

#[allow(unused_imports, reason = "each program uses one of them")]
pub(crate) use generated::{generated_review, review_of_input};

/// The ID in the reviews.
const ID: &str = "anthropic.claude-sonnet-4-6";

/// The largest body that the API server sends, in bytes.
const LARGEST_BODY: usize = 14 << 20;

/// A costly review.
pub(crate) struct CostlyReview {
    /// What it has too much of.
    pub(crate) name: &'static str,
    /// The object.
    object: Value,
    /// Whether its evaluation exceeds the budget.
    pub(crate) exceeds: bool,
}

impl CostlyReview {
    /// The body as the API server sends it.
    pub(crate) fn body(&self) -> Vec<u8> {
        body(&self.object)
    }
}

/// A handler with the default policy in a mode.
pub(crate) fn handler(mode: &str) -> AdmissionHandler {
    handler_of(json!({"mode": mode}))
}

/// A handler with the default policy and these fields. It excludes the namespace `excluded`.
pub(crate) fn handler_of(policy: Value) -> AdmissionHandler {
    let evaluation = EvaluationArgs {
        today: "2026-11-23".parse().ok(),
        ..EvaluationArgs::default()
    };
    let policy = serde_json::from_value(policy).unwrap();
    let (view, _) = evaluation.view(policy).unwrap();
    AdmissionHandler::new(
        Arc::new(Published::new(Some(view))),
        Metrics::register(&mut Registry::default()),
        BTreeSet::from(["excluded".into()]),
        evaluation.today(),
    )
}

/// Every costly review.
pub(crate) fn costly_reviews() -> Vec<CostlyReview> {
    let mut reviews = exceeding_files();
    reviews.extend(exceeding_objects());
    reviews.extend(reviews_within());
    reviews.extend(shapes::all());
    reviews
}

/// ConfigMaps with a file that exceeds the budget.
fn exceeding_files() -> Vec<CostlyReview> {
    let toml = |array: &str| format!("m = \"{ID}\"\na=[{array}]");
    let unknown = lines(70_000, |at| format!("k{at}: ai21.a-1"));
    let keys = lines(20_000, |_| ID.into());
    let files = [
        ("aliases of YAML that multiply", "m.yaml", aliases(264, 985)),
        ("many IDs under a deep document", "m.json", deep(5000, 500)),
        ("a text that many places share", "m.yaml", shared(16_000)),
        ("arrays of TOML", "m.toml", toml(&"1,".repeat(500_000))),
        (
            "dotted keys of TOML",
            "m.toml",
            toml(&"{a.a.a.a=1},".repeat(80_000)),
        ),
        ("unknown IDs", "m.yaml", unknown),
        (
            "keys with IDs beside a region",
            "ANTHROPIC_SMALL_FAST_MODEL",
            keys,
        ),
        ("documents of Spring", "application.yaml", spring(4000)),
        ("IDs under a long name", "m.json", long_name(500_000, 2000)),
        ("mappings in mappings", "m.yaml", nested(40, 6000)),
    ];
    let review = |(name, key, text): (_, &str, String)| CostlyReview {
        name,
        object: file(key, &text),
        exceeds: true,
    };
    files.into_iter().map(review).collect()
}

/// Other objects that exceed the budget.
fn exceeding_objects() -> Vec<CostlyReview> {
    let values = json!({"kind": "Pod", "apiVersion": "v1", "x": vec![1; 3_500_000], "m": ID});
    let argument = json!([format!("{ID} ").repeat(36_000)]);
    let script = |text: String| pod(&["sh", "-c"], &json!([text]));
    let calls = lines(20_000, |at| format!("run{at} --model {ID} \\"));
    let settings = lines(9000, |at| {
        format!("R{at}_REGION=eu-west-1; run --model {ID}")
    });
    let objects = [
        ("two files with aliases", two_files(&aliases(264, 985))),
        ("globs of an opt-out for many variables", globs(3000)),
        ("a body of many values", values),
        ("an argument of many IDs", pod(&[], &argument)),
        ("a script of many IDs", script(calls)),
        ("a script of settings and calls", script(settings)),
        ("a script for many variables", variables_and_script(3000)),
    ];
    let review = |(name, object)| CostlyReview {
        name,
        object,
        exceeds: true,
    };
    objects.into_iter().map(review).collect()
}

/// Large reviews whose cost grows with their size alone.
fn reviews_within() -> Vec<CostlyReview> {
    let errors = file("m.yaml", &erroneous(200_000));
    let escapes = file("m.txt", &"&<>".repeat(780_000));
    let templates = format!("{}\n}}}}\nm: {ID}\n", "{{".repeat(200_000));
    let variables = format!("{}\nm: {ID}\n", "$(".repeat(200_000));
    let objects = [
        ("beginnings of templates", file("m.yaml", &templates)),
        ("beginnings of variables", file("m.properties", &variables)),
        ("documents that are errors", errors),
        ("a forged record for many keys", forged(40_000)),
        ("volumes and mounts", volumes(20_000)),
        ("a body of escapes", escapes),
    ];
    let review = |(name, object)| CostlyReview {
        name,
        object,
        exceeds: false,
    };
    objects.into_iter().map(review).collect()
}

fn body(object: &Value) -> Vec<u8> {
    // As Go writes it: signs of HTML are escaped.
    let object = object.to_string();
    let object = object
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    let kind = if object.contains("\"kind\":\"Pod\"") {
        ("Pod", "pods")
    } else {
        ("ConfigMap", "configmaps")
    };
    let body = format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"6a2d0c6e-0000-4000-8000-000000000001","kind":{{"group":"","version":"v1","kind":"{0}"}},"resource":{{"group":"","version":"v1","resource":"{1}"}},"requestKind":{{"group":"","version":"v1","kind":"{0}"}},"requestResource":{{"group":"","version":"v1","resource":"{1}"}},"namespace":"ml","operation":"CREATE","userInfo":{{"username":"author"}},"object":{object},"oldObject":null,"dryRun":false,"options":null}}}}"#,
        kind.0, kind.1
    );
    assert!(body.len() <= LARGEST_BODY, "{} bytes", body.len());
    body.into_bytes()
}

fn file(key: &str, text: &str) -> Value {
    json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "m", "namespace": "ml"},
        "data": {key: text, "AWS_REGION": "eu-west-1"}})
}

fn two_files(text: &str) -> Value {
    let mut both = file("m.yaml", text);
    both["data"]["n.yaml"] = text.into();
    both
}

fn pod(command: &[&str], args: &Value) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "m", "namespace": "ml"}, "spec": {"containers": [
        {"name": "app", "image": "app", "command": command, "args": args, "env": [{"name": "AWS_REGION", "value": "eu-west-1"}]}]}})
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "{}", line(at));
        text
    })
}

fn aliases(ids: usize, uses: usize) -> String {
    let ids = lines(ids, |at| format!("  m{at}: {ID}"));
    format!("x: &b\n{ids}{}", lines(uses, |at| format!("u{at}: *b")))
}

fn globs(variables: usize) -> Value {
    let mut object = pod(&[], &json!([]));
    let env: Vec<_> = (0..variables)
        .map(|at| json!({"name": format!("V{at}"), "value": ID}))
        .collect();
    object["spec"]["containers"][0]["env"] = env.into();
    object["metadata"]["annotations"] =
        json!({"bedrock-profiles.dev/ignore-env": "a*b,".repeat(2000)});
    object
}

fn deep(ids: usize, depth: usize) -> String {
    let ids: Vec<_> = (0..ids).map(|at| format!("\"k{at}\":\"{ID}\"")).collect();
    format!(
        "{}{{{}}}{}",
        "{\"a\":".repeat(depth),
        ids.join(","),
        "}".repeat(depth)
    )
}

fn erroneous(documents: usize) -> String {
    format!("{}---\nm: {ID}\n", "---\n}\n".repeat(documents))
}

fn shared(ids: usize) -> String {
    let ids = lines(ids, |at| format!("  m{at}: {ID}"));
    format!(
        "x: &b\n{ids}us:\n  aws_region_name: us-east-1\n  models: *b\neu:\n  aws_region_name: eu-west-1\n  models: *b\n"
    )
}

fn forged(keys: usize) -> Value {
    let mut object = file("m", ID);
    for at in 0..keys {
        object["data"][format!("k{at}")] = "".into();
    }
    let entry = json!({"at": "", "from": "", "to": "arn:", "region": "", "by": ""});
    let record = json!({"entries": vec![entry; 310]}).to_string();
    object["metadata"]["annotations"] = json!({"bedrock-profiles.dev/rewrites": record});
    object
}

fn variables_and_script(variables: usize) -> Value {
    let script = lines(20_000, |at| format!("export S{at}_REGION=eu-west-1"));
    let mut object = pod(&["sh", "-c"], &json!([script]));
    let env: Vec<_> = (0..variables)
        .map(|at| json!({"name": format!("V{at}"), "value": ID}))
        .collect();
    object["spec"]["containers"][0]["env"] = env.into();
    object
}

fn spring(documents: usize) -> String {
    let document = |at| {
        format!(
            "spring.config.activate.on-profile: p{at}\nspring.ai.bedrock.aws.region: eu-west-1\nspring.ai.bedrock.converse.chat.options.model: {ID}\n---"
        )
    };
    lines(documents, document)
}

fn long_name(length: usize, ids: usize) -> String {
    let name = "word-".repeat(length / 5);
    let ids = lines(ids, |at| format!(",\"k{at}\":\"{ID}\""));
    format!("{{\"{name}\":{{\"region\":\"eu-west-1\"{ids}}}}}")
}

fn nested(depth: usize, ids: usize) -> String {
    let levels = (0..depth).map(|at| {
        format!(
            "{}l{at}:\n{}region: eu-west-1\n",
            "  ".repeat(at),
            "  ".repeat(at + 1)
        )
    });
    let ids = lines(ids, |at| format!("{}k{at}: {ID}", "  ".repeat(depth)));
    levels.collect::<String>() + &ids
}

fn volumes(count: usize) -> Value {
    let mut object = pod(&[], &json!([ID]));
    let volumes: Vec<_> = (0..count)
        .map(|at| json!({"name": format!("v{at}"), "configMap": {"name": "c"}}))
        .collect();
    let mounts: Vec<_> = (0..count)
        .map(|at| json!({"name": format!("w{at}"), "mountPath": "/m"}))
        .collect();
    object["spec"]["volumes"] = volumes.into();
    object["spec"]["containers"][0]["volumeMounts"] = mounts.into();
    object
}
