//! The audit of a cluster and of files with the same objects.

use std::num::NonZero;

use bedrock_profiles::domain::judge::EndedModels;
use bedrock_profiles::scan::files::{FileSelection, read_pipe};
use bedrock_profiles::scan::input_file::InputFile;
use bedrock_profiles::scan::passes::{self, Workers};
use bedrock_profiles::scan::prefilter::may_have_findings;
use bedrock_profiles::scan::{FileFormat, ParsedFile, Scan};

use super::*;
use crate::evaluate::scenario::SONNET_4_5;

/// The records of objects without an owner are those of the same objects in a file, except for their location.
#[test]
fn an_audit_of_a_cluster_and_of_files_has_equal_records() {
    let mut tracked = config_map(
        "tracked",
        &json!({"AWS_REGION": "eu-west-1", "model": SONNET_4_5}),
    );
    tracked["metadata"]["labels"] = json!({"argocd.argoproj.io/instance": "x"});
    let mut ignored = object("Deployment", "ignored", SONNET_4_6, None);
    ignored["spec"]["template"]["metadata"] =
        json!({"annotations": {"bedrock-profiles.dev/ignore": "tests"}});
    let objects = vec![
        tracked,
        ignored,
        config_map(
            "file",
            &json!({"app.yaml": format!("region: eu-west-1\nbedrock:\n  models: [{SONNET_4_6}]\n")}),
        ),
        object("Pod", "unknown", "anthropic.claude-nothing-9", None),
        object("CronJob", "night", &format!("bedrock/{SONNET_4_6}"), None),
        object("Pod", "prefixed", "us.us.anthropic.claude-sonnet-4-6", None),
    ];
    let cluster = Cluster::of(objects.clone());
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
    let scan = Scan {
        exemptions: &[],
        view: &cluster.input.view,
        today: TODAY,
        namespace: "default",
        edit: None,
        selector: None,
    };
    let strip = |record: &FindingRecord| {
        let mut value = serde_json::to_value(record).unwrap();
        value["source"] = Value::Null;
        value.to_string()
    };
    let file = ParsedFile::parse("list.json", &list, FileFormat::Json);
    let by_file: BTreeSet<String> = scan.file(&file).findings.iter().map(strip).collect();
    let pointers = |text: &String| text.replace("\"pointer\":\"/items/", "\"pointer\":\"/");
    let by_cluster: BTreeSet<String> = cluster
        .audit()
        .findings
        .iter()
        .map(|stored| strip(&stored.record))
        .collect();
    assert!(by_file.len() >= 6, "{by_file:#?}");
    assert_eq!(by_cluster, by_file.iter().map(pointers).collect());
}

/// A file that is dropped after it was read has no finding, whatever the other files contain.
#[test]
fn a_file_without_an_id_or_a_reference_has_no_findings() {
    let input = Cluster::of(Vec::new()).input;
    let scan = Scan {
        exemptions: &[],
        view: &input.view,
        today: TODAY,
        namespace: "default",
        edit: None,
        selector: None,
    };
    let (mut held, mut dropped) = (0, 0);
    let paths = ["tests/fixtures".into(), "catalog".into(), "charts".into()];
    let selection = FileSelection::new(&[], false).unwrap();
    for file in selection.inputs(&paths, read_pipe) {
        let file = file.unwrap().read().unwrap();
        if may_have_findings(&input.view.snapshot, &file.text) {
            held += 1;
        } else {
            dropped += 1;
            let findings = scan.file(&file.parse()).findings;
            assert!(findings.is_empty(), "{}: {findings:#?}", file.name);
        }
    }
    assert!(held > 100 && dropped > 10, "{held}, {dropped}");
    for text in [
        "a: \"anthropic\\x2eclaude-sonnet-4-6\"",
        "a = \"anthropic\\U0000002eclaude-sonnet-4-6\"",
        "a: \"anthropic\\\n  .claude-sonnet-4-6\"",
        "valueFrom: {secretKeyRef: {name: s, key: model}}",
    ] {
        assert!(may_have_findings(&input.view.snapshot, text), "{text}");
    }
}

/// What was collected in the first pass does not belong to the text any more.
#[test]
fn a_file_that_changes_between_two_passes_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pod.yaml");
    let text = format!("region: eu-west-1\nmodel: {SONNET_4_5}\n");
    std::fs::write(&path, &text).unwrap();
    let input = Cluster::of(Vec::new()).input;
    let scan = Scan {
        exemptions: &[],
        view: &input.view,
        today: TODAY,
        namespace: "default",
        edit: Some(EndedModels::Report),
        selector: None,
    };
    let workers = Workers {
        threads: NonZero::<usize>::MIN,
        is_stopped: &|| false,
    };
    let files = [Ok(InputFile::on_disk(path.clone()))];
    let collected = passes::collect(workers, &scan, files.into_iter(), |file| {
        drop(file.unwrap());
    });
    let evaluate = || {
        let mut evaluated = Vec::new();
        collected.evaluate(workers, &scan, |file| evaluated.push(file));
        evaluated.remove(0)
    };
    let unchanged = evaluate().unwrap();
    assert_eq!(unchanged.result.splices.len(), 1);
    assert_eq!(unchanged.source().unwrap().text, text);
    std::fs::write(&path, format!("{text}# more\n")).unwrap();
    let changed = evaluate().err().unwrap().to_string();
    assert!(
        changed.contains("was changed by another program"),
        "{changed}"
    );
}
