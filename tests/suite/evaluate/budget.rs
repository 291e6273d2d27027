//! The budget of an evaluation is one for all policies and all texts of an object.

use serde_json::{Value, json};

use crate::evaluate::scenario::*;

/// A Pod with this many variables that hold the same ID.
fn pod_of_ids(count: usize) -> Value {
    let names: Vec<_> = (0..count).map(|at| format!("MODEL_{at}")).collect();
    let mut env: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), SONNET_4_6))
        .collect();
    env.push(("AWS_REGION", "eu-west-1"));
    pod(&env)
}

#[test]
fn the_findings_of_all_policies_count_against_one_limit() {
    let object = pod_of_ids(400);
    // At most 4,096 in all.
    for (previews, verdict) in [(2, "Rewrite"), (12, "Tell")] {
        let names: Vec<_> = (0..previews).map(|at| format!("preview-{at}")).collect();
        let mut policies = vec![("effective", "{ mode: Rewrite }")];
        policies.extend(names.iter().map(|name| (name.as_str(), "{ mode: DryRun }")));
        let outcome = Scenario::of(&policies, &[]).create(&object);
        assert_eq!(outcome.verdict, verdict, "{previews} previews");
        let is_too_large = outcome.answers() == ["TooLarge"];
        assert_eq!(is_too_large, previews == 12, "{:?}", outcome.answers());
        assert_eq!(outcome.patch == json!(null), previews == 12);
    }
}
