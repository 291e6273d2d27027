//! `manifests/rbac.yaml` and the rules in the chart are the table of rights, and the table grants nothing that nobody can explain.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use bedrock_profiles::cli::yaml::to_string as to_yaml;
use bedrock_profiles::cluster::rbac::{
    ObjectNames, PolicyRule, RuleScope, Switch, TABLE, VIEW, objects,
};
use bedrock_profiles::cluster::release::ReleaseNames;
use serde_json::json;

const HEAD: &str = "# Rights of the service account, with the chart's default switches. Generated from src/cluster/rbac.rs by
# `UPDATE=1 cargo test --test suite generated`; the namespace is the one of the release.
";

fn release() -> ReleaseNames {
    ReleaseNames {
        namespace: "bedrock-profiles".into(),
        name: "bedrock-profiles".into(),
    }
}

fn rendered() -> String {
    let documents = objects(TABLE, Switch::DEFAULTS, &release());
    let documents: Vec<String> = documents
        .iter()
        .map(|document| to_yaml(document).unwrap())
        .collect();
    format!("{HEAD}{}", documents.join("---\n"))
}

/// The head of the chart's template. Its braces are Helm's.
const TEMPLATE_HEAD: &str = "{{- /* Generated from src/cluster/rbac.rs by `UPDATE=1 cargo test --test suite generated`. */}}
";

/// What the chart's values say where a switch is on.
fn condition(switch: Switch) -> &'static str {
    match switch {
        Switch::CatalogApply => ".Values.catalog.apply",
        Switch::PolicyCreate => ".Values.policy.create",
        Switch::RegionFromNodes => r#"eq (include "bedrock-profiles.regionFromNodes" .) "true""#,
        Switch::References => ".Values.references.enabled",
        Switch::Audit => ".Values.audit.enabled",
        Switch::AuditConfigMaps => "and .Values.audit.enabled .Values.audit.configMaps",
        Switch::Reports => "and .Values.audit.enabled .Values.reports.enabled",
        Switch::EventsOnOwners => "and .Values.audit.enabled .Values.events.onOwners",
        Switch::SelfSigned => r#"eq .Values.certificates.mode "self""#,
    }
}

/// The names that a right is limited to, as the chart writes them.
fn names(names: ObjectNames) -> String {
    let own =
        |suffix: &str| format!(r#"[{{{{ include "bedrock-profiles.fullname" . }}}}{suffix}]"#);
    match names {
        ObjectNames::Fixed(names) => json!(names).to_string(),
        ObjectNames::CaSecret => own("-ca"),
        ObjectNames::Lease | ObjectNames::ClusterRole => own(""),
        ObjectNames::Bootstrap => own("-bootstrap"),
    }
}

/// One rule of a role, as the chart writes it.
fn rule(right: &PolicyRule) -> String {
    let mut rule = format!("# {}\n- apiGroups: {}\n", right.why, json!([right.group]));
    writeln!(rule, "  resources: {}", json!(right.resources)).unwrap();
    if let RuleScope::Named(of) | RuleScope::Own(of) = right.scope {
        writeln!(rule, "  resourceNames: {}", names(of)).unwrap();
    }
    writeln!(rule, "  verbs: {}", json!(right.verbs)).unwrap();
    match right.when {
        Some(switch) => format!(
            "{{{{- if {} }}}}\n{rule}{{{{- end }}}}\n",
            condition(switch)
        ),
        None => rule,
    }
}

/// The named template of a role's rules.
fn definition(role: &str, rules: &str) -> String {
    format!("\n{{{{- define \"bedrock-profiles.rules.{role}\" }}}}\n{rules}{{{{- end }}}}\n")
}

/// The rules of the chart's roles: a named template for each.
fn template() -> String {
    let role_of = |right: &PolicyRule| match right.scope {
        RuleScope::Cluster | RuleScope::Named(_) => "cluster",
        RuleScope::Own(_) => "own",
        RuleScope::Default => "default",
    };
    let mut text = TEMPLATE_HEAD.to_owned();
    for role in ["cluster", "own", "default"] {
        let rights = TABLE.iter().filter(|right| role_of(right) == role);
        let lines: String = rights.map(rule).collect();
        text += &definition(role, &lines);
    }
    text + &definition("view", &rule(&VIEW))
}

fn assert_generated(file: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, rendered).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, rendered,
        "{file}: run UPDATE=1 cargo test --test suite generated"
    );
}

#[test]
fn the_manifest_is_generated_from_the_table() {
    assert_generated("manifests/rbac.yaml", &rendered());
}

#[test]
fn the_chart_grants_the_rules_of_the_table() {
    assert_generated("charts/bedrock-profiles/templates/_rbac.tpl", &template());
}

#[test]
fn nothing_dangerous_is_granted() {
    let verbs = |right: &PolicyRule| right.verbs.iter().copied().collect::<BTreeSet<_>>();
    for verb in VIEW.verbs {
        assert!(["get", "list", "watch"].contains(verb), "{verb}");
    }
    for right in TABLE {
        assert!(!right.why.is_empty(), "{right:?}");
        for all in [right.resources, right.verbs] {
            assert!(!all.contains(&"*"), "{right:?}");
        }
        if right.resources.contains(&"secrets") || right.resources.contains(&"leases") {
            assert!(matches!(right.scope, RuleScope::Own(_)), "{right:?}");
            assert!(!verbs(right).contains("create"), "{right:?}");
        }
        let writes = verbs(right)
            .intersection(&BTreeSet::from(["update", "patch", "delete"]))
            .count()
            > 0;
        let named = matches!(right.scope, RuleScope::Named(_) | RuleScope::Own(_));
        let ours = right
            .resources
            .iter()
            .all(|resource| resource.ends_with("/status"));
        let events = right.group == "events.k8s.io";
        assert!(
            !writes || named || ours || events,
            "may write anything of a kind: {right:?}"
        );
    }
}

#[test]
fn a_disabled_feature_has_no_rbac_rules() {
    let rules = |on: &[Switch]| {
        let objects = objects(TABLE, on, &release());
        let rules = objects
            .iter()
            .filter_map(|object| object["rules"].as_array());
        rules.flatten().cloned().collect::<Vec<_>>()
    };
    let all = rules(Switch::DEFAULTS);
    for switch in Switch::DEFAULTS {
        let others: Vec<_> = Switch::DEFAULTS
            .iter()
            .filter(|other| *other != switch)
            .copied()
            .collect();
        let granted = TABLE
            .iter()
            .filter(|right| right.when == Some(*switch))
            .count();
        assert!(granted > 0, "{switch:?} grants nothing");
        assert_eq!(rules(&others).len() + granted, all.len(), "{switch:?}");
    }
}
