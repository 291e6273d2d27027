//! Creates Pods one after the other, all through a trial, and keeps what each was stored with.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use bedrock_profiles::cluster::client::Clients;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Config,
    api::{DeleteParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;

/// How long to wait between two Pods.
const PAUSE: Duration = Duration::from_millis(5);

/// A running prober; it stops with the value.
pub(crate) struct Prober {
    observations: Arc<Mutex<Observations>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

/// What became of the Pods.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observations {
    /// How many were stored with each value of the first variable.
    pub(crate) stored: BTreeMap<String, u32>,
    /// How many were refused or not answered, by the API server's words.
    pub(crate) failed: BTreeMap<String, u32>,
}

impl Observations {
    /// Adds what another look has seen.
    pub(crate) fn add(&mut self, other: Self) {
        for (value, count) in other.stored {
            *self.stored.entry(value).or_default() += count;
        }
        for (error, count) in other.failed {
            *self.failed.entry(error).or_default() += count;
        }
    }

    /// Fails unless every create succeeded and was stored with one of these values.
    pub(crate) fn has_only(&self, allowed: &[&str]) -> Result<()> {
        let unexpected = |value: &&String| !allowed.contains(&value.as_str());
        let wrong = self.stored.keys().find(unexpected);
        anyhow::ensure!(
            wrong.is_none() && self.failed.is_empty(),
            "only {allowed:?} may be stored: {self:?}"
        );
        Ok(())
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
                .block_on(probe(kubeconfig, &namespace, pod, &shared, &is_stopped))
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
        let aim = lock(&self.observations).created() + more;
        crate::process::wait_for(&format!("{more} more Pods"), || {
            let over = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
            anyhow::ensure!(!over, "the prober has ended");
            Ok((lock(&self.observations).created() >= aim).then_some(()))
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
    observations: &Mutex<Observations>,
    stop: &AtomicBool,
) -> Result<()> {
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    // The writing client repeats nothing: what fails once has failed.
    let api = Api::<Pod>::namespaced(Clients::of(&config)?.writing, namespace);
    for number in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("probe-{number}");
        let mut pod = pod.clone();
        pod.metadata.name = Some(name.clone());
        match api.create(&PostParams::default(), &pod).await {
            Ok(stored) => {
                let value = first_value(&stored).unwrap_or_default();
                *lock(observations).stored.entry(value).or_default() += 1;
                // What is left over when the API server is away harms nobody.
                let _ = api
                    .delete(&name, &DeleteParams::default().grace_period(0))
                    .await;
            }
            Err(error) => {
                *lock(observations)
                    .failed
                    .entry(error.to_string())
                    .or_default() += 1;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

fn first_value(pod: &Pod) -> Option<String> {
    let container = pod.spec.as_ref()?.containers.first()?;
    container.env.as_ref()?.first()?.value.clone()
}
