//! The binaries of Kubernetes: from `KUBEBUILDER_ASSETS`, or built once from the Go module in `assets/`.
//!
//! Nothing of the machine's own Kubernetes is used: a trial's warnings depend on the version of `kubectl` as well.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// The version that the Go module pins, stamped into the binaries: without it the server calls itself `v0.0.0-master`.
const VERSION: &str = "v1.36.3";

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
pub(crate) fn workshop() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("plane")
}

/// Builds into a folder named by what goes into the build, through a temporary one, so that a build that was cut short is never used.
fn build() -> Result<Binaries> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/assets");
    let folder = workshop().join(key(&module)?);
    let found = Binaries { folder };
    if found.folder.is_dir() {
        return Ok(found);
    }
    crate::namespaces::require("go", "install Go 1.26 or later from https://go.dev/dl")?;
    fs::create_dir_all(workshop())?;
    let lock = fs::File::create(workshop().join("build.lock"))?;
    lock.lock().context("cannot lock the folder of the build")?;
    if found.folder.is_dir() {
        return Ok(found); // another process built it while this one waited
    }
    eprintln!(
        "building {VERSION} of Kubernetes into {}: about 6 minutes on two cores, once",
        found.folder.display()
    );
    let draft = tempfile::tempdir_in(workshop())?;
    for (name, package) in PACKAGES {
        compile(&module, package, &draft.path().join(name))?;
    }
    fs::rename(draft.keep(), &found.folder)
        .context("cannot move the finished build to its place")?;
    Ok(found)
}

fn link_flags() -> String {
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

/// A name for the build: FNV-1a over everything that decides what comes out of it.
fn key(module: &Path) -> Result<String> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let flags = format!("{}{PACKAGES:?}", link_flags());
    for part in [
        fs::read(module.join("go.mod"))?,
        fs::read(module.join("go.sum"))?,
        flags.into_bytes(),
    ] {
        for byte in part {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(format!("{VERSION}-{hash:016x}"))
}

/// One `go build`, with a line of progress every fifteen seconds.
fn compile(module: &Path, package: &str, output: &Path) -> Result<()> {
    let started = Instant::now();
    let mut go = Command::new("go")
        .args([
            "build",
            "-v",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            &link_flags(),
            "-o",
        ])
        .arg(output)
        .arg(package)
        .current_dir(module)
        .envs([("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOWORK", "off")]) // the user's own settings must not change what is built
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start go")?;
    let (mut compiled, mut downloaded, mut said) = (0, 0, Instant::now());
    let mut complaints = Vec::new();
    for line in BufReader::new(go.stderr.take().context("go has no stderr")?).lines() {
        match line? {
            line if line.starts_with("go: downloading ") => downloaded += 1,
            line if line.contains(' ') || line.starts_with('#') => complaints.push(line),
            _ => compiled += 1,
        }
        if said.elapsed() > Duration::from_secs(15) {
            said = Instant::now();
            eprintln!("  {package}: {downloaded} modules downloaded, {compiled} packages compiled");
        }
    }
    if !go.wait()?.success() {
        bail!("go build {package} failed:\n{}", complaints.join("\n"));
    }
    eprintln!("  {package}: built in {} s", started.elapsed().as_secs());
    Ok(())
}
