//! Which region is called where variables come from elsewhere: a ConfigMap that was seen is read, an entry that is not seen is
//! a dot, and a source of `envFrom` that is not seen is none, but for the guess at the cluster's own region.

use serde_json::{Value, json};

use super::*;

/// An ID in the Pod itself, beside these variables and sources: the geography of its answer or the reason, and the source.
fn by(world: &Scenario, env: &[Value], from: &Value) -> String {
    let mut all = vec![variable("ID", SONNET_4_5)];
    all.extend_from_slice(env);
    let outcome = world.create(&taking(&json!(all), from));
    let one = outcome
        .found
        .iter()
        .find(|one| one.at.ends_with("/ID"))
        .unwrap();
    format!(
        "{} {}",
        one.answer.replace(&format!(".{SONNET_4_5}"), ""),
        one.source
    )
}

fn maps() -> [Value; 5] {
    [
        named_map(
            "eu",
            &[
                ("AWS_REGION", "eu-west-1"),
                ("region", "eu-west-1\n"),
                ("MODEL", SONNET_4_6),
            ],
        ),
        named_map(
            "jp",
            &[
                ("AWS_REGION", "ap-northeast-1"),
                ("REGION", "ap-northeast-1"),
            ],
        ),
        named_map("eu-only", &[("AWS_REGION", "eu-west-1")]),
        named_map("jp-only", &[("AWS_REGION", "ap-northeast-1")]),
        named_map(
            "odd",
            &[
                ("blank", " "),
                ("nowhere", "asia-northeast-1"),
                ("template", "{{ .region }}"),
                ("AWS_REGION", "$(REGION)"),
                ("AWS_PROFILE", "prod"),
                ("id", SONNET_4_5),
            ],
        ),
    ]
}

fn world() -> Scenario {
    Scenario::under("{ region: { default: us-east-1 } }").knowing(&maps())
}

#[test]
fn a_region_from_an_observed_config_map_is_used() {
    let region = |map: &str, name: &str| key("AWS_REGION", map, name);
    for (env, from, expected) in [
        (vec![region("eu", "region")], json!([]), "eu ContainerEnv"),
        (vec![], json!([all_of("eu")]), "eu ContainerEnv"),
        (
            vec![],
            json!([all_of("eu-only"), all_of("jp-only")]),
            "jp ContainerEnv",
        ),
        (
            vec![],
            json!([all_of("jp-only"), all_of("eu-only")]),
            "eu ContainerEnv",
        ),
        (
            vec![],
            json!([all_behind("BEDROCK_", "jp-only"), all_of("eu-only")]),
            "jp ContainerEnv",
        ),
        (vec![], json!([all_behind("APP_", "eu")]), "RegionConflict "),
        (
            vec![variable("AWS_REGION", "us-west-2")],
            json!([all_of("eu-only")]),
            "us ContainerEnv",
        ),
        (
            vec![variable("AWS_REGION", "us-west-2"), region("eu", "region")],
            json!([]),
            "eu ContainerEnv",
        ),
        (
            vec![region("jp", "AWS_REGION")],
            json!([all_of("eu-only")]),
            "jp ContainerEnv",
        ),
        (
            vec![optional_key("AWS_REGION", "eu", "none")],
            json!([]),
            "us PolicyDefault",
        ),
        (
            vec![optional_key("AWS_REGION", "none", "x")],
            json!([all_of("eu")]),
            "eu ContainerEnv",
        ),
        (
            vec![
                variable("AWS_REGION", "us-west-2"),
                optional_key("AWS_REGION", "none", "x"),
            ],
            json!([]),
            "us ContainerEnv",
        ),
        (vec![region("odd", "blank")], json!([]), "us PolicyDefault"),
        (vec![region("odd", "nowhere")], json!([]), "NotARegion "),
        (vec![region("odd", "id")], json!([]), "NotARegion "),
        (
            vec![region("odd", "template")],
            json!([]),
            "RegionOutOfSight ",
        ),
        // In a ConfigMap nothing is expanded.
        (
            vec![variable("REGION", "eu-west-1")],
            json!([all_of("odd")]),
            "RegionOutOfSight ",
        ),
        (
            vec![key("AWS_PROFILE", "odd", "AWS_PROFILE")],
            json!([]),
            "RegionOutOfSight ",
        ),
        (
            vec![region("none", "region")],
            json!([]),
            "RegionOutOfSight ",
        ),
        (vec![region("eu", "none")], json!([]), "RegionOutOfSight "),
        (
            vec![secret_key("AWS_REGION", false)],
            json!([all_of("eu")]),
            "RegionOutOfSight ",
        ),
        (
            vec![secret_key("AWS_REGION", true)],
            json!([all_of("eu")]),
            "RegionOutOfSight ",
        ),
        (
            vec![
                region("eu", "region"),
                key("AWS_DEFAULT_REGION", "jp", "REGION"),
            ],
            json!([]),
            "RegionConflict ",
        ),
    ] {
        assert_eq!(by(&world(), &env, &from), expected, "{env:?} {from}");
    }
}

#[test]
fn a_config_map_name_is_expanded_from_a_config_map_value() {
    for (env, from, expected) in [
        (
            vec![key("R", "eu", "region"), variable("AWS_REGION", "$(R)")],
            json!([]),
            "eu ContainerEnv",
        ),
        (
            vec![key("R", "eu", "AWS_REGION"), variable("AWS_REGION", "$(R)")],
            json!([]),
            "eu ContainerEnv",
        ),
        (
            vec![variable("AWS_REGION", "$(REGION)")],
            json!([all_of("jp")]),
            "jp ContainerEnv",
        ),
        (
            vec![
                variable("AWS_REGION", "$(REGION)"),
                key("REGION", "eu", "AWS_REGION"),
            ],
            json!([all_of("jp")]),
            // The other definition of REGION would change the answer.
            "RegionConflict ",
        ),
        (
            vec![
                variable("AWS_REGION", "$(REGION)"),
                variable("REGION", "eu-west-1"),
            ],
            json!([all_of("jp")]),
            "RegionConflict ",
        ),
        (
            vec![
                optional_key("R", "none", "x"),
                variable("AWS_REGION", "$(R)"),
            ],
            json!([]),
            "RegionOutOfSight ",
        ),
        (
            vec![secret_key("R", false), variable("AWS_REGION", "$(R)")],
            json!([]),
            "RegionOutOfSight ",
        ),
        (
            vec![
                key("R", "odd", "blank"),
                variable("AWS_REGION", "$(R)eu-west-1"),
            ],
            json!([]),
            "eu ContainerEnv",
        ),
    ] {
        assert_eq!(by(&world(), &env, &from), expected, "{env:?} {from}");
    }
}

#[test]
fn a_flag_is_expanded_from_a_config_map_value() {
    let pod = pod_of(&json!({
        "name": "app", "args": ["--region", "$(REGION)", "--model", SONNET_4_5], "envFrom": [all_of("jp")],
    }));
    let outcome = world().create(&pod);
    assert_eq!(
        (outcome.answer(), outcome.only().source),
        (behind("jp", SONNET_4_5), "Beside")
    );
}

#[test]
fn a_secret_among_the_sources_hides_only_the_guess() {
    let hidden = [
        json!([secret("")]),
        json!([all_of("unseen")]),
        json!([secret("AWS_")]),
        json!([secret("BEDROCK_")]),
    ];
    let observed = [
        json!([]),
        json!([secret("DB_")]),
        json!([all_of("eu")]),
        json!([all_of_optional("none")]),
    ];
    let guess = Scenario::under("{}")
        .in_cluster_of("us-east-1")
        .knowing(&maps());
    let stated = Scenario::under("{}")
        .in_cluster_of("us-east-1")
        .annotated("bedrock-profiles.dev/region", "ap-southeast-2")
        .knowing(&maps());
    for from in &hidden {
        assert_eq!(by(&guess, &[], from), "NoRegion ", "{from}");
        assert_eq!(by(&stated, &[], from), "au NamespaceAnnotation", "{from}");
        assert_eq!(by(&world(), &[], from), "us PolicyDefault", "{from}");
        assert_eq!(
            by(&guess, &[variable("AWS_REGION", "eu-west-1")], from),
            "eu ContainerEnv",
            "{from}"
        );
    }
    for from in &observed {
        let expected = if *from == json!([all_of("eu")]) {
            "eu ContainerEnv"
        } else {
            "us Cluster"
        };
        assert_eq!(by(&guess, &[], from), expected, "{from}");
    }
}

#[test]
fn a_region_may_come_with_the_id() {
    let outcome = Scenario::under("{}")
        .knowing(&maps())
        .create(&taking(&json!([]), &json!([all_of("eu")])));
    let only = outcome.only();
    assert_eq!(
        (&*only.at, &*only.answer, only.source),
        ("app/env/MODEL", &*behind("eu", SONNET_4_6), "ContainerEnv")
    );
    // A second round finds the region where the first one did.
    assert!(
        !Scenario::under("{}")
            .knowing(&maps())
            .create(&outcome.after)
            .changed()
    );
}

#[test]
fn references_off_reads_no_region_from_config_maps() {
    let off =
        Scenario::under("{ references: 'Off', region: { default: us-east-1 } }").knowing(&maps());
    assert_eq!(by(&off, &[], &json!([all_of("eu")])), "us PolicyDefault");
    assert_eq!(
        by(&off, &[key("AWS_REGION", "eu", "region")], &json!([])),
        "RegionOutOfSight "
    );
    let report =
        Scenario::under("{ references: Report, region: { default: us-east-1 } }").knowing(&maps());
    assert_eq!(by(&report, &[], &json!([all_of("eu")])), "eu ContainerEnv");
}
