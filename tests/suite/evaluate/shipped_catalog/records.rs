//! What an earlier round recorded: kept, revised, restored, or removed where it is not ours.

use super::*;

const NAME: &str = "bedrock-profiles.dev/rewrites";

fn with_env(mut pod: Value, name: &str, value: &str) -> Value {
    pod["spec"]["containers"][0]["env"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": name, "value": value}));
    pod
}

fn model(pod: &Value) -> &str {
    pod["spec"]["containers"][0]["env"][0]["value"]
        .as_str()
        .unwrap()
}

fn record(pod: &Value) -> Option<&str> {
    pod["metadata"]["annotations"][NAME].as_str()
}

fn asking_for(model: &str) -> Value {
    pod(&json!([{"name": "MODEL", "value": model}]))
}

#[test]
fn a_stronger_region_revises_the_answer() {
    let view = view(&policy(json!({"region": {"default": "us-east-1"}})));
    let first = patched(&view, &asking_for(SONNET), Action::CreatePod);
    assert_eq!(model(&first), format!("us.{SONNET}"));
    let second = patched(
        &view,
        &with_env(first, "AWS_REGION", "eu-west-1"),
        Action::CreatePod,
    );
    assert_eq!(model(&second), format!("eu.{SONNET}"));
    assert!(
        record(&second)
            .unwrap()
            .contains(&format!("\"from\":\"{SONNET}\""))
    );
    assert_eq!(verdict(&view, &second, Action::CreatePod), "tell");
}

#[test]
fn a_stronger_region_without_an_answer_restores_the_original_id() {
    let view = view(&policy(json!({"region": {"default": "us-east-1"}})));
    for region in ["sa-east-1", "asia-northeast-1", "${REGION}"] {
        let first = patched(&view, &asking_for(SONNET), Action::CreatePod);
        let second = patched(
            &view,
            &with_env(first, "AWS_REGION", region),
            Action::CreatePod,
        );
        assert_eq!(
            (model(&second), record(&second)),
            (SONNET, None),
            "{region}"
        );
    }
}

#[test]
fn an_arn_is_known_by_its_record_alone() {
    const ARN: &str =
        "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl";
    let view = view(&policy(
        json!({"region": {"default": "us-east-1"}, "overrides": [{"modelId": SONNET, "sourceRegions": ["us-east-1"], "target": ARN}]}),
    ));
    let first = patched(&view, &asking_for(SONNET), Action::CreatePod);
    assert_eq!(model(&first), ARN);
    assert_ne!(verdict(&view, &first, Action::CreatePod), "rewrite");
    let second = patched(
        &view,
        &with_env(first, "AWS_REGION", "eu-west-1"),
        Action::CreatePod,
    );
    assert_eq!(model(&second), format!("eu.{SONNET}"));
}

#[test]
fn stale_copied_and_forged_records_are_removed_without_effect() {
    let view = view(&policy(json!({})));
    let profiled = format!("us.{SONNET}");
    let entry = |at: &str, from: &str, to: &str, region: &str, by: &str| {
        json!({"entries": [{"at": at, "from": from, "to": to, "region": region, "by": by}]})
            .to_string()
    };
    for text in [
        entry(
            "app/env/MODEL",
            SONNET,
            &profiled,
            "us-east-1",
            "PolicyDefault",
        ),
        entry(
            "app/env/MODEL",
            SONNET,
            &profiled,
            "us-east-1",
            "ContainerEnv",
        ),
        entry(
            "app/env/MODEL",
            "anthropic.claude-sonnet-4-6",
            &profiled,
            "eu-west-1",
            "ContainerEnv",
        ),
        entry(
            "app/env/MODEL",
            "nonsense",
            &profiled,
            "eu-west-1",
            "ContainerEnv",
        ),
        entry(
            "other/env/MODEL",
            SONNET,
            &profiled,
            "us-east-1",
            "ContainerEnv",
        ),
        entry(
            "app/env/MODEL",
            SONNET,
            "something else",
            "us-east-1",
            "ContainerEnv",
        ),
        "{}".to_owned(),
        "x".repeat(20_000),
    ] {
        let mut object = asking(&profiled, "eu-west-1");
        object["metadata"]["annotations"] = json!({NAME: text, "other": "stays"});
        let after = patched(&view, &object, Action::CreatePod);
        assert_eq!(
            (model(&after), record(&after)),
            (&*profiled, None),
            "{text}"
        );
        assert_eq!(after["metadata"]["annotations"]["other"], "stays");
    }
}

#[test]
fn a_true_record_is_kept() {
    let view = view(&policy(json!({})));
    let first = patched(&view, &asking(SONNET, "eu-west-1"), Action::CreatePod);
    let more = with_env(first.clone(), "SECOND", "anthropic.claude-sonnet-4-6");
    let second = patched(&view, &more, Action::CreatePod);
    assert_eq!(model(&second), model(&first));
    let entries: Value = serde_json::from_str(record(&second).unwrap()).unwrap();
    assert_eq!(entries["entries"].as_array().unwrap().len(), 2);
}

#[test]
fn ephemeral_containers_and_files_carry_no_record() {
    let view = view(&policy(json!({})));
    let container = |name: &str| json!({"name": name, "env": [{"name": "MODEL", "value": SONNET}, {"name": "AWS_REGION", "value": "eu-west-1"}]});
    let old = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [], "ephemeralContainers": [container("old")]}});
    let mut new = old.clone();
    new["spec"]["ephemeralContainers"]
        .as_array_mut()
        .unwrap()
        .push(container("new"));
    let text = old.to_string();
    let tree = Tree::json(&text).unwrap();
    let old = Object::at(&tree, tree.root());
    let after = patched(&view, &new, Action::AddEphemeralContainers(&old));
    let value = |at: usize| after["spec"]["ephemeralContainers"][at]["env"][0]["value"].clone();
    assert_eq!(
        (value(0), value(1)),
        (json!(SONNET), json!(format!("eu.{SONNET}")))
    );
    assert_eq!(record(&after), None);
    assert_eq!(
        record(&patched(
            &view,
            &asking(SONNET, "eu-west-1"),
            Action::Edit(EndedModels::Report)
        )),
        None
    );
}
