//! Lists a cluster into one audit.

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

/// Adds the pages of one list to an audit.
struct Feed<'a, F> {
    audit: &'a mut ClusterAudit,
    kind: &'static BuiltInKind,
    progress: &'a mut F,
}

impl<F: FnMut(&BuiltInKind, Counts)> ItemSink for Feed<'_, F> {
    fn add(&mut self, item: &str) {
        self.audit.add(self.kind, item);
    }

    fn commit(&mut self) {
        self.audit.commit();
        (self.progress)(self.kind, self.audit.counts());
    }

    fn abandon(&mut self) {
        self.audit.abandon();
    }
}

/// Audits the part of a cluster that `scope` names. Calls `progress` after each page. A list that cannot be read does not stop
/// the audit, unless the API server cannot be reached; see [`AuditResult::incomplete`].
pub async fn audit_cluster(
    pager: &Pager,
    scope: &ListScope,
    input: AuditInput,
    mut progress: impl FnMut(&BuiltInKind, Counts),
) -> AuditResult {
    let mut audit = ClusterAudit::new(input);
    let config_maps = scope.config_maps.then_some(&CONFIG_MAP);
    let kinds = std::iter::once(&NAMESPACE)
        .chain(config_maps)
        .chain(WORKLOADS);
    for kind in kinds {
        let mut feed = Feed {
            audit: &mut audit,
            kind,
            progress: &mut progress,
        };
        let outcome = pager.read(&scope.list(kind), &mut feed).await;
        let is_unreachable = matches!(outcome, Err(ListError::Unreachable(_)));
        audit.end_list(kind, outcome);
        if is_unreachable {
            break;
        }
    }
    audit.finish()
}

impl ListScope {
    fn list(&self, kind: &BuiltInKind) -> ListRequest<'_> {
        let namespace = self.namespace.as_deref();
        if *kind == NAMESPACE {
            return ListRequest {
                path: path(kind, None),
                name: namespace,
                metadata_only: true,
            };
        }
        ListRequest {
            path: path(kind, namespace),
            ..ListRequest::default()
        }
    }
}

/// The path of a kind's list, in all namespaces or in one.
fn path(kind: &BuiltInKind, namespace: Option<&str>) -> String {
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
            path(&CONFIG_MAP, Some("ml")),
            "/api/v1/namespaces/ml/configmaps"
        );
        assert_eq!(path(&WORKLOADS[0], None), "/apis/apps/v1/deployments");
    }
}
