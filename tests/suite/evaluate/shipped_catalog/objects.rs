//! Whole objects: what is refused, what is never changed, which policy decides.

use super::*;

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object["metadata"][field] = value;
    object
}

#[test]
fn deny_admits_ids_without_a_replacement() {
    let deny = view(&named("deny", json!({"mode": "Deny"}), json!({})));
    for (model, region) in [
        (SONNET, "sa-east-1"),
        (&*format!("eu.{SONNET}"), "eu-west-1"),
    ] {
        let pod = asking(model, region);
        assert_eq!(verdict(&deny, &pod, Action::CreatePod), "tell", "{model}");
    }
}

#[test]
fn unresolved_deny_spares_unknown_ids() {
    let strict = view(&policy(
        json!({"unresolved": "Deny", "models": {"include": ["*"]}}),
    ));
    for (model, region, expected) in [
        (SONNET, "sa-east-1", "refuse"),
        (SONNET, "ca-central-1", "refuse"),
        ("anthropic.claude-v2", "us-east-1", "refuse"),
        ("anthropic.claude-sonnet-4-6", "eu-west-2", "tell"),
        ("anthropic.claude-sonnet-9-9", "us-east-1", "tell"),
        ("anthropic.claude-fable-5-2", "us-east-1", "tell"),
        ("anthropic.claude-opus-4-6-v1", "us-gov-west-1", "tell"),
        ("anthropic.claude-mythos-5-1", "us-east-1", "tell"), // its row is below high confidence
        (SONNET, "asia-1", "tell"),
        (SONNET, "", "tell"),
        ("global.anthropic.claude-sonnet-4-6", "eu-west-1", "tell"),
    ] {
        assert_eq!(
            verdict(&strict, &asking(model, region), Action::CreatePod),
            expected,
            "{model} in {region}"
        );
    }
}

#[test]
fn each_object_reason_skips_a_config_map() {
    let data = json!({"model": SONNET, "AWS_REGION": "eu-west-1"});
    let map = || config_map(&data);
    let immutable = {
        let mut map = map();
        map["immutable"] = json!(true);
        map
    };
    let controlled = with(map(), "ownerReferences", json!([{"controller": true}]));
    let managed_by = |manager: &str| {
        let fields = json!({"f:data": {"f:model": {}}});
        let entry = json!({"manager": manager, "operation": "Update", "fieldsV1": fields});
        with(map(), "managedFields", json!([entry]))
    };
    let listed = view(&policy(
        json!({"configMaps": {"trackedBy": {"fieldManagers": ["deploy*"]}}}),
    ));
    let untracked = view(&policy(json!({})));
    let all = view(&policy(json!({"configMaps": {"rewrite": "All"}})));
    let never = view(&policy(json!({"configMaps": {"rewrite": "Never"}})));
    let profiled = format!("eu.{SONNET}");
    for (view, map, action, expected) in [
        (&untracked, map(), Action::Apply(None), &*profiled),
        (
            &untracked,
            immutable.clone(),
            Action::Apply(None),
            "Immutable",
        ),
        (&all, immutable, Action::Apply(None), "Immutable"),
        (
            &untracked,
            controlled.clone(),
            Action::Apply(None),
            "Tracked",
        ),
        (&all, controlled.clone(), Action::Apply(None), &profiled),
        (
            &untracked,
            controlled,
            Action::Edit(EndedModels::Report),
            &profiled,
        ),
        (
            &untracked,
            with(
                map(),
                "annotations",
                json!({"argocd.argoproj.io/tracking-id": "x"}),
            ),
            Action::Apply(None),
            "Tracked",
        ),
        (
            &untracked,
            with(
                map(),
                "labels",
                json!({"kustomize.toolkit.fluxcd.io/name": "x"}),
            ),
            Action::Apply(None),
            "Tracked",
        ),
        (
            &untracked,
            with(map(), "labels", json!({"helm.toolkit.fluxcd.io/name": "x"})),
            Action::Apply(None),
            "Tracked",
        ),
        (
            &untracked,
            with(
                map(),
                "labels",
                json!({"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "chat"}),
            ),
            Action::Apply(None),
            &profiled,
        ),
        (
            &untracked,
            managed_by("argocd-controller"),
            Action::Apply(None),
            "Tracked",
        ),
        (
            &untracked,
            managed_by("helm"),
            Action::Apply(None),
            &profiled,
        ),
        (
            &untracked,
            managed_by("deployer"),
            Action::Apply(None),
            &profiled,
        ),
        (
            &listed,
            managed_by("deployer"),
            Action::Apply(None),
            "Tracked",
        ),
        (
            &all,
            managed_by("argocd-controller"),
            Action::Apply(None),
            &profiled,
        ),
        (&never, map(), Action::Apply(None), "Excluded"),
    ] {
        let found = evaluated(view, &map, action, |judgement| {
            let findings = &judgement.effective.as_ref().unwrap().findings;
            findings[0].resolution.target().map_or_else(
                || findings[0].resolution.reason().unwrap().to_string(),
                ToString::to_string,
            )
        });
        assert_eq!(found, expected, "{map}");
    }
}

#[test]
fn a_config_map_never_grows_beyond_one_mebibyte() {
    let view = view(&policy(json!({})));
    let of = |filler: usize| {
        config_map(
            &json!({"model": SONNET, "AWS_REGION": "eu-west-1", "filler": "x".repeat(filler)}),
        )
    };
    let room = 1024 * 1024 - SONNET.len() - "eu.".len() - "eu-west-1".len();
    assert_eq!(verdict(&view, &of(room), Action::Apply(None)), "rewrite");
    assert_eq!(verdict(&view, &of(room + 1), Action::Apply(None)), "tell");
    assert_eq!(
        answer(&view, &of(room + 1), Action::Apply(None)),
        "TooLarge"
    );
}

#[test]
fn the_policy_controls_opt_outs() {
    let object = |annotations: Value| with(asking(SONNET, "eu-west-1"), "annotations", annotations);
    let out = object(json!({"bedrock-profiles.dev/ignore": "prefixes itself"}));
    let any = view(&policy(json!({})));
    let profiled = format!("eu.{SONNET}");
    for (view, object, expected) in [
        (&any, &out, "OptedOut"),
        (
            &any,
            &object(json!({"bedrock-profiles.dev/ignore": "false"})),
            &*profiled,
        ),
        (
            &any,
            &object(json!({"bedrock-profiles.dev/ignore-env": "OTHER, MOD*"})),
            "OptedOut",
        ),
        (
            &any,
            &object(json!({"bedrock-profiles.dev/ignore-env": "OTHER"})),
            &profiled,
        ),
        (
            &any,
            &object(json!({"bedrock-profiles.dev/ignore-containers": "app"})),
            "OptedOut",
        ),
        (
            &view(&policy(json!({"optOut": "Namespace"}))),
            &out,
            &profiled,
        ),
        (&view(&policy(json!({"optOut": "None"}))), &out, &profiled),
    ] {
        assert_eq!(
            answer(view, object, Action::CreatePod),
            expected,
            "{object}"
        );
    }
    let namespace = Namespace {
        annotations: [("bedrock-profiles.dev/ignore".into(), "team a".into())].into(),
        ..Namespace::named("ml")
    };
    let reason = |view| {
        evaluated_in(
            view,
            &namespace,
            &asking(SONNET, "eu-west-1"),
            Action::CreatePod,
            |judgement| {
                judgement.effective.as_ref().unwrap().findings[0]
                    .resolution
                    .reason()
            },
        )
    };
    assert_eq!(reason(&any).unwrap().as_str(), "OptedOut");
    assert_eq!(reason(&view(&policy(json!({"optOut": "None"})))), None);
}

#[test]
fn one_policy_is_effective_and_dry_run_policies_preview() {
    let strong = named(
        "strong",
        json!({"mode": "Rewrite", "priority": 2}),
        json!({"models": {"exclude": ["*"]}}),
    );
    let weak = named("weak", json!({"mode": "Deny", "priority": 1}), json!({}));
    let shadow = named(
        "shadow",
        json!({"mode": "DryRun", "priority": 9}),
        json!({}),
    );
    let elsewhere = named(
        "elsewhere",
        json!({"mode": "Deny", "priority": 8}),
        json!({"match": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}}),
    );
    let view = view(&format!("{strong}{weak}{shadow}{elsewhere}"));
    evaluated(
        &view,
        &asking(SONNET, "eu-west-1"),
        Action::CreatePod,
        |judgement| {
            assert_eq!(
                judgement
                    .effective
                    .as_ref()
                    .map(|under| &*under.policy.name),
                Some("strong")
            );
            assert_eq!(
                judgement
                    .previews
                    .iter()
                    .map(|under| &*under.policy.name)
                    .collect::<Vec<_>>(),
                ["shadow"]
            );
            assert!(
                judgement.previews[0].findings[0]
                    .resolution
                    .target()
                    .is_some()
            );
            assert!(matches!(judgement.verdict, Verdict::Report));
        },
    );
}

#[test]
fn a_policy_selects_pods_or_config_maps() {
    let pods = view(&policy(json!({"match": {"resources": ["Pod"]}})));
    let maps = view(&policy(json!({"match": {"resources": ["ConfigMap"]}})));
    let (pod, map) = (
        asking(SONNET, "eu-west-1"),
        config_map(&json!({"m": SONNET, "AWS_REGION": "eu-west-1"})),
    );
    assert_eq!(
        (
            verdict(&pods, &pod, Action::CreatePod),
            verdict(&pods, &map, Action::Apply(None))
        ),
        ("rewrite", "untouched")
    );
    assert_eq!(
        (
            verdict(&maps, &pod, Action::CreatePod),
            verdict(&maps, &map, Action::Apply(None))
        ),
        ("untouched", "rewrite")
    );
}

#[test]
fn mirror_pods_and_other_kinds_are_ignored() {
    let view = view(&policy(json!({})));
    let mirror = with(
        asking(SONNET, "eu-west-1"),
        "annotations",
        json!({"kubernetes.io/config.mirror": "x"}),
    );
    assert_eq!(verdict(&view, &mirror, Action::CreatePod), "untouched");
    assert_eq!(
        verdict(
            &view,
            &json!({"apiVersion": "x/v1", "kind": "Pod", "spec": asking(SONNET, "eu-west-1")["spec"]}),
            Action::CreatePod
        ),
        "untouched"
    );
}
