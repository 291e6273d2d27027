//! What a node is made of: programs in Go, built once; Debian's packages; the image of the product.

use std::{
    env, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::{
    binaries::{self, VERSION},
    go::Build,
};

/// Programs that stand in the module of the control plane, so that their version is its version.
const KUBERNETES: [(&str, &str); 3] = [
    ("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
    ("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
    ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
];

/// Programs that bring other versions of the same libraries.
const RUNTIME: [(&str, &str); 7] = [
    (
        "containerd",
        "github.com/containerd/containerd/v2/cmd/containerd",
    ),
    (
        "containerd-shim-runc-v2",
        "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    ),
    ("ctr", "github.com/containerd/containerd/v2/cmd/ctr"),
    (
        "bridge",
        "github.com/containernetworking/plugins/plugins/main/bridge",
    ),
    (
        "loopback",
        "github.com/containernetworking/plugins/plugins/main/loopback",
    ),
    (
        "host-local",
        "github.com/containernetworking/plugins/plugins/ipam/host-local",
    ),
    ("pause", "bedrock-profiles.dev/tests/cluster/assets/node"),
];

const DNS: [(&str, &str); 1] = [("coredns", "bedrock-profiles.dev/tests/cluster/assets/dns")];

/// A program of the system, and Debian's package of it.
const SYSTEM: [(&str, &str); 4] = [
    ("runc", "runc"),
    ("nft", "nftables"),
    ("ip", "iproute2"),
    ("tar", "tar"),
];

/// What the image is made of, below the root of the repository.
const SOURCES: [&str; 7] = [
    "src",
    "crates",
    "catalog",
    "Cargo.toml",
    "Cargo.lock",
    "Dockerfile",
    "image",
];

/// Where everything is that a node needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tools {
    kubernetes: PathBuf,
    runtime: PathBuf,
    dns: PathBuf,
    image: PathBuf,
}

impl Tools {
    /// Finds everything; builds what is built: three minutes after a control plane, once. Needs the network then, so it comes
    /// before the namespaces.
    ///
    /// # Errors
    /// What is missing, and how to get it.
    pub(crate) fn locate() -> Result<Self> {
        ensure!(
            fs::metadata("/proc/self")?.uid() == 0,
            "a node needs root, for containers, mounts and cgroups: run it as root, `sudo -E make node`"
        );
        require_packages()?;
        let image = image()?;
        let build = |what, module, packages, link_flags, name, takes| {
            Build {
                what,
                module,
                packages,
                tags: "",
                link_flags,
                parent: binaries::tools_folder(),
                name,
                takes,
            }
            .folder()
        };
        Ok(Self {
            kubernetes: build(
                "kubelet, kube-proxy and kube-scheduler",
                "tests/cluster/assets",
                &KUBERNETES,
                &binaries::link_flags(),
                &format!("node-{VERSION}"),
                "a minute on two cores",
            )?,
            runtime: build(
                "containerd and CNI plugins",
                "tests/cluster/assets/node",
                &RUNTIME,
                "-s -w",
                "runtime",
                "about 2 minutes on two cores",
            )?,
            dns: build(
                "CoreDNS",
                "tests/cluster/assets/dns",
                &DNS,
                "-s -w",
                "dns",
                "about a minute on two cores",
            )?,
            image,
        })
    }

    /// A program of Kubernetes.
    pub(super) fn kubernetes(&self, name: &str) -> PathBuf {
        self.kubernetes.join(name)
    }

    /// A program of the container runtime.
    pub(super) fn runtime(&self, name: &str) -> PathBuf {
        self.runtime.join(name)
    }

    /// The folder of the container runtime: its shim and the CNI plugins are looked for there.
    pub(super) fn runtime_folder(&self) -> &Path {
        &self.runtime
    }

    /// The DNS server.
    pub(super) fn dns(&self) -> PathBuf {
        self.dns.join("coredns")
    }

    /// The archive of the product's image.
    pub(super) fn image(&self) -> &Path {
        &self.image
    }
}

fn require_packages() -> Result<()> {
    let path = env::var_os("PATH").unwrap_or_default();
    let missing: Vec<&str> = SYSTEM
        .into_iter()
        .filter(|(program, _)| {
            !env::split_paths(&path).any(|folder| folder.join(program).is_file())
        })
        .map(|(_, package)| package)
        .collect();
    ensure!(
        missing.is_empty(),
        "a node needs packages that are not installed; on Debian: apt-get install {}",
        missing.join(" ")
    );
    Ok(())
}

/// The archive of the image, if it is one of the sources as they are.
fn image() -> Result<PathBuf> {
    const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let archive = root.join(format!("target/image/{ARCHITECTURE}.tar"));
    let made = fs::metadata(&archive)
        .and_then(|found| found.modified())
        .context("there is no image of the product: make image")?;
    let changed = SOURCES
        .iter()
        .flat_map(|part| ignore::Walk::new(root.join(part)))
        .find_map(|entry| {
            let entry = entry.ok()?;
            let newer = modified(&entry)? > made;
            newer.then(|| entry.into_path())
        });
    ensure!(
        changed.is_none(),
        "the image is older than {}: make image",
        changed.unwrap_or_default().display()
    );
    Ok(archive)
}

/// When a file was changed last; a folder changes with what an editor leaves in it for a moment.
fn modified(entry: &ignore::DirEntry) -> Option<SystemTime> {
    let found = entry.metadata().ok()?;
    found.is_file().then(|| found.modified().ok()).flatten()
}
