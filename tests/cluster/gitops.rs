//! The engines of Argo CD and Flux, each as a program of its own, and what they report. Their modules are apart: their versions of
//! Kubernetes' libraries do not agree.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{binaries, go::Build, world::World};

/// A program with an engine, built from the module of its name in `assets/`.
#[derive(Clone, Copy)]
pub(crate) struct Engine {
    name: &'static str,
    packages: &'static [(&'static str, &'static str)],
    takes: &'static str,
}

/// Argo CD 3.5.7 with its gitops-engine.
pub(crate) const ARGO_CD: Engine = Engine {
    name: "argocd",
    packages: &[("argocd", "bedrock-profiles.dev/tests/cluster/assets/argocd")],
    takes: "2 minutes on two cores",
};

/// The server-side apply of Flux, fluxcd/pkg/ssa 0.78.0.
pub(crate) const FLUX: Engine = Engine {
    name: "flux",
    packages: &[("flux", "bedrock-profiles.dev/tests/cluster/assets/flux")],
    takes: "a minute on two cores",
};

impl Engine {
    /// Builds the program, once. Needs the network then, so it comes before the namespaces.
    pub(crate) fn build(self) -> Result<PathBuf> {
        let folder = Build {
            what: &format!("the engine of {}", self.name),
            module: &format!("tests/cluster/assets/{}", self.name),
            packages: self.packages,
            tags: "",
            link_flags: "-s -w",
            parent: binaries::tools_folder(),
            name: self.name,
            takes: self.takes,
        }
        .folder()?;
        Ok(folder.join(self.name))
    }

    /// Runs the program on manifests, a List, in the trial's namespace, and returns what it reports.
    pub(crate) fn run(self, world: &World, arguments: &[&str], manifests: &str) -> Result<Value> {
        self.run_in(world, world.namespace(), arguments, manifests)
    }

    /// The same in another namespace.
    pub(crate) fn run_in(
        self,
        world: &World,
        namespace: &str,
        arguments: &[&str],
        manifests: &str,
    ) -> Result<Value> {
        let mut child = Command::new(self.build()?)
            .args(arguments)
            .arg(namespace)
            .env("KUBECONFIG", world.kubeconfig())
            .env("HOME", world.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        let mut pipe = child.stdin.take().context("no standard input")?;
        pipe.write_all(manifests.as_bytes())?; // the program reads all of it before it prints
        drop(pipe);
        let output = child.wait_with_output()?;
        ensure!(
            output.status.success(),
            "{} {arguments:?}: {}",
            self.name,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}
