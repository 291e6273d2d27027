//! Reviews as the API server sends them, in which something or nothing is to be rewritten.

use std::collections::BTreeMap;

use bytes::Bytes;

/// The reviews that are measured, by their names.
pub(crate) fn reviews() -> BTreeMap<&'static str, Bytes> {
    const ID: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    BTreeMap::from([
        ("1 Pod of 6 KiB, miss", pod(60, "some-model", None)),
        ("2 Pod of 6 KiB, rewrite", pod(60, ID, None)),
        ("3 Pod of 17 KiB, miss", pod(190, "some-model", None)),
        ("4 Pod of 17 KiB, rewrite", pod(190, ID, None)),
        ("5 file of 200 KiB, miss", file("some-model")),
        ("6 file of 200 KiB, rewrite", file(ID)),
        (
            "7 Pod of 6 KiB and a script of 4 KiB, rewrite",
            pod(60, ID, Some(script("some-model"))),
        ),
        (
            "8 Pod of 6 KiB and a script of 4 KiB, rewrite in it",
            pod(60, "some-model", Some(script(ID))),
        ),
    ])
}

/// A Pod as the API server sends it, with `variables` variables, one of which is `model`, and with a shell script as its
/// command.
fn pod(variables: usize, model: &str, script: Option<String>) -> Bytes {
    let mut env: Vec<_> = (0..variables)
        .map(|at| serde_json::json!({ "name": format!("SETTING_NUMBER_{at}"), "value": format!("the value of setting {at}, of a usual length") }))
        .collect();
    env.push(serde_json::json!({ "name": "BEDROCK_MODEL_ID", "value": model }));
    env.push(serde_json::json!({ "name": "AWS_REGION", "value": "eu-west-1" }));
    let fields = [
        "f:metadata",
        "f:spec",
        "f:containers",
        "f:env",
        "f:image",
        "f:name",
        "f:resources",
    ];
    let managed: BTreeMap<_, _> = fields
        .iter()
        .map(|field| (*field, serde_json::json!({ ".": {}, "f:value": {} })))
        .collect();
    let mut review = serde_json::json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "object": {
                "kind": "Pod", "apiVersion": "v1",
                "metadata": { "generateName": "chat-5d9c-", "namespace": "ml", "labels": { "app": "chat" },
                    "managedFields": [{ "manager": "kube-controller-manager", "operation": "Update", "fieldsV1": managed }] },
                "spec": {
                    "containers": [{ "name": "app", "image": "example.com/chat:1", "env": env, "resources": {},
                        "volumeMounts": [{ "name": "token", "mountPath": "/var/run/secrets" }] }],
                    "volumes": [{ "name": "token", "projected": { "sources": [] } }], "serviceAccountName": "default"
                },
                "status": {}
            },
        }
    });
    if let Some(script) = script {
        review["request"]["object"]["spec"]["containers"][0]["command"] =
            serde_json::json!(["/bin/bash", "-ec", script]);
    }
    Bytes::from(go_order(&review))
}

/// A shell script of 4 KiB, in which one command has `model`.
fn script(model: &str) -> String {
    let step = |at: usize| {
        format!(
            "# step {at}\nif [ -n \"${{STEP_{at}:-}}\" ]; then\n  echo \"step {at} of $TOTAL\" >> \"$LOG\"\n  prepare --input '/data/in-{at}' --output \"$OUT/{at}\" || exit 1\nfi\n"
        )
    };
    let steps: Vec<String> = (0..29).map(step).collect();
    let call = format!("exec python -m app --model-id {model} --port 8080\n");
    format!("set -eu\n{}{call}", steps.concat())
}

/// A ConfigMap whose value is a YAML file of 200 KiB, in which one entry has `model`.
fn file(model: &str) -> Bytes {
    let entry = |at: usize| {
        let model = if at == 500 { model } else { "another-model" };
        format!(
            "- model_name: model-{at}\n  litellm_params:\n    model: bedrock/{model}\n    aws_region_name: eu-west-1\n    temperature: 0.2\n    note: \"what {at} is for, in some words, of a usual length, quoted\"\n"
        )
    };
    let entries: Vec<String> = (0..1000).map(entry).collect();
    let file = format!("# what is served here\nmodel_list:\n{}", entries.concat());
    let object = serde_json::json!({ "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": { "name": "router", "namespace": "ml" }, "data": { "config.yaml": file } });
    let review = serde_json::json!({ "request": { "object": object } });
    Bytes::from(
        go_order(&review)
            .replace(r#""kind":"Pod""#, r#""kind":"ConfigMap""#)
            .replace(r#""resource":"pods""#, r#""resource":"configmaps""#),
    )
}

/// The review with the fields of its request as Go writes them, in this order.
fn go_order(review: &serde_json::Value) -> String {
    const HEAD: &str = concat!(
        r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"0e6bb1a8-6e4a-4a55-9a5c-0a4d3b1f2c11","#,
        r#""kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"#,
        r#""requestKind":{"group":"","version":"v1","kind":"Pod"},"requestResource":{"group":"","version":"v1","resource":"pods"},"#,
        r#""namespace":"ml","operation":"CREATE","userInfo":{"username":"system:serviceaccount:kube-system:replicaset-controller","#,
        r#""uid":"7d3c1d0f","groups":["system:serviceaccounts","system:authenticated"]},"object":"#
    );
    const TAIL: &str = concat!(
        r#","oldObject":null,"dryRun":false,"#,
        r#""options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}"#
    );
    format!("{HEAD}{}{TAIL}", review["request"]["object"])
}
