//! What the token of a replica may not do although RBAC permits it, by the chart's admission policies.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use bedrock_profiles::cluster::client::Clients;
use hyper::Request;
use kube::Client;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::{
    accounts::config,
    helm::Helm,
    pinned::HELM_4,
    process::wait_for,
    release::{NAME, Release},
    trial::{Trial, alone},
    world::{Output, World},
};

pub(super) fn trials() -> Vec<Trial> {
    vec![alone("the_token_of_a_replica_is_limited", token_is_limited).with_controllers()]
}

/// A change that an attacker would make, and a part of the message that refuses it.
struct Attempt {
    /// The resource.
    kind: &'static str,
    name: &'static str,
    patch: Value,
    refusal: &'static str,
}

/// JSON patches of webhook configurations.
fn attempts() -> Vec<Attempt> {
    let pods = |patch: Value, refusal: &'static str| Attempt {
        kind: "mutatingwebhookconfigurations",
        name: "webhook-pods.bedrock-profiles.dev",
        patch,
        refusal,
    };
    let set = |path: &str, value: Value| json!([{"op": "add", "path": path, "value": value}]);
    let secrets = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}]);
    let templates = Attempt {
        kind: "validatingwebhookconfigurations",
        name: "webhook-templates.bedrock-profiles.dev",
        patch: set("/webhooks/0/rules", secrets.clone()),
        refusal: "no rules but those of the release",
    };
    let owner = json!([{"apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "0e6bb1a8-6e4a-4a55-9a5c-0a4d3b1f2c11"}]);
    vec![
        pods(
            json!([{"op": "remove", "path": "/webhooks/0/clientConfig/service"},
                {"op": "add", "path": "/webhooks/0/clientConfig/url", "value": "https://198.51.100.1/mutate"}]),
            "may not redirect a webhook",
        ),
        pods(
            set(
                "/webhooks/0/clientConfig/service/namespace",
                json!("default"),
            ),
            "may not redirect a webhook",
        ),
        pods(
            set("/webhooks/0/rules", secrets),
            "no rules but those of the release",
        ),
        pods(
            set("/webhooks/0/namespaceSelector", json!({})),
            "no other field",
        ),
        pods(
            set("/webhooks/0/failurePolicy", json!("Fail")),
            "no other field",
        ),
        pods(
            set("/webhooks/0/timeoutSeconds", json!(30)),
            "no other field",
        ),
        pods(
            json!([{"op": "copy", "from": "/webhooks/0", "path": "/webhooks/1"},
                {"op": "replace", "path": "/webhooks/1/name", "value": "more.bedrock-profiles.dev"}]),
            "may not add or remove webhooks",
        ),
        pods(
            set("/metadata/ownerReferences", owner),
            "may not change the life",
        ),
        templates,
    ]
}

/// The service account of the release.
struct Account {
    kubeconfig: PathBuf,
    runtime: Runtime,
    client: Client,
}

impl Account {
    fn of(world: &World) -> Result<Self> {
        let kubeconfig = world.account_config(NAME, None)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let config = runtime.block_on(config(&kubeconfig))?;
        let client = {
            let _inside = runtime.enter();
            Clients::of(&config)?.writing
        };
        Ok(Self {
            kubeconfig,
            runtime,
            client,
        })
    }

    /// Makes the change without storing it. kubectl would need the right to get the object.
    fn attempt(&self, attempt: &Attempt) -> Result<Result<Value, kube::Error>> {
        let Attempt { kind, name, .. } = attempt;
        let uri = format!("/apis/admissionregistration.k8s.io/v1/{kind}/{name}?dryRun=All");
        let request = Request::patch(uri)
            .header("content-type", "application/json-patch+json")
            .body(attempt.patch.to_string().into_bytes())?;
        Ok(self.runtime.block_on(self.client.request(request)))
    }

    /// Creates a policy without storing it.
    fn create_policy(&self, world: &World) -> Result<Output> {
        let policy = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy",
            "metadata": {"name": "other"}, "spec": {}});
        let args = ["create", "--dry-run=server", "-f", "-"];
        world.kubectl_as(&self.kubeconfig, &args, Some(&policy.to_string()))
    }
}

fn token_is_limited(world: &World) -> Result<()> {
    let helm = Helm {
        world,
        tool: HELM_4,
        mode: &[],
    };
    helm.put("install", &[])?;
    let release = Release::shipped(world)?;
    let replica = release.start_ready("one", &[])?;
    // The leader applies rules and CA bundles under the limits.
    release.wait_until_active()?;
    let account = Account::of(world)?;
    for attempt in attempts() {
        let what = format!("{} to be refused", attempt.patch);
        wait_for(&what, || match account.attempt(&attempt)? {
            Ok(_) => Ok(None),
            Err(error) if error.to_string().contains(attempt.refusal) => Ok(Some(())),
            Err(error) => bail!("{}: {error}", attempt.patch),
        })?;
    }
    let refused = account.create_policy(world)?;
    ensure!(
        refused
            .stderr
            .contains("may create no mapping but `builtin`"),
        "{refused:?}"
    );

    // Without the limits, RBAC permits each of them.
    helm.put("upgrade", &["--set=rbac.limit=false"])?;
    for attempt in attempts() {
        wait_for(&format!("{} to be permitted", attempt.patch), || {
            Ok(account.attempt(&attempt)?.ok())
        })?;
    }
    account.create_policy(world)?.success("kubectl create")?;
    replica.end()?;
    helm.uninstall()
}
