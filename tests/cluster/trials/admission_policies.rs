//! The policies that `export vap` and `export map` print, on the API server: accepted without a warning of its type checker, in agreement with the
//! product, and within the limits of cost.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::product::{FLAGS, SONNET, asking, container, variable, variable_of, workload};
use crate::process::wait_for;
use crate::trial::{Trial, alone};
use crate::world::World;

mod pods;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone("exported_policies_agree_with_the_product", agreement),
        alone(
            "an_exported_validating_policy_is_type_checked_and_spares",
            validation,
        )
        .with_controllers(),
        alone(
            "an_exported_mutating_policy_rewrites_pods_on_create",
            mutation,
        ),
    ]
}

/// The policy of the product: every model.
const ALL_MODELS: &str = r#"{"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy",
    "metadata": {"name": "all"}, "spec": {"mode": "Rewrite", "models": {"include": ["*"]}}}"#;

/// The kinds of Pod templates among the shapes, with the ways to them.
const TEMPLATES: &[(&str, &str)] = &[
    ("Pod", ""),
    ("Deployment", "/spec/template"),
    ("StatefulSet", "/spec/template"),
    ("DaemonSet", "/spec/template"),
    ("Job", "/spec/template"),
    ("CronJob", "/spec/jobTemplate/spec/template"),
];

/// Runs the command, with the policy for all models.
fn run(world: &World, args: &[&str]) -> Result<String> {
    let policy = world.folder().join("all-models.json");
    fs::write(&policy, ALL_MODELS)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args(args).arg("--policy").arg(&policy).args(FLAGS);
    let done = command.output()?;
    ensure!(
        done.status.code() != Some(2),
        "{args:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(String::from_utf8(done.stdout)?)
}

/// The name and the JSON pointer of a text.
type Place = (String, String);

/// What the product finds in Pods.
struct Product(Vec<Value>);

impl Product {
    fn of(world: &World, pods: &[Value]) -> Result<Self> {
        let path = world.folder().join("pods.yaml");
        fs::write(&path, documents(pods))?;
        let path = path.to_string_lossy();
        let records = run(world, &["audit", &path, "--no-config", "-o", "jsonl"])?;
        let records = records.lines().map(serde_json::from_str);
        Ok(Self(records.collect::<Result<_, _>>()?))
    }

    /// The places of variables whose whole value the product rewrites, with the new values.
    fn rewrites(&self) -> BTreeMap<Place, String> {
        let records = self
            .0
            .iter()
            .filter(|record| record["outcome"] == "Rewrite");
        let records = records.filter(|record| record["innerPointer"].is_null());
        records
            .filter_map(|record| {
                let pointer = record["pointer"].as_str()?;
                let name = record["object"]["name"].as_str()?;
                let after = record["after"].as_str()?;
                pointer
                    .contains("/env/")
                    .then(|| ((name.to_owned(), pointer.to_owned()), after.to_owned()))
            })
            .collect()
    }

    /// Whether the product reports the ID of a Pod in a region as an error, or as a change to `target`.
    fn reports(&self, pod: &str, id: &str, region: &str, target: Option<&str>) -> bool {
        self.0.iter().any(|record| {
            record["object"]["name"] == pod
                && record["modelId"] == id
                && record["region"] == region
                && match target {
                    Some(target) => record["after"] == target,
                    None => record["severity"] == "error",
                }
        })
    }
}

fn documents(objects: &[Value]) -> String {
    let texts: Vec<_> = objects.iter().map(Value::to_string).collect();
    texts.join("\n---\n")
}

/// The Pods of the shapes, each under a name of its own.
fn pods_of_shapes() -> Result<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shapes");
    let mut paths: Vec<_> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)?;
        for document in serde_yaml::Deserializer::from_str(&text) {
            // A template is no YAML.
            let Ok(object) = Value::deserialize(document) else {
                break;
            };
            let kind = TEMPLATES.iter().find(|(kind, _)| object["kind"] == *kind);
            let Some(template) = kind.and_then(|(_, way)| object.pointer(way)) else {
                continue;
            };
            let mut pod = template.clone();
            pod["apiVersion"] = json!("v1");
            pod["kind"] = json!("Pod");
            pod["metadata"] = json!({
                "name": format!("shape-{}", found.len()), "annotations": template["metadata"]["annotations"],
            });
            found.push(pod);
        }
    }
    Ok(found)
}

/// Creates Pods as a dry run: the Pods as the API server would store them, and what it prints besides.
fn created(world: &World, pods: &[Value]) -> Result<(BTreeMap<String, Value>, String)> {
    let args = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
    let output = world.kubectl(&args, Some(&documents(pods)))?;
    let stored = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
    let mut found = BTreeMap::new();
    for pod in stored {
        let pod = pod?;
        let name = pod["metadata"]["name"]
            .as_str()
            .context("a Pod has a name")?;
        found.insert(name.to_owned(), pod);
    }
    Ok((found, output.stderr))
}

/// The literal values of the variables of a Pod.
fn values(pod: &Value) -> BTreeMap<Place, &str> {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let mut values = BTreeMap::new();
    for list in ["containers", "initContainers"] {
        for (at, container) in (0..).zip(pod["spec"][list].as_array().into_iter().flatten()) {
            for (nth, entry) in (0..).zip(container["env"].as_array().into_iter().flatten()) {
                let (at, nth): (usize, usize) = (at, nth);
                let pointer = format!("/spec/{list}/{at}/env/{nth}/value");
                if let Some(value) = entry["value"].as_str() {
                    values.insert((name.to_owned(), pointer), value);
                }
            }
        }
    }
    values
}

/// Removes the policies of an export.
fn remove(world: &World, manifests: &str) -> Result<()> {
    let args = ["delete", "--wait=true", "-f", "-"];
    world
        .kubectl(&args, Some(manifests))?
        .success("kubectl delete")?;
    Ok(())
}

/// Waits until the API server uses a policy that has been applied.
fn until_denied(world: &World) -> Result<()> {
    let probe = [asking("probe", SONNET, "eu-west-1")];
    wait_for("the validating policy", || {
        let (_, printed) = created(world, &probe)?;
        Ok(printed.contains("does not work on demand").then_some(()))
    })
}

fn until_rewritten(world: &World) -> Result<()> {
    let probe = [asking("probe", SONNET, "eu-west-1")];
    wait_for("the mutating policy", || {
        let (stored, _) = created(world, &probe)?;
        let model = stored
            .get("probe")
            .map(|pod| variable(pod, "BEDROCK_MODEL_ID"));
        Ok((model.transpose()?.is_some_and(|id| id != SONNET)).then_some(()))
    })
}

fn agreement(world: &World) -> Result<()> {
    let plain = pods::plain(300);
    let shapes = pods_of_shapes()?;
    assert!(shapes.len() > 20, "{}", shapes.len());
    let all = [plain, pods::any(900), shapes].concat();
    let product = Product::of(world, &all)?;

    let manifests = run(world, &["export", "vap", "--action", "Deny"])?;
    world.apply(&manifests)?;
    until_denied(world)?;
    let (_, printed) = created(world, &all)?;
    findings_are_those_of_the_product(&printed, &product)?;
    remove(world, &manifests)?;
    wait_for("the end of the validating policy", || {
        let (stored, _) = created(world, &[asking("probe", SONNET, "eu-west-1")])?;
        Ok(stored.contains_key("probe").then_some(()))
    })?;

    world.apply(&run(world, &["export", "map"])?)?;
    until_rewritten(world)?;
    let (stored, _) = created(world, &all)?;
    rewrites_are_those_of_the_product(&all, &stored, &product)
}

/// Each finding of the validating policy is a finding of the product, with the same target.
fn findings_are_those_of_the_product(printed: &str, product: &Product) -> Result<()> {
    let mut found = BTreeSet::new();
    for denial in printed.split("Error from server").skip(1) {
        let Some((head, findings)) = denial.split_once("denied request: ") else {
            continue;
        };
        let pod = head
            .split_once("pods \"")
            .and_then(|(_, rest)| rest.split('"').next());
        let pod = pod.context("a denial names the Pod")?;
        let findings = findings.lines().next().unwrap_or_default();
        for finding in findings
            .split("container ")
            .filter(|part| part.contains("does not work"))
        {
            let (id, rest) = finding
                .split_once(": ")
                .and_then(|(_, rest)| rest.split_once(" does not work on demand in "))
                .with_context(|| finding.to_owned())?;
            let end = rest.find([';', ',']).unwrap_or(rest.len());
            let (region, advice) = rest.split_at(end);
            let target = advice.strip_prefix("; use ");
            let target = target.and_then(|target| target.split([';', ',']).next());
            assert!(product.reports(pod, id, region, target), "{pod}: {finding}");
            found.insert((pod.to_owned(), id.to_owned(), target.is_some()));
        }
    }
    let with_target = found.iter().filter(|(.., has_target)| *has_target).count();
    assert!(
        with_target > 150 && found.len() - with_target > 50,
        "{with_target} of {}",
        found.len()
    );
    Ok(())
}

/// Each value that the mutating policy writes is the one of the product; of the plain Pods it writes every one.
fn rewrites_are_those_of_the_product(
    all: &[Value],
    stored: &BTreeMap<String, Value>,
    product: &Product,
) -> Result<()> {
    let mut expected = product.rewrites();
    let mut written = 0;
    for pod in all {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        // A shape may be no Pod that the API server accepts.
        let Some(result) = stored.get(name) else {
            ensure!(name.starts_with("shape-"), "{name} is refused");
            continue;
        };
        let (before, after) = (values(pod), values(result));
        for (place, value) in after {
            if before.get(&place).is_some_and(|before| *before != value) {
                assert_eq!(
                    expected.remove(&place).as_deref(),
                    Some(value),
                    "{place:?}: {pod}"
                );
                written += 1;
            }
        }
    }
    assert!(written > 200, "{written}");
    let missed = expected.keys().find(|(name, _)| name.starts_with("plain-"));
    assert_eq!(missed, None);
    Ok(())
}

// === What the validating policy spares ===

fn validation(world: &World) -> Result<()> {
    let warning = run(world, &["export", "vap", "--action", "Warn,Audit"])?;
    world.apply(&warning)?;
    until_denied(world)?;
    type_checked(world)?;
    templates(world)?;

    let manifests = run(world, &["export", "vap", "--action", "Deny"])?;
    world.apply(&manifests)?;
    wait_for("the action Deny", || {
        let output = world.kubectl(
            &["create", "--dry-run=server", "-f", "-"],
            Some(&asking("probe", SONNET, "eu-west-1").to_string()),
        )?;
        Ok((!output.ok).then_some(()))
    })?;
    type_checked(world)?;
    spared(world)
}

/// The type checker of the controller manager has looked at the policy and warns about no expression.
fn type_checked(world: &World) -> Result<()> {
    let checked = wait_for("the type checker", || {
        let policy = world.get("validatingadmissionpolicy", "bedrock-direct-model-ids")?;
        let status = &policy["status"];
        let is_current = status["observedGeneration"] == policy["metadata"]["generation"];
        Ok(is_current.then(|| status["typeChecking"].clone()))
    })?;
    assert_eq!(checked["expressionWarnings"], Value::Null);
    Ok(())
}

/// The author of a template of each kind is warned.
fn templates(world: &World) -> Result<()> {
    let mut objects: Vec<_> = [
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("apps", "ReplicaSet"),
        ("batch", "Job"),
    ]
    .iter()
    .map(|(group, kind)| workload(group, kind, "chat", SONNET, "eu-west-1"))
    .collect();
    let job = workload("batch", "Job", "chat", SONNET, "eu-west-1");
    objects.push(
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "chat"},
        "spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": job["spec"]}}}),
    );
    objects.push(json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "chat"}, "template": job["spec"]["template"]}));
    let mut controller = workload("", "ReplicationController", "chat", SONNET, "eu-west-1");
    controller["apiVersion"] = json!("v1");
    controller["spec"]["template"]["spec"]["restartPolicy"] = json!("Always");
    objects.push(controller);
    for object in objects {
        let output = world.kubectl(
            &["create", "--dry-run=server", "-f", "-"],
            Some(&object.to_string()),
        )?;
        let expected = format!(
            "container app, variable BEDROCK_MODEL_ID: {SONNET} does not work on demand in eu-west-1; use eu.{SONNET}"
        );
        let warnings = output.warnings();
        assert!(
            output.ok && warnings.iter().any(|one| one.contains(&expected)),
            "{}: {}",
            object["kind"],
            output.stderr
        );
    }
    Ok(())
}

/// With Deny: what a controller owns, what an update does not add, and what is exempt.
fn spared(world: &World) -> Result<()> {
    let denied = |object: &Value| -> Result<bool> {
        let output = world.kubectl(
            &["apply", "--server-side", "--dry-run=server", "-f", "-"],
            Some(&object.to_string()),
        )?;
        ensure!(
            output.ok || output.stderr.contains("does not work on demand"),
            "{}",
            output.stderr
        );
        Ok(!output.ok)
    };
    let bad = asking("bad", SONNET, "eu-west-1");
    assert!(denied(&bad)?);
    let mut owned = bad.clone();
    owned["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": "1", "controller": true}]);
    assert!(!denied(&owned)?);
    let mut exempt = bad;
    exempt["metadata"]["annotations"] = json!({"bedrock-profiles.dev/ignore": "a gateway"});
    assert!(!denied(&exempt)?);

    let mut stored = workload("apps", "Deployment", "old", SONNET, "eu-west-1");
    stored["metadata"]["annotations"] = json!({"bedrock-profiles.dev/ignore": "until tomorrow"});
    world.apply(&stored.to_string())?;
    stored["metadata"] = json!({"name": "old"});
    stored["spec"]["template"]["spec"]["containers"][0]["image"] = json!("example.com/chat:2");
    assert!(!denied(&stored)?, "the update adds no ID");
    let added = container("added", &[("MODEL", SONNET), ("AWS_REGION", "eu-west-1")]);
    if let Some(containers) = stored["spec"]["template"]["spec"]["containers"].as_array_mut() {
        containers.push(added);
    }
    assert!(denied(&stored)?, "the update adds an ID");

    let system = asking("bad", SONNET, "eu-west-1").to_string();
    let args = [
        "create",
        "--dry-run=server",
        "--namespace",
        "kube-system",
        "-f",
        "-",
    ];
    let output = world.kubectl(&args, Some(&system))?;
    assert!(output.ok, "{}", output.stderr);
    // Beyond the budget of CEL the object is admitted, also with Deny.
    let (large, printed) = created(world, &[pods::large(50, 400)])?;
    assert!(large.contains_key("large"), "{printed}");
    Ok(())
}

// === What the mutating policy does ===

fn mutation(world: &World) -> Result<()> {
    let region = ["--region", "eu-central-1"];
    world.apply(&run(world, &[&["export", "map"][..], &region].concat())?)?;
    until_rewritten(world)?;
    let regions = ["eu-west-1", "us-east-1", "ap-northeast-1", "sa-east-1"];
    every_model(world, &regions)?;

    // A container that names no region has that of --region, unless the namespace has one.
    let unnamed = pods::pod("unnamed", &[container("app", &[("MODEL_ID", SONNET)])]);
    let model = |world: &World| {
        let (stored, _) = created(world, std::slice::from_ref(&unnamed))?;
        Ok::<_, anyhow::Error>(variable(&stored["unnamed"], "MODEL_ID")?.to_owned())
    };
    assert_eq!(model(world)?, format!("eu.{SONNET}"));
    let annotate = |text: &str| {
        world.kubectl(
            &[
                "annotate",
                "--overwrite",
                "namespace",
                world.namespace(),
                text,
            ],
            None,
        )
    };
    annotate("bedrock-profiles.dev/region=ap-southeast-2")?.success("kubectl annotate")?;
    wait_for("the region of the namespace", || {
        Ok((model(world)? == format!("au.{SONNET}")).then_some(()))
    })?;
    annotate("bedrock-profiles.dev/ignore=a gateway")?.success("kubectl annotate")?;
    wait_for("the opt-out of the namespace", || {
        Ok((model(world)? == SONNET).then_some(()))
    })?;
    annotate("bedrock-profiles.dev/ignore-")?.success("kubectl annotate")?;
    wait_for("the end of the opt-out", || {
        Ok((model(world)? != SONNET).then_some(()))
    })?;

    // Within the budget of CEL, and beyond it.
    let rewritten = |pod: Value| -> Result<usize> {
        let (stored, printed) = created(world, &[pod])?;
        let large = stored.get("large").with_context(|| printed)?;
        let containers = large["spec"]["containers"].as_array().into_iter().flatten();
        let models = containers.map(|one| variable_of(one, "MODEL_ID"));
        let models = models.collect::<Result<Vec<_>>>()?;
        Ok(models.iter().filter(|id| id.starts_with("eu.")).count())
    };
    assert_eq!(rewritten(pods::large(50, 60))?, 50);
    assert_eq!(rewritten(pods::large(50, 400))?, 0);
    Ok(())
}

/// A Pod for each region, with a container for each model of the catalog: each gets the answer of the product, and no other.
fn every_model(world: &World, regions: &[&str]) -> Result<()> {
    let listed = run_catalog()?;
    let mut all = Vec::new();
    for region in regions {
        for (at, models) in (0..).zip(listed.chunks(40)) {
            let at: usize = at;
            let containers = (0..).zip(models).map(|(nth, model): (usize, _)| {
                container(
                    &format!("c{nth}"),
                    &[("MODEL_ID", model), ("AWS_REGION", region)],
                )
            });
            all.push(pods::pod(
                &format!("{region}-{at}"),
                &containers.collect::<Vec<_>>(),
            ));
        }
    }
    let product = Product::of(world, &all)?.rewrites();
    let (stored, printed) = created(world, &all)?;
    ensure!(stored.len() == all.len(), "{printed}");
    let mut written = BTreeMap::new();
    for pod in &all {
        let before = values(pod);
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let changed = values(&stored[name])
            .into_iter()
            .filter(|(place, value)| before[place] != *value);
        written.extend(changed.map(|(place, value)| (place, value.to_owned())));
    }
    assert!(written.len() > 60, "{}", written.len());
    assert_eq!(written, product);
    Ok(())
}

/// The models of the catalog.
fn run_catalog() -> Result<Vec<String>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let done = command
        .args(["catalog", "list", "-o", "json"])
        .args(FLAGS)
        .output()?;
    let models: Vec<Value> = serde_json::from_slice(&done.stdout)?;
    let ids = models.iter().filter_map(|model| model["modelId"].as_str());
    Ok(ids.map(str::to_owned).collect())
}
