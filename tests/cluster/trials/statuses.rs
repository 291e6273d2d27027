//! What the leader says of mappings and policies, as `kubectl` shows it: with no more than the rights of its account.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use bedrock_profiles::{
    cluster::{
        client::Clients,
        leader_election::{self, Term},
        rbac::MUTATING,
        watch,
    },
    controllers::{
        bootstrap::BootstrapResults,
        cluster_state::{self, ClusterWatcher, CustomResources},
        status::{Metrics, StatusController},
        webhook_config::{WebhookState, WebhookStates},
    },
    domain::view::View,
    runtime::{Shutdown, admin::Readiness, published::Published},
};
use serde_json::{Value, json};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch as channel,
};

use super::{crds, leader::appoint};
use crate::{
    accounts::config,
    process::wait_for,
    release::definitions,
    trial::{Trial, alone},
    world::World,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![alone("statuses_say_what_became_of_objects", statuses)]
}

const ACCOUNT: &str = "writer";

/// A replica, as far as it has to do with statuses. It ends with the value.
struct Writer {
    objects: Arc<Published<CustomResources>>,
    webhooks: channel::Sender<WebhookStates>,
    term: Term,
    _runtime: Runtime,
}

impl Writer {
    fn start(world: &World) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let account = world.account_config(ACCOUNT, None)?;
        let clients =
            runtime.block_on(async { anyhow::Ok(Clients::of(&config(&account).await?)?) })?;
        let view = Arc::new(Published::<Option<View>>::new(None));
        let objects = Arc::new(Published::new(CustomResources::default()));
        let (webhooks, observed) = channel::channel(WebhookStates::default());
        let (term, leads) = leader_election::term();
        appoint(&term, true);
        let watcher = ClusterWatcher {
            clients: clients.clone(),
            with_nodes: false,
            view: Arc::clone(&view),
            objects: Arc::clone(&objects),
            watches: watch::Metrics::default(),
            metrics: cluster_state::Metrics::default(),
        };
        let statuses = StatusController {
            clients,
            objects: Arc::clone(&objects),
            view,
            results: Arc::new(Published::new(BootstrapResults::default())),
            webhooks: observed,
            leadership: leads,
            metrics: Metrics::default(),
        };
        let hold = Readiness::new(Shutdown::new()).hold("lists");
        runtime.spawn(watcher.run(hold));
        runtime.spawn(statuses.run());
        Ok(Self {
            objects,
            webhooks,
            term,
            _runtime: runtime,
        })
    }

    fn activate(&self) {
        let active = WebhookState {
            exists: true,
            active: true,
            ca_bundle: Vec::new(),
            applied_at: Some(1),
        };
        let by_name = MUTATING
            .iter()
            .map(|name| ((*name).to_owned(), active.clone()));
        self.webhooks.send_replace(WebhookStates {
            by_name: by_name.collect(),
            complete: true,
        });
    }
}

fn statuses(world: &World) -> Result<()> {
    crds::install(world, &definitions()?)?;
    grant(world)?;
    let mapping = json!({"models": [model("eu", "eu-west-1")]});
    world.apply(&object("InferenceProfileMapping", "ours", &mapping))?;
    world.apply(&object(
        "InferenceProfilePolicy",
        "p",
        &json!({"references": "Off"}),
    ))?;
    let writer = Writer::start(world)?;
    becomes_ready(world, &writer)?;
    keeps_fields_of_other_managers(world)?;
    an_invalid_generation_leaves_the_valid_one_active(world)?;
    is_written_by_the_leader_only(world, &writer)
}

/// The rights of the table, as far as they concern this.
fn grant(world: &World) -> Result<()> {
    let (group, api) = ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1");
    let ours = "bedrock-profiles.dev";
    let kinds = ["inferenceprofilemappings", "inferenceprofilepolicies"];
    let statuses = kinds.map(|kind| format!("{kind}/status"));
    let objects = json!([
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": world.namespace()}},
        {"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": ACCOUNT}, "rules": [
            {"apiGroups": [ours], "resources": kinds, "verbs": ["list", "watch"]},
            {"apiGroups": [ours], "resources": statuses, "verbs": ["patch"]},
            {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]}]},
        {"apiVersion": api, "kind": "ClusterRoleBinding", "metadata": {"name": ACCOUNT},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": world.namespace()}]},
    ]);
    world.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string())?;
    Ok(())
}

fn object(kind: &str, name: &str, spec: &Value) -> String {
    json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}).to_string()
}

fn model(geography: &str, region: &str) -> Value {
    let routes = json!([{"sourceRegions": [region], "destinationRegions": [region]}]);
    let id = format!("{geography}.anthropic.claude-x-1");
    json!({"modelId": "anthropic.claude-x-1", "profiles": [{"id": id, "geography": geography, "routes": routes}]})
}

fn wait(world: &World, condition: &str, object: &str) -> Result<()> {
    let condition = format!("--for=condition={condition}");
    world
        .kubectl(&["wait", &condition, "--timeout=30s", object], None)?
        .success("kubectl wait")?;
    Ok(())
}

fn condition(object: &Value, sort: &str) -> Result<Value> {
    let conditions = object["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let found = conditions.find(|there| there["type"] == sort);
    found
        .cloned()
        .with_context(|| format!("no condition {sort} in {}", object["status"]))
}

fn becomes_ready(world: &World, writer: &Writer) -> Result<()> {
    wait(world, "Accepted", "ipm/ours")?;
    wait(world, "Accepted", "ipp/p")?;
    let before = world.get("ipp", "p")?;
    assert_eq!(condition(&before, "Ready")?["status"], "Unknown");
    assert_eq!(before["status"]["inForceSince"], Value::Null);
    writer.activate();
    wait(world, "Ready", "ipp/p")?;
    let after = world.get("ipp", "p")?;
    // Nothing else of either object was changed after it was made, and the webhooks were active long before.
    let made = after["metadata"]["creationTimestamp"].as_str();
    let since = after["status"]["inForceSince"].as_str();
    assert!(made.is_some() && since >= made, "{since:?} {made:?}");
    assert_eq!(
        condition(&after, "Accepted")?["lastTransitionTime"],
        condition(&before, "Accepted")?["lastTransitionTime"]
    );
    let mapping = world.get("ipm", "ours")?;
    assert_eq!(mapping["status"]["models"], 1);
    assert_eq!(mapping["status"]["profiles"], 1);
    assert_eq!(mapping["status"]["observedGeneration"], 1);
    Ok(())
}

/// What others write of a status stays, and what has not changed is not written again.
fn keeps_fields_of_other_managers(world: &World) -> Result<()> {
    let audit = json!({
        "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy", "metadata": {"name": "p"},
        "status": {"lastAudit": {"time": "2026-11-23T00:00:00Z", "scanned": 9, "findings": 4, "byReason": {}}},
    });
    let args = [
        "apply",
        "--server-side",
        "--subresource=status",
        "--field-manager=audit",
        "-f",
        "-",
    ];
    world
        .kubectl(&args, Some(&audit.to_string()))?
        .success("kubectl apply")?;
    let version_of = |kind: &str, name: &str| -> Result<Value> {
        Ok(world.get(kind, name)?["metadata"]["resourceVersion"].take())
    };
    let before = [version_of("ipp", "p")?, version_of("ipm", "ours")?];
    // Another policy makes another snapshot, and every status is written again.
    world.apply(&object(
        "InferenceProfilePolicy",
        "q",
        &json!({"references": "Off"}),
    ))?;
    wait(world, "Ready", "ipp/q")?;
    assert_eq!(
        [version_of("ipp", "p")?, version_of("ipm", "ours")?],
        before
    );
    world.apply(&object(
        "InferenceProfilePolicy",
        "p",
        &json!({"references": "Off", "priority": 3}),
    ))?;
    wait_for("the second generation to be judged", || {
        let policy = world.get("ipp", "p")?;
        Ok((policy["status"]["observedGeneration"] == 2).then_some(()))
    })?;
    assert_eq!(world.get("ipp", "p")?["status"]["lastAudit"]["findings"], 4);
    Ok(())
}

/// The API server's patterns let this region pass, our parser does not.
fn an_invalid_generation_leaves_the_valid_one_active(world: &World) -> Result<()> {
    let bad = json!({"scannedRegions": ["us-gov-1"], "models": [model("jp", "ap-northeast-1")]});
    world.apply(&object("InferenceProfileMapping", "ours", &bad))?;
    wait(world, "Accepted=False", "ipm/ours")?;
    let accepted = condition(&world.get("ipm", "ours")?, "Accepted")?;
    let message = accepted["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("spec.scannedRegions[0]: `us-gov-1` is not an AWS region"),
        "{message}"
    );
    assert!(message.contains("generation 1 stays active"), "{message}");
    let good = json!({"models": [model("jp", "ap-northeast-1")]});
    world.apply(&object("InferenceProfileMapping", "ours", &good))?;
    wait(world, "Accepted", "ipm/ours")
}

fn is_written_by_the_leader_only(world: &World, writer: &Writer) -> Result<()> {
    appoint(&writer.term, false);
    world.apply(&object(
        "InferenceProfilePolicy",
        "late",
        &json!({"references": "Off"}),
    ))?;
    wait_for("the policy to be seen", || {
        let is_observed = writer.objects.load().policies.contains_key("late");
        Ok(is_observed.then_some(()))
    })?;
    assert_eq!(world.get("ipp", "late")?["status"], Value::Null);
    appoint(&writer.term, true);
    wait(world, "Ready", "ipp/late")
}
