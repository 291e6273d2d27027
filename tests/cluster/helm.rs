//! Helm, as a person has it, on the plane of a trial.

use std::process::{Output, Stdio};

use anyhow::{Result, ensure};

use crate::{
    pinned::{HELM_3, Tool},
    release::NAME,
    world::World,
};

/// Where the chart is.
pub(crate) const CHART: &str = "charts/bedrock-profiles";

/// What a person types to remove what an uninstallation keeps.
pub(crate) const FORGET: &[&str] = &[
    "delete",
    "crd",
    "inferenceprofilemappings.bedrock-profiles.dev",
    "inferenceprofilepolicies.bedrock-profiles.dev",
];

/// A version of Helm, and how it is to apply.
#[derive(Clone, Copy)]
pub(crate) struct Helm<'w> {
    /// Where.
    pub(crate) world: &'w World,
    /// Which.
    pub(crate) tool: Tool,
    /// Further arguments of what applies something.
    pub(crate) mode: &'static [&'static str],
}

impl Helm<'_> {
    /// Runs a command in the namespace of the world. What it refuses is an [`Output`], not an error.
    pub(crate) fn try_run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.tool.command()?;
        command
            .args(arguments)
            .args(["--namespace", self.world.namespace()])
            .env("KUBECONFIG", self.world.kubeconfig())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command.output()?)
    }

    /// Runs a command that has to succeed, and returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.try_run(arguments)?;
        let errors = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "helm {arguments:?}: {errors}{printed}"
        );
        Ok(printed.into_owned())
    }

    /// `install` or `upgrade` of the release, with these arguments and in mode Rewrite.
    pub(crate) fn put(&self, verb: &str, arguments: &[&str]) -> Result<String> {
        let mut all = vec![verb, NAME, CHART, "--set", "policy.mode=Rewrite"];
        all.extend(arguments);
        all.extend(self.mode);
        self.run(&all)
    }

    /// Replaces every object by what is shipped.
    pub(crate) fn replace(&self) -> Result<String> {
        if self.tool == HELM_3 {
            self.put("upgrade", &["--force"])
        } else {
            self.put("upgrade", &["--force-replace", "--server-side=false"])
        }
    }

    /// Goes back to a revision.
    pub(crate) fn rollback(&self, revision: &str) -> Result<String> {
        let mut all = vec!["rollback", NAME, revision];
        all.extend(self.mode);
        self.run(&all)
    }

    /// Uninstalls the release, and waits until its objects are gone.
    pub(crate) fn uninstall(&self) -> Result<()> {
        let printed = self.run(&["uninstall", NAME, "--wait", "--timeout=60s"])?;
        ensure!(printed.contains("uninstalled"), "{printed}");
        Ok(())
    }
}
