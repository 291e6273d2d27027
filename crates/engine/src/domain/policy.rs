//! Validated and typed policies: selection, mode and rules.
//!
//! Contains no models or rows; [`crate::domain::resolve`] applies a policy to the catalog.

use std::collections::BTreeMap;
use std::fmt;

use wildmatch::WildMatch;

use crate::domain::id::{Arn, Geography, ModelId};
use crate::domain::reason::Reason;
use crate::domain::region::Region;

mod covering;

/// One policy object, validated and typed.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Name of the object.
    pub name: Box<str>,
    /// Precedence among the policies that rewrite or deny: the highest priority first, then by name in ascending order.
    pub priority: i32,
    /// The action on findings.
    pub mode: Mode,
    /// The selected namespaces.
    pub namespaces: Selector,
    /// Whether Pods and workload templates are evaluated.
    pub pods: bool,
    /// Whether ConfigMaps are evaluated.
    pub config_maps: bool,
    /// Which findings are rewritten.
    pub scope: Scope,
    /// Globs over direct IDs that are included.
    pub include: Globs,
    /// Globs over direct IDs that are excluded.
    pub exclude: Globs,
    /// Globs over the names of variables and keys whose text may be an alias; `None` if the policy ignores aliases.
    pub aliases: Option<Globs>,
    /// The region if no stronger source sets one.
    pub default_region: Option<Region>,
    /// Variables that take precedence over the built-in names.
    pub extra_env_names: Box<[Box<str>]>,
    /// Whether global profiles are used.
    pub global: Global,
    /// Geographies that are permitted although a destination is in another jurisdiction.
    pub allowed: Box<[Geography]>,
    /// Globs over regions; a profile that may route to any other region is not used. If empty, every region is permitted.
    pub allowed_destinations: Globs,
    /// Targets that replace the catalog's.
    pub overrides: Box<[Override]>,
    /// Models that are replaced by other models.
    pub replacements: Box<[Replacement]>,
    /// The action on IDs that a Pod takes from a ConfigMap.
    pub references: References,
    /// Which ConfigMaps are rewritten.
    pub rewrite_config_maps: ConfigMapRewrite,
    /// Marks of trackers besides the built-in ones.
    pub tracked_by: TrackedBy,
    /// Whether workload templates get warnings.
    pub warn_templates: bool,
    /// The action on IDs in lists.
    pub lists: Lists,
    /// The action on an object with an ID that cannot work.
    pub unresolved: Unresolved,
    /// The objects that may opt out by annotation.
    pub opt_out: OptOut,
}

/// The action of a policy on findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Changes the object.
    Rewrite,
    /// Denies objects that a user applies.
    Deny,
    /// Reports the changes without making them.
    DryRun,
}

impl Mode {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rewrite => "Rewrite",
            Self::Deny => "Deny",
            Self::DryRun => "DryRun",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which findings a policy rewrites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only where the direct ID does not work.
    Required,
    /// Every model with a current profile.
    All,
}

/// Whether global profiles are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    /// Never.
    Never,
    /// If no geographic profile serves.
    Fallback,
    /// Before the geographic one.
    Prefer,
}

/// The action on IDs that a Pod takes from a ConfigMap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// The Pod gets an explicit variable.
    Resolve,
    /// They are reported.
    Report,
    /// They are ignored.
    Off,
}

/// Which ConfigMaps are rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigMapRewrite {
    /// None.
    Never,
    /// Those that no controller tracks.
    Untracked,
    /// All.
    All,
}

/// Marks of ConfigMaps that a tracker applies, as globs.
#[derive(Debug, Clone, Default)]
pub struct TrackedBy {
    /// Keys of labels.
    pub labels: Globs,
    /// Keys of annotations.
    pub annotations: Globs,
    /// Field managers.
    pub field_managers: Globs,
}

/// The action on IDs in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    /// Unchanged: most are allow-lists, which other data must match.
    Leave,
    /// Rewritten.
    Rewrite,
}

/// The action on an object with an ID that cannot work and that no permitted target serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unresolved {
    /// Admitted without a warning.
    Allow,
    /// Admitted with a warning.
    Warn,
    /// Denied, if a user applies it.
    Deny,
}

/// The objects that may opt out by annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// A namespace or an object.
    Any,
    /// A namespace alone.
    Namespace,
    /// Neither.
    None,
}

/// The forms of an ID to which an override or a replacement applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForms {
    /// The direct ID.
    Direct,
    /// The direct ID and its system-defined profiles.
    DirectAndProfiles,
}

/// A target for a model that replaces the catalog's.
#[derive(Debug, Clone)]
pub struct Override {
    /// The model, after replacements.
    pub model: ModelId,
    /// The source regions; empty means all.
    pub sources: Box<[Region]>,
    /// The namespaces.
    pub namespaces: Selector,
    /// The forms of the ID to which it applies.
    pub spelling: IdForms,
    /// The target.
    pub target: OverrideTarget,
    /// The regions to which the target may route; `None` if the policy does not list them.
    pub destinations: Option<Box<[Region]>>,
}

/// The target of an override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideTarget {
    /// An application inference profile, a provisioned model or any other ARN.
    Arn(Arn),
    /// The system-defined profile of the same model in this geography.
    System(Geography),
}

/// A replacement of one model by another.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// The replaced ID; it may be unknown to the catalog.
    pub from: ModelId,
    /// The new ID.
    pub to: ModelId,
    /// The forms of the ID to which it applies.
    pub spelling: IdForms,
}

/// Case-sensitive patterns with the wildcards `*` and `?`.
#[derive(Debug, Clone, Default)]
pub struct Globs(Box<[WildMatch]>);

/// A label selector; the empty one selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(Box<[Requirement]>);

/// One condition of a label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// The label has one of these values.
    In(Box<str>, Box<[Box<str>]>),
    /// The label is absent or has none of these values.
    NotIn(Box<str>, Box<[Box<str>]>),
    /// The label is present.
    Exists(Box<str>),
    /// The label is absent.
    DoesNotExist(Box<str>),
}

/// A namespace, as observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: Box<str>,
    /// Its labels.
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// Its annotations.
    pub annotations: BTreeMap<Box<str>, Box<str>>,
}

/// The label in which every namespace has its name.
pub const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";

impl Policy {
    /// Whether the policy can be the effective one: it rewrites or denies.
    pub fn can_be_effective(&self) -> bool {
        self.mode != Mode::DryRun
    }

    /// Checks whether the policy includes the model `id`; the error is the reason for its exclusion.
    pub fn includes(&self, id: &str) -> Result<(), Reason> {
        if !self.include.matches(id) {
            return Err(Reason::NotIncluded);
        }
        if self.exclude.matches(id) {
            Err(Reason::Excluded)
        } else {
            Ok(())
        }
    }

    /// Follows the replacements from `id` to the last model; `None` if none applies.
    /// If `profiled`, the ID has a prefix, and only replacements for profiles apply.
    pub fn replaced(&self, id: &str, profiled: bool) -> Option<&ModelId> {
        let step = |from: &str| {
            let applies = |r: &&Replacement| {
                r.from.as_str() == from && (!profiled || r.spelling == IdForms::DirectAndProfiles)
            };
            self.replacements.iter().find(applies).map(|r| &r.to)
        };
        // Cycles are dropped when the snapshot is built; the bound ends the loop in any case.
        std::iter::successors(step(id), |to| step(to.as_str()))
            .take(self.replacements.len())
            .last()
    }
}

impl Globs {
    /// Compiles `patterns`.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Self {
        Self(
            patterns
                .into_iter()
                .map(|pattern| WildMatch::new(pattern.as_ref()))
                .collect(),
        )
    }

    /// Whether a pattern matches the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(text))
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a pattern is `*`.
    pub fn admit_everything(&self) -> bool {
        self.0.iter().any(|pattern| *pattern == "*")
    }
}

impl Selector {
    /// A selector of all `requirements`.
    pub fn new(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        Self(requirements.into_iter().collect())
    }

    /// Whether the namespace's labels meet every requirement.
    pub fn selects(&self, namespace: &Namespace) -> bool {
        let label = |key: &str| namespace.labels.get(key);
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|value| values.contains(value)),
            Requirement::NotIn(key, values) => {
                label(key).is_none_or(|value| !values.contains(value))
            }
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::DoesNotExist(key) => label(key).is_none(),
        })
    }

    /// The label keys of the requirements.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Requirement::key)
    }
}

impl Requirement {
    /// The label key of the requirement.
    fn key(&self) -> &str {
        match self {
            Self::In(key, _)
            | Self::NotIn(key, _)
            | Self::Exists(key)
            | Self::DoesNotExist(key) => key,
        }
    }
}

impl Namespace {
    /// A namespace of which only the name is known.
    pub fn named(name: &str) -> Self {
        let labels = BTreeMap::from([(NAMESPACE_NAME_LABEL.into(), name.into())]);
        Self {
            name: name.into(),
            labels,
            annotations: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_ids() {
        let globs = Globs::new(["anthropic.*"]);
        assert!(globs.matches("anthropic.claude-sonnet-5"));
        assert!(!globs.matches("us.anthropic.claude-sonnet-5"));
        assert!(Globs::new(["eu-*", "*"]).admit_everything());
        assert!(!Globs::new(["eu-*"]).admit_everything());
    }

    #[test]
    fn a_selector_follows_the_rules_of_label_selectors() {
        let namespace = Namespace::named("ml");
        let selects = |requirement| Selector::new([requirement]).selects(&namespace);
        assert!(Selector::default().selects(&namespace));
        assert!(selects(Requirement::In(
            NAMESPACE_NAME_LABEL.into(),
            ["ml".into()].into()
        )));
        assert!(!selects(Requirement::NotIn(
            NAMESPACE_NAME_LABEL.into(),
            ["ml".into()].into()
        )));
        assert!(selects(Requirement::NotIn(
            "team".into(),
            ["a".into()].into()
        )));
        assert!(selects(Requirement::DoesNotExist("team".into())));
        assert!(!selects(Requirement::Exists("team".into())));
    }
}
