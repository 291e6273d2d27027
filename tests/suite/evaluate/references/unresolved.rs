//! References that are reported and not followed: what may be shadowed, what has not been seen, and what is out of sight.

use serde_json::{Value, json};

use super::*;

const REGION: &str = "{ region: { default: eu-west-1 } }";

fn world() -> Scenario {
    Scenario::under(REGION).knowing(&[named_map("a", &[("MODEL", SONNET_4_5), ("X", "x")])])
}

/// Where each finding stands and what becomes of it.
fn reported(world: &Scenario, pod: &Value) -> Vec<String> {
    let outcome = world.create(pod);
    assert_eq!(
        outcome.changed(),
        outcome.found.iter().any(|one| one.answer.contains('.'))
    );
    let found = outcome.found.iter();
    found
        .map(|one| format!("{} {}", one.at, one.answer.replace(SONNET_4_5, "4.5")))
        .collect()
}

fn answers(env: &Value, from: &Value) -> Vec<String> {
    reported(&world(), &taking(env, from))
}

#[test]
fn a_value_that_an_unobserved_source_may_shadow_is_skipped() {
    let a = || json!([all_of("a")]);
    let none = || json!([]);
    for (env, from) in [
        (none(), json!([all_of("a"), secret("")])),
        (none(), json!([all_of("a"), secret("MOD")])),
        (none(), json!([all_of("a"), all_of("unseen")])),
        (json!([secret_key("MODEL", true)]), a()),
        (
            json!([
                optional_key("MODEL", "a", "NONE"),
                secret_key("MODEL", true)
            ]),
            a(),
        ),
        (
            json!([key("MODEL", "a", "MODEL"), secret_key("MODEL", true)]),
            none(),
        ),
        // A source whose sort is not known.
        (none(), json!([all_of("a"), { "newRef": { "name": "n" } }])),
    ] {
        let answers = answers(&env, &from);
        assert!(
            answers.contains(&"app/env/MODEL MayBeShadowed".to_owned()),
            "{env} {from}: {answers:?}"
        );
    }
    // Where not all ConfigMaps are known, an optional one may be there.
    let pod = taking(&none(), &json!([all_of("a"), all_of_optional("b")]));
    let maps = [named_map("a", &[("MODEL", SONNET_4_5)])];
    assert_eq!(
        reported(&Scenario::under(REGION).observing(&maps), &pod),
        ["app/env/MODEL MayBeShadowed"]
    );
    assert_eq!(
        reported(&Scenario::under(REGION).knowing(&maps), &pod),
        ["app/env/MODEL eu.4.5"]
    );
}

#[test]
fn an_unobserved_source_is_reported_where_its_name_suggests_a_model() {
    for (entry, expected) in [
        (
            key("BEDROCK_MODEL_ID", "none", "k"),
            &["app/env/BEDROCK_MODEL_ID ReferenceUnseen"][..],
        ),
        (
            key("LLM", "none", "sonnet-model"),
            &["app/env/LLM ReferenceUnseen"],
        ),
        // The container does not start before the key is there.
        (
            key("MODEL", "a", "later"),
            &["app/env/MODEL ReferenceUnseen"],
        ),
        (key("DATABASE", "none", "host"), &[]),
        (key("BEDROCK_MODEL_REGION", "none", "k"), &[]),
        (optional_key("MODEL", "none", "k"), &[]),
        (optional_key("MODEL", "a", "k"), &[]),
        (secret_key("MODEL", false), &["app/env/MODEL OutOfSight"]),
        (secret_key("MODEL", true), &["app/env/MODEL OutOfSight"]),
        (secret_key("PASSWORD", false), &[]),
    ] {
        assert_eq!(answers(&json!([entry]), &json!([])), expected, "{entry}");
    }
    // One that a later entry defines is of no consequence.
    let env = json!([key("MODEL", "none", "k"), variable("MODEL", "x")]);
    assert_eq!(answers(&env, &json!([])), [""; 0]);
}

#[test]
fn the_downward_api_is_out_of_sight() {
    let field =
        |path: &str| json!({ "name": "M", "valueFrom": { "fieldRef": { "fieldPath": path } } });
    for (path, expected) in [
        (
            "metadata.annotations['acme.dev/model']",
            &["app/env/M OutOfSight"][..],
        ),
        ("metadata.labels['model']", &["app/env/M OutOfSight"]),
        ("metadata.annotations['prose']", &[]),
        ("metadata.annotations['profile']", &[]),
        ("metadata.annotations['none']", &[]),
        ("metadata.annotations", &[]),
        ("metadata.name", &[]),
    ] {
        let mut pod = taking(&json!([field(path)]), &json!([]));
        pod["metadata"]["labels"] = json!({ "model": "anthropic.claude-sonnet-4-6" });
        pod["metadata"]["annotations"] = json!({
            "acme.dev/model": SONNET_4_5, "prose": format!("we use {SONNET_4_5}"), "profile": behind("us", SONNET_4_5),
        });
        assert_eq!(reported(&world(), &pod), expected, "{path}");
    }
}

#[test]
fn files_are_out_of_sight() {
    let annotation = "metadata.annotations['m']";
    let field = json!({ "items": [{ "path": "p", "fieldRef": { "fieldPath": annotation } }] });
    for (volume, expected) in [
        (json!({ "configMap": { "name": "a" } }), 1),
        (
            json!({ "configMap": { "name": "a", "items": [{ "key": "MODEL", "path": "p" }] } }),
            1,
        ),
        (
            json!({ "configMap": { "name": "a", "items": [{ "key": "X", "path": "p" }] } }),
            0,
        ),
        (json!({ "configMap": { "name": "none" } }), 0),
        (json!({ "secret": { "secretName": "a" } }), 0),
        (
            json!({ "projected": { "sources": [{ "secret": { "name": "a" } }, { "configMap": { "name": "a" } }] } }),
            1,
        ),
        (json!({ "downwardAPI": field }), 1),
        (
            json!({ "projected": { "sources": [{ "downwardAPI": field }] } }),
            1,
        ),
        (json!({ "emptyDir": {} }), 0),
    ] {
        let mut pod = annotate(pod(&[]), "m", SONNET_4_5);
        pod["spec"]["volumes"] = json!([volume]);
        pod["spec"]["volumes"][0]["name"] = "v".into();
        assert_eq!(
            reported(&world(), &pod),
            vec!["volumes/v OutOfSight"; expected],
            "{volume}"
        );
    }
    // The region is that of who reads it.
    let mut pod = pod_of(
        &json!({ "name": "app", "volumeMounts": [{ "name": "v" }], "env": [variable("AWS_REGION", "eu-west-1")] }),
    );
    for (name, expected) in [("v", "OutOfSight"), ("w", "NoRegion")] {
        pod["spec"]["volumes"] = json!([{ "name": name, "configMap": { "name": "a" } }]);
        let world = Scenario::under("{}").knowing(&[named_map("a", &[("MODEL", SONNET_4_5)])]);
        assert_eq!(
            reported(&world, &pod),
            [format!("volumes/{name} {expected}")]
        );
    }
    // What we have rewritten in the ConfigMap, its files have too.
    let stored = Scenario::under("{}")
        .create(&named_map(
            "a",
            &[("MODEL", SONNET_4_5), ("AWS_REGION", "eu-west-1")],
        ))
        .after;
    let mut pod = taking(&json!([]), &json!([]));
    pod["spec"]["volumes"] = json!([{ "name": "v", "configMap": { "name": "a" } }]);
    assert_eq!(
        reported(&Scenario::under(REGION).knowing(&[stored]), &pod),
        [""; 0]
    );
}

#[test]
fn the_first_group_of_reasons_decides() {
    let shadowed = taking(&json!([]), &json!([all_of("a"), secret("")]));
    let map = |id: &str| [named_map("a", &[("MODEL", id)])];
    for (spec, id, expected) in [
        (
            "{ models: { exclude: ['*'] }, region: { default: eu-west-1 } }",
            SONNET_4_5,
            "Excluded",
        ),
        (REGION, "anthropic.claude-sonnet-4-7-v1:0", "UnknownModel"),
        ("{}", SONNET_4_5, "NoRegion"),
        (REGION, SONNET_4_5, "MayBeShadowed"),
        (
            "{ region: { default: eu-west-2 } }",
            SONNET_4_6,
            "MayBeShadowed",
        ),
        (
            "{ region: { default: sa-east-1 } }",
            SONNET_4_5,
            "MayBeShadowed",
        ),
        (REGION, "us.anthropic.claude-sonnet-4-6", "ProfileNotServed"),
    ] {
        let world = Scenario::under(spec).knowing(&map(id));
        assert_eq!(
            reported(&world, &shadowed),
            [format!("app/env/MODEL {expected}")],
            "{spec} {id}"
        );
    }
    let out = annotate(shadowed, "bedrock-profiles.dev/ignore", "x");
    assert_eq!(reported(&world(), &out), ["app/env/MODEL OptedOut"]);
    let unseen = taking(&json!([key("MODEL", "none", "k")]), &json!([]));
    let out = annotate(unseen, "bedrock-profiles.dev/ignore-env", "MODEL");
    assert_eq!(reported(&world(), &out), ["app/env/MODEL OptedOut"]);
}

#[test]
fn an_opted_out_config_map_opts_out_its_references() {
    let pod = taking(&json!([]), &json!([all_behind("APP_", "a")]));
    let map = named_map("a", &[("MODEL", SONNET_4_5)]);
    let answer = |spec: &str, map: &Value| {
        Scenario::under(spec)
            .knowing(std::slice::from_ref(map))
            .create(&pod)
            .answer()
    };
    let out = annotate(map.clone(), "bedrock-profiles.dev/ignore-keys", "MOD*");
    assert_eq!(answer(REGION, &out), "OptedOut");
    let all = annotate(map, "bedrock-profiles.dev/ignore", "a gateway knows it");
    assert_eq!(answer(REGION, &all), "OptedOut");
    let strict = "{ region: { default: eu-west-1 }, optOut: Namespace }";
    assert_eq!(answer(strict, &all), behind("eu", SONNET_4_5));
    // By the name that the container knows it by, as any variable.
    let named = annotate(pod.clone(), "bedrock-profiles.dev/ignore-env", "APP_*");
    assert_eq!(world().create(&named).answer(), "OptedOut");
}

#[test]
fn a_change_beyond_the_object_size_limit_is_skipped_and_reported() {
    let data: Vec<(String, &str)> = (0..1500)
        .map(|at| (format!("K{at:04}"), SONNET_4_5))
        .collect();
    let data: Vec<(&str, &str)> = data.iter().map(|(key, id)| (&**key, *id)).collect();
    let world = Scenario::under(REGION).knowing(&[named_map("many", &data)]);
    // Each prefix makes other names of the same keys.
    let from: Vec<_> = (0..3)
        .map(|at| all_behind(&format!("P{at}_"), "many"))
        .collect();
    let outcome = world.create(&taking(&json!([]), &json!(from)));
    assert_eq!(outcome.found.len(), 1001);
    assert_eq!(outcome.found[1000].answer, "TooLarge");
    assert_eq!(
        outcome.after["spec"]["containers"][0]["env"]
            .as_array()
            .unwrap()
            .len(),
        1000
    );
    assert!(outcome.after.to_string().len() < 256 * 1024);
}
