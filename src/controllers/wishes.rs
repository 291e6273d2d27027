//! What the chart wishes, followed as it changes.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use tokio::sync::mpsc;

use crate::api::{BOOTSTRAP_KEY, Bootstrap};
use crate::cluster::client::Clients;
use crate::cluster::release::ReleaseNames;
use crate::cluster::watch::{self, Change, Sort, Trouble};
use crate::runtime::published::Published;

/// What the chart wishes; `None` until it has been looked for.
pub type Wishes = Published<Option<Bootstrap>>;

/// Follows the chart's ConfigMap for ever. One that is missing wishes nothing; one that cannot be read changes nothing.
pub async fn follow(
    clients: Clients,
    release: ReleaseNames,
    metrics: watch::Metrics,
    wishes: Arc<Wishes>,
) {
    let name = release.bootstrap();
    let api = Api::<ConfigMap>::namespaced(clients.reading, &release.namespace);
    let (taker, mut told) = mpsc::channel(1);
    let mail = |change: Result<Change<ConfigMap>, Trouble>| change.ok();
    let config = watch::config_of_one(&name);
    let following = watch::follow(api, config, Sort::Bootstrap, metrics, taker, mail);
    let taking = async {
        let mut listed = None;
        while let Some(change) = told.recv().await {
            let map = match change {
                Change::Restarted => {
                    listed = None;
                    continue;
                }
                Change::Listed(map) => {
                    listed = Some(map);
                    continue;
                }
                Change::Complete => listed.take(),
                Change::Applied(map) => Some(map),
                Change::Deleted(_) => None,
            };
            take(map.as_ref(), &name, &wishes);
        }
    };
    tokio::join!(following, taking);
}

fn take(map: Option<&ConfigMap>, name: &str, wishes: &Wishes) {
    let Some(map) = map else {
        tracing::warn!(
            config_map = name,
            "the chart's ConfigMap is missing: no entry is armed and no policy is made; install the chart again"
        );
        return wishes.replace(Some(Bootstrap {
            catalog: crate::api::CatalogWish { apply: false },
            ..Bootstrap::default()
        }));
    };
    let text = map.data.as_ref().and_then(|data| data.get(BOOTSTRAP_KEY));
    match Bootstrap::read(text.map_or("", String::as_str)) {
        Ok(read) => wishes.replace(Some(read)),
        Err(error) => {
            tracing::error!(config_map = name, key = BOOTSTRAP_KEY, %error, "cannot be read; what it said before stays");
        }
    }
}
