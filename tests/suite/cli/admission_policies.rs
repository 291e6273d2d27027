//! `export vap` and `export map`: the answers that are printed are those of `resolve`, for every model and region.
//! `tests/cluster` has what an API server makes of them.

use std::collections::BTreeMap;
use std::fs;

use bedrock_profiles::api::{
    InferenceProfilePolicy, InferenceProfilePolicySpec, Mode, ModelRules, Scope,
};
use bedrock_profiles::catalog;
use bedrock_profiles::domain::catalog::Confidence;
use bedrock_profiles::domain::policy::{Namespace, Policy};
use bedrock_profiles::domain::region::Region;
use bedrock_profiles::domain::resolve::{Evidence, ModelRef, Note, Question, Resolution, resolve};
use bedrock_profiles::domain::snapshot::Snapshot;
use bedrock_profiles::validate;
use serde::Deserialize;
use serde_yaml::Value;

use super::{run, text};

/// The maximum length of an expression, in characters (`ExpressionSizeCodePointLimit` of cel-go).
const LONGEST_EXPRESSION: usize = 100_000;

/// The documents of a printed text.
fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

fn exported(args: &[&str]) -> Vec<Value> {
    let done = run(&[&["export"], args].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    documents(text(&done.stdout))
}

/// A literal of a variable. Literals of maps in CEL are flow mappings of YAML too.
fn variable<T: serde::de::DeserializeOwned>(policy: &Value, name: &str) -> T {
    let variables = policy["spec"]["variables"].as_sequence().unwrap();
    let variable = variables.iter().find(|one| one["name"] == name).unwrap();
    serde_yaml::from_str(variable["expression"].as_str().unwrap()).unwrap()
}

/// The printed answers, by ID and region, with whole targets.
fn printed(policy: &Value) -> BTreeMap<(String, String), String> {
    let models: BTreeMap<String, usize> = variable(policy, "models");
    let answers: BTreeMap<usize, BTreeMap<String, String>> = variable(policy, "answers");
    let mut printed = BTreeMap::new();
    for (id, at) in models {
        for (region, answer) in &answers[&at] {
            let target = match answer.as_str() {
                "" => String::new(),
                whole if whole.contains(['.', ':']) => whole.to_owned(),
                geography => format!("{geography}.{id}"),
            };
            printed.insert((id.clone(), region.clone()), target);
        }
    }
    printed
}

/// The answers of `resolve` that `keep` has, for every model and every region with a row.
fn resolved(
    spec: &InferenceProfilePolicySpec,
    keep: impl Fn(&Resolution, &Evidence) -> Option<String>,
) -> BTreeMap<(String, String), String> {
    let mapping = validate::mapping(&catalog::builtin().unwrap()).unwrap();
    let policy = validate::policy(&InferenceProfilePolicy::new("all", spec.clone())).unwrap();
    let (snapshot, _) = Snapshot::build(vec![mapping], vec![policy]);
    let catalog = &snapshot.catalog;
    let policy: &Policy = &snapshot.policies[0];
    let mut regions: Vec<Region> = catalog
        .models()
        .iter()
        .flat_map(|model| model.rows().map(|(region, _)| region))
        .collect();
    regions.sort_unstable();
    regions.dedup();
    let namespace = Namespace::named("default");
    let mut answers = BTreeMap::new();
    for model in catalog.models() {
        for region in &regions {
            let question = Question {
                named: ModelRef::Direct(model.id.as_str()),
                region: *region,
                inferred: false,
                namespace: &namespace,
                whole: true,
                today: jiff::civil::date(2026, 11, 23),
            };
            let (resolution, evidence) = resolve(&question, policy, catalog, &mut |_| {});
            if let Some(answer) = keep(&resolution, &evidence) {
                answers.insert((model.id.to_string(), region.to_string()), answer);
            }
        }
    }
    answers
}

fn all_models() -> (tempfile::NamedTempFile, InferenceProfilePolicySpec) {
    let spec = InferenceProfilePolicySpec {
        mode: Mode::Rewrite,
        models: ModelRules {
            include: vec!["*".to_owned()],
            ..ModelRules::default()
        },
        ..InferenceProfilePolicySpec::default()
    };
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    let policy = InferenceProfilePolicy::new("all", spec.clone());
    fs::write(file.path(), serde_json::to_string(&policy).unwrap()).unwrap();
    (file, spec)
}

fn rewrite(resolution: &Resolution) -> Option<String> {
    resolution.target().map(ToString::to_string)
}

/// What `export vap` has: the target, or nothing for an ID that no target replaces or whose model has ended.
fn error(resolution: &Resolution) -> Option<String> {
    match resolution {
        Resolution::Rewrite {
            note: Some(Note::EndOfLife),
            ..
        } => Some(String::new()),
        Resolution::Rewrite { target, .. } => Some(target.to_string()),
        Resolution::Leave(reason) => reason.is_unresolved().then(String::new),
    }
}

#[test]
fn a_mutating_policy_has_the_rewrites_of_every_model_and_region() {
    let (file, spec) = all_models();
    let path = file.path().to_str().unwrap();
    let documents = exported(&["map", "--policy", path]);
    let expected = resolved(&spec, |resolution, _| rewrite(resolution));
    assert!(expected.len() > 300);
    assert_eq!(printed(&documents[0]), expected);
}

#[test]
fn a_validating_policy_has_the_ids_that_cannot_work_and_denies_only_certain_ones() {
    let (file, spec) = all_models();
    let path = file.path().to_str().unwrap();
    let warning = printed(&exported(&["vap", "--policy", path])[0]);
    assert_eq!(warning, resolved(&spec, |resolution, _| error(resolution)));
    let denying = printed(&exported(&["vap", "--policy", path, "--action", "deny"])[0]);
    let is_certain = |evidence: &Evidence| evidence.confidence() == Confidence::High;
    let certain = resolved(&spec, |resolution, evidence| {
        error(resolution).filter(|_| is_certain(evidence))
    });
    assert_eq!(denying, certain);
    assert!(denying.len() < warning.len());
}

#[test]
fn a_validating_policy_is_about_ids_that_do_not_work_in_the_scope_all_too() {
    let (file, mut spec) = all_models();
    let path = file.path().to_str().unwrap();
    let required = printed(&exported(&["vap", "--policy", path])[0]);
    spec.models.scope = Scope::All;
    let policy = InferenceProfilePolicy::new("all", spec.clone());
    fs::write(file.path(), serde_json::to_string(&policy).unwrap()).unwrap();
    assert_eq!(printed(&exported(&["vap", "--policy", path])[0]), required);
    let rewrites = printed(&exported(&["map", "--policy", path])[0]);
    assert!(rewrites.len() > required.values().filter(|one| !one.is_empty()).count());
}

#[test]
fn no_expression_is_longer_than_an_api_server_accepts() {
    let (file, _) = all_models();
    let path = file.path().to_str().unwrap();
    for command in ["vap", "map"] {
        let policy = &exported(&[command, "--policy", path])[0];
        for one in policy["spec"]["variables"].as_sequence().unwrap() {
            let length = one["expression"].as_str().unwrap().chars().count();
            assert!(
                length < LONGEST_EXPRESSION / 2,
                "{:?}: {length}",
                one["name"]
            );
        }
    }
}

#[test]
fn the_namespaces_are_those_of_the_policy_without_the_excluded_ones() {
    let policy = "apiVersion: bedrock-profiles.dev/v1alpha1
kind: InferenceProfilePolicy
metadata: { name: \"a\\nkind: b\" }
spec:
  mode: Rewrite
  match: { namespaceSelector: { matchLabels: { team: a }, matchExpressions: [{ key: x, operator: DoesNotExist }] } }
";
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    fs::write(file.path(), policy).unwrap();
    let path = file.path().to_str().unwrap();
    for (command, kind) in [
        ("vap", "ValidatingAdmissionPolicy"),
        ("map", "MutatingAdmissionPolicy"),
    ] {
        let excluded = ["--exclude-namespace", "gateway"];
        let named = ["--name", "ours"];
        let args = [&[command, "--policy", path][..], &excluded, &named].concat();
        let [policy, binding] = &exported(&args)[..] else {
            panic!("a policy and a binding");
        };
        assert_eq!(policy["kind"], kind);
        assert_eq!(binding["kind"], format!("{kind}Binding"));
        assert_eq!(binding["spec"]["policyName"], "ours");
        let constraints = &policy["spec"]["matchConstraints"]["namespaceSelector"];
        let expected: Value = serde_yaml::from_str(
            "[{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, gateway]}]",
        )
        .unwrap();
        assert_eq!(constraints["matchExpressions"], expected);
        let selector = &binding["spec"]["matchResources"]["namespaceSelector"];
        let expected: Value = serde_yaml::from_str(
            "[{key: team, operator: In, values: [a]}, {key: x, operator: DoesNotExist}]",
        )
        .unwrap();
        assert_eq!(selector["matchExpressions"], expected);
    }
}
