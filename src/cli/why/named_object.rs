//! The name of one object, as kubectl has it: `pod/chat`, `deployments/chat`, `cm/models`.

use std::fmt;
use std::str::FromStr;

use crate::domain::kinds::BuiltInKind;
use crate::domain::object::Object;

/// The kind and the name of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedObject {
    /// The kind as it was written, unless it is built in.
    kind: String,
    /// The name of the object.
    pub(super) name: String,
    /// The kind, if it is one of those that the webhook reviews.
    pub(super) built_in: Option<&'static BuiltInKind>,
}

/// A text is no kind and name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no object: expected KIND/NAME, such as pod/chat or cm/models")]
pub struct NotAnObjectName(String);

/// The short names of kubectl.
const SHORT_NAMES: [(&str, &str); 8] = [
    ("cj", "CronJob"),
    ("cm", "ConfigMap"),
    ("deploy", "Deployment"),
    ("ds", "DaemonSet"),
    ("po", "Pod"),
    ("rc", "ReplicationController"),
    ("rs", "ReplicaSet"),
    ("sts", "StatefulSet"),
];

impl FromStr for NamedObject {
    type Err = NotAnObjectName;

    fn from_str(text: &str) -> Result<Self, NotAnObjectName> {
        let parts = text.split_once('/');
        let parts = parts.filter(|(kind, name)| !kind.is_empty() && !name.is_empty());
        let parts = parts.filter(|(_, name)| !name.contains('/'));
        let (kind, name) = parts.ok_or_else(|| NotAnObjectName(text.to_owned()))?;
        // `deployments.apps/chat`.
        let resource = kind.split('.').next().unwrap_or(kind);
        let built_in = built_in(resource);
        Ok(Self {
            kind: built_in.map_or(resource, |kind| kind.kind).to_owned(),
            name: name.to_owned(),
            built_in,
        })
    }
}

fn built_in(resource: &str) -> Option<&'static BuiltInKind> {
    let is_it = |name: &str| name.eq_ignore_ascii_case(resource);
    let mut short = SHORT_NAMES.iter().filter(|(short, _)| is_it(short));
    let by_short_name = short.next().map(|(_, kind)| *kind);
    BuiltInKind::all()
        .find(|kind| is_it(kind.kind) || is_it(kind.plural) || by_short_name == Some(kind.kind))
}

impl NamedObject {
    /// Whether this is the name of the object.
    pub(super) fn is_of(&self, object: &Object<'_>) -> bool {
        let kind = object.field(&["kind"]).unwrap_or_default();
        let name = object.field(&["metadata", "name"]);
        kind.eq_ignore_ascii_case(&self.kind) && name == Some(&self.name)
    }
}

/// `Pod/chat`.
impl fmt::Display for NamedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_each_name_that_kubectl_has() {
        for text in ["Pod/chat", "pod/chat", "pods/chat", "po/chat"] {
            assert_eq!(text.parse::<NamedObject>().unwrap().to_string(), "Pod/chat");
        }
        let deployment: NamedObject = "deployments.apps/chat".parse().unwrap();
        assert_eq!(deployment.built_in.unwrap().plural, "deployments");
        let other: NamedObject = "Rollout/chat".parse().unwrap();
        assert_eq!(
            (other.built_in, other.to_string()),
            (None, "Rollout/chat".to_owned())
        );
        for text in ["chat", "pod/", "/chat", "pod/a/b", ""] {
            assert!(text.parse::<NamedObject>().is_err(), "{text}");
        }
    }
}
