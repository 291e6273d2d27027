//! A release on a real node, as Helm installs it.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{
    helm::{CHART, FORGET, Helm},
    pinned::HELM_4,
    release::{NAME, TODAY},
    world::World,
};

/// An installed release; it is uninstalled with the value, since its cluster-wide names are taken until then.
pub(crate) struct Deployment<'w> {
    /// What installed it.
    pub(crate) helm: Helm<'w>,
}

impl<'w> Deployment<'w> {
    /// Installs a release with the chart's defaults in mode Rewrite, and waits until its policy is ready.
    pub(crate) fn install(world: &'w World) -> Result<Self> {
        Self::with(world, &["--set=policy.mode=Rewrite"])
    }

    /// Installs a release with these arguments into the namespace of the world, and waits until its policy is ready.
    pub(crate) fn with(world: &'w World, arguments: &[&str]) -> Result<Self> {
        let helm = Helm {
            world,
            tool: HELM_4,
            mode: &[],
        };
        let deployment = Self { helm };
        let today = format!("--set=extraArgs[0]=--today={TODAY}");
        let mut all = vec!["install", NAME, CHART, "--wait", "--timeout=60s", &today];
        all.extend(arguments);
        helm.run(&all).with_context(|| logs(world))?;
        deployment.wait_until_ready()?;
        Ok(deployment)
    }

    /// What an administrator waits for after an installation.
    pub(crate) fn wait_until_ready(&self) -> Result<()> {
        let world = self.helm.world;
        let wait_for_ready = [
            "wait",
            "--for=condition=Ready",
            "ipp/default",
            "--timeout=60s",
        ];
        world
            .kubectl(&wait_for_ready, None)?
            .success("kubectl wait")
            .with_context(|| logs(world))
            .map(|_| ())
    }
}

impl Drop for Deployment<'_> {
    fn drop(&mut self) {
        save_logs(self.helm.world);
        let gone = self.helm.uninstall().and_then(|()| {
            let forgotten = self.helm.world.kubectl(FORGET, None)?;
            forgotten.success("kubectl delete").map(|_| ())
        });
        if let Err(error) = gone {
            eprintln!("the release was not uninstalled, and later trials may fail: {error:#}");
        }
    }
}

/// The last log lines of every Pod of the release, in whatever namespace.
fn logs(world: &World) -> String {
    let selector = format!("app.kubernetes.io/name={NAME}");
    let names = "jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{'\\n'}{end}";
    let pods = ["get", "pods", "-A", "--selector", &selector, "-o", names];
    let pods = match world.kubectl(&pods, None) {
        Ok(pods) => pods.stdout + &pods.stderr,
        Err(error) => return error.to_string(),
    };
    let of = |(namespace, pod): (&str, &str)| {
        let args = ["logs", pod, "--namespace", namespace, "--tail=40"];
        let log = world.kubectl(&args, None);
        let log = log.map_or_else(|error| error.to_string(), |log| log.stdout + &log.stderr);
        format!("{namespace}/{pod}:\n{log}")
    };
    let logs = pods.lines().filter_map(|line| line.split_once(' ')).map(of);
    logs.collect()
}

/// Writes the logs of the release's Pods to the folder of the world, whose logs are printed when a trial fails. The Pods are gone then.
pub(crate) fn save_logs(world: &World) {
    let _ = fs::write(world.folder().join("release.log"), logs(world)); // evidence only
}

/// What the Pod Security Standard `restricted` wants of a container. The user is the image's own.
pub(crate) fn restricted() -> Value {
    json!({"runAsNonRoot": true, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}})
}
