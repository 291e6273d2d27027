//! The definitions of the custom resources: that `manifests/crds/` holds what the code says, that they explain and bound every
//! field, and that `tests/data/crds/refused.yaml` has a bad object for whatever they check. That the API server refuses each of
//! these, and in which words, is tried in the cluster.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use bedrock_profiles::api::{self, Resource};
use bedrock_profiles::cli::yaml::to_string as manifest;
use bedrock_profiles::validate;
use serde::Deserialize;
use serde_json::{Value, json};

const FOLDER: &str = "manifests/crds";

/// The bad objects of both kinds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    mappings: Vec<Row>,
    policies: Vec<Row>,
}

/// One bad object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    check: String,
    spec: Value,
    expected: String,
}

fn refused() -> Refused {
    serde_yaml::from_str(&fs::read_to_string("tests/data/crds/refused.yaml").unwrap()).unwrap()
}

/// Name and schema of both definitions.
fn schemas() -> [(String, Value); 2] {
    api::definitions().map(|definition| {
        let plural = definition.spec.names.plural.clone();
        let definition = serde_json::to_value(definition).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        (plural, schema.clone())
    })
}

/// Calls `see` with every schema below this one and its path, such as `spec.models[].modelId`.
fn walk(schema: &Value, path: &str, see: &mut impl FnMut(&str, &Value)) {
    see(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(
            property,
            format!("{path}.{name}").trim_start_matches('.'),
            see,
        );
    }
    if let Some(items) = schema.get("items") {
        walk(items, &format!("{path}[]"), see);
    }
}

/// Whatever a schema checks that is more than a type, a bound or a word of an enum of ours.
fn checks(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(
        &schema["properties"]["spec"],
        "spec",
        &mut |path, schema| {
            let rules = schema["x-kubernetes-validations"].as_array();
            found.extend((0..rules.map_or(0, Vec::len)).map(|at| format!("{path}#{at}")));
            let keywords = [
                ("pattern", true),
                ("anyOf", true),
                ("format", schema["format"] == "date"),
                ("enum", path.ends_with(".operator")),
            ];
            for (keyword, counts) in keywords {
                if counts && schema.get(keyword).is_some() {
                    found.insert(format!("{path}/{keyword}"));
                }
            }
        },
    );
    found
}

#[test]
fn the_manifests_are_generated_from_the_code() {
    let mut files = BTreeSet::new();
    for definition in api::definitions() {
        let path = Path::new(FOLDER).join(format!("{}.yaml", definition.spec.names.plural));
        let text = manifest(&definition).unwrap();
        assert!(text.len() <= 200 * 1024, "{} is too large", path.display());
        if env::var_os("UPDATE").is_some() {
            fs::create_dir_all(FOLDER).unwrap();
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap_or_default(),
            text,
            "{}: UPDATE=1 writes it",
            path.display()
        );
        files.insert(path);
    }
    let there = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    assert_eq!(there.collect::<BTreeSet<_>>(), files);
}

#[test]
fn the_command_prints_the_manifests() {
    let printed = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(["export", "crds"])
        .output()
        .unwrap();
    assert!(printed.status.success());
    let expected = api::definitions().map(|definition| manifest(&definition).unwrap());
    let expected = format!("---\n{}---\n{}", expected[0], expected[1]);
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), expected);
}

#[test]
fn every_field_is_explained() {
    for (plural, schema) in schemas() {
        walk(&schema, "", &mut |path, schema| {
            let explained = schema["description"]
                .as_str()
                .is_some_and(|text| text.len() > 5);
            // An item of texts is explained by its list.
            assert!(
                explained || path.ends_with("[]"),
                "{plural}: {path} has no description"
            );
        });
    }
}

#[test]
fn every_user_field_is_bounded() {
    for (plural, schema) in schemas() {
        walk(
            &schema["properties"]["spec"],
            "spec",
            &mut |path, schema| {
                let has = |keyword: &str| schema.get(keyword).is_some();
                let bounded = match schema["type"].as_str() {
                    Some("array") => has("maxItems") && has("x-kubernetes-list-type"),
                    Some("string") => has("maxLength") || has("enum"),
                    Some("object") => has("properties") || has("maxProperties"),
                    _ => true,
                };
                assert!(bounded, "{plural}: {path} has no bound");
            },
        );
    }
}

#[test]
fn every_validation_rule_has_a_refused_object() {
    let Refused { mappings, policies } = refused();
    for ((plural, schema), rows) in schemas().iter().zip([mappings, policies]) {
        let tried: BTreeSet<_> = rows.into_iter().map(|row| row.check).collect();
        assert_eq!(tried, checks(schema), "{plural}");
    }
}

#[test]
fn the_objects_of_the_page_are_valid_and_its_samples_are_among_them() {
    let page = fs::read_to_string("docs/custom-resources.md").unwrap();
    let blocks: Vec<_> = page
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(blocks.len(), 3);
    for block in &blocks {
        let object: Value = serde_yaml::from_str(block).unwrap();
        let kind = object["kind"].as_str().unwrap();
        assert_eq!(refusal(kind, &object["spec"]), None, "{block}");
    }
    let sample = fs::read_to_string("docs/samples/consent.yaml").unwrap();
    assert!(sample.ends_with(blocks[1]), "{sample}");
}

/// The error of validation for an object with this spec; `None` if it is valid.
fn refusal(kind: &str, spec: &Value) -> Option<String> {
    let object = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": kind, "metadata": {"name": "bad"}, "spec": spec});
    let resources = match api::read(&object.to_string(), "refused.yaml") {
        Ok(resources) => resources,
        Err(error) => return Some(error.to_string()),
    };
    let invalid = match &resources[..] {
        [Resource::Mapping(mapping)] => validate::mapping(mapping).err(),
        [Resource::Policy(policy)] => validate::policy(policy).err(),
        other => panic!("{} resources of one object", other.len()),
    };
    invalid.map(|invalid| invalid.to_string())
}

#[test]
fn validation_refuses_what_the_api_server_refuses_in_the_same_words() {
    let Refused { mappings, policies } = refused();
    for (kind, rows) in [
        ("InferenceProfileMapping", mappings),
        ("InferenceProfilePolicy", policies),
    ] {
        for Row {
            check,
            spec,
            expected,
        } in rows
        {
            let refusal =
                refusal(kind, &spec).unwrap_or_else(|| panic!("{check}: {spec} is accepted"));
            let is_rule = check.contains('#');
            assert!(
                !is_rule || refusal.contains(&expected),
                "{check}: {refusal}"
            );
        }
    }
}
