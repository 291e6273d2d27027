//! What is written into a Pod, and what a later round makes of it.

use serde_json::{Value, json};

use super::kubelet::{Cluster, Data, variables};
use super::*;

const ID: (&str, &str) = ("MODEL", SONNET_4_5);

fn world() -> Scenario {
    Scenario::under("{ region: { default: us-east-1 } }").knowing(&maps())
}

fn maps() -> [Value; 2] {
    [
        named_map("a", &[ID, ("SECOND", SONNET_4_6), ("OTHER", "x")]),
        named_map("b", &[("THIRD", SONNET_4_6)]),
    ]
}

fn paths(outcome: &Outcome) -> Vec<(&str, &str)> {
    let operations = outcome.patch.as_array().unwrap().iter();
    operations
        .map(|one| (one["op"].as_str().unwrap(), one["path"].as_str().unwrap()))
        .collect()
}

fn names(pod: &Value) -> Vec<&str> {
    let env = pod["spec"]["containers"][0]["env"].as_array().unwrap();
    env.iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect()
}

/// The variables that the kubelet hands to the first container.
fn running(pod: &Value) -> Data {
    let data = |map: &Value| serde_json::from_value(map["data"].clone()).unwrap();
    let maps = maps();
    let maps = maps.iter().map(|map| {
        let name = map["metadata"]["name"].as_str().unwrap();
        (name.to_owned(), data(map))
    });
    let cluster = Cluster {
        maps: maps.collect(),
        ..Cluster::default()
    };
    variables(&pod["spec"]["containers"][0], &cluster).unwrap()
}

#[test]
fn a_reference_entry_is_replaced_as_a_whole_in_its_position() {
    let env = json!([
        variable("A", "1"),
        key("M", "a", "MODEL"),
        variable("Z", "2")
    ]);
    let outcome = world().create(&taking(&env, &json!([])));
    let annotations = "/metadata/annotations";
    assert_eq!(
        paths(&outcome),
        [
            ("replace", "/spec/containers/0/env/1"),
            ("add", annotations)
        ]
    );
    let after = &outcome.after["spec"]["containers"][0]["env"];
    assert_eq!(after[1], variable("M", &behind("us", SONNET_4_5)));
    assert_eq!((&after[0], &after[2]), (&env[0], &env[2]));
}

#[test]
fn env_from_precedes_env_in_the_order_of_its_sources() {
    let env = json!([
        variable("A", "1"),
        variable("LITERAL", SONNET_4_6),
        key("M", "a", "MODEL")
    ]);
    let outcome = world().create(&taking(&env, &json!([all_of("a"), all_of("b")])));
    assert_eq!(
        names(&outcome.after),
        ["MODEL", "SECOND", "THIRD", "A", "LITERAL", "M"]
    );
    assert_eq!(
        paths(&outcome),
        [
            ("replace", "/spec/containers/0/env/1/value"),
            ("replace", "/spec/containers/0/env/2"),
            ("add", "/spec/containers/0/env/0"),
            ("add", "/spec/containers/0/env/1"),
            ("add", "/spec/containers/0/env/2"),
            ("add", "/metadata/annotations"),
        ]
    );
    assert_eq!(
        outcome.after["spec"]["containers"][0]["envFrom"],
        json!([all_of("a"), all_of("b")]),
        "the sources stay"
    );
}

#[test]
fn a_container_without_entries_gets_a_list() {
    for env in [Value::Null, json!([])] {
        let mut pod = taking(&env, &json!([all_of("a")]));
        let outcome = world().create(&pod);
        assert_eq!(names(&outcome.after), ["MODEL", "SECOND"]);
        let container = pod["spec"]["containers"][0].as_object_mut().unwrap();
        container.remove("env");
        let outcome = world().create(&pod);
        assert_eq!(
            paths(&outcome)[0],
            ("add", "/spec/containers/0/env"),
            "one list"
        );
        assert_eq!(names(&outcome.after), ["MODEL", "SECOND"]);
    }
}

#[test]
fn a_text_that_embeds_a_referenced_id_gets_the_profile() {
    let env = json!([
        variable("BEFORE", "bedrock/$(MODEL)"),
        key("M", "a", "MODEL"),
        variable("AFTER", "bedrock/$(M)"),
        variable("LITERALLY", "$$(MODEL)"),
    ]);
    let pod = taking(&env, &json!([all_of("a")]));
    let before = running(&pod);
    assert_eq!(before["BEFORE"], format!("bedrock/{SONNET_4_5}"));
    let now = running(&world().create(&pod).after);
    let profile = behind("us", SONNET_4_5);
    for (name, text) in [
        ("BEFORE", format!("bedrock/{profile}")),
        ("AFTER", format!("bedrock/{profile}")),
        ("M", profile.clone()),
        ("MODEL", profile),
        ("SECOND", behind("us", SONNET_4_6)),
        ("OTHER", "x".to_owned()),
        ("LITERALLY", "$(MODEL)".to_owned()),
    ] {
        assert_eq!(now[name], text, "{name}");
    }
    assert_eq!(now.len(), before.len());
}

#[test]
fn a_reinvocation_recognises_its_own_changes() {
    let pods = [
        taking(&json!([key("M", "a", "MODEL")]), &json!([])),
        taking(&json!([]), &json!([all_of("a")])),
        taking(
            &json!([optional_key("MODEL", "none", "x")]),
            &json!([all_of("a")]),
        ),
    ];
    for pod in pods {
        let once = world().create(&pod);
        assert!(once.changed());
        let entries = once.record()["entries"].clone();
        assert_eq!(entries[0]["from"], SONNET_4_5);
        assert_eq!(entries[0]["to"], behind("us", SONNET_4_5));
        assert!(!world().create(&once.after).changed());
    }
}

fn injected(mut pod: Value, region: &str) -> Value {
    let env = pod["spec"]["containers"][0]["env"].as_array_mut();
    env.unwrap().push(variable("AWS_REGION", region));
    pod
}

#[test]
fn a_stronger_region_revises_an_answer() {
    let pod = taking(&json!([key("M", "a", "MODEL")]), &json!([all_of("a")]));
    let once = world().create(&pod).after;
    let revised = world().create(&injected(once, "eu-west-1"));
    assert!(revised.again);
    for name in ["M", "MODEL"] {
        assert_eq!(revised.env(name), behind("eu", SONNET_4_5));
    }
    assert!(!world().create(&revised.after).changed());
}

#[test]
fn a_stronger_region_without_an_answer_restores_the_id_in_the_explicit_entry() {
    let pod = taking(&json!([key("M", "a", "MODEL")]), &json!([]));
    let once = world().create(&pod).after;
    let left = world().create(&injected(once, "sa-east-1"));
    assert_eq!(left.env("M"), SONNET_4_5);
    assert_eq!(left.record(), Value::Null);
}

#[test]
fn a_forged_record_of_a_reference_is_removed_without_effect() {
    let profile = behind("us", SONNET_4_5);
    let record = json!({ "entries": [{
        "at": "app/env/M", "from": SONNET_4_5, "to": profile, "region": "us-east-1", "by": "PolicyDefault",
    }] });
    let env = json!([variable("AWS_REGION", "eu-west-1"), key("M", "a", "MODEL")]);
    let pod = annotate(taking(&env, &json!([])), ANNOTATION, &record.to_string());
    let world = Scenario::under("{ region: { default: us-east-1 } }")
        .knowing(&[named_map("a", &[("MODEL", &profile)])]);
    let outcome = world.create(&pod);
    assert_eq!(outcome.only().answer, "ProfileNotServed");
    assert_eq!(outcome.after["spec"], pod["spec"]);
    assert_eq!(outcome.record(), Value::Null);
}

#[test]
fn an_arn_takes_the_place_of_a_whole_text() {
    const ARN: &str = "arn:aws:bedrock:us-east-1:1:application-inference-profile/a";
    let spec = format!(
        "{{ region: {{ default: us-east-1 }}, overrides: [{{ modelId: \"{SONNET_4_5}\", sourceRegions: [us-east-1], target: \"{ARN}\" }}] }}"
    );
    let world = Scenario::under(&spec).knowing(&[named_map(
        "a",
        &[ID, ("ROUTE", &format!("bedrock/{SONNET_4_5}"))],
    )]);
    let outcome = world.create(&taking(&json!([]), &json!([all_of("a")])));
    assert_eq!(outcome.answers(), [ARN, "OverrideNeedsWholeValue"]);
    assert_eq!(outcome.env("MODEL"), ARN);
    assert!(!world.create(&outcome.after).changed());
}

#[test]
fn of_ephemeral_containers_only_new_ones_get_entries() {
    let container = |name: &str| json!({ "name": name, "envFrom": [all_of("b")] });
    let mut old = pod_of(&json!({ "name": "app", "envFrom": [all_of("b")] }));
    old["spec"]["ephemeralContainers"] = json!([container("old")]);
    old["spec"]["volumes"] = json!([{ "name": "v", "configMap": { "name": "b" } }]);
    let mut new = old.clone();
    let list = new["spec"]["ephemeralContainers"].as_array_mut().unwrap();
    list.push(container("new"));
    let outcome = world().judge(&new, Event::Debug(&old));
    assert_eq!(
        paths(&outcome),
        [("add", "/spec/ephemeralContainers/1/env")]
    );
    assert_eq!(outcome.found.len(), 1);
}

#[test]
fn a_malformed_list_is_unchanged() {
    for env in [json!({}), json!({ "a": variable("A", "1") }), json!("text")] {
        let outcome = world().create(&taking(&env, &json!([all_of("a")])));
        assert!(!outcome.changed(), "{env}");
    }
}

/// A ConfigMap as it is stored after we have rewritten it for its own region.
fn rewritten(region: &str) -> Value {
    let map = named_map("a", &[ID, ("AWS_BEDROCK_REGION", region)]);
    let stored = Scenario::under("{}").create(&map).after;
    assert_ne!(stored["data"]["MODEL"], SONNET_4_5);
    stored
}

#[test]
fn pods_of_two_regions_each_get_their_own() {
    let world =
        Scenario::under("{ geography: { allowed: [us] } }").knowing(&[rewritten("eu-west-1")]);
    for (region, answer) in [
        ("us-east-1", Some(behind("us", SONNET_4_5))),
        ("ca-central-1", Some(behind("us", SONNET_4_5))),
        // What the ConfigMap holds is right there already.
        ("eu-west-3", None),
        // Nothing that is permitted serves there: the answer for another region would be wrong.
        ("eu-west-2", Some(SONNET_4_5.to_owned())),
    ] {
        let env = json!([variable("AWS_REGION", region), key("M", "a", "MODEL")]);
        let outcome = world.create(&taking(&env, &json!([])));
        let entry = &outcome.after["spec"]["containers"][0]["env"][1];
        match answer {
            Some(text) => assert_eq!(*entry, variable("M", &text), "{region}"),
            None => assert_eq!((outcome.verdict, entry), ("Untouched", &env[1]), "{region}"),
        }
        assert!(!world.create(&outcome.after).changed(), "{region}");
    }
}

#[test]
fn a_reference_to_a_rewritten_config_map_needs_a_region() {
    let world = Scenario::under("{}").knowing(&[rewritten("eu-west-1")]);
    let outcome = world.create(&taking(&json!([key("M", "a", "MODEL")]), &json!([])));
    assert_eq!(outcome.answer(), "NoRegion");
}
