//! Service accounts of a trial, and how a client becomes one of them.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Result;
use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};

use crate::world::World;

impl World {
    /// Makes a service account that may do this in the trial's namespace, by rules of a Role, and nothing else.
    pub(crate) fn account(&self, name: &str, rules: &Value) -> Result<()> {
        let metadata = json!({"name": name, "namespace": self.namespace()});
        let (group, api) = ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1");
        let objects = json!([
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
            {"apiVersion": api, "kind": "Role", "metadata": metadata, "rules": rules},
            {"apiVersion": api, "kind": "RoleBinding", "metadata": metadata,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self.namespace()}]},
        ]);
        self.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string())
            .map(|_| ())
    }

    /// A kubeconfig of a service account in the trial's namespace, with a token of its own, by way of a proxy where one is given.
    pub(crate) fn account_config(&self, account: &str, by: Option<SocketAddr>) -> Result<PathBuf> {
        let token = self
            .kubectl(&["create", "token", account], None)?
            .success("kubectl create token")?;
        let way = by.map_or_else(String::new, |by| format!("-{}", by.port()));
        let path = self.folder().join(format!("{account}{way}.kubeconfig"));
        let config = self.plane().kubeconfig_with_token(token.stdout.trim(), by);
        fs::write(&path, config.to_string())?;
        Ok(path)
    }
}

/// What a client in the test's own process needs to use a kubeconfig.
pub(crate) async fn config(path: &Path) -> Result<Config> {
    let kubeconfig = Kubeconfig::read_from(path)?;
    Ok(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)
}
