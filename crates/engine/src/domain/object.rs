//! A Kubernetes object as the domain reads it: where its texts stand, and what its metadata says.
//!
//! Reads a tree of nodes; nobody hands typed objects to the domain.

use std::fmt;

use crate::text::{Format, Kind as NodeKind, NodeId, Tree};

use super::reason::Reason;
use super::references::Reference;
use super::shape::Setting;

mod env_entry;
mod variable;

pub use env_entry::EnvEntry;
pub use variable::Variable;

/// An object inside a document.
#[derive(Clone, Copy)]
pub struct Object<'t> {
    /// The document.
    pub tree: &'t Tree<'t>,
    /// Where the object starts in it.
    pub root: NodeId,
    /// What it is to us.
    pub sort: Sort,
    /// The Pod or the template of one: what has `spec.containers` and the metadata that count.
    pod: Option<NodeId>,
}

/// What an object is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A Pod.
    Pod,
    /// A built-in kind with a Pod template.
    Template,
    /// A ConfigMap.
    ConfigMap,
    /// Any other kind; its fields are its controller's.
    Custom,
    /// No Kubernetes object: a configuration file.
    Plain,
}

/// A text that may hold a model ID.
#[derive(Debug, Clone, Copy)]
pub struct Leaf<'t> {
    /// Where it stands.
    pub source: Source<'t>,
    /// Its place by names, which survives a sidecar that is injected before it.
    pub spot: Spot<'t>,
    /// The container that it belongs to.
    pub container: Option<NodeId>,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub enum Source<'t> {
    /// In the object: this scalar, which can be edited.
    Here(NodeId),
    /// In another object, or in another field of this one; there is nothing here to edit.
    Elsewhere(Reference<'t>),
}

/// A place by names, never by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spot<'t> {
    /// A variable of a container.
    Env {
        /// The container's name.
        container: &'t str,
        /// The variable's name.
        variable: Variable<'t>,
    },
    /// An argument of a container.
    Args {
        /// The container's name.
        container: &'t str,
    },
    /// A part of a container's command.
    Command {
        /// The container's name.
        container: &'t str,
    },
    /// A key of a ConfigMap.
    Data {
        /// The key.
        key: &'t str,
    },
    /// A file in a volume.
    Volume {
        /// The volume's name.
        volume: &'t str,
    },
    /// Anywhere in a document that is none of these.
    Document,
}

/// Built-in kinds with a Pod template: API group, kind and the way to the template.
const TEMPLATES: &[(&str, &str, &[&str])] = &[
    ("apps", "Deployment", &["spec", "template"]),
    ("apps", "StatefulSet", &["spec", "template"]),
    ("apps", "DaemonSet", &["spec", "template"]),
    ("apps", "ReplicaSet", &["spec", "template"]),
    ("batch", "Job", &["spec", "template"]),
    (
        "batch",
        "CronJob",
        &["spec", "jobTemplate", "spec", "template"],
    ),
    ("", "ReplicationController", &["spec", "template"]),
    ("", "PodTemplate", &["template"]),
];

/// Every sort of container, in the order in which the kubelet starts them.
const CONTAINERS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];

impl<'t> Object<'t> {
    /// Reads what the object at `root` is.
    pub fn at(tree: &'t Tree<'t>, root: NodeId) -> Self {
        let by_lines = tree.format() == Format::Lines;
        let field = |name| {
            let text = if by_lines {
                field_of_lines(tree, name)
            } else {
                tree.get(root, name).and_then(|node| tree.text(node))
            };
            text.unwrap_or_default()
        };
        Self::of_kind(tree, root, field("apiVersion"), field("kind"))
    }

    /// Reads the object at `root` as one of this kind: items of a list do not say theirs.
    pub fn of_kind(tree: &'t Tree<'t>, root: NodeId, api_version: &str, kind: &str) -> Self {
        let by_lines = tree.format() == Format::Lines;
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let template = TEMPLATES.iter().find(|row| (row.0, row.1) == (group, kind));
        let (sort, pod) = match (group, kind, template) {
            ("", "Pod" | "ConfigMap", _) | (_, _, Some(_)) if by_lines => (Sort::Plain, None),
            ("", "Pod", _) => (Sort::Pod, Some(root)),
            ("", "ConfigMap", _) => (Sort::ConfigMap, None),
            (_, _, Some((_, _, way))) => (Sort::Template, tree.at(root, way)),
            _ if api_version.is_empty() || kind.is_empty() => (Sort::Plain, None),
            _ => (Sort::Custom, None),
        };
        Self {
            tree,
            root,
            sort,
            pod,
        }
    }

    /// A field of the object as text.
    pub fn field(&self, way: &[&str]) -> Option<&'t str> {
        self.tree.text(self.tree.at(self.root, way)?)
    }

    /// An annotation of what is judged: the Pod, the template, or the ConfigMap.
    pub fn annotation(&self, name: &str) -> Option<&'t str> {
        self.tree.text(
            self.tree
                .at(self.judged()?, &["metadata", "annotations", name])?,
        )
    }

    /// A label of what is judged.
    pub fn label(&self, name: &str) -> Option<&'t str> {
        self.tree.text(
            self.tree
                .at(self.judged()?, &["metadata", "labels", name])?,
        )
    }

    /// The annotations of what is judged, by name.
    pub fn annotations(&self) -> impl Iterator<Item = (&'t str, &'t str)> + use<'t> {
        let tree = self.tree;
        let all = self
            .judged()
            .and_then(|node| tree.at(node, &["metadata", "annotations"]));
        all.into_iter()
            .flat_map(|node| tree.children(node))
            .filter_map(|node| Some((tree.key(node)?, tree.text(node)?)))
    }

    /// The node whose metadata count.
    pub fn judged(&self) -> Option<NodeId> {
        match self.sort {
            Sort::Pod | Sort::Template => self.pod,
            Sort::ConfigMap => Some(self.root),
            Sort::Custom | Sort::Plain => None,
        }
    }

    /// Whether a controller owns the object: what a person applies has none.
    pub fn is_controlled(&self) -> bool {
        let owners = self.tree.at(self.root, &["metadata", "ownerReferences"]);
        owners
            .into_iter()
            .flat_map(|node| self.tree.children(node))
            .any(|owner| {
                self.tree
                    .get(owner, "controller")
                    .and_then(|node| self.tree.text(node))
                    == Some("true")
            })
    }

    /// Whether the object is being deleted.
    pub fn is_being_deleted(&self) -> bool {
        self.field(&["metadata", "deletionTimestamp"])
            .is_some_and(|time| !time.is_empty() && time != "null")
    }

    /// Every text that may hold a model ID, in document order.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf<'t>> + use<'_, 't> {
        self.tree
            .strings(self.root)
            .filter_map(|node| self.leaf(node))
    }

    /// The text at `node` by its names, if it is one that may hold a model ID.
    pub fn leaf(&self, node: NodeId) -> Option<Leaf<'t>> {
        let tree = self.tree;
        if matches!(self.sort, Sort::Custom | Sort::Plain) {
            return Some(Leaf {
                source: Source::Here(node),
                spot: Spot::Document,
                container: None,
            });
        }
        let parent = tree.parent(node)?;
        if self.sort == Sort::ConfigMap {
            let is_data = tree.is_under(parent, "data") && tree.parent(parent)? == self.root;
            let key = tree.key(node).filter(|_| is_data)?;
            return Some(Leaf {
                source: Source::Here(node),
                spot: Spot::Data { key },
                container: None,
            });
        }
        let (list, entry) = match tree.key(node) {
            None => (parent, None),
            Some("value") => (tree.parent(parent)?, Some(parent)),
            Some(_) => return None,
        };
        let node_of_container = tree.parent(list).filter(|node| self.is_container(*node))?;
        let container = self.name_of(node_of_container);
        let spot = match (tree.key(list)?, entry) {
            ("command", None) => Spot::Command { container },
            ("args", None) => Spot::Args { container },
            ("env", Some(entry)) => Spot::Env {
                container,
                variable: tree.text(tree.get(entry, "name")?)?.into(),
            },
            _ => return None,
        };
        Some(Leaf {
            source: Source::Here(node),
            spot,
            container: Some(node_of_container),
        })
    }

    fn is_container(&self, node: NodeId) -> bool {
        let tree = self.tree;
        let list = tree.parent(node).filter(|list| {
            CONTAINERS.iter().any(|sort| tree.is_under(*list, sort))
                && tree.kind(*list) == NodeKind::Sequence
        });
        let spec = list
            .and_then(|list| tree.parent(list))
            .filter(|spec| tree.is_under(*spec, "spec"));
        spec.is_some_and(|spec| self.pod.is_some() && tree.parent(spec) == self.pod)
    }

    /// Every container of every sort.
    pub fn containers(&self) -> impl Iterator<Item = NodeId> + use<'t> {
        let (tree, spec) = (
            self.tree,
            self.pod.and_then(|pod| self.tree.get(pod, "spec")),
        );
        CONTAINERS
            .iter()
            .filter_map(move |sort| tree.get(spec?, sort))
            .flat_map(|node| tree.children(node))
    }

    /// The name of a container.
    pub fn name_of(&self, container: NodeId) -> &'t str {
        self.tree
            .get(container, "name")
            .and_then(|node| self.tree.text(node))
            .unwrap_or_default()
    }
}

/// A field of an object that could be read by its lines alone: what stands behind the name and a colon at the start of one.
fn field_of_lines<'t>(tree: &'t Tree<'t>, name: &str) -> Option<&'t str> {
    let lines = tree.children(tree.root());
    lines.filter_map(|line| tree.text(line)).find_map(|line| {
        let rest = line.strip_prefix(name)?.strip_prefix(':')?;
        Some(rest.trim().trim_matches(['"', '\'']))
    })
}

impl<'t> Leaf<'t> {
    /// The node to point at: the scalar, or what takes the text from elsewhere.
    pub fn node(&self) -> NodeId {
        match self.source {
            Source::Here(node) => node,
            Source::Elsewhere(reference) => reference.node,
        }
    }

    /// The scalar, where the text is the object's own.
    pub fn scalar(&self) -> Option<NodeId> {
        match self.source {
            Source::Here(node) => Some(node),
            Source::Elsewhere(_) => None,
        }
    }

    /// Why the text is not followed to where it is taken from.
    pub fn doubt(&self) -> Option<Reason> {
        self.reference()?.reach.err()
    }

    /// The reference, where the text is taken from elsewhere.
    pub fn reference(&self) -> Option<&Reference<'t>> {
        match &self.source {
            Source::Here(_) => None,
            Source::Elsewhere(reference) => Some(reference),
        }
    }
}

impl Spot<'_> {
    /// In which setting a text at this place stands.
    pub const fn setting(&self) -> Setting {
        match self {
            Self::Env { .. } => Setting::Env,
            Self::Args { .. } | Self::Command { .. } => Setting::Argument,
            Self::Data { .. } | Self::Volume { .. } | Self::Document => Setting::Data,
        }
    }
}

/// As the annotation and the log write it: `app/env/BEDROCK_MODEL_ID`, `app/args`, `data/model`, `volumes/models`.
impl fmt::Display for Spot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env {
                container,
                variable,
            } => write!(f, "{container}/env/{variable}"),
            Self::Args { container } => write!(f, "{container}/args"),
            Self::Command { container } => write!(f, "{container}/command"),
            Self::Data { key } => write!(f, "data/{key}"),
            Self::Volume { volume } => write!(f, "volumes/{volume}"),
            Self::Document => f.write_str("document"),
        }
    }
}
