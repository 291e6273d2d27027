//! The configuration file: where it is found, what it sets, and what is refused.

use std::fs;
use std::path::Path;

use super::habits::{folder, pod};
use super::{SONNET, run_in, text};

const FILE: &str = ".bedrock-profiles.yaml";

/// Pods without a region.
fn without_region() -> String {
    pod(SONNET).replace(
        "{name: AWS_REGION, value: eu-west-1}",
        "{name: A, value: b}",
    )
}

#[test]
fn the_nearest_file_up_to_the_root_of_the_repository_is_used() {
    let pod = without_region();
    let (_folder, path) = folder(&[
        (FILE, b"region: us-east-1\n"),
        ("repository/.git/HEAD", b""),
        ("repository/a/b/pod.yaml", pod.as_bytes()),
    ]);
    let root = Path::new(&path);
    let inside = root.join("repository/a/b");
    let printed = |args: &[&str]| {
        let done = run_in(&inside, args);
        (text(&done.stdout).to_owned(), text(&done.stderr).to_owned())
    };
    // The file above the repository is not its own.
    let (found, notes) = printed(&["audit", "."]);
    assert!(
        found.contains("NoRegion") && !notes.contains("configuration"),
        "{notes}"
    );
    fs::write(root.join("repository").join(FILE), "region: eu-west-1\n").unwrap();
    let (found, notes) = printed(&["audit", "."]);
    assert!(found.contains(&format!("eu.{SONNET}")), "{found}");
    assert!(
        notes.contains("note: configuration of ../../.bedrock-profiles.yaml\n"),
        "{notes}"
    );
    fs::write(inside.join(FILE), "region: us-east-1\n").unwrap();
    let (found, notes) = printed(&["audit", "."]);
    assert!(found.contains(&format!("us.{SONNET}")), "{found}");
    assert!(
        notes.contains("note: configuration of .bedrock-profiles.yaml\n"),
        "{notes}"
    );
    // Flags decide which file, and whether one.
    let (found, _) = printed(&["audit", ".", "--config", "../../.bedrock-profiles.yaml"]);
    assert!(found.contains(&format!("eu.{SONNET}")), "{found}");
    let (found, _) = printed(&["audit", ".", "--no-config"]);
    assert!(found.contains("NoRegion"), "{found}");
    let (_, notes) = printed(&["audit", ".", "--quiet"]);
    assert_eq!(notes, "");
}

#[test]
fn each_field_is_what_its_flag_is_and_the_flag_takes_precedence() {
    let policy = "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfilePolicy\nmetadata: {name: p}\nspec: {mode: Rewrite, models: {exclude: ['*']}}\n";
    let pods = without_region();
    let (_folder, path) = folder(&[
        ("conf/config.yaml", b""),
        ("conf/policy.txt", policy.as_bytes()),
        ("conf/vendor/pod.yaml", pods.as_bytes()),
        ("conf/pod.yaml", pods.as_bytes()),
    ]);
    let root = Path::new(&path);
    let run_with = |config: &str, args: &[&str]| {
        fs::write(root.join("conf/config.yaml"), config).unwrap();
        let files = [
            "audit",
            "conf/pod.yaml",
            "conf/vendor",
            "--show",
            "all",
            "--config",
            "conf/config.yaml",
        ];
        let done = run_in(root, &[&files[..], args].concat());
        let printed = [text(&done.stdout), text(&done.stderr)].concat();
        (printed, done.status.code())
    };
    let (printed, code) = run_with("{}", &[]);
    assert!(printed.contains("2 findings: 2 warnings"), "{printed}");
    assert_eq!(code, Some(0));
    let (printed, _) = run_with("policies: [policy.txt]\n", &[]);
    assert!(printed.contains("Excluded: "), "{printed}");
    let given = ["--policy", "docs/policy.txt"];
    fs::create_dir(root.join("docs")).unwrap();
    fs::write(root.join(given[1]), policy.replace("exclude", "include")).unwrap();
    let (printed, _) = run_with("policies: [policy.txt]\n", &given);
    assert!(printed.contains("NoRegion: "), "{printed}");
    let (printed, _) = run_with("region: eu-west-1\n", &["--region", "us-east-1"]);
    assert!(printed.contains(&format!("us.{SONNET}")), "{printed}");
    let (printed, _) = run_with("exclude: [vendor/]\n", &[]);
    assert!(printed.contains("1 file, 1 object"), "{printed}");
    let (printed, code) = run_with("severities: {NoRegion: error}\n", &[]);
    assert!(printed.contains("2 findings: 2 errors"), "{printed}");
    assert_eq!(code, Some(1));
    let (_, code) = run_with("failOn: warning\n", &[]);
    assert_eq!(code, Some(1));
    let (_, code) = run_with("failOn: warning\n", &["--fail-on", "change"]);
    assert_eq!(code, Some(0));
    let (_, code) = run_with("failOn: never\nregion: eu-west-1\n", &[]);
    assert_eq!(code, Some(0));
}

#[test]
fn resolve_uses_the_policies_of_the_file() {
    let (_folder, path) = folder(&[
        (FILE, b"policies: [nova.yaml]\n"),
        ("nova.yaml", &fs::read("docs/samples/nova.yaml").unwrap()),
    ]);
    let id = "amazon.nova-pro-v1:0";
    let done = run_in(Path::new(&path), &["resolve", id, "--region", "eu-west-1"]);
    assert!(text(&done.stdout).starts_with("eu.amazon.nova-pro-v1:0\n"));
}

#[test]
fn a_file_that_is_not_valid_is_refused_with_line_and_field() {
    let (_folder, path) = folder(&[("pod.yaml", pod(SONNET).as_bytes())]);
    let root = Path::new(&path);
    for (config, line, problem) in [
        (
            "region: eu-west-1\nregoin: x\n",
            2,
            "unknown field `regoin`",
        ),
        (
            "region: eu-west-1\nseverities:\n  NoRegon: error\n",
            3,
            "`NoRegon` is no reason",
        ),
        (
            "severities: {NoRegion: fatal}\n",
            1,
            "`fatal` is no severity",
        ),
        ("\nregion: dublin\n", 2, "`dublin` is not an AWS region"),
        ("failOn: note\n", 1, "unknown variant `note`"),
        ("exclude: x\n", 1, "exclude"),
        ("a: [\n", 1, ""),
    ] {
        fs::write(root.join(FILE), config).unwrap();
        let done = run_in(root, &["audit", "."]);
        assert_eq!(done.status.code(), Some(2), "{config}");
        let printed = text(&done.stderr);
        let start = format!("error: {FILE}: line {line}: ");
        assert!(
            printed.starts_with(&start) && printed.contains(problem),
            "{config}{printed}"
        );
    }
    let done = run_in(root, &["audit", ".", "--config", "absent.yaml"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).starts_with("error: cannot read absent.yaml"));
}

#[test]
fn outputs_are_written_beside_the_file_unless_a_flag_names_others() {
    let pods = pod(SONNET);
    let (_folder, path) = folder(&[
        (FILE, b"outputs: [jsonl, sarif=out/a.sarif]\n"),
        ("out/keep", b""),
        ("deploy/pod.yaml", pods.as_bytes()),
    ]);
    let root = Path::new(&path);
    let sarif = root.join("out/a.sarif");
    let done = run_in(&root.join("deploy"), &["audit", "."]);
    assert!(text(&done.stdout).starts_with("{\""), "{done:?}");
    let written = fs::read_to_string(&sarif).unwrap();
    assert!(written.contains("\"2.1.0\""), "{written}");
    fs::remove_file(&sarif).unwrap();
    let done = run_in(root, &["audit", "deploy", "-o", "text"]);
    assert!(text(&done.stdout).contains("change"), "{done:?}");
    let done = run_in(root, &["fix", "deploy", "--check"]);
    assert_eq!(text(&done.stdout), "");
    assert!(!sarif.exists());
    fs::write(root.join(FILE), "outputs: [json, text]\n").unwrap();
    let done = run_in(root, &["audit", "deploy"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        text(&done.stderr).contains("two formats for standard output"),
        "{done:?}"
    );
}
