//! A text that an object takes from elsewhere, and how far it can be followed.

use std::fmt;

use crate::text::NodeId;

use crate::domain::config_maps::Word;
use crate::domain::reason::Reason;

/// A text that an object takes from elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'t> {
    /// The node of the object that takes it: an entry of `env`, an item of `envFrom`, a volume.
    pub node: NodeId,
    /// Where it is.
    pub origin: Origin<'t>,
    /// What is there and how an explicit entry takes its place, or why it is not followed.
    pub reach: Result<Followed<'t>, Reason>,
}

/// Where a text is that an object takes from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'t> {
    /// A key of a ConfigMap.
    ConfigMap {
        /// The ConfigMap, of the same namespace.
        name: &'t str,
        /// The key.
        key: &'t str,
        /// The word under it, where it was seen.
        word: Option<&'t Word>,
    },
    /// A key of a Secret, which is never read.
    Secret {
        /// The Secret.
        name: &'t str,
        /// The key.
        key: &'t str,
    },
    /// A field of the Pod's own, by the downward API.
    Field {
        /// The way to it, such as `metadata.annotations['model']`.
        path: &'t str,
    },
}

/// A word that was followed to where it is.
#[derive(Debug, Clone, Copy)]
pub struct Followed<'t> {
    /// The word.
    pub word: &'t Word,
    /// How the container takes it, and so where an explicit entry has to stand.
    pub by: EnvOrigin,
}

/// How a container takes a text from a ConfigMap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvOrigin {
    /// By an entry of `env`, which the explicit one replaces.
    Env,
    /// By an item of `envFrom`, before which nothing can stand: the explicit entry comes first in `env`.
    EnvFrom,
}

impl Reference<'_> {
    /// Whether the author of the ConfigMap has opted the text out.
    pub fn is_opted_out(&self) -> bool {
        match self.origin {
            Origin::ConfigMap { word, .. } => word.is_some_and(Word::is_opted_out),
            Origin::Secret { .. } | Origin::Field { .. } => false,
        }
    }
}

impl Origin<'_> {
    /// Why the text is left for its role in the ConfigMap, if it is.
    pub fn role(&self) -> Option<Reason> {
        match self {
            Self::ConfigMap { word, .. } => word.and_then(Word::role),
            Self::Secret { .. } | Self::Field { .. } => None,
        }
    }

    /// The kind of the object in which the text is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ConfigMap { .. } => "ConfigMap",
            Self::Secret { .. } => "Secret",
            Self::Field { .. } => "Pod",
        }
    }
}

/// As a person names it: `ConfigMap models/sonnet`, `metadata.annotations['model']`.
impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConfigMap { name, key, .. } | Self::Secret { name, key } => {
                write!(f, "{} {name}/{key}", self.kind())
            }
            Self::Field { path } => f.write_str(path),
        }
    }
}
