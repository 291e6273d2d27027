//! Programs in Go that tests run beside Kubernetes, each pinned by a module of its own, as their dependencies do not agree.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Result;

use crate::go::Build;

/// A program that is built once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    /// Its name, and that of the folder of its module in `tests/chart/assets/`.
    pub(crate) name: &'static str,
    /// Its package.
    pub(crate) package: &'static str,
    /// How long it takes to build on two cores, for people.
    pub(crate) takes: &'static str,
}

/// Helm as it is.
pub(crate) const HELM_4: Tool = Tool {
    name: "helm4",
    package: "helm.sh/helm/v4/cmd/helm",
    takes: "3 minutes",
};

/// Helm as most still have it.
pub(crate) const HELM_3: Tool = Tool {
    name: "helm3",
    package: "helm.sh/helm/v3/cmd/helm",
    takes: "2 minutes",
};

impl Tool {
    /// Where the program is. Builds it, where that has not been done, which needs the network.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        let build = Build {
            what: self.name,
            module: &format!("tests/chart/assets/{}", self.name),
            packages: &[(self.name, self.package)],
            link_flags: "-s -w",
            workshop: workshop(),
            name: self.name,
            takes: self.takes,
        };
        Ok(build.folder()?.join(self.name))
    }

    /// A run of it that finds nothing of the user's own, in the root of the repository.
    pub(crate) fn command(&self) -> Result<Command> {
        let mut command = Command::new(self.path()?);
        command
            .env("HOME", workshop())
            .env_remove("KUBECONFIG")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null());
        Ok(command)
    }
}

/// The folder under `target/` where such programs live.
fn workshop() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("chart")
}
