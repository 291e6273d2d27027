//! Clients that create Pods without a pause while a release has a fault, and the policy changes in the middle of it. Every stored
//! Pod has the answer of the generation before or of the one after; once every replica has the generation after, of that one alone.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{
    admin::Admin,
    counters::{counter, created_pods},
    prober::{Observations, Prober, wait_until_rewritten},
    process::wait_for,
    release::Chart,
    trials::product::SONNET,
    world::World,
};

/// How many clients create Pods at once.
pub(crate) const CLIENTS: u32 = 3;

/// How many Pods each client creates after a fault, all of which must have the new answer.
const AFTER: u32 = 40;

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

/// The answer of the release as it is installed.
const FIRST: Answer = Answer::Geographic;

/// What the release ships.
pub(crate) fn chart() -> Chart<'static> {
    Chart {
        policy: FIRST.policy(),
        ..Chart::default()
    }
}

/// The clients, and what became of their Pods.
pub(crate) struct Clients<'w> {
    world: &'w World,
    namespaces: Vec<String>,
    probers: Vec<Prober>,
    after: u32,
    before: Answer,
    current: Answer,
    /// Whether a Pod may have been stored unchanged.
    unchanged: bool,
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

impl<'w> Clients<'w> {
    /// Starts to create Pods after this one as soon as they are rewritten.
    pub(crate) fn start(world: &'w World, pod: &Value) -> Result<Self> {
        let first = world.neighbour("creates-0")?;
        wait_until_rewritten(world, &first, pod, &FIRST.value())?;
        let mut namespaces = vec![first];
        for number in 1..CLIENTS {
            namespaces.push(world.neighbour(&format!("creates-{number}"))?);
        }
        let (calling_errors, calls) = (counter(world, CALLING_ERRORS)?, counter(world, CALLS)?);
        let kubeconfig = world.plane().kubeconfig();
        let probers: Result<Vec<_>> = namespaces
            .iter()
            .map(|namespace| Prober::start(&kubeconfig, namespace, pod))
            .collect();
        Ok(Self {
            world,
            namespaces,
            probers: probers?,
            after: AFTER,
            before: FIRST,
            current: FIRST,
            unchanged: false,
            total: Observations::default(),
            calling_errors,
            calls,
        })
    }

    /// Sets how many Pods each client stores after a fault.
    pub(crate) fn store_after_each(&mut self, after: u32) {
        self.after = after;
    }

    /// Permits that Pods are stored unchanged from now on, but not after a fault.
    pub(crate) fn permit_unchanged(&mut self) {
        self.unchanged = true;
    }

    /// Waits until each client has stored so many more Pods.
    pub(crate) fn store(&self, more: u32) -> Result<()> {
        const AT_ONCE: u32 = 50; // far fewer than a client stores while a trial waits
        let before: Vec<u32> = self.probers.iter().map(Prober::stored).collect();
        for stored in (0..more).step_by(AT_ONCE as usize) {
            let stored = more.min(stored + AT_ONCE);
            for (prober, before) in self.probers.iter().zip(&before) {
                prober.wait_until(before + stored)?;
            }
        }
        Ok(())
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

    /// Begins a fault: up to here every create succeeds.
    pub(crate) fn begin(&mut self) -> Result<()> {
        let before = self.take();
        before.has_only(&self.before_and_current())?;
        self.total.add(before);
        Ok(())
    }

    /// Ends a fault that has changed the policy once: waits until every replica has the last generation and creates succeed again,
    /// holds every stored value against the two generations, and prints a row.
    pub(crate) fn finish(&mut self, name: &str, replicas: &[Admin]) -> Result<Observations> {
        self.wait_for_generation(replicas)?;
        let mut observed = self.wait_for_success()?;
        observed.stores_only(&self.before_and_current())?;
        self.before = self.current;
        self.store(self.after)?;
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
        let unchanged = self.unchanged.then(|| SONNET.to_owned());
        [self.before.value(), self.current.value()]
            .into_iter()
            .chain(unchanged)
            .collect()
    }

    fn take(&self) -> Observations {
        let mut all = Observations::default();
        for observed in self.probers.iter().map(Prober::take) {
            all.add(observed);
        }
        all
    }

    /// Waits until every replica has the generation that the API server stores.
    fn wait_for_generation(&self, replicas: &[Admin]) -> Result<()> {
        let generation = self.world.get("ipp", "default")?["metadata"]["generation"].as_f64();
        for replica in replicas {
            wait_for(&format!("the last generation at {replica:?}"), || {
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
            self.store(IN_A_ROW)?;
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
        let mut all = self.before_and_current();
        all.extend([Answer::Geographic, Answer::Global].map(Answer::value));
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
