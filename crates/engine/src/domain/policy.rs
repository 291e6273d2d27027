//! Validated and typed policies: selection, mode and rules.
//!
//! Contains no models or rows; [`crate::domain::resolve`] applies a policy to the catalog.

use std::fmt;

use crate::domain::id::{Arn, Geography, ModelId};
use crate::domain::reason::Reason;
use crate::domain::region::Region;

mod covering;
mod globs;
mod selector;

pub use globs::Globs;
pub use selector::{NAMESPACE_NAME_LABEL, Namespace, Requirement, Selector};

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
