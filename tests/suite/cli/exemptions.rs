//! Exemptions of findings: comments in files, and entries of the configuration.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::habits::{folder, pod, report};
use super::{SONNET, run, text};

/// What `fix` and `audit` answer for one file: the text after `fix`, the findings, and the messages of `audit`.
fn answers(name: &str, content: &str) -> (String, Vec<Value>, String) {
    let (_folder, path) = folder(&[(name, content.as_bytes())]);
    let file = format!("{path}/{name}");
    let found = report(&["audit", &file, "--region", "eu-west-1"]);
    let done = run(&["audit", &file, "--region", "eu-west-1"]);
    run(&["fix", &file, "--region", "eu-west-1"]);
    (
        fs::read_to_string(&file).unwrap(),
        found["findings"].as_array().unwrap().clone(),
        text(&done.stderr).replace(&path, ""),
    )
}

#[test]
fn a_comment_beside_a_line_or_above_it_exempts_in_every_format_with_comments() {
    let above = "# bedrock-profiles: ignore until=2027-01-31 owner=team-a ticket=OPS-7\n";
    let beside = " # bedrock-profiles: ignore";
    for (name, content) in [
        ("a.yaml", format!("{above}model: {SONNET}\n")),
        ("a.yaml", format!("model: {SONNET}{beside}\n")),
        (
            "a.yaml",
            format!("# bedrock-profiles: ignore\nmodel: >-\n  bedrock/{SONNET}\n"),
        ),
        ("a.yaml", format!("models:\n  {above}  model: '{SONNET}'\n")),
        ("a.toml", format!("{above}model = \"{SONNET}\"\n")),
        ("a.toml", format!("model = \"{SONNET}\"{beside}\n")),
        ("a.properties", format!("{above}bedrock.model={SONNET}\n")),
        (".env", format!("{above}BEDROCK_MODEL_ID={SONNET}\n")),
        (".env", format!("BEDROCK_MODEL_ID={SONNET}{beside}\n")),
    ] {
        let (fixed, findings, messages) = answers(name, &content);
        assert_eq!(fixed, content, "{name}");
        assert_eq!(findings.len(), 1, "{name}: {content}");
        assert_eq!(findings[0]["severity"], "note", "{name}: {content}");
        assert_eq!(findings[0]["exempt"]["by"], "Comment", "{name}: {content}");
        assert!(
            messages.contains("note: 1 ID is exempt by comments"),
            "{messages}"
        );
        assert!(!messages.contains("warning: "), "{messages}");
    }
}

#[test]
fn an_exempt_finding_has_the_terms_of_its_exemption() {
    let content = format!(
        "# bedrock-profiles: ignore until=2027-01-31 owner=team-a ticket=OPS-7\nmodel: {SONNET}\n"
    );
    let (_folder, path) = folder(&[("a.yaml", content.as_bytes())]);
    let args = ["audit", &path, "--region", "eu-west-1"];
    let found = report(&args);
    let expected = json!({
        "by": "Comment", "writtenAt": format!("{path}/a.yaml:1"),
        "until": "2027-01-31", "owner": "team-a", "ticket": "OPS-7",
    });
    assert_eq!(found["findings"][0]["exempt"], expected);
    assert_eq!(found["findings"][0]["after"], format!("eu.{SONNET}"));
    assert_eq!(
        (&found["summary"]["exempt"], &found["summary"]["rewrite"]),
        (&1.into(), &0.into())
    );
    let done = run(&args);
    assert_eq!((text(&done.stdout), done.status.code()), ("", Some(0)));
    let done = run(&[&args[..], &["--show", "Exempt"]].concat());
    let printed = text(&done.stdout);
    assert!(
        printed.contains(&format!("note    Exempt: {SONNET}\n")),
        "{printed}"
    );
    assert!(
        printed.contains("until 2027-01-31, owner team-a, ticket OPS-7"),
        "{printed}"
    );
}

#[test]
fn other_ids_of_the_file_count() {
    let content = format!("a: {SONNET} # bedrock-profiles: ignore\nb: {SONNET}\n");
    let (fixed, findings, _) = answers("values.yaml", &content);
    assert_eq!(fixed, content.replace("b: ", "b: eu."));
    assert_eq!(
        (&findings[0]["severity"], &findings[1]["severity"]),
        (&"note".into(), &"change".into())
    );
}

#[test]
fn a_comment_with_reasons_exempts_these_and_no_rewrite() {
    let unknown = "anthropic.claude-sonet-4-6";
    for (id, reasons, is_exempt) in [
        (unknown, "UnknownModel", true),
        (unknown, "Prose, UnknownModel", true),
        (unknown, "Prose", false),
        (SONNET, "UnknownModel", false),
    ] {
        let content = format!("model: {id} # bedrock-profiles: ignore[{reasons}]\n");
        let (fixed, findings, messages) = answers("a.yaml", &content);
        assert_eq!(findings[0].get("exempt").is_some(), is_exempt, "{reasons}");
        assert_eq!(fixed != content, id == SONNET, "{reasons}");
        assert_eq!(
            messages.contains("exempts nothing"),
            !is_exempt,
            "{messages}"
        );
    }
}

#[test]
fn a_comment_without_effect_has_a_warning() {
    for (content, warning) in [
        // The ID is right.
        (
            "model: eu.anthropic.claude-sonnet-4-6 # bedrock-profiles: ignore\n".to_owned(),
            "/a.yaml:1: this comment exempts nothing",
        ),
        (
            "a: b # bedrock-profiles: ignore\n".to_owned(),
            "/a.yaml:1: this comment exempts nothing",
        ),
        (
            format!("model: {SONNET} # bedrock-profiles: ignore[Prosa]\n"),
            "/a.yaml:1: `Prosa` is no reason",
        ),
        (
            format!("model: {SONNET} # bedrock-profiles: ignore until=2026-11-22\n"),
            "/a.yaml:1: this exemption ended on 2026-11-22",
        ),
    ] {
        let (fixed, findings, messages) = answers("a.yaml", &content);
        assert!(
            messages.contains(&format!("warning: {warning}")),
            "{messages}"
        );
        assert!(
            findings.iter().all(|one| one.get("exempt").is_none()),
            "{content}"
        );
        assert_eq!(fixed != content, content.contains(SONNET), "{content}");
    }
    let content = format!("model: {SONNET} # bedrock-profiles: ignore until=soon\n");
    let (fixed, findings, messages) = answers("a.yaml", &content);
    assert!(
        messages.contains("warning: /a.yaml:1: until= of this exemption is not a date"),
        "{messages}"
    );
    assert_eq!(
        (findings[0].get("exempt").is_some(), fixed),
        (true, content)
    );
    let content = format!("bedrock.model={SONNET} # bedrock-profiles: ignore\n");
    let (_, _, messages) = answers("a.properties", &content);
    assert!(
        messages.contains("this is a part of the value and no comment"),
        "{messages}"
    );
}

#[test]
fn an_anchor_is_not_changed_where_one_use_is_exempt() {
    let content = format!("a: &model {SONNET}\n# bedrock-profiles: ignore\nb: *model\n");
    let (fixed, _, _) = answers("a.yaml", &content);
    assert_eq!(fixed, content);
}

#[test]
fn entries_of_the_configuration_exempt_by_path_reason_and_model() {
    let pod = pod(SONNET);
    let (_folder, path) = folder(&[
        ("vendor/a.yaml", pod.as_bytes()),
        ("app/b.yaml", pod.as_bytes()),
        (
            "app/unknown.yaml",
            pod.replace(SONNET, "anthropic.claude-sonet-4-6").as_bytes(),
        ),
    ]);
    let config = Path::new(&path).join(".bedrock-profiles.yaml");
    let exempt = |entry: &str| {
        fs::write(&config, format!("exemptions:\n- {entry}\n")).unwrap();
        let args = ["audit", &path, "--config", config.to_str().unwrap()];
        let found = report(&args);
        let findings = found["findings"].as_array().unwrap().iter();
        let exempt = findings.filter(|one| one.get("exempt").is_some());
        let files = exempt.map(|one| one["source"]["file"].as_str().unwrap().replace(&path, ""));
        (
            files.collect::<Vec<_>>(),
            text(&run(&args).stderr).to_owned(),
        )
    };
    for (entry, expected) in [
        ("path: vendor/", &["/vendor/a.yaml"][..]),
        (
            "path: '*.yaml'",
            &["/app/b.yaml", "/app/unknown.yaml", "/vendor/a.yaml"],
        ),
        ("reason: UnknownModel", &["/app/unknown.yaml"]),
        ("{ path: vendor/, reason: UnknownModel }", &[]),
        ("model: '*sonnet*'", &["/app/b.yaml", "/vendor/a.yaml"]),
        (
            "{ path: vendor/, model: '*sonnet*', until: 2026-11-23 }",
            &["/vendor/a.yaml"],
        ),
        ("{ path: vendor/, until: 2026-11-22 }", &[]),
    ] {
        let (found, messages) = exempt(entry);
        assert_eq!(found, expected, "{entry}");
        let has_ended = entry.contains("2026-11-22");
        assert_eq!(
            messages.contains("exemptions[0]: this exemption ended"),
            has_ended,
            "{messages}"
        );
        assert!(!messages.contains("by comments"), "{messages}");
    }
    fs::write(&config, "exemptions: [{ path: vendor/ }]\n").unwrap();
    run(&["fix", &path, "--config", config.to_str().unwrap()]);
    assert_eq!(
        fs::read_to_string(format!("{path}/vendor/a.yaml")).unwrap(),
        pod
    );
    assert_ne!(
        fs::read_to_string(format!("{path}/app/b.yaml")).unwrap(),
        pod
    );
    for (entry, problem) in [
        (
            "{ owner: team-a }",
            "exemptions[0] has neither path, reason nor model",
        ),
        ("{ path: a, until: soon }", "line 2: exemptions[0].until"),
        ("{ path: a, units: 2027-01-31 }", "line 2: exemptions[0]"),
    ] {
        fs::write(&config, format!("exemptions:\n- {entry}\n")).unwrap();
        let done = run(&["audit", &path, "--config", config.to_str().unwrap()]);
        assert_eq!(done.status.code(), Some(2), "{entry}");
        assert!(
            text(&done.stderr).contains(problem),
            "{}",
            text(&done.stderr)
        );
    }
}

#[test]
fn an_annotation_that_has_ended_has_a_warning() {
    let annotated = |until: &str| {
        let annotations =
            format!("annotations: {{bedrock-profiles.dev/ignore: 'ours; until={until}'}}");
        pod(SONNET).replace("{name: p}", &format!("{{name: p, {annotations}}}"))
    };
    let (_folder, path) = folder(&[("a.yaml", annotated("2026-11-22").as_bytes())]);
    let done = run(&["audit", &path]);
    assert_eq!(done.status.code(), Some(1));
    let messages = text(&done.stderr);
    assert!(
        messages.contains("warning: the opt-out of Pod/p ended on 2026-11-22"),
        "{messages}"
    );
    let (_folder, path) = folder(&[("a.yaml", annotated("2026-11-23").as_bytes())]);
    let found = report(&["audit", &path]);
    assert_eq!(found["findings"][0]["reason"], "OptedOut");
    let message = found["findings"][0]["message"].as_str().unwrap();
    assert!(
        message.ends_with("ignore: ours; until=2026-11-23"),
        "{message}"
    );
}

#[test]
fn the_reason_that_an_audit_prints_exempts_a_profile_of_a_retired_model() {
    let retired = "model: us.anthropic.claude-sonnet-4-20250514-v1:0";
    for (reason, is_exempt) in [("EndOfLife", true), ("NoRegion", false)] {
        let content =
            format!("aws_region: us-east-1\n{retired} # bedrock-profiles: ignore[{reason}]\n");
        let (after, findings, _) = answers("a.yaml", &content);
        assert_eq!(findings[0]["reason"], "AlreadyProfiled");
        assert_eq!(findings[0]["exempt"].is_object(), is_exempt, "{findings:?}");
        assert_eq!(after, content);
    }
}

#[test]
fn findings_are_shown_by_the_reason_that_they_are_listed_under() {
    let ended = "us.anthropic.claude-3-opus-20240229-v1:0";
    let (_folder, path) = folder(&[(
        "a.yaml",
        pod(ended).replace("eu-west-1", "us-east-1").as_bytes(),
    )]);
    let found = report(&["audit", &path]);
    assert_eq!(found["findings"][0]["reason"], "AlreadyProfiled", "{found}");
    for shown in ["EndOfLife", "AlreadyProfiled"] {
        let done = run(&["audit", &path, "--show", shown]);
        let printed = text(&done.stdout);
        assert!(printed.contains(ended), "{shown}: {printed}");
    }
}
