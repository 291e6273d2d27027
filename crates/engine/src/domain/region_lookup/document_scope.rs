//! The settings of a mapping or a list in a document: its own, and those of the branches beside the branch with the ID.

use super::flags::settings_of_words;
use super::scope::{RegionScope, RegionSetting, ScopeKind};
use crate::domain::context_rules::{
    Sibling, SiblingValue, neighbours_in_list, neighbours_in_mapping,
};
use crate::domain::region_names::{BareRegion, names_bedrock};
use crate::domain::setting::SettingValue;
use crate::text::{Kind, NodeId, Tree};

/// The maximum depth of a branch beside the branch with the ID.
const DEEPEST: usize = 8;

/// The maximum length of the keys of a branch, in bytes. Each setting in the branch has them in its name; behind longer ones the region
/// is out of sight.
const LONGEST_NAME: usize = 1024;

/// The maximum number of nodes of the branches of one mapping.
pub const MOST_NODES: usize = 20_000;

/// What the settings of a document are compared with.
#[derive(Clone, Copy)]
pub struct ScopeQuery<'a> {
    /// Names that set a region by a policy.
    pub extra_names: &'a [Box<str>],
    /// Whether a text has a model ID.
    pub has_id: &'a dyn Fn(&str) -> bool,
    /// The keys around the mapping and its own key, separated by dots.
    pub path: &'a str,
}

/// The settings of a mapping of a document.
pub fn scope_of_mapping(
    tree: &Tree<'_>,
    mapping: NodeId,
    kind: ScopeKind,
    query: ScopeQuery<'_>,
) -> RegionScope {
    let mut walk = BranchWalk {
        tree,
        query,
        nodes: 0,
        settings: Vec::new(),
    };
    let mut is_bedrock = tree.key(mapping).is_some_and(names_bedrock);
    for child in tree.possible_children(mapping) {
        let Some(key) = tree.key(child) else { continue };
        let is_name = |text: &&str| !text.contains(['\n', '{', '=']);
        let text = tree.text(child).filter(is_name);
        is_bedrock |= names_bedrock(key) || text.is_some_and(names_bedrock);
        walk.top(key, child);
    }
    let bare = match kind {
        ScopeKind::Variables => BareRegion::None,
        _ if is_bedrock => BareRegion::All,
        ScopeKind::Mapping => BareRegion::RegionName,
        ScopeKind::Data | ScopeKind::Command | ScopeKind::OtherDocument => BareRegion::None,
    };
    RegionScope {
        path: query.path.into(),
        ..RegionScope::new(kind, bare, walk.settings)
    }
}

/// The settings of a list of variables, `{name, value}` or `NAME=value`.
pub fn scope_of_list(tree: &Tree<'_>, list: NodeId, query: ScopeQuery<'_>) -> RegionScope {
    let mut settings = Vec::new();
    add_list(tree, list, "", query.extra_names, &mut settings);
    RegionScope::new(ScopeKind::Variables, BareRegion::None, settings)
}

/// The settings of the words of a command in a document, where no variable is in sight.
pub fn scope_of_words(words: &[&str], extra_names: &[Box<str>]) -> RegionScope {
    let settings = settings_of_words(words);
    let settings = settings.iter().filter_map(|setting| match &setting.value {
        SettingValue::Text(text) => RegionSetting::of_text(&setting.name, text, extra_names),
        SettingValue::Variable { .. } | SettingValue::Unreadable => {
            RegionSetting::unreadable(&setting.name, extra_names)
        }
    });
    RegionScope::new(ScopeKind::Command, BareRegion::All, settings.collect())
}

/// Whether files use this key for the variables of a container.
pub fn names_variables(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    [
        "env",
        "envs",
        "envvars",
        "environment",
        "environmentvariables",
        "environment_variables",
    ]
    .iter()
    .any(|name| key.ends_with(name))
}

/// Whether a list has variables, `{name, value}` or `NAME=value`.
fn is_list_of_variables(tree: &Tree<'_>, list: NodeId) -> bool {
    let is_variable = |item: NodeId| match tree.text(item) {
        Some(text) => pair(text).is_some(),
        None => tree.get(item, "name").is_some() && tree.get(item, "value").is_some(),
    };
    tree.children(list).any(is_variable)
}

/// The name and the value of `NAME=value`.
pub fn pair(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let fits = !name.is_empty() && name.bytes().all(is_letter);
    fits.then_some((name, value))
}

fn add_list(
    tree: &Tree<'_>,
    list: NodeId,
    branch: &str,
    extra_names: &[Box<str>],
    settings: &mut Vec<RegionSetting>,
) {
    let name_in = |name: &str| format!("{branch}{name}");
    for sibling in neighbours_in_list(tree, list) {
        settings.extend(setting_of(&sibling, &name_in(sibling.name), extra_names));
    }
    for item in tree.children(list) {
        let Some((name, value)) = tree.text(item).and_then(pair) else {
            continue;
        };
        settings.extend(RegionSetting::of_text(&name_in(name), value, extra_names));
    }
}

fn setting_of(
    sibling: &Sibling<'_>,
    name: &str,
    extra_names: &[Box<str>],
) -> Option<RegionSetting> {
    match sibling.text() {
        SiblingValue::Text(text) => RegionSetting::of_text(name, text, extra_names),
        SiblingValue::Unknown => RegionSetting::unreadable(name, extra_names),
        SiblingValue::Structure => None,
    }
}

/// A walk over the branches of a mapping.
struct BranchWalk<'a, 't> {
    tree: &'a Tree<'t>,
    query: ScopeQuery<'a>,
    nodes: usize,
    settings: Vec<RegionSetting>,
}

impl BranchWalk<'_, '_> {
    /// Adds the setting or the branch under a key of the mapping.
    fn top(&mut self, key: &str, child: NodeId) {
        if let Some(text) = self.tree.text(child) {
            let setting = RegionSetting::of_text(key, text, self.query.extra_names);
            self.settings.extend(setting);
            return;
        }
        let before = self.settings.len();
        let is_environment = names_variables(key);
        self.branch(if is_environment { "env" } else { key }, child, 1);
        if self.settings.len() == before {
            return;
        }
        let texts = self.tree.strings(child);
        let mut texts = texts.filter_map(|node| self.tree.text(node));
        let has_id = texts.any(|text| (self.query.has_id)(text));
        for setting in &mut self.settings[before..] {
            setting.branch = Some(child);
            setting.is_uncertain |= has_id;
        }
    }

    /// Adds the settings of a branch, whose names start with its keys.
    fn branch(&mut self, name: &str, node: NodeId, depth: usize) {
        let tree = self.tree;
        if depth > DEEPEST {
            return;
        }
        if name.len() > LONGEST_NAME {
            self.settings.push(RegionSetting::out_of_sight());
            return;
        }
        if tree.kind(node) == Kind::Sequence {
            if is_list_of_variables(tree, node) {
                let extra_names = self.query.extra_names;
                let branch = format!("{name}.");
                add_list(tree, node, &branch, extra_names, &mut self.settings);
            }
            return;
        }
        for sibling in neighbours_in_mapping(tree, node) {
            self.nodes += 1;
            if self.nodes > MOST_NODES {
                return;
            }
            if !matches!(sibling.text(), SiblingValue::Structure) {
                let name = format!("{name}.{}", sibling.name);
                self.settings
                    .extend(setting_of(&sibling, &name, self.query.extra_names));
            }
        }
        for child in tree.possible_children(node) {
            // The variables of another process are in a branch of its own.
            if let Some(key) = tree.key(child)
                && tree.text(child).is_none()
                && !names_variables(key)
                && self.nodes <= MOST_NODES
            {
                self.branch(&format!("{name}.{key}"), child, depth + 1);
            }
        }
    }
}
