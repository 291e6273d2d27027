//! Which region is called: the sources in their order, and the three full stops.

use std::collections::BTreeMap;

use super::*;

/// The profile's prefix says which region decided: us, eu, jp, au.
fn by(view: &View, namespace: &Namespace, object: &Value) -> String {
    judged_in(view, namespace, object, Action::CreatePod, |judgement| {
        let (_, findings) = judgement.decided.as_ref().unwrap();
        let one = &findings[0];
        let source = one.region.map_or("-", |(_, source)| source.as_str());
        match one.resolution.target() {
            Some(target) => format!("{} {source}", target.geography().unwrap()),
            None => format!("{} {source}", one.resolution.reason().unwrap()),
        }
    })
}

fn env(entries: &[(&str, &str)]) -> Value {
    let entries: Vec<_> = [("MODEL", SONNET)]
        .iter()
        .chain(entries)
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    pod(&json!(entries))
}

fn namespace(region: Option<&str>) -> Namespace {
    let annotations = region.map(|region| ("bedrock-profiles.dev/region".into(), region.into()));
    Namespace {
        annotations: annotations.into_iter().collect::<BTreeMap<_, _>>(),
        ..Namespace::named("ml")
    }
}

#[test]
fn the_strongest_source_decides() {
    let view = view(&policy(
        json!({"region": {"default": "us-east-1", "extraEnvNames": ["ACME_LLM_REGION"]}}),
    ));
    let with = |mut pod: Value, path: &str, value: Value| {
        *pod.pointer_mut(path).unwrap() = value;
        pod
    };
    let args = |words: &[&str]| {
        with(
            env(&[("AWS_REGION", "us-west-2")]),
            "/spec/containers/0",
            json!({"name": "app", "args": words, "env": [{"name": "AWS_REGION", "value": "us-west-2"}]}),
        )
    };
    let annotated = with(
        env(&[("AWS_REGION", "us-west-2")]),
        "/metadata",
        json!({"annotations": {"bedrock-profiles.dev/region": "eu-west-1"}}),
    );
    let rows = [
        (
            args(&[
                "--region",
                "ap-northeast-1",
                "--model",
                &format!("bedrock/eu-west-1/{SONNET}"),
            ]),
            "eu InValue",
        ),
        (
            args(&["--aws-region=ap-northeast-1", "--model", SONNET]),
            "jp Beside",
        ),
        (args(&["--model", SONNET]), "us ContainerEnv"),
        (annotated, "eu ObjectAnnotation"),
        (
            env(&[
                ("AWS_REGION", "us-west-2"),
                ("BEDROCK_REGION", "eu-west-1"),
                ("ACME_LLM_REGION", "ap-northeast-1"),
            ]),
            "jp ContainerEnv",
        ),
        (
            env(&[("AWS_REGION", "us-west-2"), ("BEDROCK_REGION", "eu-west-1")]),
            "eu ContainerEnv",
        ),
        (
            env(&[
                ("AWS_REGION", "us-west-2"),
                ("AWS_REGION_NAME", "eu-west-1"),
            ]),
            "eu ContainerEnv",
        ),
        (env(&[("AWS_REGION", "eu-west-1")]), "eu ContainerEnv"),
        (
            env(&[("AWS_DEFAULT_REGION", "eu-west-1")]),
            "eu ContainerEnv",
        ),
        (env(&[("AWS_REGION", "")]), "au NamespaceAnnotation"),
        (
            env(&[("SOME_REGION", "eu-west-1")]),
            "au NamespaceAnnotation",
        ),
    ];
    for (object, expected) in rows {
        assert_eq!(
            by(&view, &namespace(Some("ap-southeast-2")), &object),
            expected,
            "{object}"
        );
    }
    assert_eq!(by(&view, &namespace(None), &env(&[])), "us PolicyDefault");
}

#[test]
fn the_cluster_is_a_guess_for_pods_that_cannot_work_otherwise() {
    let inferred = |fields: Value| View {
        cluster_region: Region::parse("eu-west-1").ok(),
        ..view(&policy(fields))
    };
    assert_eq!(
        by(&inferred(json!({})), &namespace(None), &env(&[])),
        "eu Cluster"
    );
    assert_eq!(
        by(
            &inferred(json!({"models": {"scope": "All"}})),
            &namespace(None),
            &env(&[])
        ),
        "NoRegion -"
    );
    assert_eq!(
        answer(
            &inferred(json!({})),
            &config_map(&json!({"m": SONNET})),
            Action::Apply(None)
        ),
        "NoRegion"
    );
}

#[test]
fn three_things_end_the_search() {
    let view = view(&policy(json!({"region": {"default": "us-east-1"}})));
    let from = |source: Value| {
        pod(
            &json!([{"name": "MODEL", "value": SONNET}, {"name": "AWS_REGION", "valueFrom": source}]),
        )
    };
    let rows = [
        (
            from(json!({"secretKeyRef": {"name": "s", "key": "k"}})),
            "RegionOutOfSight -",
        ),
        (
            from(json!({"configMapKeyRef": {"name": "s", "key": "k"}})),
            "RegionOutOfSight -",
        ),
        (env(&[("AWS_REGION", "${REGION}")]), "RegionOutOfSight -"),
        (env(&[("AWS_REGION", "$(REGION)")]), "RegionOutOfSight -"),
        (
            env(&[("AWS_REGION", "{{ .region }}")]),
            "RegionOutOfSight -",
        ),
        (env(&[("AWS_REGION", "os.environ/X")]), "RegionOutOfSight -"),
        (env(&[("AWS_PROFILE", "prod")]), "RegionOutOfSight -"),
        (
            env(&[("REGION", "eu-west-1"), ("AWS_REGION", "$(REGION)")]),
            "eu ContainerEnv",
        ),
        (
            env(&[("AWS_REGION", "$(REGION)"), ("REGION", "eu-west-1")]),
            "RegionOutOfSight -",
        ),
        (
            env(&[
                ("AWS_REGION", "eu-west-1"),
                ("AWS_DEFAULT_REGION", "us-west-2"),
            ]),
            "RegionConflict -",
        ),
        (
            env(&[
                ("AWS_REGION", "eu-west-1"),
                ("AWS_DEFAULT_REGION", "eu-west-3"),
            ]),
            "eu ContainerEnv",
        ),
        (
            env(&[
                ("AWS_REGION", "us-east-1"),
                ("AWS_DEFAULT_REGION", "us-west-2"),
            ]),
            "us ContainerEnv",
        ),
        (
            env(&[
                ("BEDROCK_REGION", "eu-west-1"),
                ("AWS_BEDROCK_REGION", "us-west-2"),
            ]),
            "RegionConflict -",
        ),
        (
            env(&[("AWS_REGION", "us-west-2"), ("AWS_REGION", "eu-west-1")]),
            "eu ContainerEnv",
        ),
        (env(&[("AWS_REGION", "asia-northeast-1")]), "NotARegion -"),
        (
            env(&[("AWS_REGION", "eu-west-9")]),
            "RegionUnknown ContainerEnv",
        ),
    ];
    for (object, expected) in rows {
        assert_eq!(by(&view, &namespace(None), &object), expected, "{object}");
    }
}

#[test]
fn a_chain_of_variables_that_multiplies_ends_at_once() {
    let mut entries = vec![
        json!({"name": "MODEL", "value": SONNET}),
        json!({"name": "V0", "value": ""}),
    ];
    entries.extend((1..40).map(
        |at| json!({"name": format!("V{at}"), "value": format!("$(V{0})$(V{0})$(V{0})", at - 1)}),
    ));
    entries.push(json!({"name": "AWS_REGION", "value": "$(V39)"}));
    assert_eq!(
        by(
            &view(&policy(json!({}))),
            &namespace(None),
            &pod(&json!(entries))
        ),
        "RegionOutOfSight -"
    );
}

#[test]
fn a_script_has_the_region_of_the_command_that_holds_the_id() {
    let view = view(&policy(json!({})));
    let script = |text: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "app", "command": ["sh", "-c", text]}]}});
    for (text, expected) in [
        (
            format!("aws s3 --region us-east-1 cp x y && app --region eu-west-1 --model {SONNET}"),
            "eu Beside",
        ),
        (
            format!("aws s3 --region us-east-1 cp x y; app --model {SONNET}"),
            "NoRegion -",
        ),
        (
            format!("app \\\n  --model {SONNET} \\\n  --region eu-west-1\n"),
            "eu Beside",
        ),
    ] {
        assert_eq!(
            by(&view, &namespace(None), &script(&text)),
            expected,
            "{text}"
        );
    }
}
