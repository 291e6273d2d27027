//! The tools, each pinned by a module of its own, as their dependencies do not agree.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::go::Build;

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Helm4,
    Helm3,
    HelmDocs,
    Kubeconform,
    KubeScore,
    Promtool,
}

impl Tool {
    const ALL: [Self; 6] = [
        Self::Helm4,
        Self::Helm3,
        Self::HelmDocs,
        Self::Kubeconform,
        Self::KubeScore,
        Self::Promtool,
    ];

    /// The folder of its module in `assets/`, which is its name too; its package; how long it takes to build on two cores.
    const fn pinned(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Helm4 => ("helm4", "helm.sh/helm/v4/cmd/helm", "3 minutes"),
            Self::Helm3 => ("helm3", "helm.sh/helm/v3/cmd/helm", "2 minutes"),
            Self::HelmDocs => (
                "helm-docs",
                "github.com/norwoodj/helm-docs/cmd/helm-docs",
                "a minute",
            ),
            Self::Kubeconform => (
                "kubeconform",
                "github.com/yannh/kubeconform/cmd/kubeconform",
                "seconds",
            ),
            Self::KubeScore => (
                "kube-score",
                "github.com/zegl/kube-score/cmd/kube-score",
                "half a minute",
            ),
            Self::Promtool => (
                "promtool",
                "github.com/prometheus/prometheus/cmd/promtool",
                "3 minutes",
            ),
        }
    }

    /// Where the program is. Builds it, where that has not been done.
    pub(crate) fn path(self) -> &'static Path {
        static PATHS: [OnceLock<PathBuf>; Tool::ALL.len()] =
            [const { OnceLock::new() }; Tool::ALL.len()];
        let at = Self::ALL.iter().position(|tool| *tool == self).unwrap();
        PATHS[at].get_or_init(|| {
            let (name, package, takes) = self.pinned();
            let build = Build {
                what: name,
                module: &format!("tests/chart/assets/{name}"),
                packages: &[(name, package)],
                link_flags: "-s -w",
                workshop: workshop(),
                name,
                takes,
            };
            build.folder().unwrap().join(name)
        })
    }

    /// A run of it that finds nothing of the user's own.
    pub(crate) fn command(self) -> Command {
        let mut command = Command::new(self.path());
        command
            .env("HOME", workshop())
            .env_remove("KUBECONFIG")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::null());
        command
    }
}

/// The folder under `target/` where the tools live.
fn workshop() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("chart")
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Holds a file against what it should be; writes it instead where `UPDATE` is set.
pub(crate) fn assert_generated(file: &str, expected: &str) {
    let path = repository(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != expected {
        let difference = similar::TextDiff::from_lines(committed.as_str(), expected);
        let difference = difference
            .unified_diff()
            .header(file, "expected")
            .to_string();
        panic!("{difference}\nif that is meant: UPDATE=1 cargo test --test chart");
    }
}
