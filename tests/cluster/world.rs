//! What a trial has: a namespace of its own on a control plane, `kubectl`, and webhooks that see nothing else.

use std::{
    any::Any,
    collections::BTreeSet,
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    certificates::{Authority, Subject},
    namespaces::Address,
    node::Node,
    plane::Plane,
    process::{self, tail},
    registration::{Entry, Registration},
    server::{Serve, Server},
    stand_in::{self, Answer, Identity, StandIn},
};

/// The label that all cluster-wide objects of a trial have; its value is the trial's namespace.
const LABEL: &str = "trials.bedrock-profiles.dev/namespace";

/// A trial's part of a control plane.
pub(crate) struct World {
    plane: Arc<Plane>,
    node: Option<Arc<Node>>,
    alone: bool,
    namespace: String,
    address: Address,
    ports: AtomicU16,
    folder: TempDir,
    kept: Mutex<Vec<Arc<dyn Any + Send + Sync>>>, // webhooks, which must live until the namespace is gone
}

/// What a command printed, and whether it succeeded.
#[derive(Debug)]
pub(crate) struct Output {
    /// The standard output.
    pub(crate) stdout: String,
    /// The standard error, where `kubectl` prints warnings and refusals.
    pub(crate) stderr: String,
    /// Whether the command succeeded.
    pub(crate) ok: bool,
}

impl Output {
    /// The texts of the lines `Warning: …`, in order.
    pub(crate) fn warnings(&self) -> Vec<&str> {
        self.stderr
            .lines()
            .filter_map(|line| line.strip_prefix("Warning: "))
            .collect()
    }

    /// Itself if the command succeeded, else an error with what it said.
    pub(crate) fn success(self, what: &str) -> Result<Self> {
        ensure!(self.ok, "{what}: {}{}", self.stderr, self.stdout);
        Ok(self)
    }
}

impl World {
    /// Makes a namespace for the trial of this name. `alone`: nobody else uses the plane.
    pub(crate) fn new(plane: Arc<Plane>, trial: &str, alone: bool) -> Result<Self> {
        let world = Self {
            alone,
            namespace: unique_namespace(trial),
            address: Address::claim(64)?,
            ports: AtomicU16::new(8443),
            folder: tempfile::tempdir_in(plane.folder())?,
            kept: Mutex::new(Vec::new()),
            plane,
            node: None,
        };
        world.add_namespace(&world.namespace)?;
        Ok(world)
    }

    /// The world with a node under it.
    pub(crate) fn with_node(self, node: Arc<Node>) -> Self {
        Self {
            node: Some(node),
            ..self
        }
    }

    /// The node, which only trials of the level `node::` have.
    pub(crate) fn node(&self) -> Result<&Node> {
        self.node.as_deref().context("this trial has no node")
    }

    /// The trial's namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Makes another namespace, which no webhook of the trial sees: `suffix` is added to the trial's own. It goes with the trial.
    pub(crate) fn neighbour(&self, suffix: &str) -> Result<String> {
        let name = format!("{}-{suffix}", self.namespace);
        self.add_namespace(&name)?;
        Ok(name)
    }

    /// A folder for files; everything `*.log` in it is shown when the trial fails.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The plane; only a trial that has it alone may harm it.
    pub(crate) fn plane(&self) -> &Plane {
        &self.plane
    }

    /// The name for a cluster-wide object: as given where the plane is the trial's own, else followed by the namespace.
    pub(crate) fn cluster_wide(&self, name: &str) -> String {
        if self.alone {
            name.to_owned()
        } else {
            format!("{name}-{}", self.namespace)
        }
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.plane.kubeconfig()
    }

    /// The labels by which cluster-wide objects are found and removed when the trial ends.
    pub(crate) fn labels(&self) -> Value {
        json!({LABEL: self.namespace})
    }

    /// A port of the trial's own address that nothing uses yet.
    pub(crate) fn next_address(&self) -> SocketAddr {
        SocketAddr::from((
            self.address.ip(),
            self.ports.fetch_add(1, Ordering::Relaxed),
        ))
    }

    /// Runs the real `kubectl` in the trial's namespace. What it refuses is an [`Output`], not an error.
    pub(crate) fn kubectl(&self, args: &[&str], stdin: Option<&str>) -> Result<Output> {
        self.kubectl_as(&self.kubeconfig(), args, stdin)
    }

    /// Runs `kubectl` as the user of a kubeconfig.
    pub(crate) fn kubectl_as(
        &self,
        kubeconfig: &Path,
        args: &[&str],
        stdin: Option<&str>,
    ) -> Result<Output> {
        let mut command = self.plane.kubectl();
        command.env("KUBECONFIG", kubeconfig);
        command.args(["--namespace", &self.namespace]).args(args);
        command.stdin(if stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start kubectl")?;
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), stdin) {
            let text = text.to_owned();
            thread::spawn(move || pipe.write_all(text.as_bytes())); // its own thread: kubectl may print before it has read all
        }
        let output = child.wait_with_output()?;
        Ok(Output {
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
            ok: output.status.success(),
        })
    }

    /// Applies manifests, YAML or JSON, by server-side apply; a refusal is an error.
    pub(crate) fn apply(&self, manifests: &str) -> Result<Output> {
        self.kubectl(
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            Some(manifests),
        )?
        .success("kubectl apply")
    }

    /// The same in another namespace.
    pub(crate) fn apply_in(&self, namespace: &str, manifests: &str) -> Result<Output> {
        let args = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "-f",
            "-",
            "--namespace",
            namespace,
        ];
        self.kubectl(&args, Some(manifests))?
            .success("kubectl apply")
    }

    /// Creates objects in another namespace; a refusal is an error.
    pub(crate) fn create_in(&self, namespace: &str, manifests: &str) -> Result<Output> {
        self.kubectl(
            &["create", "-f", "-", "--namespace", namespace],
            Some(manifests),
        )?
        .success("kubectl create")
    }

    /// The object of another namespace as it is stored.
    pub(crate) fn get_in(&self, namespace: &str, kind: &str, name: &str) -> Result<Value> {
        let output = self
            .kubectl(
                &["get", kind, name, "-o", "json", "--namespace", namespace],
                None,
            )?
            .success("kubectl get")?;
        Ok(serde_json::from_str(&output.stdout)?)
    }

    /// Creates objects, YAML or JSON, with what the user would see; a refusal is an error.
    pub(crate) fn create(&self, manifests: &str) -> Result<Output> {
        self.kubectl(&["create", "-f", "-"], Some(manifests))?
            .success("kubectl create")
    }

    /// The object as it is stored.
    pub(crate) fn get(&self, kind: &str, name: &str) -> Result<Value> {
        let output = self
            .kubectl(&["get", kind, name, "-o", "json"], None)?
            .success("kubectl get")?;
        Ok(serde_json::from_str(&output.stdout)?)
    }

    /// The objects of a kind that a label selector selects; the empty one selects all.
    pub(crate) fn list(&self, kind: &str, selector: &str) -> Result<Vec<Value>> {
        let output = self
            .kubectl(&["get", kind, "-l", selector, "-o", "json"], None)?
            .success("kubectl get")?;
        let mut list: Value = serde_json::from_str(&output.stdout)?;
        Ok(list["items"]
            .as_array_mut()
            .map(std::mem::take)
            .unwrap_or_default())
    }

    /// Waits for at least `count` objects that the selector selects, made by a controller.
    pub(crate) fn wait_for(&self, count: usize, kind: &str, selector: &str) -> Result<Vec<Value>> {
        process::wait_for(&format!("{count} {kind} ({selector})"), || {
            let found = self.list(kind, selector)?;
            Ok((found.len() >= count).then_some(found))
        })
    }

    /// Waits for an entry of the API server's audit log about this namespace. It is written after the answer has left.
    pub(crate) fn audit_event(&self, what: &str, filter: impl Fn(&Value) -> bool) -> Result<Value> {
        process::wait_for(&format!("an audit event of {what}"), || {
            Ok(self.audit_events()?.into_iter().find(&filter))
        })
    }

    /// The entries of the API server's audit log about this namespace so far; writes only.
    pub(crate) fn audit_events(&self) -> Result<Vec<Value>> {
        let mut events = self.plane.audit_events(&self.namespace)?;
        events.retain(|event| event["objectRef"]["namespace"] == *self.namespace);
        Ok(events)
    }

    /// Starts the product, registers it, and returns when the API server calls it.
    pub(crate) fn serve(&self, serve: &Serve<'_>) -> Result<Server> {
        let (server, authority) = Server::start(self, serve)?;
        self.keep(Arc::new(server.clone()));
        server.register(self, serve, &authority)?;
        Ok(server)
    }

    /// Registers a mutating webhook that is a closure, and returns when the API server calls it. The entry's path is of no account.
    pub(crate) fn stand_in<F>(&self, name: &str, entry: Entry<'_>, answer: F) -> Result<()>
    where
        F: Fn(&Value) -> Answer + Send + Sync + 'static,
    {
        let (address, authority) = (self.next_address(), Authority::new(name)?);
        let host = format!("{name}.{}.svc", self.namespace);
        let leaf = authority.issue(&Subject {
            name,
            hosts: &[&host],
            ..Subject::default()
        })?;
        let log = self.folder().join(format!("{name}.log"));
        self.keep(Arc::new(StandIn::start(
            address,
            stand_in::configuration(&leaf)?,
            &log,
            answer,
        )?));
        let authority = authority.certificate();
        Registration {
            name,
            address,
            authority,
            mutating: vec![entry],
            validating: Vec::new(),
        }
        .submit(self)
    }

    /// Registers the stand-in for the identity webhook, in a configuration named `pod-identity-webhook`.
    pub(crate) fn identity_webhook(&self, identity: &Identity<'_>) -> Result<()> {
        let region = identity.region.to_owned();
        self.stand_in("pod-identity-webhook", identity.entry(), move |request| {
            Identity::inject(request, &region)
        })
    }

    /// What the cluster saw of this trial: the namespace's events, the webhooks' logs, the control plane's last lines.
    pub(crate) fn diagnostics(&self) -> String {
        let columns = "custom-columns=KIND:.involvedObject.kind,NAME:.involvedObject.name,REASON:.reason,MESSAGE:.message";
        let events = self.kubectl(
            &["get", "events", "--sort-by=.lastTimestamp", "-o", columns],
            None,
        );
        let events = events.map_or_else(
            |error| error.to_string(),
            |output| output.stdout + &output.stderr,
        );
        let mut parts = vec![format!("--- events in {}\n{events}", self.namespace)];
        let mut logs: Vec<_> = fs::read_dir(self.folder())
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        logs.sort();
        for log in logs
            .iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        {
            let name = log.file_name().unwrap_or_default();
            parts.push(format!(
                "--- {}, last lines\n{}",
                name.display(),
                tail(log, 30, |_| true)
            ));
        }
        parts.push(self.plane.last_log_lines(&self.namespace));
        parts.join("\n")
    }

    /// The names of all namespaces, as `namespace/NAME`.
    pub(crate) fn namespaces(&self) -> Result<BTreeSet<String>> {
        let listed = self.kubectl(&["get", "namespaces", "-o", "name"], None)?;
        let listed = listed.success("kubectl get")?.stdout;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// Removes the namespaces that are not among these, and waits until they are gone: the next trial on the node finds what this one
    /// has found.
    pub(crate) fn remove_namespaces_but(&self, before: &BTreeSet<String>) {
        let now = self.namespaces().unwrap_or_default();
        for namespace in now.difference(before) {
            let args = ["delete", namespace, "--timeout=60s"];
            let removed = self.kubectl(&args, None);
            if let Err(error) = removed.and_then(|output| output.success("kubectl delete")) {
                eprintln!("{namespace} is left, and later trials may fail: {error:#}");
            }
        }
    }

    /// Ends the trial. On a plane that goes on, its objects are removed, except what may be looked at after a failure.
    pub(crate) fn end(self, failed: bool) {
        if self.alone {
            return; // the plane ends with it
        }
        let selector = format!("{LABEL}={}", self.namespace);
        let _ = self.kubectl(
            &[
                "delete",
                "mutatingwebhookconfigurations,validatingwebhookconfigurations",
                "--selector",
                &selector,
            ],
            None,
        ); // what is left over selects a namespace that nobody will use
        if failed && self.plane.is_shared() {
            eprintln!(
                "the namespace {} is left as it is, without its webhooks",
                self.namespace
            );
        } else {
            let _ = self.kubectl(
                &[
                    "delete",
                    "namespaces",
                    "--selector",
                    &selector,
                    "--wait=false",
                ],
                None,
            );
        }
    }

    fn add_namespace(&self, name: &str) -> Result<()> {
        let labels = self.labels();
        let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        self.apply(&home.to_string())?;
        // No Pod is admitted before its service account is there. Whoever comes second, this or the controller, finds it.
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
        self.kubectl(
            &["apply", "--server-side", "--namespace", name, "-f", "-"],
            Some(&account.to_string()),
        )?
        .success("kubectl apply")?;
        Ok(())
    }

    fn keep(&self, thing: Arc<dyn Any + Send + Sync>) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(thing);
    }
}

/// The trial's name as a namespace, with something that makes it unique on a plane that is held open.
fn unique_namespace(trial: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let words = trial
        .rsplit("::")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .replace('_', "-");
    let words: String = words.chars().take(36).collect();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
        & 0xfff_ffff;
    format!(
        "{}-{now:07x}{:x}",
        words.trim_matches('-'),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}
