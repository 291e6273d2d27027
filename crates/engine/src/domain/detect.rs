//! Finds the model IDs in an object, without a decision on any of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use crate::budget::Budget;
use crate::text::NodeId;

use crate::domain::command::InCommand;
use crate::domain::environment::Environments;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::domain::region_lookup::DocumentRegions;
use crate::domain::site::{Location, TextSite, text_site};
use crate::domain::snapshot::Snapshot;
use crate::domain::syntax::{Syntax, TextContext, region_of_arn};
use crate::domain::tokens::{Form, Token, alias, tokens};

mod command;
mod document;
mod document_text;
mod endpoint_region;
mod flags;
mod named_settings;
mod references;
#[cfg(test)]
mod tests;
mod volumes;

use named_settings::NamedSettings;

/// The steps of work of a text with an ID: its context, and the rules.
const STEPS_PER_TEXT: usize = 32;

/// The memory of a finding at a location: its names are copied into the record of rewrites and into messages, and the keys around an ID
/// in a document, which have `path` bytes, into its pointer and its own name.
fn bytes_of_finding(location: Location<'_>, path: usize) -> usize {
    let names = match location {
        Location::Env {
            container,
            variable,
        } => container.len() + variable.key().len(),
        Location::Args { container } | Location::Command { container } => container.len(),
        Location::Handler { container, handler } => container.len() + handler.len(),
        Location::Data { key } => key.len(),
        Location::Volume { volume } => volume.len(),
        Location::Document => 0,
    };
    BYTES_PER_FINDING + 2 * names + 4 * path
}

/// The memory of a finding without names, in bytes.
const BYTES_PER_FINDING: usize = 1024;

/// The bytes of a text in which IDs are searched for one step.
const TEXT_PER_STEP: usize = 64;

/// The text around an ID that is searched for its syntax, in bytes.
const LONGEST_NEAR: usize = 8192;

/// One model ID at its place.
#[derive(Debug, Clone)]
pub struct Finding<'t> {
    /// The text.
    pub site: TextSite<'t>,
    /// The ID in it.
    pub subject: FindingSubject<'t>,
    /// Its syntax, or the reason from its syntax or context for no change.
    pub syntax: Result<Syntax, Reason>,
    /// The place inside a text that is itself a document.
    pub inner: Option<Inner>,
    /// Whether the ID is in the key of `site`, and its span is one of the key.
    pub is_key: bool,
    /// The regions that the document around the ID sets.
    pub nearby: DocumentRegions,
    /// The region of the foundation-model ARN, if the ID is the end of one.
    pub in_arn: Option<Region>,
    /// The command around the ID, or the command of the container whose variable has it.
    pub command: Option<InCommand>,
}

/// What a finding is about.
#[derive(Debug, Clone)]
pub enum FindingSubject<'t> {
    /// A model ID.
    Id {
        /// The ID, split into its parts.
        token: Token<'t>,
        /// The ID with its prefix, as written.
        text: &'t str,
    },
    /// A text that cannot be read and may contain an ID.
    Unread,
}

/// A place inside a text that is itself a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inner {
    /// RFC 6901 pointer to the scalar, or to the value of the key that has the ID.
    pub pointer: String,
    /// Byte range of the ID in that scalar's decoded text, or in the key.
    pub span: Range<usize>,
}

impl<'t> Finding<'t> {
    /// The finding of `token` in `text`, the text of `site`.
    pub(super) fn new(
        site: TextSite<'t>,
        text: &'t str,
        token: Token<'t>,
        syntax: Result<Syntax, Reason>,
    ) -> Self {
        let in_arn = match syntax {
            Err(Reason::InArn) => region_of_arn(text, &token),
            Ok(_) | Err(_) => None,
        };
        let text = &text[token.span.clone()];
        Self {
            in_arn,
            ..Self::about(FindingSubject::Id { token, text }, site, syntax)
        }
    }

    /// A finding for a text whose content is unknown, with the reason.
    pub(super) fn unread(site: TextSite<'t>, reason: Reason) -> Self {
        Self::about(FindingSubject::Unread, site, Err(reason))
    }

    fn about(
        subject: FindingSubject<'t>,
        site: TextSite<'t>,
        syntax: Result<Syntax, Reason>,
    ) -> Self {
        Self {
            site,
            subject,
            syntax,
            inner: None,
            is_key: false,
            nearby: DocumentRegions::default(),
            in_arn: None,
            command: None,
        }
    }

    /// The ID, split into its parts; `None` for a text that cannot be read.
    pub fn token(&self) -> Option<&Token<'t>> {
        match &self.subject {
            FindingSubject::Id { token, .. } => Some(token),
            FindingSubject::Unread => None,
        }
    }

    /// The ID with its prefix, as written; empty for a text that cannot be read.
    pub fn text(&self) -> &'t str {
        match self.subject {
            FindingSubject::Id { text, .. } => text,
            FindingSubject::Unread => "",
        }
    }

    /// The byte range of the ID in the text of the site; empty for a text that cannot be read.
    pub fn span(&self) -> &Range<usize> {
        self.token().map_or(&(0..0), |token| &token.span)
    }

    /// The form of the ID; `None` for a text that cannot be read.
    pub fn form(&self) -> Option<Form<'t>> {
        self.token().map(|token| token.form)
    }
}

/// All findings of `object`: those in its own texts, in document order, then those in the ConfigMaps that its containers refer
/// to, if references are followed. `environments` are the variables of the object's containers, which the context rules evaluate
/// too.
pub fn findings<'t>(
    object: &Object<'t>,
    environments: &Environments<'t, '_>,
    follow_references: bool,
    snapshot: &'t Snapshot,
    budget: &Budget,
) -> Vec<Finding<'t>> {
    let mut detector = Detector {
        object,
        environments,
        snapshot,
        budget,
        settings: BTreeMap::new(),
        commands: BTreeMap::new(),
        found: Vec::new(),
    };
    detector.own_texts();
    if follow_references {
        let mut referenced = references::findings(&mut detector);
        detector.found.append(&mut referenced);
    }
    detector.found
}

/// The strings of the object that contain a vendor or an alias, from one search over the bytes; `None` if a search over
/// bytes is not sufficient.
fn strings_with_hits(object: &Object<'_>, snapshot: &Snapshot) -> Option<Vec<NodeId>> {
    let tree = object.tree;
    let range = tree.raw(object.root);
    let bytes = &tree.source().as_bytes()[range.clone()];
    let hits = snapshot.hits_in_spelling(bytes, tree.has_numeric_escapes())?;
    let mut strings = tree.strings_at(hits.map(|hit| range.start + hit))?;
    // Each alias has a search of its own, so the hits are unordered.
    strings.sort_unstable();
    strings.dedup();
    Some(strings)
}

/// One walk over an object.
pub(super) struct Detector<'t, 'o> {
    object: &'o Object<'t>,
    environments: &'o Environments<'t, 'o>,
    snapshot: &'t Snapshot,
    budget: &'o Budget,
    /// The settings of the containers, or of the ConfigMap.
    settings: BTreeMap<Option<NodeId>, NamedSettings<'t>>,
    /// The commands of containers, probes and hooks, by the node of the container or of the list.
    commands: BTreeMap<NodeId, Rc<command::CommandElements<'t>>>,
    found: Vec<Finding<'t>>,
}

impl<'t> Detector<'t, '_> {
    /// Adds a finding, if the budget suffices. An exhausted budget makes the evaluation as a whole void.
    fn add(&mut self, finding: Finding<'t>) {
        let is_within = self.budget.spend_findings(1)
            && self
                .budget
                .spend_bytes(bytes_of_finding(finding.site.location, 0));
        if is_within {
            self.found.push(finding);
        }
    }

    /// Finds the IDs in the texts of the object itself.
    fn own_texts(&mut self) {
        let object = self.object;
        if matches!(
            object.kind,
            ObjectKind::Plain | ObjectKind::Secret | ObjectKind::Custom
        ) {
            return self.file();
        }
        let strings = strings_with_hits(object, self.snapshot)
            .unwrap_or_else(|| object.tree.strings(object.root).collect());
        for node in strings {
            self.string(node);
        }
    }

    /// The reason of the context rules for no change of a text, from its own name and the names beside it.
    pub(super) fn role(&mut self, site: &TextSite<'t>, text: &'t str) -> Option<Reason> {
        let around = self.around(site, text);
        self.object_role()
            .or_else(|| self.snapshot.context_rules.reason(&around))
    }

    /// The reason for no change of any text of the object.
    fn object_role(&self) -> Option<Reason> {
        if self.object.written_by_tool {
            return Some(Reason::WrittenByTool);
        }
        match self.object.kind {
            ObjectKind::Secret => Some(Reason::Secret),
            ObjectKind::Custom => Some(Reason::CustomResource),
            ObjectKind::Pod | ObjectKind::Template | ObjectKind::ConfigMap | ObjectKind::Plain => {
                None
            }
        }
    }

    fn string(&mut self, node: NodeId) {
        let tree = self.object.tree;
        let Some(text) = tree.text(node) else { return };
        if !self
            .budget
            .spend_steps(STEPS_PER_TEXT + text.len() / TEXT_PER_STEP)
        {
            return;
        }
        let named = alias(text, self.snapshot);
        let has_ids = self.snapshot.vendor_hits(text).next().is_some();
        if named.is_none() && !has_ids {
            return;
        }
        let Some(site) = text_site(self.object, node) else {
            return;
        };
        if let Some(token) = named {
            self.alias(site, text, token);
        }
        if !has_ids {
            return;
        }
        match site.location {
            Location::Args { .. } | Location::Command { .. } | Location::Handler { .. } => {
                self.element(site, node, text);
            }
            Location::Env { .. }
            | Location::Data { .. }
            | Location::Volume { .. }
            | Location::Document => {
                if !self.script_file(site, text) && !self.document(site, text) {
                    self.whole(site, text);
                }
            }
        }
    }

    /// A text that is an alias as a whole. Arguments are skipped: they have no name that identifies a model setting.
    fn alias(&mut self, site: TextSite<'t>, text: &'t str, token: Token<'t>) {
        if matches!(site.location, Location::Env { .. } | Location::Data { .. }) {
            let syntax = self.role(&site, text).map_or(Ok(Syntax::WHOLE), Err);
            self.add(Finding::new(site, text, token, syntax));
        }
    }

    /// The IDs in a text that is not a document.
    fn whole(&mut self, site: TextSite<'t>, text: &'t str) {
        let role = self.role(&site, text);
        let whole = TextContext::of(text, site.location.setting());
        let (used, command) = match (site.location, site.container) {
            (Location::Env { variable, .. }, Some(container)) => {
                let (used, command) = self.command_of_variable(container, variable.key(), text);
                (used, Some(command))
            }
            _ => (None, None),
        };
        for token in tokens(text, self.snapshot) {
            // The text near each ID is searched.
            let near = text.len().min(LONGEST_NEAR);
            if !self.budget.spend_steps(near / TEXT_PER_STEP) {
                return;
            }
            let syntax = match left_as_prose(site.location, syntax_of(&whole, &token)) {
                Err(Reason::RegionOutOfSight) => self
                    .region_of_endpoint(&site, text, &token)
                    .map(|region| Syntax {
                        region: Some(region),
                        ..Syntax::PART
                    })
                    .ok_or(Reason::RegionOutOfSight),
                syntax => syntax,
            };
            let syntax = match used {
                Some(reason) if syntax.is_ok() => Err(reason),
                _ => syntax,
            };
            self.add(Finding {
                command: command.clone(),
                ..Finding::new(site, text, token, first_of(syntax, role))
            });
        }
    }
}

/// The syntax of a token in its text.
fn syntax_of(whole: &TextContext<'_>, token: &Token<'_>) -> Result<Syntax, Reason> {
    match token.form {
        Form::Doubled => Err(Reason::DoublePrefix),
        Form::Direct | Form::Profiled(_) => whole.syntax(token),
        Form::Alias => Ok(Syntax::WHOLE),
    }
}

/// The reason of a token that no command changes.
fn syntax_before_command(token: &Token<'_>) -> Result<(), Reason> {
    match token.form {
        Form::Doubled => Err(Reason::DoublePrefix),
        Form::Direct | Form::Profiled(_) | Form::Alias => Ok(()),
    }
}

/// Chooses between the reason from the syntax and the reason from the context. A reason about the ID's own spelling comes
/// first, because it applies in any context. An ARN around the ID matters only for calls, and so comes after the context.
fn first_of(syntax: Result<Syntax, Reason>, role: Option<Reason>) -> Result<Syntax, Reason> {
    let own = matches!(
        syntax,
        Err(Reason::DoublePrefix | Reason::PercentEncoded | Reason::ProvisionedSuffix)
    );
    match role {
        Some(role) if !own => Err(role),
        _ => syntax,
    }
}

/// Replaces [`Reason::UnknownFormat`] by [`Reason::Prose`] in files that are written for people.
fn left_as_prose(location: Location<'_>, syntax: Result<Syntax, Reason>) -> Result<Syntax, Reason> {
    const FOR_PEOPLE: &[&str] = &["txt", "md", "rst", "adoc"];
    let Location::Data { key } = location else {
        return syntax;
    };
    let extension = Path::new(key).extension().and_then(OsStr::to_str);
    let for_people = extension.is_some_and(|extension| {
        FOR_PEOPLE
            .iter()
            .any(|one| extension.eq_ignore_ascii_case(one))
    });
    match syntax {
        Err(Reason::UnknownFormat) if for_people => Err(Reason::Prose),
        syntax => syntax,
    }
}
