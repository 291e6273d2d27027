//! Service control policies, compared with every row of the shipped catalog.

use std::collections::BTreeSet;

use bedrock_profiles::cli::evaluation_args::{EvaluationArgs, default_policy};
use bedrock_profiles::iam::{IamPolicy, OrganisationCheck, PolicySource, check_organisation};
use serde_json::{Value, json};

use super::evaluator::{Answer, answer};
use super::rows::rows;

fn check(policy: &Value) -> OrganisationCheck {
    let (view, _) = EvaluationArgs::default().view(default_policy()).unwrap();
    let source = PolicySource {
        name: "scp.json".to_owned(),
        policy: IamPolicy::parse(&policy.to_string()).unwrap(),
    };
    check_organisation(&[source], &view.snapshot.catalog, &[])
}

fn only_regions(regions: &[&str]) -> Value {
    json!({"Version": "2012-10-17", "Statement": {"Sid": "Regions", "Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": regions}}}})
}

#[test]
fn the_rows_that_fail_are_those_that_another_evaluator_finds() {
    let european = [
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-3",
    ];
    let denied_model = json!({"Statement": [{"Effect": "Deny", "Action": "bedrock:InvokeModelWithResponseStream",
        "Resource": "arn:aws:bedrock:*::foundation-model/anthropic.claude-sonnet-*"}]});
    let without_global = json!({"Statement": [{"Effect": "Deny", "Action": "bedrock:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestedRegion": "unspecified"}}}]});
    for policy in [
        only_regions(&european),
        denied_model,
        without_global,
        only_regions(&["us-east-1", "unspecified"]),
    ] {
        let found = check(&policy);
        let denied: BTreeSet<_> = found
            .denied
            .iter()
            .flat_map(|one| {
                one.models
                    .iter()
                    .map(|model| (one.source, one.geography.to_string(), model.clone()))
            })
            .collect();
        let (rows, unknown) = rows();
        let expected: BTreeSet<_> = rows
            .iter()
            .filter(|row| {
                row.calls("123456789012")
                    .iter()
                    .any(|call| answer(&policy, call) == Answer::Denied)
            })
            .map(|row| (row.source, row.geography.clone(), row.model.clone()))
            .collect();
        assert!(
            !expected.is_empty() && expected.len() < rows.len(),
            "{policy}"
        );
        assert_eq!(denied, expected, "{policy:#}");
        assert_eq!(
            (found.permitted, found.unknown),
            (rows.len() - expected.len(), unknown)
        );
    }
}

#[test]
fn destinations_are_those_where_nothing_is_denied() {
    let found = check(&only_regions(&["eu-central-1", "eu-west-1", "unspecified"]));
    let regions: Vec<_> = found.destinations.iter().map(ToString::to_string).collect();
    assert_eq!(regions, ["eu-central-1", "eu-west-1"]);
    assert!(!found.permits_global, "the source regions are denied");
    assert!(check(&json!({"Statement": []})).permits_global);
}

#[test]
fn a_denial_that_depends_on_the_caller_names_the_condition() {
    let mut policy = only_regions(&["eu-west-1"]);
    policy["Statement"]["Condition"]["ArnNotLike"] =
        json!({"aws:PrincipalARN": ["arn:aws:iam::*:role/admin"]});
    let found = check(&policy);
    assert!(
        found
            .denied
            .iter()
            .all(|one| one.depends_on == ["aws:PrincipalARN"]),
        "{:?}",
        found.denied
    );
    let first = &found.denied[0];
    assert_eq!(first.statements, ["scp.json: Regions"]);
}

#[test]
fn a_policy_is_read_as_the_aws_cli_prints_it() {
    let document = only_regions(&["eu-west-1"]);
    let expected = IamPolicy::parse(&document.to_string()).unwrap();
    for printed in [
        json!({"Policy": {"PolicySummary": {}, "Content": document.to_string()}}),
        json!({"PolicyVersion": {"Document": document, "VersionId": "v1"}}),
        json!({"RoleName": "r", "PolicyDocument": document}),
    ] {
        assert_eq!(IamPolicy::parse(&printed.to_string()).unwrap(), expected);
    }
    for text in [
        "{",
        "[]",
        "{}",
        "{\"Statement\": [{\"Effect\": \"allow\"}]}",
    ] {
        assert!(IamPolicy::parse(text).is_err(), "{text}");
    }
}
