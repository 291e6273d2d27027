//! The binaries of Kubernetes: from `KUBEBUILDER_ASSETS`, or built once from the Go module in `assets/`.
//!
//! Nothing of the machine's own Kubernetes is used: a trial's warnings depend on the version of `kubectl` as well.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::go::Build;

/// The version that the Go module pins, stamped into the binaries: without it the server calls itself `v0.0.0-master`.
pub(crate) const VERSION: &str = "v1.36.3";

/// What `assets/go.mod` names as tools: the binary's name and its package.
const PACKAGES: [(&str, &str); 4] = [
    ("etcd", "go.etcd.io/etcd/server/v3"),
    ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    (
        "kube-controller-manager",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
    ),
    ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
];

/// A folder with `etcd`, `kube-apiserver`, `kubectl` and, perhaps, `kube-controller-manager`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Finds the binaries, or builds them: minutes the first time, nothing after it. Needs the network, so it comes before the namespaces.
    pub(crate) fn locate() -> Result<Self> {
        let Some(folder) = env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty())
        else {
            return build();
        };
        let folder = fs::canonicalize(&folder)
            .with_context(|| format!("KUBEBUILDER_ASSETS is {}", Path::new(&folder).display()))?;
        let found = Self { folder };
        for name in ["etcd", "kube-apiserver", "kubectl"] {
            ensure!(
                found.path(name).is_file(),
                "KUBEBUILDER_ASSETS has no {name} ({}): complete it, or unset the variable to have it built",
                found.path(name).display()
            );
        }
        Ok(found)
    }

    /// Where the binary of this name is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether the controllers can run: the usual contents of `KUBEBUILDER_ASSETS` lack them.
    pub(crate) fn has_controllers(&self) -> bool {
        self.path("kube-controller-manager").is_file()
    }

    /// The folder, for people and for `PATH`.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The folder under `target/` where binaries and the record of a held plane live.
pub(crate) fn tools_folder() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("plane")
}

fn build() -> Result<Binaries> {
    let build = Build {
        what: &format!("{VERSION} of Kubernetes"),
        module: "tests/cluster/assets",
        packages: &PACKAGES,
        tags: "",
        link_flags: &link_flags(),
        parent: tools_folder(),
        name: VERSION,
        takes: "about 6 minutes on two cores",
    };
    Ok(Binaries {
        folder: build.folder()?,
    })
}

/// What the linker stamps into programs of Kubernetes.
pub(crate) fn link_flags() -> String {
    let version = "k8s.io/component-base/version";
    let mut parts = VERSION.trim_start_matches('v').split('.');
    let (major, minor) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    format!(
        "-s -w -X {version}.gitVersion={VERSION} -X {version}.gitMajor={major} -X {version}.gitMinor={minor}"
    )
}
