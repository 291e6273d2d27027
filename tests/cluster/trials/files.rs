//! Files get the same answers as objects: the corpus and the shapes, audited as files and sent to the API server.
//!
//! The corpus is read where it is, as by the tests of the corpus; without it only the shapes are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::product::{FLAGS, config_map, list, rewriting, serve};
use crate::trial::{Trial, plane};
use crate::world::World;

/// Names another folder of the corpus than the one beside the repository.
const CORPUS: &str = "BEDROCK_PROFILES_CORPUS";

/// The shapes, and the files among them that are policies.
const SHAPES: &str = "tests/fixtures/shapes";
const POLICY_FILES: &str = "policy";

/// The ways to Pod templates.
const TEMPLATES: &[(&str, &str)] = &[
    ("Pod", ""),
    ("Deployment", "/spec/template"),
    ("StatefulSet", "/spec/template"),
    ("DaemonSet", "/spec/template"),
    ("ReplicaSet", "/spec/template"),
    ("Job", "/spec/template"),
    ("CronJob", "/spec/jobTemplate/spec/template"),
];

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane("objects_get_the_answers_of_their_files", |world| {
            compare(world, &json!({}))
        }),
        plane(
            "objects_get_the_answers_of_their_files_under_a_default_region",
            |world| compare(world, &json!({"region": {"default": "eu-west-1"}})),
        ),
    ]
}

/// A file of the corpus or of the shapes, before and after `fix`.
struct File {
    name: String,
    before: String,
    after: String,
    findings: Vec<Finding>,
}

/// A finding of `audit -f`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    object: Option<Object>,
    source: Source,
    pointer: String,
    inner_pointer: Option<String>,
    outcome: String,
    reason: Option<String>,
}

#[derive(Deserialize, PartialEq, Eq)]
struct Object {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
struct Source {
    file: String,
    document: usize,
}

/// An object for the API server, and the texts that its file has after `fix`.
struct Case {
    /// The file and the object in it.
    from: String,
    object: Value,
    fixed: Value,
    /// The places that `audit -f` would rewrite.
    rewrites: BTreeSet<String>,
}

/// Sends what the files hold to the API server, and compares the patches with the findings of the audit.
fn compare(world: &World, region: &Value) -> Result<()> {
    let mut fields = json!({"models": {"include": ["*"]}, "unresolved": "Allow"});
    if let (Some(fields), Value::Object(region)) = (fields.as_object_mut(), region) {
        fields.extend(region.clone());
    }
    let policy = rewriting(fields);
    let files = judged(world.folder(), &policy)?;
    world.serve(&serve(&policy))?;
    // A tool decrypts such a file before an object reaches the API server.
    let is_encrypted = |file: &&File| {
        file.findings
            .iter()
            .any(|one| one.reason.as_deref() == Some("WrittenByTool"))
    };
    let mut cases: Vec<_> = files
        .iter()
        .filter(|file| !is_encrypted(file))
        .flat_map(cases)
        .collect();
    for (at, case) in (0..).zip(&mut cases) {
        name(&mut case.object, at);
    }
    let sent = list(cases.iter().map(|case| case.object.clone()));
    let create = [
        "create",
        "--dry-run=server",
        "--validate=false",
        "-o",
        "json",
        "-f",
        "-",
    ];
    let output = world.kubectl(&create, Some(&sent))?;
    let answers = by_name(&output.stdout)?;
    let (mut taken, mut rewritten, mut differences) = (0, 0, Vec::new());
    for case in &cases {
        let Some(answer) =
            answers.get(case.object["metadata"]["name"].as_str().unwrap_or_default())
        else {
            continue;
        };
        taken += 1;
        rewritten += case.rewrites.len();
        differences.extend(case.differences(answer));
    }
    println!(
        "{} files, {} objects: the API server takes {taken}, with {rewritten} places to rewrite",
        files.len(),
        cases.len()
    );
    ensure!(
        differences.is_empty(),
        "{}\n{}",
        differences.join("\n"),
        output.stderr
    );
    ensure!(
        taken >= 40 && rewritten >= 15,
        "too few objects were compared:\n{}",
        output.stderr
    );
    Ok(())
}

impl Case {
    /// Where the object that the API server returns differs from the file.
    fn differences(&self, answer: &Value) -> Vec<String> {
        let mut texts = BTreeMap::new();
        collect(&self.object, String::new(), &mut texts);
        let changed: BTreeSet<_> = texts
            .iter()
            .filter(|(at, text)| answer.pointer(at).and_then(Value::as_str) != Some(text))
            .map(|(at, _)| at.clone())
            .collect();
        let mut differences = Vec::new();
        for at in changed.union(&self.rewrites) {
            let text = |object: &Value| object.pointer(at).cloned().unwrap_or_default();
            let (server, file) = (text(answer), text(&self.fixed));
            let audited = self.rewrites.contains(at);
            if !changed.contains(at) || !audited || server != file {
                differences.push(format!(
                    "{}{at}: the API server has {server}, the file {file}; the audit rewrites it: {audited}",
                    self.from
                ));
            }
        }
        differences
    }
}

/// The texts in which the webhook looks for IDs, by their pointers.
fn collect(value: &Value, at: String, texts: &mut BTreeMap<String, String>) {
    let is_variable = at.contains("/env/") && at.ends_with("/value");
    let is_searched = is_variable
        || at.starts_with("/data/")
        || at.contains("/args/")
        || at.contains("/command/");
    match value {
        Value::String(text) if is_searched && !text.is_empty() => {
            texts.insert(at, text.clone());
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{at}/{index}"), texts);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(field, format!("{at}/{key}"), texts);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The objects of a file; a file without objects as a ConfigMap with the file as its only key.
fn cases(file: &File) -> Vec<Case> {
    let (before, after) = (documents(&file.before), documents(&file.after));
    if before
        .iter()
        .chain(&after)
        .all(|(_, document)| document["apiVersion"].is_null())
    {
        return embedded(file).into_iter().collect();
    }
    let mut cases = Vec::new();
    for ((at, before), (_, after)) in before.iter().zip(&after) {
        for (before, after) in items(before).iter().zip(&items(after)) {
            cases.extend(case(file, *at, before, after));
        }
    }
    cases
}

fn case(file: &File, document: usize, before: &Value, after: &Value) -> Option<Case> {
    let kind = before["kind"].as_str()?;
    let object_name = before["metadata"]["name"].as_str()?;
    let of_object = |finding: &&Finding| {
        let is_this = |object: &Object| object.kind == kind && object.name == object_name;
        finding.source.document == document && finding.object.as_ref().is_some_and(is_this)
    };
    let rewrites = file.findings.iter().filter(of_object);
    let rewrites = rewrites.filter(|finding| finding.outcome == "Rewrite");
    let prefix = match kind {
        "ConfigMap" => "",
        _ => TEMPLATES.iter().find(|(known, _)| *known == kind)?.1,
    };
    let part = |object: &Value| {
        if kind == "ConfigMap" {
            return Some(object.clone());
        }
        let template = object.pointer(prefix)?;
        let (metadata, mut spec) = (template["metadata"].clone(), template["spec"].clone());
        for field in [
            "serviceAccountName",
            "serviceAccount",
            "priorityClassName",
            "runtimeClassName",
        ] {
            spec.as_object_mut()?.remove(field);
        }
        Some(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}))
    };
    Some(Case {
        from: format!("{} {kind}/{object_name}", file.name),
        object: part(before)?,
        fixed: part(after)?,
        rewrites: rewrites
            .filter_map(|finding| finding.pointer.strip_prefix(prefix))
            .map(str::to_owned)
            .collect(),
    })
}

/// A configuration file as the only key of a ConfigMap, where both have the same regions in reach. A text that is a file by itself
/// is read in a file, and not in a file inside a ConfigMap, whose places have one inner pointer.
fn embedded(file: &File) -> Option<Case> {
    if file.findings.iter().any(|one| one.inner_pointer.is_some()) {
        return None;
    }
    let key = Path::new(&file.name).file_name()?.to_str()?;
    let place = format!("/data/{key}");
    let is_rewritten = file
        .findings
        .iter()
        .any(|finding| finding.outcome == "Rewrite");
    Some(Case {
        from: format!("{} as a key", file.name),
        object: config_map("", &[(key, &file.before)]),
        fixed: config_map("", &[(key, &file.after)]),
        rewrites: is_rewritten.then_some(place).into_iter().collect(),
    })
}

/// The documents of a file that a YAML library reads, with their numbers.
fn documents(text: &str) -> Vec<(usize, Value)> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents
        .map(Value::deserialize)
        .enumerate()
        .map_while(|(at, document)| Some((at, document.ok()?)))
        .collect()
}

/// The object, or the items of a list of objects.
fn items(object: &Value) -> Vec<Value> {
    match (object["kind"].as_str(), object["items"].as_array()) {
        (Some("List"), Some(items)) => items.clone(),
        _ => vec![object.clone()],
    }
}

/// Gives an object a name of its own, in the namespace of the trial.
fn name(object: &mut Value, at: usize) {
    if !object["metadata"].is_object() {
        object["metadata"] = Value::Object(Map::new());
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|key, _| ["labels", "annotations"].contains(&key.as_str()));
        metadata.insert("name".to_owned(), json!(format!("case-{at}")));
    }
}

/// The objects that kubectl prints, by name.
fn by_name(printed: &str) -> Result<BTreeMap<String, Value>> {
    let mut objects = BTreeMap::new();
    for object in serde_json::Deserializer::from_str(printed).into_iter::<Value>() {
        for object in items(&object.context("kubectl prints no JSON")?) {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            objects.insert(name.to_owned(), object.clone());
        }
    }
    Ok(objects)
}

/// Audits the files and fixes copies of them.
fn judged(folder: &Path, policy: &str) -> Result<Vec<File>> {
    let copies = folder.join("files");
    fs::create_dir(&copies)?;
    let policy_file = folder.join("policy-of-files.yaml");
    fs::write(&policy_file, policy)?;
    let mut files = Vec::new();
    for (at, path) in (0..).zip(paths()?) {
        let Ok(before) = fs::read_to_string(&path) else {
            continue;
        };
        // A number keeps the names of files in several folders apart.
        let key = path
            .file_name()
            .and_then(|name| name.to_str())
            .context("a file without a name")?;
        let name = format!("{at}/{key}");
        fs::create_dir(copies.join(at.to_string()))?;
        fs::write(copies.join(&name), &before)?;
        files.push((name, before));
    }
    let run = |command: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        program.args(command).arg("--policy");
        program
            .arg(&policy_file)
            .arg("-f")
            .arg(&copies)
            .args(FLAGS)
            .output()
    };
    let audit = run(&["audit", "-o", "json", "--fail-on", "never"])?;
    let report: Value = serde_json::from_slice(&audit.stdout)
        .with_context(|| String::from_utf8_lossy(&audit.stderr).into_owned())?;
    let mut findings: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for finding in Vec::<Finding>::deserialize(&report["findings"])? {
        let parts: Vec<_> = finding.source.file.rsplit('/').take(2).collect();
        let name = parts.into_iter().rev().collect::<Vec<_>>().join("/");
        findings.entry(name).or_default().push(finding);
    }
    run(&["fix"])?;
    files
        .into_iter()
        .map(|(name, before)| {
            Ok(File {
                after: fs::read_to_string(copies.join(&name))?,
                findings: findings.remove(&name).unwrap_or_default(),
                name,
                before,
            })
        })
        .collect()
}

/// The files of the shapes and of the corpus, in order.
fn paths() -> Result<Vec<PathBuf>> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![repository.join(SHAPES)];
    let beside = Some(repository.join("../shared/corpus")).filter(|path| path.is_dir());
    folders.extend(std::env::var_os(CORPUS).map(PathBuf::from).or(beside));
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name != "index.json" && name != "README.md" && !name.starts_with(POLICY_FILES)
            {
                paths.push(path);
            }
        }
    }
    paths.sort();
    Ok(paths)
}
