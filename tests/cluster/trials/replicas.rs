//! The product in a cluster, with the rights of its table and not one more.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    prober::Prober,
    process::wait_for,
    release::{Chart, NAME, Release},
    trial::{Trial, alone},
    world::World,
};

use super::{
    catalog_date,
    product::{SONNET, asking},
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone("an_installed_release_works", an_installed_release_works),
        alone(
            "a_refused_policy_of_an_upgrade_shows_in_kubectl_get",
            a_refused_policy_of_an_upgrade_shows_in_kubectl_get,
        ),
        alone(
            "references_are_followed_by_watches",
            references_are_followed_by_watches,
        ),
        alone(
            "namespaces_and_nodes_say_the_region",
            namespaces_and_nodes_say_the_region,
        ),
        alone(
            "a_thousand_reviews_ask_the_api_server_nothing",
            a_thousand_reviews_ask_the_api_server_nothing,
        ),
    ]
}

/// The model that a new Pod asks for as it is stored.
fn stored(world: &World, namespace: &str, region: &str) -> Result<String> {
    let name = format!("chat-{:08x}", fastrand::u32(..));
    world.create_in(namespace, &asking(&name, SONNET, region).to_string())?;
    let pod = world.get_in(namespace, "pod", &name)?;
    let value = &pod["spec"]["containers"][0]["env"][0]["value"];
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// Waits until a new Pod in Ireland is stored with this model.
fn wait_for_model(world: &World, namespace: &str, model: &str) -> Result<()> {
    wait_for(&format!("a Pod with {model}"), || {
        Ok((stored(world, namespace, "eu-west-1")? == model).then_some(()))
    })
}

/// The date of the shipped catalog, in seconds since 1970.
fn catalog_timestamp() -> Result<f64> {
    let date: jiff::civil::Date = catalog_date().parse()?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC)?;
    Ok(midnight.timestamp().as_duration().as_secs_f64())
}

fn an_installed_release_works(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    assert_eq!(
        stored(world, &apps, "eu-west-1")?,
        SONNET,
        "an inactive webhook changes nothing"
    );
    let one = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    let rewritten = format!("eu.{SONNET}");
    // The command of the installation guide. After it, no request has to be repeated.
    for object in ["ipp/default", "ipm/builtin"] {
        let condition = ["wait", "--for=condition=Ready", object, "--timeout=60s"];
        world.kubectl(&condition, None)?.success("kubectl wait")?;
    }
    assert_eq!(stored(world, &apps, "eu-west-1")?, rewritten);
    assert_eq!(one.metric("bedrock_profiles_leader")?, Some(1.0));
    assert!(one.log()?.contains("applied the shipped catalog"));

    // The custom resources are the truth: a changed one changes the next Pod, and without any nothing is changed.
    let builtin = world.get("inferenceprofilemapping", "builtin")?;
    assert_eq!(
        builtin["metadata"]["labels"]["app.kubernetes.io/managed-by"],
        "bedrock-profiles"
    );
    world
        .kubectl(&["delete", "ipp", "default"], None)?
        .success("kubectl delete")?;
    wait_for_model(world, &apps, SONNET)?;

    let active =
        r#"bedrock_profiles_active_generation{kind="InferenceProfileMapping",name="builtin"}"#;
    assert_eq!(one.metric(active)?, Some(1.0));
    assert_eq!(
        one.metric("bedrock_profiles_catalog_timestamp_seconds")?,
        Some(catalog_timestamp()?)
    );
    let series = one
        .get("/metrics")?
        .lines()
        .filter(|line| line.starts_with("bedrock"))
        .count();
    assert!((30..500).contains(&series), "{series}");

    // A policy that a user deleted stays deleted until the chart configures another one.
    release.upgrade(&json!({"mode": "Rewrite", "priority": 3}))?;
    wait_for_model(world, &apps, &rewritten)?;
    assert_eq!(world.get("ipp", "default")?["spec"]["priority"], 3);

    // One row corrects one answer and no other.
    world.apply(&correction().to_string())?;
    wait_for_model(world, &apps, SONNET)?;
    assert_eq!(stored(world, &apps, "us-east-1")?, format!("us.{SONNET}"));
    Ok(())
}

/// The previous policy stays active. Another leader, who does not apply the refused policy again, keeps the condition; a policy
/// that the API server accepts removes it.
fn a_refused_policy_of_an_upgrade_shows_in_kubectl_get(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let one = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    wait_for_column(world, "")?;
    release.upgrade(&json!({"mode": "Perhaps"}))?;
    wait_for_column(world, "ShippedPolicyRefused")?;
    let policy = world.get("ipp", "default")?;
    assert_eq!(policy["spec"]["mode"], "Rewrite");
    let conditions = policy["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let message = conditions.find(|condition| condition["type"] == "UpToDate");
    let message = message.and_then(|condition| condition["message"].as_str());
    let message = message.unwrap_or_default();
    assert!(
        message.contains("spec.mode") && message.contains("Perhaps"),
        "{message}"
    );
    one.end()?;
    let two = release.start_ready("two", &[])?;
    two.wait_until_leader()?;
    // The second generation proves that the new leader has written the status.
    let patch = r#"{"spec": {"models": {"scope": "All"}}}"#;
    let args = ["patch", "ipp", "default", "--type=merge", "-p", patch];
    let patched = world.kubectl(&args, None)?;
    patched.success("kubectl patch")?;
    wait_for("the status of the new generation", || {
        let policy = world.get("ipp", "default")?;
        let observed = &policy["status"]["observedGeneration"];
        Ok((*observed == policy["metadata"]["generation"]).then_some(()))
    })?;
    wait_for_column(world, "ShippedPolicyRefused")?;
    release.upgrade(&json!({"mode": "Rewrite", "priority": 3}))?;
    wait_for_column(world, "")
}

/// Waits until the column `UP TO DATE` of the default policy has this text.
fn wait_for_column(world: &World, text: &str) -> Result<()> {
    wait_for(&format!("`{text}` in the column UP TO DATE"), || {
        let table = world
            .kubectl(&["get", "ipp", "default"], None)?
            .success("kubectl get")?;
        let mut lines = table.stdout.lines();
        let (Some(header), Some(row)) = (lines.next(), lines.next()) else {
            return Ok(None);
        };
        let start = header.find("UP TO DATE").unwrap_or_default();
        let end = header.find("FINDINGS").unwrap_or(header.len());
        let cell = row.get(start..end.min(row.len())).unwrap_or_default();
        Ok((cell.trim() == text).then_some(()))
    })
}

/// A mapping that withdraws one route: the `eu` profile from Ireland.
fn correction() -> Value {
    let route = json!({"sourceRegions": ["eu-west-1"], "absent": true});
    json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfileMapping",
        "metadata": {"name": "correction"},
        "spec": {"models": [{"modelId": SONNET, "profiles": [
            {"id": format!("eu.{SONNET}"), "geography": "eu", "routes": [route]}]}]}})
}

fn references_are_followed_by_watches(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    world.apply_in(&apps, &models(&apps, "models").to_string())?;
    let _one = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    wait_for_model(world, &apps, &format!("eu.{SONNET}"))?;

    // Two regions take the same ConfigMap, and each gets its own; also after the ConfigMap was rewritten itself.
    for _ in 0..2 {
        for (region, geography) in [("eu-west-1", "eu"), ("us-east-1", "us")] {
            let answer = format!("{geography}.{SONNET}");
            let [bulk, key] = values_in_new_pod(world, &apps, "models", region)?;
            assert_eq!(
                (bulk.as_str(), key.as_str()),
                (answer.as_str(), answer.as_str()),
                "{region}"
            );
        }
        let region = json!({"data": {"AWS_REGION_HINT": "none", "AWS_REGION": "eu-west-1"}});
        let patch = region.to_string();
        let args = [
            "patch",
            "configmap",
            "models",
            "--type=merge",
            "-p",
            &patch,
            "--namespace",
            &apps,
        ];
        world.kubectl(&args, None)?.success("kubectl patch")?;
        let stored = &world.get_in(&apps, "configmap", "models")?["data"]["MODEL"];
        assert_eq!(
            *stored,
            format!("eu.{SONNET}"),
            "its own region decides for the ConfigMap"
        );
    }

    // Made in the same moment, as by `helm install`: by one call, ConfigMap first.
    for round in 0..5 {
        let name = format!("fresh-{round}");
        let both = json!({"apiVersion": "v1", "kind": "List", "items": [
            models(&apps, &name), consumer(&format!("taker-{round}"), &name, "eu-west-1")]});
        world.create_in(&apps, &both.to_string())?;
        let pod = world.get_in(&apps, "pod", &format!("taker-{round}"))?;
        assert_eq!(variable(&pod, "MODEL"), format!("eu.{SONNET}"));
    }
    Ok(())
}

/// A ConfigMap with a direct ID.
fn models(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": {"MODEL": SONNET}})
}

/// A Pod that takes everything of a ConfigMap, and one key under another name.
fn consumer(name: &str, map: &str, region: &str) -> Value {
    let mut pod = asking(name, "none", region);
    let container = &mut pod["spec"]["containers"][0];
    container["envFrom"] = json!([{"configMapRef": {"name": map}}]);
    let reference = json!({"configMapKeyRef": {"name": map, "key": "MODEL"}});
    if let Some(env) = container["env"].as_array_mut() {
        env.push(json!({"name": "LLM", "valueFrom": reference}));
    }
    pod
}

/// What a new Pod has for the whole ConfigMap and for its key.
fn values_in_new_pod(
    world: &World,
    namespace: &str,
    map: &str,
    region: &str,
) -> Result<[String; 2]> {
    let name = format!("taker-{:08x}", fastrand::u32(..));
    world.create_in(namespace, &consumer(&name, map, region).to_string())?;
    let pod = world.get_in(namespace, "pod", &name)?;
    let stored = world.get_in(namespace, "configmap", map)?["data"]["MODEL"].clone();
    let stored = stored.as_str().unwrap_or_default();
    Ok(["MODEL", "LLM"].map(|name| match variable(&pod, name) {
        // Nothing stands in front of the reference.
        none if none.is_empty() => stored.to_owned(),
        literal => literal,
    }))
}

/// The literal value of a variable; empty where it has none.
fn variable(pod: &Value, name: &str) -> String {
    let env = pod["spec"]["containers"][0]["env"].as_array();
    let entry = env
        .into_iter()
        .flatten()
        .find(|entry| entry["name"] == name);
    entry
        .and_then(|entry| entry["value"].as_str())
        .unwrap_or_default()
        .to_owned()
}

fn namespaces_and_nodes_say_the_region(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    let _one = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    wait_for_model(world, &apps, &format!("eu.{SONNET}"))?;
    let without_region = || -> Result<String> {
        let name = format!("chat-{:08x}", fastrand::u32(..));
        let pod = super::product::pod(&name, &[("BEDROCK_MODEL_ID", SONNET)]);
        world.create_in(&apps, &pod.to_string())?;
        Ok(variable(
            &world.get_in(&apps, "pod", &name)?,
            "BEDROCK_MODEL_ID",
        ))
    };
    let wait = |model: String| {
        wait_for(&format!("a Pod without a region with {model}"), || {
            Ok((without_region()? == model).then_some(()))
        })
    };
    assert_eq!(without_region()?, SONNET, "nobody says a region");
    world.apply(&node("a", "ap-northeast-1").to_string())?;
    wait(format!("jp.{SONNET}"))?;
    world.apply(&node("b", "us-east-1").to_string())?;
    wait(SONNET.to_owned())?;
    world
        .kubectl(
            &[
                "annotate",
                "namespace",
                &apps,
                "bedrock-profiles.dev/region=us-west-2",
            ],
            None,
        )?
        .success("annotate")?;
    wait(format!("us.{SONNET}"))?;
    world
        .kubectl(
            &[
                "annotate",
                "namespace",
                &apps,
                "bedrock-profiles.dev/ignore=moving",
            ],
            None,
        )?
        .success("annotate")?;
    wait(SONNET.to_owned())?;
    Ok(())
}

/// A node that a cloud has labelled.
fn node(name: &str, region: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"topology.kubernetes.io/region": region}}})
}

fn a_thousand_reviews_ask_the_api_server_nothing(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    // An audit lists objects, a minute after the replica leads: on a slow machine that is during the reviews.
    let _one = release.start_ready("one", &["--audit=false"])?;
    release.wait_until_active()?;
    wait_for_model(world, &apps, &format!("eu.{SONNET}"))?;
    let before = request_counts(world)?;
    let probe = asking("probe", SONNET, "eu-west-1");
    let prober = Prober::start(&world.plane().kubeconfig(), &apps, &probe)?;
    prober.wait_for(1000)?;
    let observed = prober.stop()?;
    assert!(observed.failed.is_empty(), "{:?}", observed.failed);
    assert_eq!(
        observed.stored.keys().collect::<Vec<_>>(),
        [&format!("eu.{SONNET}")]
    );
    let mut request_counts = request_counts(world)?;
    for (request, count) in before {
        *request_counts.entry(request).or_default() -= count;
    }
    // Renewals of the Lease, and watches that go on, run beside the reviews and are as many without them.
    request_counts
        .retain(|(verb, resource), count| *count > 0 && verb != "watch" && resource != "leases");
    assert!(request_counts.is_empty(), "{request_counts:?}");
    Ok(())
}

/// How often the service account of the release has asked for each verb and resource.
fn request_counts(world: &World) -> Result<BTreeMap<(String, String), i64>> {
    let user = format!("system:serviceaccount:{}:{NAME}", world.namespace());
    let mut request_counts = BTreeMap::new();
    for event in world.plane().audit_events(&user)? {
        if event["user"]["username"] == user {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let request = (text(&event["verb"]), text(&event["objectRef"]["resource"]));
            *request_counts.entry(request).or_default() += 1;
        }
    }
    Ok(request_counts)
}
