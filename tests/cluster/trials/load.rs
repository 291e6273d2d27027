//! What happens to a release while Pods are created without a pause, under failure policy `Fail`: no create fails, and each Pod is
//! rewritten in every phase that promises it.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    node_faults::evict,
    product::{SONNET, asking},
};
use crate::{
    counters::counter,
    deployment::Deployment,
    prober::{Observations, Prober},
    release::NAME,
    trial::{Trial, node},
    world::World,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![node(
        "no_create_fails_whatever_happens_to_a_release",
        no_create_fails,
    )]
}

/// Values of every phase.
const VALUES: &str = "--set=policy.mode=Rewrite,webhooks.pods.failurePolicy=Fail";

/// How many create at once.
const PROBERS: usize = 3;

/// Pods that the twelve phases create at least.
const AT_LEAST: u32 = 3000;

/// The series of the API server that count created Pods.
const CREATED_PODS: &[&str] = &[
    "apiserver_request_total{",
    r#"code="201""#,
    r#"resource="pods""#,
    r#"subresource="""#,
    r#"verb="POST""#,
];

/// The series of the API server that count Pods admitted without a response of the webhook.
const FAILED_OPEN: &[&str] = &[
    "apiserver_admission_webhook_fail_open_count{",
    r#"name="webhook-pods.bedrock-profiles.dev""#,
];

/// What a phase promises.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// Each Pod is rewritten.
    Rewritten,
    /// No create fails; the entry comes or goes meanwhile.
    Stored,
}

/// Pods that are created all the time, and what became of them so far.
struct Load<'w> {
    world: &'w World,
    probers: Vec<Prober>,
    created: u32,
    failed_open: f64,
}

impl<'w> Load<'w> {
    fn start(world: &'w World) -> Result<Self> {
        // No node is to run them: they wait for a gate that nobody opens.
        let mut pod = asking("probe", SONNET, "eu-west-1");
        pod["spec"]["schedulingGates"] = json!([{"name": "trials.bedrock-profiles.dev/never"}]);
        let probers: Result<Vec<_>> = (0..PROBERS)
            .map(|number| {
                let namespace = world.neighbour(&format!("load-{number}"))?;
                Prober::start(&world.plane().kubeconfig(), &namespace, &pod)
            })
            .collect();
        println!("| phase | created | rewritten | failed | let through |\n|---|---|---|---|---|");
        Ok(Self {
            world,
            probers: probers?,
            created: 0,
            failed_open: counter(world, FAILED_OPEN)?,
        })
    }

    /// Ends a phase once some more were created, and holds what became of its Pods against what it promises.
    fn phase(&mut self, name: &str, promise: Promise) -> Result<()> {
        for prober in &self.probers {
            prober.wait_for(50)?;
        }
        let mut all = Observations::default();
        for observed in self.probers.iter().map(Prober::take) {
            all.add(observed);
        }
        let (created, failed) = (all.created(), all.failures() + all.others());
        let rewritten = all.stored.get(&format!("eu.{SONNET}")).copied();
        let rewritten = rewritten.unwrap_or_default();
        let before = std::mem::replace(&mut self.failed_open, counter(self.world, FAILED_OPEN)?);
        let let_through = self.failed_open - before;
        println!("| {name} | {created} | {rewritten} | {failed} | {let_through} |");
        self.created += created;
        ensure!(
            failed == 0,
            "{name}: {:?} {:?}",
            all.failed,
            all.other_errors
        );
        ensure!(
            let_through == 0.0,
            "{name}: {let_through} Pods were admitted without a response, with failure policy Fail"
        );
        ensure!(
            promise == Promise::Stored || rewritten == created,
            "{name}: {:?}",
            all.stored
        );
        Ok(())
    }
}

fn no_create_fails(world: &World) -> Result<()> {
    let before = counter(world, CREATED_PODS)?;
    let mut load = Load::start(world)?;
    load.phase("before", Promise::Stored)?;
    let deployment = Deployment::with(world, &[VALUES])?;
    load.phase("install", Promise::Stored)?;
    load.phase("in force", Promise::Rewritten)?;

    upgrade(&deployment, "replicas=3,audit.every=2h")?;
    load.phase("upgrade with changed values", Promise::Rewritten)?;
    upgrade(&deployment, "webhooks.pods.enabled=false")?;
    load.phase("an entry switched off", Promise::Stored)?;
    upgrade(&deployment, "replicas=2")?;
    deployment.wait_until_ready()?;
    load.phase("and on again", Promise::Stored)?;
    load.phase("in force again", Promise::Rewritten)?;
    deployment
        .helm
        .run(&["rollback", NAME, "2", "--wait", "--timeout=90s"])?;
    load.phase("rollback", Promise::Rewritten)?;

    for pod in replicas(world)? {
        let args = ["delete", "pod", &pod];
        world.kubectl(&args, None)?.success("kubectl delete")?;
        wait_until_rolled_out(world)?;
    }
    load.phase("graceful deletion of each Pod", Promise::Rewritten)?;
    for pod in replicas(world)? {
        evict(world, &pod)?;
    }
    wait_until_rolled_out(world)?;
    load.phase("eviction of all Pods", Promise::Rewritten)?;
    for count in ["1", "5", "1"] {
        upgrade(&deployment, &format!("replicas={count}"))?;
    }
    load.phase("scaling 1, 5, 1", Promise::Rewritten)?;
    drop(deployment);
    load.phase("uninstall", Promise::Stored)?;
    println!("{} Pods in total", load.created);
    // The API server's own count of Pods that it created, so that the table cannot claim more than happened.
    let created = counter(world, CREATED_PODS)? - before;
    ensure!(
        f64::from(load.created) <= created && load.created >= AT_LEAST,
        "{} Pods by the probers' count, {created} by the API server's",
        load.created
    );
    Ok(())
}

fn upgrade(deployment: &Deployment<'_>, values: &str) -> Result<()> {
    let values = format!("--set={values}");
    let args = ["--wait", "--timeout=90s", "--reset-values", VALUES, &values];
    deployment.helm.put("upgrade", &args).map(|_| ())
}

/// The names of the Pods of the release that are to stay.
fn replicas(world: &World) -> Result<Vec<String>> {
    let pods = world.list("pods", &format!("app.kubernetes.io/name={NAME}"))?;
    let living = pods
        .iter()
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    let names = living.filter_map(|pod| pod["metadata"]["name"].as_str());
    Ok(names.map(str::to_owned).collect())
}

/// Waits until the Deployment is whole.
fn wait_until_rolled_out(world: &World) -> Result<()> {
    let name = format!("deployment/{NAME}");
    let args = ["rollout", "status", &name, "--timeout=60s"];
    world
        .kubectl(&args, None)?
        .success("kubectl rollout status")
        .map(|_| ())
}
