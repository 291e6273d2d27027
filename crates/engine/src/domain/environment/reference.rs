//! References from an object to a ConfigMap, a Secret or a field, and whether they can be resolved.

use std::fmt;

use jiff::civil::Date;

use crate::text::NodeId;

use crate::domain::config_maps::Word;
use crate::domain::reason::Reason;

/// A reference to a text outside of the place that uses it.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'t> {
    /// The node of the reference: an entry of `env`, an item of `envFrom`, a volume.
    pub node: NodeId,
    /// The origin of the text.
    pub origin: Origin<'t>,
    /// The word and the form of the reference, or the reason why the reference is not resolved.
    pub reach: Result<Followed<'t>, Reason>,
}

/// The origin of a referenced text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'t> {
    /// A key of a ConfigMap.
    ConfigMap {
        /// The ConfigMap, of the same namespace.
        name: &'t str,
        /// The key.
        key: &'t str,
        /// The word of the key, if observed.
        word: Option<&'t Word>,
    },
    /// A key of a Secret, which is never read.
    Secret {
        /// The Secret.
        name: &'t str,
        /// The key.
        key: &'t str,
    },
    /// A field of the Pod, by the downward API.
    Field {
        /// The field path, such as `metadata.annotations['model']`.
        path: &'t str,
    },
}

/// A reference that was resolved to a word.
#[derive(Debug, Clone, Copy)]
pub struct Followed<'t> {
    /// The word.
    pub word: &'t Word,
    /// The form of the reference, which determines the position of the explicit entry.
    pub by: EnvOrigin,
}

/// The form of a container's reference to a ConfigMap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvOrigin {
    /// An entry of `env`, which the explicit entry replaces.
    Env,
    /// An item of `envFrom`. The explicit entry becomes the first of `env`, which has precedence over `envFrom`.
    EnvFrom,
}

impl Reference<'_> {
    /// Whether the author of the ConfigMap has opted the text out, and the opt-out has not ended.
    pub fn is_opted_out(&self, today: Date) -> bool {
        match self.origin {
            Origin::ConfigMap { word, .. } => word.is_some_and(|word| word.is_opted_out(today)),
            Origin::Secret { .. } | Origin::Field { .. } => false,
        }
    }
}

impl Origin<'_> {
    /// The reason of the context rules for no change, from the ConfigMap.
    pub fn role(&self) -> Option<Reason> {
        match self {
            Self::ConfigMap { word, .. } => word.and_then(Word::role),
            Self::Secret { .. } | Self::Field { .. } => None,
        }
    }

    /// The kind of the object that contains the text.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ConfigMap { .. } => "ConfigMap",
            Self::Secret { .. } => "Secret",
            Self::Field { .. } => "Pod",
        }
    }
}

/// For messages: `ConfigMap models/sonnet`, `metadata.annotations['model']`.
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
