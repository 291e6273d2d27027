//! Pods that are created without a pause while a release of several replicas has a fault, and the policy changes in the middle of
//! it. Every stored Pod has the answer of the generation before or of the one after; once every replica has the generation after, of
//! that one alone.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{
    counters::{counter, created_pods},
    prober::{Observations, Prober},
    process::wait_for,
    release::{Chart, LEADER, Release, Replica},
    trials::product::{SONNET, asking},
    world::World,
};

/// How many clients create Pods at once.
const CLIENTS: u32 = 3;

/// How many Pods each client creates after a fault, all of which must have the new answer.
const AFTER: u32 = 40;

/// How long the endpoint of a replica that has ended stays, as the kubelet and the controllers take some time to remove it.
pub(crate) const ENDPOINT_LAG: Duration = Duration::from_secs(1);

const ACTIVE_GENERATION: &str =
    r#"bedrock_profiles_active_generation{kind="InferenceProfilePolicy",name="default"}"#;

/// The calls of the webhook for Pods that failed, as the API server counts them.
const CALLING_ERRORS: &[&str] = &[
    "apiserver_admission_webhook_rejection_count{",
    r#"error_type="calling_webhook_error""#,
    r#"name="webhook-pods.bedrock-profiles.dev""#,
];

/// The calls of the webhook for Pods, as the API server counts them.
const CALLS: &[&str] = &[
    "apiserver_admission_webhook_request_total{",
    r#"name="webhook-pods.bedrock-profiles.dev""#,
];

/// Two policies whose answers differ, and neither is the ID itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Geographic,
    Global,
}

/// Which of three replicas has the fault.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    Follower,
    Leader,
}

/// A release of three replicas, and the clients.
pub(crate) struct Creates<'w> {
    world: &'w World,
    /// The release.
    pub(crate) release: Release<'w>,
    /// The replicas that serve.
    pub(crate) replicas: Vec<Replica>,
    first: usize,
    namespaces: Vec<String>,
    probers: Vec<Prober>,
    before: Answer,
    current: Answer,
    total: Observations,
    calling_errors: f64,
    calls: f64,
}

impl Answer {
    fn policy(self) -> Value {
        let global = match self {
            Self::Geographic => "Never",
            Self::Global => "Prefer",
        };
        json!({"mode": "Rewrite", "geography": {"global": global}})
    }

    fn value(self) -> String {
        match self {
            Self::Geographic => format!("eu.{SONNET}"),
            Self::Global => format!("global.{SONNET}"),
        }
    }
}

impl<'w> Creates<'w> {
    /// Installs a release with three replicas, and starts to create Pods as soon as they are rewritten; `first` is the only endpoint
    /// at that time.
    pub(crate) fn start(world: &'w World, first: Which) -> Result<Self> {
        let current = Answer::Geographic;
        let policy = current.policy();
        let release = Release::install(
            world,
            &Chart {
                policy,
                ..Chart::default()
            },
        )?;
        let leader = release.start("one", &[])?;
        leader.wait_until_ready()?;
        leader.wait_until_leader()?;
        let mut replicas = vec![leader];
        for name in ["two", "three"] {
            replicas.push(release.start(name, &[])?);
        }
        let at = match first {
            Which::Leader => 0,
            Which::Follower => 1,
        };
        release.send_to(&replicas[at])?;
        release.wait_until_active()?;
        let pod = asking("probe", SONNET, "eu-west-1");
        let mut creates = Self {
            world,
            release,
            replicas,
            first: at,
            namespaces: Vec::new(),
            probers: Vec::new(),
            before: current,
            current,
            total: Observations::default(),
            calling_errors: 0.0,
            calls: 0.0,
        };
        let first = world.neighbour("creates-0")?;
        wait_until_rewritten(world, &first, &pod, &current.value())?;
        creates.namespaces.push(first);
        for number in 1..CLIENTS {
            let namespace = world.neighbour(&format!("creates-{number}"))?;
            creates.namespaces.push(namespace);
        }
        creates.calling_errors = counter(world, CALLING_ERRORS)?;
        creates.calls = counter(world, CALLS)?;
        for namespace in &creates.namespaces {
            let prober = Prober::start(&world.plane().kubeconfig(), namespace, &pod)?;
            creates.probers.push(prober);
        }
        // The connections that the API server keeps are those to the first endpoint, so the fault concerns all of them.
        for prober in &creates.probers {
            prober.wait_for(5)?;
        }
        let others = creates.replicas.iter().enumerate();
        for (_, other) in others.filter(|(place, _)| *place != at) {
            creates.release.send_to(other)?;
        }
        Ok(creates)
    }

    /// Takes the replica that serves every kept connection from the others.
    pub(crate) fn remove_first(&mut self) -> Result<Replica> {
        ensure!(
            self.leader()? == 0,
            "another replica than the first started leads"
        );
        Ok(self.replicas.remove(self.first))
    }

    /// The leader's place among the replicas.
    ///
    /// # Errors
    /// If another number of replicas than one leads within a minute.
    pub(crate) fn leader(&self) -> Result<usize> {
        wait_for("one leader", || {
            let leads: Result<Vec<bool>> = self
                .replicas
                .iter()
                .map(|replica| Ok(replica.metric(LEADER)? == Some(1.0)))
                .collect();
            let leads = leads?;
            let count = leads.iter().filter(|leads| **leads).count();
            ensure!(count < 2, "{count} replicas lead");
            Ok(leads.iter().position(|leads| *leads))
        })
    }

    /// Starts another replica, and waits until it serves.
    pub(crate) fn succeed(&mut self, name: &str) -> Result<()> {
        let replica = self.release.start_ready(name, &[])?;
        self.replicas.push(replica);
        Ok(())
    }

    /// Waits until each client has stored another Pod.
    pub(crate) fn continues(&self) -> Result<()> {
        self.probers
            .iter()
            .try_for_each(|prober| prober.wait_for(1))
    }

    /// Changes the policy, and so the answer.
    pub(crate) fn change_policy(&mut self) -> Result<()> {
        let next = match self.current {
            Answer::Geographic => Answer::Global,
            Answer::Global => Answer::Geographic,
        };
        let policy = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy",
            "metadata": {"name": "default"}, "spec": next.policy()});
        self.world.apply(&policy.to_string())?;
        (self.before, self.current) = (self.current, next);
        Ok(())
    }

    /// Runs a fault that changes the policy once, holds every stored value against the two generations, and prints a row.
    pub(crate) fn fault(
        &mut self,
        name: &str,
        fault: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Observations> {
        let generation = self.before_and_current();
        let before = self.take();
        before.has_only(&generation)?;
        self.total.add(before);

        fault(self)?;
        self.wait_for_generation()?;
        let mut observed = self.wait_for_success()?;
        observed.stores_only(&self.before_and_current())?;
        self.before = self.current;
        for prober in &self.probers {
            prober.wait_for(AFTER)?;
        }
        let after = self.take();
        let current = self.current.value();
        after
            .has_only(&[&current])
            .with_context(|| format!("after the fault: {name}"))?;
        observed.add(after);
        println!("{}", observed.row(name));
        self.total.add(observed.clone());
        Ok(observed)
    }

    fn before_and_current(&self) -> Vec<String> {
        vec![self.before.value(), self.current.value()]
    }

    fn take(&self) -> Observations {
        let mut all = Observations::default();
        for observed in self.probers.iter().map(Prober::take) {
            all.add(observed);
        }
        all
    }

    /// Waits until every replica has the generation that the API server stores.
    fn wait_for_generation(&self) -> Result<()> {
        let generation = self.world.get("ipp", "default")?["metadata"]["generation"].as_f64();
        for replica in &self.replicas {
            wait_for(&format!("the last generation at {}", replica.name), || {
                Ok((replica.metric(ACTIVE_GENERATION)? == generation).then_some(()))
            })?;
        }
        Ok(())
    }

    /// Waits until each client stores several Pods in a row: no client has a review from before any more, and the API server calls no
    /// replica that is away.
    fn wait_for_success(&self) -> Result<Observations> {
        const IN_A_ROW: u32 = 15;
        let mut all = Observations::default();
        loop {
            for prober in &self.probers {
                prober.wait_for(IN_A_ROW)?;
            }
            let observed = self.take();
            let succeeds = observed.failed.is_empty() && observed.other_errors.is_empty();
            all.add(observed);
            if succeeds {
                return Ok(all);
            }
        }
    }

    /// Stops the clients, and compares their totals with the log and the counters of the API server. `continuous`: the API server was
    /// not restarted, and its answers all arrived, so that both must be equal.
    pub(crate) fn end(mut self, at_least: u32, continuous: bool) -> Result<()> {
        let answers = self.before_and_current();
        for prober in std::mem::take(&mut self.probers) {
            let last = prober.stop()?;
            last.has_only(&answers)?;
            self.total.add(last);
        }
        let total = &self.total;
        ensure!(
            total.attempts == total.created() + total.failures() + total.others()
                && total.created() >= at_least,
            "{total:?}"
        );
        let all = [Answer::Geographic.value(), Answer::Global.value()];
        total.stores_only(&all)?;
        self.holds_leftovers(&all)?;
        let namespaces: Vec<&str> = self.namespaces.iter().map(String::as_str).collect();
        let created = created_pods(
            self.world,
            &namespaces,
            total.created(),
            if continuous { 0 } else { CLIENTS },
        )?;
        ensure!(
            created == total.created() || !continuous,
            "{created} by the log of the API server, {} by the clients",
            total.created()
        );
        let errors = counter(self.world, CALLING_ERRORS)? - self.calling_errors;
        let calls = counter(self.world, CALLS)? - self.calls;
        println!(
            "total: {} creates, {} stored, {} failed by the webhook, {} others; API server: {created} stored{}",
            total.attempts,
            total.created(),
            total.failures(),
            total.others(),
            if continuous {
                format!(", {calls} calls of the webhook, {errors} that failed")
            } else {
                String::new()
            }
        );
        ensure!(
            !continuous || (errors - f64::from(total.failures())).abs() < 0.5,
            "{errors} failed calls by the API server's count: {total:?}"
        );
        Ok(())
    }

    /// Holds the Pods that no client has deleted, such as those whose response was lost, against the answers.
    fn holds_leftovers(&self, answers: &[String]) -> Result<()> {
        for namespace in &self.namespaces {
            let args = ["get", "pods", "-o", "json", "-n", namespace];
            let output = self.world.kubectl(&args, None)?.success("kubectl get")?;
            let pods: Value = serde_json::from_str(&output.stdout)?;
            for pod in pods["items"].as_array().into_iter().flatten() {
                let value = &pod["spec"]["containers"][0]["env"][0]["value"];
                let value = value.as_str().unwrap_or_default().to_owned();
                ensure!(answers.contains(&value), "a Pod was stored with {value}");
            }
        }
        Ok(())
    }
}

/// Waits until a Pod of a dry run would be stored with this value.
pub(crate) fn wait_until_rewritten(
    world: &World,
    namespace: &str,
    pod: &Value,
    value: &str,
) -> Result<()> {
    let args = [
        "create",
        "--dry-run=server",
        "-f",
        "-",
        "-o",
        "json",
        "-n",
        namespace,
    ];
    wait_for("a rewritten Pod", || {
        let output = world.kubectl(&args, Some(&pod.to_string()))?;
        let pod: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
        let stored = &pod["spec"]["containers"][0]["env"][0]["value"];
        Ok((*stored == value).then_some(()))
    })
}
