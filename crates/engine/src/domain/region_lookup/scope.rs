//! The settings of one scope around an ID that name a region: a command, a mapping, a container, the keys of a ConfigMap.

use std::collections::HashSet;

use crate::domain::name_words::{LetterWords, NameWords};
use crate::domain::policy::Policy;
use crate::domain::region::{Region, RegionReading, read_endpoint, read_region, read_region_only};
use crate::domain::region_names::{
    BareRegion, Claim, ClaimQuery, RegionRanks, names_a_profile, names_a_region,
};
use crate::text::NodeId;

/// The settings of one scope that name a region.
#[derive(Debug, Clone)]
pub struct RegionScope {
    /// The kind of the scope.
    pub kind: ScopeKind,
    /// The keys around the settings, separated by dots.
    pub path: Box<str>,
    /// Whether a bare `region` is the region of Bedrock.
    pub bare: BareRegion,
    /// The settings, in order.
    pub settings: Vec<RegionSetting>,
    /// The keys of the texts of a later document of the file, separated by dots: it replaces an ID under one of them.
    pub replaced: HashSet<Box<str>>,
    /// Whether settings were omitted because there are too many.
    pub(super) is_full: bool,
}

/// The maximum number of settings of one scope. Each is compared with each ID in the scope, and so many regions differ.
const MOST_SETTINGS: usize = 64;

/// The kind of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// The flags and assignments of the command that has the ID, or of its script.
    Command,
    /// A mapping of a document.
    Mapping,
    /// The variables of a container, or a list of variables in a document.
    Variables,
    /// The keys of a ConfigMap.
    Data,
    /// A document of the same file that may override the document of the ID.
    OtherDocument,
}

/// A setting that names a region, or whose value should and does not.
#[derive(Clone)]
pub struct RegionSetting {
    /// The name, with the keys of its branch.
    pub name: Box<str>,
    /// The value.
    pub reading: RegionReading,
    /// Whether the value is an endpoint of Bedrock's runtime.
    pub is_endpoint: bool,
    /// The node of the branch of the scope that has the setting.
    pub branch: Option<NodeId>,
    /// Whether the setting may be that of another ID, or may not apply, so that it makes the claim [`Claim::Other`] at most.
    pub is_uncertain: bool,
}

/// Omits the region, because the whole value may be a secret.
impl std::fmt::Debug for RegionSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegionSetting")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The ID's own name, which the names of settings are compared with.
#[derive(Debug, Clone, Default)]
pub struct OwnName {
    /// The key, variable or flag of the ID.
    pub key: Option<Box<str>>,
    /// The keys around the ID and its own key, separated by dots.
    pub path: Box<str>,
}

impl RegionSetting {
    /// The setting of a name with this text; `None` if neither the name nor the text names a region.
    ///
    /// `extra_names` are names that set a region by a policy.
    pub fn of_text(name: &str, text: &str, extra_names: &[Box<str>]) -> Option<Self> {
        let reading = if is_expected(name, extra_names) {
            read_region(text)
        } else {
            read_region_only(text)
        };
        Self::of(name, extra_names, reading, read_endpoint(text))
    }

    /// The setting of a name whose value cannot be read; `None` if the name does not name a region.
    pub fn unreadable(name: &str, extra_names: &[Box<str>]) -> Option<Self> {
        Self::of(name, extra_names, Some(RegionReading::OutOfSight), None)
    }

    /// The setting that takes the place of those that are not compared: the region is out of sight.
    pub(super) fn out_of_sight() -> Self {
        Self {
            name: Box::default(),
            reading: RegionReading::OutOfSight,
            is_endpoint: true,
            branch: None,
            is_uncertain: false,
        }
    }

    /// The setting of a name, from the value as a region and as an endpoint.
    pub fn of(
        name: &str,
        extra_names: &[Box<str>],
        reading: Option<RegionReading>,
        endpoint: Option<RegionReading>,
    ) -> Option<Self> {
        let setting = |reading, is_endpoint| Self {
            name: name.into(),
            reading,
            is_endpoint,
            branch: None,
            is_uncertain: false,
        };
        let is_extra = extra_names.iter().any(|extra| **extra == *name);
        if let Some(endpoint) = endpoint.filter(|_| !is_extra) {
            return Some(setting(endpoint, true));
        }
        let reading = reading?;
        if matches!(reading, RegionReading::Region(_)) {
            return Some(setting(reading, false));
        }
        if !is_extra && !may_name_a_region(name) {
            return None;
        }
        let words = NameWords::of(name);
        if names_a_profile(&words) {
            return Some(setting(RegionReading::OutOfSight, false));
        }
        (is_extra || names_a_region(&words)).then(|| setting(reading, false))
    }

    /// The region, if the setting has one.
    pub fn region(&self) -> Option<Region> {
        match self.reading {
            RegionReading::Region(region) => Some(region),
            RegionReading::Conflict(..)
            | RegionReading::OutOfSight
            | RegionReading::NotARegion(_) => None,
        }
    }
}

impl RegionScope {
    /// A scope of settings without keys around them. Of too many settings, the region is out of sight.
    pub fn new(kind: ScopeKind, bare: BareRegion, settings: Vec<RegionSetting>) -> Self {
        let mut scope = Self {
            kind,
            path: Box::default(),
            bare,
            settings: Vec::new(),
            replaced: HashSet::new(),
            is_full: false,
        };
        scope.add(settings);
        scope
    }

    /// Adds settings. Of too many settings, the region is out of sight.
    pub fn add(&mut self, settings: Vec<RegionSetting>) {
        self.settings.extend(settings);
        if self.settings.len() > MOST_SETTINGS {
            self.settings = vec![RegionSetting::out_of_sight()];
            self.is_full = true;
        }
    }

    /// Whether settings were omitted because there are too many.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// The settings with their claims, without those of a branch and those that say nothing. `words` are those of the path of the
    /// ID's own name.
    pub(super) fn claims<'a, 'o>(
        &'a self,
        (own, words): (&'o OwnName, &'o NameWords<'o>),
        own_branch: Option<NodeId>,
        (policy, ranks): (&'o Policy, RegionRanks),
    ) -> impl Iterator<Item = (Claim, &'a RegionSetting)> {
        let is_replaced = self.replaced.contains(&own.path);
        self.settings
            .iter()
            .filter(move |setting| {
                !is_replaced && (own_branch.is_none() || setting.branch != own_branch)
            })
            .filter_map(move |setting| {
                let claim = self.claim(setting, (own, words), (policy, ranks))?;
                Some((claim, setting))
            })
    }

    fn claim(
        &self,
        setting: &RegionSetting,
        (own, own_words): (&OwnName, &NameWords<'_>),
        (policy, ranks): (&Policy, RegionRanks),
    ) -> Option<Claim> {
        let claim = ranks.claim(&ClaimQuery {
            name: &setting.name,
            words: &NameWords::of(&setting.name),
            path: &self.path,
            is_endpoint: setting.is_endpoint,
            bare: self.bare,
            own_key: own.key.as_deref(),
            own: own_words,
            extra_names: &policy.extra_env_names,
        })?;
        let claim = if setting.is_uncertain {
            Claim::Other
        } else {
            claim
        };
        // A name that gives no region is evidence only if its whole value is a region.
        (claim != Claim::Other || setting.region().is_some()).then_some(claim)
    }
}

/// Whether the value of a name should be a region, so that the regions nearest to another value are of use.
pub(super) fn is_expected(name: &str, extra_names: &[Box<str>]) -> bool {
    may_name_a_region(name) || extra_names.iter().any(|extra| **extra == *name)
}

/// Whether a name may be that of a region or a profile: a cheap test for the many names that are not.
pub(super) fn may_name_a_region(name: &str) -> bool {
    const WORDS: LetterWords<3> = LetterWords::new(["region", "profile", "credential"]);
    WORDS.are_in(name)
}
