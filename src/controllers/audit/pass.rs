//! One pass over a cluster: every list in its order, into one survey.

use crate::scan::cluster::{CONFIG_MAPS, Counts, NAMESPACES, Resource, Survey, WORKLOADS};

use crate::cluster::list::{Gap, Items, List, Pager};

/// How much of the cluster is read.
#[derive(Debug, Clone)]
pub struct Extent {
    /// The one namespace; `None` is all.
    pub namespace: Option<String>,
    /// Whether `ConfigMap`s are listed.
    pub config_maps: bool,
}

/// What was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{resource}: {gap}")]
pub struct Unread {
    /// The name of the resource in paths.
    pub resource: &'static str,
    /// Why.
    pub gap: Gap,
}

/// A survey that is fed by the pages of one list.
struct Feed<'a, F> {
    survey: &'a mut Survey,
    resource: &'a Resource,
    progress: &'a mut F,
}

impl<F: FnMut(&Resource, Counts)> Items for Feed<'_, F> {
    fn take(&mut self, item: &str) {
        self.survey.take(self.resource, item);
    }

    fn commit(&mut self) {
        self.survey.commit();
        (self.progress)(self.resource, self.survey.counts());
    }

    fn abandon(&mut self) {
        self.survey.abandon();
    }
}

/// Reads what the extent names into the survey; `progress` is told after each page. What cannot be read stops nothing.
pub async fn pass(
    pager: &Pager,
    extent: &Extent,
    survey: &mut Survey,
    mut progress: impl FnMut(&Resource, Counts),
) -> Vec<Unread> {
    let mut unread = Vec::new();
    let config_maps = extent.config_maps.then_some(&CONFIG_MAPS);
    let all = std::iter::once(&NAMESPACES)
        .chain(config_maps)
        .chain(WORKLOADS);
    for resource in all {
        let mut feed = Feed {
            survey,
            resource,
            progress: &mut progress,
        };
        let read = pager.read(&extent.list(resource), &mut feed).await;
        survey.end(resource, read.is_ok());
        unread.extend(read.err().map(|gap| Unread {
            resource: resource.plural,
            gap,
        }));
    }
    unread
}

impl Extent {
    fn list(&self, resource: &Resource) -> List<'_> {
        let namespace = self.namespace.as_deref();
        if *resource == NAMESPACES {
            return List {
                path: resource.path(None),
                name: namespace,
                metadata_only: true,
            };
        }
        List {
            path: resource.path(namespace),
            ..List::default()
        }
    }
}
