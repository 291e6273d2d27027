//! Every form and role in which an ID stands, one small file for each in `tests/fixtures/roles/`, with what becomes of it.
//!
//! `NAME.yaml` is judged under the shipped catalog and the default policy; `NAME.expected.yaml` lists every finding and says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bedrock_profiles::cli::evaluation_args::EvaluationArgs;
use bedrock_profiles::cli::evaluation_args::default_policy;
use bedrock_profiles::domain::context_rules::{ContextRules, rules};
use bedrock_profiles::domain::reason::{Group, Reason};
use bedrock_profiles::domain::view::View;
use bedrock_profiles::scan::{FileFormat, ParsedFile, Scan};
use serde::Deserialize;

use crate::differences::Differences;
use crate::file_runs::{FileRun, ReportedFinding};

const FOLDER: &str = "tests/fixtures/roles";

/// Shapes of YAML itself, which have files in `tests/fixtures/edges/`.
const EDGES: [Reason; 2] = [Reason::SharedAnchor, Reason::Unmappable];

/// Reasons of the first group that do not keep an ID from being rewritten which would be without them: the ID has a prefix
/// already, or is spelled so that none is read.
const NOTHING_TO_KEEP: [Reason; 5] = [
    Reason::AlreadyProfiled,
    Reason::ProfileNotServed,
    Reason::ProfileNotPermitted,
    Reason::NeverExisted,
    Reason::PercentEncoded,
];

/// One file with what is expected of it.
struct Fixture {
    name: String,
    text: String,
    expected: Vec<Expected>,
    written: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sidecar {
    findings: Vec<Expected>,
    /// Whether `fix` writes; without a word, where a finding is rewritten.
    fix: Option<bool>,
}

/// A finding; what is not said is not asked, but for the inner pointer, which is then none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Expected {
    pointer: String,
    inner_pointer: Option<String>,
    outcome: String,
    reason: Option<String>,
    after: Option<String>,
    region: Option<String>,
    region_source: Option<String>,
}

fn fixtures() -> Vec<Fixture> {
    let sidecar = |name: &str| format!("{}.expected.yaml", name.trim_end_matches(".yaml"));
    let read = |name: &str| fs::read_to_string(Path::new(FOLDER).join(name)).unwrap();
    let mut names: Vec<String> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".expected.yaml"))
        .collect();
    names.sort();
    let fixture = |name: String| {
        let stated: Sidecar = serde_yaml::from_str(&read(&sidecar(&name)))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Fixture {
            text: read(&name),
            name,
            written: stated
                .fix
                .unwrap_or_else(|| stated.findings.iter().any(|one| one.outcome == "Rewrite")),
            expected: stated.findings,
        }
    };
    names.into_iter().map(fixture).collect()
}

impl Expected {
    fn place(&self) -> String {
        match &self.inner_pointer {
            Some(inner) => format!("{}:{inner}", self.pointer),
            None => self.pointer.clone(),
        }
    }

    fn verdict(&self) -> &str {
        let stated = self.reason.as_ref().or(self.after.as_ref());
        stated.unwrap_or(&self.outcome)
    }

    fn is(&self, found: &ReportedFinding) -> bool {
        self.place() == found.place()
            && self.outcome == found.outcome
            && self.verdict() == found.verdict()
    }
}

#[test]
fn every_fixture_has_the_findings_of_its_expectation() {
    let fixtures = fixtures();
    let texts: Vec<_> = fixtures
        .iter()
        .map(|one| (one.name.clone(), one.text.clone()))
        .collect();
    let run = FileRun::default().run(&texts);
    let mut differences = Differences::default();
    for fixture in &fixtures {
        let ran = &run.files[&fixture.name];
        differences.judging(&fixture.name);
        for error in &ran.errors {
            differences.add(&fixture.name, "the file", "no error", error);
        }
        judge(fixture, ran.found.clone(), &mut differences);
        differences.compare(
            &fixture.name,
            "whether fix writes",
            &fixture.written,
            &(ran.once != fixture.text),
        );
        differences.compare(
            &fixture.name,
            "whether fix writes again",
            &false,
            &(ran.once != ran.twice),
        );
    }
    differences.settle("forms and roles");
}

/// Pairs what is expected with what was found, and notes what is left of either.
fn judge(fixture: &Fixture, mut found: Vec<ReportedFinding>, differences: &mut Differences) {
    let name = &fixture.name;
    let mut missed = Vec::new();
    for expected in &fixture.expected {
        let Some(at) = found.iter().position(|one| expected.is(one)) else {
            missed.push(expected);
            continue;
        };
        let got = found.remove(at);
        for (asked, got) in [
            (&expected.region, &got.region),
            (&expected.region_source, &got.region_source),
        ] {
            if asked.is_some() {
                differences.compare(name, expected.place(), asked, got);
            }
        }
    }
    for expected in missed {
        let there = found.iter().position(|one| one.place() == expected.place());
        let got = there.map_or_else(|| "no finding".to_owned(), |at| found.remove(at).verdict());
        differences.add(name, expected.place(), expected.verdict(), got);
    }
    for one in found {
        differences.add(name, one.place(), "no finding", one.verdict());
    }
}

#[test]
fn every_reason_of_shape_and_role_has_a_file() {
    let fixtures = fixtures();
    let stated: BTreeSet<_> = fixtures
        .iter()
        .flat_map(|one| &one.expected)
        .filter_map(|one| one.reason.as_deref())
        .collect();
    let lacking: Vec<_> = Reason::ALL
        .iter()
        .filter(|reason| reason.group() == Group::Shape && !EDGES.contains(reason))
        .filter(|reason| !stated.contains(reason.as_str()))
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    for reason in stated {
        assert!(
            Reason::ALL.iter().any(|known| known.as_str() == reason),
            "{reason} is no reason"
        );
    }
}

/// Each ID that a fixture keeps is rewritten as the whole value of a variable of a Pod, so it is not kept for its model. The two tests
/// below show which rule keeps it.
#[test]
fn each_id_that_a_fixture_keeps_is_rewritten_in_a_plain_place() {
    let keeps = |one: &&ReportedFinding| {
        let reason = Reason::ALL
            .iter()
            .find(|known| Some(known.as_str()) == one.reason.as_deref());
        reason.is_some_and(|reason| {
            reason.group() == Group::Shape && !NOTHING_TO_KEEP.contains(reason)
        })
    };
    let texts: Vec<_> = fixtures()
        .into_iter()
        .map(|one| (one.name, one.text))
        .collect();
    let run = FileRun::default().run(&texts);
    let mut kept = BTreeMap::<String, BTreeSet<&str>>::new();
    for (name, file) in &run.files {
        for one in file.found.iter().filter(keeps) {
            kept.entry(one.model_id.clone()).or_default().insert(name);
        }
    }
    assert!(!kept.is_empty());
    let pods = kept.keys().map(|id| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: control }}\nspec: {{ containers: [{{ name: app, env: [{{ name: AWS_REGION, value: us-east-1 }}, {{ name: ID, value: '{id}' }}] }}] }}\n"
        )
    });
    let pods = pods.collect::<Vec<_>>().join("---\n");
    let run = FileRun::default().run(&[("control.yaml".to_owned(), pods)]);
    let rewritten: BTreeSet<_> = run.files["control.yaml"]
        .found
        .iter()
        .filter(|one| one.outcome == "Rewrite")
        .map(|one| one.model_id.clone())
        .collect();
    kept.retain(|id, _| !rewritten.contains(id));
    assert!(kept.is_empty(), "not rewritten anywhere: {kept:?}");
}

/// What is found in every fixture under these rules, by place.
fn found_under(
    roles: ContextRules,
    fixtures: &[Fixture],
) -> Vec<Vec<(String, Option<String>, String)>> {
    let evaluation = EvaluationArgs {
        today: "2026-11-22".parse().ok(),
        ..EvaluationArgs::default()
    };
    let (view, _) = evaluation.view(default_policy()).unwrap();
    let Ok(mut snapshot) = Arc::try_unwrap(view.snapshot) else {
        panic!("nobody else has the snapshot");
    };
    snapshot.context_rules = roles;
    let view = View::of(snapshot);
    let scan = Scan {
        exemptions: &[],
        view: &view,
        today: "2026-11-22".parse().unwrap(),
        namespace: "default",
        edit: None,
        selector: None,
    };
    let of = |fixture: &Fixture| {
        let file = ParsedFile::parse(&fixture.name, &fixture.text, FileFormat::Yaml);
        let found = scan.file(&file).findings;
        let results = found.into_iter().map(|one| {
            let verdict = one.reason.map(|reason| reason.to_string()).or(one.after);
            (one.pointer, one.inner_pointer, verdict.unwrap_or_default())
        });
        results.collect()
    };
    fixtures.iter().map(of).collect()
}

#[test]
fn every_rule_of_roles_is_needed_by_a_file() {
    let fixtures = fixtures();
    let with_all = found_under(ContextRules::all(), &fixtures);
    let idle: Vec<_> = rules()
        .enumerate()
        .filter(|(at, _)| found_under(ContextRules::without(*at), &fixtures) == with_all)
        .map(|(_, rule)| format!("{}: {} {:?}", rule.reason, rule.why, rule.when))
        .collect();
    assert!(
        idle.is_empty(),
        "rules without which every file in {FOLDER} is judged alike: {idle:#?}"
    );
}

#[test]
fn every_exception_of_a_rule_is_needed_by_a_file() {
    let fixtures = fixtures();
    let with_all = found_under(ContextRules::all(), &fixtures);
    let mut idle = Vec::new();
    for (at, rule) in rules().enumerate() {
        for (exception, condition) in rule.unless.iter().enumerate() {
            let without = ContextRules::without_exception(at, exception);
            if found_under(without, &fixtures) == with_all {
                idle.push(format!("{}: {} {condition:?}", rule.reason, rule.why));
            }
        }
    }
    assert!(
        idle.is_empty(),
        "exceptions without which every file in {FOLDER} is judged alike: {idle:#?}"
    );
}
