//! The manifests, with comments about their limits.

use std::fmt::Write as _;

use super::expressions::{self, Patterns, REGION, quoted};
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

/// What the API server does with an object that has a direct ID that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidationAction {
    /// It refuses the object.
    Deny,
    /// It admits the object with a warning.
    Warn,
    /// It admits the object and adds an annotation to the event of its audit log.
    Audit,
}

impl ValidationAction {
    /// The name in bindings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "Deny",
            Self::Warn => "Warn",
            Self::Audit => "Audit",
        }
    }
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

/// The ValidatingAdmissionPolicy and its binding, as YAML. `table` has the IDs that cannot work.
pub fn validating_policy(
    table: &TargetTable,
    options: AdmissionPolicyOptions<'_>,
    actions: &[ValidationAction],
) -> String {
    let denies = actions.contains(&ValidationAction::Deny);
    let patterns = Patterns::of(table);
    let mut text = head(
        "ValidatingAdmissionPolicy",
        "reports direct model IDs that do not work on demand in the region of their container",
        options,
    );
    text.push_str(SKIPPED);
    text.push_str(
        "# It reports an ID in an argument only behind a flag for a model, such as --model or --model-id.\n",
    );
    text.push_str(if denies {
        "# It denies nothing because of a row of less than high confidence, nothing that a controller owns, and no update that adds no\n# ID. Export it anew to add or remove Deny: the policy differs, not only the binding.\n"
    } else {
        "# Do not add Deny to the binding: with `export vap --action Deny` the policy spares objects that a controller owns, and updates\n# that add no ID.\n"
    });
    text.push_str(
        "# An object that exceeds the cost budget of CEL is admitted: failurePolicy is Ignore.\n",
    );
    open(&mut text, "ValidatingAdmissionPolicy", options.name);
    text.push_str(
        "  failurePolicy: Ignore
  matchConstraints:
    matchPolicy: Equivalent
    namespaceSelector:
      matchExpressions:
",
    );
    excluded(&mut text, options.excluded_namespaces);
    text.push_str(
        "    resourceRules:
    - apiGroups: ['']
      apiVersions: [v1]
      operations: [CREATE]
      resources: [pods]
    - apiGroups: ['']
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [podtemplates, replicationcontrollers]
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [deployments, statefulsets, daemonsets, replicasets]
    - apiGroups: [batch]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [jobs, cronjobs]
",
    );
    if denies {
        text.push_str(
            "  matchConditions:
  - name: no-controller
    expression: \"!has(object.metadata.ownerReferences) || !object.metadata.ownerReferences.exists(r, has(r.controller) && r.controller)\"
",
        );
    }
    text.push_str("  variables:\n");
    let mut variable = |name: &str, expression: &str| push_variable(&mut text, name, expression);
    variable("pod", &template_of("object"));
    variable(
        "containers",
        "variables.pod.?spec.?containers.orValue([]) + variables.pod.?spec.?initContainers.orValue([])",
    );
    if denies {
        let old = template_of("oldObject");
        variable(
            "old",
            &format!(
                "request.operation != 'UPDATE' ? [] : [{old}].map(pod,
  pod.?spec.?containers.orValue([]) + pod.?spec.?initContainers.orValue([]))[0]"
            ),
        );
    }
    variable("suspects", &expressions::suspects(&patterns, true));
    let maps = "[variables.pod.?metadata.?annotations.orValue({}), dyn(object).metadata.?annotations.orValue({})]";
    variable("namespaceAnnotations", NAMESPACE_ANNOTATIONS);
    variable(
        "exempt",
        &expressions::exempt(maps, "[variables.namespaceAnnotations]"),
    );
    variable("named", &expressions::with_plain_names(options.policy));
    variable("evaluated", &expressions::evaluated());
    variable(
        "objectRegion",
        &format!(
            "variables.pod.?metadata.?annotations[?{}].orValue('')",
            quoted(annotations::REGION)
        ),
    );
    variable("defaultRegion", &default_region(options));
    variable("models", &expressions::models(table));
    variable("answers", &expressions::answers(table));
    variable("findings", &findings(&patterns, denies));
    text.push_str(
        "  validations:
  - expression: \"size(variables.findings) == 0\"
    message: a direct model ID does not work on demand in the region of its container
    messageExpression: \"variables.findings[0] + (size(variables.findings) > 1 ? ', and ' + string(size(variables.findings) - 1) + ' more containers' : '')\"
",
    );
    open(&mut text, "ValidatingAdmissionPolicyBinding", options.name);
    let names: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
    let _ = writeln!(
        text,
        "  policyName: {}\n  validationActions: [{}]",
        options.name,
        names.join(", ")
    );
    selected(&mut text, options.policy);
    text
}

/// The MutatingAdmissionPolicy and its binding, as YAML. `table` has the IDs that the policy rewrites.
pub fn mutating_policy(table: &TargetTable, options: AdmissionPolicyOptions<'_>) -> String {
    let patterns = Patterns::of(table);
    let mut text = head(
        "MutatingAdmissionPolicy",
        "replaces direct model IDs in variables of Pods by inference profiles",
        options,
    );
    text.push_str(SKIPPED);
    text.push_str(
        "# It changes variables of Pods on CREATE, and nothing else: no arguments, no ConfigMaps, no values from references. A region that
# is in a ConfigMap, a Secret or the nodes is unknown to it.
# It writes no record and restores no update: `kubectl apply` of the manifest of a rewritten Pod is refused; delete the Pod first.
# It reports nothing: there is no preview, no audit annotation, no metric of its own, and no reason for an ID that stays.
# If a webhook sets another region after it, the ID stays that of the first region.
# An object that exceeds the cost budget of CEL stays unchanged: failurePolicy is Ignore.
",
    );
    open(&mut text, "MutatingAdmissionPolicy", options.name);
    text.push_str(
        "  failurePolicy: Ignore
  reinvocationPolicy: IfNeeded
  matchConstraints:
    matchPolicy: Equivalent
    namespaceSelector:
      matchExpressions:
",
    );
    excluded(&mut text, options.excluded_namespaces);
    text.push_str(
        "    resourceRules:
    - apiGroups: ['']
      apiVersions: [v1]
      operations: [CREATE]
      resources: [pods]
  variables:
",
    );
    let mut variable = |name: &str, expression: &str| push_variable(&mut text, name, expression);
    variable(
        "containers",
        "object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])",
    );
    variable("suspects", &expressions::suspects(&patterns, false));
    variable(
        "annotations",
        "has(object.metadata.annotations) ? object.metadata.annotations : {}",
    );
    variable("namespaceAnnotations", NAMESPACE_ANNOTATIONS);
    variable(
        "exempt",
        &expressions::exempt(
            "[variables.annotations]",
            "[variables.namespaceAnnotations]",
        ),
    );
    variable("named", &expressions::with_plain_names(options.policy));
    variable("evaluated", &expressions::evaluated());
    variable(
        "objectRegion",
        &format!(
            "variables.annotations[?{}].orValue('')",
            quoted(annotations::REGION)
        ),
    );
    variable("defaultRegion", &default_region(options));
    variable("models", &expressions::models(table));
    variable("answers", &expressions::answers(table));
    text.push_str("  mutations:\n");
    for list in ["containers", "initContainers"] {
        text.push_str("  - patchType: JSONPatch\n    jsonPatch:\n");
        push_block(&mut text, 6, "expression", &patch(&patterns, list));
    }
    open(&mut text, "MutatingAdmissionPolicyBinding", options.name);
    let _ = writeln!(text, "  policyName: {}", options.name);
    selected(&mut text, options.policy);
    text
}

/// The annotations of the namespace.
const NAMESPACE_ANNOTATIONS: &str =
    "has(namespaceObject.metadata.annotations) ? namespaceObject.metadata.annotations : {}";

/// The Pod or the Pod template of an object.
fn template_of(object: &str) -> String {
    format!(
        "request.kind.kind == 'Pod' ? dyn({object})
  : request.kind.kind == 'CronJob' ? dyn({object}).spec.jobTemplate.spec.template
  : request.kind.kind == 'PodTemplate' ? dyn({object}).template
  : dyn({object}).spec.?template.orValue({{}})"
    )
}

fn default_region(options: AdmissionPolicyOptions<'_>) -> String {
    let default = options.region.or(options.policy.default_region);
    let code = default.as_ref().map_or("", Region::as_str);
    format!(
        "variables.namespaceAnnotations[?{}].orValue('{code}')",
        quoted(annotations::REGION)
    )
}

/// The target of an ID, an expression, in the region `r`.
fn target_of(id: &str) -> String {
    format!(
        "[{}[r]].map(t, t.matches('[.:]') ? t : t + '.' + {id})[0]",
        expressions::answers_of(id)
    )
}

/// The findings, a text for each container that has some.
fn findings(patterns: &Patterns, denies: bool) -> String {
    let message = |place: &str, id: &str| {
        format!(
            "'container ' + c.name + ', {place}: ' + {id} + ' does not work on demand in ' + r
        + ({}[r] == '' ? ', and no permitted profile serves it there' : '; use ' + {})",
            expressions::answers_of(id),
            target_of(id)
        )
    };
    let in_variable = message("variable ' + e.name + '", "e.value");
    let in_argument = message("argument", "id");
    let (new_variable, new_argument) = if denies {
        (
            "
    && !variables.old.exists(o, o.name == c.name && has(o.env) && o.env.exists(x, x.name == e.name && has(x.value) && x.value == e.value))",
            "
    && !variables.old.exists(o, o.name == c.name
      && ((has(o.command) && o.command.exists(x, x.contains(id))) || (has(o.args) && o.args.exists(x, x.contains(id)))))",
        )
    } else {
        ("", "")
    };
    format!(
        "variables.evaluated.map(c, [{REGION}].map(r,
  ((has(c.env) ? c.env.filter(e, {has_id}{new_variable}).map(e,
      {in_variable}) : [])
  + ({words}).join('\\n').findAll({flag})
    .map(f, f.replace('=', '\\n')).map(f, f.substring(f.lastIndexOf('\\n') + 1))
    .filter(id, {has_answer} && {is_nowhere_else}{new_argument}).map(id,
      {in_argument})).join('; ')).join('')).filter(text, text != '')",
        has_id = expressions::has_id(patterns),
        words = expressions::WORDS,
        flag = quoted(&patterns.model_flag),
        has_answer = expressions::has_answer("id"),
        is_nowhere_else = expressions::is_nowhere_else(patterns, "id"),
    )
}

/// The operations on the containers of one list.
fn patch(patterns: &Patterns, list: &str) -> String {
    format!(
        "(!has(object.spec.{list}) || size(variables.evaluated) == 0 ? [] : object.spec.{list}.transformList(i, c,
  variables.evaluated.exists(one, one.name == c.name),
  [{REGION}].map(r, c.env.transformList(at, e,
    {has_id},
    JSONPatch{{
      op: 'replace',
      path: '/spec/{list}/' + string(i) + '/env/' + string(at) + '/value',
      value: {target}
    }})))).flatten().flatten()",
        has_id = expressions::has_id(patterns),
        target = target_of("e.value"),
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

/// Opens an object.
fn open(text: &mut String, kind: &str, name: &str) {
    let _ = write!(
        text,
        "---
apiVersion: admissionregistration.k8s.io/v1
kind: {kind}
metadata:
  name: {name}
spec:
"
    );
}

fn push_variable(text: &mut String, name: &str, expression: &str) {
    let _ = writeln!(text, "  - name: {name}");
    push_block(text, 4, "expression", expression);
}

/// Adds a field with an expression of several lines.
fn push_block(text: &mut String, indentation: usize, field: &str, expression: &str) {
    let _ = writeln!(text, "{:indentation$}{field}: |-", "");
    let indentation = indentation + 2;
    for line in expression.lines() {
        let _ = writeln!(text, "{:indentation$}{line}", "");
    }
}

fn excluded(text: &mut String, namespaces: &[String]) {
    let _ = writeln!(
        text,
        "      - {{ key: {NAMESPACE_NAME_LABEL}, operator: NotIn, values: [{}] }}",
        namespaces.join(", ")
    );
}

/// The namespaces that the policy selects.
fn selected(text: &mut String, policy: &Policy) {
    let mut requirements = policy.namespaces.requirements().peekable();
    if requirements.peek().is_none() {
        return;
    }
    text.push_str("  matchResources:\n    namespaceSelector:\n      matchExpressions:\n");
    for requirement in requirements {
        let (key, operator, values) = match requirement {
            Requirement::In(key, values) => (key, "In", &values[..]),
            Requirement::NotIn(key, values) => (key, "NotIn", &values[..]),
            Requirement::Exists(key) => (key, "Exists", &[][..]),
            Requirement::DoesNotExist(key) => (key, "DoesNotExist", &[][..]),
        };
        let values: Vec<_> = values.iter().map(|value| quoted_yaml(value)).collect();
        let _ = write!(
            text,
            "      - {{ key: {}, operator: {operator}",
            quoted_yaml(key)
        );
        if !values.is_empty() {
            let _ = write!(text, ", values: [{}]", values.join(", "));
        }
        text.push_str(" }\n");
    }
}

/// A text in quotes, as YAML.
fn quoted_yaml(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
