//! Go programs that tests run beside Kubernetes. Modules are separate where their dependencies do not agree.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Result;

use crate::go::Build;

/// Programs that are built together.
#[derive(Debug)]
pub(crate) struct Module {
    /// The folder of the module in `tests/chart/assets/`.
    pub(crate) name: &'static str,
    /// Name and package of each program.
    pub(crate) packages: &'static [(&'static str, &'static str)],
    /// Build tags.
    pub(crate) tags: &'static str,
    /// Duration of the build on two cores.
    pub(crate) takes: &'static str,
}

/// A program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// Its name.
    pub(crate) name: &'static str,
    /// The module that pins it.
    pub(crate) module: &'static Module,
}

/// Both versions of Helm, which share most of their packages.
static HELM: Module = Module {
    name: "helm",
    packages: &[
        ("helm4", "helm.sh/helm/v4/cmd/helm"),
        ("helm3", "helm.sh/helm/v3/cmd/helm"),
    ],
    tags: "",
    takes: "3 minutes",
};

/// The current version of Helm.
pub(crate) const HELM_4: Tool = Tool {
    name: "helm4",
    module: &HELM,
};

/// The previous version of Helm.
pub(crate) const HELM_3: Tool = Tool {
    name: "helm3",
    module: &HELM,
};

/// Evaluates alerts and parses metrics. Built without the service discoveries of the clouds, which are most of Prometheus.
pub(crate) const PROMTOOL: Tool = Tool {
    name: "promtool",
    module: &Module {
        name: "promtool",
        packages: &[("promtool", "github.com/prometheus/prometheus/cmd/promtool")],
        tags: "remove_all_sd",
        takes: "2 minutes",
    },
};

impl PartialEq for Tool {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Tool {
    /// The path of the program. Builds its module if necessary, which needs the network.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        let build = Build {
            what: &self.names(),
            module: &format!("tests/chart/assets/{}", self.module.name),
            packages: self.module.packages,
            tags: self.module.tags,
            link_flags: "-s -w",
            parent: builds(),
            name: self.module.name,
            takes: self.module.takes,
        };
        Ok(build.folder()?.join(self.name))
    }

    /// The program as a command in the root of the repository, without the configuration of the user.
    pub(crate) fn command(&self) -> Result<Command> {
        let mut command = Command::new(self.path()?);
        command
            .env("HOME", builds())
            .env_remove("KUBECONFIG")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null());
        Ok(command)
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.module.packages.iter().map(|(name, _)| *name).collect();
        names.join(" and ")
    }
}

/// The folder under `target/` with the builds.
pub(crate) fn builds() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("chart")
}
