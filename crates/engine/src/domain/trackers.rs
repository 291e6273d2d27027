//! Controllers and tools that track the objects that they apply, and the marks by which they are recognised.
//!
//! A tracker compares an object with its source, and reports or reverts the change of another writer.

use std::fmt;

use wildmatch::WildMatch;

use crate::text::NodeId;

use crate::domain::object::Object;
use crate::domain::policy::TrackedBy;

/// A mark of a tracker: where it is, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark<'t> {
    /// A label, as `KEY` or `KEY=VALUE`.
    Label(&'t str),
    /// An annotation, as `KEY` or `KEY=VALUE`.
    Annotation(&'t str),
    /// A field manager that owns the data of the object, as in `metadata.managedFields`. The API server knows it when the object
    /// is created.
    FieldManager(&'t str),
    /// The API group of an owner reference.
    OwnerGroup(&'t str),
}

/// Trackers and their marks. A field manager is a pattern with the wildcard `*`.
///
/// `app.kubernetes.io/instance` is not in the table: Helm's charts set it too. The field manager `argocd-controller` shows an
/// object that Argo CD tracks by this label, or by any other.
pub const TRACKERS: &[(&str, Mark<'_>)] = &[
    (
        "Argo CD",
        Mark::Annotation("argocd.argoproj.io/tracking-id"),
    ),
    ("Argo CD", Mark::Label("argocd.argoproj.io/instance")),
    ("Argo CD", Mark::FieldManager("argocd-controller")),
    ("Flux", Mark::Label("kustomize.toolkit.fluxcd.io/name")),
    ("Flux", Mark::Label("helm.toolkit.fluxcd.io/name")),
    ("Flux", Mark::FieldManager("kustomize-controller")),
    ("Flux", Mark::FieldManager("helm-controller")),
    (
        "Flux Operator",
        Mark::Label("resourceset.fluxcd.controlplane.io/name"),
    ),
    ("Flux Operator", Mark::Label("fluxcd.controlplane.io/name")),
    ("Flux Operator", Mark::FieldManager("flux-operator")),
    (
        "Rancher Fleet, k3s or RKE2",
        Mark::Label("objectset.rio.cattle.io/hash"),
    ),
    (
        "Rancher Fleet, k3s or RKE2",
        Mark::Annotation("objectset.rio.cattle.io/id"),
    ),
    ("kapp", Mark::Label("kapp.k14s.io/app")),
    ("kapp", Mark::Annotation("kapp.k14s.io/identity")),
    (
        "Config Sync",
        Mark::Annotation("configmanagement.gke.io/managed=enabled"),
    ),
    (
        "Config Sync",
        Mark::Annotation("configsync.gke.io/resource-id"),
    ),
    ("Config Sync", Mark::FieldManager("configsync")),
    ("kpt", Mark::Annotation("config.k8s.io/owning-inventory")),
    (
        "kubectl apply --applyset",
        Mark::Label("applyset.kubernetes.io/part-of"),
    ),
    ("kro", Mark::Label("kro.run/owned")),
    (
        "Open Cluster Management",
        Mark::OwnerGroup("work.open-cluster-management.io"),
    ),
    ("Karmada", Mark::Label("karmada.io/managed")),
    ("Karmada", Mark::Label("work.karmada.io/name")),
    ("Karmada", Mark::Annotation("work.karmada.io/name")),
    ("Sveltos", Mark::Label("projectsveltos.io/reference-name")),
    (
        "Sveltos",
        Mark::Annotation("projectsveltos.io/reference-name"),
    ),
    ("KubeVela", Mark::Label("app.oam.dev/name")),
    (
        "KubeVela",
        Mark::Annotation("app.oam.dev/last-applied-configuration"),
    ),
    ("werf", Mark::Annotation("werf.io/version")),
    ("werf", Mark::Annotation("project.werf.io/name")),
    (
        "the add-on manager",
        Mark::Label("addonmanager.kubernetes.io/mode=Reconcile"),
    ),
    ("Terraform", Mark::FieldManager("Terraform")),
    ("Terraform", Mark::FieldManager("HashiCorp")),
    ("Pulumi", Mark::FieldManager("pulumi-*")),
    ("Crossplane", Mark::FieldManager("crossplane-*")),
];

/// Why an object counts as tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracking<'t> {
    /// A controller owns the object.
    Controller {
        /// The kind of the controller.
        kind: &'t str,
        /// Its name.
        name: &'t str,
    },
    /// The object has a mark of the table.
    Tracker {
        /// The tracker.
        name: &'static str,
        /// Its mark.
        mark: Mark<'static>,
    },
    /// The object has a mark that the policy lists.
    Policy(Mark<'t>),
}

impl<'t> Tracking<'t> {
    /// Why `object` counts as tracked: by its controller, by a mark of [`TRACKERS`], or by one of the policy's; `None` if it
    /// does not.
    pub fn of(object: &Object<'t>, listed: &TrackedBy) -> Option<Self> {
        if let Some((kind, name)) = object.controller() {
            return Some(Self::Controller { kind, name });
        }
        let managers: Vec<_> = data_managers(object).collect();
        let known = TRACKERS
            .iter()
            .find(|(_, mark)| mark.is_on(object, &managers));
        if let Some((name, mark)) = known {
            return Some(Self::Tracker { name, mark: *mark });
        }
        let label = object
            .labels()
            .map(|(key, _)| key)
            .find(|key| listed.labels.matches(key));
        let annotation = || {
            let mut keys = object.annotations().map(|(key, _)| key);
            keys.find(|key| listed.annotations.matches(key))
        };
        let manager = || {
            let mut managers = managers.iter().copied();
            managers.find(|manager| listed.field_managers.matches(manager))
        };
        label
            .map(Mark::Label)
            .or_else(|| annotation().map(Mark::Annotation))
            .or_else(|| manager().map(Mark::FieldManager))
            .map(Self::Policy)
    }
}

impl Mark<'_> {
    fn is_on(&self, object: &Object<'_>, managers: &[&str]) -> bool {
        match self {
            Self::Label(mark) => is_set(mark, |key| object.label(key)),
            Self::Annotation(mark) => is_set(mark, |key| object.annotation(key)),
            Self::FieldManager(pattern) => {
                let pattern = WildMatch::new(pattern);
                managers.iter().any(|manager| pattern.matches(manager))
            }
            Self::OwnerGroup(group) => owner_groups(object).any(|owner| owner == *group),
        }
    }

    /// The name of the mark's place: a label, an annotation, a field manager or an owner reference.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Label(_) => "label",
            Self::Annotation(_) => "annotation",
            Self::FieldManager(_) => "field manager",
            Self::OwnerGroup(_) => "owner of the API group",
        }
    }

    /// The key, the pattern or the API group.
    pub const fn name(&self) -> &str {
        match self {
            Self::Label(name)
            | Self::Annotation(name)
            | Self::FieldManager(name)
            | Self::OwnerGroup(name) => name,
        }
    }
}

/// Whether `KEY` is set, or `KEY=VALUE` is.
fn is_set<'t>(mark: &str, read: impl Fn(&str) -> Option<&'t str>) -> bool {
    match mark.split_once('=') {
        Some((key, value)) => read(key) == Some(value),
        None => read(mark).is_some(),
    }
}

/// The field managers that own data of the object. A manager of other fields, such as labels, does not notice a change of the
/// data.
fn data_managers<'t>(object: &Object<'t>) -> impl Iterator<Item = &'t str> + use<'t> {
    let tree = object.tree;
    let entries = tree.at(object.root, &["metadata", "managedFields"]);
    let owns_data = move |entry: &NodeId| match tree.get(*entry, "fieldsV1") {
        Some(fields) => ["f:data", "f:binaryData"]
            .iter()
            .any(|field| tree.get(fields, field).is_some()),
        None => true,
    };
    entries
        .into_iter()
        .flat_map(move |entries| tree.children(entries))
        .filter(owns_data)
        .filter_map(move |entry| tree.text(tree.get(entry, "manager")?))
}

/// The API groups of the object's owners.
fn owner_groups<'t>(object: &Object<'t>) -> impl Iterator<Item = &'t str> + use<'t> {
    let tree = object.tree;
    object.owners().filter_map(move |owner| {
        let version = tree.text(tree.get(owner, "apiVersion")?)?;
        version.split_once('/').map(|(group, _)| group)
    })
}

/// A mark with its kind: ``label `kapp.k14s.io/app` ``.
impl fmt::Display for Mark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind(), self.name())
    }
}

/// A clause for messages.
impl fmt::Display for Tracking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Controller { kind, name } => write!(f, "its controller {kind}/{name} owns it"),
            Self::Tracker { name, mark } => write!(f, "{name} tracks it by the {mark}"),
            Self::Policy(mark) => {
                write!(
                    f,
                    "it has the {mark}, which the policy lists in configMaps.trackedBy"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
