//! What users of linters and of kubectl expect: how paths are given, what is read, what ends with which exit code.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::{SONNET, run, text};

pub(super) fn pod(id: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, env: [{{name: M, value: '{id}'}}, {{name: AWS_REGION, value: eu-west-1}}]}}]}}\n"
    )
}

/// A folder with these files.
pub(super) fn folder(files: &[(&str, &[u8])]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

pub(super) fn report(args: &[&str]) -> Value {
    let done = run(&[args, &["-o", "json"]].concat());
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)))
}

/// The names of the files with findings, without the folder.
fn found(folder: &str, args: &[&str]) -> Vec<String> {
    let report = report(&[&["audit", folder], args].concat());
    let findings = report["findings"].as_array().unwrap().iter();
    let files = findings.map(|one| one["source"]["file"].as_str().unwrap());
    let name = |file: &str| file.trim_start_matches(folder)[1..].to_owned();
    files.map(name).collect()
}

/// Runs a command with this standard input.
pub(super) fn run_with(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let mut child = command
        .args(args)
        .args(["--today", "2026-11-23"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn paths_are_taken_with_and_without_f_and_with_commas() {
    let pod = pod(SONNET);
    let (_folder, path) = folder(&[("a.yaml", pod.as_bytes()), ("b.yaml", pod.as_bytes())]);
    let (a, b) = (format!("{path}/a.yaml"), format!("{path}/b.yaml"));
    for args in [
        &["audit", &a, &b][..],
        &["audit", "-f", &a, "-f", &b],
        &["audit", "-f", &format!("{a},{b}")],
        &["audit", &a, "-f", &b],
    ] {
        assert_eq!(report(args)["summary"]["files"], 2, "{args:?}");
    }
    assert_eq!(run(&["fix", &a, &b]).status.code(), Some(0));
    let fixed = fs::read_to_string(a).unwrap();
    assert!(fixed.contains(&format!("eu.{SONNET}")), "{fixed}");
}

#[test]
fn hidden_and_excluded_files_are_skipped_and_env_is_not() {
    let pod = pod(SONNET);
    let env = format!("MODEL={SONNET}\nAWS_REGION=eu-west-1\n");
    let (_folder, path) = folder(&[
        (".env", env.as_bytes()),
        (".hidden/a.yaml", pod.as_bytes()),
        (".git/b.yaml", pod.as_bytes()),
        ("chart/templates/c.yaml", pod.as_bytes()),
        ("d.yaml", pod.as_bytes()),
    ]);
    let all = [".env", "chart/templates/c.yaml", "d.yaml"];
    assert_eq!(found(&path, &[]), all);
    assert_eq!(
        found(&path, &["--exclude", "templates"]),
        [".env", "d.yaml"]
    );
    let none = ["--exclude", "*.yaml", "--exclude", ".env", "--allow-empty"];
    assert_eq!(found(&path, &none), [""; 0]);
    assert_eq!(
        found(&path, &["--hidden", "--exclude", "d.yaml"]),
        [".env", ".hidden/a.yaml", "chart/templates/c.yaml"]
    );
}

#[test]
fn utf_16_is_read_and_written_and_what_is_no_text_is_skipped() {
    let in_utf_16 = |text: &str| -> Vec<u8> {
        let marked = [0xfeff].into_iter().chain(text.encode_utf16());
        marked.flat_map(u16::to_le_bytes).collect()
    };
    let (_folder, path) = folder(&[
        ("latin.yaml", b"name: caf\xe9\n"),
        ("power.yaml", &in_utf_16(&pod(SONNET))),
    ]);
    let done = run(&["fix", &path]);
    let notes = text(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{notes}");
    assert!(
        notes.contains("latin.yaml is neither UTF-8 nor UTF-16"),
        "{notes}"
    );
    let fixed = fs::read(Path::new(&path).join("power.yaml")).unwrap();
    assert_eq!(fixed, in_utf_16(&pod(&format!("eu.{SONNET}"))));
}

#[test]
fn nothing_to_look_at_is_an_error_unless_it_is_permitted() {
    let (_binary, path) = folder(&[("a.yaml", b"\xff\x00")]);
    let done = run(&["audit", &path]);
    assert_eq!(done.status.code(), Some(2));
    let errors = text(&done.stderr);
    assert!(errors.contains("error: every file was skipped"), "{errors}");
    let (_folder, path) = folder(&[("chart.tpl", b"{{ x }}")]);
    for args in [["audit", "-"], ["audit", &path]] {
        let done = run_with(&args, "");
        assert_eq!(done.status.code(), Some(2), "{args:?}");
        assert!(text(&done.stderr).contains("--allow-empty"), "{args:?}");
        let done = run_with(&[&args[..], &["--allow-empty"]].concat(), "");
        assert_eq!(done.status.code(), Some(0), "{args:?}");
        assert!(text(&done.stderr).contains("warning: "), "{args:?}");
    }
}

#[test]
fn an_assumed_region_applies_where_nothing_names_one() {
    let region = "{name: AWS_REGION, value: eu-west-1}";
    let without = pod(SONNET).replace(region, "{name: A, value: b}");
    let (_folder, path) = folder(&[
        ("a.yaml", pod(SONNET).as_bytes()),
        ("b.yaml", without.as_bytes()),
    ]);
    let report = report(&["audit", &path, "--region", "us-east-1"]);
    let findings = &report["findings"];
    assert_eq!(findings[0]["after"], format!("eu.{SONNET}"));
    assert_eq!(findings[0]["regionSource"], "ContainerEnv");
    assert_eq!(findings[1]["after"], format!("us.{SONNET}"));
    assert_eq!(findings[1]["regionSource"], "Assumed");
}

#[test]
fn a_file_that_is_no_yaml_fails_and_a_template_does_not() {
    let (_folder, path) = folder(&[("broken.yaml", b"a: [\n")]);
    let done = run(&["audit", &path]);
    assert_eq!(done.status.code(), Some(1));
    assert!(
        text(&done.stderr).contains("error: "),
        "{}",
        text(&done.stderr)
    );
    assert_eq!(report(&["audit", &path])["unread"][0]["isError"], true);
    let done = run(&["audit", &path, "--fail-on", "never"]);
    assert_eq!(done.status.code(), Some(0));
    assert_eq!(run(&["fix", &path]).status.code(), Some(1));
    let (_folder, path) = folder(&[("template.yaml", b"{{ if }}\na: [\n")]);
    assert_eq!(run(&["audit", &path]).status.code(), Some(0));
}

#[test]
fn text_shows_what_is_to_be_done_and_the_rest_on_request() {
    let works = pod("anthropic.claude-sonnet-4-6").replace("eu-west-1", "eu-west-2");
    let (_folder, path) = folder(&[("a.yaml", works.as_bytes())]);
    let done = run(&["audit", &path]);
    assert_eq!((text(&done.stdout), done.status.code()), ("", Some(0)));
    for show in ["all", "ok", "WorksDirectly", "error,ok"] {
        let done = run(&["audit", &path, "--show", show]);
        let printed = text(&done.stdout);
        assert!(printed.contains("ok      WorksDirectly: "), "{printed}");
    }
    let done = run(&["audit", &path, "--quiet"]);
    assert_eq!((text(&done.stdout), text(&done.stderr)), ("", ""));
    let done = run(&["audit", &path, "--show", "Works"]);
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn check_and_diff_end_with_1_where_something_would_change() {
    let (_folder, path) = folder(&[("a.yaml", pod(SONNET).as_bytes())]);
    for args in [["fix", &path, "--check"], ["fix", &path, "--diff"]] {
        assert_eq!(run(&args).status.code(), Some(1), "{args:?}");
    }
    assert_eq!(run(&["fix", &path]).status.code(), Some(0));
    for args in [["fix", &path, "--check"], ["fix", &path, "--diff"]] {
        assert_eq!(run(&args).status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn a_full_disk_is_one_sentence() {
    for args in [
        &["audit", "tests/fixtures/manifests"][..],
        &["audit", "tests/fixtures/manifests", "-o", "json"],
        &["fix", "tests/fixtures/manifests", "--diff"],
        &["resolve", SONNET, "--region", "eu-west-1"],
        &["export", "crds"],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
            .args(args)
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2), "{args:?}");
        let printed = text(&done.stderr);
        let last = printed.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("error: cannot write to standard output"),
            "{printed}"
        );
    }
}

#[test]
fn fix_refuses_files_that_it_cannot_replace_as_they_are() {
    let pod = pod(SONNET);
    let (_folder, path) = folder(&[
        ("linked.yaml", pod.as_bytes()),
        ("locked.yaml", pod.as_bytes()),
        ("plain.yaml", pod.as_bytes()),
    ]);
    let file = |name: &str| Path::new(&path).join(name);
    fs::hard_link(file("linked.yaml"), file("other.txt")).unwrap();
    let mode = |name: &str, mode| {
        fs::set_permissions(file(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("locked.yaml", 0o444);
    mode("plain.yaml", 0o640);
    let before = fs::metadata(file("plain.yaml")).unwrap();
    let done = run(&["fix", &path]);
    assert_eq!(done.status.code(), Some(2));
    let errors = text(&done.stderr);
    for part in ["linked.yaml has 2 names", "locked.yaml is read-only"] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
    for name in ["linked.yaml", "locked.yaml"] {
        assert_eq!(fs::read_to_string(file(name)).unwrap(), pod, "{name}");
    }
    let after = fs::metadata(file("plain.yaml")).unwrap();
    assert_eq!(after.mode(), before.mode());
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    let fixed = fs::read_to_string(file("plain.yaml")).unwrap();
    assert!(fixed.contains("eu."), "{fixed}");
    let names = fs::read_dir(&path).unwrap().count();
    assert_eq!(names, 4, "no temporary file stays");
}

#[test]
fn habits_of_kubectl_are_met() {
    let (_folder, path) = folder(&[("a/b/pod.yaml", pod(SONNET).as_bytes())]);
    let done = run(&["audit", "-R", "-f", &path]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    let done = run(&["fix", "--dry-run", &path]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert_eq!(
        fs::read_to_string(format!("{path}/a/b/pod.yaml")).unwrap(),
        pod(SONNET)
    );
    let done = run(&["audit", "-f", "https://example.com/pod.yaml"]);
    assert_eq!(done.status.code(), Some(2));
    let errors = text(&done.stderr);
    assert!(
        errors.contains("URLs are not fetched; `curl -fsSL https://example.com/pod.yaml`"),
        "{errors}"
    );
}

#[test]
fn a_device_that_is_named_is_refused() {
    let done = run(&["audit", "/dev/zero"]);
    assert_eq!(done.status.code(), Some(2));
    let errors = text(&done.stderr);
    assert!(errors.contains("cannot read /dev/zero"), "{errors}");
}

#[test]
fn a_pipe_or_device_that_a_flag_names_is_refused_and_the_output_of_a_command_is_read() {
    let (_folder, path) = folder(&[("a.yaml", pod(SONNET).as_bytes())]);
    let (file, pipe) = (format!("{path}/a.yaml"), format!("{path}/pipe"));
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    for flag in ["--config", "--baseline", "--policy", "--mapping"] {
        for named in ["/dev/zero", &pipe] {
            let done = run(&["audit", &file, flag, named]);
            assert_eq!(done.status.code(), Some(2), "{flag}");
            let errors = text(&done.stderr);
            let error = format!("error: cannot read {named}");
            assert!(errors.contains(&error), "{flag}: {errors}");
            assert!(errors.contains("it is not a file"), "{flag}: {errors}");
        }
    }
    let command = format!(
        "{} audit {file} --config <(echo 'failOn: never')",
        env!("CARGO_BIN_EXE_bedrock-profiles")
    );
    let done = Command::new("bash").args(["-c", &command]).output();
    let done = done.unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
}

#[test]
fn objects_of_files_are_selected_by_their_labels() {
    let labelled = |app: &str| {
        pod(SONNET).replace(
            "{name: p}",
            &format!("{{name: {app}, labels: {{app: {app}}}}}"),
        )
    };
    let list = format!("{}---\n{}", labelled("a"), labelled("b"));
    let variables = format!("MODEL={SONNET}\nAWS_REGION=eu-west-1\n");
    let (_folder, path) = folder(&[
        ("pods.yaml", list.as_bytes()),
        ("app.env", variables.as_bytes()),
    ]);
    for (selector, expected) in [
        ("app=a", &["a"][..]),
        ("app in (a,b)", &["a", "b"]),
        // As an object without labels.
        ("app!=a", &["", "b"]),
        ("!app", &[""]),
        ("tier", &[]),
    ] {
        let report = report(&["audit", &path, "-l", selector]);
        let findings = report["findings"].as_array().unwrap().iter();
        let names: Vec<_> = findings
            .map(|one| one["object"]["name"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(names, expected, "{selector}");
    }
    run(&["fix", &path, "-l", "app=b"]);
    let fixed = fs::read_to_string(format!("{path}/pods.yaml")).unwrap();
    let changed = labelled("b").replace(SONNET, &format!("eu.{SONNET}"));
    assert_eq!(fixed, format!("{}---\n{changed}", labelled("a")));
    assert_eq!(
        fs::read_to_string(format!("{path}/app.env")).unwrap(),
        variables
    );
}

#[test]
fn an_anchor_that_another_object_uses_stays_if_that_one_is_not_selected() {
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: Pod, metadata: {{name: a, labels: {{app: a}}}}, spec: &spec {{containers: [{{name: c, env: [{{name: M, value: {SONNET}}}, {{name: AWS_REGION, value: eu-west-1}}]}}]}}}}\n- {{apiVersion: v1, kind: Pod, metadata: {{name: b}}, spec: *spec}}\n"
    );
    let (_folder, path) = folder(&[("pods.yaml", list.as_bytes())]);
    let file = format!("{path}/pods.yaml");
    let done = run(&["fix", &file, "-l", "app=a"]);
    assert!(
        text(&done.stderr).contains("SharedAnchor"),
        "{}",
        text(&done.stderr)
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), list);
}

#[test]
fn colours_are_forced_and_forbidden_by_flag_and_variable() {
    let colours = |args: &[&str], variable: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        let done = command
            .args(["audit", "tests/fixtures/manifests"])
            .args(args)
            .env(variable, "1")
            .output()
            .unwrap();
        text(&done.stdout).contains('\u{1b}')
    };
    assert!(!colours(&[], "UNUSED"));
    assert!(colours(&["--color", "always"], "NO_COLOR"));
    assert!(colours(&[], "FORCE_COLOR"));
    assert!(!colours(&["--color", "never"], "FORCE_COLOR"));
}

#[test]
fn findings_are_grouped_on_request() {
    let first = |group: &str| {
        let done = run(&["audit", "tests/fixtures/manifests", "--group-by", group]);
        let printed = text(&done.stdout).to_owned();
        printed.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(first("file"), "tests/fixtures/manifests/chat.yaml");
    assert_eq!(first("workload"), "ml Deployment/chat");
    assert_eq!(first("reason"), "change");
    assert_eq!(first("namespace"), "ml");
}

#[test]
fn messages_escape_the_control_characters_of_names() {
    let name = "a\u{1b}[2J\u{202e}.yaml";
    let (_folder, path) = folder(&[(name, b"a: [\n")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    // Forced, since whatever begins with an escape is taken out of a pipe.
    let done = command
        .args(["audit", &path, "--color", "always"])
        .output()
        .unwrap();
    let errors = text(&done.stderr);
    assert!(errors.contains("a\\u{1b}[2J\\u{202e}.yaml:"), "{errors:?}");
    assert!(!errors.contains('\u{1b}') && !errors.contains('\u{202e}'));
}

#[test]
fn a_folder_whose_every_id_is_right_prints_one_line() {
    let (_folder, path) = folder(&[
        (
            "a.yaml",
            b"region: eu-west-1\nmodel: eu.anthropic.claude-sonnet-4-6\n",
        ),
        (
            "b.yaml",
            b"region: us-east-1\nmodel: us.anthropic.claude-sonnet-4-6\n",
        ),
    ]);
    let done = run(&["audit", &path]);
    let printed = [text(&done.stdout), text(&done.stderr)].concat();
    assert_eq!(printed, "2 files, 0 objects, 2 findings: 2 ok\n");
    assert_eq!(done.status.code(), Some(0));
}
