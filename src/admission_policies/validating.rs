//! The policy that reports direct IDs.

use super::expressions::{self, Patterns, REGION, quoted};
use super::manifest::{AdmissionPolicyOptions, Manifest, NAMESPACE_ANNOTATIONS};
use super::table::TargetTable;
use crate::domain::annotations;

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

/// What it evaluates.
const RESOURCES: &str = "    resourceRules:
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
";

/// Objects that a controller owns are created again and again, and only the controller would get the refusal.
const NO_CONTROLLER: &str = "  matchConditions:
  - name: no-controller
    expression: \"!has(object.metadata.ownerReferences) || !object.metadata.ownerReferences.exists(r, has(r.controller) && r.controller)\"
";

const VALIDATIONS: &str = "  validations:
  - expression: \"size(variables.findings) == 0\"
    message: a direct model ID does not work on demand in the region of its container
    messageExpression: \"variables.findings[0] + (size(variables.findings) > 1 ? ', and ' + string(size(variables.findings) - 1) + ' more containers' : '')\"
";

/// The `ValidatingAdmissionPolicy` and its binding, as YAML. `table` has the IDs that cannot work.
pub fn validating_policy(
    table: &TargetTable,
    options: AdmissionPolicyOptions<'_>,
    actions: &[ValidationAction],
) -> String {
    let denies = actions.contains(&ValidationAction::Deny);
    let mut manifest = Manifest::new(
        "ValidatingAdmissionPolicy",
        "reports direct model IDs that do not work on demand in the region of their container",
        options,
    );
    manifest.push("# It reports an ID in an argument only behind a flag for a model, such as --model or --model-id.\n");
    manifest.push(if denies {
        "# It denies nothing because of a row of less than high confidence, nothing that a controller owns, and no update that adds no
# ID. Export it anew to add or remove Deny: the policy differs, not only the binding.
"
    } else {
        "# Do not add Deny to the binding: with `export vap --action Deny` the policy spares objects that a controller owns, and updates
# that add no ID.
"
    });
    manifest.push(
        "# An object that exceeds the cost budget of CEL is admitted: failurePolicy is Ignore.\n",
    );
    manifest.open("ValidatingAdmissionPolicy", options.name);
    manifest.push("  failurePolicy: Ignore\n");
    manifest.exclude(options.excluded_namespaces);
    manifest.push(RESOURCES);
    if denies {
        manifest.push(NO_CONTROLLER);
    }
    variables(&mut manifest, table, options, denies);
    manifest.push(VALIDATIONS);
    manifest.open("ValidatingAdmissionPolicyBinding", options.name);
    let actions: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
    manifest.push(&format!(
        "  policyName: {}\n  validationActions: [{}]\n",
        options.name,
        actions.join(", ")
    ));
    manifest.select(options.policy);
    manifest.into_text()
}

fn variables(
    manifest: &mut Manifest,
    table: &TargetTable,
    options: AdmissionPolicyOptions<'_>,
    denies: bool,
) {
    let patterns = Patterns::of(table);
    manifest.push("  variables:\n");
    manifest.variable("pod", &template_of("object"));
    let containers = "pod.?spec.?containers.orValue([]) + pod.?spec.?initContainers.orValue([])";
    manifest.variable(
        "containers",
        &format!("[variables.pod].map(pod, {containers})[0]"),
    );
    if denies {
        let old = template_of("oldObject");
        manifest.variable(
            "old",
            &format!(
                "request.operation != 'UPDATE' ? [] : [{old}].map(pod,
  {containers})[0]"
            ),
        );
    }
    manifest.variable("suspects", &expressions::suspects(&patterns, true));
    manifest.variable("namespaceAnnotations", NAMESPACE_ANNOTATIONS);
    let maps = "[variables.pod.?metadata.?annotations.orValue({}), dyn(object).metadata.?annotations.orValue({})]";
    manifest.variable("exempt", &expressions::exempt(maps));
    manifest.variable("named", &expressions::with_plain_names(options.policy));
    manifest.variable("evaluated", &expressions::evaluated());
    let annotation = format!(
        "variables.pod.?metadata.?annotations[?{}].orValue('')",
        quoted(annotations::REGION)
    );
    manifest.answers(&annotation, table, options);
    manifest.variable("findings", &findings(&patterns, denies));
}

/// The Pod or the Pod template of an object.
fn template_of(object: &str) -> String {
    format!(
        "request.kind.kind == 'Pod' ? dyn({object})
  : request.kind.kind == 'CronJob' ? dyn({object}).spec.jobTemplate.spec.template
  : request.kind.kind == 'PodTemplate' ? dyn({object}).template
  : dyn({object}).spec.?template.orValue({{}})"
    )
}

/// The findings, a text for each container that has some.
fn findings(patterns: &Patterns, denies: bool) -> String {
    let message = |place: &str, id: &str| {
        format!(
            "'container ' + c.name + ', {place}: ' + {id} + ' does not work on demand in ' + r
        + ({}[r] == '' ? ', and no permitted profile serves it there' : '; use ' + {})",
            expressions::answers_of(id),
            expressions::target_of(id)
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
