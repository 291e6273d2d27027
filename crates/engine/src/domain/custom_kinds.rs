//! Custom resources whose fields are known: Pod templates of other workloads, and the values, parameters and patches from which
//! delivery tools render objects.
//!
//! A Pod template is evaluated as that of a Deployment. The other fields are evaluated as the files that they stand for: Helm values
//! as a values file, a patch as a manifest. Every other field of a custom resource is only reported.
//!
//! Sources: the API references of Argo Rollouts, Argo CD, Flux, Knative Serving, kustomize and the `apps.openshift.io` group.

use std::fmt;

use crate::domain::region::Region;
use crate::text::{NodeId, Tree};

/// A custom kind with a Pod template.
struct CustomWorkload {
    group: &'static str,
    kind: &'static str,
    template_path: &'static [&'static str],
}

const TEMPLATE: &[&str] = &["spec", "template"];

/// Custom kinds with a Pod template.
#[rustfmt::skip]
const WORKLOADS: &[CustomWorkload] = &[
    CustomWorkload { group: "argoproj.io", kind: "Rollout", template_path: TEMPLATE },
    CustomWorkload { group: "serving.knative.dev", kind: "Service", template_path: TEMPLATE },
    CustomWorkload { group: "serving.knative.dev", kind: "Configuration", template_path: TEMPLATE },
    CustomWorkload { group: "apps.openshift.io", kind: "DeploymentConfig", template_path: TEMPLATE },
];

/// A field whose content is that of a file.
struct FileField {
    group: &'static str,
    kinds: &'static [&'static str],
    /// The path from the root of the object; [`ITEM`] is any item of a list.
    path: &'static [&'static str],
}

/// Any item of a list, in a path.
const ITEM: &str = "*";

/// The fields that hold a source of an Application, in Argo CD's objects.
const SOURCES: &[&[&str]] = &[
    &["spec", "source"],
    &["spec", "sources", ITEM],
    &["spec", "template", "spec", "source"],
    &["spec", "template", "spec", "sources", ITEM],
];

/// The fields of Helm's part of a source, each of which may override the others.
const HELM_FIELDS: &[&str] = &["parameters", "valuesObject", "values"];

/// The patches of a source.
const SOURCE_PATCHES: &[&str] = &["kustomize", "patches", ITEM, "patch"];

/// The other fields whose content is that of a file.
#[rustfmt::skip]
const FILE_FIELDS: &[FileField] = &[
    FileField { group: "helm.toolkit.fluxcd.io", kinds: &["HelmRelease"], path: &["spec", "values"] },
    FileField { group: "helm.toolkit.fluxcd.io", kinds: &["HelmRelease"], path: &["spec", "postRenderers", ITEM, "kustomize", "patches", ITEM, "patch"] },
    FileField { group: "kustomize.toolkit.fluxcd.io", kinds: &["Kustomization"], path: &["spec", "patches", ITEM, "patch"] },
    FileField { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, path: &["configMapGenerator", ITEM, "literals", ITEM] },
    FileField { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, path: &["patches", ITEM, "patch"] },
    FileField { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, path: &["patchesJson6902", ITEM, "patch"] },
    FileField { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, path: &["patchesStrategicMerge", ITEM] },
    FileField { group: KUSTOMIZE, kinds: KUSTOMIZATIONS, path: &["helmCharts", ITEM, "valuesInline"] },
];

const KUSTOMIZE: &str = "kustomize.config.k8s.io";
const KUSTOMIZATIONS: &[&str] = &["Kustomization", "Component"];

const ARGO: &str = "argoproj.io";
const APPLICATIONS: &[&str] = &["Application", "ApplicationSet"];

/// The path of the Pod template in objects of a custom kind, in any version of its API.
pub(super) fn template_path(group: &str, kind: &str) -> Option<&'static [&'static str]> {
    let mut workloads = WORKLOADS.iter();
    let found = workloads.find(|one| one.group == group && one.kind == kind)?;
    Some(found.template_path)
}

/// Who interprets a field of a custom resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldRole {
    /// Only the controller of the resource interprets it.
    Controller,
    /// The content of a file, such as Helm values or a patch.
    File,
    /// A field of Helm's part of a source of an Application, which is the content of a file; other fields beside it may override it.
    Helm(NodeId),
}

/// A region that a field of Helm's part of a source names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HelmRegion {
    /// The field.
    field: &'static str,
    /// The region.
    region: Region,
}

/// `helm.parameters names eu-west-1, …`: a clause about an ID in another field.
impl fmt::Display for HelmRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, region) = (self.field, self.region);
        write!(
            f,
            "helm.{field} names {region}, and each of {} may override the others; name the region in the field of the ID only",
            HELM_FIELDS.join(", ")
        )
    }
}

/// Who interprets the field around a text of a custom resource.
pub(super) fn role(
    tree: &Tree<'_>,
    root: NodeId,
    node: NodeId,
    (group, kind): (&str, &str),
) -> FieldRole {
    let mut path: Vec<_> = std::iter::successors(Some(node), |node| tree.parent(*node))
        .take_while(|node| *node != root)
        .map(|node| (node, tree.key(node).unwrap_or(ITEM)))
        .collect();
    path.reverse();
    let steps: Vec<_> = path.iter().map(|(_, step)| *step).collect();
    if group == ARGO && APPLICATIONS.contains(&kind) {
        let is_in = |source: &&&[&str]| steps.starts_with(source);
        let Some(source) = SOURCES.iter().find(is_in).map(|source| source.len()) else {
            return FieldRole::Controller;
        };
        return match &steps[source..] {
            ["helm", field, ..] if HELM_FIELDS.contains(field) => {
                let (field, _) = path[source + 1];
                FieldRole::Helm(field)
            }
            rest if rest.starts_with(SOURCE_PATCHES) => FieldRole::File,
            _ => FieldRole::Controller,
        };
    }
    let is_file = FILE_FIELDS.iter().any(|field| {
        field.group == group && field.kinds.contains(&kind) && steps.starts_with(field.path)
    });
    if is_file {
        FieldRole::File
    } else {
        FieldRole::Controller
    }
}

/// The region that a field of Helm's part of a source other than `field` names, which overrides that of `field` or is overridden by it.
pub(super) fn region_beside(tree: &Tree<'_>, field: NodeId) -> Option<HelmRegion> {
    let helm = tree.parent(field)?;
    let mut others = tree.children(helm).filter(|other| *other != field);
    others.find_map(|other| {
        let key = tree.key(other)?;
        let field = HELM_FIELDS.iter().find(|field| **field == key)?;
        let mut texts = tree.strings(other).filter_map(|node| tree.text(node));
        let region = texts.find_map(region_in)?;
        Some(HelmRegion { field, region })
    })
}

/// The first word of a text that is the code of a region.
fn region_in(text: &str) -> Option<Region> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut words = text.split(|c| !is_letter(c));
    words.find_map(|word| Region::parse(word).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::MergeOrder;

    const APPLICATION: &str = "
spec:
  sources:
  - helm:
      values: a
      parameters:
      - {name: b, value: c}
  project: d
";

    fn node(tree: &Tree<'_>, text: &str) -> NodeId {
        let mut all = tree.strings(tree.root());
        all.find(|node| tree.text(*node) == Some(text)).unwrap()
    }

    #[test]
    fn fields_of_files_are_known_by_their_paths() {
        let trees = Tree::yaml_template(APPLICATION, MergeOrder::Kubernetes);
        let tree = trees.into_iter().next().unwrap().unwrap();
        let role = |text, kind| role(&tree, tree.root(), node(&tree, text), ("argoproj.io", kind));
        for text in ["a", "b", "c"] {
            assert!(
                matches!(role(text, "Application"), FieldRole::Helm(_)),
                "{text}"
            );
        }
        assert_eq!(role("d", "Application"), FieldRole::Controller);
        assert_eq!(role("a", "AppProject"), FieldRole::Controller);
    }

    #[test]
    fn a_region_in_another_field_that_may_override_it_is_a_conflict() {
        let text = APPLICATION.replace("value: c", "value: eu-west-1");
        let trees = Tree::yaml_template(&text, MergeOrder::Kubernetes);
        let tree = trees.into_iter().next().unwrap().unwrap();
        let is_conflict = |text| {
            let kind = (ARGO, "Application");
            match role(&tree, tree.root(), node(&tree, text), kind) {
                FieldRole::Helm(field) => region_beside(&tree, field).is_some(),
                FieldRole::Controller | FieldRole::File => panic!("no field of Helm: {text}"),
            }
        };
        assert!(is_conflict("a"));
        assert!(!is_conflict("b"));
    }

    #[test]
    fn a_template_is_found_by_group_and_kind() {
        assert_eq!(template_path("argoproj.io", "Rollout"), Some(TEMPLATE));
        assert_eq!(template_path("argoproj.io", "ApplicationSet"), None);
        assert_eq!(template_path("", "Service"), None);
    }
}
