//! Faults of a release of three replicas on a real node, under failure policy `Fail`, while Pods are created without a pause.
//!
//! `CREATES=20000` makes the clients store at least so many Pods in total.

use std::{
    collections::BTreeMap,
    env,
    io::Write as _,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::product::{SONNET, asking};
use crate::{
    admin::Admin,
    clients::{CLIENTS, Clients},
    deployment::Deployment,
    node::{exhaust_memory, kill},
    prober::Observations,
    process::wait_for,
    release::NAME,
    trial::{Trial, node},
    world::World,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![node(
        "three_replicas_have_faults",
        three_replicas_have_faults,
    )]
}

/// Values of every upgrade.
const VALUES: &str = "--set=policy.mode=Rewrite,policy.geography.global=Never,webhooks.pods.failurePolicy=Fail,replicas=3";

/// How many replicas there are.
const REPLICAS: usize = 3;

/// How many faults the trial has.
const FAULTS: u32 = 11;

/// How long the node is away.
const AWAY: Duration = Duration::from_secs(5);

/// Drops a packet of ten between the API server and the replicas, in both directions and on both ports.
const LOSSY: &str = "table ip lossy {
  chain output {
    type filter hook output priority 0;
    ip daddr 10.244.0.0/16 tcp dport 8443 numgen random mod 10 < 1 drop
    ip daddr 10.244.0.0/16 tcp sport 6443 numgen random mod 10 < 1 drop
  }
  chain input {
    type filter hook input priority 0;
    ip saddr 10.244.0.0/16 tcp sport 8443 numgen random mod 10 < 1 drop
    ip saddr 10.244.0.0/16 tcp dport 6443 numgen random mod 10 < 1 drop
  }
}
";

/// The release on the node, and the clients.
struct Faulty<'w> {
    world: &'w World,
    deployment: Deployment<'w>,
    clients: Clients<'w>,
    /// How many Pods each client stores during a fault that lasts.
    during: u32,
    /// How many Pods the clients store in total, at least.
    at_least: u32,
    /// Whether the policy has not changed in the current fault yet.
    policy_is_due: bool,
}

/// What a fault promises.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// No create fails.
    NoneFails,
    /// Creates fail during the fault only.
    SomeFail,
}

impl<'w> Faulty<'w> {
    fn start(world: &'w World) -> Result<Self> {
        let creates: u32 = match env::var("CREATES") {
            Ok(number) => number.parse().context("CREATES is a number")?,
            Err(_) => 0,
        };
        let share = creates.div_ceil(FAULTS * CLIENTS);
        let deployment = Deployment::with(world, &[VALUES])?;
        // No node is to run them: they wait for a gate that stays closed.
        let mut pod = asking("probe", SONNET, "eu-west-1");
        pod["spec"]["schedulingGates"] = json!([{"name": "trials.bedrock-profiles.dev/never"}]);
        let mut clients = Clients::start(world, &pod)?;
        clients.store_after_each(share.max(20));
        println!(
            "| fault | creates | failed | other errors | longest gap |\n|---|---|---|---|---|"
        );
        Ok(Self {
            world,
            deployment,
            clients,
            during: share.max(30),
            at_least: creates.max(FAULTS * CLIENTS * 20),
            policy_is_due: false,
        })
    }

    /// Has a fault, in which [`Self::change_policy`] is called.
    fn fault(
        &mut self,
        name: &str,
        promise: Promise,
        fault: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Observations> {
        self.clients.begin()?;
        self.policy_is_due = true;
        fault(self).with_context(|| name.to_owned())?;
        ensure!(!self.policy_is_due, "{name}: no other policy");
        let observed = self.clients.finish(name, &self.admins()?)?;
        ensure!(
            promise == Promise::SomeFail || observed.failed.is_empty(),
            "{name}: {observed:?}"
        );
        assert_eq!(observed.other_errors, BTreeMap::new(), "{name}");
        Ok(observed)
    }

    /// Changes the policy, once in each fault.
    fn change_policy(&mut self) -> Result<()> {
        if std::mem::take(&mut self.policy_is_due) {
            self.clients.change_policy()?;
        }
        Ok(())
    }

    /// The Pods of the release that are to stay.
    fn pods(&self) -> Result<Vec<Value>> {
        let selector = format!("app.kubernetes.io/name={NAME}");
        let mut pods = self.world.list("pods", &selector)?;
        pods.retain(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        Ok(pods)
    }

    fn names(&self) -> Result<Vec<String>> {
        let name = |pod: &Value| pod["metadata"]["name"].as_str().map(str::to_owned);
        Ok(self.pods()?.iter().filter_map(name).collect())
    }

    /// The admin ports of all replicas.
    fn admins(&self) -> Result<Vec<Admin>> {
        let admin = |pod: &Value| {
            let address = pod["status"]["podIP"]
                .as_str()
                .context("a Pod has an address")?;
            Ok(Admin(SocketAddr::new(address.parse()?, 8080)))
        };
        self.pods()?.iter().map(admin).collect()
    }

    /// The processes of all replicas, as folders in `/proc`.
    fn processes(&self) -> Result<Vec<PathBuf>> {
        let process = |pod: &Value| {
            let container = pod["status"]["containerStatuses"][0]["containerID"].as_str();
            let container = container.context("a container runs")?;
            self.world.node()?.process_of(container)
        };
        self.pods()?.iter().map(process).collect()
    }

    /// How often each container was restarted, and why its last run ended.
    fn restarts(&self) -> Result<(u64, Vec<String>)> {
        let (mut count, mut reasons) = (0, Vec::new());
        for pod in self.pods()? {
            let status = &pod["status"]["containerStatuses"][0];
            count += status["restartCount"].as_u64().unwrap_or_default();
            let reason = status["lastState"]["terminated"]["reason"].as_str();
            reasons.push(reason.unwrap_or_default().to_owned());
        }
        Ok((count, reasons))
    }

    /// Changes the policy, and waits until all replicas are ready.
    fn wait_until_whole(&mut self) -> Result<()> {
        self.change_policy()?;
        let name = format!("deployment/{NAME}");
        let args = ["rollout", "status", &name, "--timeout=180s"];
        let rolled = self.world.kubectl(&args, None)?;
        rolled.success("kubectl rollout status")?;
        wait_for("all replicas", || {
            let pods = self.pods()?;
            let is_ready = |pod: &Value| {
                let conditions = pod["status"]["conditions"].as_array();
                let mut ready = conditions.into_iter().flatten();
                ready.any(|one| one["type"] == "Ready" && one["status"] == "True")
            };
            Ok((pods.len() == REPLICAS && pods.iter().all(is_ready)).then_some(()))
        })
    }

    /// Harms each replica in turn in a way that ends its container, and waits until all are ready again.
    fn restart_each(&mut self, harm: impl Fn(&PathBuf) -> Result<()>) -> Result<()> {
        for process in self.processes()? {
            let (before, _) = self.restarts()?;
            harm(&process)?;
            wait_for("a restarted container", || {
                Ok((self.restarts()?.0 > before).then_some(()))
            })?;
            self.wait_until_whole()?;
        }
        Ok(())
    }

    fn upgrade(&mut self, values: &str) -> Result<()> {
        let values = format!("--set={values}");
        let args = [
            "--wait",
            "--timeout=180s",
            "--reset-values",
            VALUES,
            &values,
        ];
        self.deployment.helm.put("upgrade", &args)?;
        self.wait_until_whole()
    }

    fn kubectl(&self, args: &[&str]) -> Result<()> {
        let output = self.world.kubectl(args, None)?;
        output.success("kubectl").map(|_| ())
    }

    fn restart(&mut self) -> Result<()> {
        self.kubectl(&["rollout", "restart", &format!("deployment/{NAME}")])?;
        self.wait_until_whole()
    }

    fn scale(&self, replicas: usize) -> Result<()> {
        let (name, replicas) = (
            format!("deployment/{NAME}"),
            format!("--replicas={replicas}"),
        );
        self.kubectl(&["scale", &name, &replicas])
    }
}

fn three_replicas_have_faults(world: &World) -> Result<()> {
    let mut faulty = Faulty::start(world)?;
    planned(&mut faulty)?;
    ended_containers(&mut faulty)?;
    scarce_resources(&mut faulty)?;
    lost_node(&mut faulty)?;
    faulty.clients.end(faulty.at_least, true)
}

/// What no create fails in.
fn planned(faulty: &mut Faulty<'_>) -> Result<()> {
    let (world, promise) = (faulty.world, Promise::NoneFails);
    faulty.fault("rolling update", promise, Faulty::restart)?;
    faulty.fault("new image", promise, |faulty| {
        world.node()?.tag_image("next")?;
        faulty.upgrade("image.tag=next")
    })?;
    faulty.fault("each Pod deleted in turn", promise, |faulty| {
        for pod in faulty.names()? {
            faulty.kubectl(&["delete", "pod", &pod])?;
            faulty.wait_until_whole()?;
        }
        Ok(())
    })?;
    faulty.fault("eviction of all Pods", promise, |faulty| {
        for pod in faulty.names()? {
            evict(world, &pod)?;
        }
        faulty.wait_until_whole()
    })?;
    faulty.fault("DNS away during a rolling update", promise, |faulty| {
        world.node()?.stop_names();
        faulty.restart()?;
        world.node()?.start_names(world.plane())
    })?;
    Ok(())
}

/// Containers that end without a signal that they handle.
fn ended_containers(faulty: &mut Faulty<'_>) -> Result<()> {
    let name = "SIGKILL of each replica in turn";
    faulty.fault(name, Promise::SomeFail, |faulty| {
        faulty.restart_each(|process| kill(process))
    })?;
    // New Pods, whose containers are started again at once.
    faulty.restart()?;
    let name = "OOM kill of each replica in turn";
    faulty.fault(name, Promise::SomeFail, |faulty| {
        faulty.restart_each(|process| exhaust_memory(process))?;
        let (_, reasons) = faulty.restarts()?;
        ensure!(
            reasons.iter().all(|reason| reason == "OOMKilled"),
            "{reasons:?}"
        );
        Ok(())
    })?;
    Ok(())
}

fn scarce_resources(faulty: &mut Faulty<'_>) -> Result<()> {
    let name = "10 % of packets lost to and from every replica";
    faulty.fault(name, Promise::SomeFail, |faulty| {
        nft(LOSSY)?;
        let changed = faulty.change_policy();
        let stored = faulty.clients.store(faulty.during);
        nft("delete table ip lossy")?;
        changed.and(stored)
    })?;
    let name = "CPU of every replica limited to 50m";
    faulty.fault(name, Promise::SomeFail, |faulty| {
        faulty.upgrade("resources.limits.cpu=50m")?;
        faulty.clients.store(faulty.during)?;
        faulty.upgrade("resources.limits.memory=128Mi")
    })?;
    Ok(())
}

fn lost_node(faulty: &mut Faulty<'_>) -> Result<()> {
    let world = faulty.world;
    let machine = world.node()?;
    let name = "node killed and started after 5 s";
    faulty.fault(name, Promise::SomeFail, |faulty| {
        let (before, _) = faulty.restarts()?;
        machine.kill()?;
        faulty.change_policy()?;
        thread::sleep(AWAY);
        machine.boot(world.plane())?;
        // The Pods are ready by their last status until the kubelet has written the next one.
        wait_for("restarted containers", || {
            let restarted = faulty.restarts()?.0 - before;
            Ok((restarted >= REPLICAS as u64).then_some(()))
        })?;
        faulty.wait_until_whole()
    })?;
    let name = "no replica, and a node that starts";
    faulty.fault(name, Promise::SomeFail, |faulty| {
        faulty.scale(0)?;
        let selector = format!("app.kubernetes.io/name={NAME}");
        let gone = [
            "wait",
            "--for=delete",
            "pods",
            "--selector",
            &selector,
            "--timeout=60s",
        ];
        faulty.kubectl(&gone)?;
        machine.kill()?;
        machine.boot(world.plane())?;
        faulty.scale(REPLICAS)?;
        faulty.wait_until_whole()
    })?;
    Ok(())
}

/// Evicts a Pod as soon as the budget for disruptions lets it go.
pub(super) fn evict(world: &World, pod: &str) -> Result<()> {
    let namespace = world.namespace();
    let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/eviction");
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}});
    wait_for(&format!("the eviction of {pod}"), || {
        let output = world.kubectl(
            &["create", "--raw", &path, "-f", "-"],
            Some(&eviction.to_string()),
        )?;
        Ok(output.ok.then_some(()))
    })
}

/// Runs commands of nftables, in the network namespace of the node.
fn nft(commands: &str) -> Result<()> {
    let mut child = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .context("cannot start nft")?;
    let mut input = child.stdin.take().context("nft has an input")?;
    input.write_all(commands.as_bytes())?;
    drop(input);
    ensure!(child.wait()?.success(), "nft: {commands}");
    Ok(())
}
