//! How a webhook is made known to the API server: a Service without selector, an `EndpointSlice` that points at the
//! trial's own address, and configurations that select nothing but the trial's namespace.
//!
//! A configuration takes effect some time after it is stored. So that no trial has to guess, each has an entry more, the
//! fence: it matches one object that nobody else makes, and its port refuses every connection. Once a dry run of that
//! object fails for this reason, configuration, Service and `EndpointSlice` are known to be in force.

use std::net::SocketAddr;

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{process::wait_for, world::World};

/// The name of the fence's entry.
pub(crate) const FENCE: &str = "fence.trials.test";

/// A port on which nobody listens.
const FENCE_PORT: u16 = 9;

/// A webhook to be called through its Service.
pub(crate) struct Registration<'a> {
    /// The name of Service, `EndpointSlice` and configurations.
    pub(crate) name: &'a str,
    /// Where the webhook listens.
    pub(crate) address: SocketAddr,
    /// The authority of its certificate, PEM.
    pub(crate) authority: &'a str,
    /// The entries of the mutating configuration; none: no such configuration.
    pub(crate) mutating: Vec<Entry<'a>>,
    /// The entries of the validating configuration; none: no such configuration.
    pub(crate) validating: Vec<Entry<'a>>,
}

/// One entry of a configuration.
pub(crate) struct Entry<'a> {
    /// The entry's name, which stands before its audit annotations.
    pub(crate) name: &'a str,
    /// The path of the call.
    pub(crate) path: &'a str,
    /// Operations and resources.
    pub(crate) rules: Value,
    /// Further fields, such as `failurePolicy`; they win over the fixture's.
    pub(crate) fields: Value,
}

impl Registration<'_> {
    /// Registers the webhook and returns when the API server calls it.
    pub(crate) fn submit(&self, world: &World) -> Result<()> {
        let kinds = [
            ("Mutating", &self.mutating),
            ("Validating", &self.validating),
        ];
        let kinds: Vec<_> = kinds
            .into_iter()
            .filter(|(_, entries)| !entries.is_empty())
            .collect();
        let mut objects = self.endpoints(world);
        objects.extend(
            kinds
                .iter()
                .map(|(kind, entries)| self.configuration(world, kind, entries)),
        );
        world.apply(&list(&objects))?;
        let fences: Vec<Value> = kinds
            .iter()
            .map(|(kind, _)| json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": self.fence(kind)}}))
            .collect();
        wait_for(&format!("the webhook {} in force", self.name), || {
            let answer = world.kubectl(
                &["create", "--dry-run=server", "-f", "-"],
                Some(&list(&fences)),
            )?;
            Ok((answer.stderr.matches("connection refused").count() == fences.len()).then_some(()))
        })
    }

    fn fence(&self, kind: &str) -> String {
        format!("fence-{}-{}", self.name, kind.to_lowercase())
    }

    fn endpoints(&self, world: &World) -> Vec<Value> {
        let (name, ports) = (
            self.name,
            [
                ("webhook", 443, self.address.port()),
                ("fence", 444, FENCE_PORT),
            ],
        );
        let service: Vec<Value> = ports
            .iter()
            .map(|(name, port, _)| json!({"name": name, "port": port}))
            .collect();
        let slice: Vec<Value> = ports
            .iter()
            .map(|(name, _, port)| json!({"name": name, "port": port}))
            .collect();
        let metadata = json!({"name": name, "namespace": world.namespace(), "labels": {"kubernetes.io/service-name": name}});
        vec![
            json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": service}}),
            json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
                "endpoints": [{"addresses": [self.address.ip()], "conditions": {"ready": true}}], "ports": slice}),
        ]
    }

    fn configuration(&self, world: &World, kind: &str, entries: &[Entry<'_>]) -> Value {
        let fence = Entry {
            name: FENCE,
            path: "/",
            rules: json!([{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["serviceaccounts"]}]),
            fields: json!({
                "matchConditions": [{"name": "fence", "expression": format!("object.metadata.name == '{}'", self.fence(kind))}],
            }),
        };
        let mut webhooks = vec![self.entry(world, &fence, 444)];
        webhooks.extend(entries.iter().map(|entry| self.entry(world, entry, 443)));
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": format!("{kind}WebhookConfiguration"),
            "metadata": {"name": world.cluster_wide(self.name), "labels": world.labels()}, "webhooks": webhooks,
        })
    }

    fn entry(&self, world: &World, entry: &Entry<'_>, port: u16) -> Value {
        let mut webhook = json!({
            "name": entry.name, "rules": entry.rules, "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": world.namespace()}},
            "clientConfig": {
                "caBundle": STANDARD.encode(self.authority),
                "service": {"namespace": world.namespace(), "name": self.name, "path": entry.path, "port": port},
            },
        });
        if let (Some(webhook), Some(fields)) = (webhook.as_object_mut(), entry.fields.as_object()) {
            webhook.extend(fields.clone());
        }
        webhook
    }
}

fn list(objects: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string()
}
