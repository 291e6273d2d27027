//! Small values for the tests of the domain, separate from the shipped catalog on purpose.

use crate::domain::catalog::{
    Confidence, Destinations, DirectRow, MappedLifecycle, MappedModel, MappedRoute, Mapping,
    ProfileState,
};
use crate::domain::id::{Geography, ModelId};
use crate::domain::policy::{
    ConfigMapRewrite, Global, Globs, IdForms, Lists, Mode, OptOut, Policy, References, Replacement,
    Scope, Selector, TrackedBy, Unresolved,
};
use crate::domain::region::Region;
use crate::domain::snapshot::Snapshot;

pub(crate) fn region(code: &str) -> Region {
    Region::parse(code).expect("a region")
}

pub(crate) fn model(id: &str) -> MappedModel {
    MappedModel {
        id: ModelId::parse(id).expect("a model ID"),
        aliases: Box::default(),
        direct: Box::default(),
        lifecycle: MappedLifecycle::default(),
        routes: Box::default(),
        unverified: false,
        mantle_only: false,
    }
}

pub(crate) fn route(geography: &str, source: &str, destinations: &[&str]) -> MappedRoute {
    let destinations = match destinations {
        [] => Destinations::Unknown,
        ["*"] => Destinations::Anywhere,
        known => Destinations::Known(known.iter().map(|code| region(code)).collect()),
    };
    MappedRoute {
        geography: Geography::parse(geography).expect("a geography"),
        source: region(source),
        destinations,
        state: ProfileState::Current,
        confidence: Confidence::High,
        absent: false,
    }
}

pub(crate) fn mapping(name: &str, priority: i32, models: Vec<MappedModel>) -> Mapping {
    let scanned = [
        "us-east-1",
        "eu-west-1",
        "eu-west-2",
        "ca-central-1",
        "sa-east-1",
    ]
    .map(region)
    .into();
    Mapping {
        name: name.into(),
        priority,
        catalog_date: None,
        scanned,
        models: models.into(),
    }
}

/// A policy in mode `Rewrite` with scope `Required`.
pub(crate) fn policy() -> Policy {
    Policy {
        name: "test".into(),
        priority: 0,
        mode: Mode::Rewrite,
        namespaces: Selector::default(),
        pods: true,
        config_maps: true,
        scope: Scope::Required,
        include: Globs::new(["*"]),
        exclude: Globs::default(),
        aliases: None,
        default_region: None,
        extra_env_names: Box::default(),
        global: Global::Never,
        allowed: Box::default(),
        allowed_destinations: Globs::default(),
        overrides: Box::default(),
        replacements: Box::default(),
        references: References::Off,
        rewrite_config_maps: ConfigMapRewrite::Untracked,
        tracked_by: TrackedBy::default(),
        warn_templates: true,
        lists: Lists::Leave,
        unresolved: Unresolved::Warn,
        opt_out: OptOut::Any,
    }
}

pub(crate) fn replacements(pairs: &[(&str, &str)]) -> Box<[Replacement]> {
    let id = |text: &str| ModelId::parse(text).expect("a model ID");
    pairs
        .iter()
        .map(|(from, to)| Replacement {
            from: id(from),
            to: id(to),
            spelling: IdForms::Direct,
        })
        .collect()
}

/// Four models with rows in a handful of regions.
pub(crate) fn models() -> Vec<MappedModel> {
    let mut sonnet = model("anthropic.claude-sonnet-5");
    sonnet.routes = [
        route("us", "us-east-1", &["us-east-1", "us-west-2"]),
        route("us", "ca-central-1", &["ca-central-1", "us-east-1"]),
        route("eu", "eu-west-1", &["eu-west-1", "eu-north-1"]),
        route("eu", "eu-west-2", &["eu-west-1", "eu-west-2"]),
        route("global", "us-east-1", &["*"]),
        route("global", "sa-east-1", &["*"]),
    ]
    .into();
    sonnet.direct = [(region("eu-west-2"), DirectRow::Works)].into();
    let mut next = model("anthropic.claude-sonnet-5-5");
    next.routes = [route("us", "us-east-1", &["us-east-1"])].into();
    let haiku = model("anthropic.claude-3-haiku-20240307-v1:0");
    let llama = model("meta.llama3-8b-instruct-v1:0");
    vec![sonnet, next, haiku, llama]
}

pub(crate) fn snapshot() -> Snapshot {
    Snapshot::build(vec![mapping("test", 0, models())], vec![policy()]).0
}
