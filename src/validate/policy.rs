//! Validates an `InferenceProfilePolicy`, and converts it to a [`Policy`].

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use crate::api;
use crate::domain::id::{Arn, Geography};
use crate::domain::policy::{
    ConfigMapRewrite, Global, Globs, IdForms, Lists, Mode, OptOut, Override, OverrideTarget,
    Policy, References, Replacement, Requirement, Scope, Selector, TrackedBy, Unresolved,
};
use crate::domain::region::Region;

use super::{Invalid, Problems};

/// Validates and converts a policy.
pub fn policy(wire: &api::InferenceProfilePolicy) -> Result<Policy, Invalid> {
    let name = wire.metadata.name.clone().unwrap_or_default();
    let spec = &wire.spec;
    let mut problems = Problems::default();
    let selects = |kind| spec.selects.resources.contains(&kind);
    let region = spec.region.default.as_deref();
    let typed = Policy {
        name: name.as_str().into(),
        priority: spec.priority,
        mode: mode(spec.mode),
        namespaces: selector(
            &mut problems,
            "spec.match.namespaceSelector",
            spec.selects.namespace_selector.as_ref(),
        ),
        pods: selects(api::ResourceKind::Pod),
        config_maps: selects(api::ResourceKind::ConfigMap),
        scope: match spec.models.scope {
            api::Scope::Required => Scope::Required,
            api::Scope::All => Scope::All,
        },
        include: Globs::new(&spec.models.include),
        exclude: Globs::new(&spec.models.exclude),
        aliases: (spec.models.aliases.enabled).then(|| Globs::new(&spec.models.aliases.env_names)),
        default_region: region
            .and_then(|text| problems.region(|| "spec.region.default".into(), text)),
        extra_env_names: spec
            .region
            .extra_env_names
            .iter()
            .map(|name| name.as_str().into())
            .collect(),
        global: match spec.geography.global {
            api::Global::Never => Global::Never,
            api::Global::Fallback => Global::Fallback,
            api::Global::Prefer => Global::Prefer,
        },
        allowed: allowed(&mut problems, &spec.geography.allowed),
        allowed_destinations: Globs::new(&spec.geography.allowed_destinations),
        overrides: (0..)
            .zip(&spec.overrides)
            .filter_map(|(at, wire)| override_of(&mut problems, at, wire))
            .collect(),
        replacements: (0..)
            .zip(&spec.replacements)
            .filter_map(|(at, wire)| replacement(&mut problems, at, wire))
            .collect(),
        references: references(spec.references),
        rewrite_config_maps: config_maps(spec.config_maps.rewrite),
        tracked_by: tracked_by(&spec.config_maps.tracked_by),
        warn_templates: spec.templates == api::Templates::Warn,
        lists: match spec.lists {
            api::Lists::Leave => Lists::Leave,
            api::Lists::Rewrite => Lists::Rewrite,
        },
        unresolved: unresolved(spec.unresolved),
        opt_out: opt_out(spec.opt_out),
    };
    problems.finish(format!("InferenceProfilePolicy/{name}"), typed)
}

fn allowed(problems: &mut Problems, wire: &[String]) -> Box<[Geography]> {
    let read = |(at, text): (usize, &String)| {
        let field = || format!("spec.geography.allowed[{at}]");
        let geography = problems.geography(field, text)?;
        if geography.is_global() {
            let message = "`global` is no geography to allow: set `spec.geography.global` to `Fallback` or `Prefer`";
            problems.note(field(), message.to_owned());
        }
        Some(geography)
    };
    wire.iter().enumerate().filter_map(read).collect()
}

fn override_of(problems: &mut Problems, at: usize, wire: &api::Override) -> Option<Override> {
    let field = format!("spec.overrides[{at}]");
    let model = problems.model(|| format!("{field}.modelId"), &wire.model_id);
    let sources = problems.regions(&format!("{field}.sourceRegions"), &wire.source_regions);
    let namespaces = selector(
        problems,
        &format!("{field}.namespaceSelector"),
        wire.namespace_selector.as_ref(),
    );
    let target = target(problems, &field, wire, &sources);
    let destinations = (!wire.destinations.is_empty())
        .then(|| problems.regions(&format!("{field}.destinations"), &wire.destinations));
    Some(Override {
        model: model?,
        sources,
        namespaces,
        spelling: spelling(wire.forms),
        target: target?,
        destinations,
    })
}

/// An ARN of one of the source regions, or the system-defined profile of the same model.
fn target(
    problems: &mut Problems,
    field: &str,
    wire: &api::Override,
    sources: &[Region],
) -> Option<OverrideTarget> {
    let field = || format!("{field}.target");
    if wire.target.starts_with("arn:") {
        let arn = problems.take(field, Arn::parse(&wire.target))?;
        if !sources.iter().any(|source| source.as_str() == arn.region()) {
            let message = format!(
                "an ARN serves its own region alone: name `{}` in `sourceRegions`, or write the ARN of a region there",
                arn.region()
            );
            problems.note(field(), message);
        }
        if sources
            .iter()
            .any(|source| source.partition() != arn.partition())
        {
            let message = "an ARN serves its own partition alone: write the one of `sourceRegions` behind `arn:`, or regions of the ARN's";
            problems.note(field(), message.to_owned());
        }
        return Some(OverrideTarget::Arn(arn));
    }
    let geography = wire
        .target
        .strip_suffix(&wire.model_id)
        .and_then(|rest| rest.strip_suffix('.'));
    if let Some(Ok(geography)) = geography.map(Geography::parse) {
        Some(OverrideTarget::System(geography))
    } else {
        let message = format!(
            "`{}` is neither an ARN nor a profile of `{}`: to move to another model write a replacement",
            wire.target, wire.model_id
        );
        problems.note(field(), message);
        None
    }
}

fn replacement(problems: &mut Problems, at: usize, wire: &api::Replacement) -> Option<Replacement> {
    let from = problems.model(|| format!("spec.replacements[{at}].from"), &wire.from);
    let to = problems.model(|| format!("spec.replacements[{at}].to"), &wire.to);
    if wire.from == wire.to {
        problems.note(
            format!("spec.replacements[{at}].to"),
            "a replacement leads to another model than it starts from: name the model to move to"
                .to_owned(),
        );
    }
    Some(Replacement {
        from: from?,
        to: to?,
        spelling: spelling(wire.forms),
    })
}

/// Converts a label selector of another object, such as a webhook configuration. `object` is its name in errors.
pub fn label_selector(object: &str, wire: &LabelSelector) -> Result<Selector, Invalid> {
    let mut problems = Problems::default();
    let typed = selector(&mut problems, "namespaceSelector", Some(wire));
    problems.finish(object.to_owned(), typed)
}

fn selector(problems: &mut Problems, field: &str, wire: Option<&LabelSelector>) -> Selector {
    let Some(wire) = wire else {
        return Selector::default();
    };
    let labels = wire.match_labels.iter().flatten();
    let mut requirements: Vec<_> = labels
        .map(|(key, value)| Requirement::In(key.as_str().into(), [value.as_str().into()].into()))
        .collect();
    for (at, wire) in wire.match_expressions.iter().flatten().enumerate() {
        requirements.extend(problems.take(
            || format!("{field}.matchExpressions[{at}]"),
            requirement(wire),
        ));
    }
    Selector::new(requirements)
}

/// Why an entry of `matchExpressions` is invalid.
#[derive(Debug, thiserror::Error)]
enum RequirementError<'a> {
    #[error(
        "operator `{0}` needs at least one value: add `values`, or write `Exists` or `DoesNotExist`"
    )]
    NoValue(&'a str),
    #[error("operator `{0}` takes no values: remove `values`, or write `In` or `NotIn`")]
    Values(&'a str),
    #[error("`{0}` is no operator: write In, NotIn, Exists or DoesNotExist")]
    Operator(&'a str),
}

fn requirement(wire: &LabelSelectorRequirement) -> Result<Requirement, RequirementError<'_>> {
    let key: Box<str> = wire.key.as_str().into();
    let values: Box<[Box<str>]> = wire
        .values
        .iter()
        .flatten()
        .map(|value| value.as_str().into())
        .collect();
    match (wire.operator.as_str(), values.is_empty()) {
        ("In", false) => Ok(Requirement::In(key, values)),
        ("NotIn", false) => Ok(Requirement::NotIn(key, values)),
        ("Exists", true) => Ok(Requirement::Exists(key)),
        ("DoesNotExist", true) => Ok(Requirement::DoesNotExist(key)),
        (operator @ ("In" | "NotIn"), true) => Err(RequirementError::NoValue(operator)),
        (operator @ ("Exists" | "DoesNotExist"), false) => Err(RequirementError::Values(operator)),
        (operator, _) => Err(RequirementError::Operator(operator)),
    }
}

const fn mode(wire: api::Mode) -> Mode {
    match wire {
        api::Mode::Rewrite => Mode::Rewrite,
        api::Mode::Deny => Mode::Deny,
        api::Mode::DryRun => Mode::DryRun,
    }
}

const fn spelling(wire: api::IdForms) -> IdForms {
    match wire {
        api::IdForms::Direct => IdForms::Direct,
        api::IdForms::DirectAndProfiles => IdForms::DirectAndProfiles,
    }
}

const fn references(wire: api::References) -> References {
    match wire {
        api::References::Resolve => References::Resolve,
        api::References::Report => References::Report,
        api::References::Off => References::Off,
    }
}

const fn config_maps(wire: api::ConfigMapRewrite) -> ConfigMapRewrite {
    match wire {
        api::ConfigMapRewrite::Never => ConfigMapRewrite::Never,
        api::ConfigMapRewrite::Untracked => ConfigMapRewrite::Untracked,
        api::ConfigMapRewrite::All => ConfigMapRewrite::All,
    }
}

fn tracked_by(wire: &api::TrackedBy) -> TrackedBy {
    TrackedBy {
        labels: Globs::new(&wire.labels),
        annotations: Globs::new(&wire.annotations),
        field_managers: Globs::new(&wire.field_managers),
    }
}

const fn unresolved(wire: api::Unresolved) -> Unresolved {
    match wire {
        api::Unresolved::Allow => Unresolved::Allow,
        api::Unresolved::Warn => Unresolved::Warn,
        api::Unresolved::Deny => Unresolved::Deny,
    }
}

const fn opt_out(wire: api::OptOut) -> OptOut {
    match wire {
        api::OptOut::Any => OptOut::Any,
        api::OptOut::Namespace => OptOut::Namespace,
        api::OptOut::None => OptOut::None,
    }
}
