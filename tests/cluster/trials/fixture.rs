//! The fixture itself: that a webhook is called by Service reference, for its own namespace only, and that what it says arrives.

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    registration::Entry,
    server::Serve,
    stand_in::{Answer, Identity},
    trial::{Trial, alone, plane},
    world::World,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane(
            "a_pod_is_patched_through_the_service_reference",
            a_pod_is_patched,
        ),
        plane(
            "the_pod_of_a_deployment_is_patched",
            the_pod_of_a_deployment_is_patched,
        )
        .with_controllers(),
        plane(
            "the_audit_log_has_the_annotation_of_a_webhook",
            the_audit_log_has_the_annotation,
        ),
        plane(
            "a_warning_and_a_denial_are_printed_by_kubectl",
            a_warning_and_a_denial_are_printed,
        ),
        plane(
            "a_webhook_sees_only_the_namespace_of_its_trial",
            a_webhook_sees_only_its_namespace,
        ),
        plane(
            "the_product_is_called_through_both_of_its_paths",
            the_product_is_called,
        ),
        plane(
            "the_policy_of_a_trial_decides",
            the_policy_of_a_trial_decides,
        ),
        alone(
            "a_configuration_has_the_name_that_it_was_given",
            a_configuration_has_its_name,
        ),
    ]
}

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: chat}
spec:
  containers:
  - {name: app, image: example.com/chat:1}
  - {name: fixed, image: example.com/chat:1, env: [{name: AWS_REGION, value: us-east-1}]}
";

/// The value of a variable of the container at the index.
fn variable<'a>(pod: &'a Value, container: usize, name: &str) -> Option<&'a str> {
    let env = pod["spec"]["containers"][container]["env"].as_array()?;
    env.iter().find(|entry| entry["name"] == name)?["value"].as_str()
}

fn a_pod_is_patched(world: &World) -> Result<()> {
    world.identity_webhook(&Identity::default())?;
    world.create(POD)?;
    let pod = world.get("pod", "chat")?;
    assert_eq!(variable(&pod, 0, "AWS_REGION"), Some("eu-west-1"));
    assert_eq!(
        variable(&pod, 1, "AWS_REGION"),
        Some("us-east-1"),
        "a region that is there is kept"
    );
    assert_eq!(variable(&pod, 1, "AWS_DEFAULT_REGION"), None);
    Ok(())
}

fn the_pod_of_a_deployment_is_patched(world: &World) -> Result<()> {
    world.identity_webhook(&Identity {
        region: "ap-south-1",
        ..Identity::default()
    })?;
    world.create(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat}
spec:
  selector: {matchLabels: {app: chat}}
  template:
    metadata: {labels: {app: chat}}
    spec: {containers: [{name: app, image: example.com/chat:1}]}
",
    )?;
    let pods = world.wait_for(1, "pods", "app=chat")?;
    assert_eq!(
        pods[0]["metadata"]["ownerReferences"][0]["kind"],
        "ReplicaSet"
    );
    assert_eq!(variable(&pods[0], 0, "AWS_REGION"), Some("ap-south-1"));
    Ok(())
}

fn the_audit_log_has_the_annotation(world: &World) -> Result<()> {
    world.identity_webhook(&Identity {
        region: "sa-east-1",
        ..Identity::default()
    })?;
    world.create(POD)?;
    let event = world.audit_event("the pod's creation", |event| {
        event["verb"] == "create"
            && event["objectRef"]["resource"] == "pods"
            && event["objectRef"]["name"] == "chat"
    })?;
    assert_eq!(
        event["annotations"]["pod-identity-webhook.amazonaws.com/region"],
        "sa-east-1"
    );
    Ok(())
}

fn a_warning_and_a_denial_are_printed(world: &World) -> Result<()> {
    let entry = Entry {
        name: "doorman.trials.test",
        path: "/",
        rules: json!([{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]),
        fields: json!({}),
    };
    world.stand_in("doorman", entry, |request| Answer {
        denied: (request["name"] == "bad").then(|| "not this one".to_owned()),
        warnings: vec![format!(
            "{} was here",
            request["name"].as_str().unwrap_or_default()
        )],
        ..Answer::default()
    })?;
    let good = world.kubectl(&["create", "configmap", "good"], None)?;
    assert!(good.ok);
    assert_eq!(good.warnings(), ["good was here"]);
    let bad = world.kubectl(&["create", "configmap", "bad"], None)?;
    assert!(!bad.ok);
    assert!(
        bad.stderr.contains(
            r#"admission webhook "doorman.trials.test" denied the request: not this one"#
        ),
        "{}",
        bad.stderr
    );
    Ok(())
}

fn a_webhook_sees_only_its_namespace(world: &World) -> Result<()> {
    world.identity_webhook(&Identity::default())?;
    let elsewhere = world.neighbour("next")?;
    let output = world.kubectl(
        &["create", "--namespace", &elsewhere, "-o", "json", "-f", "-"],
        Some(POD),
    )?;
    let pod: Value = serde_json::from_str(&output.success("kubectl create")?.stdout)?;
    assert_eq!(pod["metadata"]["namespace"], elsewhere);
    assert_eq!(variable(&pod, 0, "AWS_REGION"), None);
    Ok(())
}

fn a_configuration_has_its_name(world: &World) -> Result<()> {
    world.identity_webhook(&Identity {
        reinvocation_policy: "Never",
        ..Identity::default()
    })?;
    let configuration = world.get("mutatingwebhookconfiguration", "pod-identity-webhook")?;
    assert_eq!(configuration["webhooks"][1]["reinvocationPolicy"], "Never");
    world.create(POD)?;
    assert_eq!(
        variable(&world.get("pod", "chat")?, 0, "AWS_REGION"),
        Some("eu-west-1")
    );
    Ok(())
}

fn the_product_is_called(world: &World) -> Result<()> {
    let server = world.serve(&Serve::default())?;
    let spec = "{containers: [{name: app, image: example.com/chat:1, env: [
      {name: BEDROCK_MODEL_ID, value: 'anthropic.claude-sonnet-4-5-20250929-v1:0'}, {name: AWS_REGION, value: eu-west-1}]}]}";
    world.create(&format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: chat}}
spec: {spec}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: chat}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: chat}}}}
  template: {{metadata: {{labels: {{app: chat}}}}, spec: {spec}}}
"
    ))?;
    let (pod, deployment) = (world.get("pod", "chat")?, world.get("deployment", "chat")?);
    let direct = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let profile = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
    assert_eq!(variable(&pod, 0, "BEDROCK_MODEL_ID"), Some(profile));
    let template = &deployment["spec"]["template"];
    assert_eq!(
        variable(template, 0, "BEDROCK_MODEL_ID"),
        Some(direct),
        "a template is never changed"
    );
    let metrics = server.get("/metrics")?;
    for kind in ["Pod", "Deployment"] {
        let counted = metrics.lines().any(|line| {
            line.contains("admission_reviews") && line.contains(&format!("\"{kind}\""))
        });
        assert!(counted, "no review of a {kind} in:\n{metrics}");
    }
    let log = server.log()?;
    assert!(
        log.contains(world.namespace()),
        "the log does not speak of the rewrite:\n{log}"
    );
    Ok(())
}

fn the_policy_of_a_trial_decides(world: &World) -> Result<()> {
    let policies = "
apiVersion: bedrock-profiles.dev/v1alpha1
kind: InferenceProfilePolicy
metadata: {name: trial}
spec: {mode: DryRun, references: 'Off'}
";
    world.serve(&Serve {
        policies,
        ..Serve::default()
    })?;
    let output = world.create(
        "
apiVersion: v1
kind: Pod
metadata: {name: chat}
spec:
  containers:
  - name: app
    image: example.com/chat:1
    env:
    - {name: BEDROCK_MODEL_ID, value: 'anthropic.claude-sonnet-4-5-20250929-v1:0'}
    - {name: AWS_REGION, value: eu-west-1}
",
    )?;
    assert_eq!(output.warnings().len(), 2, "{}", output.stderr);
    let pod = world.get("pod", "chat")?;
    let direct = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    assert_eq!(variable(&pod, 0, "BEDROCK_MODEL_ID"), Some(direct));
    Ok(())
}
