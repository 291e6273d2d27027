//! The page of `report`: its content, and that no text of a finding is read as HTML. `make page` opens it in a browser.

use std::fs;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{run, run_in, text};

fn page(args: &[&str]) -> String {
    let done = run(&[&["report"], args].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// The text between two others.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end}")).0
}

/// The rows of a table, as text without tags.
fn rows(page: &str, caption: &str) -> Vec<String> {
    let (_, table) = page
        .split_once(caption)
        .unwrap_or_else(|| panic!("no {caption}"));
    let body = between(table, "<tbody>", "</tbody>");
    let rows = body.split("</tr>").filter(|row| row.contains("<tr"));
    rows.map(|row| {
        let cells = row.split("<t").skip(2).map(|cell| {
            let mut words = String::new();
            let mut in_tag = true;
            for character in cell.chars() {
                match character {
                    '<' => in_tag = true,
                    '>' => in_tag = false,
                    other if !in_tag => words.push(other),
                    _ => {}
                }
            }
            words.trim().to_owned()
        });
        cells.collect::<Vec<_>>().join(" | ")
    })
    .collect()
}

#[test]
fn routes_across_a_border_name_who_permits_them() {
    let page = page(&[
        "docs/samples/zurich.yaml",
        "docs/samples/chat.yaml",
        "-n",
        "chat",
        "--policy",
        "docs/samples/consent.yaml",
    ]);
    let routes = rows(&page, "those across a border first");
    assert_eq!(
        routes,
        [
            "eu-central-2 (Switzerland) | eu.anthropic.claude-sonnet-4-6 | eu-central-1, eu-central-2, eu-north-1, eu-south-1, eu-south-2, eu-west-1, eu-west-3 \
             | CH → EU | policy london, field geography.allowed | chat/Pod/chat",
            "eu-west-1 (the EU) | eu.anthropic.claude-sonnet-4-6 | eu-central-1, eu-north-1, eu-south-1, eu-south-2, eu-west-1, eu-west-3 |  |  | chat/Deployment/chat",
        ]
    );
    let drawing = between(&page, "<svg", "</svg>");
    assert_eq!(drawing.matches("class=\"link crossing\"").count(), 6);
    assert!(
        drawing.contains("eu-central-2 → eu-west-1: 1 ID; crosses a border"),
        "{drawing}"
    );
}

#[test]
fn a_profile_of_the_author_is_permitted_by_the_author() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pod.yaml");
    let pod = fs::read_to_string("docs/samples/zurich.yaml").unwrap();
    fs::write(
        &file,
        pod.replace("anthropic.claude", "global.anthropic.claude"),
    )
    .unwrap();
    let page = page(&[file.to_str().unwrap()]);
    let routes = rows(&page, "those across a border first");
    assert_eq!(routes.len(), 1);
    assert!(
        routes[0].contains("any region") && routes[0].contains("the author of the object"),
        "{routes:?}"
    );
}

const CHAT: &str = "docs/samples/chat.yaml";
const MODEL: &str = "value: anthropic.claude-sonnet-4-6";

/// The routes of the sample with another line in place of that of the ID, under a policy.
fn routes_of(line: &str, spec: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (file, policy) = (
        folder.path().join("chat.yaml"),
        folder.path().join("policy.yaml"),
    );
    let chat = fs::read_to_string(CHAT).unwrap();
    fs::write(&file, chat.replace(MODEL, line)).unwrap();
    write_policy(&policy, spec);
    let page = page(&[file.to_str().unwrap(), "--policy", policy.to_str().unwrap()]);
    if page.contains("No ID with a known region is called.") {
        return Vec::new();
    }
    rows(&page, "those across a border first")
}

fn write_policy(file: &Path, spec: &str) {
    let text = format!(
        "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfilePolicy\nmetadata: {{ name: default }}\nspec: {{ {spec} }}\n"
    );
    fs::write(file, text).unwrap();
}

#[test]
fn an_exempt_id_has_the_route_that_the_webhook_gives_it() {
    let exempt = format!("{MODEL} # bedrock-profiles: ignore until=2027-01-31");
    let routes = routes_of(&exempt, "mode: Rewrite, geography: { global: Prefer }");
    assert_eq!(
        routes,
        [
            "eu-west-1 (the EU) | global.anthropic.claude-sonnet-4-6 | any region | EU → any | policy default, field geography.global | default/Deployment/chat"
        ]
    );
}

#[test]
fn a_direct_id_whose_call_fails_has_no_route() {
    assert_eq!(routes_of(MODEL, "mode: DryRun").len(), 0);
    assert_eq!(routes_of(MODEL, "mode: Rewrite").len(), 1);
}

#[test]
fn the_borders_of_a_route_to_unknown_regions_are_not_known() {
    let switch =
        format!("{MODEL}\n        - {{ name: USE_CROSS_REGION_INFERENCE, value: \"true\" }}");
    let of_client = routes_of(&switch, "mode: Rewrite");
    assert_eq!(
        of_client,
        [
            "eu-west-1 (the EU) | anthropic.claude-sonnet-4-6 | not known | not known | the author of the object | default/Deployment/chat"
        ]
    );
    let arn = "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/abcdefghijkl";
    let of_arn = routes_of(
        MODEL,
        &format!(
            "mode: Rewrite, overrides: [{{ modelId: anthropic.claude-sonnet-4-6, sourceRegions: [eu-west-1], target: \"{arn}\" }}]"
        ),
    );
    assert_eq!(
        of_arn,
        [format!(
            "eu-west-1 (the EU) | {arn} | not known | not known | policy default, field overrides | default/Deployment/chat"
        )]
    );
}

#[test]
fn one_id_has_a_route_for_each_way_in_which_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pods.yaml");
    let pod = |name: &str, variable: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: app, env: [\
             {{name: AWS_REGION, value: eu-west-2}}, {{name: MODEL, value: anthropic.claude-sonnet-4-6}}{variable}]}}]}}}}\n"
        )
    };
    let switch = ", {name: USE_CROSS_REGION_INFERENCE, value: 'true'}";
    let pods = [pod("direct", ""), pod("switched", switch)];
    fs::write(&file, pods.join("---\n")).unwrap();
    let page = page(&[file.to_str().unwrap()]);
    let start = "eu-west-2 (the United Kingdom) | anthropic.claude-sonnet-4-6 |";
    assert_eq!(
        rows(&page, "those across a border first"),
        [
            format!(
                "{start} not known | not known | the author of the object | default/Pod/switched"
            ),
            format!("{start} eu-west-2 |  |  | default/Pod/direct"),
        ]
    );
}

#[test]
fn another_mode_is_a_change_since_an_earlier_report() {
    let folder = tempfile::tempdir().unwrap();
    let [policy, last] = ["policy.yaml", "last.json"].map(|name| folder.path().join(name));
    let (policy_file, last_file) = (policy.to_str().unwrap(), last.to_str().unwrap());
    write_policy(&policy, "mode: DryRun");
    let earlier = format!("json={last_file}");
    let done = run(&["report", CHAT, "--policy", policy_file, "-o", &earlier]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    write_policy(&policy, "mode: Rewrite");
    let page = page(&[CHAT, "--policy", policy_file, "--since", last_file]);
    let changed = rows(&page, "Changed: 1");
    assert!(
        changed[0].contains(
            "change: eu.anthropic.claude-sonnet-4-6 in mode DryRun (eu-west-1); the profile routes to"
        ),
        "{changed:?}"
    );
}

#[test]
fn a_comparison_with_an_incomplete_report_has_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.yaml");
    let reports = tempfile::tempdir().unwrap();
    let last = reports.path().join("last.json");
    let (folder_name, last_file) = (folder.path().to_str().unwrap(), last.to_str().unwrap());
    let report = |args: &[&str]| run(&[&["report", folder_name], args].concat());
    let note = "; one of the two reports is incomplete";
    fs::copy(CHAT, &other).unwrap();
    report(&["-o", &format!("json={last_file}")]);
    let complete = report(&["--since", last_file]);
    assert!(!text(&complete.stderr).contains(note));
    fs::write(&other, "a: [\n").unwrap();
    let gone = report(&["--since", last_file]);
    assert!(
        text(&gone.stderr).contains(&format!("1 no longer found, 0 changed{note}")),
        "{}",
        text(&gone.stderr)
    );
    report(&["-o", &format!("json={last_file}")]);
    fs::copy(CHAT, &other).unwrap();
    let new = report(&["--since", last_file]);
    assert!(
        text(&new.stderr).contains(&format!("0 changed{note}")),
        "{}",
        text(&new.stderr)
    );
}

#[test]
fn exemptions_and_ends_have_their_days() {
    let page = page(&["tests/fixtures/exempt", "docs/samples/why.yaml"]);
    let exempt = rows(&page, "IDs that are exempt");
    assert!(
        exempt
            .iter()
            .any(|row| row.contains("2027-01-31 | team-a | OPS-7")),
        "{exempt:?}"
    );
    let ending = run(&["report", "tests/fixtures/ended"]);
    let ending = text(&ending.stdout);
    assert!(
        ending.contains("<li class=\"ended\"><time datetime=\"20"),
        "{ending}"
    );
}

#[test]
fn no_text_of_a_finding_is_read_as_html() {
    let folder = tempfile::tempdir().unwrap();
    let name = "<img src=x onerror=alert(1)>.yaml";
    let pod = fs::read_to_string("docs/samples/zurich.yaml").unwrap();
    let pod = pod.replace(
        "name: chat }",
        "name: \"</script><script>alert('1')&\\\"\" }",
    );
    fs::write(folder.path().join(name), pod).unwrap();
    let done = run_in(folder.path(), &["report", "."]);
    let page = text(&done.stdout);
    assert!(
        page.contains("&lt;/script&gt;&lt;script&gt;alert(&#39;1&#39;)&amp;&quot;"),
        "{page}"
    );
    assert!(page.contains("&lt;img src=x onerror"));
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(!page.contains("<img"));
}

#[test]
fn the_policy_of_the_page_permits_its_own_style_and_script_alone() {
    let page = page(&["docs/samples/chat.yaml"]);
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\">");
    let hash = |text: &str| {
        format!(
            "'sha256-{}'",
            BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes()))
        )
    };
    let style = hash(between(&page, "<style>", "</style>"));
    let without_script = hash(between(&page, "<noscript><style>", "</style>"));
    let script = hash(between(&page, "<script>", "</script>"));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src {style} {without_script}; script-src {script}; base-uri 'none'; form-action 'none'"
        )
    );
    for outside in ["http:", "https:", "src=", "style=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn changes_since_an_earlier_report_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| fs::write(folder.path().join("pods.yaml"), text).unwrap();
    let report = |args: &[&str]| run_in(folder.path(), &[&["report", "pods.yaml"], args].concat());
    let pod = |name: &str, region: &str| {
        let pod = fs::read_to_string("docs/samples/zurich.yaml").unwrap();
        pod.replace("name: chat }", &format!("name: {name} }}"))
            .replace("eu-central-2", region)
    };
    write(
        &[
            pod("stays", "eu-west-1"),
            pod("moves", "eu-west-1"),
            pod("goes", "eu-west-1"),
        ]
        .join("---\n"),
    );
    assert!(report(&["-o", "json=last.json"]).status.success());
    write(
        &[
            pod("comes", "eu-west-1"),
            pod("stays", "eu-west-1"),
            pod("moves", "us-east-1"),
        ]
        .join("---\n"),
    );
    let done = report(&["--since", "last.json"]);
    assert_eq!(
        text(&done.stderr),
        "since 2026-11-23: 1 new finding, 1 no longer found, 1 changed\n"
    );
    let page = text(&done.stdout);
    for (caption, expected) in [
        (
            "New: 1",
            "default/Pod/comes | anthropic.claude-sonnet-4-6 |  | change: eu.",
        ),
        (
            "No longer found: 1",
            "default/Pod/goes | anthropic.claude-sonnet-4-6 | change: eu.",
        ),
        (
            "Changed: 1",
            "default/Pod/moves | anthropic.claude-sonnet-4-6 | change: eu.",
        ),
    ] {
        let rows = rows(page, caption);
        assert!(
            rows.len() == 1 && rows[0].starts_with(expected),
            "{caption}: {rows:?}"
        );
    }
}

/// The commands of the page about it, but for the one that needs a cluster.
#[test]
fn the_commands_of_the_documentation_write_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let docs = fs::canonicalize("docs").unwrap();
    std::os::unix::fs::symlink(docs, folder.path().join("docs")).unwrap();
    let text = fs::read_to_string("docs/report.md").unwrap();
    let blocks = text.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    let mut ran = 0;
    for line in lines.filter(|line| !line.contains(" -A ")) {
        let command = line.split('#').next().unwrap().trim();
        let args: Vec<_> = command.split(' ').skip(1).collect();
        let done = run_in(folder.path(), &args);
        // One of the samples is a request of the Bedrock API that is cut off.
        assert!(
            matches!(done.status.code(), Some(0 | 2)),
            "{command}: {}",
            self::text(&done.stderr)
        );
        ran += 1;
    }
    assert_eq!(ran, 3);
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("Changes since 2026-11-23"));
    assert!(folder.path().join("this.json").exists());
}
