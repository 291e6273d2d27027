//! A Kubernetes object as the domain reads it: where its texts stand, and what its metadata says.
//!
//! Reads a tree of nodes; the domain takes no typed objects.

use crate::text::{Format, Kind as NodeKind, NodeId, Tree};

use crate::domain::kinds::BuiltInKind;

mod env_var;
mod variable_name;

pub use env_var::EnvVar;
pub use variable_name::VariableName;

/// An object inside a document.
#[derive(Clone, Copy)]
pub struct Object<'t> {
    /// The document.
    pub tree: &'t Tree<'t>,
    /// Where the object starts in it.
    pub root: NodeId,
    /// What it is to us.
    pub kind: ObjectKind,
    /// The Pod or the template of one: what has `spec.containers` and the metadata that count.
    pod: Option<NodeId>,
}

/// What an object is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
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
        let (object_kind, pod) = match BuiltInKind::find(group, kind) {
            Some(_) if by_lines => (ObjectKind::Plain, None),
            Some(found) => match found.template_path {
                None => (ObjectKind::ConfigMap, None),
                Some([]) => (ObjectKind::Pod, Some(root)),
                Some(path) => (ObjectKind::Template, tree.at(root, path)),
            },
            None if api_version.is_empty() || kind.is_empty() => (ObjectKind::Plain, None),
            None => (ObjectKind::Custom, None),
        };
        Self {
            tree,
            root,
            kind: object_kind,
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
                .at(self.metadata_root()?, &["metadata", "annotations", name])?,
        )
    }

    /// A label of what is judged.
    pub fn label(&self, name: &str) -> Option<&'t str> {
        self.tree.text(
            self.tree
                .at(self.metadata_root()?, &["metadata", "labels", name])?,
        )
    }

    /// The annotations of what is judged, by name.
    pub fn annotations(&self) -> impl Iterator<Item = (&'t str, &'t str)> + use<'t> {
        let tree = self.tree;
        let all = self
            .metadata_root()
            .and_then(|node| tree.at(node, &["metadata", "annotations"]));
        all.into_iter()
            .flat_map(|node| tree.children(node))
            .filter_map(|node| Some((tree.key(node)?, tree.text(node)?)))
    }

    /// The node whose metadata count.
    pub fn metadata_root(&self) -> Option<NodeId> {
        match self.kind {
            ObjectKind::Pod | ObjectKind::Template => self.pod,
            ObjectKind::ConfigMap => Some(self.root),
            ObjectKind::Custom | ObjectKind::Plain => None,
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

    /// Whether `node` is an item of a list of containers.
    pub(crate) fn is_container(&self, node: NodeId) -> bool {
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

/// A field of an object that could be read by its lines alone: what is behind the name and a colon at the start of one.
fn field_of_lines<'t>(tree: &'t Tree<'t>, name: &str) -> Option<&'t str> {
    let lines = tree.children(tree.root());
    lines.filter_map(|line| tree.text(line)).find_map(|line| {
        let rest = line.strip_prefix(name)?.strip_prefix(':')?;
        Some(rest.trim().trim_matches(['"', '\'']))
    })
}
