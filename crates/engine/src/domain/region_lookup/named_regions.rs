//! The regions that the names of a container or of a ConfigMap set, read once for all of its findings.

use super::document_scope::{ScopeQuery, scope_of_mapping};
use super::flags::settings_of_words;
use super::scope::{RegionScope, RegionSetting, ScopeKind, is_expected};
use super::variables::Variables;
use crate::domain::environment::Environments;
use crate::domain::policy::Policy;
use crate::domain::region::{RegionReading, read_endpoint, read_region, read_region_only};
use crate::domain::region_names::BareRegion;
use crate::domain::setting::{Setting, SettingValue};
use crate::text::{NodeId, Tree};

/// The regions that the names of a container, or of a ConfigMap, set.
pub(super) struct NamedRegions<'t> {
    /// The settings: variables, or keys.
    pub(super) scope: RegionScope,
    /// The settings of a container with the flags of its command and arguments, if there are any.
    with_flags: Option<RegionScope>,
    /// The flags that are separate elements of the command and the arguments.
    flags: Vec<Setting<'t>>,
    /// Whether a Secret or an unobserved ConfigMap may set one of the names. Then the cluster's region is not used: it is a
    /// guess about Pods that set no region. The namespace annotation and the policy default are used, because their authors
    /// know the Secrets.
    pub(super) may_be_hidden: bool,
    /// The variables of a container.
    variables: Option<Variables<'t>>,
}

impl<'t> NamedRegions<'t> {
    pub(super) fn of_container(
        tree: &'t Tree<'t>,
        container: NodeId,
        policy: &Policy,
        environments: &Environments<'t, '_>,
    ) -> Self {
        let extra_names = &policy.extra_env_names;
        let variables = Variables::new(environments.of(container));
        let lists = ["command", "args"]
            .into_iter()
            .filter_map(|field| tree.get(container, field));
        let words: Vec<_> = lists
            .flat_map(|list| tree.children(list))
            .filter_map(|node| tree.text(node))
            .filter(|text| !text.trim().contains(char::is_whitespace))
            .collect();
        let settings = variables.settings(extra_names);
        let mut named = Self {
            scope: RegionScope::new(ScopeKind::Variables, BareRegion::None, settings),
            with_flags: None,
            flags: settings_of_words(&words),
            may_be_hidden: variables.may_hide_a_region(extra_names),
            variables: Some(variables),
        };
        let flags: Vec<_> = named.read(&named.flags, extra_names).collect();
        if !flags.is_empty() {
            let mut with_flags = named.scope.clone();
            with_flags.settings.extend(flags);
            named.with_flags = Some(with_flags);
        }
        named
    }

    pub(super) fn of_data(tree: &'t Tree<'t>, data: NodeId, policy: &Policy) -> Self {
        let query = ScopeQuery {
            extra_names: &policy.extra_env_names,
            has_id: &|_| false,
            path: "",
        };
        let scope = scope_of_mapping(tree, data, ScopeKind::Data, query);
        Self {
            with_flags: None,
            scope,
            flags: Vec::new(),
            may_be_hidden: false,
            variables: None,
        }
    }

    /// The settings for an ID that is in no command: those of the flags too.
    pub(super) fn with_flags(&self) -> &RegionScope {
        self.with_flags.as_ref().unwrap_or(&self.scope)
    }

    /// The settings of a command.
    pub(super) fn scope_of(
        &self,
        settings: &[Setting<'_>],
        extra_names: &[Box<str>],
    ) -> RegionScope {
        let settings = self.read(settings, extra_names).collect();
        RegionScope::new(ScopeKind::Command, BareRegion::All, settings)
    }

    /// Reads the values of settings, and follows `$(X)` and `$X` to the variables of the container.
    fn read<'a>(
        &'a self,
        settings: &'a [Setting<'_>],
        extra_names: &'a [Box<str>],
    ) -> impl Iterator<Item = RegionSetting> + 'a {
        settings.iter().filter_map(|setting| {
            let name = &*setting.name;
            let (reading, endpoint) = match &setting.value {
                SettingValue::Text(text) if is_expected(name, extra_names) => {
                    (self.reading(text), read_endpoint(text))
                }
                SettingValue::Text(text) if !text.contains("$(") => {
                    (read_region_only(text), read_endpoint(text))
                }
                SettingValue::Text(text) => (self.reading(text), read_endpoint(text)),
                SettingValue::Variable { name, default } => self.follow(name, default.as_deref()),
                SettingValue::Unreadable => (Some(RegionReading::OutOfSight), None),
            };
            RegionSetting::of(name, extra_names, reading, endpoint)
        })
    }

    fn reading(&self, text: &str) -> Option<RegionReading> {
        match &self.variables {
            Some(variables) => variables.read(text, None),
            None => read_region(text),
        }
    }

    /// The value of a shell's variable as a region and as an endpoint.
    fn follow(
        &self,
        name: &str,
        default: Option<&str>,
    ) -> (Option<RegionReading>, Option<RegionReading>) {
        let text = self
            .variables
            .as_ref()
            .and_then(|variables| variables.text(name))
            .filter(|text| !text.is_empty());
        match text.as_deref().or(default) {
            Some(text) => (read_region(text), read_endpoint(text)),
            None => (Some(RegionReading::OutOfSight), None),
        }
    }
}
