//! The policy that rewrites direct IDs.

use super::expressions::{self, Patterns, REGION, quoted};
use super::manifest::{AdmissionPolicyOptions, Manifest, NAMESPACE_ANNOTATIONS};
use super::table::TargetTable;
use crate::domain::annotations;

/// What it cannot do, beside what both policies skip.
const LIMITS: &str = "\
# It changes variables of Pods on CREATE, and nothing else: no arguments, no ConfigMaps, no values from references. A region that
# is in a ConfigMap, a Secret or the nodes is unknown to it.
# It writes no record and restores no update: `kubectl apply` of the manifest of a rewritten Pod is refused; delete the Pod first.
# It reports nothing: there is no preview, no audit annotation, no metric of its own, and no reason for an ID that stays.
# If a webhook sets another region after it, the ID stays that of the first region.
# An object that exceeds the cost budget of CEL stays unchanged: failurePolicy is Ignore.
";

const RESOURCES: &str = "    resourceRules:
    - apiGroups: ['']
      apiVersions: [v1]
      operations: [CREATE]
      resources: [pods]
";

/// The `MutatingAdmissionPolicy` and its binding, as YAML. `table` has the IDs that the policy rewrites.
pub fn mutating_policy(table: &TargetTable, options: AdmissionPolicyOptions<'_>) -> String {
    let patterns = Patterns::of(table);
    let mut manifest = Manifest::new(
        "MutatingAdmissionPolicy",
        "replaces direct model IDs in variables of Pods by inference profiles",
        options,
    );
    manifest.push(LIMITS);
    manifest.open("MutatingAdmissionPolicy", options.name);
    manifest.push("  failurePolicy: Ignore\n  reinvocationPolicy: IfNeeded\n");
    manifest.exclude(options.excluded_namespaces);
    manifest.push(RESOURCES);
    variables(&mut manifest, &patterns, table, options);
    manifest.push("  mutations:\n");
    for list in ["containers", "initContainers"] {
        manifest.push("  - patchType: JSONPatch\n    jsonPatch:\n");
        manifest.block(6, "expression", &patch(&patterns, list));
    }
    manifest.open("MutatingAdmissionPolicyBinding", options.name);
    manifest.push(&format!("  policyName: {}\n", options.name));
    manifest.select(options.policy);
    manifest.into_text()
}

fn variables(
    manifest: &mut Manifest,
    patterns: &Patterns,
    table: &TargetTable,
    options: AdmissionPolicyOptions<'_>,
) {
    manifest.push("  variables:\n");
    manifest.variable(
        "containers",
        "object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])",
    );
    manifest.variable("suspects", &expressions::suspects(patterns, false));
    manifest.variable(
        "annotations",
        "has(object.metadata.annotations) ? object.metadata.annotations : {}",
    );
    manifest.variable("namespaceAnnotations", NAMESPACE_ANNOTATIONS);
    manifest.variable("exempt", &expressions::exempt("[variables.annotations]"));
    manifest.variable("named", &expressions::with_plain_names(options.policy));
    manifest.variable("evaluated", &expressions::evaluated());
    let annotation = format!(
        "variables.annotations[?{}].orValue('')",
        quoted(annotations::REGION)
    );
    manifest.answers(&annotation, table, options);
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
        target = expressions::target_of("e.value"),
    )
}
