//! A release on a real node, as Helm installs it.

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
        let in_force = [
            "wait",
            "--for=condition=Ready",
            "ipp/default",
            "--timeout=60s",
        ];
        world
            .kubectl(&in_force, None)?
            .success("kubectl wait")
            .with_context(|| logs(world))
            .map(|_| ())
    }
}

impl Drop for Deployment<'_> {
    fn drop(&mut self) {
        let gone = self.helm.uninstall().and_then(|()| {
            let forgotten = self.helm.world.kubectl(FORGET, None)?;
            forgotten.success("kubectl delete").map(|_| ())
        });
        if let Err(error) = gone {
            eprintln!("the release was not uninstalled, and later trials may fail: {error:#}");
        }
    }
}

/// What the replicas say, for the report of a failure.
fn logs(world: &World) -> String {
    let selector = format!("app.kubernetes.io/name={NAME}");
    let said = world.kubectl(&["logs", "--selector", &selector, "--tail=20"], None);
    said.map_or_else(|error| error.to_string(), |said| said.stdout + &said.stderr)
}

/// What the Pod Security Standard `restricted` wants of a container. The user is the image's own.
pub(crate) fn restricted() -> Value {
    json!({"runAsNonRoot": true, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}})
}
