//! `check --pre`: each fault that stops an installation.

use anyhow::Result;
use serde_json::json;

use super::{Checked, becomes, check, check_as, deployment, fails, kubectl};
use crate::{
    release::{NAME, definitions},
    world::World,
};

pub(super) fn finds_what_stops_an_installation(world: &World) -> Result<()> {
    let namespace = world.namespace();
    let pre = ["--pre", "-n", namespace];
    becomes(
        world,
        "a cluster that can have a release",
        &pre,
        Checked::is_passed,
    )?;
    let absent = check(world, &["--pre", "-n", "not-there"])?;
    absent.is_only("Unknown", "PodsAdmitted")?;

    // A limit below that of the chart's Pods.
    let limits = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}});
    world.apply(&limits.to_string())?;
    fails(world, "PodsAdmitted", &pre)?;
    kubectl(world, &["delete", "limitrange", "small"])?;

    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    kubectl(world, &["label", "namespace", namespace, restricted])?;
    becomes(world, "a restricted namespace", &pre, Checked::is_passed)?;

    objects_of_others(world)?;
    world.account("developer", &json!([]))?;
    let developer = world.account_config("developer", None)?;
    let checked = check_as(&developer, &pre)?;
    assert_eq!(
        checked.of_state("Failed"),
        ["InstallRights", "GrantRights"],
        "{:#}",
        checked.report
    );
    assert_eq!(checked.code, Some(1), "{}", checked.stderr);
    let unknown = checked.of_state("Unknown");
    assert_eq!(
        unknown,
        [
            "NamespaceUsable",
            "PodsAdmitted",
            "DefinitionsOwned",
            "NoOtherRelease",
            "OtherWebhooks"
        ]
    );
    Ok(())
}

fn objects_of_others(world: &World) -> Result<()> {
    let pre = ["--pre", "-n", world.namespace()];
    let beside = world.neighbour("other")?;
    world.apply_in(&beside, &deployment(&beside, 8080).to_string())?;
    check(world, &pre)?.is_only("Failed", "NoOtherRelease")?;
    kubectl(
        world,
        &["delete", "deployment", NAME, "--namespace", &beside],
    )?;

    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]);
    let client = json!({"url": "https://127.0.0.1:9/"});
    let webhook = json!({"name": "w.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "failurePolicy": "Fail", "rules": rules, "clientConfig": client});
    let closed = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "closed"}, "webhooks": [webhook]});
    world.apply(&closed.to_string())?;
    let warned = check(world, &[&pre[..], &["--no-dry-run"]].concat())?;
    warned.is_only("Warning", "OtherWebhooks")?;
    kubectl(
        world,
        &["delete", "validatingwebhookconfiguration", "closed"],
    )?;

    world.apply(&definitions()?)?;
    check(world, &pre)?.is_only("Failed", "DefinitionsOwned")?;
    Ok(())
}
