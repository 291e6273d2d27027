//! IDs in commands: the elements of `command` and `args`, probes and hooks, and the scripts of shells.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::document::Base;
use super::{Detector, Finding, STEPS_PER_TEXT, TEXT_PER_STEP, first_of, syntax_before_command};
use crate::budget::Budget;
use crate::domain::command::{
    ARGUMENTS_PER_STEP, ArgumentList, CommandReach, Element, EmbeddedText, InCommand,
    PlaceInCommand, ScriptCommands, is_shell_script, settings_in_value,
};
use crate::domain::context_rules::{NameScope, Sibling};
use crate::domain::object::Object;
use crate::domain::reason::Reason;
use crate::domain::setting::{Setting, SettingValue};
use crate::domain::site::{Location, TextSite};
use crate::domain::tokens::{Token, tokens};
use crate::text::shell::DollarSpelling;
use crate::text::{NodeId, Tree};

/// The maximum depth of scripts in scripts.
const DEEPEST_SCRIPT: usize = 3;

/// The command of a container, or of a probe or a hook.
pub(super) struct CommandElements<'t> {
    list: ArgumentList<'t>,
    indices: BTreeMap<NodeId, usize>,
    /// The script of the shell that the command starts.
    script: Option<&'t str>,
    /// The script as commands, read on demand.
    commands: OnceCell<ScriptCommands<'t>>,
    /// The settings of the command and of its script, collected on demand.
    reach: OnceCell<Arc<CommandReach>>,
}

/// The steps of work of a setting in reach of an ID: it is copied, and compared with the rules.
const STEPS_PER_SETTING: usize = 4;

/// The memory of an element of a command, in bytes.
const BYTES_PER_ELEMENT: usize = 160;

/// The maximum number of IDs in one script whose commands are compared with the context rules.
const MOST_IDS: usize = 256;

/// A part of a text that is a script.
struct ScriptText<'a, 't> {
    site: TextSite<'t>,
    /// The whole text of the site.
    text: &'t str,
    /// The range of the script.
    span: Range<usize>,
    dollar: DollarSpelling,
    /// The settings of the command that starts the script.
    outer: &'a Arc<CommandReach>,
    depth: usize,
}

impl<'t> CommandElements<'t> {
    /// The elements of the lists at these nodes, in order.
    ///
    /// There are no elements if the budget does not suffice for them.
    pub(super) fn of(
        tree: &'t Tree<'_>,
        lists: impl Iterator<Item = NodeId>,
        budget: &Budget,
    ) -> Self {
        let mut nodes: Vec<_> = lists.flat_map(|list| tree.children(list)).collect();
        if !budget.spend_bytes(nodes.len() * BYTES_PER_ELEMENT) {
            nodes = Vec::new();
        }
        let texts = nodes
            .iter()
            .map(|node| tree.text(*node).unwrap_or_default());
        let list = ArgumentList::new(texts.clone());
        let mut elements = texts.enumerate();
        let script = elements.find(|(at, _)| list.element(*at) == Element::Script);
        let script = script.map(|(_, text)| text);
        let indices = nodes
            .iter()
            .enumerate()
            .map(|(at, node)| (*node, at))
            .collect();
        Self {
            list,
            indices,
            script,
            commands: OnceCell::new(),
            reach: OnceCell::new(),
        }
    }

    /// The command of a container.
    fn of_container(object: &Object<'t>, container: NodeId, budget: &Budget) -> Self {
        let lists = ["command", "args"].into_iter();
        let lists = lists.filter_map(|field| object.tree.get(container, field));
        Self::of(object.tree, lists, budget)
    }

    /// The steps of work of an ID in an argument: the arguments are searched for the program.
    fn steps_per_id(&self) -> usize {
        self.indices.len() / ARGUMENTS_PER_STEP
    }

    /// The kind of the element at a node.
    pub(super) fn element(&self, node: NodeId) -> Element {
        self.indices
            .get(&node)
            .map_or(Element::Argument, |at| self.list.element(*at))
    }

    /// The places of tokens in the argument at a node; none if the node is no argument.
    pub(super) fn places<'a>(
        &'a self,
        node: NodeId,
        tokens: &'a [Token<'a>],
    ) -> impl Iterator<Item = PlaceInCommand> {
        let index = self.indices.get(&node).copied();
        index
            .into_iter()
            .flat_map(move |index| self.list.places(index, tokens))
    }

    /// The settings of the command, and those of its script.
    pub(super) fn reach(&self, budget: &Budget) -> &Arc<CommandReach> {
        self.reach.get_or_init(|| {
            let may_set = self.script.filter(|text| may_set_a_region(text));
            match may_set.and_then(|_| self.script(budget)) {
                None => Arc::clone(self.list.reach()),
                Some(script) => Arc::new(script.settings(budget)),
            }
        })
    }

    /// The script, if the command starts a shell.
    pub(super) fn script(&self, budget: &Budget) -> Option<&ScriptCommands<'t>> {
        let text = self.script?;
        let dollar = DollarSpelling::Escapable;
        let read = || ScriptCommands::new(text, dollar, self.list.reach(), budget);
        Some(self.commands.get_or_init(read))
    }
}

impl<'t> Detector<'t, '_> {
    /// The IDs in an element of a command.
    pub(super) fn element(&mut self, site: TextSite<'t>, node: NodeId, text: &'t str) {
        let found: Vec<_> = tokens(text, self.snapshot).collect();
        if found.is_empty() {
            return;
        }
        let elements = self.elements(&site, node);
        if elements.element(node) == Element::Script
            && let Some(script) = elements.script(self.budget)
        {
            let of = ScriptText {
                site,
                text,
                span: 0..text.len(),
                dollar: DollarSpelling::Escapable,
                outer: elements.list.reach(),
                depth: 0,
            };
            return self.commands_of(&of, script, found);
        }
        let role = self.role(&site, text);
        let mut is_paid = false;
        for (token, place) in found.iter().zip(elements.places(node, &found)) {
            // The word of the ID is read for each ID, and may be the whole argument.
            let steps = STEPS_PER_TEXT + text.len() / TEXT_PER_STEP + elements.steps_per_id();
            if !self.budget.spend_steps(steps) {
                return;
            }
            // All IDs of the argument share the settings.
            if !is_paid && !self.budget.spend_bytes(place.reach.bytes()) {
                return;
            }
            is_paid = true;
            self.add(of_place(site, text, token.clone(), place, role));
        }
    }

    /// The IDs in a value of a ConfigMap that is a shell script; `false` if the value is none.
    pub(super) fn script_file(&mut self, site: TextSite<'t>, text: &'t str) -> bool {
        let Location::Data { key } = site.location else {
            return false;
        };
        let is_script = is_shell_script(key, text);
        if is_script {
            self.script(&ScriptText {
                site,
                text,
                span: 0..text.len(),
                dollar: DollarSpelling::Plain,
                outer: &Arc::default(),
                depth: 0,
            });
        }
        is_script
    }

    /// The command that a text is an element of.
    fn elements(&mut self, site: &TextSite<'t>, node: NodeId) -> Rc<CommandElements<'t>> {
        let (object, budget) = (self.object, self.budget);
        let list = object.tree.parent(node).unwrap_or(node);
        let key = match site.location {
            Location::Handler { .. } => list,
            Location::Env { .. }
            | Location::Args { .. }
            | Location::Command { .. }
            | Location::Data { .. }
            | Location::Volume { .. }
            | Location::Document => site.container.unwrap_or(list),
        };
        let elements = self.commands.entry(key).or_insert_with(|| {
            Rc::new(if key == list {
                CommandElements::of(object.tree, std::iter::once(list), budget)
            } else {
                CommandElements::of_container(object, key, budget)
            })
        });
        Rc::clone(elements)
    }

    /// The command of the container of a variable.
    pub(super) fn command_of(&mut self, container: NodeId) -> Rc<CommandElements<'t>> {
        let (object, budget) = (self.object, self.budget);
        let read = || Rc::new(CommandElements::of_container(object, container, budget));
        let elements = self.commands.entry(container).or_insert_with(read);
        Rc::clone(elements)
    }

    /// The IDs in a script.
    fn script(&mut self, of: &ScriptText<'_, 't>) {
        let text = &of.text[of.span.clone()];
        let found: Vec<_> = tokens(text, self.snapshot).collect();
        if !found.is_empty() {
            let script = ScriptCommands::new(text, of.dollar, of.outer, self.budget);
            self.commands_of(of, &script, found);
        }
    }

    /// The IDs in the commands of a script.
    fn commands_of(
        &mut self,
        of: &ScriptText<'_, 't>,
        script: &ScriptCommands<'t>,
        found: Vec<Token<'t>>,
    ) {
        let ranges: Vec<_> = found.iter().map(|token| token.span.clone()).collect();
        let embedded = script.embedded(&ranges, self.budget);
        for inner in &embedded {
            self.inner(of, inner);
        }
        for (at, token) in found.into_iter().enumerate() {
            // The word of an ID may be the whole script.
            let steps = STEPS_PER_TEXT + embedded.len() + of.span.len() / TEXT_PER_STEP;
            if !self.budget.spend_steps(steps) {
                return;
            }
            let is_embedded = |one: &EmbeddedText<'_>| {
                one.span.start <= token.span.start && token.span.end <= one.span.end
            };
            if embedded.iter().any(is_embedded) {
                continue;
            }
            let place = script.place(&token, self.budget);
            let settings = place.reach.beside.len() + place.reach.before.len();
            if !self.budget.spend_steps(settings * STEPS_PER_SETTING)
                || !self.spend_reach(&place.reach)
            {
                return;
            }
            let role = if at < MOST_IDS {
                self.role_in_command(&of.site, of.text, &place)
            } else {
                Some(Reason::UnknownFormat)
            };
            let span = token.span.start + of.span.start..token.span.end + of.span.start;
            let token = Token { span, ..token };
            self.add(of_place(of.site, of.text, token, place, role));
        }
    }

    /// Spends the memory of settings that no other ID has.
    fn spend_reach(&self, reach: &Arc<CommandReach>) -> bool {
        Arc::strong_count(reach) > 1 || self.budget.spend_bytes(reach.bytes())
    }

    /// The reason of the context rules for an ID in a command of a script. The settings of the command are those of the ID's
    /// client; those of the script and of the container belong to every client.
    fn role_in_command(
        &mut self,
        site: &TextSite<'t>,
        text: &'t str,
        place: &PlaceInCommand,
    ) -> Option<Reason> {
        let reach = &*place.reach;
        let beside = reach.beside.iter().map(|one| (one, NameScope::Entry));
        let before = reach.before.iter().map(|one| (one, NameScope::Settings));
        let all = beside
            .chain(before)
            .map(|(one, scope)| (sibling(one), scope));
        let matched = self.snapshot.context_rules.matched_in(all);
        let mut around = self.around(site, text);
        around.own = place.own.as_deref();
        if reach.is_other_process {
            around.scopes.clear();
        }
        around.scopes.insert(0, Arc::new(matched));
        self.object_role()
            .or_else(|| self.snapshot.context_rules.reason(&around))
    }

    /// The IDs in a text inside a script.
    fn inner(&mut self, of: &ScriptText<'_, 't>, inner: &EmbeddedText<'_>) {
        let span = inner.range_in_text(of.span.start);
        let text = &of.text[span.clone()];
        let name = inner.name.as_deref().unwrap_or_default();
        let is_script = inner.is_script || is_shell_script(name, text);
        if is_script && of.depth < DEEPEST_SCRIPT {
            return self.script(&ScriptText {
                span,
                outer: &inner.reach,
                depth: of.depth + 1,
                ..*of
            });
        }
        let first = self.found.len();
        let base = Base::of(self.around(&of.site, of.text));
        if is_script || !self.document_in(of.site, of.text, span.clone(), name, &base) {
            for token in tokens(text, self.snapshot) {
                let at = token.span.start + span.start..token.span.end + span.start;
                let place = PlaceInCommand::in_unknown_text(&inner.reach);
                let token = Token { span: at, ..token };
                self.add(of_place(of.site, of.text, token, place, None));
            }
        }
        for finding in &mut self.found[first..] {
            finding.command.get_or_insert_with(|| InCommand {
                own: None,
                reach: Arc::clone(&inner.reach),
            });
        }
    }

    /// What the command of a container adds to an ID in a variable: the settings of its flags and scripts, and the reason of a
    /// script that uses the variable.
    pub(super) fn command_of_variable(
        &mut self,
        container: NodeId,
        name: &str,
        text: &str,
    ) -> (Option<Reason>, InCommand) {
        let elements = self.command_of(container);
        // The script is searched for each variable, and its settings are copied.
        let script = elements.script.map_or(0, str::len);
        let of_command = elements.reach(self.budget);
        let settings = of_command.beside.len() + of_command.before.len();
        let steps = script / TEXT_PER_STEP + settings * STEPS_PER_SETTING;
        if !self.budget.spend_steps(steps) || !self.budget.spend_bytes(of_command.bytes()) {
            let reach = Arc::default();
            return (None, InCommand { own: None, reach });
        }
        let mut reach = CommandReach {
            beside: settings_in_value(text),
            ..CommandReach::default()
        };
        reach
            .before
            .extend(of_command.beside.iter().chain(&of_command.before).cloned());
        let has_name =
            |text: &str| memchr::memmem::find(text.as_bytes(), name.as_bytes()).is_some();
        let uses_variable = elements.script.is_some_and(has_name);
        let script = uses_variable.then(|| elements.script(self.budget));
        let script = script.flatten();
        let reason = script.and_then(|script| script.reason_of_uses(name));
        let in_command = InCommand {
            own: None,
            reach: Arc::new(reach),
        };
        (reason, in_command)
    }
}

/// A setting of a command for the context rules.
fn sibling<'a>(setting: &'a Setting<'static>) -> Sibling<'a> {
    match &setting.value {
        SettingValue::Text(text) => Sibling::with_text(&setting.name, text),
        SettingValue::Variable { .. } | SettingValue::Unreadable => Sibling::unknown(&setting.name),
    }
}

/// Whether a script may have a setting of a region, so that it has to be read.
fn may_set_a_region(text: &str) -> bool {
    let text = text.as_bytes();
    // A `g` is rarer than the other letters of the word.
    let is_region = |at: usize| {
        let word = at
            .checked_sub(2)
            .and_then(|start| text.get(start..start + 6));
        word.is_some_and(|word| word.eq_ignore_ascii_case(b"region"))
    };
    memchr::memchr2_iter(b'g', b'G', text).any(is_region)
        || memchr::memmem::find(text, b"bedrock-runtime").is_some()
}

/// The finding of a token in a command.
fn of_place<'t>(
    site: TextSite<'t>,
    text: &'t str,
    token: Token<'t>,
    place: PlaceInCommand,
    role: Option<Reason>,
) -> Finding<'t> {
    let syntax = first_of(syntax_before_command(&token).and(place.syntax), role);
    Finding {
        command: Some(InCommand {
            own: place.own,
            reach: place.reach,
        }),
        ..Finding::new(site, text, token, syntax)
    }
}
