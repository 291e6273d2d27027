//! `fix --replace-end-of-life`: the successors of models at their end of life, where they serve the region as the policy permits.

use std::fs;
use std::process::{Command, Output};

const HAIKU_3: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const HAIKU_4_5: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";
const SONNET_4: &str = "anthropic.claude-sonnet-4-20250514-v1:0";
const SONNET_4_5: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const SONNET_4_6: &str = "anthropic.claude-sonnet-4-6";

fn fix(text: &str, today: &str, flags: &[&str]) -> (String, Output) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.env");
    fs::write(&file, text).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(["fix", "app.env", "--today", today])
        .args(flags)
        .current_dir(folder.path())
        .output()
        .unwrap();
    (fs::read_to_string(&file).unwrap(), done)
}

/// What becomes of a value of a variable beside a region.
fn replaced(value: &str, region: &str, today: &str) -> String {
    let text = format!("MODEL={value}\nAWS_REGION={region}\n");
    let (new, _) = fix(&text, today, &["--replace-end-of-life"]);
    let value = new.lines().next().unwrap().strip_prefix("MODEL=");
    value.unwrap().to_owned()
}

#[test]
fn a_model_at_its_end_of_life_is_replaced_by_its_successor_as_the_workload_has_it() {
    for (before, region, after) in [
        (HAIKU_3.to_owned(), "us-east-1", format!("us.{HAIKU_4_5}")),
        (
            format!("bedrock/{HAIKU_3}"),
            "eu-west-1",
            format!("bedrock/eu.{HAIKU_4_5}"),
        ),
        (
            format!("{SONNET_4}[1m]"),
            "us-east-1",
            format!("us.{SONNET_4_6}[1m]"),
        ),
        (
            format!("us.{SONNET_4}"),
            "us-west-2",
            format!("us.{SONNET_4_6}"),
        ),
    ] {
        assert_eq!(
            replaced(&before, region, "2026-11-23"),
            after,
            "{before} in {region}"
        );
    }
}

#[test]
fn what_is_in_doubt_stays() {
    for (value, region, today, why) in [
        (
            format!("us.{SONNET_4_5}"),
            "us-east-1",
            "2026-11-23",
            "is not at its end of life",
        ),
        (
            format!("us.{SONNET_4_5}"),
            "us-east-1",
            "2027-05-01",
            "ends on a day that is not certain",
        ),
        (
            format!("us.{SONNET_4}"),
            "eu-west-1",
            "2026-11-23",
            "does not serve the region",
        ),
        (
            format!("global.{SONNET_4}"),
            "us-west-2",
            "2026-11-23",
            "is of a geography that the policy does not permit",
        ),
        (
            format!("apac.{SONNET_4}"),
            "ap-northeast-1",
            "2026-11-23",
            "has no successor of its geography",
        ),
        (
            "us.amazon.nova-premier-v1:0".to_owned(),
            "us-east-1",
            "2026-11-23",
            "is not included in the policy",
        ),
        (
            format!("arn:aws:bedrock:us-east-1::foundation-model/{HAIKU_3}"),
            "us-east-1",
            "2026-11-23",
            "is in an ARN",
        ),
    ] {
        assert_eq!(replaced(&value, region, today), value, "{value} {why}");
    }
    for text in [
        format!("MODEL=us.{SONNET_4}\n"),
        format!("# bedrock-profiles: ignore[EndOfLife]\nMODEL={HAIKU_3}\nAWS_REGION=us-east-1\n"),
        format!("# bedrock-profiles: ignore\nMODEL=us.{SONNET_4}\nAWS_REGION=us-east-1\n"),
        format!("MODELS=us.{SONNET_4},{HAIKU_3}\nAWS_REGION=us-east-1\n"),
    ] {
        let (new, _) = fix(&text, "2026-11-23", &["--replace-end-of-life"]);
        assert_eq!(new, text);
    }
}

#[test]
fn successors_are_listed_apart_and_need_the_flag() {
    let text = format!("MODEL=us.{SONNET_4}\nAWS_REGION=us-east-1\n");
    let (new, done) = fix(&text, "2026-11-23", &[]);
    assert_eq!(new, text);
    assert_eq!(done.status.code(), Some(1));
    let (_, done) = fix(&text, "2026-11-23", &["--replace-end-of-life"]);
    assert_eq!(done.status.code(), Some(0));
    let printed = super::text(&done.stderr);
    assert_eq!(
        printed,
        format!(
            "app.env\n  1:7 change  us.{SONNET_4} ->\n      us.{SONNET_4_6} (us-east-1, successor)\n      \
             end of life 2026-10-14; test the application with the successor\n\
             1 file, 0 objects, 1 finding: 1 changed\n1 successor\n"
        )
    );
}

#[test]
fn a_report_of_fix_has_the_note_of_a_successor() {
    let text = format!("A=us.{SONNET_4}\nB={SONNET_4_6}\nAWS_REGION=us-east-1\n");
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let output = format!("json={}", report.display());
    let (_, done) = fix(
        &text,
        "2026-11-23",
        &["--replace-end-of-life", "-o", &output],
    );
    assert_eq!(done.status.code(), Some(0));
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let notes: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["note"])
        .collect();
    assert_eq!(
        notes,
        [&serde_json::json!("Successor"), &serde_json::Value::Null]
    );
    assert_eq!(report["summary"]["successors"], 1);
    assert_eq!(report["summary"]["rewrite"], 2);
    assert!(
        report["findings"][0]["help"]
            .as_str()
            .unwrap()
            .ends_with("Successor.md")
    );
    let (_, done) = fix(&text, "2026-11-23", &["-o", "json"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        super::text(&done.stderr).contains("-o of fix needs a file"),
        "{done:?}"
    );
}
