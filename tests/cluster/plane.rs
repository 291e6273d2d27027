//! A control plane: etcd, the API server and, where it is there, the controller manager. No node: Pods stay Pending.
//!
//! It ends when the value is dropped, and with the PID namespace at the latest.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    binaries::Binaries,
    certificates::{self, Authority, Leaf, Subject},
    namespaces::{self, Address, Inside},
    node::{self, NODE, NODE_USER},
    process::{Process, tail, wait_for},
    registration::FENCE,
    webhook_credentials,
};

/// Every write is recorded with its metadata, and so with the annotations of webhooks, and every request of a service account
/// outside kube-system; other reads and `RequestReceived` only take room.
const AUDIT_POLICY: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [
  {"level": "None", "verbs": ["get", "list", "watch"], "userGroups": ["system:serviceaccounts:kube-system", "system:masters"]},
  {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
  {"level": "None", "verbs": ["get", "list", "watch"]}, {"level": "Metadata"}]}"#;

const ETCD: &str = "etcd";
const API_SERVER: &str = "kube-apiserver";
const CONTROLLERS: &str = "kube-controller-manager";

/// Who has a kubeconfig: the name of its file, user and group. Those of a node are there whether it has one or not.
const IDENTITIES: [(&str, &str, Option<&str>); 5] = [
    ("admin", "admin", Some("system:masters")),
    (CONTROLLERS, "system:kube-controller-manager", None),
    ("kube-scheduler", "system:kube-scheduler", None),
    ("kube-proxy", "system:kube-proxy", None),
    ("kubelet", NODE_USER, Some("system:nodes")),
];

/// A running control plane.
pub(crate) struct Plane {
    binaries: Binaries,
    folder: PathBuf,
    address: Ipv4Addr,
    joined: bool,
    processes: Mutex<Vec<(&'static str, Process)>>, // ended in this order: those that watch before those that are watched
    _claim: Option<Address>,
    _files: Option<TempDir>,
}

impl Plane {
    /// Starts a plane of its own: 8 seconds on two cores.
    pub(crate) fn start(binaries: &Binaries) -> Result<Self> {
        let started = Instant::now();
        let claim = Address::claim(0)?;
        let files = tempfile::tempdir_in(namespaces::folder())?;
        let plane = Self {
            binaries: binaries.clone(),
            folder: files.path().to_owned(),
            address: claim.ip(),
            joined: false,
            processes: Mutex::default(),
            _claim: Some(claim),
            _files: Some(files),
        };
        plane.write_files()?;
        plane.add(ETCD, plane.start_etcd()?);
        plane.resume_api_server(&[])?;
        eprintln!(
            "a control plane at {} is ready after {:.1} s",
            plane.address,
            started.elapsed().as_secs_f32()
        );
        Ok(plane)
    }

    /// The plane that is held open, or one of its own.
    pub(crate) fn join_or_start(inside: &Inside) -> Result<Arc<Self>> {
        let Some(held) = &inside.held else {
            return Ok(Arc::new(Self::start(&inside.binaries)?));
        };
        Ok(Arc::new(Self {
            binaries: inside.binaries.clone(),
            folder: held.folder.clone(),
            address: held.address,
            joined: true,
            processes: Mutex::default(),
            _claim: None,
            _files: None,
        }))
    }

    /// Kills the API server, and the controllers, and starts them again after the pause. Only on a plane of one's own.
    pub(crate) fn restart_api_server(&self, pause: Duration) -> Result<()> {
        self.kill_api_server();
        thread::sleep(pause);
        self.resume_api_server(&[])
    }

    /// Kills the API server, and the controllers, which end by themselves when they lose it while they start. Only on a plane of
    /// one's own.
    pub(crate) fn kill_api_server(&self) {
        self.processes().retain(|(name, _)| *name == ETCD);
    }

    /// Starts an API server that has been killed, with further flags, and the controllers.
    pub(crate) fn resume_api_server(&self, flags: &[&str]) -> Result<()> {
        self.add(API_SERVER, self.start_api_server(flags)?);
        self.wait_until_ready()?;
        if self.has_controllers() {
            self.add(CONTROLLERS, self.start_controllers()?);
        }
        Ok(())
    }

    /// Stops etcd for a while, so that the API server waits for every answer. Only on a plane of one's own.
    pub(crate) fn freeze_etcd(&self, pause: Duration) -> Result<()> {
        self.signal(ETCD, "STOP")?;
        thread::sleep(pause);
        self.signal(ETCD, "CONT")
    }

    fn signal(&self, name: &str, signal: &str) -> Result<()> {
        let processes = self.processes();
        let (_, process) = processes
            .iter()
            .find(|(other, _)| *other == name)
            .with_context(|| format!("no {name} of ours runs"))?;
        process.signal(signal)
    }

    fn wait_until_ready(&self) -> Result<()> {
        wait_for("a ready API server", || {
            self.processes()
                .iter()
                .try_for_each(|(_, process)| process.check())?;
            Ok(self
                .kubectl()
                .args(["get", "--raw", "/readyz"])
                .output()?
                .status
                .success()
                .then_some(()))
        })
    }

    fn add(&self, name: &'static str, process: Process) {
        self.processes().insert(0, (name, process));
    }

    fn processes(&self) -> MutexGuard<'_, Vec<(&'static str, Process)>> {
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether others made this plane and will go on using it.
    pub(crate) fn is_shared(&self) -> bool {
        self.joined
    }

    /// Whether there is a controller manager, without which no Deployment makes Pods.
    pub(crate) fn has_controllers(&self) -> bool {
        self.binaries.has_controllers()
    }

    /// The API server's address; it listens on port 6443.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The certificate of the CA of all clients of the plane, PEM.
    pub(crate) fn client_authority(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// The certificate and key of a client of this name, issued by the CA of the plane: `admin`, or one of its programs.
    pub(crate) fn client_identity(&self, name: &str) -> [PathBuf; 2] {
        ["crt", "key"].map(|end| self.folder.join(format!("{name}.{end}")))
    }

    /// Where the plane keeps its files, among them the logs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("admin.kubeconfig")
    }

    /// A kubeconfig for whoever the token belongs to, to be reached at this address instead of the API server's own.
    pub(crate) fn kubeconfig_with_token(&self, token: &str, by: Option<SocketAddr>) -> Value {
        let mut config = self.config("token", &json!({"token": token}));
        if let Some(by) = by {
            let cluster = &mut config["clusters"][0]["cluster"];
            cluster["server"] = json!(format!("https://{by}"));
            cluster["tls-server-name"] = json!("kubernetes.default.svc");
        }
        config
    }

    /// Where the API server listens.
    pub(crate) fn api_server(&self) -> SocketAddr {
        (self.address, 6443).into()
    }

    /// The plane's own `kubectl`, as the administrator, with nothing of the user's settings.
    pub(crate) fn kubectl(&self) -> Command {
        let mut command = Command::new(self.binaries.path("kubectl"));
        command
            .env("HOME", &self.folder)
            .env("KUBECONFIG", self.kubeconfig());
        command
    }

    /// The lines of the audit log that mention the text, read as JSON.
    pub(crate) fn audit_events(&self, mention: &str) -> Result<Vec<Value>> {
        let log = fs::read_to_string(self.folder.join("audit.log"))
            .context("cannot read the audit log")?;
        let complete = log.rfind('\n').map_or("", |end| &log[..end]); // the last line may still be in the making
        let lines = complete.lines().filter(|line| line.contains(mention));
        lines.map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// What the plane's logs say about a namespace, with errors of any kind and the very last lines: for the report of a failure.
    pub(crate) fn last_log_lines(&self, namespace: &str) -> String {
        let logs = [API_SERVER, CONTROLLERS].into_iter().chain(node::LOGS);
        let logs = logs.map(|name| (name, self.folder.join(name).with_extension("log")));
        let parts = logs.filter(|(_, log)| log.is_file()).map(|(name, log)| {
            let about = tail(&log, 15, |line| {
                (line.starts_with('E') || line.contains(namespace)) && !line.contains(FENCE)
            });
            format!(
                "--- {name} about it, and errors\n{about}\n--- {name}, last lines\n{}",
                tail(&log, 5, |_| true)
            )
        });
        parts.collect::<Vec<_>>().join("\n")
    }

    fn write_files(&self) -> Result<()> {
        let authority = Authority::new("trials")?;
        self.write("ca.crt", authority.certificate())?;
        self.write("ca.key", authority.key())?;
        let (private, public) = certificates::signing_keys()?;
        self.write("service-accounts.key", &private)?;
        self.write("service-accounts.pub", &public)?;
        self.write("audit-policy.json", AUDIT_POLICY)?;
        let hosts = ["localhost", "kubernetes.default.svc"];
        let addresses = [self.address, Ipv4Addr::new(10, 96, 0, 1)];
        let server = authority.issue(&Subject {
            name: "kube-apiserver",
            hosts: &hosts,
            addresses: &addresses,
            ..Subject::default()
        })?;
        self.write("kube-apiserver.crt", &server.certificate)?;
        self.write("kube-apiserver.key", &server.key)?;
        let kubelet = authority.issue(&Subject {
            name: NODE,
            addresses: &[self.address],
            ..Subject::default()
        })?;
        self.write("kubelet-server.crt", &kubelet.certificate)?;
        self.write("kubelet-server.key", &kubelet.key)?;
        webhook_credentials::write(&self.folder, &authority)?;
        for (file, name, group) in IDENTITIES {
            let subject = Subject {
                name,
                group,
                ..Subject::default()
            };
            self.write_kubeconfig(file, &authority.issue(&subject)?)?;
        }
        Ok(())
    }

    fn write(&self, name: &str, content: &str) -> Result<()> {
        fs::write(self.folder.join(name), content).with_context(|| format!("cannot write {name}"))
    }

    fn write_kubeconfig(&self, name: &str, leaf: &Leaf) -> Result<()> {
        self.write(&format!("{name}.crt"), &leaf.certificate)?;
        self.write(&format!("{name}.key"), &leaf.key)?;
        let user = json!({
            "client-certificate": self.folder.join(format!("{name}.crt")), "client-key": self.folder.join(format!("{name}.key")),
        });
        let config = self.config(name, &user);
        self.write(&format!("{name}.kubeconfig"), &config.to_string())
    }

    fn config(&self, name: &str, user: &Value) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "trials",
            "contexts": [{"name": "trials", "context": {"cluster": "trials", "user": name}}],
            "clusters": [{"name": "trials", "cluster": {
                "server": format!("https://{}:6443", self.address), "certificate-authority": self.folder.join("ca.crt")}}],
            "users": [{"name": name, "user": user}],
        })
    }

    fn start_etcd(&self) -> Result<Process> {
        let (clients, peers) = (
            format!("http://{}:2379", self.address),
            format!("http://{}:2380", self.address),
        );
        self.spawn(
            "etcd",
            &[
                "--data-dir=etcd",
                "--unsafe-no-fsync", // nothing here has to survive
                &format!("--listen-client-urls={clients}"),
                &format!("--advertise-client-urls={clients}"),
                &format!("--listen-peer-urls={peers}"),
                &format!("--initial-advertise-peer-urls={peers}"),
                &format!("--initial-cluster=default={peers}"),
            ],
        )
    }

    fn start_api_server(&self, flags: &[&str]) -> Result<Process> {
        let args = [
            &format!("--etcd-servers=http://{}:2379", self.address),
            &format!("--bind-address={}", self.address),
            &format!("--advertise-address={}", self.address),
            "--tls-cert-file=kube-apiserver.crt",
            "--tls-private-key-file=kube-apiserver.key",
            "--client-ca-file=ca.crt",
            &format!(
                "--admission-control-config-file={}",
                webhook_credentials::CONFIGURATION
            ),
            "--kubelet-certificate-authority=ca.crt",
            "--kubelet-client-certificate=admin.crt",
            "--kubelet-client-key=admin.key",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-key-file=service-accounts.pub",
            "--service-account-signing-key-file=service-accounts.key",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged",
            // Without it a webhook's Service would be called at its cluster address, which only kube-proxy makes real.
            "--enable-aggregator-routing",
            "--audit-policy-file=audit-policy.json",
            "--audit-log-path=audit.log",
            "--audit-log-maxsize=0", // one file, so that its reader finds every line
        ];
        self.spawn(API_SERVER, &[&args[..], flags].concat())
    }

    fn start_controllers(&self) -> Result<Process> {
        self.spawn(
            "kube-controller-manager",
            &[
                &format!("--bind-address={}", self.address),
                "--kubeconfig=kube-controller-manager.kubeconfig",
                "--service-account-private-key-file=service-accounts.key",
                "--root-ca-file=ca.crt",
                "--cluster-signing-cert-file=ca.crt",
                "--cluster-signing-key-file=ca.key",
                "--use-service-account-credentials",
                "--leader-elect=false",
            ],
        )
    }

    fn spawn(&self, name: &str, args: &[&str]) -> Result<Process> {
        let mut command = Command::new(self.binaries.path(name));
        command.args(args).current_dir(&self.folder);
        Process::spawn(
            name,
            &mut command,
            self.folder.join(name).with_extension("log"),
        )
    }
}
