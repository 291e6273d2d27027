use super::*;
use crate::domain::annotations::{IGNORE, IGNORE_KEYS, REWRITES};
use crate::domain::fixtures;
use crate::domain::region::Region;

const ID: &str = "anthropic.claude-sonnet-5";

fn map(data: &[(&str, &str)], annotations: &[(&str, &str)]) -> ConfigMap {
    let annotation = |name: &str| {
        let mut all = annotations.iter();
        all.find(|(one, _)| *one == name).map(|(_, text)| *text)
    };
    ConfigMap::read(data.iter().copied(), annotation, &fixtures::snapshot())
}

fn record(at: &str, from: &str, to: &str) -> String {
    format!(
        r#"{{"entries":[{{"at":"{at}","from":"{from}","to":"{to}","region":"eu-west-1","by":"ConfigMapKey"}}]}}"#
    )
}

/// The words of a ConfigMap: key, original and current text.
fn words(map: &ConfigMap) -> Vec<(&str, &str, &str)> {
    map.words()
        .map(|(key, word)| (key, word.original(), word.current()))
        .collect()
}

#[test]
fn only_words_that_may_be_ids_and_regions_are_stored() {
    let long = format!("{}{ID}", " ".repeat(300));
    let region = Region::parse("eu-west-1").unwrap();
    for (text, kept) in [
        ("eu-west-1\n", StoredValue::Region(region)),
        ("", StoredValue::Blank),
        (" \n", StoredValue::Blank),
        ("$(REGION)", StoredValue::Placeholder),
        ("{{ .Values.region }}", StoredValue::Placeholder),
        ("hunter2", StoredValue::Other),
        (
            "the model anthropic.claude-sonnet-5 is slow",
            StoredValue::Other,
        ),
        ("model: anthropic.claude-sonnet-5\n", StoredValue::Other),
        ("db.internal.example.com", StoredValue::Other),
        (&long, StoredValue::Other),
    ] {
        let map = map(&[("k", text)], &[]);
        assert_eq!(map.get("k"), Some(&kept), "{text:?}");
    }
    let map = map(
        &[
            ("b", "bedrock/anthropic.claude-sonnet-5"),
            ("a", " anthropic.x\n"),
        ],
        &[],
    );
    let expected = [
        ("a", " anthropic.x\n", " anthropic.x\n"),
        (
            "b",
            "bedrock/anthropic.claude-sonnet-5",
            "bedrock/anthropic.claude-sonnet-5",
        ),
    ];
    assert_eq!(words(&map), expected);
    assert_eq!(map.get("c"), None);
}

#[test]
fn a_changed_word_has_its_original() {
    let arn = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/a";
    for (to, text, original) in [
        (
            "eu.anthropic.claude-sonnet-5",
            "eu.anthropic.claude-sonnet-5\n",
            "anthropic.claude-sonnet-5\n",
        ),
        (
            "eu.anthropic.claude-sonnet-5",
            "bedrock/eu.anthropic.claude-sonnet-5",
            "bedrock/anthropic.claude-sonnet-5",
        ),
        (arn, arn, ID),
    ] {
        let ours = record("data/k", ID, to);
        let map = map(&[("k", text), ("other", text)], &[(REWRITES, &ours)]);
        let words: Vec<_> = words(&map)
            .into_iter()
            .filter(|(key, ..)| *key == "k")
            .collect();
        assert_eq!(words, [("k", original, text)]);
        let unrecorded = map.get("other");
        assert!(
            !matches!(unrecorded, Some(StoredValue::Word(word)) if word.original() != word.current()),
            "{text}"
        );
    }
}

#[test]
fn a_forged_record_changes_nothing() {
    let text = "eu.anthropic.claude-sonnet-5";
    for forged in [
        record("data/other", ID, text),
        record("app/env/k", ID, text),
        record("data/k", ID, "us.anthropic.claude-sonnet-5"),
        record("data/k", ID, ""),
        record("data/k", "two words", text),
        record("data/k", "$(X)", text),
        "nonsense".to_owned(),
    ] {
        let map = map(&[("k", text)], &[(REWRITES, &forged)]);
        assert_eq!(words(&map), [("k", text, text)], "{forged}");
    }
}

#[test]
fn the_author_of_a_config_map_can_opt_out() {
    let data = [("a", ID), ("b", ID)];
    let today = jiff::civil::date(2027, 1, 31);
    let out = |annotations: &[(&str, &str)]| {
        let map = map(&data, annotations);
        let out: Vec<_> = map
            .words()
            .map(|(_, word)| word.is_opted_out(today))
            .collect();
        out
    };
    assert_eq!(out(&[]), [false, false]);
    assert_eq!(out(&[(IGNORE, "by hand")]), [true, true]);
    assert_eq!(out(&[(IGNORE, "false")]), [false, false]);
    assert_eq!(out(&[(IGNORE_KEYS, "x, b*")]), [false, true]);
    assert_eq!(out(&[(IGNORE, "x; until=2027-01-31")]), [true, true]);
    let ended = (IGNORE, "x; until=2027-01-30");
    assert_eq!(out(&[ended]), [false, false]);
    assert_eq!(out(&[ended, (IGNORE_KEYS, "b")]), [false, true]);
}

#[test]
fn a_planned_change_is_the_current_word() {
    let mut map = map(&[("k", ID), ("region", "eu-west-1")], &[]);
    for key in ["k", "region", "absent"] {
        map.change(key, "eu.anthropic.claude-sonnet-5");
    }
    assert_eq!(words(&map), [("k", ID, "eu.anthropic.claude-sonnet-5")]);
}

#[test]
fn a_missing_config_map_is_absent_only_if_all_were_listed_and_the_reference_is_optional() {
    let mut some = ConfigMapIndex::default();
    let mut all = ConfigMapIndex::of_all();
    for references in [&mut some, &mut all] {
        references.insert("ml", "models", map(&[("k", ID)], &[]));
    }
    let found =
        |references: &ConfigMapIndex, namespace: &str, name: &str, optional: bool| match references
            .in_namespace(namespace)
            .look_up(name, optional)
        {
            Lookup::Found(_) => "found",
            Lookup::Absent => "absent",
            Lookup::Unknown => "unknown",
        };
    for (references, namespace, name, optional, expected) in [
        (&all, "ml", "models", true, "found"),
        (&all, "ml", "models", false, "found"),
        (&all, "ml", "other", true, "absent"),
        (&all, "ml", "other", false, "unknown"),
        (&all, "web", "models", true, "absent"),
        (&some, "ml", "models", true, "found"),
        (&some, "ml", "other", true, "unknown"),
        (&some, "web", "models", false, "unknown"),
        (&ConfigMapIndex::default(), "ml", "models", true, "unknown"),
    ] {
        assert_eq!(
            found(references, namespace, name, optional),
            expected,
            "{namespace}/{name}"
        );
    }
}

#[test]
fn a_clone_keeps_its_content() {
    let words = |references: &ConfigMapIndex| references.in_namespace("ml").have_words();
    let mut now = ConfigMapIndex::of_all();
    now.insert("ml", "plain", map(&[("k", "v")], &[]));
    let before = now.clone();
    now.insert("ml", "models", map(&[("k", ID)], &[]));
    let with = now.clone();
    assert!(!words(&before) && words(&with));
    // Inserted again, with and without a word, and removed.
    now.insert("ml", "models", map(&[("k", ID), ("l", ID)], &[]));
    now.insert("ml", "more", map(&[("k", ID)], &[]));
    now.insert("ml", "models", map(&[("k", "v")], &[]));
    assert!(words(&now));
    now.remove("ml", "more");
    now.remove("ml", "never");
    now.remove("web", "models");
    assert!(!words(&now) && words(&with) && !words(&before));
}
