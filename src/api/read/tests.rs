use super::*;
use crate::api::{Confidence, DirectState, Global, IdForms, Mode, References, Scope};

const MAPPING: &str = r#"
apiVersion: bedrock-profiles.dev/v1alpha1
kind: InferenceProfileMapping
metadata: { name: builtin }
spec:
  priority: -1000
  catalogDate: "2026-10-27"
  models:
  - modelId: anthropic.claude-sonnet-4-6
    direct: [ { region: eu-west-2, state: Works } ]
    lifecycle: { state: Active }
    profiles:
    - id: eu.anthropic.claude-sonnet-4-6
      geography: eu
      state: Current
      routes:
      - { sourceRegions: [eu-central-1], destinationRegions: [eu-central-1, eu-north-1], confidence: Medium }
      - { sourceRegions: [eu-west-3], absent: true }
"#;

const EMPTY_POLICY: &str = "
apiVersion: bedrock-profiles.dev/v1alpha1
kind: InferenceProfilePolicy
metadata: { name: default }
spec: {}
";

fn policy(spec: &str) -> Result<Vec<Resource>, ReadError> {
    read(&EMPTY_POLICY.replace("{}", spec), "policy.yaml")
}

fn message(text: &str) -> String {
    read(text, "policies/team.yaml").unwrap_err().to_string()
}

#[test]
fn reads_a_mapping_and_a_policy_from_one_file() {
    let resources = read(&format!("---\n{MAPPING}---\n---\n{EMPTY_POLICY}"), "x").unwrap();
    let [Resource::Mapping(mapping), Resource::Policy(policy)] = resources.as_slice() else {
        panic!("{resources:?}")
    };
    assert_eq!(mapping.metadata.name.as_deref(), Some("builtin"));
    assert_eq!(mapping.spec.priority, -1000);
    let model = &mapping.spec.models[0];
    assert_eq!(model.direct[0].state, DirectState::Works);
    assert_eq!(model.profiles[0].routes[0].confidence, Confidence::Medium);
    assert_eq!(model.profiles[0].routes[1].confidence, Confidence::High);
    assert!(model.profiles[0].routes[1].absent);
    assert_eq!(policy.metadata.name.as_deref(), Some("default"));
}

#[test]
fn an_empty_policy_has_the_documented_defaults() {
    let expected = policy(
        r#"{ priority: 0, mode: DryRun, match: { resources: [Pod, ConfigMap] },
  models: { scope: Required, include: ["anthropic.*"], exclude: [], aliases: { enabled: false, envNames: ["*BEDROCK*"] } },
  region: { extraEnvNames: [] }, geography: { global: Never, allowed: [], allowedDestinations: [] },
  overrides: [], replacements: [], references: Resolve, configMaps: { rewrite: Untracked },
  templates: Warn, lists: Leave, unresolved: Warn, optOut: Any }"#,
    );
    assert_eq!(policy("{}"), expected);
}

#[test]
fn reads_every_field_of_a_policy() {
    let resources = policy(
        r#"
  priority: 7
  mode: Rewrite
  match: { namespaceSelector: { matchLabels: { team: a }, matchExpressions: [ { key: env, operator: In, values: [prod] } ] }, resources: [Pod] }
  models: { scope: All, include: ["*"], exclude: ["amazon.*"], aliases: { enabled: true } }
  region: { default: us-east-1, extraEnvNames: [ACME_LLM_REGION] }
  geography: { global: Fallback, allowed: [apac], allowedDestinations: ["eu-*"] }
  overrides:
  - { modelId: "anthropic.claude-sonnet-4-5-20250929-v1:0", sourceRegions: [us-east-1], namespaceSelector: { matchLabels: { team: a } },
      match: DirectAndProfiles, target: "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl", destinations: [us-east-1] }
  replacements: [ { from: a.b, to: a.c } ]
  references: "Off"
  configMaps: { rewrite: All }
  templates: "Off"
  lists: Rewrite
  unresolved: Deny
  optOut: None"#,
    )
    .unwrap();
    let [Resource::Policy(policy)] = resources.as_slice() else {
        panic!("{resources:?}")
    };
    let spec = &policy.spec;
    assert_eq!((spec.priority, spec.mode), (7, Mode::Rewrite));
    assert_eq!(spec.models.scope, Scope::All);
    assert_eq!(spec.models.aliases.env_names, ["*BEDROCK*"]);
    assert_eq!(spec.geography.global, Global::Fallback);
    assert_eq!(spec.overrides[0].forms, IdForms::DirectAndProfiles);
    assert_eq!(spec.replacements[0].forms, IdForms::Direct);
    assert_eq!(spec.references, References::Off);
    let selector = spec.selects.namespace_selector.as_ref().unwrap();
    assert_eq!(selector.match_labels.as_ref().unwrap()["team"], "a");
    assert_eq!(
        selector.match_expressions.as_ref().unwrap()[0].operator,
        "In"
    );
}

#[test]
fn what_is_written_reads_back_the_same() {
    let text = format!("{MAPPING}---{EMPTY_POLICY}");
    for resource in read(&text, "x").unwrap() {
        let written = match &resource {
            Resource::Mapping(mapping) => serde_json::to_string(mapping),
            Resource::Policy(policy) => serde_json::to_string(policy),
        };
        assert_eq!(read(&written.unwrap(), "x").unwrap(), [resource]);
    }
}

#[test]
fn reads_lists_and_json_that_is_indented_by_tabs() {
    let item = EMPTY_POLICY.trim().replace('\n', "\n  ");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {item}\n- {item}\n");
    assert_eq!(read(&list, "x").unwrap().len(), 2);
    let json = "{\n\t\"apiVersion\": \"bedrock-profiles.dev/v1alpha1\",\n\t\"kind\": \"InferenceProfilePolicy\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"spec\": {}\n}";
    assert_eq!(read(json, "x").unwrap().len(), 1);
}

#[test]
fn nothing_and_comments_are_no_resources() {
    assert_eq!(read("", "x").unwrap(), []);
    assert_eq!(read("# only a comment\n---\n", "x").unwrap(), []);
}

#[test]
fn a_typo_in_a_field_is_named_with_its_path() {
    let error = message(&MAPPING.replace("destinationRegions", "destinations"));
    assert!(
        error.starts_with(
            r#"policies/team.yaml, line 2: InferenceProfileMapping "builtin": spec.models[0].profiles[0].routes[0].destinations: unknown field `destinations`"#
        ),
        "{error}"
    );
    let error = policy("{ modle: {} }").unwrap_err().to_string();
    assert!(
        error.contains("spec.modle: unknown field `modle`"),
        "{error}"
    );
}

#[test]
fn a_typo_in_a_selector_is_an_error_and_selects_nothing() {
    let error = policy("{ match: { namespaceSelector: { matchLabel: { team: a } } } }");
    let error = error.unwrap_err().to_string();
    assert!(error.contains("unknown field `matchLabel`"), "{error}");
}

/// As kubectl reads it, so that a file that passes here is accepted by the API server.
#[test]
fn an_unquoted_off_is_a_boolean() {
    let error = policy("{ references: Off }").unwrap_err().to_string();
    assert!(
        error.contains("spec.references: invalid type: boolean `false`"),
        "{error}"
    );
    assert!(policy(r#"{ references: "Off" }"#).is_ok());
}

#[test]
fn an_unknown_word_names_the_words_that_are_known() {
    let error = policy("{ mode: Audit }").unwrap_err().to_string();
    assert!(
        error.contains(
            "spec.mode: unknown variant `Audit`, expected one of `Rewrite`, `Deny`, `DryRun`"
        ),
        "{error}"
    );
}

#[test]
fn errors_say_which_line_and_which_item() {
    let error = message(&format!(
        "{MAPPING}---\napiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n"
    ));
    assert_eq!(
        error,
        "policies/team.yaml, line 20, items[0]: kind \"ConfigMap\" is unknown here; write InferenceProfileMapping or InferenceProfilePolicy, or remove the document"
    );
}

#[test]
fn objects_of_another_form_are_refused_with_what_to_write() {
    let error = message(&EMPTY_POLICY.replace("v1alpha1", "v1"));
    assert!(
        error.contains("write bedrock-profiles.dev/v1alpha1"),
        "{error}"
    );
    let error = message(&EMPTY_POLICY.replace("{ name: default }", "{}"));
    assert!(error.contains("metadata.name is missing"), "{error}");
    let error = message(&format!("{EMPTY_POLICY}sepc: {{}}\n"));
    assert!(error.contains("unknown field `sepc`"), "{error}");
    let error = message(&EMPTY_POLICY.replace("spec: {}", ""));
    assert!(error.contains("missing field `spec`"), "{error}");
    let error = message("- a\n- b\n");
    assert!(
        error.contains("an object with apiVersion and kind"),
        "{error}"
    );
    let error = message("a: [b\n---\nc: d\n");
    assert!(error.contains("this is not YAML"), "{error}");
}
