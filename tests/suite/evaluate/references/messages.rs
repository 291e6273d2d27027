//! What is said of a reference, by the mode of the policy and by what it says of references.

use serde_json::{Value, json};

use super::*;

fn world(spec: &str) -> Scenario {
    Scenario::of(&[("test", spec)], &[]).knowing(&[named_map("models", &[("sonnet", SONNET_4_5)])])
}

fn referring() -> Value {
    taking(
        &json!([
            variable("AWS_REGION", "eu-west-1"),
            key("M", "models", "sonnet")
        ]),
        &json!([]),
    )
}

/// A Deployment of the Pod.
fn deployed(pod: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "chat", "namespace": "ml" },
        "spec": { "template": { "metadata": {}, "spec": pod["spec"] } },
    })
}

const CHANGE: &str = "app/env/M: anthropic.claude-sonnet-4-5-20250929-v1:0 from ConfigMap models/sonnet -> eu.anthropic.claude-sonnet-4-5-20250929-v1:0 (eu-west-1, ContainerEnv)";

#[test]
fn a_resolved_reference_is_reported_with_its_source() {
    let outcome = world("{ mode: Rewrite }").create(&referring());
    assert_eq!(outcome.verdict, "Rewrite");
    assert_eq!(outcome.audit["rewrites"], CHANGE);
    let warning = format!("bedrock-profiles: replaced {SONNET_4_5} with eu.{SONNET_4_5}");
    assert_eq!(outcome.warnings, [&*warning, LEGACY_4_5]);
}

#[test]
fn a_reported_reference_warns_and_changes_nothing() {
    let world = world("{ mode: Rewrite, references: Report }");
    let outcome = world.create(&referring());
    assert_eq!(outcome.verdict, "Tell");
    assert_eq!(outcome.only().answer, behind("eu", SONNET_4_5));
    assert_eq!(outcome.audit["would-rewrite"], CHANGE);
    let warning =
        format!("bedrock-profiles: policy test would replace {SONNET_4_5} with eu.{SONNET_4_5}");
    assert_eq!(outcome.warnings, [&*warning, LEGACY_4_5]);
    let template = world.create(&deployed(&referring()));
    assert_eq!(template.warnings, [&*warning, LEGACY_4_5]);
    // Beside an ID of the Pod's own, which is rewritten.
    let mut mixed = referring();
    let env = mixed["spec"]["containers"][0]["env"]
        .as_array_mut()
        .unwrap();
    env.push(variable("OWN", SONNET_4_6));
    let outcome = world.create(&mixed);
    assert_eq!(outcome.env("OWN"), behind("eu", SONNET_4_6));
    assert_eq!(
        outcome.after["spec"]["containers"][0]["env"][1],
        key("M", "models", "sonnet")
    );
    assert_eq!(outcome.audit["would-rewrite"], CHANGE);
    assert!(
        outcome.audit["rewrites"].contains("app/env/OWN")
            && !outcome.audit["rewrites"].contains("app/env/M:")
    );
    assert_eq!(outcome.record()["entries"].as_array().unwrap().len(), 1);
    let rewrote = format!("bedrock-profiles: replaced {SONNET_4_6} with eu.{SONNET_4_6}");
    assert_eq!(outcome.warnings, [&*rewrote, &*warning, LEGACY_4_5]);
}

#[test]
fn references_off_ignores_config_maps() {
    let outcome = world("{ mode: Rewrite, references: 'Off' }").create(&referring());
    assert_eq!((outcome.verdict, outcome.found.len()), ("Untouched", 0));
}

#[test]
fn each_policy_looks_for_itself() {
    let world = Scenario::of(
        &[
            ("now", "{ mode: Rewrite, references: 'Off' }"),
            ("next", "{ mode: DryRun }"),
        ],
        &[],
    )
    .knowing(&[named_map("models", &[("sonnet", SONNET_4_5)])]);
    let outcome = world.create(&referring());
    assert_eq!((outcome.verdict, outcome.found.len()), ("Tell", 0));
    assert_eq!(outcome.previews[0].1[0].answer, behind("eu", SONNET_4_5));
    assert_eq!(outcome.audit["would-rewrite"], CHANGE);
}

#[test]
fn a_dry_run_policy_previews_the_rewrite() {
    let outcome = world("{ mode: DryRun, references: Report }").create(&referring());
    assert_eq!(outcome.verdict, "Tell");
    let warning = format!(
        "bedrock-profiles: policy test (DryRun) would replace {SONNET_4_5} with eu.{SONNET_4_5}"
    );
    assert_eq!(outcome.warnings, [&*warning, LEGACY_4_5]);
}

#[test]
fn a_workload_template_warns_about_the_change_in_its_pods() {
    let outcome = world("{ mode: Rewrite }").create(&deployed(&referring()));
    assert_eq!(outcome.verdict, "Tell");
    let warning =
        format!("bedrock-profiles: Pods in eu-west-1 get eu.{SONNET_4_5} instead of {SONNET_4_5}");
    assert_eq!(outcome.warnings, [&*warning, LEGACY_4_5]);
}

#[test]
fn an_applied_object_is_denied_once_and_only_where_references_are_resolved() {
    let deny = world("{ mode: Deny }");
    let outcome = deny.create(&deployed(&referring()));
    assert_eq!(outcome.verdict, "Refuse");
    let message = format!(
        "use eu.{SONNET_4_5} instead of {SONNET_4_5} from ConfigMap models/sonnet at app/env/M for eu-west-1 (ContainerEnv) (policy test)"
    );
    assert_eq!(outcome.message, message);
    let old = deployed(&referring());
    let mut scaled = old.clone();
    scaled["spec"]["replicas"] = 3.into();
    assert_eq!(deny.judge(&scaled, Event::Update(&old)).verdict, "Tell");
    assert_eq!(deny.create(&controlled(referring())).verdict, "Tell");
    for spec in [
        "{ mode: Deny, references: Report }",
        "{ mode: Rewrite, references: Report, unresolved: Deny }",
    ] {
        assert_eq!(
            world(spec).create(&deployed(&referring())).verdict,
            "Tell",
            "{spec}"
        );
    }
    let unserved = taking(
        &json!([
            variable("AWS_REGION", "sa-east-1"),
            key("M", "models", "sonnet")
        ]),
        &json!([]),
    );
    let strict = |references: &str| {
        let spec = format!("{{ mode: Rewrite, unresolved: Deny, references: {references} }}");
        world(&spec).create(&unserved).verdict
    };
    assert_eq!((strict("Resolve"), strict("Report")), ("Refuse", "Tell"));
}

#[test]
fn a_reference_in_a_stored_pod_is_reported_without_a_plan() {
    let world = world("{ mode: Rewrite }");
    for object in [referring(), deployed(&referring())] {
        for event in [Event::Read, Event::Edit] {
            let outcome = world.judge(&object, event);
            assert_eq!(outcome.verdict, "Tell");
            assert_eq!(outcome.only().answer, behind("eu", SONNET_4_5));
        }
    }
}
