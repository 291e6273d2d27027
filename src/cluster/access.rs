//! Whether the caller may do something, by the API server's own answer. Everyone who is logged in may ask that about themselves.

use std::fmt;

use serde_json::{Value, json};

use super::list::{ListError, Pager};

/// The path of the requests.
const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// The verb, group or resource that means each.
pub const ANY: &str = "*";

/// One verb on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceAccess {
    /// The verb.
    pub verb: &'static str,
    /// The API group; empty is the core.
    pub group: &'static str,
    /// The plural name of the resource, with its subresource: `pods/proxy`.
    pub resource: &'static str,
    /// The namespace; `None` is a resource without one, or every namespace.
    pub namespace: Option<String>,
    /// The object; `None` is every name.
    pub name: Option<String>,
}

impl ResourceAccess {
    /// A verb on every object of a resource, in this namespace or in all.
    pub fn new(
        verb: &'static str,
        group: &'static str,
        resource: &'static str,
        namespace: Option<&str>,
    ) -> Self {
        Self {
            verb,
            group,
            resource,
            namespace: namespace.map(str::to_owned),
            name: None,
        }
    }

    /// Everything in the whole cluster.
    pub fn everything() -> Self {
        Self::new(ANY, ANY, ANY, None)
    }

    fn review(&self) -> Value {
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((self.resource, ""));
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {
            "resourceAttributes": {"verb": self.verb, "group": self.group, "resource": resource,
                "subresource": subresource, "namespace": self.namespace.as_deref().unwrap_or_default(),
                "name": self.name.as_deref().unwrap_or_default()}}})
    }
}

/// The right in words: `create deployments.apps in namespace ml`.
impl fmt::Display for ResourceAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => Ok(()),
        }
    }
}

impl Pager {
    /// Whether the caller may do this.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn may(&self, access: &ResourceAccess) -> Result<bool, ListError> {
        let text = self.post(PATH, &access.review()).await?;
        let review: Value =
            serde_json::from_str(&text).map_err(|error| ListError::Failed(error.into()))?;
        Ok(review["status"]["allowed"] == true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_asked_for_by_resource_and_subresource_and_named_in_words() {
        let proxy = ResourceAccess::new("get", "", "pods/proxy", Some("ml"));
        let attributes = &proxy.review()["spec"]["resourceAttributes"];
        assert_eq!(attributes["resource"], "pods");
        assert_eq!(attributes["subresource"], "proxy");
        assert_eq!(proxy.to_string(), "get pods/proxy in namespace ml");
        let role = ResourceAccess {
            name: Some("x".to_owned()),
            ..ResourceAccess::new("get", "rbac.authorization.k8s.io", "clusterroles", None)
        };
        assert_eq!(
            role.to_string(),
            "get clusterroles.rbac.authorization.k8s.io x"
        );
    }
}
