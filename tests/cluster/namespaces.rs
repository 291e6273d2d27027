//! Namespaces around everything: the test binary runs itself again in network, mount and PID namespaces of its own,
//! without root, so that ports are free, no mount remains and every process ends with it. For a node root has to be real.
//!
//! Where a plane is held open (`make plane`), it enters that plane's network and mounts instead, still with PIDs of its own.

use std::{
    env, fs,
    net::Ipv4Addr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::{
    binaries::{self, Binaries},
    gitops,
    go::require,
    node::Tools,
    open_reports, pinned,
};

/// Set for the process inside; holds an [`Inside`] as JSON.
const VARIABLE: &str = "BEDROCK_PROFILES_CLUSTER_TRIALS";

/// The variables of proxies, also in lower case. Nothing in the namespaces can be reached through one.
pub(crate) const PROXIES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// What the outer process tells the inner one.
#[derive(Serialize, Deserialize)]
pub(crate) struct Inside {
    /// Where the binaries are: found outside, because a build needs the network.
    pub(crate) binaries: Binaries,
    /// The plane to join, if one is held open.
    pub(crate) held: Option<Held>,
    /// What a node needs, or why there can be none; nothing where nobody asks for one. With it, root is the machine's.
    pub(crate) node: Option<Result<Tools, String>>,
    /// The process that owns the namespaces, as the machine numbers it.
    owner: u32,
}

/// What a run is for, as far as the namespaces care.
#[derive(Clone, Copy, Default)]
pub(crate) struct Purpose {
    /// Whether a plane is to be held open for others.
    pub(crate) open: bool,
    /// Whether there are to be nodes, if that is possible.
    pub(crate) node: bool,
    /// Whether the engines of Argo CD and Flux are used.
    pub(crate) engines: bool,
}

/// The record of a plane that is held open.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The plane's folder, visible in its mount namespace only.
    pub(crate) folder: PathBuf,
    /// The API server's address.
    pub(crate) address: Ipv4Addr,
    binaries: Binaries,
    is_machine_root: bool, // without a user namespace, which could not be entered then
    owner: u32,
    network: PathBuf, // tells whether the process of this number is still the same one
}

/// An address on the network's one link, given back when dropped.
pub(crate) struct Address(Ipv4Addr);

impl Inside {
    /// What the outer process said, if this is the inner one.
    pub(crate) fn from_environment() -> Result<Option<Self>> {
        match env::var(VARIABLE) {
            Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
            Err(_) => Ok(None),
        }
    }

    /// What a node needs.
    ///
    /// # Errors
    /// Why there can be none.
    pub(crate) fn node_tools(&self) -> Result<&Tools> {
        let tools = self.node.as_ref().context("nobody asked for a node")?;
        tools.as_ref().map_err(|reason| anyhow!("{reason}"))
    }

    /// Whether root is the machine's, and not that of a user namespace.
    pub(crate) fn is_machine_root(&self) -> bool {
        matches!(self.node, Some(Ok(_)))
    }

    /// Makes the namespaces habitable: a network link, and a folder in memory that vanishes with them.
    pub(crate) fn prepare(&self) -> Result<()> {
        env::set_current_dir(env!("CARGO_MANIFEST_DIR"))?;
        if self.held.is_some() {
            return Ok(());
        }
        run("ip", &["link", "set", "lo", "up"])?;
        // Not every kernel has dummy devices; a pair of which nobody uses the other end does as well.
        run(
            "ip",
            &[
                "link", "add", "node0", "type", "veth", "peer", "name", "node0p",
            ],
        )?;
        run("ip", &["link", "set", "node0p", "up"])?;
        run("ip", &["link", "set", "node0", "up"])?;
        run(
            "mount",
            &[
                "-t",
                "tmpfs",
                "-o",
                "mode=0755",
                "trials",
                &folder().display().to_string(),
            ],
        )?;
        Ok(())
    }

    /// Records that the plane at this address is open for others; the record is removed by [`close`].
    pub(crate) fn open(&self, folder: &Path, address: Ipv4Addr) -> Result<Held> {
        let held = Held {
            folder: folder.to_owned(),
            address,
            binaries: self.binaries.clone(),
            is_machine_root: self.is_machine_root(),
            owner: self.owner,
            network: fs::read_link("/proc/self/ns/net")?,
        };
        fs::write(record(), serde_json::to_vec_pretty(&held)?)?;
        Ok(held)
    }
}

impl Held {
    /// The plane that is held open at this moment, if any.
    fn find() -> Option<Self> {
        let held: Self = serde_json::from_slice(&fs::read(record()).ok()?).ok()?;
        let network = fs::read_link(format!("/proc/{}/ns/net", held.owner)).ok()?;
        (network == held.network).then_some(held)
    }

    /// The command line that enters the plane's namespaces from outside.
    pub(crate) fn enter_command(&self) -> String {
        let user = if self.is_machine_root {
            ""
        } else {
            " --user --preserve-credentials"
        };
        format!("nsenter --target {}{user} --net --mount", self.owner)
    }
}

impl Address {
    /// Takes the next free address of the form `10.SECOND.x.y`. The kernel is the judge, so that several processes can share a plane.
    pub(crate) fn claim(second: u8) -> Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        loop {
            let [third, fourth] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let address = Ipv4Addr::new(10, second, third, fourth);
            let output = Command::new("ip")
                .args(["addr", "add", &format!("{address}/32"), "dev", "node0"])
                .output()?;
            let complaint = String::from_utf8_lossy(&output.stderr);
            if output.status.success() {
                return Ok(Self(address));
            }
            let taken = complaint.contains("File exists") || complaint.contains("already assigned");
            ensure!(taken, "cannot add {address} to the link node0: {complaint}");
        }
    }

    /// The address itself.
    pub(crate) fn ip(&self) -> Ipv4Addr {
        self.0
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        let _ = run(
            "ip",
            &["addr", "del", &format!("{}/32", self.0), "dev", "node0"],
        ); // at worst it stays taken until the end
    }
}

/// Replaces this process by itself inside the namespaces. Returns only an error.
///
/// # Errors
/// A tool is missing, the kernel refuses, or one that is to be held open is open already.
pub(crate) fn enter(purpose: Purpose) -> Result<()> {
    for tool in ["unshare", "nsenter", "mount"] {
        require(tool, "apt-get install util-linux")?;
    }
    require("ip", "apt-get install iproute2")?;
    let held = Held::find();
    if let (true, Some(held)) = (purpose.open, &held) {
        bail!(
            "a plane is open already, held by process {}: end it with Ctrl-C there, or `kill -KILL {}`",
            held.owner,
            held.owner
        );
    }
    let node = purpose.node.then(|| match &held {
        Some(_) => Err(
            "a plane is held open, and a node is part of its own: end that one first".to_owned(),
        ),
        None => Tools::locate().map_err(|error| format!("{error:#}")),
    });
    let mut command = match &held {
        Some(held) => {
            eprintln!("joining the plane that process {} holds open", held.owner);
            let mut words = held.enter_command();
            words.push_str(" unshare --mount --pid --fork --mount-proc --kill-child");
            let mut words = words.split(' ').map(str::to_owned);
            let mut command = Command::new(words.next().unwrap_or_default());
            command.args(words);
            command
        }
        None => fresh(matches!(node, Some(Ok(_))))?,
    };
    let binaries = match &held {
        Some(held) => held.binaries.clone(),
        None => Binaries::locate()?,
    };
    prepare_tools(purpose)?;
    fs::create_dir_all(folder())?;
    // The process keeps its number through `exec`, and unshare, which it becomes, owns the namespaces.
    let inside = Inside {
        binaries,
        held,
        node,
        owner: process::id(),
    };
    for proxy in PROXIES {
        command.env_remove(proxy).env_remove(proxy.to_lowercase());
    }
    command
        .arg("--")
        .arg(env::current_exe()?)
        .args(env::args_os().skip(1));
    Err(command
        .env(VARIABLE, serde_json::to_string(&inside)?)
        .exec())
    .context("cannot start unshare")
}

/// Fetches and builds what trials run beside Kubernetes.
fn prepare_tools(purpose: Purpose) -> Result<()> {
    if let Err(error) = open_reports::fetch() {
        eprintln!("without the definitions of OpenReports some trials will fail: {error:#}");
    }
    for helm in [pinned::HELM_4, pinned::HELM_3] {
        if let Err(error) = helm.path() {
            eprintln!("without {} some trials will fail: {error:#}", helm.name);
        }
    }
    if purpose.engines {
        for engine in [gitops::FLUX, gitops::ARGO_CD] {
            engine.build()?;
        }
    }
    Ok(())
}

/// Forgets the plane that this process held open.
pub(crate) fn close() {
    let _ = fs::remove_file(record()); // a record whose process is gone is ignored anyway
}

/// The folder for the files of planes and trials; in memory once [`Inside::prepare`] has run.
pub(crate) fn folder() -> PathBuf {
    binaries::tools_folder().join("run")
}

fn record() -> PathBuf {
    binaries::tools_folder().join("held.json")
}

/// `unshare` for namespaces of our own, tried once: after `exec` nobody could explain its refusal.
fn fresh(is_machine_root: bool) -> Result<Command> {
    let unshare = || {
        let mut command = Command::new("unshare");
        if !is_machine_root {
            command.args(["--user", "--map-root-user"]);
        }
        command.args([
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--mount-proc",
            "--kill-child",
        ]);
        command
    };
    let output = unshare().args(["--", "true"]).output()?;
    ensure!(
        output.status.success(),
        "this machine lets nobody make namespaces ({}). Allow it with `sysctl -w user.max_user_namespaces=10000` and, on Ubuntu, \
         `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`; in a container, run it with `--privileged`",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(unshare())
}

/// Runs a tool of the system; its failure is an error with what it said.
pub(crate) fn run(program: &str, args: &[&str]) -> Result<()> {
    let output = Command::new(program)
        .args(args)
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    ensure!(
        output.status.success(),
        "{program} {}: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
