//! The files for users of CI and kubectl, each held against the tool that reads it, as far as no network is needed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::tools::{ACTIONLINT, KREW, python, repository};
use crate::trial;

const ARCHIVE: &str = "bedrock-profiles-linux-amd64.tar.gz";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("integrations::hooks_of_pre_commit", hooks),
        trial("integrations::the_action_has_its_schema", action),
        trial("integrations::the_gitlab_job_has_its_schema", gitlab),
        trial("integrations::the_workflow_is_valid", workflow),
        trial("integrations::the_krew_manifest_is_valid", krew),
        trial(
            "integrations::a_binary_is_installed_with_its_checksum",
            install,
        ),
    ]
}

fn succeeds(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.current_dir(repository("")).output().unwrap();
    let printed = [stdout, stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(status.success(), "{printed}");
    printed
}

fn read(file: &str) -> String {
    fs::read_to_string(repository(file)).unwrap()
}

fn hooks() {
    succeeds(python().args([
        "-m",
        "pre_commit",
        "validate-manifest",
        ".pre-commit-hooks.yaml",
    ]));
    let hooks: Value = serde_yaml::from_str(&read(".pre-commit-hooks.yaml")).unwrap();
    for hook in hooks.as_array().unwrap() {
        let entry = hook["entry"].as_str().unwrap();
        // pre-commit adds the names of files.
        let mut words = entry.split_whitespace();
        assert_eq!(words.next(), Some("bedrock-profiles"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        let done = command.args(words).arg("Cargo.toml").output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{entry}: {done:?}");
    }
}

fn action() {
    succeeds(python().args([
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-actions",
        "action.yml",
    ]));
    let action: Value = serde_yaml::from_str(&read("action.yml")).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let audit = steps.iter().find(|step| step["name"] == "Audit").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("bedrock-profiles");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bedrock-profiles"), binary).unwrap();
    let path = format!(
        "{}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap()
    );
    let sarif = folder.path().join("out.sarif");
    // As the runner calls a step with `shell: bash`.
    let mut command = Command::new("bash");
    let done = command
        .args([
            "--noprofile",
            "--norc",
            "-eo",
            "pipefail",
            "-c",
            audit["run"].as_str().unwrap(),
        ])
        .env("PATH", path)
        .env("PATHS", "tests/fixtures/manifests\n")
        .env("ARGUMENTS", "--today=2026-11-23\n")
        .env("FAIL_ON", "change")
        .env("SARIF", &sarif)
        .current_dir(repository(""))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(
        printed.contains("::error file=tests/fixtures/manifests/models.yaml,line=9"),
        "{printed}"
    );
    assert!(sarif.exists());
}

fn gitlab() {
    succeeds(python().args([
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.gitlab-ci",
        "integrations/gitlab.yml",
    ]));
}

fn workflow() {
    let file = "integrations/github-workflow.yml";
    succeeds(
        ACTIONLINT
            .command()
            .unwrap()
            .args(["-shellcheck=", "-pyflakes=", file]),
    );
    let workflow: Value = serde_yaml::from_str(&read(file)).unwrap();
    let action: Value = serde_yaml::from_str(&read("action.yml")).unwrap();
    let step = &workflow["jobs"]["audit"]["steps"][1];
    for name in step["with"].as_object().unwrap().keys() {
        assert!(action["inputs"][name].is_object(), "{name}");
    }
}

/// The template, filled in as krew-release-bot does.
fn krew() {
    let mut text = String::new();
    for line in read("integrations/krew.yaml").lines() {
        let line = match line.split_once("{{addURIAndSha \"") {
            None => line.replace("{{ .TagName }}", "v0.1.0"),
            Some((indent, rest)) => {
                let (url, _) = rest.split_once('"').unwrap();
                let url = url.replace("{{ .TagName }}", "v0.1.0");
                assert!(url.ends_with("64.tar.gz"), "{url}");
                format!("{indent}uri: {url}\n{indent}sha256: \"{}\"", "0".repeat(64))
            }
        };
        text.extend([&line, "\n"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("bedrock-profiles.yaml");
    fs::write(&manifest, text).unwrap();
    let mut command = KREW.command().unwrap();
    succeeds(command.arg("-skip-install").arg("-manifest").arg(&manifest));
}

/// A folder with a release, and the checksum that it states for the archive.
fn release(folder: &Path, checksum: Option<&str>) -> PathBuf {
    let release = folder.join("v0.1.0");
    fs::create_dir_all(&release).unwrap();
    let binary = folder.join("bedrock-profiles");
    fs::write(&binary, "#!/bin/sh\necho installed\n").unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |command: &str| {
        let done = Command::new("sh")
            .args(["-c", command])
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    for platform in ["amd64", "arm64"] {
        run(&format!(
            "tar czf v0.1.0/bedrock-profiles-linux-{platform}.tar.gz bedrock-profiles"
        ));
    }
    match checksum {
        Some(text) => fs::write(release.join("SHA256SUMS"), text).unwrap(),
        None => run("cd v0.1.0 && sha256sum *.tar.gz >SHA256SUMS"),
    }
    release
}

fn install() {
    let wrong = format!("{}  {ARCHIVE}\n", "0".repeat(64));
    let wrong = wrong.clone() + &wrong.replace("amd64", "arm64");
    for (checksum, succeeds) in [(None, true), (Some(&*wrong), false), (Some(""), false)] {
        let folder = tempfile::tempdir().unwrap();
        release(folder.path(), checksum);
        let installed = folder.path().join("bin");
        let releases = format!("file://{}", folder.path().display());
        let mut command = Command::new(repository("integrations/install.sh"));
        let done = command
            .args([&releases, "v0.1.0"])
            .arg(&installed)
            .output()
            .unwrap();
        assert_eq!(done.status.success(), succeeds, "{checksum:?}: {done:?}");
        let binary = installed.join("bedrock-profiles");
        assert_eq!(binary.exists(), succeeds, "{checksum:?}");
        if succeeds {
            let done = Command::new(binary).output().unwrap();
            assert_eq!(done.stdout, b"installed\n");
        }
    }
}
