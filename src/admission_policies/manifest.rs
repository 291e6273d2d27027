//! What both manifests have: comments, the selection of namespaces, and variables.

use std::fmt::Write as _;

use super::expressions::{self, quoted};
use super::table::TargetTable;
use crate::domain::annotations;
use crate::domain::policy::{NAMESPACE_NAME_LABEL, Policy, Requirement};
use crate::domain::region::Region;

/// What both manifests depend on, beside their tables.
#[derive(Debug, Clone, Copy)]
pub struct AdmissionPolicyOptions<'a> {
    /// The name of the policy and of its binding.
    pub name: &'a str,
    /// The policy of the product that the answers follow.
    pub policy: &'a Policy,
    /// What the answers are from, as words for a comment.
    pub source: AnswerSource<'a>,
    /// The region of containers that name none.
    pub region: Option<Region>,
    /// Namespaces whose objects are not evaluated.
    pub excluded_namespaces: &'a [String],
}

/// What a table of answers is from.
#[derive(Debug, Clone, Copy)]
pub struct AnswerSource<'a> {
    /// The mappings, such as `builtin of 2026-11-30`.
    pub mappings: &'a str,
    /// The date of the table.
    pub today: jiff::civil::Date,
}

/// What both policies skip.
const SKIPPED: &str = "\
# It evaluates a container only if it has a variable whose whole value is a direct ID, and skips the container
# - if a variable, a flag or an argument may name another region, an address, a provider, a gateway, a profile or a prefix,
#   or has a document, a list of IDs, or more than 1024 characters;
# - if it takes variables from ConfigMaps or Secrets with envFrom, or its region from a reference;
# - if its region is named differently in two variables, or only by another name than AWS_REGION and AWS_DEFAULT_REGION.
# It skips the object if the object or its namespace opts out, whatever the last day of the opt-out and the containers and
# variables that it names, or if an annotation of another tool has a region.
# It does not evaluate ConfigMaps, ephemeral containers, scripts, probes, hooks, aliases, routes before an ID
# (bedrock/ID), suffixes ([1m]), ARNs, and profiles.
";

/// The annotations of the namespace.
pub(super) const NAMESPACE_ANNOTATIONS: &str =
    "has(namespaceObject.metadata.annotations) ? namespaceObject.metadata.annotations : {}";

/// The text of a manifest, as YAML.
pub(super) struct Manifest(String);

impl Manifest {
    /// A manifest that begins with comments.
    pub(super) fn new(kind: &str, purpose: &str, options: AdmissionPolicyOptions<'_>) -> Self {
        let mut manifest = Self(head(kind, purpose, options));
        manifest.push(SKIPPED);
        manifest
    }

    pub(super) fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Opens an object.
    pub(super) fn open(&mut self, kind: &str, name: &str) {
        let _ = write!(
            self.0,
            "---
apiVersion: admissionregistration.k8s.io/v1
kind: {kind}
metadata:
  name: {name}
spec:
"
        );
    }

    /// Adds the namespaces that are not evaluated, to a policy.
    pub(super) fn exclude(&mut self, namespaces: &[String]) {
        let _ = writeln!(
            self.0,
            "  matchConstraints:
    matchPolicy: Equivalent
    namespaceSelector:
      matchExpressions:
      - {{ key: {NAMESPACE_NAME_LABEL}, operator: NotIn, values: [{}] }}",
            namespaces.join(", ")
        );
    }

    /// Adds the namespaces that the policy of the product selects, to a binding.
    pub(super) fn select(&mut self, policy: &Policy) {
        let mut requirements = policy.namespaces.requirements().peekable();
        if requirements.peek().is_some() {
            self.push("  matchResources:\n    namespaceSelector:\n      matchExpressions:\n");
        }
        for requirement in requirements {
            self.require(requirement);
        }
    }

    fn require(&mut self, requirement: &Requirement) {
        let (key, operator, values) = match requirement {
            Requirement::In(key, values) => (key, "In", &values[..]),
            Requirement::NotIn(key, values) => (key, "NotIn", &values[..]),
            Requirement::Exists(key) => (key, "Exists", &[][..]),
            Requirement::DoesNotExist(key) => (key, "DoesNotExist", &[][..]),
        };
        let _ = write!(
            self.0,
            "      - {{ key: {}, operator: {operator}",
            quoted_yaml(key)
        );
        if !values.is_empty() {
            let values: Vec<_> = values.iter().map(|value| quoted_yaml(value)).collect();
            let _ = write!(self.0, ", values: [{}]", values.join(", "));
        }
        self.push(" }\n");
    }

    /// Adds a variable.
    pub(super) fn variable(&mut self, name: &str, expression: &str) {
        let _ = writeln!(self.0, "  - name: {name}");
        self.block(4, "expression", expression);
    }

    /// Adds a field with an expression of several lines.
    pub(super) fn block(&mut self, indentation: usize, field: &str, expression: &str) {
        let _ = writeln!(self.0, "{:indentation$}{field}: |-", "");
        let indentation = indentation + 2;
        for line in expression.lines() {
            let _ = writeln!(self.0, "{:indentation$}{line}", "");
        }
    }

    /// Adds the variables of regions and answers. `annotation` is the region of the annotation of the object, an expression.
    pub(super) fn answers(
        &mut self,
        annotation: &str,
        table: &TargetTable,
        options: AdmissionPolicyOptions<'_>,
    ) {
        self.variable("objectRegion", annotation);
        self.variable("defaultRegion", &default_region(options));
        self.variable("models", &expressions::models(table));
        self.variable("answers", &expressions::answers(table));
    }
}

fn default_region(options: AdmissionPolicyOptions<'_>) -> String {
    let default = options.region.or(options.policy.default_region);
    let code = default.as_ref().map_or("", Region::as_str);
    format!(
        "variables.namespaceAnnotations[?{}].orValue('{code}')",
        quoted(annotations::REGION)
    )
}

/// The comment at the start.
fn head(kind: &str, purpose: &str, options: AdmissionPolicyOptions<'_>) -> String {
    let AnswerSource { mappings, today } = options.source;
    // A comment ends with its line.
    let one_line = |text: &str| text.replace(char::is_control, " ");
    let (policy, mappings) = (one_line(&options.policy.name), one_line(mappings));
    format!(
        "# A {kind} that {purpose}.
# Its answers are those of the policy `{policy}` and of the mappings {mappings}, on {today}. They do not
# follow the mappings of the cluster: export it anew after a change, and at an end of life.
"
    )
}

/// A text in quotes, as YAML.
fn quoted_yaml(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
