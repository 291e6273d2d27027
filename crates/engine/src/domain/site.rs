//! The texts of an object that may contain a model ID, with their locations by names.

use std::fmt;

use crate::domain::environment::Reference;
use crate::domain::object::{Object, ObjectKind, VariableName};
use crate::domain::reason::Reason;
use crate::text::NodeId;

/// A text that may contain a model ID.
#[derive(Debug, Clone, Copy)]
pub struct TextSite<'t> {
    /// The source of the text.
    pub source: TextSource<'t>,
    /// The location by names, which stays the same if a sidecar is injected before the container.
    pub location: Location<'t>,
    /// The container of the text.
    pub container: Option<NodeId>,
}

/// The source of a text.
#[derive(Debug, Clone, Copy)]
pub enum TextSource<'t> {
    /// A scalar of the object, which can be edited.
    Here(NodeId),
    /// A reference to another object or to another field; the object has no scalar to edit.
    Elsewhere(Reference<'t>),
}

/// A location by names, never by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location<'t> {
    /// A variable of a container.
    Env {
        /// The container's name.
        container: &'t str,
        /// The variable's name.
        variable: VariableName<'t>,
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
    /// A part of the command of a probe or a lifecycle hook.
    Handler {
        /// The container's name.
        container: &'t str,
        /// The field of the probe or the hook, such as `livenessProbe`.
        handler: &'t str,
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
    /// Any other place in a document.
    Document,
}

/// The kind of setting that contains a text, which determines the syntax around an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// The value of an environment variable.
    Env,
    /// One element of `args` or `command`, which may be a whole shell script.
    Argument,
    /// A value of a ConfigMap.
    Data,
}

/// The fields of probes and lifecycle hooks, whose `exec` has a command.
const HANDLERS: &[&str] = &[
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "postStart",
    "preStop",
];

/// Every text that may contain a model ID, in document order.
pub fn text_sites<'o, 't>(
    object: &'o Object<'t>,
) -> impl Iterator<Item = TextSite<'t>> + use<'o, 't> {
    object
        .tree
        .strings(object.root)
        .filter_map(|node| text_site(object, node))
}

/// The text at `node`, if it may contain a model ID.
pub fn text_site<'t>(object: &Object<'t>, node: NodeId) -> Option<TextSite<'t>> {
    let tree = object.tree;
    if matches!(
        object.kind,
        ObjectKind::Secret | ObjectKind::Custom | ObjectKind::Plain
    ) {
        return Some(TextSite {
            source: TextSource::Here(node),
            location: Location::Document,
            container: None,
        });
    }
    let parent = tree.parent(node)?;
    if object.kind == ObjectKind::ConfigMap {
        let is_data = tree.is_under(parent, "data") && tree.parent(parent)? == object.root;
        let key = tree.key(node).filter(|_| is_data)?;
        return Some(TextSite {
            source: TextSource::Here(node),
            location: Location::Data { key },
            container: None,
        });
    }
    let (list, entry) = match tree.key(node) {
        None => (parent, None),
        Some("value") => (tree.parent(parent)?, Some(parent)),
        Some(_) => return None,
    };
    if let Some(site) = handler_site(object, node, list) {
        return Some(site);
    }
    let node_of_container = tree
        .parent(list)
        .filter(|node| object.is_container(*node))?;
    let container = object.name_of(node_of_container);
    let location = match (tree.key(list)?, entry) {
        ("command", None) => Location::Command { container },
        ("args", None) => Location::Args { container },
        ("env", Some(entry)) => Location::Env {
            container,
            variable: tree.text(tree.get(entry, "name")?)?.into(),
        },
        _ => return None,
    };
    Some(TextSite {
        source: TextSource::Here(node),
        location,
        container: Some(node_of_container),
    })
}

/// The text at `node`, an item of `list`, if the list is the command of a probe or a lifecycle hook.
fn handler_site<'t>(object: &Object<'t>, node: NodeId, list: NodeId) -> Option<TextSite<'t>> {
    let tree = object.tree;
    if !tree.is_under(list, "command") {
        return None;
    }
    let exec = tree
        .parent(list)
        .filter(|exec| tree.is_under(*exec, "exec"))?;
    let handler = tree.parent(exec)?;
    let name = tree.key(handler).filter(|name| HANDLERS.contains(name))?;
    let parent = tree.parent(handler)?;
    let container = if tree.is_under(parent, "lifecycle") {
        tree.parent(parent)?
    } else {
        parent
    };
    object.is_container(container).then(|| TextSite {
        source: TextSource::Here(node),
        location: Location::Handler {
            container: object.name_of(container),
            handler: name,
        },
        container: Some(container),
    })
}

impl<'t> TextSite<'t> {
    /// The node of the text: the scalar, or the reference.
    pub fn node(&self) -> NodeId {
        match self.source {
            TextSource::Here(node) => node,
            TextSource::Elsewhere(reference) => reference.node,
        }
    }

    /// The scalar; `None` for a reference.
    pub fn scalar(&self) -> Option<NodeId> {
        match self.source {
            TextSource::Here(node) => Some(node),
            TextSource::Elsewhere(_) => None,
        }
    }

    /// The reason for which the reference is not followed.
    pub fn doubt(&self) -> Option<Reason> {
        self.reference()?.reach.err()
    }

    /// The reference; `None` for a scalar of the object.
    pub fn reference(&self) -> Option<&Reference<'t>> {
        match &self.source {
            TextSource::Here(_) => None,
            TextSource::Elsewhere(reference) => Some(reference),
        }
    }
}

impl Location<'_> {
    /// The kind of setting at this location.
    pub const fn setting(&self) -> TextKind {
        match self {
            Self::Env { .. } => TextKind::Env,
            Self::Args { .. } | Self::Command { .. } | Self::Handler { .. } => TextKind::Argument,
            Self::Data { .. } | Self::Volume { .. } | Self::Document => TextKind::Data,
        }
    }
}

/// The form in the annotation and the log: `app/env/BEDROCK_MODEL_ID`, `app/args`, `data/model`, `volumes/models`.
impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env {
                container,
                variable,
            } => write!(f, "{container}/env/{variable}"),
            Self::Args { container } => write!(f, "{container}/args"),
            Self::Command { container } => write!(f, "{container}/command"),
            Self::Handler { container, handler } => write!(f, "{container}/{handler}"),
            Self::Data { key } => write!(f, "data/{key}"),
            Self::Volume { volume } => write!(f, "volumes/{volume}"),
            Self::Document => f.write_str("document"),
        }
    }
}
