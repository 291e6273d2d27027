use jiff::civil::date;
use serde_json::Value;

use super::*;
use crate::domain::policy::Mode;
use crate::domain::reason::Reason;
use crate::report::fingerprint::fingerprints;
use crate::report::fixtures::record;
use crate::report::{
    AuditReport, AuditSubject, FindingRecord, Source, ToolVersion, UnreadDocument, UnreadFile,
};

fn paths() -> RepositoryPaths {
    RepositoryPaths::new("/repo/deploy".as_ref(), "/repo".as_ref())
}

/// A finding in this line of a file.
fn in_file(file: &str, line: usize, reason: Option<Reason>) -> FindingRecord {
    let source = Source {
        template: None,
        file: file.to_owned(),
        line,
        column: 3,
        end_column: Some(21),
        document: 0,
    };
    FindingRecord {
        source: Some(source),
        ..record("chat", reason)
    }
}

fn report(findings: Vec<FindingRecord>) -> AuditReport {
    let subject = AuditSubject {
        tool: ToolVersion::current(None),
        today: date(2026, 11, 23),
        files: Some(1),
        objects: 1,
        incomplete: Vec::new(),
        unread_files: Vec::new(),
        unread: Vec::new(),
    };
    AuditReport::new(subject, findings)
}

/// What a format makes of a report of which everything is shown.
fn rendered<T>(format: impl Fn(&AuditReport, FormatOptions<'_>) -> T, report: &AuditReport) -> T {
    let paths = paths();
    let options = FormatOptions {
        show: &[Show::All],
        paths: &paths,
    };
    format(report, options)
}

fn log(report: &AuditReport) -> Value {
    let text = rendered(sarif, report).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_file_is_named_as_its_repository_has_it() {
    for (name, expected) in [
        ("a.yaml", "deploy/a.yaml"),
        ("./x/../a.yaml", "deploy/a.yaml"),
        ("../chart/a.yaml", "chart/a.yaml"),
        ("/repo/a.yaml", "a.yaml"),
        ("/etc/a.yaml", "/etc/a.yaml"),
        ("../../etc/a.yaml", "/etc/a.yaml"),
        ("<stdin>", "<stdin>"),
    ] {
        assert_eq!(paths().path(name), expected);
    }
}

#[test]
fn a_fingerprint_survives_a_moved_line_and_tells_equal_findings_apart() {
    let of = |findings: &[FindingRecord]| fingerprints(findings, |name| paths().path(name));
    let one = in_file("a.yaml", 1, None);
    let moved = in_file("./a.yaml", 9, None);
    assert_eq!(
        of(std::slice::from_ref(&one)),
        of(std::slice::from_ref(&moved))
    );
    let two = of(&[one.clone(), moved.clone()]);
    assert_eq!(two[0], of(&[one])[0]);
    assert_ne!(two[0], two[1]);
    for other in [
        in_file("b.yaml", 1, None),
        in_file("a.yaml", 1, Some(Reason::NoRegion)),
        FindingRecord {
            before: "anthropic.claude-y".to_owned(),
            ..moved.clone()
        },
        FindingRecord {
            pointer: "/other".to_owned(),
            ..moved
        },
    ] {
        assert_ne!(of(&[other])[0], two[0]);
    }
}

#[test]
fn workflow_commands_are_escaped() {
    let mut one = in_file("a,b:c%.yaml", 4, Some(Reason::NoRegion));
    one.message = Some("first\r\nsecond: 100%, done".to_owned());
    assert_eq!(
        rendered(github, &report(vec![one])),
        "::warning file=deploy/a%2Cb%3Ac%25.yaml,line=4,col=3,endColumn=21,title=NoRegion::\
         anthropic.claude-x: first%0D%0Asecond: 100%25, done\n"
    );
    let mut one = in_file("a\u{1b}[31m\u{202e}.yaml", 4, Some(Reason::NoRegion));
    one.message = Some("no\u{7}region".to_owned());
    assert_eq!(
        rendered(github, &report(vec![one])),
        "::warning file=deploy/a\\u{1b}[31m\\u{202e}.yaml,line=4,col=3,endColumn=21,title=NoRegion::\
         anthropic.claude-x: no\\u{7}region\n"
    );
    let order = vec![
        in_file("a", 1, Some(Reason::NoRegion)),
        in_file("a", 2, None),
        in_file("a", 3, Some(Reason::NothingServes)),
    ];
    let commands = rendered(github, &report(order));
    let lines = commands.split("line=").skip(1).map(|rest| &rest[..1]);
    assert_eq!(lines.collect::<String>(), "321", "the most urgent first");
    let stored = record("chat", None);
    assert_eq!(
        rendered(github, &report(vec![stored])),
        "::warning title=change%3A ml/Pod/chat::\
         anthropic.claude-x would become us.anthropic.claude-x in us-east-1\n"
    );
}

#[test]
fn a_comment_is_escaped_and_bounded() {
    let mut one = in_file("a`|<b>.yaml", 4, Some(Reason::NoRegion));
    one.message = Some("<script>|*x*|</script>".to_owned());
    let text = rendered(markdown, &report(vec![one]));
    let row = text
        .lines()
        .find(|line| line.contains("| [NoRegion]"))
        .unwrap();
    assert_eq!(
        row,
        "| deploy/a\\`\\|&lt;b&gt;.yaml:4 | warning | `anthropic.claude-x` | [NoRegion]: \
         &lt;script&gt;\\|\\*x\\*\\|&lt;/script&gt; |"
    );
    let equal = rendered(
        markdown,
        &report((1..9).map(|line| in_file("a.yaml", line, None)).collect()),
    );
    let row =
        "| `deploy/a.yaml:1` | change | `anthropic.claude-x` | `us.anthropic.claude-x` (×8) |\n";
    assert!(
        equal.contains(&format!("|---|---|---|---|\n{row}\n")),
        "{equal}"
    );
    let many = |reason| (1..2000).map(move |line| in_file(&format!("{line}.yaml"), line, reason));
    let all = many(None).chain(many(Some(Reason::NoRegion))).collect();
    let text = rendered(markdown, &report(all));
    assert!(text.len() < 65_536, "{}", text.len());
    assert_eq!(text.matches("more are not shown").count(), 2);
    let links = text.rsplit_once("</details>\n\n").unwrap().1;
    assert_eq!(links.lines().count(), 2, "{links}");
    assert!(links.contains("/docs/reasons/NoRegion.md"), "{links}");
    let reasons = Reason::ALL.iter().map(|reason| Some(*reason));
    let all = reasons.flat_map(|reason| many(reason).take(60)).collect();
    let text = rendered(markdown, &report(all));
    assert!(text.len() > 60_000, "{}", text.len());
    assert!(text.len() < 65_536, "{}", text.len());
    let empty = rendered(markdown, &report(Vec::new()));
    assert_eq!(
        empty,
        "**bedrock-profiles**: 1 file, 1 object, 0 findings\n"
    );
}

#[test]
fn a_fix_is_offered_where_the_file_alone_decides() {
    let fixes = |findings: Vec<FindingRecord>| -> Vec<bool> {
        let log = log(&report(findings));
        let results = log["runs"][0]["results"].as_array().unwrap().iter();
        results.map(|one| one.get("fixes").is_some()).collect()
    };
    let change = || in_file("a.yaml", 4, None);
    assert_eq!(fixes(vec![change()]), [true]);
    let log = log(&report(vec![change()]));
    let fix = &log["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0];
    assert_eq!(
        fix,
        &serde_json::json!({
            "artifactLocation": {"uri": "deploy/a.yaml", "uriBaseId": "%SRCROOT%"},
            "replacements": [{
                "deletedRegion": {"startLine": 4, "startColumn": 3, "endColumn": 21},
                "insertedContent": {"text": "us.anthropic.claude-x"},
            }],
        })
    );
    let dry_run = FindingRecord {
        mode: Mode::DryRun,
        ..change()
    };
    let preview = FindingRecord {
        preview: true,
        ..change()
    };
    let mut shared = change();
    shared.source.as_mut().unwrap().end_column = None;
    let unchanged = in_file("a.yaml", 5, Some(Reason::NoRegion));
    let others = vec![dry_run, preview, shared, unchanged];
    assert_eq!(fixes(others), [false; 4]);
}

#[test]
fn a_log_names_files_by_uris_and_objects_of_a_cluster_by_names() {
    let findings = vec![
        in_file("a b#c.yaml", 1, None),
        in_file("/etc/ä.yaml", 1, None),
        in_file("<stdin>", 1, None),
        record("chat", None),
    ];
    let log = log(&report(findings));
    let location = |at: usize| &log["runs"][0]["results"][at]["locations"][0];
    let uri = |at: usize| &location(at)["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri(0), "deploy/a%20b%23c.yaml");
    assert_eq!(uri(1), "file:///etc/%C3%A4.yaml");
    assert_eq!(uri(2), "%3Cstdin%3E");
    assert_eq!(location(3).get("physicalLocation"), None);
    let name = &location(3)["logicalLocations"][0]["fullyQualifiedName"];
    assert_eq!(name, "ml/Pod/chat");
}

#[test]
fn the_rules_of_a_log_are_the_causes_of_its_results() {
    let findings = vec![
        in_file("a.yaml", 1, Some(Reason::WorksDirectly)),
        in_file("a.yaml", 2, Some(Reason::NothingServes)),
        in_file("a.yaml", 3, None),
    ];
    let log = log(&report(findings));
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 3);
    let levels = run["results"].as_array().unwrap().iter().map(|one| {
        let index = usize::try_from(one["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(one["ruleId"], rules[index]["id"]);
        (
            one["level"].as_str().unwrap(),
            one["kind"].as_str().unwrap(),
        )
    });
    assert_eq!(
        levels.collect::<Vec<_>>(),
        [("none", "pass"), ("error", "fail"), ("warning", "fail")]
    );
}

#[test]
fn what_was_not_read_is_in_every_format() {
    let mut report = report(Vec::new());
    report.unread_files.push(UnreadFile {
        file: "none.yaml".to_owned(),
        problem: "permission denied".to_owned(),
        is_error: true,
    });
    report.unread.push(UnreadDocument {
        file: "broken.yaml".to_owned(),
        line: 7,
        column: 2,
        problem: "unclosed bracket".to_owned(),
        is_error: true,
    });
    report.incomplete.push("pods: forbidden".to_owned());
    let gitlab =
        |report: &AuditReport, options: FormatOptions<'_>| gitlab(report, options).unwrap();
    let sarif = |report: &AuditReport, options: FormatOptions<'_>| sarif(report, options).unwrap();
    for text in [
        rendered(github, &report),
        rendered(markdown, &report),
        rendered(junit, &report),
        rendered(gitlab, &report),
        rendered(sarif, &report),
    ] {
        for part in [
            "deploy/broken.yaml",
            "7",
            "unclosed bracket",
            "deploy/none.yaml",
            "permission denied",
            "incomplete: pods: forbidden",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn xml_has_only_its_own_characters() {
    let file = "a<b>&\"c\u{1b}\u{fffe}\n.yaml";
    let text = rendered(junit, &report(vec![in_file(file, 1, None)]));
    let name = "name=\"deploy/a&lt;b&gt;&amp;&quot;c\u{fffd}\u{fffd}&#10;.yaml\"";
    assert!(text.contains(name), "{text}");
}
