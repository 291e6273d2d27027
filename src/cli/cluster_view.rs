//! The view of a live cluster: its policies, mappings and namespaces, and the region of its nodes.

use std::sync::Arc;

use anyhow::Context as _;
use bedrock_profiles_engine::in_group;
use k8s_openapi::api::core::v1::{Namespace as StoredNamespace, Node};
use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;

use crate::api::{self, InferenceProfileMapping, Resource as CustomResource};
use crate::cluster::list::{ListError, ListRequest, Pager};
use crate::cluster::release::VIEW_ROLE;
use crate::controllers::cluster_state::REGION_LABEL;
use crate::domain::annotations;
use crate::domain::policy::Namespace;
use crate::domain::region::Region;
use crate::domain::view::{Namespaces, View};

use super::cluster_args::{ClusterArgs, block_on};
use super::console::message;
use super::evaluation_args::{
    ClusterResources, EvaluationArgs, by_kind, default_policy, print_warnings,
};
use super::file_args::FileArgs;
use super::planned_change_args::PlannedChangeArgs;
use super::tally::Tally;

/// The path of the list of mappings.
const MAPPINGS: &str = concat!("/apis/", in_group!("v1alpha1/inferenceprofilemappings"));

/// The path of the list of policies.
const POLICIES: &str = concat!("/apis/", in_group!("v1alpha1/inferenceprofilepolicies"));

/// The path of the list of nodes.
const NODES: &str = "/api/v1/nodes";

/// The path of the list of namespaces.
const NAMESPACES: &str = "/api/v1/namespaces";

/// The view of the cluster that the flags select for files, if they select one.
pub(super) fn of_files(
    cluster: &ClusterArgs,
    files: &FileArgs,
    tally: &mut Tally,
) -> anyhow::Result<Option<View>> {
    if !cluster.is_selected() {
        return Ok(None);
    }
    block_on(async {
        let pager = cluster.connect().await?.pager;
        let mut view = view(&files.evaluation, &pager, tally).await?;
        view.namespaces = namespaces(&pager, files.namespace.as_deref()).await?;
        Ok(Some(view))
    })
}

/// The view of the mappings and policies of the flags, or else of the cluster, and the region of its nodes. A cluster without policies
/// gets [`default_policy`].
pub(super) async fn view(
    evaluation: &EvaluationArgs,
    pager: &Pager,
    tally: &mut Tally,
) -> anyhow::Result<View> {
    let resources = resources(evaluation, pager, tally).await?;
    if resources.lacks_policy_kind {
        message!(
            "note: the cluster has no definitions of policies; evaluating with the default policy in mode Rewrite"
        );
    }
    let inputs = evaluation.inputs_of_cluster(resources)?;
    let mut view = print_warnings(inputs.build(Some(default_policy()))?);
    view.cluster_region = region(pager).await?;
    Ok(view)
}

/// The views of a cluster without and with a change. A cluster without policies is one in which nothing is replaced.
pub(super) async fn views_of_change(
    change: &PlannedChangeArgs,
    evaluation: &EvaluationArgs,
    pager: &Pager,
    tally: &mut Tally,
) -> anyhow::Result<[View; 2]> {
    let resources = resources(evaluation, pager, tally).await?;
    let inputs = || evaluation.inputs_of_cluster(resources.clone());
    let mut views = change.views(inputs()?, inputs()?)?;
    let region = region(pager).await?;
    for view in &mut views {
        view.cluster_region = region;
    }
    Ok(views)
}

/// The mappings of a cluster, and its policies where the flags have none.
pub(super) async fn resources(
    evaluation: &EvaluationArgs,
    pager: &Pager,
    tally: &mut Tally,
) -> anyhow::Result<ClusterResources> {
    let own_policies = evaluation.policies.is_empty();
    let mut resources = Vec::new();
    let mut lacks_policy_kind = false;
    if own_policies {
        match custom_resources(pager, POLICIES, tally).await {
            Err(ListError::NotFound) => lacks_policy_kind = true,
            listed => resources.extend(required(listed, "policies")?),
        }
    }
    match custom_resources(pager, MAPPINGS, tally).await {
        Err(ListError::NotFound) => {}
        Err(ListError::Forbidden) if !own_policies => message!(
            "note: cannot list the cluster's mappings: forbidden; evaluating with the built-in catalog and --mapping"
        ),
        listed => resources.extend(required(listed, "mappings")?),
    }
    Ok(ClusterResources {
        lacks_policy_kind,
        ..ClusterResources::retain_valid(resources)
    })
}

/// The region of all nodes; none if it is unknown, which is printed as a note.
pub(super) async fn region(pager: &Pager) -> anyhow::Result<Option<Region>> {
    let nodes = ListRequest {
        path: NODES.to_owned(),
        metadata_only: true,
        ..ListRequest::default()
    };
    match pager.collect::<PartialObjectMeta<Node>>(&nodes).await {
        Ok(nodes) => Ok(Region::common(nodes.iter().filter_map(region_of))),
        Err(error) if error.is_final() => Err(error.into()),
        Err(error) => {
            message!("note: cannot list nodes: {error}; the region of the cluster is unknown");
            Ok(None)
        }
    }
}

/// The mappings of the cluster, valid or not; none where it has no definition of them.
pub(super) async fn mappings(
    pager: &Pager,
    tally: &mut Tally,
) -> anyhow::Result<Vec<InferenceProfileMapping>> {
    let listed = match custom_resources(pager, MAPPINGS, tally).await {
        Err(ListError::NotFound) => Vec::new(),
        listed => required(listed, "mappings")?,
    };
    let (mappings, _) = by_kind(listed);
    Ok(mappings)
}

/// The namespaces of the cluster. A policy selects namespaces by labels, so an unknown one could be evaluated by another policy than
/// the cluster has.
pub(super) async fn namespaces(
    pager: &Pager,
    only: Option<&str>,
) -> anyhow::Result<Arc<Namespaces>> {
    let stored = stored_namespaces(pager, only).await?;
    let observed = stored.iter().map(|stored| {
        let namespace = namespace_of(stored);
        (namespace.name.clone(), Arc::new(namespace))
    });
    Ok(Arc::new(Namespaces::Observed(observed.collect())))
}

/// The metadata of all namespaces, or of `only` for a user who may not list them: that takes a right in this namespace alone.
async fn stored_namespaces(
    pager: &Pager,
    only: Option<&str>,
) -> anyhow::Result<Vec<PartialObjectMeta<StoredNamespace>>> {
    let list = ListRequest {
        path: NAMESPACES.to_owned(),
        metadata_only: true,
        ..ListRequest::default()
    };
    match (pager.collect(&list).await, only) {
        (Err(ListError::Forbidden), Some(only)) => {
            let text = pager.metadata(NAMESPACES, only).await;
            let text = text.with_context(|| format!("cannot read namespace `{only}`"))?;
            let namespace = text.map(|text| serde_json::from_str(&text));
            Ok(namespace.transpose()?.into_iter().collect())
        }
        (listed, Some(_)) => listed.context("cannot list namespaces"),
        (listed, None) => listed.context("cannot list namespaces; -n NAME reads one"),
    }
}

/// The error of an unknown namespace. Who may not read it cannot know.
pub(super) async fn check_namespace(pager: &Pager, name: &str) -> anyhow::Result<()> {
    match pager.metadata(NAMESPACES, name).await {
        Ok(Some(_)) | Err(ListError::Forbidden | ListError::Failed(_)) => Ok(()),
        Ok(None) => anyhow::bail!(
            "namespace `{name}` does not exist in this cluster; `kubectl get namespaces` lists them"
        ),
        Err(error) => Err(error.into()),
    }
}

/// The custom resources of a list. An invalid one is printed as an error.
async fn custom_resources(
    pager: &Pager,
    path: &str,
    tally: &mut Tally,
) -> Result<Vec<CustomResource>, ListError> {
    let list = ListRequest {
        path: path.to_owned(),
        ..ListRequest::default()
    };
    let items = pager.collect::<serde_json::Value>(&list).await?;
    let read = items.iter().filter_map(|item| custom_resource(item, tally));
    Ok(read.collect())
}

fn custom_resource(item: &serde_json::Value, tally: &mut Tally) -> Option<CustomResource> {
    match api::read(&item.to_string(), "the cluster") {
        Ok(mut read) => read.pop(),
        Err(error) => {
            tally.error(&error);
            None
        }
    }
}

/// What was listed. Without it, the result would be that of another policy than the cluster has.
fn required<T>(listed: Result<T, ListError>, what: &str) -> anyhow::Result<T> {
    match listed {
        Err(ListError::Forbidden) => anyhow::bail!(
            "cannot list the cluster's {what}: forbidden; ask for the chart's ClusterRole `{VIEW_ROLE}` (value rbac.view.groups), or evaluate with --policy FILE"
        ),
        Err(error) if error.is_final() => Err(error.into()),
        listed => listed.with_context(|| format!("cannot list the cluster's {what}")),
    }
}

pub(super) fn namespace_of(stored: &PartialObjectMeta<StoredNamespace>) -> Namespace {
    let mut namespace = Namespace::named(&stored.name_any());
    let owned = |(key, value): (&String, &String)| (key.as_str().into(), value.as_str().into());
    namespace.labels.extend(stored.labels().iter().map(owned));
    let annotations = stored.annotations().iter();
    let own = annotations.filter(|(key, _)| key.starts_with(annotations::PREFIX));
    namespace.annotations.extend(own.map(owned));
    namespace
}

fn region_of(node: &PartialObjectMeta<Node>) -> Option<Region> {
    Region::parse(node.labels().get(REGION_LABEL)?).ok()
}
