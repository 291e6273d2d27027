//! Which settings of a file give an ID its region, and which are in conflict with it.

use super::documents::answers;
use super::*;

/// The answers for a file, without the model: `eu` or the reason. `ID` is the model.
fn regions(name: &str, text: &str) -> Vec<String> {
    let text = text.replace("ID", SONNET_4_6);
    let short = |answer: &String| {
        let (_, answer) = answer.split_once(' ').unwrap();
        answer
            .strip_suffix(&format!(".{SONNET_4_6}"))
            .unwrap_or(answer)
            .to_owned()
    };
    answers(name, &text).iter().map(short).collect()
}

fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let expected: Vec<_> = expected.split(' ').collect();
        assert_eq!(regions("app.yaml", text), expected, "{text}");
    }
}

#[test]
fn a_branch_of_the_entry_or_beside_it_gives_the_region() {
    check(&[
        ("aws: {region: us-east-1}\nmodel: ID\n", "us"),
        ("AWS: {Region: us-east-1}\nBedrock: {ModelId: ID}\n", "us"),
        (
            "model: {name: ID, options: {bedrock: {aws_region: us-east-1}}}\n",
            "us",
        ),
        ("- id: bedrock:ID\n  config: {region: us-east-1}\n", "us"),
        ("env: {AWS_REGION: us-east-1}\nmodel: ID\n", "us"),
        (
            "spring: {ai: {bedrock: {aws: {region: us-east-1}, converse: {chat: {options: {model: ID}}}}}}\n",
            "us",
        ),
        (
            "spring: {cloud: {aws: {region: {static: us-east-1}}}, app: {model: ID}}\n",
            "us",
        ),
        ("llm: {region: us-east-1, model: ID}\n", "us"),
        (
            "endpoint: https://bedrock-runtime-fips.us-east-1.amazonaws.com\nmodel: ID\n",
            "us",
        ),
        (
            "url: https://vpce-0a1b.bedrock-runtime.us-east-1.vpce.amazonaws.com\nmodel: ID\n",
            "us",
        ),
    ]);
}

#[test]
fn another_name_with_another_region_is_a_conflict() {
    check(&[
        (
            "aws_region: eu-west-1\nhome: us-east-1\nmodel: ID\n",
            "RegionConflict",
        ),
        (
            "aws: {region: eu-west-1}\nglobal: {region: us-east-1}\nmodel: ID\n",
            "RegionConflict",
        ),
        (
            "aws: {region: eu-west-1}\nglobal: {region: eu-central-1}\nmodel: ID\n",
            "eu",
        ),
        ("region: us-east-1\nmodel: ID\n", "NoRegion"),
        (
            "a: {model: ID}\nb: {model: ID, aws_region: us-east-1}\naws: {region: eu-west-1}\n",
            "RegionConflict us",
        ),
        (
            "aws_region: eu-west-1\nbedrock: {kb_region: us-east-1}\nmodel: ID\n",
            "RegionConflict",
        ),
    ]);
}

#[test]
fn other_services_entries_and_placements_say_nothing() {
    check(&[
        (
            "aws_region: eu-west-1\ns3: {region: us-east-1}\nmodel: ID\n",
            "eu",
        ),
        (
            "aws_region: eu-west-1\nnodeSelector: {topology.kubernetes.io/region: us-east-1}\nmodel: ID\n",
            "eu",
        ),
        (
            "aws_region: eu-west-1\nzone: us-east-1a\nimage: 1.dkr.ecr.us-east-1.amazonaws.com/x\nmodel: ID\n",
            "eu",
        ),
        (
            "aws_region: eu-west-1\nother: {env: {AWS_REGION: us-east-1}}\nmodel: ID\n",
            "eu",
        ),
        (
            "list:\n- {model: ID, aws_region: us-east-1}\n- {model: ID, aws_region: eu-west-1}\n",
            "us eu",
        ),
    ]);
}

#[test]
fn a_mapping_that_the_entry_names_gives_the_region() {
    let credential = "credential_list:\n- {credential_name: there, credential_values: {aws_region_name: us-east-1}}\nmodel_list:\n- litellm_params: {model: bedrock/ID, litellm_credential_name: there}\naws_region: eu-west-1\n";
    check(&[
        (credential, "us"),
        (
            &credential.replace(
                "litellm_credential_name: there",
                "litellm_credential_name: stored",
            ),
            "RegionOutOfSight",
        ),
        (
            "providers:\n  inference:\n  - {provider_id: bedrock, config: {region_name: us-east-1}}\nmodels:\n- {provider_id: bedrock, provider_model: ID}\naws_region: eu-west-1\n",
            "us",
        ),
        (
            "profiles: {there: {aws_region: us-east-1}}\nmodel: {aws_profile: there, id: ID}\n",
            "us",
        ),
        (
            "model: {aws_profile: elsewhere, id: ID}\naws_region: eu-west-1\n",
            "RegionOutOfSight",
        ),
    ]);
}

#[test]
fn the_other_documents_of_a_file_of_spring_may_override_the_region() {
    let spring = "aws: {region: eu-west-1}\nmodel: ID\n---\nspring: {config: {activate: {on-profile: other}}}\naws: {region: us-east-1}\n";
    check(&[
        (spring, "RegionConflict"),
        (&spring.replace("us-east-1", "eu-central-1"), "eu"),
        (&spring.replace("on-profile", "elsewhere"), "eu"),
        (
            "aws: {region: eu-west-1}\n---\nspring: {config: {activate: {on-profile: other}}}\nmodel: ID\n",
            "eu",
        ),
    ]);
    let map = |text: &str| {
        let data = serde_json::json!({ "application.yaml": text.replace("ID", SONNET_4_6) });
        regions("map.json", &config_map("m", &data).to_string())
    };
    assert_eq!(map(spring), ["RegionConflict"]);
}

#[test]
fn pairs_of_one_list_are_settings_of_one_another() {
    check(&[
        (
            "configMapGenerator:\n- name: chat\n  literals:\n  - AWS_REGION=us-east-1\n  - BEDROCK_MODEL_ID=ID\n",
            "us",
        ),
        (
            "environment:\n- AWS_REGION=eu-west-1\n- TENANT_REGION=us-east-1\n- MODEL=ID\n",
            "RegionConflict",
        ),
    ]);
    assert_eq!(
        regions("chat.env", "AWS_REGION=us-east-1\nMODEL=ID\n"),
        ["us"]
    );
    let properties = "app.aws.region=us-east-1\napp.model.id=ID\n";
    assert_eq!(regions("app.properties", properties), ["us"]);
}

#[test]
fn the_annotation_decides_a_conflict() {
    let pod = |annotations: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, annotations: {annotations}}}\nspec:\n  containers:\n  - name: c\n    args: [--location, us-east-1]\n    env:\n    - {{name: AWS_REGION, value: eu-west-1}}\n    - {{name: MODEL, value: ID}}\n"
        )
    };
    check(&[
        (&pod("{}"), "RegionConflict"),
        (&pod("{bedrock-profiles.dev/region: ap-northeast-1}"), "jp"),
        (&pod("{bedrock-profiles.dev/region: us-west-2}"), "us"),
        (&pod("{}").replace("--location", "--s3-region"), "eu"),
        (&pod("{}").replace("--location", "--bedrock-region"), "us"),
        (
            &pod("{example.com/home: us-east-1}").replace("--location", "--s3-region"),
            "RegionConflict",
        ),
    ]);
}
