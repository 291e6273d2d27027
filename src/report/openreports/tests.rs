use super::*;
use crate::report::Missed;
use crate::report::fixtures::record;

fn of(findings: &[FindingRecord], dropped: SeverityCounts) -> Option<Report> {
    report("ml", findings.iter().map(|one| (one, "u")), dropped, None)
}

#[test]
fn results_are_ordered_by_severity_and_all_are_counted() {
    let mut missed = record("missed", None);
    missed.missed = Some(Missed::Missed);
    let findings = [
        record("out", Some(Reason::OptedOut)),
        record("rewrite", None),
        record("works", Some(Reason::WorksDirectly)),
        record("unseen", Some(Reason::ReferenceUnseen)),
        missed,
        record("nothing", Some(Reason::NothingServes)),
    ];
    let report = of(&findings, SeverityCounts::default()).unwrap().object;
    let names: Vec<_> = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["result"].as_str().unwrap(),
                one["resources"][0]["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("fail", "missed"),
            ("fail", "nothing"),
            ("warn", "rewrite"),
            ("warn", "unseen"),
            ("skip", "out")
        ]
    );
    let counts = json!({"pass": 0, "fail": 2, "error": 0, "warn": 2, "skip": 1});
    assert_eq!(report["summary"], counts);
    assert_eq!(report["metadata"]["annotations"][UNLISTED], "0");
    assert_eq!(report["results"][1]["rule"], "NothingServes");
    assert_eq!(report["results"][3]["resources"][0]["uid"], "u");
}

#[test]
fn a_namespace_with_nothing_to_report_has_no_report() {
    assert_eq!(
        of(
            &[record("works", Some(Reason::WorksDirectly))],
            SeverityCounts::default()
        ),
        None
    );
    let mut dropped = SeverityCounts::default();
    for severity in [
        Severity::Change,
        Severity::Warning,
        Severity::Warning,
        Severity::Ok,
    ] {
        dropped.count(severity);
    }
    let report = of(&[], dropped).unwrap().object;
    assert_eq!(report["metadata"]["annotations"][UNLISTED], "3");
    assert_eq!(report["summary"]["warn"], 3);
}

#[test]
fn a_report_is_never_larger_than_its_bounds_and_counts_the_rest() {
    let many: Vec<_> = (0..800)
        .map(|at| record(&format!("pod-{at}"), None))
        .collect();
    let report = of(&many, SeverityCounts::default()).unwrap().object;
    assert_eq!(report["results"].as_array().unwrap().len(), MOST_RESULTS);
    assert_eq!(report["metadata"]["annotations"][UNLISTED], "300");
    let mut heavy = many;
    for one in &mut heavy {
        one.pointer = format!("/data/{}", "k".repeat(4000));
    }
    let report = of(&heavy, SeverityCounts::default()).unwrap().object;
    let listed = report["results"].as_array().unwrap().len();
    assert!(listed > 50 && listed < MOST_RESULTS, "{listed}");
    assert!(report.to_string().len() < 512 * 1024);
    assert_eq!(
        report["metadata"]["annotations"][UNLISTED],
        (800 - listed).to_string()
    );
}

#[test]
fn the_hash_depends_on_the_content() {
    let one = || vec![record("a", None)];
    let hash = |findings: &[FindingRecord]| of(findings, SeverityCounts::default()).unwrap().hash;
    assert_eq!(hash(&one()), hash(&one()));
    let mut other = one();
    other[0].instances = 1;
    assert_ne!(hash(&one()), hash(&other));
}

#[test]
fn the_message_states_the_replacement_or_the_reason() {
    let mut one = record("a", None);
    assert_eq!(
        messages::finding(&one),
        "anthropic.claude-x would become us.anthropic.claude-x in us-east-1"
    );
    one.missed = Some(Missed::Missed);
    assert!(messages::finding(&one).contains("fail_open_count"));
    assert!(
        messages::finding(&record("a", Some(Reason::NothingServes)))
            .ends_with("serves this region.")
    );
}
