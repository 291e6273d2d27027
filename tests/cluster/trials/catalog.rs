//! `catalog import --apply` with the rights of the published `CronJob`, on answers in files, and on those that the real AWS CLI lists by
//! the `CronJob`'s own script.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;

use super::crds;
use crate::{
    bedrock::Bedrock,
    bedrock_answers::{Answers, profile_summary},
    release::definitions,
    trial::{Trial, alone, aws_cli},
    world::{Output, World},
};

/// The published manifests.
const MANIFESTS: &str = include_str!("../../../integrations/catalog-cronjob.yaml");

/// A catalog of four models.
const CATALOG: &str = include_str!("../../../docs/samples/small-catalog.yaml");

const NAMESPACE: &str = "bedrock-profiles";

const TODAY: &str = "2026-12-01";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone(
            "an_import_of_answers_is_applied_with_the_rights_of_the_cron_job",
            answers_in_files,
        ),
        aws_cli(
            "what_the_aws_cli_lists_is_imported_by_the_cron_job",
            listed_by_the_aws_cli,
        ),
    ]
}

/// A cluster with the definitions, a catalog and the `CronJob`, and a kubeconfig of its account.
fn cluster(world: &World) -> Result<PathBuf> {
    crds::install(world, &definitions()?)?;
    world.apply(CATALOG)?;
    world
        .kubectl(&["create", "namespace", NAMESPACE], None)?
        .success("create")?;
    let strict = [
        "create",
        "--validate=strict",
        "-f",
        "-",
        "--namespace",
        NAMESPACE,
    ];
    let created = world.kubectl(&strict, Some(MANIFESTS))?.success("create")?;
    ensure!(created.warnings().is_empty(), "{}", created.stderr);
    let token = [
        "create",
        "token",
        "bedrock-catalog",
        "--namespace",
        NAMESPACE,
    ];
    let token = world.kubectl(&token, None)?.success("create token")?;
    let path = world.folder().join("catalog.kubeconfig");
    let config = world
        .plane()
        .kubeconfig_with_token(token.stdout.trim(), None);
    fs::write(&path, config.to_string())?;
    Ok(path)
}

/// Runs the command of the `CronJob`'s second container on a folder, and returns its exit code with what it prints.
fn import(kubeconfig: &Path, folder: &Path, flags: &[&str]) -> Result<(i32, Output)> {
    let done = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(["catalog", "import"])
        .arg(folder)
        .args(["--apply", "--today", TODAY])
        .args(flags)
        .env("KUBECONFIG", kubeconfig)
        .output()?;
    let output = Output {
        stdout: String::from_utf8(done.stdout)?,
        stderr: String::from_utf8(done.stderr)?,
        ok: done.status.success(),
    };
    Ok((done.status.code().context("a signal")?, output))
}

fn answers_in_files(world: &World) -> Result<()> {
    let kubeconfig = cluster(world)?;
    nothing_is_created_without_a_row(world, &kubeconfig)?;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/samples/answers");
    a_mapping_of_a_user_is_not_changed(world, &kubeconfig, &samples)?;
    // A mapping of another name is not permitted.
    let (code, output) = import(&kubeconfig, &samples, &["--name", "other"])?;
    ensure!(
        code == 2 && output.stderr.contains("forbidden"),
        "{output:?}"
    );
    let (code, output) = import(&kubeconfig, &samples, &[])?;
    ensure!(code == 0, "{}", output.stderr);
    ensure!(
        output
            .stdout
            .contains("  ~ state: Legacy instead of Active\n"),
        "{}",
        output.stdout
    );
    let applied = world.get("ipm", "bedrock-api")?;
    assert_eq!(applied["spec"]["priority"], -500);
    let models = applied["spec"]["models"].as_array().context("no models")?;
    assert_eq!(models.len(), 4, "{models:?}");
    let managers = world.kubectl(
        &[
            "get",
            "ipm",
            "bedrock-api",
            "--show-managed-fields",
            "-o",
            "jsonpath={.metadata.managedFields[*].manager}",
        ],
        None,
    )?;
    assert_eq!(managers.stdout, "bedrock-profiles.dev/catalog-import");

    changes_nothing_again(world, &kubeconfig, &samples)?;
    more_than_a_mapping_may_have_is_refused(world, &kubeconfig)?;
    no_row_is_lost_between_two_imports(world, &kubeconfig)?;
    is_refused(world, &kubeconfig, &samples)
}

/// A user's mapping of the same name, whose fields the import would not contradict.
fn a_mapping_of_a_user_is_not_changed(
    world: &World,
    kubeconfig: &Path,
    samples: &Path,
) -> Result<()> {
    let own = format!(
        "{{apiVersion: bedrock-profiles.dev/v1alpha1, kind: InferenceProfileMapping, metadata: {{name: bedrock-api}}, \
         spec: {{priority: 5, models: [{{modelId: {}, aliases: [own]}}]}}}}",
        "anthropic.claude-sonnet-4-6"
    );
    world.apply(&own)?;
    let before = world.get("ipm", "bedrock-api")?;
    let (code, output) = import(kubeconfig, samples, &[])?;
    ensure!(
        code == 2 && output.stderr.contains("is not of an import"),
        "{output:?}"
    );
    assert_eq!(world.get("ipm", "bedrock-api")?, before);
    world
        .kubectl(&["delete", "ipm", "bedrock-api"], None)?
        .success("delete")?;
    Ok(())
}

/// A folder with an answer of us-east-1 that lists models on demand.
fn listed_models(world: &World, name: &str, ids: &[String]) -> Result<PathBuf> {
    let folder = world.folder().join(name);
    fs::create_dir_all(&folder)?;
    let models: Vec<_> = ids
        .iter()
        .map(|id| serde_json::json!({"modelId": id, "inferenceTypesSupported": ["ON_DEMAND"]}))
        .collect();
    let answer = serde_json::json!({ "modelSummaries": models });
    fs::write(folder.join("us-east-1.json"), answer.to_string())?;
    Ok(folder)
}

/// The API server refuses it, and names the field.
fn more_than_a_mapping_may_have_is_refused(world: &World, kubeconfig: &Path) -> Result<()> {
    let before = world.get("ipm", "bedrock-api")?;
    let ids: Vec<_> = (0..1001).map(|at| format!("example.m{at}")).collect();
    let folder = listed_models(world, "many", &ids)?;
    let (code, output) = import(kubeconfig, &folder, &[])?;
    ensure!(
        code == 2 && output.stderr.contains("spec.models: Too many"),
        "{output:?}"
    );
    assert_eq!(world.get("ipm", "bedrock-api")?, before);
    Ok(())
}

/// Of two imports at the same time each one is applied as a whole, or refused.
fn no_row_is_lost_between_two_imports(world: &World, kubeconfig: &Path) -> Result<()> {
    for round in 0..3 {
        let ids = ["one", "other"].map(|name| format!("example.{name}-{round}"));
        let folders = ids
            .each_ref()
            .map(|id| listed_models(world, id, std::slice::from_ref(id)));
        let [one, other] = folders;
        let folders = [one?, other?];
        let done = std::thread::scope(|scope| {
            let runs = folders
                .each_ref()
                .map(|folder| scope.spawn(|| import(kubeconfig, folder, &[])));
            runs.map(|run| run.join().map_err(|_| anyhow!("an import panicked")))
        });
        let applied = world.get("ipm", "bedrock-api")?.to_string();
        for (id, done) in ids.iter().zip(done) {
            let (code, output) = done??;
            if code == 2 {
                let reason = "has changed since it was read";
                ensure!(output.stderr.contains(reason), "{output:?}");
            } else {
                ensure!(code == 0 && applied.contains(id), "{output:?}");
            }
        }
    }
    Ok(())
}

/// Answers that the catalog agrees with make no mapping.
fn nothing_is_created_without_a_row(world: &World, kubeconfig: &Path) -> Result<()> {
    let empty = world.folder().join("empty");
    fs::create_dir(&empty)?;
    fs::write(
        empty.join("us-east-1.json"),
        r#"{"inferenceProfileSummaries": []}"#,
    )?;
    let (code, output) = import(kubeconfig, &empty, &[])?;
    ensure!(code == 0 && output.stdout.is_empty(), "{output:?}");
    ensure!(
        !world.kubectl(&["get", "ipm", "bedrock-api"], None)?.ok,
        "it was created"
    );
    Ok(())
}

/// The same answers, and fewer of them, change nothing.
fn changes_nothing_again(world: &World, kubeconfig: &Path, samples: &Path) -> Result<()> {
    let applied = world.get("ipm", "bedrock-api")?;
    let fewer = world.folder().join("fewer");
    fs::create_dir(&fewer)?;
    fs::copy(
        samples.join("profiles-eu-west-1.json"),
        fewer.join("profiles.json"),
    )?;
    for folder in [samples, &fewer] {
        let (code, output) = import(kubeconfig, folder, &[])?;
        ensure!(code == 0 && output.stdout.is_empty(), "{output:?}");
        ensure!(
            output.stderr.contains("nothing is to be corrected"),
            "{output:?}"
        );
        let after = world.get("ipm", "bedrock-api")?;
        assert_eq!(
            after["metadata"]["resourceVersion"],
            applied["metadata"]["resourceVersion"]
        );
    }
    Ok(())
}

/// What another manager owns is not taken from it.
fn is_refused(world: &World, kubeconfig: &Path, samples: &Path) -> Result<()> {
    let taken = r#"{"spec": {"priority": -400}}"#;
    world
        .kubectl(
            &["patch", "ipm", "bedrock-api", "--type=merge", "-p", taken],
            None,
        )?
        .success("patch")?;
    let before = world.get("ipm", "bedrock-api")?;
    let (code, output) = import(kubeconfig, samples, &["--priority=-300"])?;
    ensure!(
        code == 2 && output.stderr.contains("fields of another manager"),
        "{output:?}"
    );
    assert_eq!(world.get("ipm", "bedrock-api")?, before);
    Ok(())
}

fn listed_by_the_aws_cli(world: &World) -> Result<()> {
    let kubeconfig = cluster(world)?;
    let mut answers = Answers::of_catalog(&bedrock_profiles::catalog::builtin()?.spec, TODAY);
    let listed = answers
        .profiles
        .get_mut("eu-west-1")
        .context("no eu-west-1")?;
    ensure!(listed.len() > 25, "one page");
    let destinations = ["eu-central-1", "eu-west-1"].map(str::to_owned);
    listed.push(profile_summary(
        "eu.anthropic.claude-sonnet-7",
        "eu-west-1",
        &destinations,
    ));
    answers.profiles.remove("eu-central-1");
    answers.models.remove("eu-central-1");
    let bedrock = Bedrock::start(answers)?;

    let folder = world.folder().join("answers");
    fs::create_dir(&folder)?;
    let listed = list(&bedrock, &folder)?;
    ensure!(listed.ok, "{}", listed.stderr);
    ensure!(listed.stderr.contains("AccessDenied"), "{}", listed.stderr);
    let (code, output) = import(&kubeconfig, &folder, &[])?;
    ensure!(code == 0, "{output:?}");
    for region in [
        "list-inference-profiles-eu-central-1",
        "list-foundation-models-eu-central-1",
    ] {
        ensure!(
            output.stderr.contains(&format!("{region}.json is empty")),
            "{output:?}"
        );
    }
    let added = "anthropic.claude-sonnet-7\n  + state: Active\n  + eu profile to eu-central-1, eu-west-1, from eu-west-1\n";
    ensure!(output.stdout.contains(added), "{}", output.stdout);

    // The shipped catalog lacks the planted profile alone.
    let checked = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(["catalog", "check", "-o", "json", "--today", TODAY])
        .arg(&folder)
        .output()?;
    let report: Value = serde_json::from_slice(&checked.stdout)?;
    let differences = report["differences"].as_array().context("no differences")?;
    ensure!(differences.len() == 1, "{differences:?}");
    assert_eq!(differences[0]["profile"], "eu.anthropic.claude-sonnet-7");
    assert_eq!(report["checked"].as_array().map(Vec::len), Some(3));
    Ok(())
}

/// Runs the script of the `CronJob`'s first container, with its regions, against the stand-in.
fn list(bedrock: &Bedrock, folder: &Path) -> Result<Output> {
    let installed =
        env::var_os("AWS_CLI").context("run `make aws-cli`, which installs the AWS CLI")?;
    let installed = PathBuf::from(installed);
    let documents = serde_yaml::Deserializer::from_str(MANIFESTS);
    let cron_job = documents
        .map(serde::Deserialize::deserialize)
        .collect::<Result<Vec<Value>, _>>()?
        .pop()
        .context("no CronJob")?;
    let pod = &cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let container = &pod["initContainers"][0];
    assert_eq!(container["command"], serde_json::json!(["sh", "-c"]));
    let script = container["args"][0].as_str().context("no script")?;
    let script = script.replace("/answers", folder.to_str().context("a path")?);
    let regions = container["env"][0]["value"]
        .as_str()
        .context("no regions")?;
    let mut path = vec![installed.join("bin")];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let done = Command::new("sh")
        .args(["-c", &script])
        .env("PATH", env::join_paths(path)?)
        .env("PYTHONPATH", &installed)
        .env("REGIONS", regions)
        .env("HOME", folder)
        .env("AWS_ENDPOINT_URL", bedrock.url())
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "of-the-stand-in")
        .output()?;
    Ok(Output {
        stdout: String::from_utf8(done.stdout)?,
        stderr: String::from_utf8(done.stderr)?,
        ok: done.status.success(),
    })
}
