//! The evaluators of the product and of the tests, held against the examples that AWS publishes in the user guide of Amazon Bedrock and
//! that of IAM.

use std::collections::BTreeMap;

use bedrock_profiles::iam::{AccessRequest, IamPolicy, is_allowed};
use serde_json::{Value, json};

use super::evaluator::{Answer, Call, answer};

const MODEL: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

fn model(region: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{MODEL}")
}

fn profile(source: &str, geography: &str) -> String {
    format!("arn:aws:bedrock:{source}:123456789012:inference-profile/{geography}.{MODEL}")
}

/// Whether a policy allows, by both evaluators.
fn allows(policy: &Value, resource: &str, region: &str, through: Option<&str>) -> bool {
    let call = Call::new("bedrock:InvokeModel", resource.to_owned(), region, through);
    let by_tests = answer(policy, &call) == Answer::Allowed;
    let mut context = BTreeMap::from([("aws:RequestedRegion", region.to_owned())]);
    context.extend(through.map(|arn| ("bedrock:InferenceProfileArn", arn.to_owned())));
    let request = AccessRequest {
        resource: resource.to_owned(),
        context,
    };
    let parsed = IamPolicy::parse(&policy.to_string()).unwrap();
    let by_product = is_allowed(&[parsed], "bedrock:InvokeModel", &request);
    assert_eq!(by_product, by_tests, "{resource} in {region}: {policy:#}");
    by_tests
}

#[test]
fn the_geographic_example() {
    let through = profile("us-east-1", "us");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": [&through]},
        {"Effect": "Allow", "Action": ["bedrock:InvokeModel"],
         "Resource": [model("us-east-1"), model("us-east-2"), model("us-west-2")],
         "Condition": {"StringEquals": {"bedrock:InferenceProfileArn": &through}}}]});
    assert!(allows(&policy, &through, "us-east-1", None));
    for region in ["us-east-1", "us-east-2", "us-west-2"] {
        assert!(allows(&policy, &model(region), region, Some(&through)));
        assert!(!allows(&policy, &model(region), region, None));
        assert!(!allows(
            &policy,
            &model(region),
            region,
            Some(&profile("us-east-2", "us"))
        ));
    }
    assert!(!allows(
        &policy,
        &model("eu-west-1"),
        "eu-west-1",
        Some(&through)
    ));
}

#[test]
fn the_global_example_has_three_parts() {
    let through = profile("us-east-1", "global");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": [&through],
         "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}},
        {"Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": [model("us-east-1")],
         "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1", "bedrock:InferenceProfileArn": &through}}},
        {"Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": [model("")],
         "Condition": {"StringEquals": {"aws:RequestedRegion": "unspecified", "bedrock:InferenceProfileArn": &through}}}]});
    assert!(allows(&policy, &through, "us-east-1", None));
    assert!(allows(
        &policy,
        &model("us-east-1"),
        "us-east-1",
        Some(&through)
    ));
    assert!(allows(&policy, &model(""), "unspecified", Some(&through)));
    assert!(!allows(&policy, &model(""), "us-east-1", Some(&through)));
    assert!(!allows(
        &policy,
        &model("eu-west-1"),
        "eu-west-1",
        Some(&through)
    ));
}

#[test]
fn a_denial_of_global_profiles_wins_over_a_broad_permission() {
    let broad = json!({"Effect": "Allow", "Action": "bedrock:InvokeModel*",
        "Resource": ["arn:aws:bedrock:*::foundation-model/*", "arn:aws:bedrock:*:*:inference-profile/*"]});
    let policy = json!({"Statement": [&broad, {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": {
        "StringEquals": {"aws:RequestedRegion": "unspecified"},
        "ArnLike": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:*:inference-profile/global.*"}}}]});
    let (global, regional) = (profile("us-east-1", "global"), profile("us-east-1", "us"));
    assert!(!allows(&policy, &model(""), "unspecified", Some(&global)));
    assert!(allows(
        &policy,
        &model("us-west-2"),
        "us-west-2",
        Some(&regional)
    ));
    assert!(allows(
        &json!({"Statement": broad}),
        &model(""),
        "unspecified",
        Some(&global)
    ));
}

#[test]
fn a_denial_of_regions_by_not_action_spares_other_services() {
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*",
         "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}}]});
    assert!(allows(&policy, &model("eu-west-1"), "eu-west-1", None));
    assert!(!allows(&policy, &model("us-east-1"), "us-east-1", None));
    assert!(!allows(&policy, &model(""), "unspecified", None));
    let spared = json!({"Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "NotAction": ["BEDROCK:*"], "Resource": "*"}]});
    assert!(allows(&spared, &model("us-east-1"), "us-east-1", None));
}
