//! Lists a cluster into one audit.

use super::cluster_audit::{AuditInput, AuditResult, ClusterAudit, Counts};
use super::resource::{CONFIG_MAPS, NAMESPACES, Resource, WORKLOADS};
use crate::cluster::list::{ItemSink, ListRequest, Pager};

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
    resource: &'a Resource,
    progress: &'a mut F,
}

impl<F: FnMut(&Resource, Counts)> ItemSink for Feed<'_, F> {
    fn add(&mut self, item: &str) {
        self.audit.add(self.resource, item);
    }

    fn commit(&mut self) {
        self.audit.commit();
        (self.progress)(self.resource, self.audit.counts());
    }

    fn abandon(&mut self) {
        self.audit.abandon();
    }
}

/// Audits the part of a cluster that `scope` names. Calls `progress` after each page. A list that cannot be read does not stop
/// the audit; see [`AuditResult::incomplete`].
pub async fn audit_cluster(
    pager: &Pager,
    scope: &ListScope,
    input: AuditInput,
    mut progress: impl FnMut(&Resource, Counts),
) -> AuditResult {
    let mut audit = ClusterAudit::new(input);
    let config_maps = scope.config_maps.then_some(&CONFIG_MAPS);
    let resources = std::iter::once(&NAMESPACES)
        .chain(config_maps)
        .chain(WORKLOADS);
    for resource in resources {
        let mut feed = Feed {
            audit: &mut audit,
            resource,
            progress: &mut progress,
        };
        let outcome = pager.read(&scope.list(resource), &mut feed).await;
        audit.end_list(resource, outcome);
    }
    audit.finish()
}

impl ListScope {
    fn list(&self, resource: &Resource) -> ListRequest<'_> {
        let namespace = self.namespace.as_deref();
        if *resource == NAMESPACES {
            return ListRequest {
                path: resource.path(None),
                name: namespace,
                metadata_only: true,
            };
        }
        ListRequest {
            path: resource.path(namespace),
            ..ListRequest::default()
        }
    }
}
