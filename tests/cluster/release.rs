//! The product in a cluster: what the chart ships, as far as a plane without a node can have it, and replicas of the built
//! binary that play its pods.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use bedrock_profiles::{
    cli::yaml::to_string as to_yaml,
    cluster::{
        rbac::{self, MUTATING, PolicyRule, Switch, VALIDATING},
        release::{POD_UPDATE_WEBHOOK, ReleaseNames},
    },
};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::{
    admin::Admin,
    process::{Process, wait_for},
    proxy::Proxy,
    world::World,
};

/// The full name of the release.
pub(crate) const NAME: &str = "bedrock-profiles";

/// The metric that says whether a replica writes.
pub(crate) const LEADER: &str = "bedrock_profiles_leader";

/// The day as of which replicas judge.
pub(crate) const TODAY: &str = "2026-11-23";

/// What the chart ships.
pub(crate) struct Chart<'a> {
    /// The spec of the default policy; null: none.
    pub(crate) policy: Value,
    /// The failure policy of the entries.
    pub(crate) failure_policy: &'a str,
    /// The rights of the service account.
    pub(crate) rights: Vec<PolicyRule>,
    /// What is switched on, and so granted.
    pub(crate) on: &'a [Switch],
}

impl Default for Chart<'_> {
    fn default() -> Self {
        Self {
            policy: json!({"mode": "Rewrite"}),
            failure_policy: "Fail",
            rights: rbac::TABLE.to_vec(),
            on: Switch::DEFAULTS,
        }
    }
}

/// An installed release, in the namespace of the trial. Workloads live in another one: the own namespace is never judged.
pub(crate) struct Release<'w> {
    world: &'w World,
    kubeconfig: PathBuf,
    installation: ReleaseNames,
}

/// The definitions of the custom resources, from the files that users apply.
pub(crate) fn definitions() -> Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/crds");
    let files = [
        "inferenceprofilemappings.yaml",
        "inferenceprofilepolicies.yaml",
    ];
    let texts = files.map(|file| fs::read_to_string(folder.join(file)));
    let texts: Result<Vec<_>, _> = texts.into_iter().collect();
    Ok(texts?.join("---\n"))
}

/// One running replica; it ends with the value, without a word, as by SIGKILL.
pub(crate) struct Replica {
    /// Its name, which is its identity before the underscore.
    pub(crate) name: String,
    /// Where the webhook listens.
    pub(crate) address: SocketAddr,
    admin: Admin,
    log: PathBuf,
    process: Process,
}

impl<'w> Release<'w> {
    /// Ships what the chart ships, without a replica: nothing answers and nothing is called.
    pub(crate) fn install(world: &'w World, chart: &Chart<'_>) -> Result<Self> {
        world.apply(&definitions()?)?;
        Self::install_without_definitions(world, chart)
    }

    /// The same without the definitions of the custom resources.
    pub(crate) fn install_without_definitions(world: &'w World, chart: &Chart<'_>) -> Result<Self> {
        for (namespace, objects) in manifests(world, chart)? {
            world.apply_in(&namespace, &objects)?;
        }
        Self::shipped(world)
    }

    /// What somebody else has shipped under the same names.
    pub(crate) fn shipped(world: &'w World) -> Result<Self> {
        Ok(Self {
            world,
            kubeconfig: world.account_config(NAME, None)?,
            installation: ReleaseNames {
                namespace: world.namespace().to_owned(),
                name: NAME.to_owned(),
            },
        })
    }

    /// Ships other values of the chart, as an upgrade does.
    pub(crate) fn upgrade(&self, policy: &Value) -> Result<()> {
        let map = bootstrap(&self.installation, policy)?;
        self.world.apply(&map.to_string()).map(|_| ())
    }

    /// Starts a replica that reaches the API server by a proxy; it is not waited for, and not called.
    pub(crate) fn start_behind(&self, proxy: &Proxy, name: &str) -> Result<Replica> {
        let kubeconfig = self.world.account_config(NAME, Some(proxy.address()))?;
        self.spawn(name, &[], &kubeconfig)
    }

    /// Starts a replica; it is not waited for, and nobody sends it anything.
    pub(crate) fn start(&self, name: &str, flags: &[&str]) -> Result<Replica> {
        self.spawn(name, flags, &self.kubeconfig)
    }

    fn spawn(&self, name: &str, flags: &[&str], kubeconfig: &Path) -> Result<Replica> {
        let (address, admin) = (self.world.next_address(), self.world.next_address());
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        command.args(["serve", "--log-format", "json", "--today", TODAY]);
        command.args([
            "--name",
            NAME,
            "--namespace",
            self.world.namespace(),
            "--identity",
            name,
        ]);
        command.args([
            "--listen",
            &address.to_string(),
            "--admin-listen",
            &admin.to_string(),
        ]);
        command.args(flags).env("KUBECONFIG", kubeconfig);
        let log = self.world.folder().join(format!("{name}.log"));
        Ok(Replica {
            process: Process::spawn(name, &mut command, log.clone())?,
            name: name.to_owned(),
            address,
            admin: Admin(admin),
            log,
        })
    }

    /// Starts a replica, waits until it is ready, and makes it an endpoint of the Service, as a node would.
    pub(crate) fn start_ready(&self, name: &str, flags: &[&str]) -> Result<Replica> {
        let replica = self.start(name, flags)?;
        self.send_to(&replica)?;
        Ok(replica)
    }

    /// Waits until a replica is ready, and makes it an endpoint of the Service, as a node would.
    pub(crate) fn send_to(&self, replica: &Replica) -> Result<()> {
        replica.wait_until_ready()?;
        self.add_endpoint(&replica.name, replica.address)
    }

    /// Makes an address an endpoint of the Service.
    pub(crate) fn add_endpoint(&self, name: &str, address: SocketAddr) -> Result<()> {
        let slice = self.slice(name, address).to_string();
        self.world.apply(&slice).map(|_| ())
    }

    /// Takes the endpoint of a replica away, as a node does when its pod ends.
    pub(crate) fn remove_endpoint(&self, replica: &Replica) -> Result<()> {
        let args = ["delete", "endpointslice", &replica.name];
        self.world
            .kubectl(&args, None)?
            .success("kubectl delete")
            .map(|_| ())
    }

    /// Waits until every entry is called for something, and the API server has taken note of it.
    pub(crate) fn wait_until_active(&self) -> Result<()> {
        let entries = MUTATING
            .iter()
            .map(|name| ("mutatingwebhookconfiguration", name));
        let entries = entries.chain(
            VALIDATING
                .iter()
                .map(|name| ("validatingwebhookconfiguration", name)),
        );
        for (kind, name) in entries {
            wait_for(&format!("an active {name}"), || {
                let webhook = &self.world.get(kind, name)?["webhooks"][0];
                let active =
                    webhook["rules"].is_array() && webhook["clientConfig"]["caBundle"].is_string();
                Ok(active.then_some(()))
            })?;
        }
        Ok(())
    }

    /// What the chart has installed.
    pub(crate) fn installation(&self) -> &ReleaseNames {
        &self.installation
    }

    /// How the service account reaches the API server.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    fn slice(&self, endpoint: &str, address: SocketAddr) -> Value {
        let ReleaseNames { namespace, name } = &self.installation;
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": endpoint, "namespace": namespace, "labels": {"kubernetes.io/service-name": name}},
            "endpoints": [{"addresses": [address.ip()], "conditions": {"ready": true}}],
            "ports": [{"name": "webhook", "port": address.port()}]})
    }
}

impl Replica {
    /// Its admin port.
    pub(crate) fn admin(&self) -> Admin {
        self.admin
    }

    /// Whether it says that it is ready; an error if its process has ended.
    pub(crate) fn is_ready(&self) -> Result<bool> {
        self.process.check()?;
        Ok(self.admin.is_ready())
    }

    /// Waits until it says that it is ready.
    pub(crate) fn wait_until_ready(&self) -> Result<()> {
        wait_for(&format!("a ready {}", self.name), || {
            Ok(self.is_ready()?.then_some(()))
        })
    }

    /// The number of its process.
    pub(crate) fn process_id(&self) -> Result<u32> {
        self.process.check()?;
        Ok(self.process.id())
    }

    /// Sends it a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, signal: &str) -> Result<()> {
        self.process.signal(signal)
    }

    /// Waits until it is the one that writes.
    pub(crate) fn wait_until_leader(&self) -> Result<()> {
        wait_for(&format!("{} to lead", self.name), || {
            Ok((self.metric(LEADER)? == Some(1.0)).then_some(()))
        })
    }

    /// Asks it to end, as a node does, and waits until it has.
    pub(crate) fn end(&self) -> Result<()> {
        self.signal("TERM")?;
        self.wait_until_ended()
    }

    /// Waits until its process has ended.
    pub(crate) fn wait_until_ended(&self) -> Result<()> {
        self.process.wait_until_ended()
    }

    /// The answer of the admin port, with its head.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        self.admin.get(path)
    }

    /// The value of a metric, with its labels as they are printed.
    pub(crate) fn metric(&self, series: &str) -> Result<Option<f64>> {
        self.admin.metric(series)
    }

    /// Everything that it has logged so far, one JSON object a line.
    pub(crate) fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }
}

/// The objects of a release in the namespace of the trial, and those beside it, each as a List with its namespace.
pub(crate) fn manifests(world: &World, chart: &Chart<'_>) -> Result<[(String, String); 2]> {
    const BESIDE: &str = "default";
    let installation = ReleaseNames {
        namespace: world.namespace().to_owned(),
        name: NAME.to_owned(),
    };
    let mut objects = rbac::objects(&chart.rights, chart.on, &installation);
    objects.extend(own(&installation));
    objects.extend(configurations(&installation, chart.failure_policy)?);
    objects.push(bootstrap(&installation, &chart.policy)?);
    let (beside, own): (Vec<_>, Vec<_>) = objects
        .into_iter()
        .partition(|object| object["metadata"]["namespace"] == BESIDE);
    Ok([
        (BESIDE.to_owned(), list(&beside)),
        (installation.namespace, list(&own)),
    ])
}

/// What the chart ships empty and the product fills, and the Service.
fn own(installation: &ReleaseNames) -> Vec<Value> {
    let ReleaseNames { namespace, name } = installation;
    // The API server records no managers of an object that is created without any field, and a server-side apply may then empty it:
    // `findings/emptied-by-server-side-apply.sh`. The chart gives these objects labels, too.
    let labels = json!({"app.kubernetes.io/name": NAME});
    let metadata = |name: &str| json!({"name": name, "namespace": namespace, "labels": labels});
    vec![
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata(&installation.ca_secret()), "type": "Opaque"}),
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata(installation.lease())}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata(name),
            "spec": {"ports": [{"name": "webhook", "port": 443}]}}),
    ]
}

fn list(objects: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string()
}

/// The objects of `manifests/install.yaml`, which is the chart with its default values.
fn shipped() -> Result<Vec<Value>> {
    let text = include_str!("../../manifests/install.yaml");
    let documents = serde_yaml::Deserializer::from_str(text);
    let objects: Result<Vec<_>, _> = documents.map(Value::deserialize).collect();
    Ok(objects?)
}

/// The configuration of the leader as it ships, with this policy.
fn bootstrap(installation: &ReleaseNames, policy: &Value) -> Result<Value> {
    const KEY: &str = "bootstrap.yaml";
    let mut objects = shipped()?.into_iter();
    let of = |object: &Value| object["kind"] == "ConfigMap" && object["data"][KEY].is_string();
    let mut map = objects.find(of).context("install.yaml has no bootstrap")?;
    let text = map["data"][KEY].as_str().unwrap_or_default();
    let mut config: Value = serde_yaml::from_str(text)?;
    config["policy"] = policy.clone();
    map["data"][KEY] = to_yaml(&config)?.into();
    map["metadata"]["name"] = installation.bootstrap().into();
    map["metadata"]["namespace"] = installation.namespace.as_str().into();
    Ok(map)
}

/// The webhook configurations as they ship, for the Service of this release and with this failure policy.
fn configurations(installation: &ReleaseNames, failure_policy: &str) -> Result<Vec<Value>> {
    let ReleaseNames { namespace, name } = installation;
    let of = |object: &Value| {
        let kind = object["kind"].as_str();
        kind.is_some_and(|kind| kind.ends_with("WebhookConfiguration"))
    };
    let mut found: Vec<Value> = shipped()?.into_iter().filter(of).collect();
    ensure!(
        found.len() == MUTATING.len() + VALIDATING.len(),
        "install.yaml has {} webhook configurations",
        found.len()
    );
    for configuration in &mut found {
        let webhook = &mut configuration["webhooks"][0];
        if webhook["name"] != POD_UPDATE_WEBHOOK {
            webhook["failurePolicy"] = failure_policy.into();
        }
        let service = &mut webhook["clientConfig"]["service"];
        service["namespace"] = namespace.as_str().into();
        service["name"] = name.as_str().into();
        let excluded = &mut webhook["namespaceSelector"]["matchExpressions"][0]["values"];
        let excluded = excluded.as_array_mut().context("a list of namespaces")?;
        excluded.push(namespace.as_str().into());
    }
    Ok(found)
}
