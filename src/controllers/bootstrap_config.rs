//! Watches the ConfigMap with the bootstrap configuration, and publishes its content.

use std::sync::Arc;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;

use crate::api::{BOOTSTRAP_KEY, BootstrapConfig, CatalogSpec};
use crate::cluster::client::Clients;
use crate::cluster::release::ReleaseNames;
use crate::cluster::watch::{self, WatchedResource};
use crate::runtime::published::Published;

/// Watches the release's ConfigMap forever. A missing ConfigMap means an empty configuration; an unreadable one keeps the
/// previous configuration.
pub async fn run(
    clients: Clients,
    release: ReleaseNames,
    metrics: watch::Metrics,
    config: Arc<Published<Option<BootstrapConfig>>>,
) {
    let name = release.bootstrap();
    let api = Api::<ConfigMap>::namespaced(clients.reading, &release.namespace);
    let mut objects = watch::one(api, &name, WatchedResource::Bootstrap, metrics);
    while let Some(object) = objects.next().await {
        if let Some(read) = read(object.as_ref(), &name) {
            config.replace(Some(read));
        }
    }
}

fn read(map: Option<&ConfigMap>, name: &str) -> Option<BootstrapConfig> {
    let Some(map) = map else {
        tracing::warn!(
            config_map = name,
            "the bootstrap ConfigMap is missing, so no webhook configuration is activated and no policy is created; run \
             helm upgrade to create it"
        );
        return Some(BootstrapConfig {
            catalog: CatalogSpec { apply: false },
            ..BootstrapConfig::default()
        });
    };
    let text = map.data.as_ref().and_then(|data| data.get(BOOTSTRAP_KEY));
    let config = BootstrapConfig::read(text.map_or("", String::as_str));
    config
        .inspect_err(|error| {
            tracing::error!(
                config_map = name, key = BOOTSTRAP_KEY, %error,
                "cannot parse the bootstrap configuration; the previous one stays in use"
            );
        })
        .ok()
}
