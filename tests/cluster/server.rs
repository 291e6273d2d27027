//! The product itself: the built binary as `serve --standalone`, registered as the chart registers a release, but with a
//! `timeoutSeconds` of 10, since no trial of it is about time. Trials of a release have the 2 seconds of the chart.

use std::{fs, net::SocketAddr, path::PathBuf, process::Command, sync::Arc};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    admin::Admin,
    process::{Process, wait_for},
    registration::{Entry, Registration},
    world::World,
};

/// How the product is started and registered.
#[derive(Clone, Debug)]
pub(crate) struct Serve<'a> {
    /// Policies, as YAML with any number of documents. Empty: the product's default.
    pub(crate) policies: &'a str,
    /// Mappings beside the built-in ones, as YAML. Empty: none.
    pub(crate) mappings: &'a str,
    /// Further flags.
    pub(crate) flags: &'a [&'a str],
    /// The name of Service and configurations: the API server calls mutating webhooks in the alphabetical order of these.
    pub(crate) name: &'a str,
    /// Fields for every entry, such as `{"failurePolicy": "Ignore"}`.
    pub(crate) fields: Value,
    /// Whether updates of rewritten Pods are registered: `webhooks.podUpdates.enabled` of the chart.
    pub(crate) pod_updates: bool,
}

impl Default for Serve<'_> {
    fn default() -> Self {
        let fields = json!({"reinvocationPolicy": "IfNeeded", "timeoutSeconds": 10});
        Self {
            policies: "",
            mappings: "",
            flags: &[],
            name: "bedrock-profiles",
            fields,
            pod_updates: true,
        }
    }
}

/// The product, running. The world keeps it until the trial ends, whoever drops this value.
#[derive(Clone)]
pub(crate) struct Server {
    /// The webhook's address.
    pub(crate) address: SocketAddr,
    /// The address of `/livez`, `/readyz` and `/metrics`.
    pub(crate) admin: Admin,
    log: PathBuf,
    process: Arc<Process>,
}

impl Server {
    /// Starts the product and waits until it is ready; nothing is registered yet.
    pub(crate) fn start(world: &World, serve: &Serve<'_>) -> Result<(Self, String)> {
        let (address, admin) = (world.next_address(), world.next_address());
        let stem = format!("{}-{}", serve.name, address.port());
        let authority = world.folder().join(format!("{stem}.ca.pem"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
        command.args(["serve", "--standalone", "--log-format", "json"]);
        command.args([
            "--listen",
            &address.to_string(),
            "--admin-listen",
            &admin.to_string(),
        ]);
        command.args([
            "--dns-name",
            &format!("{}.{}.svc", serve.name, world.namespace()),
        ]);
        command.arg("--ca-file").arg(&authority).args(serve.flags);
        for (flag, content) in [("--policy", serve.policies), ("--mapping", serve.mappings)] {
            if !content.is_empty() {
                let path = world.folder().join(format!("{stem}{flag}.yaml"));
                fs::write(&path, content)?;
                command.arg(flag).arg(path);
            }
        }
        let log = world.folder().join(format!("{stem}.log"));
        let process = Arc::new(Process::spawn(serve.name, &mut command, log.clone())?);
        let server = Self {
            address,
            admin: Admin(admin),
            log,
            process,
        };
        wait_for("a ready server", || {
            server.process.check()?;
            Ok(server.admin.is_ready().then_some(()))
        })?;
        let authority =
            fs::read_to_string(&authority).context("the server wrote no CA certificate")?;
        Ok((server, authority))
    }

    /// The answer of the admin port, with its head.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        self.admin.get(path)
    }

    /// Everything that it has printed so far: its log, one JSON object a line, and what it says to people.
    pub(crate) fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Registers the server under the names that the chart gives its entries.
    pub(crate) fn register(&self, world: &World, serve: &Serve<'_>, authority: &str) -> Result<()> {
        let pods = json!([
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]},
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["pods/ephemeralcontainers"]},
        ]);
        let config_maps = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}]);
        let templates = json!([
            {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                "resources": ["deployments", "statefulsets", "daemonsets", "replicasets"]},
            {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["jobs", "cronjobs"]},
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["replicationcontrollers"]},
        ]);
        let entry = |name, path, rules| Entry {
            name,
            path,
            rules,
            fields: serve.fields.clone(),
        };
        let mut validating = entry(
            "webhook-templates.bedrock-profiles.dev",
            "/validate",
            templates,
        );
        if let Some(fields) = validating.fields.as_object_mut() {
            fields.remove("reinvocationPolicy"); // a field of mutating entries only
        }
        // Its fields are those of the chart, whatever the trial has for the others.
        let updates = Entry {
            name: "webhook-pod-updates.bedrock-profiles.dev",
            path: "/restore",
            rules: json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["pods"]}]),
            fields: json!({"failurePolicy": "Ignore", "matchConditions": [{"name": "has-record", "expression":
                "has(oldObject.metadata.annotations) && 'bedrock-profiles.dev/rewrites' in oldObject.metadata.annotations"}]}),
        };
        let mut mutating = vec![
            entry("webhook-pods.bedrock-profiles.dev", "/mutate", pods),
            entry(
                "webhook-configmaps.bedrock-profiles.dev",
                "/mutate",
                config_maps,
            ),
        ];
        if serve.pod_updates {
            mutating.insert(1, updates);
        }
        let registration = Registration {
            name: serve.name,
            address: self.address,
            authority,
            mutating,
            validating: vec![validating],
        };
        registration.submit(world)
    }
}
