//! A policy, checked and typed: what to do, where, and in which mode.
//!
//! Does not look at models or rows; `resolve` holds the two together.

use std::collections::BTreeMap;
use std::fmt;

use wildmatch::WildMatch;

use crate::domain::id::{Arn, Geography, ModelId};
use crate::domain::region::Region;

mod covering;

/// One policy object, checked and typed.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Name of the object.
    pub name: Box<str>,
    /// Of those that rewrite or deny, the highest priority decides, then the name's ascending order.
    pub priority: i32,
    /// What to do with what is found.
    pub mode: Mode,
    /// Which namespaces.
    pub namespaces: Selector,
    /// Whether Pods and workload templates are judged.
    pub pods: bool,
    /// Whether ConfigMaps are judged.
    pub config_maps: bool,
    /// Which findings are rewritten.
    pub scope: Scope,
    /// Globs over direct IDs that are included.
    pub include: Globs,
    /// Globs over direct IDs that are excluded.
    pub exclude: Globs,
    /// Globs over the names of variables and keys whose text may be an alias; `None` where aliases are none of its business.
    pub aliases: Option<Globs>,
    /// The region where nothing nearer names one.
    pub default_region: Option<Region>,
    /// Variables that are asked before the built-in names.
    pub extra_env_names: Box<[Box<str>]>,
    /// Whether a request may leave the geography.
    pub global: Global,
    /// Geographies that may be used although a destination lies in another jurisdiction.
    pub allowed: Box<[Geography]>,
    /// Region globs; a profile that may route elsewhere is not used. Empty: no rule.
    pub allowed_destinations: Globs,
    /// Targets of the policy's own.
    pub overrides: Box<[Override]>,
    /// Models to move to.
    pub replacements: Box<[Replacement]>,
    /// What becomes of IDs that a Pod takes from a ConfigMap.
    pub references: References,
    /// Which ConfigMaps are rewritten.
    pub rewrite_config_maps: ConfigMapRewrite,
    /// Whether the author of a workload template is warned.
    pub warn_templates: bool,
    /// What becomes of IDs in lists.
    pub lists: Lists,
    /// What becomes of an object with an ID that cannot work.
    pub unresolved: Unresolved,
    /// Who may opt out by annotation.
    pub opt_out: OptOut,
}

/// What a policy does with what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Changes the object.
    Rewrite,
    /// Refuses what a person applies.
    Deny,
    /// Says what it would do.
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
    /// Every model that has a living profile.
    All,
}

/// Whether a global profile is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    /// Never.
    Never,
    /// Where no geographic profile serves.
    Fallback,
    /// Before the geographic one.
    Prefer,
}

/// What becomes of IDs that a Pod takes from a ConfigMap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// The Pod gets an explicit variable.
    Resolve,
    /// They are reported.
    Report,
    /// They are not looked at.
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

/// What becomes of IDs in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    /// Left: mostly allow-lists that other data must equal.
    Leave,
    /// Rewritten.
    Rewrite,
}

/// What becomes of an object with an ID that cannot work and that nothing permitted serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unresolved {
    /// Admitted silently.
    Allow,
    /// Admitted with a warning.
    Warn,
    /// Refused, where a person applies it.
    Deny,
}

/// Who may opt out by annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOut {
    /// A namespace or an object.
    Any,
    /// A namespace alone.
    Namespace,
    /// Neither.
    None,
}

/// To which spellings of a model an override or a replacement applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForms {
    /// The direct ID.
    Direct,
    /// The direct ID and its system-defined profiles.
    DirectAndProfiles,
}

/// A target of the policy's own for a model.
#[derive(Debug, Clone)]
pub struct Override {
    /// The model, after replacements.
    pub model: ModelId,
    /// The source regions; empty means all.
    pub sources: Box<[Region]>,
    /// The namespaces.
    pub namespaces: Selector,
    /// To which spellings it applies.
    pub spelling: IdForms,
    /// What to write.
    pub target: OverrideTarget,
    /// Where the target may route the request; `None` where the policy does not say.
    pub destinations: Option<Box<[Region]>>,
}

/// What an override writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideTarget {
    /// An application inference profile, a provisioned model or any other ARN.
    Arn(Arn),
    /// The system-defined profile of the same model in this geography.
    System(Geography),
}

/// A move from one model to another.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// The ID that is found; it need not be known.
    pub from: ModelId,
    /// The ID to move to.
    pub to: ModelId,
    /// To which spellings it applies.
    pub spelling: IdForms,
}

/// Texts with `*` and `?` as wildcards; case counts.
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
    /// The label is there.
    Exists(Box<str>),
    /// The label is absent.
    DoesNotExist(Box<str>),
}

/// What is known of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: Box<str>,
    /// Its labels.
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// Its annotations.
    pub annotations: BTreeMap<Box<str>, Box<str>>,
}

/// The label that every namespace carries with its own name.
pub const NAMESPACE_NAME_LABEL: &str = "kubernetes.io/metadata.name";

impl Policy {
    /// Whether the policy changes or refuses anything.
    pub fn decides(&self) -> bool {
        self.mode != Mode::DryRun
    }

    /// Whether the policy includes the model `id`; `Some` is what leaves it out.
    pub fn includes(&self, id: &str) -> Result<(), crate::domain::reason::Reason> {
        if !self.include.matches(id) {
            return Err(crate::domain::reason::Reason::NotIncluded);
        }
        if self.exclude.matches(id) {
            Err(crate::domain::reason::Reason::Excluded)
        } else {
            Ok(())
        }
    }

    /// Follows replacements from `id` to the end; `None` where none applies.
    /// `profiled` says that the ID is behind a prefix.
    pub fn replaced(&self, id: &str, profiled: bool) -> Option<&ModelId> {
        let step = |from: &str| {
            let applies = |r: &&Replacement| {
                r.from.as_str() == from && (!profiled || r.spelling == IdForms::DirectAndProfiles)
            };
            self.replacements.iter().find(applies).map(|r| &r.to)
        };
        // A cycle is refused when the snapshot is built; the bound makes this end whatever happens.
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

    /// Whether some pattern matches the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(text))
    }

    /// Whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some pattern is `*` alone.
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

    /// The label keys that it asks for.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Requirement::key)
    }
}

impl Requirement {
    /// The label that it asks for.
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
