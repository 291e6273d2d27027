//! A Kubernetes object in a tree of nodes: its kind, its metadata and its containers.
//!
//! The domain reads trees of nodes and has no typed objects.

use crate::text::{Format, Kind as NodeKind, NodeId, Tree};

use crate::domain::custom_kinds::{self, FieldRole};
use crate::domain::kinds::BuiltInKind;
use crate::domain::placeholder::has_placeholder;

mod env_var;
mod variable_name;

pub use env_var::EnvVar;
pub use variable_name::VariableName;

/// An object inside a document.
#[derive(Clone, Copy)]
pub struct Object<'t> {
    /// The document.
    pub tree: &'t Tree<'t>,
    /// The root of the object in the document.
    pub root: NodeId,
    /// The kind, as far as the domain distinguishes kinds.
    pub kind: ObjectKind,
    /// Whether a tool writes the file of the object, so that it must not be edited.
    pub written_by_tool: bool,
    /// The documents of the file of the object; empty if they are unknown.
    pub documents: FileDocuments<'t>,
    /// The node of the Pod or the Pod template, which has `spec.containers` and the evaluated metadata.
    pod: Option<NodeId>,
}

/// The documents of a file, seen from one of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileDocuments<'t> {
    /// All documents of the file.
    pub trees: &'t [Tree<'t>],
    /// The position of the document of the object in `trees`.
    pub own: usize,
    /// Whether each document belongs to a profile of Spring, as [`profiles_of`](super::region_lookup::profiles_of) has it.
    pub profiles: &'t [bool],
}

/// The kind of an object, as far as the domain distinguishes kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A Pod.
    Pod,
    /// A built-in or custom kind with a Pod template.
    Template,
    /// A ConfigMap.
    ConfigMap,
    /// A Secret. It is only reported.
    Secret,
    /// Any other kind, most of whose fields only its controller interprets.
    Custom,
    /// A configuration file, not a Kubernetes object.
    Plain,
}

/// The lists of containers, in the order in which the kubelet starts them.
const CONTAINERS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];

impl<'t> Object<'t> {
    /// Reads the object at `root`.
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

    /// Reads the object at `root` as an object of this kind; items of a list have no `kind` of their own.
    pub fn of_kind(tree: &'t Tree<'t>, root: NodeId, api_version: &str, kind: &str) -> Self {
        let by_lines = tree.format() == Format::Lines;
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let found = if has_placeholder(api_version) {
            BuiltInKind::named(kind)
        } else {
            BuiltInKind::find(group, kind)
        };
        let (object_kind, pod) = match found {
            Some(_) if by_lines => (ObjectKind::Plain, None),
            Some(found) => match found.template_path {
                None => (ObjectKind::ConfigMap, None),
                Some([]) => (ObjectKind::Pod, Some(root)),
                Some(path) => (ObjectKind::Template, tree.at(root, path)),
            },
            None if api_version.is_empty() || kind.is_empty() => (ObjectKind::Plain, None),
            None if (api_version, kind) == ("v1", "Secret") => (ObjectKind::Secret, None),
            None => match custom_kinds::template_path(group, kind) {
                Some(path) => (ObjectKind::Template, tree.at(root, path)),
                None => (ObjectKind::Custom, None),
            },
        };
        Self {
            tree,
            root,
            kind: object_kind,
            pod,
            written_by_tool: false,
            documents: FileDocuments::default(),
        }
    }

    /// A field of the object as text.
    pub fn field(&self, path: &[&str]) -> Option<&'t str> {
        self.tree.text(self.tree.at(self.root, path)?)
    }

    /// An annotation of the evaluated metadata: of the Pod, the template, or the ConfigMap.
    pub fn annotation(&self, name: &str) -> Option<&'t str> {
        self.tree.text(
            self.tree
                .at(self.metadata_root()?, &["metadata", "annotations", name])?,
        )
    }

    /// A label of the evaluated metadata.
    pub fn label(&self, name: &str) -> Option<&'t str> {
        self.tree.text(
            self.tree
                .at(self.metadata_root()?, &["metadata", "labels", name])?,
        )
    }

    /// The names and texts of the annotations of the evaluated metadata.
    pub fn annotations(&self) -> impl Iterator<Item = (&'t str, &'t str)> + use<'t> {
        self.metadata_map("annotations")
    }

    /// The names and texts of the labels of the evaluated metadata.
    pub fn labels(&self) -> impl Iterator<Item = (&'t str, &'t str)> + use<'t> {
        self.metadata_map("labels")
    }

    fn metadata_map(&self, field: &str) -> impl Iterator<Item = (&'t str, &'t str)> + use<'t> {
        let tree = self.tree;
        let all = self
            .metadata_root()
            .and_then(|node| tree.at(node, &["metadata", field]));
        all.into_iter()
            .flat_map(|node| tree.children(node))
            .filter_map(|node| Some((tree.key(node)?, tree.text(node)?)))
    }

    /// The node whose metadata is evaluated.
    pub fn metadata_root(&self) -> Option<NodeId> {
        match self.kind {
            ObjectKind::Pod | ObjectKind::Template => self.pod,
            ObjectKind::ConfigMap => Some(self.root),
            ObjectKind::Secret | ObjectKind::Custom | ObjectKind::Plain => None,
        }
    }

    /// Whether the object defines custom resources; the descriptions of their fields configure nothing.
    pub fn is_definition(&self) -> bool {
        self.kind == ObjectKind::Custom && self.field(&["kind"]) == Some("CustomResourceDefinition")
    }

    /// Who interprets the field around a text of a custom resource.
    pub(crate) fn role_in_custom_resource(&self, node: NodeId) -> FieldRole {
        let field = |name| self.field(&[name]).unwrap_or_default();
        let group = field("apiVersion").split_once('/');
        let kind = (group.map_or("", |(group, _)| group), field("kind"));
        custom_kinds::role(self.tree, self.root, node, kind)
    }

    /// Whether a controller owns the object. An object that a user applies has no controller.
    pub fn is_controlled(&self) -> bool {
        self.controller().is_some()
    }

    /// The kind and the name of the controller that owns the object.
    pub fn controller(&self) -> Option<(&'t str, &'t str)> {
        let field = |owner, name| {
            self.tree
                .get(owner, name)
                .and_then(|node| self.tree.text(node))
        };
        let controller = self
            .owners()
            .find(|owner| field(*owner, "controller") == Some("true"))?;
        let text = |name| field(controller, name).unwrap_or_default();
        Some((text("kind"), text("name")))
    }

    /// The owner references of the object.
    pub(crate) fn owners(&self) -> impl Iterator<Item = NodeId> + use<'t> {
        let tree = self.tree;
        let owners = tree.at(self.root, &["metadata", "ownerReferences"]);
        owners.into_iter().flat_map(move |node| tree.children(node))
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
            CONTAINERS.iter().any(|name| tree.is_under(*list, name))
                && tree.kind(*list) == NodeKind::Sequence
        });
        let spec = list
            .and_then(|list| tree.parent(list))
            .filter(|spec| tree.is_under(*spec, "spec"));
        spec.is_some_and(|spec| self.pod.is_some() && tree.parent(spec) == self.pod)
    }

    /// All containers, init and ephemeral containers included.
    pub fn containers(&self) -> impl Iterator<Item = NodeId> + use<'t> {
        let (tree, spec) = (
            self.tree,
            self.pod.and_then(|pod| self.tree.get(pod, "spec")),
        );
        CONTAINERS
            .iter()
            .filter_map(move |name| tree.get(spec?, name))
            .flat_map(|node| tree.children(node))
    }

    /// The ServiceAccount of the Pods; `default` if they name none, and `None` for an object without Pods.
    pub fn service_account(&self) -> Option<&'t str> {
        const DEFAULT: &str = "default";
        let spec = self.tree.get(self.pod?, "spec")?;
        // The older name of the field is an alias of it.
        let names = ["serviceAccountName", "serviceAccount"].into_iter();
        let mut names = names
            .filter_map(|field| self.tree.text(self.tree.get(spec, field)?))
            .filter(|name| !name.is_empty());
        Some(names.next().unwrap_or(DEFAULT))
    }

    /// The name of a container.
    pub fn name_of(&self, container: NodeId) -> &'t str {
        self.tree
            .get(container, "name")
            .and_then(|node| self.tree.text(node))
            .unwrap_or_default()
    }
}

/// A field of an object in a document that is read line by line: the text after `name:` at the start of a line.
fn field_of_lines<'t>(tree: &'t Tree<'t>, name: &str) -> Option<&'t str> {
    let lines = tree.children(tree.root());
    lines.filter_map(|line| tree.text(line)).find_map(|line| {
        let rest = line.strip_prefix(name)?.strip_prefix(':')?;
        Some(rest.trim().trim_matches(['"', '\'']))
    })
}
