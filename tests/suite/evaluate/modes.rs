//! What a mode makes of an object, and what its author reads.

use serde_json::{Value, json};

use super::scenario::*;

const ASKED: &[(&str, &str)] = &[("ID", SONNET_4_5), ("AWS_REGION", "eu-west-1")];
const UNSERVED: &[(&str, &str)] = &[("ID", SONNET_4_5), ("AWS_REGION", "sa-east-1")];

fn named(name: &str, fields: &str) -> Scenario {
    Scenario::of(&[(name, fields)], &[])
}

#[test]
fn a_rewrite_is_logged_in_one_line() {
    let outcome = Scenario::under("{}").create(&pod(ASKED));
    assert_eq!(outcome.verdict, "Rewrite");
    assert_eq!(outcome.env("ID"), behind("eu", SONNET_4_5));
    assert_eq!(
        outcome.warnings,
        [
            &*format!("bedrock-profiles: replaced {SONNET_4_5} with eu.{SONNET_4_5}"),
            LEGACY_4_5
        ]
    );
    assert_eq!(
        outcome.audit["rewrites"],
        format!("app/env/ID: {SONNET_4_5} -> eu.{SONNET_4_5} (eu-west-1, ContainerEnv)")
    );
    assert_eq!(outcome.audit["policy"], "test");
    let twice = Scenario::under("{}").create(&pod(&[
        ("A", SONNET_4_5),
        ("B", SONNET_4_5),
        ("AWS_REGION", "eu-west-1"),
    ]));
    assert_eq!(twice.warnings.len(), 2);
    let counted = |warning: &String| warning.ends_with(" (+1)");
    assert!(twice.warnings.iter().all(counted), "{:?}", twice.warnings);
}

#[test]
fn a_dry_run_policy_changes_nothing_and_previews_the_change() {
    let world = named("stage", "{}");
    let outcome = world.create(&pod(ASKED));
    assert_eq!((outcome.verdict, outcome.policy.as_deref()), ("Tell", None));
    assert!(!outcome.changed());
    assert_eq!(
        outcome.warnings,
        [
            &*format!(
                "bedrock-profiles: policy stage (DryRun) would replace {SONNET_4_5} with eu.{SONNET_4_5}"
            ),
            LEGACY_4_5
        ]
    );
    assert!(outcome.audit.contains_key("would-rewrite"));
    let unresolved = named("stage", "{ unresolved: Deny }").create(&pod(UNSERVED));
    assert_eq!(unresolved.verdict, "Tell", "a dry run never denies");
}

#[test]
fn a_preview_reports_only_differences_from_the_effective_policy() {
    let world = Scenario::of(
        &[
            ("now", "{ mode: Rewrite }"),
            (
                "next",
                "{ models: { scope: All }, geography: { allowed: [eu] } }",
            ),
        ],
        &[],
    );
    let alike = world.create(&pod(ASKED));
    assert_eq!(alike.verdict, "Rewrite");
    let replaced = format!("bedrock-profiles: replaced {SONNET_4_5} with eu.{SONNET_4_5}");
    assert_eq!(alike.warnings, [&*replaced, LEGACY_4_5]);
    let object = pod(&[("ID", SONNET_4_6), ("AWS_REGION", "eu-west-2")]);
    let otherwise = world.create(&object);
    assert_eq!(otherwise.verdict, "Tell");
    assert_eq!(otherwise.answers(), ["WorksDirectly"]);
    assert_eq!(otherwise.previews.len(), 1);
    assert_eq!(otherwise.previews[0].0, "next");
    assert_eq!(otherwise.previews[0].1[0].answer, behind("eu", SONNET_4_6));
    assert_eq!(
        otherwise.warnings,
        [format!(
            "bedrock-profiles: policy next (DryRun) would replace {SONNET_4_6} with eu.{SONNET_4_6}"
        )]
    );
}

#[test]
fn of_equal_priorities_the_first_name_decides() {
    let world = Scenario::of(&[("b", "{ mode: Deny }"), ("a", "{ mode: Rewrite }")], &[]);
    assert_eq!(world.create(&pod(ASKED)).policy.as_deref(), Some("a"));
    let world = Scenario::of(
        &[
            ("b", "{ mode: Deny, priority: 1 }"),
            ("a", "{ mode: Rewrite }"),
        ],
        &[],
    );
    assert_eq!(world.create(&pod(ASKED)).policy.as_deref(), Some("b"));
}

#[test]
fn a_denial_names_the_replacement_the_place_and_the_policy() {
    let deny = named("strict", "{ mode: Deny }");
    for object in [pod(ASKED), deployment(ASKED)] {
        let outcome = deny.create(&object);
        assert_eq!(outcome.verdict, "Refuse");
        assert_eq!(
            outcome.message,
            format!(
                "use eu.{SONNET_4_5} instead of {SONNET_4_5} at app/env/ID for eu-west-1 (ContainerEnv) (policy strict)"
            )
        );
        assert_eq!(outcome.warnings, Vec::<String>::new());
        assert!(outcome.audit.contains_key("would-rewrite"));
    }
    let map = config_map(&[("m", SONNET_4_5), ("AWS_REGION", "eu-west-1")]);
    assert_eq!(deny.create(&map).verdict, "Refuse");
    let many: Vec<(String, &str)> = (0..9).map(|at| (format!("M{at}"), SONNET_4_5)).collect();
    let mut env: Vec<(&str, &str)> = many.iter().map(|(name, id)| (&**name, *id)).collect();
    env.push(("AWS_REGION", "eu-west-1"));
    let message = deny.create(&pod(&env)).message;
    assert!(message.contains("; and 4 more"), "{message}");
}

#[test]
fn objects_of_controllers_are_admitted_without_warnings_and_audited() {
    for spec in ["{ mode: Deny }", "{ mode: Rewrite, unresolved: Deny }"] {
        let world = named("strict", spec);
        for object in [
            pod(ASKED),
            pod(UNSERVED),
            deployment(ASKED),
            deployment(UNSERVED),
        ] {
            assert_ne!(
                world.create(&controlled(object)).verdict,
                "Refuse",
                "{spec}"
            );
        }
        for object in [deployment(ASKED), deployment(UNSERVED)] {
            assert_ne!(world.create(&deleted(object)).verdict, "Refuse", "{spec}");
        }
    }
    let outcome = named("strict", "{ mode: Deny }").create(&controlled(pod(ASKED)));
    assert_eq!(outcome.verdict, "Tell");
    assert_eq!(outcome.warnings, Vec::<String>::new());
    assert!(outcome.audit["would-rewrite"].contains(SONNET_4_5));
}

#[test]
fn an_update_is_denied_only_for_new_ids() {
    for (spec, env) in [
        ("{ mode: Deny }", ASKED),
        ("{ mode: Rewrite, unresolved: Deny }", UNSERVED),
    ] {
        let world = named("strict", spec);
        let old = deployment(env);
        let mut scaled = old.clone();
        scaled["spec"]["replicas"] = 3.into();
        scaled["metadata"]["labels"] = json!({ "a": "b" });
        assert_eq!(world.judge(&scaled, Event::Update(&old)).verdict, "Tell");
        let mut more = old.clone();
        let list = more["spec"]["template"]["spec"]["containers"][0]["env"].as_array_mut();
        list.unwrap().push(variable("SECOND", SONNET_4_5));
        let outcome = world.judge(&more, Event::Update(&old));
        assert_eq!(outcome.verdict, "Refuse", "{spec}");
        assert!(outcome.message.contains("SECOND"), "{}", outcome.message);
        assert!(
            !outcome.message.contains("app/env/ID"),
            "{}",
            outcome.message
        );
        // The same ID under the same name in a container that moved is nothing new.
        let mut sidecar = old.clone();
        let containers = sidecar["spec"]["template"]["spec"]["containers"].as_array_mut();
        containers.unwrap().insert(0, json!({ "name": "proxy" }));
        assert_eq!(world.judge(&sidecar, Event::Update(&old)).verdict, "Tell");
    }
}

#[test]
fn unresolved_allows_warns_or_denies() {
    let evaluated = |word: &str| {
        let outcome = Scenario::under(&format!("{{ unresolved: {word} }}")).create(&pod(UNSERVED));
        (outcome.verdict, outcome.warnings.len())
    };
    assert_eq!(evaluated("Allow"), ("Tell", 0));
    assert_eq!(evaluated("Warn"), ("Tell", 1));
    assert_eq!(evaluated("Deny"), ("Refuse", 0));
    // One that can be rewritten beside it changes nothing about the refusal.
    let mixed = pod(&[
        ("OK", SONNET_4_6),
        ("DEAD", "anthropic.claude-v2"),
        ("AWS_REGION", "eu-west-1"),
    ]);
    let outcome = Scenario::under("{ unresolved: Deny }").create(&mixed);
    assert_eq!(outcome.verdict, "Refuse");
    assert!(outcome.message.contains("EndOfLife"), "{}", outcome.message);
    assert!(
        outcome.message.contains("its successor is"),
        "{}",
        outcome.message
    );
    assert!(
        !outcome.message.contains("app/env/OK"),
        "{}",
        outcome.message
    );
}

#[test]
fn a_missing_region_is_no_news_while_a_pod_is_created() {
    let world = Scenario::under("{ unresolved: Deny }");
    let nowhere = [("ID", SONNET_4_5)];
    let outcome = world.create(&pod(&nowhere));
    assert_eq!(outcome.answer(), "NoRegion");
    assert_eq!(outcome.warnings, Vec::<String>::new());
    assert_eq!(
        outcome.audit["unchanged"],
        format!("app/env/ID: {SONNET_4_5}: NoRegion")
    );
    assert_eq!(
        world.create(&deployment(&nowhere)).warnings,
        Vec::<String>::new()
    );
    let map = world.create(&config_map(&nowhere));
    assert_eq!(map.verdict, "Tell");
    assert!(
        map.warnings[0].contains("no region is set"),
        "{:?}",
        map.warnings
    );
}

#[test]
fn a_missing_region_is_warned_about_where_no_webhook_injects_regions() {
    let mut world = Scenario::under("{}");
    world.regions_injected = false;
    let nowhere = [("ID", SONNET_4_5)];
    let expected = format!(
        "bedrock-profiles: {SONNET_4_5}: no region is set; set bedrock-profiles.dev/region"
    );
    for object in [pod(&nowhere), deployment(&nowhere)] {
        assert_eq!(world.create(&object).warnings, [expected.as_str()]);
    }
    let weak = Scenario {
        regions_injected: false,
        ..Scenario::under("{ region: { default: sa-east-1 } }")
    };
    assert_eq!(weak.create(&pod(&nowhere)).warnings.len(), 1);
}

#[test]
fn an_opt_out_is_listed_with_the_text_of_its_annotation() {
    let ignore = "bedrock-profiles.dev/ignore";
    let namespace = Scenario::under("{}").annotated(ignore, "until\u{1b}[2J May");
    let outcome = namespace.create(&pod(ASKED));
    assert_eq!(outcome.warnings, Vec::<String>::new());
    assert_eq!(
        outcome.audit["unchanged"],
        format!(
            "app/env/ID: {SONNET_4_5}: OptedOut (the namespace has {ignore}: until\\u{{1b}}[2J May)"
        )
    );
    let mut object = pod(ASKED);
    object["metadata"]["annotations"] = json!({"bedrock-profiles.dev/ignore-env": "I?"});
    let outcome = Scenario::under("{}").create(&object);
    let unchanged = &outcome.audit["unchanged"];
    assert!(
        unchanged.ends_with("OptedOut (the object has bedrock-profiles.dev/ignore-env: I?)"),
        "{unchanged}"
    );
}

#[test]
fn a_misspelled_region_gets_the_nearest_one() {
    let world = Scenario::under("{}");
    for (text, why) in [
        ("us_east_1", "no AWS region; did you mean us-east-1?"),
        ("eu-wset-1", "eu-wset-1 is unknown; did you mean eu-west-1?"),
        ("eu-west-9", "no mapping covers it in eu-west-9"),
        ("nowhere", "its region is not an AWS region"),
    ] {
        let outcome = world.create(&pod(&[("ID", SONNET_4_5), ("AWS_REGION", text)]));
        assert_eq!(
            outcome.warnings,
            [format!("bedrock-profiles: {SONNET_4_5}: {why}")]
        );
    }
}

#[test]
fn a_setting_that_gives_no_region_is_named() {
    let outcome =
        Scenario::under("{}").create(&config_map(&[("ID", SONNET_4_5), ("REGION", "eu-west-1")]));
    assert_eq!(outcome.answer(), "NoRegion");
    assert_eq!(
        outcome.warnings,
        [format!(
            "bedrock-profiles: {SONNET_4_5}: REGION is not used; set bedrock-profiles.dev/region"
        )]
    );
}

#[test]
fn a_state_that_a_later_webhook_can_change_has_no_warning() {
    let guessed = pod(&[("ID", SONNET_4_5)]);
    let weak = Scenario::under("{ region: { default: sa-east-1 } }").create(&guessed);
    assert_eq!(weak.answer(), "OnlyGlobalServes");
    assert_eq!(weak.warnings, Vec::<String>::new());
    let strong = Scenario::under("{}").create(&pod(UNSERVED));
    assert_eq!(strong.warnings.len(), 1);
}

#[test]
fn workload_templates_are_unchanged_and_warn() {
    let world = Scenario::under("{}");
    let outcome = world.create(&deployment(ASKED));
    assert_eq!(outcome.verdict, "Tell");
    assert_eq!(
        outcome.warnings,
        [
            &*format!(
                "bedrock-profiles: Pods in eu-west-1 get eu.{SONNET_4_5} instead of {SONNET_4_5}"
            ),
            LEGACY_4_5
        ]
    );
    let off = Scenario::under("{ templates: \"Off\" }").create(&deployment(ASKED));
    assert_eq!(off.warnings, Vec::<String>::new());
    for (version, kind, path) in [
        ("apps/v1", "StatefulSet", "/spec/template"),
        ("apps/v1", "DaemonSet", "/spec/template"),
        ("apps/v1", "ReplicaSet", "/spec/template"),
        ("batch/v1", "Job", "/spec/template"),
        ("batch/v1", "CronJob", "/spec/jobTemplate/spec/template"),
        ("v1", "ReplicationController", "/spec/template"),
        ("v1", "PodTemplate", "/template"),
    ] {
        let mut object =
            json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "x" } });
        let mut place = &mut object;
        for part in path.split('/').skip(1) {
            place = &mut place[part];
        }
        *place = json!({ "metadata": {}, "spec": pod(ASKED)["spec"] });
        let read = world.judge(&object, Event::Edit);
        assert_eq!(read.verdict, "Rewrite", "{kind}");
        assert_eq!(
            read.patch[0]["path"],
            format!("{path}/spec/containers/0/env/0/value"),
            "{kind}"
        );
        assert_eq!(world.create(&object).verdict, "Tell", "{kind}");
    }
}

#[test]
fn keys_are_opted_out_by_name() {
    let object = annotate(
        config_map(&[
            ("a", SONNET_4_5),
            ("b", SONNET_4_5),
            ("AWS_REGION", "eu-west-1"),
        ]),
        "bedrock-profiles.dev/ignore-keys",
        "x,b*",
    );
    let outcome = Scenario::under("{}").create(&object);
    let profile = behind("eu", SONNET_4_5);
    assert_eq!(outcome.answers(), [&*profile, "OptedOut"]);
    assert_eq!(outcome.after["data"]["b"], SONNET_4_5);
}

#[test]
fn yaml_and_json_have_the_same_findings() {
    let text = format!(
        "# the chat\napiVersion: v1\nkind: Pod\nmetadata: {{ name: chat }}\nspec:\n  containers:\n  - name: app\n    args: [\"--model={SONNET_4_5}\"]\n    env:\n    - name: AWS_REGION\n      value: eu-west-1\n    - {{ name: M, value: '{SONNET_4_6}' }}\n"
    );
    let value: Value = serde_yaml::from_str(&text).unwrap();
    let world = Scenario::under("{}");
    let (yaml, json) = (world.judge_yaml(&text, Event::Create), world.create(&value));
    assert_eq!(yaml.found, json.found);
    assert_eq!(yaml.after, json.after);
    assert_eq!(yaml.found.len(), 2);
}

#[test]
fn the_record_never_exceeds_the_size_limit_of_annotations() {
    let world = Scenario::under("{}");
    let large = 200 * 1024;
    let env: Vec<(String, &str)> = (0..400)
        .map(|at| (format!("MODEL_{at}"), SONNET_4_5))
        .collect();
    let mut env: Vec<(&str, &str)> = env.iter().map(|(name, id)| (&**name, *id)).collect();
    env.push(("AWS_REGION", "eu-west-1"));
    for filled in [0, large - 4000, large - 100, large + 4000] {
        let object = annotate(pod(&env), "other", &"x".repeat(filled));
        let outcome = world.create(&object);
        assert_eq!(outcome.env("MODEL_399"), behind("eu", SONNET_4_5));
        let ours = outcome.after["metadata"]["annotations"][ANNOTATION]
            .as_str()
            .unwrap_or_default();
        assert!(ours.len() <= 16 * 1024, "{}", ours.len());
        if ours.is_empty() {
            assert!(filled + 200 > large, "{filled}");
        } else {
            assert!(ours.len() + filled <= large, "{filled} {}", ours.len());
            let record = outcome.record();
            assert_eq!(
                (&record["truncated"], &record["count"]),
                (&true.into(), &400.into())
            );
        }
        let again = world.create(&outcome.after);
        assert_eq!(again.env("MODEL_0"), behind("eu", SONNET_4_5));
    }
}

#[test]
fn a_second_evaluation_is_empty() {
    let world = Scenario::under("{ lists: Rewrite, region: { default: eu-west-1 } }");
    let env: Vec<(String, &str)> = (0..400)
        .map(|at| (format!("MODEL_{at}"), SONNET_4_5))
        .collect();
    let many: Vec<(&str, &str)> = env.iter().map(|(name, id)| (&**name, *id)).collect();
    for object in [
        pod(ASKED),
        pod(&[("ID", SONNET_4_5)]),
        pod(&many),
        annotate(pod(&many), "other", &"x".repeat(199 * 1024)),
        pod(&[
            ("L", &format!("{SONNET_4_5},{SONNET_4_6}")),
            ("ID", SONNET_4),
        ]),
        config_map(&[("a", SONNET_4_5), ("AWS_REGION", "eu-west-1")]),
    ] {
        let once = world.create(&object);
        assert_eq!(once.verdict, "Rewrite");
        let twice = world.create(&once.after);
        assert!(!twice.changed(), "{:.200}", twice.patch.to_string());
    }
}

#[test]
fn a_record_of_every_kind_of_answer_is_kept_unchanged() {
    let world = Scenario::under(&format!(
        "{{ overrides: [{{ modelId: \"{SONNET_4_5}\", sourceRegions: [us-east-1], target: \"arn:aws:bedrock:us-east-1:1:application-inference-profile/a\" }}] }}"
    ));
    let object = pod(&[
        ("A", SONNET_4_6),
        ("B", SONNET_4_5),
        ("AWS_REGION", "us-east-1"),
    ]);
    let once = world.create(&object);
    assert_eq!(once.record()["entries"].as_array().map(Vec::len), Some(2));
    assert!(!world.create(&once.after).changed());
    let env: Vec<(String, &str)> = (0..400).map(|at| (format!("M{at}"), SONNET_4_5)).collect();
    let mut env: Vec<(&str, &str)> = env.iter().map(|(name, id)| (&**name, *id)).collect();
    env.push(("AWS_REGION", "us-east-1"));
    let once = world.create(&pod(&env));
    assert_eq!(once.record()["count"], 400);
    assert!(!world.create(&once.after).changed());
}

#[test]
fn a_record_without_room_for_an_entry_is_not_written() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    let object = pod(&[("ID", SONNET_4_5)]);
    let with_others = |bytes: usize| annotate(object.clone(), "other", &"x".repeat(bytes));
    for bytes in [204_600, 204_700, 204_740, 250_000] {
        let once = world.create(&with_others(bytes));
        assert_eq!(once.env("ID"), behind("us", SONNET_4_5), "{bytes}");
        assert_eq!(once.record(), Value::Null, "{bytes}");
        assert!(!world.create(&once.after).changed(), "{bytes}");
    }
}

#[test]
fn a_truncated_record_is_marked_while_it_is_truncated() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    let env: Vec<(String, &str)> = (0..400).map(|at| (format!("M{at}"), SONNET_4_5)).collect();
    let env: Vec<(&str, &str)> = env.iter().map(|(name, id)| (&**name, *id)).collect();
    let once = world.create(&pod(&env));
    let recorded = once.record()["entries"].as_array().unwrap().len();
    assert!((50..350).contains(&recorded), "{recorded}");
    // A stronger region revises what is recorded, and nothing else.
    let mut injected = once.after.clone();
    let list = injected["spec"]["containers"][0]["env"].as_array_mut();
    list.unwrap().push(variable("AWS_REGION", "eu-west-1"));
    let revised = world.create(&injected);
    assert!(revised.again);
    assert_eq!(revised.env("M0"), behind("eu", SONNET_4_5));
    assert_eq!(revised.env("M399"), behind("us", SONNET_4_5));
    let record = revised.record();
    assert_eq!(
        (&record["truncated"], &record["count"]),
        (&Value::Bool(true), &json!(400))
    );
    assert!(!world.create(&revised.after).changed());
    // The same manifest applied to it again is rewritten as at first.
    let mut applied = pod(&env);
    applied["metadata"] = once.after["metadata"].clone();
    assert_eq!(world.create(&applied).after, once.after);
}

#[test]
fn only_added_containers_of_a_running_pod_are_evaluated() {
    let world = Scenario::under("{}");
    let debugger = |name: &str| json!({ "name": name, "command": ["ask", SONNET_4_5], "env": [variable("AWS_REGION", "eu-west-1")] });
    let mut old = pod(ASKED);
    old["spec"]["ephemeralContainers"] = json!([debugger("first")]);
    let mut new = old.clone();
    new["spec"]["ephemeralContainers"] = json!([debugger("first"), debugger("second")]);
    let outcome = world.judge(&new, Event::Debug(&old));
    assert_eq!(outcome.only().at, "second/command");
    assert_eq!(
        outcome.patch,
        json!([{
            "op": "replace", "path": "/spec/ephemeralContainers/1/command/1",
            "value": behind("eu", SONNET_4_5),
        }])
    );
    assert_eq!(world.judge(&old, Event::Debug(&old)).verdict, "Untouched");
    let read = world.judge(&new, Event::Read);
    assert_eq!(read.found.len(), 3);
}
