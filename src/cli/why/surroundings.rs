//! What a cluster has around an object: policies and mappings, the namespace, the webhook configurations and ConfigMaps.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace as StoredNamespace;
use kube::core::PartialObjectMeta;
use serde_json::Value;

use crate::audit::{last_changed, list_path, list_policy_statuses};
use crate::cluster::dry_run::DryRunError;
use crate::cluster::list::{ListError, ListRequest, Pager};
use crate::domain::config_maps::{ConfigMap, ConfigMapIndex};
use crate::domain::kinds::{BuiltInKind, CONFIG_MAP, NAMESPACE};
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::Namespace;
use crate::domain::view::View;
use crate::text::Tree;
use crate::why::{
    ConfigurationLookup, DryRunAnswer, LiveObject, ReviewingWebhook, copy_of, webhooks_of,
};

use super::super::cluster_view;
use super::super::console::message;
use super::super::tally::Tally;
use super::Args;

/// The path of the API group of webhook configurations.
const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

/// What a cluster has around an object.
pub(super) struct Surroundings {
    pub(super) view: View,
    pub(super) namespace: Namespace,
    pub(super) no_policy: bool,
    pub(super) configurations: Vec<(ReviewingWebhook, ConfigurationLookup)>,
    pub(super) times: LiveObject,
}

impl Surroundings {
    /// Reads what is around an object of this kind in a namespace.
    pub(super) async fn read(
        args: &Args,
        pager: &Pager,
        namespace: &str,
        kind: ObjectKind,
        tally: &mut Tally,
    ) -> anyhow::Result<Self> {
        let (namespace, namespace_changed) = read_namespace(pager, namespace).await?;
        let view = cluster_view::view(&args.evaluation, pager, tally).await?;
        let (no_policy, ready_since) = if args.evaluation.policies.is_empty() {
            let statuses = match list_policy_statuses(pager).await {
                // The cluster has no definitions of policies.
                Err(ListError::NotFound) => BTreeMap::new(),
                statuses => statuses.context("cannot list the cluster's policies")?,
            };
            let times = statuses.iter();
            let times =
                times.filter_map(|(name, status)| Some((name.clone(), status.ready_since?)));
            let times: BTreeMap<_, _> = times.collect();
            (statuses.is_empty(), Some(times))
        } else {
            (false, None)
        };
        let mut configurations = Vec::new();
        for webhook in webhooks_of(kind) {
            configurations.push((*webhook, look_up(pager, *webhook).await?));
        }
        Ok(Self {
            view,
            namespace,
            no_policy,
            configurations,
            times: LiveObject {
                ready_since,
                namespace_changed,
            },
        })
    }

    /// Reads the ConfigMaps of the namespace, which an object may take IDs from.
    pub(super) async fn read_config_maps(&mut self, pager: &Pager) -> anyhow::Result<()> {
        let request = ListRequest {
            path: list_path(&CONFIG_MAP, Some(&self.namespace.name)),
            ..ListRequest::default()
        };
        let listed = match pager.collect::<Value>(&request).await {
            Ok(listed) => listed,
            Err(error) if error.is_final() => return Err(error.into()),
            Err(error) => {
                message!("note: cannot list ConfigMaps: {error}; the IDs in them are unknown");
                return Ok(());
            }
        };
        let mut index = ConfigMapIndex::of_all();
        for item in listed {
            let text = item.to_string();
            let Ok(tree) = Tree::json(&text) else {
                continue;
            };
            let map = Object::of_kind(&tree, tree.root(), CONFIG_MAP.api_version, CONFIG_MAP.kind);
            let name = map.field(&["metadata", "name"]).unwrap_or_default();
            let content = ConfigMap::of(&map, &self.view.snapshot);
            index.insert(&self.namespace.name, name, content);
        }
        self.view.config_maps = Arc::new(index);
        Ok(())
    }
}

/// A namespace, and when it was last changed.
async fn read_namespace(
    pager: &Pager,
    name: &str,
) -> anyhow::Result<(Namespace, Option<Timestamp>)> {
    let text = match pager.metadata(&list_path(&NAMESPACE, None), name).await {
        Ok(Some(text)) => text,
        Ok(None) => bail!(
            "namespace `{name}` does not exist in this cluster; `kubectl get namespaces` lists them"
        ),
        Err(ListError::Forbidden) => bail!(
            "cannot read namespace `{name}`: forbidden; its labels decide which policy selects the object, so grant the verb get on it"
        ),
        Err(error) => return Err(error.into()),
    };
    let stored: PartialObjectMeta<StoredNamespace> =
        serde_json::from_str(&text).context("cannot read the namespace")?;
    let tree = Tree::json(&text).ok();
    let changed = tree.as_ref().and_then(|tree| {
        last_changed(&Object::of_kind(
            tree,
            tree.root(),
            NAMESPACE.api_version,
            NAMESPACE.kind,
        ))
    });
    Ok((cluster_view::namespace_of(&stored), changed))
}

/// The configuration of a webhook.
async fn look_up(
    pager: &Pager,
    webhook: ReviewingWebhook,
) -> Result<ConfigurationLookup, ListError> {
    let (resource, name) = (webhook.resource(), webhook.name());
    Ok(
        match pager.get(&format!("{ADMISSION}/{resource}/{name}")).await {
            Ok(None) => ConfigurationLookup::Absent,
            Ok(Some(text)) => match serde_json::from_str(&text) {
                Ok(configuration) => ConfigurationLookup::of(&configuration),
                Err(error) => {
                    ConfigurationLookup::NotRead(format!("{name} cannot be read: {error}"))
                }
            },
            Err(ListError::Forbidden) => ConfigurationLookup::NotRead(format!(
                "you may not read {name}; grant the verb get on {resource}"
            )),
            Err(error) if error.is_final() => return Err(error),
            Err(error) => ConfigurationLookup::NotRead(format!("{name} cannot be read: {error}")),
        },
    )
}

/// Creates a copy of an object as a dry run. The copy has the field manager of the original's data, by which trackers are recognised.
pub(super) async fn dry_run(
    pager: &Pager,
    kind: &'static BuiltInKind,
    namespace: &str,
    object: &Value,
) -> DryRunAnswer {
    let copy = copy_of(object, namespace);
    let path = list_path(kind, Some(namespace));
    let webhook = webhooks_of_kind(kind).map_or("", ReviewingWebhook::name);
    let created = pager.create_dry_run(&path, data_manager(object), copy.to_string().into_bytes());
    match created.await {
        Ok(text) => match serde_json::from_str(&text) {
            Ok(response) => DryRunAnswer::admitted(&copy, &response),
            Err(error) => DryRunAnswer::no_response(&error.to_string()),
        },
        Err(DryRunError::Refused(status)) => {
            DryRunAnswer::refused(status.code, &status.reason, &status.message, webhook)
        }
        Err(DryRunError::NoResponse(error)) => DryRunAnswer::no_response(&error),
    }
}

/// The webhook that reviews the creation of an object of this kind.
fn webhooks_of_kind(kind: &BuiltInKind) -> Option<ReviewingWebhook> {
    let object = match kind.template_path {
        None => ObjectKind::ConfigMap,
        Some([]) => ObjectKind::Pod,
        Some(_) => ObjectKind::Template,
    };
    webhooks_of(object).last().copied()
}

/// The field manager that owns the data of a ConfigMap.
fn data_manager(object: &Value) -> Option<String> {
    let managers = object["metadata"]["managedFields"].as_array();
    let mut managers = managers.into_iter().flatten();
    let owner = managers.find(|one| one["fieldsV1"].get("f:data").is_some())?;
    owner["manager"].as_str().map(str::to_owned)
}
