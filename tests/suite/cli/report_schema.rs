//! Reports as JSON, and the published schema.

use std::fs;

use serde_json::Value;

use super::{SONNET, run, text};
use crate::json_schemas::{assert_valid, published_schema};

/// The pages with transcripts.
const TRANSCRIPTS: [&str; 3] = ["docs/cli.md", "docs/residency.md", "tests/cmd/files.md"];

/// The outputs of `audit` in a format, in the transcripts of a page.
fn outputs(page: &str, format: &str) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let blocks = text.split("```console\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split_once("\n```"));
    let output = |block: &str| {
        let (command, output) = block.split_once('\n')?;
        let is_it = command.starts_with("$ bedrock-profiles audit")
            && command.contains(&format!("-o {format} "));
        let lines = output.lines().filter(|line| !line.starts_with("? "));
        is_it.then(|| lines.collect::<Vec<_>>().join("\n"))
    };
    blocks.filter_map(|(block, _)| output(block)).collect()
}

#[test]
fn each_transcript_of_a_report_is_valid() {
    let schema = published_schema("report.json");
    let mut count = 0;
    for page in TRANSCRIPTS {
        for output in outputs(page, "json") {
            // What follows the report is on standard error.
            let mut values = serde_json::Deserializer::from_str(&output).into_iter();
            assert_valid(&schema, &values.next().unwrap().unwrap());
            count += 1;
        }
    }
    assert!(count >= 2, "{count}");
}

#[test]
fn every_report_is_valid_in_json_and_in_yaml() {
    let schema = published_schema("report.json");
    for folder in ["tests/fixtures/manifests", "tests/fixtures/roles"] {
        let report = |format: &str| run(&["audit", folder, "-o", format]).stdout;
        let json: Value = serde_json::from_slice(&report("json")).unwrap();
        assert!(json["summary"]["findings"].as_u64().unwrap() > 5);
        assert_valid(&schema, &json);
        let yaml: Value = serde_yaml::from_slice(&report("yaml")).unwrap();
        assert_eq!(json, yaml);
        let lines = report("jsonl");
        let lines: Vec<Value> = text(&lines)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(json["findings"], Value::from(lines));
    }
    let mut wrong: Value =
        serde_json::from_slice(&run(&["audit", "tests/fixtures/manifests", "-o", "json"]).stdout)
            .unwrap();
    wrong["findings"][0]["severity"] = 1.into();
    assert!(!schema.is_valid(&wrong), "the schema finds a mistake");
}

#[test]
fn a_report_has_what_was_not_read_and_by_which_version() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
    write("broken.yaml", b"a: [\n");
    write("latin.yaml", b"name: caf\xe9\n");
    let opted_out = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m, annotations: {{bedrock-profiles.dev/ignore: ticket 42}}}}\ndata: {{model: '{SONNET}', AWS_REGION: us-east-1}}\n"
    );
    write("opted-out.yaml", opted_out.as_bytes());
    let path = folder.path().to_str().unwrap();
    let none = format!("{path}/none.yaml");
    let done = run(&["audit", path, &none, "-o", "json"]);
    assert_eq!(done.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_valid(&published_schema("report.json"), &report);
    assert_eq!(report["tool"]["name"], "bedrock-profiles");
    assert_eq!(report["tool"]["version"], env!("CARGO_PKG_VERSION"));
    let date = report["tool"]["catalogDate"].as_str().unwrap();
    assert_eq!(date.len(), "2026-11-30".len());
    assert_eq!(report["today"], "2026-11-23");
    let unread = report["unreadFiles"].as_array().unwrap().iter();
    let unread: Vec<_> = unread
        .map(|one| {
            let name = one["file"].as_str().unwrap().rsplit('/').next().unwrap();
            (name, one["isError"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(unread, [("latin.yaml", false), ("none.yaml", true)]);
    assert_eq!(report["unread"][0]["line"], 1);
    let finding = &report["findings"][0];
    assert_eq!(finding["help"], "docs/reasons/OptedOut.md");
    let message = finding["message"].as_str().unwrap();
    assert!(message.ends_with("ticket 42"), "{message}");
}
