//! The places of an object where a text may hold a model ID, each by names.

use std::fmt;

use crate::domain::environment::Reference;
use crate::domain::object::{Object, Sort, Variable};
use crate::domain::reason::Reason;
use crate::text::NodeId;

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

/// Where a text stands, which decides how much of it may be more than an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The value of an environment variable.
    Env,
    /// One element of `args` or `command`, which may be a whole shell script.
    Argument,
    /// A value of a ConfigMap.
    Data,
}

/// Every text that may hold a model ID, in document order.
pub fn text_sites<'o, 't>(object: &'o Object<'t>) -> impl Iterator<Item = Leaf<'t>> + use<'o, 't> {
    object
        .tree
        .strings(object.root)
        .filter_map(|node| text_site(object, node))
}

/// The text at `node` by its names, if it is one that may hold a model ID.
pub fn text_site<'t>(object: &Object<'t>, node: NodeId) -> Option<Leaf<'t>> {
    let tree = object.tree;
    if matches!(object.sort, Sort::Custom | Sort::Plain) {
        return Some(Leaf {
            source: Source::Here(node),
            spot: Spot::Document,
            container: None,
        });
    }
    let parent = tree.parent(node)?;
    if object.sort == Sort::ConfigMap {
        let is_data = tree.is_under(parent, "data") && tree.parent(parent)? == object.root;
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
    let node_of_container = tree
        .parent(list)
        .filter(|node| object.is_container(*node))?;
    let container = object.name_of(node_of_container);
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
