//! The page on security: it answers each threat of the admission control threat model, and the tests that it names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bedrock_profiles::cluster::rbac::{ObjectNames, PolicyRule, RuleScope, TABLE};

const PAGE: &str = "docs/security.md";

/// How many threats the model of SIG Security has.
const THREATS: usize = 18;

/// A link of the page to a test: its name and its file.
struct TestLink {
    name: String,
    file: String,
}

fn page() -> String {
    fs::read_to_string(PAGE).unwrap()
}

/// The sections of the threats, in the order of the page: the number and the text.
fn threats(page: &str) -> Vec<(usize, &str)> {
    let (_, threats) = page.split_once("\n## Threats\n").unwrap();
    let threats = threats.split("\n## ").next().unwrap();
    let sections = threats.split("\n### ").skip(1);
    sections
        .map(|section| {
            let (number, text) = section.split_once(". ").unwrap();
            (number.parse().unwrap(), text)
        })
        .collect()
}

/// The links to sources of tests: `[name](../tests/…)` and `[name](../src/…/tests.rs)`.
fn test_links(text: &str) -> Vec<TestLink> {
    let links = text.split('[').skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once("](../")?;
        let (file, _) = rest.split_once(')')?;
        let is_source = Path::new(file).extension().is_some_and(|end| end == "rs");
        is_source.then(|| TestLink {
            name: name.to_owned(),
            file: file.to_owned(),
        })
    });
    links.collect()
}

/// Whether the file defines a test of this name: a function, or a trial or row of a table by its title.
fn defines(source: &str, name: &str) -> bool {
    [format!("fn {name}("), format!("\"{name}\"")]
        .iter()
        .any(|definition| source.contains(definition.as_str()))
}

#[test]
fn the_page_answers_every_threat_with_a_test_or_the_reason_for_none() {
    let page = page();
    let threats = threats(&page);
    let numbers: Vec<_> = threats.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=THREATS).collect::<Vec<_>>());
    for (number, text) in threats {
        let has_tests = text.contains("\nTests: ") && !test_links(text).is_empty();
        let has_reason = text.contains("\nNo test: ");
        assert!(has_tests != has_reason, "threat {number}");
    }
}

#[test]
fn the_tests_that_the_page_names_exist() {
    let links = test_links(&page());
    assert!(links.len() > THREATS, "{} links", links.len());
    for TestLink { name, file } in links {
        let source = fs::read_to_string(Path::new(&file)).unwrap();
        assert!(defines(&source, &name), "{name} is not in {file}");
    }
}

/// Texts as code, separated by commas.
fn code(texts: &[&str]) -> String {
    let quoted: Vec<_> = texts.iter().map(|text| format!("`{text}`")).collect();
    quoted.join(", ")
}

/// The objects that a rule applies to, as the page names them.
fn scope(rule: &PolicyRule) -> String {
    let names = |names| match names {
        ObjectNames::Fixed(names) => code(names),
        ObjectNames::CaSecret => code(&["<name>-ca"]),
        ObjectNames::Lease | ObjectNames::ClusterRole => code(&["<name>"]),
        ObjectNames::Bootstrap => code(&["<name>-bootstrap"]),
    };
    match rule.scope {
        RuleScope::Cluster => "cluster".to_owned(),
        RuleScope::Named(of) => names(of),
        RuleScope::Own(of) => format!("{}, own namespace", names(of)),
        RuleScope::Default => "namespace `default`".to_owned(),
    }
}

#[test]
fn the_page_lists_every_right() {
    let page = page();
    let (_, table) = page.split_once("\n| right | scope |").unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut listed = BTreeSet::new();
    for row in rows {
        let [_, right, scope, consequence, _] = row.split('|').collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        assert!(consequence.trim().len() > 3, "{row}");
        assert!(
            listed.insert([right, scope].map(|cell| cell.trim().to_owned())),
            "listed twice: {row}"
        );
    }
    let granted: BTreeSet<_> = TABLE
        .iter()
        .map(|rule| {
            let right = format!("{} of {}", code(rule.verbs), code(rule.resources));
            [right, scope(rule)]
        })
        .collect();
    assert_eq!(listed, granted);
}
