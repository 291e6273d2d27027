//! Creates Pods one after the other, all through a trial, reads each back, and keeps the value that each was stored with.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use bedrock_profiles::cluster::client::Clients;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Config,
    api::{DeleteParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;

use crate::{
    process::{MAX_WAIT, wait_for},
    world::World,
};

/// How long to wait between two Pods.
const PAUSE: Duration = Duration::from_millis(5);

/// How long to wait before a stored Pod that could not be read is read again.
const READ_AGAIN: Duration = Duration::from_millis(100);

/// The end of the names of the webhooks, as the API server quotes it in a refusal.
const OUR_WEBHOOK: &str = ".bedrock-profiles.dev\"";

/// A running prober; it stops with the value.
pub(crate) struct Prober {
    observations: Arc<Mutex<Observations>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

/// How long the namespace of a prober stays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stay {
    Lasting,
    /// A stored Pod may be gone before it is read back.
    Deleted,
}

/// What became of the Pods.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observations {
    /// How many creates were sent and have ended.
    pub(crate) attempts: u32,
    /// How many were stored with each value of the first variable, as it was read back.
    pub(crate) stored: BTreeMap<String, u32>,
    /// How many were refused with the name of a webhook of the release, by the message of the API server.
    pub(crate) failed: BTreeMap<String, u32>,
    /// How many failed for another reason, such as an API server that is away, by error.
    pub(crate) other_errors: BTreeMap<String, u32>,
    /// The longest time between two Pods that one prober stored.
    pub(crate) longest_gap: Duration,
}

impl Observations {
    /// Adds a stored Pod, and the time since the one before.
    fn record_stored(&mut self, value: String, gap: Duration) {
        self.attempts += 1;
        self.longest_gap = self.longest_gap.max(gap);
        *self.stored.entry(value).or_default() += 1;
    }

    /// Adds the observations of another prober or of a later time.
    pub(crate) fn add(&mut self, other: Self) {
        self.attempts += other.attempts;
        self.longest_gap = self.longest_gap.max(other.longest_gap);
        for (counts, others) in [
            (&mut self.stored, other.stored),
            (&mut self.failed, other.failed),
            (&mut self.other_errors, other.other_errors),
        ] {
            for (key, count) in others {
                *counts.entry(key).or_default() += count;
            }
        }
    }

    /// Fails unless every create succeeded and was stored with one of these values.
    pub(crate) fn has_only(&self, allowed: &[impl AsRef<str> + std::fmt::Debug]) -> Result<()> {
        ensure!(
            self.failed.is_empty() && self.other_errors.is_empty(),
            "no create may fail: {self:?}"
        );
        self.stores_only(allowed)
    }

    /// Fails if a Pod was stored with another value.
    pub(crate) fn stores_only(&self, allowed: &[impl AsRef<str> + std::fmt::Debug]) -> Result<()> {
        let unexpected =
            |value: &&String| !allowed.iter().any(|one| one.as_ref() == value.as_str());
        let wrong = self.stored.keys().find(unexpected);
        ensure!(wrong.is_none(), "only {allowed:?} may be stored: {self:?}");
        Ok(())
    }

    /// How many creates the webhook failed.
    pub(crate) fn failures(&self) -> u32 {
        self.failed.values().sum()
    }

    /// A row of the table in `docs/reliability.md`.
    pub(crate) fn row(&self, fault: &str) -> String {
        format!(
            "| {fault} | {} | {} | {} | {:.1} s |",
            self.attempts,
            self.failures(),
            self.others(),
            self.longest_gap.as_secs_f64()
        )
    }

    /// How many creates failed for another reason.
    pub(crate) fn others(&self) -> u32 {
        self.other_errors.values().sum()
    }

    /// How many Pods were stored.
    pub(crate) fn created(&self) -> u32 {
        self.stored.values().sum()
    }
}

impl Prober {
    /// Starts to create Pods after this one in a namespace, each with a name of its own. Each is deleted at once, so that
    /// thousands of them weigh nothing.
    pub(crate) fn start(kubeconfig: &Path, namespace: &str, pod: &Value) -> Result<Self> {
        Self::start_in(kubeconfig, namespace, pod, Stay::Lasting)
    }

    /// The same in a namespace that may be deleted meanwhile, with its Pods.
    pub(crate) fn start_in_deleted(
        kubeconfig: &Path,
        namespace: &str,
        pod: &Value,
    ) -> Result<Self> {
        Self::start_in(kubeconfig, namespace, pod, Stay::Deleted)
    }

    fn start_in(kubeconfig: &Path, namespace: &str, pod: &Value, stay: Stay) -> Result<Self> {
        let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
        let pod: Pod = serde_json::from_value(pod.clone())?;
        let (observations, stop) = (
            Arc::<Mutex<Observations>>::default(),
            Arc::new(AtomicBool::new(false)),
        );
        let (shared, is_stopped, namespace) = (
            Arc::clone(&observations),
            Arc::clone(&stop),
            namespace.to_owned(),
        );
        let thread = thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(probe(
                    kubeconfig,
                    &namespace,
                    pod,
                    stay,
                    &shared,
                    &is_stopped,
                ))
        });
        Ok(Self {
            observations,
            stop,
            thread: Some(thread),
        })
    }

    /// What has become of the Pods since the last call.
    pub(crate) fn take(&self) -> Observations {
        std::mem::take(&mut *lock(&self.observations))
    }

    /// Waits until so many more were stored.
    pub(crate) fn wait_for(&self, more: u32) -> Result<()> {
        self.wait_until(self.stored() + more)
    }

    /// How many were stored since the last [`Self::take`].
    pub(crate) fn stored(&self) -> u32 {
        lock(&self.observations).created()
    }

    /// Waits until so many were stored since the last [`Self::take`].
    pub(crate) fn wait_until(&self, stored: u32) -> Result<()> {
        wait_for(&format!("{stored} stored Pods"), || {
            let over = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
            ensure!(!over, "the prober has ended");
            Ok((self.stored() >= stored).then_some(()))
        })
    }

    /// Waits until a create failed for another reason than the webhook.
    pub(crate) fn wait_for_other_error(&self) -> Result<()> {
        wait_for("a create that fails for another reason", || {
            Ok((lock(&self.observations).others() > 0).then_some(()))
        })
    }

    /// Stops, and says what has become of the Pods since the last look.
    pub(crate) fn stop(mut self) -> Result<Observations> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("a prober is stopped once")?;
        thread
            .join()
            .map_err(|_| anyhow!("the prober panicked"))??;
        Ok(self.take())
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn lock(observations: &Mutex<Observations>) -> MutexGuard<'_, Observations> {
    observations.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn probe(
    kubeconfig: Kubeconfig,
    namespace: &str,
    pod: Pod,
    stay: Stay,
    observations: &Mutex<Observations>,
    stop: &AtomicBool,
) -> Result<()> {
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    // The writing client repeats nothing: what fails once has failed.
    let api = Api::<Pod>::namespaced(Clients::of(&config)?.writing, namespace);
    let mut last_stored = Instant::now();
    for number in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("probe-{number}");
        let mut pod = pod.clone();
        pod.metadata.name = Some(name.clone());
        match api.create(&PostParams::default(), &pod).await {
            Ok(created) => {
                let gap = last_stored.elapsed();
                last_stored = Instant::now();
                let value = match read_back(&api, &name).await? {
                    Some(stored) => stored,
                    None if stay == Stay::Deleted => first_value(&created).unwrap_or_default(),
                    None => bail!("{name} was stored and is gone"),
                };
                lock(observations).record_stored(value, gap);
                // Pods that remain when the API server is away harm nothing.
                let _ = api
                    .delete(&name, &DeleteParams::default().grace_period(0))
                    .await;
            }
            Err(error) => {
                let (error, mut observed) = (error.to_string(), lock(observations));
                observed.attempts += 1;
                let errors = if error.contains(OUR_WEBHOOK) {
                    &mut observed.failed
                } else {
                    &mut observed.other_errors
                };
                *errors.entry(error).or_default() += 1;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// The value of a stored Pod, if it is still there; the read is repeated while the API server is away.
async fn read_back(api: &Api<Pod>, name: &str) -> Result<Option<String>> {
    let started = Instant::now();
    loop {
        match api.get(name).await {
            Ok(pod) => return Ok(Some(first_value(&pod).unwrap_or_default())),
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
            Err(error) if started.elapsed() > MAX_WAIT => {
                return Err(error).with_context(|| format!("{name} cannot be read back"));
            }
            Err(_) => tokio::time::sleep(READ_AGAIN).await,
        }
    }
}

fn first_value(pod: &Pod) -> Option<String> {
    let container = pod.spec.as_ref()?.containers.first()?;
    container.env.as_ref()?.first()?.value.clone()
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
