//! Lists a cluster into one audit.

use std::pin::pin;
use std::sync::Arc;

use super::cluster_audit::{AuditInput, AuditResult, ClusterAudit, Counts};
use crate::cluster::list::{ItemSink, ListError, ListRequest, Pager};
use crate::domain::kinds::{BuiltInKind, CONFIG_MAP, NAMESPACE, WORKLOADS};

/// The part of a cluster to audit.
#[derive(Debug, Clone)]
pub struct ListScope {
    /// The only namespace to list; `None` lists all.
    pub namespace: Option<String>,
    /// Whether to list `ConfigMap`s.
    pub config_maps: bool,
}

/// Adds the pages of one list to audits.
struct Feed<'a, F> {
    audits: &'a mut [ClusterAudit],
    kind: &'static BuiltInKind,
    progress: &'a mut F,
}

impl<F: FnMut(&BuiltInKind, Counts)> ItemSink for Feed<'_, F> {
    fn add(&mut self, item: &str) {
        for audit in &mut *self.audits {
            audit.add(self.kind, item);
        }
    }

    fn commit(&mut self) {
        for audit in &mut *self.audits {
            audit.commit();
        }
        (self.progress)(self.kind, counts(self.audits));
    }

    fn abandon(&mut self) {
        for audit in &mut *self.audits {
            audit.abandon();
        }
    }
}

/// What the audits have processed: each the same objects.
fn counts(audits: &[ClusterAudit]) -> Counts {
    audits.first().map(ClusterAudit::counts).unwrap_or_default()
}

/// Audits the part of a cluster that `scope` names, with each of `inputs` on the same objects. Calls `progress` before each list and after each page. A list that cannot be read does not stop
/// the audit, unless no other could be read either, or `interrupted` ends; see [`AuditResult::incomplete`].
pub async fn audit_cluster<const N: usize>(
    pager: &Pager,
    scope: &ListScope,
    inputs: [AuditInput; N],
    mut progress: impl FnMut(&BuiltInKind, Counts),
    interrupted: impl Future<Output = ()>,
) -> [AuditResult; N] {
    let mut audits = inputs.map(ClusterAudit::new);
    let mut interrupted = pin!(interrupted);
    let config_maps = scope.config_maps.then_some(&CONFIG_MAP);
    let kinds = std::iter::once(&NAMESPACE)
        .chain(config_maps)
        .chain(WORKLOADS);
    for kind in kinds {
        progress(kind, counts(&audits));
        let mut feed = Feed {
            audits: &mut audits,
            kind,
            progress: &mut progress,
        };
        let outcome = tokio::select! {
            outcome = scope.read(pager, &mut feed) => outcome,
            () = &mut interrupted => {
                feed.abandon();
                Err(ListError::Interrupted)
            }
        };
        let is_final = outcome.as_ref().is_err_and(ListError::is_final);
        let outcome = outcome.map_err(Arc::new);
        for audit in &mut audits {
            audit.end_list(kind, outcome.clone());
        }
        if is_final {
            break;
        }
    }
    audits.map(ClusterAudit::finish)
}

impl ListScope {
    /// Reads the list of a kind. Of namespaces, the metadata alone; the only one is read by its name, which takes no right to list them.
    async fn read<F: FnMut(&BuiltInKind, Counts)>(
        &self,
        pager: &Pager,
        feed: &mut Feed<'_, F>,
    ) -> Result<(), ListError> {
        let namespace = self.namespace.as_deref();
        let is_of_namespaces = *feed.kind == NAMESPACE;
        if let Some(name) = namespace.filter(|_| is_of_namespaces) {
            let found = pager.metadata(&list_path(feed.kind, None), name).await?;
            if let Some(found) = found {
                feed.add(&found);
            }
            feed.commit();
            return Ok(());
        }
        let list = ListRequest {
            path: list_path(feed.kind, namespace),
            metadata_only: is_of_namespaces,
            ..ListRequest::default()
        };
        pager.read(&list, feed).await
    }
}

/// The path of a kind's list, in all namespaces or in one.
pub fn list_path(kind: &BuiltInKind, namespace: Option<&str>) -> String {
    let root = if kind.group().is_empty() {
        "api"
    } else {
        "apis"
    };
    let (version, plural) = (kind.api_version, kind.plural);
    match namespace {
        Some(namespace) => format!("/{root}/{version}/namespaces/{namespace}/{plural}"),
        None => format!("/{root}/{version}/{plural}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_list_has_group_version_and_namespace() {
        assert_eq!(
            list_path(&CONFIG_MAP, Some("ml")),
            "/api/v1/namespaces/ml/configmaps"
        );
        assert_eq!(list_path(&WORKLOADS[0], None), "/apis/apps/v1/deployments");
    }
}
