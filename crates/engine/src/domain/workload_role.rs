//! The IAM role of a ServiceAccount.
//!
//! Sources: the EKS user guide about IAM roles for service accounts and about Pod Identity, and the API references of ACK's and
//! Crossplane's resources for its associations.

use std::collections::BTreeMap;

use crate::domain::object::Object;

/// The annotation of a ServiceAccount with its role.
pub const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";

/// A ServiceAccount and its role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadRole {
    /// The namespace of the ServiceAccount; `None` if it is that of the object.
    pub namespace: Option<Box<str>>,
    /// The name of the ServiceAccount.
    pub service_account: Box<str>,
    /// The ARN of the role.
    pub role: Box<str>,
}

/// The roles of ServiceAccounts, by namespace and name.
pub type WorkloadRoles = BTreeMap<(Box<str>, Box<str>), Box<str>>;

/// A kind of Pod Identity association, and the fields of its namespace, its ServiceAccount and its role.
struct AssociationKind {
    group: &'static str,
    fields: [&'static [&'static str]; 3],
}

/// The kind of both resources.
const ASSOCIATION: &str = "PodIdentityAssociation";

#[rustfmt::skip]
const ASSOCIATIONS: [AssociationKind; 2] = [
    AssociationKind { group: "eks.services.k8s.aws", fields: [&["spec", "namespace"], &["spec", "serviceAccount"], &["spec", "roleARN"]] },
    AssociationKind { group: "eks.aws.upbound.io", fields: [&["spec", "forProvider", "namespace"], &["spec", "forProvider", "serviceAccount"], &["spec", "forProvider", "roleArn"]] },
];

/// The role that an object gives to a ServiceAccount: a ServiceAccount with an annotation, or a Pod Identity association.
pub fn workload_role(object: &Object<'_>) -> Option<WorkloadRole> {
    let field = |path: &[&str]| object.field(path).filter(|text| !text.is_empty());
    let (api_version, kind) = (field(&["apiVersion"])?, field(&["kind"])?);
    if (api_version, kind) == ("v1", "ServiceAccount") {
        return Some(WorkloadRole {
            namespace: None,
            service_account: field(&["metadata", "name"])?.into(),
            role: field(&["metadata", "annotations", ROLE_ANNOTATION])?.into(),
        });
    }
    let (group, _) = api_version.split_once('/')?;
    let mut known = ASSOCIATIONS.iter();
    let association = known.find(|one| one.group == group && kind == ASSOCIATION)?;
    let [namespace, service_account, role] = association.fields;
    Some(WorkloadRole {
        namespace: Some(field(namespace)?.into()),
        service_account: field(service_account)?.into(),
        role: field(role)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Tree;

    #[test]
    fn a_role_is_found_by_annotation_and_by_association() {
        let role = "arn:aws:iam::123456789012:role/chat";
        for (text, namespace) in [
            (
                format!(
                    "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: chat, annotations: {{eks.amazonaws.com/role-arn: '{role}'}}}}}}"
                ),
                None,
            ),
            (
                format!(
                    "{{apiVersion: eks.services.k8s.aws/v1alpha1, kind: PodIdentityAssociation, spec: {{namespace: ml, serviceAccount: chat, roleARN: '{role}'}}}}"
                ),
                Some("ml".into()),
            ),
            (
                format!(
                    "{{apiVersion: eks.aws.upbound.io/v1beta1, kind: PodIdentityAssociation, spec: {{forProvider: {{namespace: ml, serviceAccount: chat, roleArn: '{role}'}}}}}}"
                ),
                Some("ml".into()),
            ),
        ] {
            let tree = Tree::yaml(&text).next().unwrap().unwrap();
            let found = workload_role(&Object::at(&tree, tree.root()));
            let expected = WorkloadRole {
                namespace,
                service_account: "chat".into(),
                role: role.into(),
            };
            assert_eq!(found, Some(expected), "{text}");
        }
    }

    #[test]
    fn other_objects_give_no_role() {
        for text in [
            "{apiVersion: v1, kind: ServiceAccount, metadata: {name: chat}}",
            "{apiVersion: eks.services.k8s.aws/v1alpha1, kind: PodIdentityAssociation, spec: {serviceAccount: chat, roleRef: {from: {name: r}}}}",
            "{apiVersion: example.com/v1, kind: PodIdentityAssociation, spec: {namespace: a, serviceAccount: b, roleARN: c}}",
        ] {
            let tree = Tree::yaml(text).next().unwrap().unwrap();
            assert_eq!(
                workload_role(&Object::at(&tree, tree.root())),
                None,
                "{text}"
            );
        }
    }
}
