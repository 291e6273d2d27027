//! A real node: scheduler, kube-proxy, containerd, kubelet and the names of Services, around a control plane of its own.
//!
//! It needs root, which the namespaces then have too. It ends with the PID namespace; [`end`] removes the cgroups of its Pods,
//! the one thing that would stay.

mod archive;
mod cgroups;
mod files;
pub(crate) mod tools;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

pub(crate) use cgroups::{end, exhaust_memory};
pub(crate) use files::{NODE, NODE_USER};
pub(crate) use tools::Tools;

use crate::{
    namespaces::run,
    plane::Plane,
    process::{Process, wait_for},
};
use files::{PODS, Places, SANDBOX};

/// The names of the logs of a node, in the folder of its plane.
pub(crate) const LOGS: [&str; 5] = [
    "kube-scheduler",
    "kube-proxy",
    "containerd",
    "kubelet",
    "coredns",
];

/// A running node.
pub(crate) struct Node {
    places: Places,
    tools: Tools,
    image: String,
    processes: Mutex<Vec<(&'static str, Process)>>,
}

/// What runs containers; the kubelet is first, as it is what would start them again.
const AGENTS: [&str; 2] = ["kubelet", "containerd"];

const DNS: &str = "coredns";

impl Node {
    /// Starts a node on a plane that has none, with the image of the product loaded: 5 seconds on two cores.
    pub(crate) fn start(plane: &Plane, tools: &Tools) -> Result<Self> {
        let started = Instant::now();
        cgroups::sweep();
        let mut node = Self {
            places: Places {
                folder: plane.folder().join("node"),
                runtime: tools.runtime_folder().to_owned(),
                plane: plane.folder().to_owned(),
                cgroup: cgroups::make()?,
                address: plane.address(),
            },
            tools: tools.clone(),
            image: String::new(),
            processes: Mutex::default(),
        };
        prepare_machine()?;
        node.write_files(plane)?;
        node.start_network(plane)?;
        node.start_runtime(plane)?;
        node.start_kubelet(plane)?;
        node.start_names(plane)?;
        eprintln!(
            "a node is ready after {:.1} s, with {}",
            started.elapsed().as_secs_f32(),
            node.image
        );
        Ok(node)
    }

    /// The name of the image of the product, as it is loaded.
    pub(crate) fn image(&self) -> &str {
        &self.image
    }

    /// Gives the image of the product another tag.
    pub(crate) fn tag_image(&self, tag: &str) -> Result<()> {
        let (repository, _) = self.image.rsplit_once(':').context("an image has a tag")?;
        let tagged = format!("{repository}:{tag}");
        self.ctr(&["images", "tag", "--force", &self.image, &tagged])
            .map(|_| ())
    }

    /// Stops the node as a loss of power does: the kubelet, the container runtime and every container are killed.
    pub(crate) fn kill(&self) -> Result<()> {
        let tasks = self.ctr(&["tasks", "list", "--quiet"])?;
        let processes: Result<Vec<_>> = tasks.lines().map(|id| self.process_of(id)).collect();
        for agent in AGENTS {
            self.processes().retain(|(name, _)| *name != agent);
        }
        for process in processes? {
            let _ = kill(&process); // a container ends with that of its sandbox
        }
        Ok(())
    }

    /// Starts what [`Self::kill`] has stopped.
    pub(crate) fn boot(&self, plane: &Plane) -> Result<()> {
        self.start_containerd(plane)?;
        self.start_kubelet(plane)
    }

    /// Stops the DNS server of the cluster.
    pub(crate) fn stop_names(&self) {
        self.processes().retain(|(name, _)| *name != DNS);
    }

    /// The folder in `/proc` of the one process of a container, which the kubelet names `containerd://…`.
    pub(crate) fn process_of(&self, container: &str) -> Result<PathBuf> {
        let id = container.trim_start_matches("containerd://");
        let tasks = self.ctr(&["tasks", "list"])?;
        let number = tasks
            .lines()
            .find_map(|line| line.strip_prefix(id)?.split_whitespace().next());
        let number = number.with_context(|| format!("no container {id} runs:\n{tasks}"))?;
        Ok(Path::new("/proc").join(number))
    }

    fn write_files(&self, plane: &Plane) -> Result<()> {
        let Places { folder, .. } = &self.places;
        fs::create_dir_all(folder.join("cni"))?;
        let files = [
            ("containerd.toml", self.places.containerd()),
            ("cni/pods.conflist", self.places.network().to_string()),
            ("kubelet.json", self.places.kubelet().to_string()),
            ("Corefile", self.places.corefile(&plane.kubeconfig())),
            ("resolv.conf", String::new()), // nothing outside can be reached
        ];
        for (name, content) in files {
            fs::write(folder.join(name), content)
                .with_context(|| format!("cannot write {name}"))?;
        }
        Ok(())
    }

    fn start_network(&self, plane: &Plane) -> Result<()> {
        let address = self.places.address;
        let scheduler = [
            "--kubeconfig=kube-scheduler.kubeconfig".to_owned(),
            format!("--bind-address={address}"),
            "--leader-elect=false".to_owned(),
        ];
        self.spawn_of_kubernetes(plane, "kube-scheduler", &scheduler)?;
        let proxy = [
            "--kubeconfig=kube-proxy.kubeconfig".to_owned(),
            "--proxy-mode=nftables".to_owned(),
            format!("--hostname-override={NODE}"),
            format!("--cluster-cidr={PODS}"),
            "--conntrack-max-per-core=0".to_owned(), // a limit of the machine, which is not ours
            // Answers between two Pods of one bridge would not come by here, and keep the address of the Pod.
            "--masquerade-all".to_owned(),
        ];
        self.spawn_of_kubernetes(plane, "kube-proxy", &proxy)
    }

    fn start_runtime(&mut self, plane: &Plane) -> Result<()> {
        self.start_containerd(plane)?;
        let sandbox = archive::pack(&self.tools.runtime("pause"), SANDBOX, &self.places.folder)?;
        self.import(&sandbox)?;
        self.image = self.import(self.tools.image())?;
        Ok(())
    }

    fn start_containerd(&self, plane: &Plane) -> Result<()> {
        let mut command = Command::new(self.tools.runtime("containerd"));
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .arg("--config")
            .arg(self.places.folder.join("containerd.toml"))
            // The shim is looked for on the path.
            .env("PATH", format!("{}:{path}", self.places.runtime.display()));
        self.spawn(plane, "containerd", command)?;
        wait_for("a container runtime", || {
            self.check()?;
            Ok(self.ctr(&["version"]).ok().map(|_| ()))
        })
    }

    fn start_kubelet(&self, plane: &Plane) -> Result<()> {
        let args = [
            format!("--config={}/kubelet.json", self.places.folder.display()),
            "--kubeconfig=kubelet.kubeconfig".to_owned(),
            format!("--hostname-override={NODE}"),
            format!("--node-ip={}", self.places.address),
            format!("--root-dir={}/kubelet", self.places.folder.display()),
        ];
        self.spawn_of_kubernetes(plane, "kubelet", &args)?;
        wait_for("a ready node", || {
            self.check()?;
            let ready = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
            let output = plane
                .kubectl()
                .args(["get", "node", NODE, "-o", ready])
                .output()?;
            Ok((output.stdout == b"True").then_some(()))
        })
    }

    /// Starts the DNS server of the cluster.
    pub(crate) fn start_names(&self, plane: &Plane) -> Result<()> {
        let list = self.places.folder.join("names.json");
        fs::write(&list, self.places.names().to_string())?;
        let output = plane
            .kubectl()
            .args(["apply", "--server-side", "-f"])
            .arg(&list)
            .output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl apply: {complaint}");
        let mut command = Command::new(self.tools.dns());
        command
            .arg("-conf")
            .arg(self.places.folder.join("Corefile"));
        self.spawn(plane, DNS, command)?;
        wait_for("a DNS server that knows the Services", || {
            self.check()?;
            Ok(self.names_are_ready().unwrap_or_default().then_some(()))
        })
    }

    fn names_are_ready(&self) -> Result<bool> {
        let mut stream = TcpStream::connect((self.places.address, 8181))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /ready HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.contains(" 200 "))
    }

    fn spawn_of_kubernetes(
        &self,
        plane: &Plane,
        name: &'static str,
        args: &[String],
    ) -> Result<()> {
        let mut command = Command::new(self.tools.kubernetes(name));
        command.args(args);
        self.spawn(plane, name, command)
    }

    fn spawn(&self, plane: &Plane, name: &'static str, mut command: Command) -> Result<()> {
        command.current_dir(plane.folder());
        let log = plane.folder().join(name).with_extension("log");
        let process = Process::spawn(name, &mut command, log)?;
        self.processes().insert(0, (name, process));
        Ok(())
    }

    fn check(&self) -> Result<()> {
        self.processes()
            .iter()
            .try_for_each(|(_, process)| process.check())
    }

    fn processes(&self) -> MutexGuard<'_, Vec<(&'static str, Process)>> {
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads an archive, and says the name of its image. What the import prints is cut for a terminal.
    fn import(&self, archive: &Path) -> Result<String> {
        let names = || self.ctr(&["images", "list", "--quiet"]);
        let before = names()?;
        self.ctr(&["images", "import", &archive.display().to_string()])?;
        let after = names()?;
        let mut new = after
            .lines()
            .filter(|name| !name.starts_with("sha256:"))
            .filter(|name| before.lines().all(|known| known != *name));
        Ok(new
            .next()
            .context("an archive without an image")?
            .to_owned())
    }

    /// Runs a command of the container runtime, in the namespace of the kubelet.
    fn ctr(&self, args: &[&str]) -> Result<String> {
        let output = Command::new(self.tools.runtime("ctr"))
            .arg("--address")
            .arg(self.places.socket())
            .args(["--namespace", "k8s.io"])
            .args(args)
            .output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "ctr {}: {complaint}",
            args.join(" ")
        );
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Kills the process of a folder in `/proc`.
pub(crate) fn kill(process: &Path) -> Result<()> {
    let number = process.file_name().context("no process")?;
    run("kill", &["-s", "KILL", &number.to_string_lossy()])
}

/// Makes the machine, as these namespaces see it, one that a node can live on, without leaving anything on it.
fn prepare_machine() -> Result<()> {
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("cannot forward packets")?;
    run("mount", &["--make-rshared", "/"])?; // the mounts of volumes reach their containers
    for folder in ["/run", "/var/log", "/var/lib/cni"] {
        fs::create_dir_all(folder)?;
        run("mount", &["-t", "tmpfs", "-o", "mode=0755", "node", folder])?;
    }
    Ok(())
}
