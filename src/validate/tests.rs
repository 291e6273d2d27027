//! Each validation rule, with its message.

use crate::api::{Resource, read};
use crate::domain::policy::{OverrideTarget, Requirement, Selector};

/// The problems of an object, as `field: message`.
fn problems(kind: &str, spec: &str) -> Vec<String> {
    let text = format!(
        "{{apiVersion: bedrock-profiles.dev/v1alpha1, kind: {kind}, metadata: {{name: x}}, spec: {spec}}}"
    );
    let invalid = match &read(&text, "test").unwrap()[..] {
        [Resource::Mapping(mapping)] => super::mapping(mapping).map(drop),
        [Resource::Policy(policy)] => super::policy(policy).map(drop),
        other => panic!("{other:?}"),
    };
    let problems = invalid
        .err()
        .map(|invalid| invalid.problems)
        .unwrap_or_default();
    problems
        .iter()
        .map(|problem| format!("{}: {}", problem.field, problem.message))
        .collect()
}

fn policy(spec: &str) -> Vec<String> {
    problems("InferenceProfilePolicy", spec)
}

fn mapping(model: &str) -> Vec<String> {
    problems(
        "InferenceProfileMapping",
        &format!("{{models: [{{modelId: anthropic.claude-x-1, {model}}}]}}"),
    )
}

#[test]
fn an_empty_spec_is_valid_and_means_the_defaults() {
    assert_eq!(policy("{}"), Vec::<String>::new());
    assert_eq!(
        problems("InferenceProfileMapping", "{}"),
        Vec::<String>::new()
    );
}

#[test]
fn a_mapping_has_every_problem_with_its_field() {
    for (model, field, words) in [
        (
            "profiles: [{id: us.anthropic.claude-x-2, geography: us}]",
            "spec.models[0].profiles[0].id",
            "write `us.anthropic.claude-x-1`",
        ),
        (
            "profiles: [{id: US.anthropic.claude-x-1, geography: US}]",
            "spec.models[0].profiles[0].geography",
            "lower-case",
        ),
        (
            "profiles: [{id: us.anthropic.claude-x-1, geography: us, routes: [{sourceRegions: [moon-1]}]}]",
            "spec.models[0].profiles[0].routes[0].sourceRegions[0]",
            "`moon-1` is not an AWS region",
        ),
        (
            "profiles: [{id: us.anthropic.claude-x-1, geography: us, routes: [{sourceRegions: [us-east-1], destinationRegions: [us-east-1, '*']}]}]",
            "spec.models[0].profiles[0].routes[0].destinationRegions[1]",
            "`*` is not an AWS region",
        ),
        (
            "direct: [{region: us, state: Works}]",
            "spec.models[0].direct[0].region",
            "`us` is not an AWS region",
        ),
        (
            "lifecycle: {endOfLife: [{date: tomorrow}]}",
            "spec.models[0].lifecycle.endOfLife[0].date",
            "write it as `2026-10-27`",
        ),
        (
            "lifecycle: {successor: nomodel}",
            "spec.models[0].lifecycle.successor",
            "is not a model ID",
        ),
    ] {
        let found = mapping(model);
        assert!(
            found
                .iter()
                .any(|problem| problem.starts_with(field) && problem.contains(words)),
            "{model}: {found:?}"
        );
    }
    assert!(
        problems(
            "InferenceProfileMapping",
            "{catalogDate: '2026-13-01', scannedRegions: [x]}"
        )
        .len()
            == 2
    );
}

#[test]
fn a_policy_has_every_problem_with_its_field() {
    const ARN: &str =
        "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl";
    let with_arn = |rest: &str| {
        format!("{{overrides: [{{modelId: anthropic.claude-x-1, target: '{ARN}'{rest}}}]}}")
    };
    for (spec, field, words) in [
        ("{region: {default: here}}".to_owned(), "spec.region.default", "is not an AWS region"),
        ("{geography: {allowed: [us, global]}}".to_owned(), "spec.geography.allowed[1]", "set `spec.geography.global`"),
        (with_arn(""), "spec.overrides[0].target", "name `us-east-1` in `sourceRegions`"),
        (with_arn(", sourceRegions: [eu-west-1]"), "spec.overrides[0].target", "name `us-east-1` in `sourceRegions`"),
        (with_arn(", sourceRegions: [us-east-1, us-gov-west-1]"), "spec.overrides[0].target", "its own partition alone"),
        ("{overrides: [{modelId: anthropic.claude-x-1, target: us.anthropic.claude-x-2}]}".to_owned(), "spec.overrides[0].target", "write a replacement"),
        ("{replacements: [{from: anthropic.claude-x-1, to: anthropic.claude-x-1}]}".to_owned(), "spec.replacements[0].to", "another model"),
        ("{replacements: [{from: x, to: anthropic.claude-x-1}]}".to_owned(), "spec.replacements[0].from", "is not a model ID"),
        ("{match: {namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}}".to_owned(), "spec.match.namespaceSelector.matchExpressions[0]", "needs at least one value"),
        ("{match: {namespaceSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}}".to_owned(), "spec.match.namespaceSelector.matchExpressions[0]", "takes no values"),
        ("{match: {namespaceSelector: {matchExpressions: [{key: a, operator: Near}]}}}".to_owned(), "spec.match.namespaceSelector.matchExpressions[0]", "is no operator"),
    ] {
        let found = policy(&spec);
        assert!(found.iter().any(|problem| problem.starts_with(field) && problem.contains(words)), "{spec}: {found:?}");
    }
}

#[test]
fn an_invalid_object_reads_as_one_sentence_with_all_of_it() {
    let text = "{apiVersion: bedrock-profiles.dev/v1alpha1, kind: InferenceProfilePolicy, metadata: {name: x}, spec: {region: {default: a}, geography: {allowed: [global]}}}";
    let [Resource::Policy(wire)] = &read(text, "test").unwrap()[..] else {
        panic!("no policy")
    };
    let message = super::policy(wire).unwrap_err().to_string();
    assert!(
        message.starts_with("InferenceProfilePolicy/x is not used: spec.region.default: "),
        "{message}"
    );
    assert!(
        message.contains("spec.geography.allowed[0]: ")
            && message.ends_with("correct it and apply it again"),
        "{message}"
    );
}

#[test]
fn what_is_written_is_what_is_meant() {
    let text = "{apiVersion: bedrock-profiles.dev/v1alpha1, kind: InferenceProfilePolicy, metadata: {name: x}, spec: {
        match: {namespaceSelector: {matchLabels: {team: a}, matchExpressions: [{key: tier, operator: NotIn, values: [dev]}]}},
        overrides: [{modelId: anthropic.claude-x-1, target: us-gov.anthropic.claude-x-1}]}}";
    let [Resource::Policy(wire)] = &read(text, "test").unwrap()[..] else {
        panic!("no policy")
    };
    let typed = super::policy(wire).unwrap();
    let expected = [
        Requirement::In("team".into(), ["a".into()].into()),
        Requirement::NotIn("tier".into(), ["dev".into()].into()),
    ];
    assert_eq!(typed.namespaces, Selector::new(expected));
    assert!(
        matches!(&typed.overrides[0].target, OverrideTarget::System(geography) if geography.as_str() == "us-gov")
    );
}
