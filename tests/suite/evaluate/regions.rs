//! Which region counts: the sources in their order and the three dots.

use serde_json::json;

use super::scenario::*;

const ID: (&str, &str) = ("BEDROCK_MODEL_ID", SONNET_4_5);

fn geography(answer: &str) -> &str {
    answer
        .strip_suffix(SONNET_4_5)
        .map_or(answer, |rest| rest.trim_end_matches('.'))
}

#[test]
fn each_region_source_is_stronger_than_the_next() {
    let world = Scenario::under("{ region: { default: ap-southeast-2 } }")
        .annotated("bedrock-profiles.dev/region", "ap-northeast-1")
        .in_cluster_of("us-gov-west-1");
    let bare =
        Scenario::under("{ region: { default: ap-southeast-2 } }").in_cluster_of("us-gov-west-1");
    let cluster = Scenario::under("{}").in_cluster_of("us-gov-west-1");
    let nothing = Scenario::under("{}");
    let check = |world: &Scenario, object: &serde_json::Value, expected: (&str, &str)| {
        let outcome = world.create(object);
        let only = outcome.only();
        assert_eq!((geography(&only.answer), only.source), expected, "{object}");
    };
    let mut everything = pod_of(&json!({
        "name": "app",
        "env": [variable("AWS_REGION", "us-east-1")],
        "args": ["--region", "eu-west-1", format!("--model=bedrock/us-west-2/{SONNET_4_5}")],
    }));
    everything["metadata"]["annotations"]["bedrock-profiles.dev/region"] = "ap-northeast-3".into();
    everything["spec"]["containers"][0]["args"][1] = "eu-west-1".into();
    check(&world, &everything, ("us", "InValue"));
    everything["spec"]["containers"][0]["args"][2] = format!("--model={SONNET_4_5}").into();
    check(&world, &everything, ("eu", "Beside"));
    everything["spec"]["containers"][0]["args"] = json!([format!("--model={SONNET_4_5}")]);
    check(&world, &everything, ("jp", "ObjectAnnotation"));
    everything["metadata"]["annotations"] = json!({});
    check(&world, &everything, ("us", "ContainerEnv"));
    everything["spec"]["containers"][0]["env"] = json!([]);
    check(&world, &everything, ("jp", "NamespaceAnnotation"));
    check(&bare, &everything, ("au", "PolicyDefault"));
    check(&cluster, &everything, ("us-gov", "Cluster"));
    check(&nothing, &everything, ("NoRegion", ""));
    let keys = config_map(&[("model", SONNET_4_5), ("AWS_REGION", "eu-west-1")]);
    check(&world, &keys, ("eu", "ConfigMapKey"));
}

#[test]
fn names_of_bedrock_come_before_names_of_the_sdks() {
    let world = Scenario::under("{ region: { extraEnvNames: [ACME_LLM_REGION] } }");
    let mut env = vec![
        ID,
        ("AWS_DEFAULT_REGION", "ap-southeast-2"),
        ("AWS_REGION", "ap-southeast-2"),
    ];
    let answers = |env: &[(&str, &str)]| geography(&world.sourced(env).0).to_owned();
    assert_eq!(answers(&env), "au");
    env.push(("AWS_REGION_NAME", "ap-northeast-1"));
    assert_eq!(answers(&env), "jp");
    env.push(("BEDROCK_REGION", "eu-west-1"));
    assert_eq!(answers(&env), "eu");
    env.push(("ACME_LLM_REGION", "us-east-1"));
    assert_eq!(answers(&env), "us");
}

#[test]
fn region_variables_named_for_bedrock_are_recognised() {
    let world = Scenario::under("{}");
    for name in [
        "BEDROCK_AWS_REGION",
        "BEDROCK_REGION",
        "BEDROCK_REGION_NAME",
        "BEDROCK_RUNTIME_REGION",
        "AWS_BEDROCK_REGION",
        "SPRING_AI_BEDROCK_AWS_REGION",
        "BEDROCK_AWS_REGION_NAME",
        "AWS_REGION_BEDROCK",
        "BEDROCK_LLM_REGION",
        "Bedrock__Region",
        "bedrockRegion",
        "BEDROCK_MODEL_LOCATION",
        "AWS_REGION_NAME",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "aws_region",
        "AWS__Region",
    ] {
        assert_eq!(
            world.sourced(&[ID, (name, "eu-west-1")]),
            (behind("eu", SONNET_4_5), "ContainerEnv"),
            "{name}"
        );
    }
    for name in ["REGION", "S3_REGION", "MY_LOCATION", "GLOBAL_REGION"] {
        assert_eq!(
            world.sourced(&[ID, (name, "eu-west-1")]).0,
            "NoRegion",
            "{name}"
        );
    }
}

#[test]
fn an_empty_value_counts_as_absent() {
    let world = Scenario::under("{}").annotated("bedrock-profiles.dev/region", "eu-west-1");
    for empty in ["", "  ", "\n"] {
        assert_eq!(
            world.sourced(&[ID, ("AWS_REGION", empty)]),
            (behind("eu", SONNET_4_5), "NamespaceAnnotation"),
            "{empty:?}"
        );
    }
    let no_value =
        pod_of(&json!({ "name": "app", "env": [variable(ID.0, ID.1), { "name": "AWS_REGION" }] }));
    assert_eq!(world.create(&no_value).only().source, "NamespaceAnnotation");
    let through = [ID, ("EMPTY", ""), ("AWS_REGION", "$(EMPTY)")];
    assert_eq!(world.sourced(&through).1, "NamespaceAnnotation");
}

#[test]
fn a_variable_is_expanded_from_earlier_entries() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    let answer = |env: &[(&str, &str)]| geography(&world.sourced(env).0).to_owned();
    let home = ("HOME_REGION", "eu-west-1");
    assert_eq!(answer(&[ID, home, ("AWS_REGION", "$(HOME_REGION)")]), "eu");
    assert_eq!(
        answer(&[ID, ("N", "1"), ("AWS_REGION", "eu-west-$(N)")]),
        "eu"
    );
    assert_eq!(
        answer(&[ID, home, ("B", "$(HOME_REGION)"), ("AWS_REGION", "$(B)")]),
        "eu"
    );
    // One that stands behind it, is missing, or names itself cannot be expanded.
    for env in [
        [ID, ("AWS_REGION", "$(HOME_REGION)"), home],
        [ID, home, ("AWS_REGION", "$(NOWHERE)")],
        [ID, home, ("AWS_REGION", "$(AWS_REGION)")],
        [ID, home, ("AWS_REGION", "$(HOME_REGION")],
    ] {
        assert_eq!(answer(&env), "RegionOutOfSight", "{env:?}");
    }
    let bomb: Vec<(String, String)> = (0..40)
        .map(|at| (format!("V{}", at + 1), format!("$(V{at})$(V{at})")))
        .collect();
    let mut env = vec![ID, ("V0", "")];
    env.extend(bomb.iter().map(|(name, value)| (&**name, &**value)));
    env.push(("AWS_REGION", "$(V40)"));
    assert_eq!(answer(&env), "RegionOutOfSight");
}

#[test]
fn the_last_of_two_variables_of_one_name_is_used() {
    let world = Scenario::under("{}");
    let twice = [ID, ("AWS_REGION", "us-east-1"), ("AWS_REGION", "eu-west-1")];
    assert_eq!(world.sourced(&twice).0, behind("eu", SONNET_4_5));
    let emptied = [ID, ("AWS_REGION", "us-east-1"), ("AWS_REGION", "")];
    assert_eq!(world.sourced(&emptied).0, "NoRegion");
}

#[test]
fn a_region_of_no_partition_ends_the_region_search() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    for text in [
        "asia-northeast-1",
        "eu-west-1a",
        "europe",
        "EU-WEST-1",
        "us-east",
    ] {
        assert_eq!(
            world.sourced(&[ID, ("AWS_REGION", text)]).0,
            "NotARegion",
            "{text}"
        );
    }
    assert_eq!(
        world.sourced(&[ID, ("AWS_REGION", "eu-west-9")]).0,
        "RegionUnknown"
    );
}

#[test]
fn an_unreadable_region_ends_the_region_search() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    for (name, text) in [
        ("AWS_REGION", "${REGION}"),
        ("AWS_REGION", "{{ .region }}"),
        ("AWS_REGION", "os.environ/X"),
        ("AWS_PROFILE", "prod"),
    ] {
        let answer = world.sourced(&[ID, (name, text)]).0;
        assert_eq!(answer, "RegionOutOfSight", "{name}={text}");
    }
    for source in ["secretKeyRef", "configMapKeyRef"] {
        let region =
            json!({ "name": "AWS_REGION", "valueFrom": { source: { "name": "s", "key": "k" } } });
        let object = pod_of(&json!({ "name": "app", "env": [variable(ID.0, ID.1), region] }));
        assert_eq!(
            world.create(&object).answer(),
            "RegionOutOfSight",
            "{source}"
        );
    }
}

#[test]
fn two_regions_are_a_conflict_only_where_the_answers_differ() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    for (one, other) in [
        ("AWS_REGION", "AWS_DEFAULT_REGION"),
        ("BEDROCK_REGION", "AWS_BEDROCK_REGION"),
    ] {
        let env = [ID, (one, "eu-west-1"), (other, "us-east-1")];
        assert_eq!(world.sourced(&env).0, "RegionConflict", "{one}");
        let env = [ID, (one, "us-east-1"), (other, "us-east-2")];
        assert_eq!(world.sourced(&env).0, behind("us", SONNET_4_5), "{one}");
    }
    // A stronger name settles it.
    let env = [
        ID,
        ("BEDROCK_REGION", "eu-west-1"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "ap-northeast-1"),
    ];
    assert_eq!(world.sourced(&env).0, behind("eu", SONNET_4_5));
    let args = |list: serde_json::Value| {
        let object = pod_of(&json!({ "name": "app", "args": list }));
        world.create(&object).only().answer.clone()
    };
    assert_eq!(
        args(json!([
            "--model",
            SONNET_4_5,
            "--region",
            "eu-west-1",
            "--aws-region=us-east-1"
        ])),
        "RegionConflict"
    );
}

#[test]
fn the_region_in_the_command_of_the_id_is_used() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    let evaluated = |container: serde_json::Value| {
        let outcome = world.create(&pod_of(&container));
        let result = outcome
            .found
            .iter()
            .map(|one| format!("{} {}", geography(&one.answer), one.source));
        result.collect::<Vec<_>>()
    };
    let model = format!("--model={SONNET_4_5}");
    assert_eq!(
        evaluated(
            json!({ "name": "app", "command": ["app", "--aws-region", "eu-west-1"], "args": [model] })
        ),
        ["eu Beside"]
    );
    let script = format!(
        "a --model {SONNET_4_5} --region eu-west-1; b --model {SONNET_4_5}\nc --region ap-northeast-1 \\\n --model {SONNET_4_5}"
    );
    assert_eq!(
        evaluated(json!({ "name": "app", "command": ["sh", "-c", script] })),
        ["eu Beside", "us PolicyDefault", "jp Beside"]
    );
    let script =
        format!("aws s3 --region us-west-2 cp x y && app --model {SONNET_4_5} --region eu-west-1");
    assert_eq!(
        evaluated(json!({ "name": "app", "command": ["sh", "-c", script] })),
        ["eu Beside"]
    );
    assert_eq!(
        evaluated(
            json!({ "name": "app", "args": ["--region", "$(R)", SONNET_4_5], "env": [variable("R", "eu-west-1")] })
        ),
        ["eu Beside"]
    );
    assert_eq!(
        evaluated(json!({ "name": "app", "args": ["--region", "$R", SONNET_4_5] })),
        ["RegionOutOfSight "]
    );
    assert_eq!(
        evaluated(json!({ "name": "app", "args": [SONNET_4_5, "--region"] })),
        ["us PolicyDefault"]
    );
}

#[test]
fn a_region_of_one_model_applies_to_no_other_model() {
    let world = Scenario::under("{}");
    let outcome = world.create(&pod(&[
        ("ANTHROPIC_MODEL", SONNET_4_5),
        ("ANTHROPIC_SMALL_FAST_MODEL", SONNET_4_5),
        ("ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION", "us-west-2"),
        ("AWS_REGION", "eu-west-1"),
    ]));
    assert_eq!(outcome.env("ANTHROPIC_MODEL"), behind("eu", SONNET_4_5));
    assert_eq!(
        outcome.env("ANTHROPIC_SMALL_FAST_MODEL"),
        behind("us", SONNET_4_5)
    );
}

#[test]
fn variables_of_another_container_are_ignored() {
    let world = Scenario::under("{}");
    let object = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "chat" },
        "spec": {
            "initContainers": [{ "name": "init", "env": [variable("M", SONNET_4_5), variable("AWS_REGION", "ap-northeast-1")] }],
            "containers": [
                { "name": "a", "env": [variable("M", SONNET_4_5), variable("AWS_REGION", "eu-west-1")] },
                { "name": "b", "env": [variable("M", SONNET_4_5)] },
            ],
        },
    });
    let answers: Vec<_> = world
        .create(&object)
        .found
        .iter()
        .map(|one| geography(&one.answer).to_owned())
        .collect();
    assert_eq!(answers, ["eu", "NoRegion", "jp"]); // `containers` stand before `initContainers` here
}

#[test]
fn the_cluster_region_applies_to_pods_that_cannot_work_otherwise() {
    let required = Scenario::under("{}").in_cluster_of("eu-west-2");
    let object = |id| pod(&[("ID", id)]);
    let answer =
        |world: &Scenario, object: &serde_json::Value| world.create(object).only().answer.clone();
    assert_eq!(answer(&required, &object(SONNET_4_6)), "WorksDirectly");
    let here = Scenario::under("{}").in_cluster_of("eu-west-1");
    assert_eq!(answer(&here, &object(SONNET_4_6)), behind("eu", SONNET_4_6));
    assert_eq!(
        answer(&here, &config_map(&[("model", SONNET_4_6)])),
        "NoRegion"
    );
    let all = Scenario::under("{ models: { scope: All } }").in_cluster_of("eu-west-1");
    assert_eq!(answer(&all, &object(SONNET_4_6)), "NoRegion");
    // A direct ID that works is never changed on an inferred region, by a replacement neither.
    let replacing = Scenario::under(
        "{ replacements: [{ from: anthropic.claude-sonnet-4-6, to: anthropic.claude-opus-5-5 }] }",
    );
    assert_eq!(
        answer(&replacing.in_cluster_of("eu-west-2"), &object(SONNET_4_6)),
        "WorksDirectly"
    );
}
