//! The definitions of the custom resources as the API server takes them: what they refuse, what they show, what becomes of
//! objects that are older than they are, and that the catalog fits.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bedrock_profiles::api::{
    self, InferenceProfileMapping, InferenceProfileMappingSpec, InferenceProfilePolicySpec,
};
use bedrock_profiles::catalog;
use serde::Deserialize;
use serde_json::{Value, json};

use super::catalog_date;
use crate::{
    process::wait_for,
    release::definitions,
    trial::{Trial, alone},
    world::{Output, World},
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone("definitions_take_the_catalog_and_show_it", shown),
        alone(
            "definitions_refuse_bad_objects_and_spare_old_ones",
            refused_and_spared,
        ),
    ]
}

const API_VERSION: &str = "bedrock-profiles.dev/v1alpha1";

/// What an upgrade may find.
const PREVIOUS: [&str; 2] = [
    include_str!("../../data/crds-previous/inferenceprofilemappings.yaml"),
    include_str!("../../data/crds-previous/inferenceprofilepolicies.yaml"),
];

/// Installs definitions, and waits until objects of both kinds are served.
pub(super) fn install(world: &World, definitions: &str) -> Result<()> {
    world.apply(definitions)?;
    world
        .kubectl(
            &[
                "wait",
                "--for=condition=Established",
                "--timeout=60s",
                "crd",
                "--all",
            ],
            None,
        )?
        .success("kubectl wait")?;
    // Established is said a moment before the objects are served.
    wait_for("both kinds to be served", || {
        Ok(world.kubectl(&["get", "ipm,ipp"], None)?.ok.then_some(()))
    })
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec})
}

// === What they refuse ===

#[derive(Deserialize)]
struct Refused {
    mappings: Vec<Row>,
    policies: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    check: String,
    spec: Value,
    expected: String,
}

fn refused_and_spared(world: &World) -> Result<()> {
    spares_old_objects(world)?;
    refuses_bad_objects(world)
}

/// Every bad object of the table is refused in the words that stand beside it.
fn refuses_bad_objects(world: &World) -> Result<()> {
    let table: Refused = serde_yaml::from_str(include_str!("../../data/crds/refused.yaml"))?;
    let of = |kind: &'static str, rows: Vec<Row>| rows.into_iter().map(move |row| (kind, row));
    let rows: Vec<_> = of("InferenceProfileMapping", table.mappings)
        .chain(of("InferenceProfilePolicy", table.policies))
        .collect();
    let objects: Vec<_> = (0..)
        .zip(&rows)
        .map(|(at, (kind, row)): (usize, _)| {
            object(kind, &format!("bad-{at}"), &row.spec).to_string()
        })
        .collect();
    // One call for all: each has a refusal of its own.
    let output = world.kubectl(
        &["create", "--dry-run=server", "-f", "-"],
        Some(&objects.join("\n---\n")),
    )?;
    assert_eq!(output.stdout, "", "some bad object is accepted");
    for (at, (_, row)) in rows.iter().enumerate() {
        let name = format!("\"bad-{at}\" is invalid: ");
        let refusal = output
            .stderr
            .split("Error from server")
            .find(|part| part.contains(&name));
        let refusal = refusal.with_context(|| format!("{}: {}", row.check, output.stderr))?;
        assert!(refusal.contains(&row.expected), "{}: {refusal}", row.check);
    }
    Ok(())
}

/// Objects that were stored under looser definitions are kept as they are, and can be edited where a new rule does not look.
fn spares_old_objects(world: &World) -> Result<()> {
    install(world, &PREVIOUS.join("\n---\n"))?;
    let broken_profile = json!({"modelId": "anthropic.claude-x-1", "aliases": ["x"], "profiles": [
        {"id": "eu.anthropic.claude-x-2", "geography": "eu", "state": "Legacy", "routes": [
            {"sourceRegions": ["eu-west-1"], "destinationRegions": ["eu-west-1", "*"], "confidence": "Medium"}]}]});
    let mapping = json!({"priority": 3, "catalogDate": "today", "models": [broken_profile]});
    let policy = json!({"region": {"default": "here"}, "geography": {"allowed": ["global"]},
        "replacements": [{"from": "anthropic.claude-x-1", "to": "anthropic.claude-x-1"}]});
    let objects = [
        object("InferenceProfileMapping", "old", &mapping),
        object("InferenceProfilePolicy", "old", &policy),
    ];
    world.create(&objects.map(|object| object.to_string()).join("\n---\n"))?;
    let before = [world.get("ipm", "old")?, world.get("ipp", "old")?];

    install(world, &definitions()?)?;
    for (kind, before) in ["ipm", "ipp"].into_iter().zip(&before) {
        assert_eq!(world.get(kind, "old")?["spec"], before["spec"], "{kind}");
        assert!(edit(world, kind, r#"{"metadata": {"labels": {"team": "a"}}}"#)?.ok);
        assert!(edit(world, kind, r#"{"spec": {"priority": 9}}"#)?.ok);
        let after = world.get(kind, "old")?;
        assert_eq!(after["metadata"]["labels"]["team"], "a");
        assert_eq!(after["spec"]["priority"], 9);
    }
    // What is changed has to be right.
    let touched = edit(
        world,
        "ipp",
        r#"{"spec": {"region": {"default": "there"}}}"#,
    )?;
    assert!(
        touched.stderr.contains("`there` is not an AWS region"),
        "{}",
        touched.stderr
    );
    Ok(())
}

fn edit(world: &World, kind: &str, patch: &str) -> Result<Output> {
    world.kubectl(&["patch", kind, "old", "--type=merge", "-p", patch], None)
}

// === The files ===

/// The real kubectl, which reads YAML 1.1, reads from each generated file what a YAML 1.2 reader reads, and from the definitions what
/// the program has.
fn kubectl_reads_each_file(world: &World) -> Result<()> {
    for definition in api::definitions() {
        let file = format!("manifests/crds/{}.yaml", definition.spec.names.plural);
        assert_eq!(
            read_by_kubectl(world, &file)?,
            [serde_json::to_value(definition)?]
        );
    }
    for file in ["manifests/rbac.yaml", "manifests/install.yaml"] {
        let text = fs::read_to_string(file)?;
        let documents = serde_yaml::Deserializer::from_str(&text).map(Value::deserialize);
        let documents: Vec<Value> = documents.collect::<Result<_, _>>()?;
        assert_eq!(read_by_kubectl(world, file)?, documents, "{file}");
    }
    Ok(())
}

/// The objects of a file of the repository, as kubectl sends them. Neither defaults nor an API server come in between.
fn read_by_kubectl(world: &World, file: &str) -> Result<Vec<Value>> {
    let mut kubectl = world.plane().kubectl(); // without a namespace: the objects have theirs
    kubectl.args([
        "create",
        "--dry-run=client",
        "--validate=false",
        "-o",
        "json",
        "-f",
        file,
    ]);
    let output = kubectl.output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "kubectl create -f {file}: {stderr}"
    );
    let printed = String::from_utf8(output.stdout)?;
    let mut objects = serde_json::Deserializer::from_str(&printed).into_iter();
    let first: Value = objects.next().context("kubectl printed nothing")??;
    let objects = if first["kind"] == "List" {
        first["items"].as_array().cloned().unwrap_or_default()
    } else {
        [Ok(first)]
            .into_iter()
            .chain(objects)
            .collect::<Result<_, _>>()?
    };
    Ok(objects)
}

// === What they show ===

fn shown(world: &World) -> Result<()> {
    install(world, &definitions()?)?;
    kubectl_reads_each_file(world)?;
    an_empty_policy_has_every_default(world)?;
    takes_the_catalog_and_twice_as_much(world)?;
    prints_columns(world)?;
    explains(world)?;
    the_page_is_true(world)
}

/// The objects of the page can be applied, and its commands find what they name.
fn the_page_is_true(world: &World) -> Result<()> {
    let page = include_str!("../../../docs/custom-resources.md");
    let blocks = |fence: &'static str| {
        let rest = page.split(fence).skip(1);
        rest.filter_map(|rest| rest.split("```").next())
    };
    let objects: Vec<_> = blocks("```yaml\n").collect();
    let args = ["apply", "--server-side", "--dry-run=server", "-f", "-"];
    world
        .kubectl(&args, Some(&objects.join("---\n")))?
        .success("kubectl apply")?;
    for line in blocks("```sh\n").flat_map(str::lines) {
        let args: Vec<_> = line.split(' ').skip(1).collect();
        world.kubectl(&args, None)?.success(line)?;
    }
    Ok(())
}

fn an_empty_policy_has_every_default(world: &World) -> Result<()> {
    world.apply(&object("InferenceProfilePolicy", "default", &json!({})).to_string())?;
    let stored = world.get("ipp", "default")?["spec"].take();
    let expected = InferenceProfilePolicySpec::default();
    assert_eq!(stored, serde_json::to_value(&expected)?);
    Ok(())
}

/// The merge of the catalog and a withdrawal, as `export mapping` prints it.
fn takes_an_export(world: &World) -> Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args(["export", "mapping", "--mapping", "docs/samples/london.yaml"]);
    let exported = command.output()?;
    world.apply(&String::from_utf8(exported.stdout)?)?;
    let stored = &world.get("ipm", "merged")?["spec"];
    assert_eq!(stored["priority"], 1);
    assert!(
        stored["models"]
            .as_array()
            .is_some_and(|models| models.len() > 150)
    );
    let deletion = world.kubectl(&["delete", "ipm", "merged"], None)?;
    deletion.success("kubectl delete")?;
    Ok(())
}

fn takes_the_catalog_and_twice_as_much(world: &World) -> Result<()> {
    let mut builtin = catalog::builtin()?;
    let stored = take(world, &builtin)?;
    assert_eq!(stored, builtin.spec);
    takes_an_export(world)?;
    // As many models again, of vendors that nobody knows.
    let twin = |mut model: api::Model| {
        model.model_id = format!("x{}", model.model_id);
        for profile in &mut model.profiles {
            profile.id = format!("{}.{}", profile.geography, model.model_id);
        }
        model
    };
    let twins: Vec<_> = builtin.spec.models.iter().cloned().map(twin).collect();
    builtin.metadata.name = Some("doubled".to_owned());
    builtin.spec.models.extend(twins);
    assert_eq!(take(world, &builtin)?, builtin.spec);
    Ok(())
}

/// Applies a mapping, and returns what is stored of it.
fn take(world: &World, mapping: &InferenceProfileMapping) -> Result<InferenceProfileMappingSpec> {
    world.apply(&serde_json::to_string(mapping)?)?;
    let name = mapping.metadata.name.as_deref().unwrap_or_default();
    Ok(serde_json::from_value(
        world.get("ipm", name)?["spec"].take(),
    )?)
}

fn prints_columns(world: &World) -> Result<()> {
    write_statuses(world)?;
    assert_eq!(
        table(world, &["ipm", "builtin"])?,
        [
            [
                "NAME", "PRIORITY", "CATALOG", "MODELS", "PROFILES", "ACCEPTED", "READY"
            ],
            [
                "builtin",
                "-1000",
                catalog_date(),
                "178",
                "186",
                "True",
                "True",
            ],
        ]
    );
    assert_eq!(
        table(world, &["ipp", "default"])?,
        [
            [
                "NAME",
                "PRIORITY",
                "MODE",
                "SCOPE",
                "ACCEPTED",
                "READY",
                "UP TO DATE",
                "FINDINGS"
            ],
            [
                "default", "0", "DryRun", "Required", "True", "True", "Tried", "4"
            ],
        ]
    );
    let both = world
        .kubectl(&["get", "bedrock", "-o", "name"], None)?
        .success("kubectl get")?;
    assert_eq!(
        both.stdout.lines().collect::<Vec<_>>(),
        [
            "inferenceprofilemapping.bedrock-profiles.dev/builtin",
            "inferenceprofilemapping.bedrock-profiles.dev/doubled",
            "inferenceprofilepolicy.bedrock-profiles.dev/default",
        ]
    );
    Ok(())
}

/// Gives both objects a status, as the controllers would.
fn write_statuses(world: &World) -> Result<()> {
    let condition = |sort: &str, status: &str| json!({"type": sort, "status": status, "reason": "Tried", "message": "", "lastTransitionTime": "2026-11-23T00:00:00Z"});
    let mapping = json!({"status": {"models": 178, "profiles": 186, "conditions": [condition("Accepted", "True"), condition("Ready", "True")]}});
    let audit = json!({"time": "2026-11-23T00:00:00Z", "scanned": 9, "findings": 4});
    let policy = json!({"status": {"lastAudit": audit, "conditions": [condition("Accepted", "True"), condition("Ready", "True"), condition("UpToDate", "True")]}});
    for (kind, name, status) in [("ipm", "builtin", mapping), ("ipp", "default", policy)] {
        let status = status.to_string();
        let args = [
            "patch",
            kind,
            name,
            "--subresource=status",
            "--type=merge",
            "-p",
            &status,
        ];
        world.kubectl(&args, None)?.success("kubectl patch")?;
    }
    Ok(())
}

/// What `kubectl get` prints, by cells: columns stand apart by three spaces. The last column, an age, is left out.
fn table(world: &World, names: &[&str]) -> Result<Vec<Vec<String>>> {
    let args = [&["get"], names].concat();
    let printed = world.kubectl(&args, None)?.success("kubectl get")?.stdout;
    let cells = |line: &str| {
        let cells = line.split("   ").map(str::trim);
        let mut cells: Vec<_> = cells
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
            .collect();
        cells.pop();
        cells
    };
    Ok(printed.lines().map(cells).collect())
}

fn explains(world: &World) -> Result<()> {
    for (path, words) in [
        (
            "ipm.spec.models.profiles.routes",
            &[
                "destinationRegions",
                "Where the profile may send a request",
                "-required-",
            ][..],
        ),
        (
            "ipp.spec",
            &[
                "Which borders a request may cross.",
                "mode\t<string>",
                "enum: Rewrite, Deny, DryRun",
            ],
        ),
        (
            "ipp.spec.match.namespaceSelector.matchExpressions",
            &["enum: In, NotIn, Exists, DoesNotExist"],
        ),
    ] {
        let explained = world
            .kubectl(&["explain", path], None)?
            .success("kubectl explain")?
            .stdout;
        for words in words {
            assert!(explained.contains(words), "{path}: {words}\n{explained}");
        }
    }
    Ok(())
}
