//! IDs in documents: a file in a ConfigMap's value, JSON in a variable, a configuration file.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::text::{Format, Kind, NodeId, Tree, Unmappable};

use super::document_text::{documents, finding};
use super::{
    Detector, Finding, FindingSubject, Inner, STEPS_PER_TEXT, bytes_of_finding, first_of, syntax_of,
};
use crate::budget::Budget;
use crate::domain::context_rules::{MatchedNames, NameUses, variable};
use crate::domain::custom_kinds::{FieldRole, region_beside};
use crate::domain::object::{FileDocuments, Object};
use crate::domain::reason::Reason;
use crate::domain::region_lookup::{DocumentRegions, RegionScope, profiles_of};
use crate::domain::site::{Location, TextKind, TextSite, TextSource, text_site};
use crate::domain::snapshot::Snapshot;
use crate::domain::syntax::{Syntax, TextContext};
use crate::domain::tokens::{Form, Token, tokens};

mod base;
mod surroundings;

pub(super) use base::Base;
use base::format_of_variable;

/// Keys of lists whose items are the words of one command.
const COMMANDS: &[&str] = &["args", "command", "entrypoint", "cmd"];

/// The steps of work of a mapping around an ID, for the rules and for regions.
const STEPS_PER_LEVEL: usize = 4;

/// The length of a key up to which it costs as much as any, in bytes.
const LONGEST_USUAL_KEY: usize = 256;

impl<'t> Detector<'t, '_> {
    /// Finds the IDs in a configuration file or a custom resource, including its keys.
    pub(super) fn file(&mut self) {
        let tree = self.object.tree;
        // The other documents are read only for a document that may have an ID, because a file may have many.
        if !self.may_have_id(tree) {
            return;
        }
        let base = Base {
            role: self.object_role(),
            ..Base::default()
        };
        let is_definition = self.object.is_definition();
        let base = base.beside(self.object.documents, &self.extra_names(), self.budget);
        let mut walk = DocumentWalk::new(self, tree, base, None);
        let mut embedded = Vec::new();
        for node in tree.strings(self.object.root) {
            let text = tree.text(node).unwrap_or_default();
            let is_description = is_definition && tree.is_under(node, "description");
            if is_description || self.snapshot.vendor_hits(text).next().is_none() {
                continue;
            }
            let name = tree.key(node).unwrap_or_default();
            match documents(text, name, self.budget).filter(|_| tree.format() != Format::Lines) {
                Some(documents) => {
                    let base = walk.base_at(node).of_file(name, text, &documents);
                    embedded.push((node, documents, base));
                }
                None => walk.string(node),
            }
        }
        walk.keys(self.object.root);
        self.found.append(&mut walk.found);
        for (node, documents, base) in &embedded {
            if let Some(site) = text_site(self.object, *node) {
                self.embedded(site, documents, base);
            }
        }
    }

    /// Finds the IDs in a text that is a document; `false` if the text is not a document.
    pub(super) fn document(&mut self, site: TextSite<'t>, text: &'t str) -> bool {
        let name = match site.location {
            Location::Data { key } => key,
            Location::Env { .. } => match format_of_variable(text) {
                Some(extension) => extension,
                None => return false,
            },
            Location::Args { .. }
            | Location::Command { .. }
            | Location::Handler { .. }
            | Location::Volume { .. }
            | Location::Document => return false,
        };
        let Some(documents) = documents(text, name, self.budget) else {
            return false;
        };
        let mut base = Base {
            role: self.object_role(),
            ..Base::of(self.around(&site, text))
        };
        if let Location::Env { variable, .. } = site.location {
            base.region_path = variable.text().into_owned();
        }
        let base = base.of_file(name, text, &documents);
        self.embedded(site, &documents, &base);
        true
    }

    /// Finds the IDs in a part of a text that is a document; `false` if the part is not a document.
    pub(super) fn document_in(
        &mut self,
        site: TextSite<'t>,
        text: &'t str,
        span: Range<usize>,
        name: &str,
        base: &Base<'t>,
    ) -> bool {
        let Some(documents) = documents(&text[span.clone()], name, self.budget) else {
            return false;
        };
        self.embedded_at(site, (text, span.start), &documents, base);
        true
    }

    fn embedded(&mut self, site: TextSite<'t>, documents: &[Tree<'t>], base: &Base<'t>) {
        let text = documents.first().map_or("", |tree| tree.source());
        self.embedded_at(site, (text, 0), documents, base);
    }

    /// Finds the IDs in documents that start at an offset of the text of the site.
    fn embedded_at(
        &mut self,
        site: TextSite<'t>,
        (text, start): (&'t str, usize),
        documents: &[Tree<'t>],
        base: &Base<'t>,
    ) {
        let (profiles, extra_names) = (profiles_of(documents), self.extra_names());
        for (own, tree) in documents.iter().enumerate() {
            if !self.budget.spend_steps(STEPS_PER_TEXT) {
                return;
            }
            let documents = FileDocuments {
                trees: documents,
                own,
                profiles: &profiles,
            };
            let base = base.clone().beside(documents, &extra_names, self.budget);
            let mut walk = DocumentWalk::new(self, tree, base, Some(site));
            (walk.text, walk.start) = (text, start);
            for node in tree.strings(tree.root()) {
                walk.string(node);
            }
            walk.keys(tree.root());
            self.found.append(&mut walk.found);
        }
    }
}

impl Detector<'_, '_> {
    /// Whether a text or a key below the root of the object contains the name of a vendor.
    fn may_have_id(&self, tree: &Tree<'_>) -> bool {
        let has_vendor = |text: &str| self.snapshot.vendor_hits(text).next().is_some();
        let root = self.object.root;
        let mut texts = tree.strings(root).filter_map(|node| tree.text(node));
        let mut keys = tree.keyed(root).filter_map(|node| tree.key(node));
        texts.any(has_vendor) || keys.any(has_vendor)
    }

    /// The names that set a region by a policy.
    fn extra_names(&self) -> Vec<Box<str>> {
        let policies = self.snapshot.policies.iter();
        policies
            .flat_map(|policy| policy.extra_env_names.iter().cloned())
            .collect()
    }
}

/// One walk over a document: a file, or a document in a text of an object.
struct DocumentWalk<'t, 'o, 'x> {
    object: &'o Object<'t>,
    snapshot: &'t Snapshot,
    budget: &'o Budget,
    tree: &'x Tree<'t>,
    base: Base<'x>,
    /// The text of the object that contains the document; `None` if the document is the object itself.
    within: Option<TextSite<'t>>,
    /// The text of that site, and the offset at which the document starts.
    text: &'t str,
    start: usize,
    /// The context conditions and regions of mappings and lists of variables, by node.
    by_node: BTreeMap<NodeId, (Arc<MatchedNames<'x>>, Arc<RegionScope>)>,
    /// The regions of lists of words and pairs, by node.
    by_list: BTreeMap<NodeId, Arc<RegionScope>>,
    /// The ranges of the IDs of scalars that aliases share, by the start of the scalar.
    shared_places: BTreeMap<usize, Vec<Result<Range<usize>, Unmappable>>>,
    /// The names that set a region by a policy.
    extra_names: Vec<Box<str>>,
    /// The mappings that entries refer to by their names, such as credentials; read on demand.
    named: Option<BTreeMap<&'x str, Vec<NodeId>>>,
    /// Whether another field beside a field of Helm's part of a source names a region, by field.
    helm_conflicts: BTreeMap<NodeId, bool>,
    /// How the texts of the document use names.
    uses: OnceCell<NameUses<'x>>,
    found: Vec<Finding<'t>>,
}

impl<'t> DocumentWalk<'t, '_, 't> {
    /// The context of a document that is the text at `node`.
    fn base_at(&mut self, node: NodeId) -> Base<'t> {
        let (around, nearby) = self.around(node);
        let mut base = Base::of(around);
        base.role = self.role(node);
        base.levels = nearby.levels;
        base.region_path = nearby.own.path.into();
        base
    }
}

impl<'t, 'o, 'x> DocumentWalk<'t, 'o, 'x> {
    fn new(
        detector: &Detector<'t, 'o>,
        tree: &'x Tree<'t>,
        base: Base<'x>,
        within: Option<TextSite<'t>>,
    ) -> Self {
        Self {
            object: detector.object,
            snapshot: detector.snapshot,
            budget: detector.budget,
            tree,
            base,
            within,
            text: tree.source(),
            start: 0,
            by_node: BTreeMap::new(),
            by_list: BTreeMap::new(),
            shared_places: BTreeMap::new(),
            extra_names: detector.extra_names(),
            named: None,
            helm_conflicts: BTreeMap::new(),
            uses: OnceCell::new(),
            found: Vec::new(),
        }
    }

    /// Finds the IDs in one scalar.
    fn string(&mut self, node: NodeId) {
        let text = self.tree.text(node).unwrap_or_default();
        let tokens: Vec<_> = tokens(text, self.snapshot).collect();
        if tokens.is_empty() || !self.budget.spend_steps(STEPS_PER_TEXT * tokens.len()) {
            return;
        }
        if !self.budget.spend_steps(self.steps_of_keys(node)) {
            return;
        }
        let (around, nearby) = self.around(node);
        let levels = around.scopes.len() + nearby.levels.len();
        if !self.budget.spend_steps(levels * STEPS_PER_LEVEL) {
            return;
        }
        let role = self.role(node);
        let role = role.or_else(|| self.snapshot.context_rules.reason(&around));
        let (setting, listed) = self.setting(node);
        let whole = TextContext::of(text, setting);
        let places = self.places(node, &tokens);
        for (token, place) in tokens.iter().zip(places) {
            let syntax = match syntax_of(&whole, token) {
                // The context of a single line is unknown.
                Ok(_) if self.tree.format() == Format::Lines => Err(Reason::UnknownFormat),
                syntax => first_of(syntax, role),
            };
            let syntax = syntax.map(|syntax| Syntax {
                listed: syntax.listed || listed,
                ..syntax
            });
            self.push(node, token, place, syntax, nearby.clone());
        }
    }

    /// The reason for no change of a text, whatever is beside it: that of the document, unless the text is in a field of a custom
    /// resource that is evaluated as a file.
    fn role(&mut self, node: NodeId) -> Option<Reason> {
        match self.base.role {
            Some(Reason::CustomResource) if self.within.is_none() => {
                match self.object.role_in_custom_resource(node) {
                    FieldRole::Controller => Some(Reason::CustomResource),
                    FieldRole::File => None,
                    FieldRole::Helm(field) => self
                        .is_helm_conflict(field)
                        .then_some(Reason::RegionConflict),
                }
            }
            role => role,
        }
    }

    /// Whether another field of Helm's part of a source names a region.
    fn is_helm_conflict(&mut self, field: NodeId) -> bool {
        let object = self.object;
        let conflict = self.helm_conflicts.entry(field);
        *conflict.or_insert_with(|| region_beside(object.tree, field).is_some())
    }

    /// The steps of work of the keys around a node, whose words are compared with classes of names.
    fn steps_of_keys(&self, node: NodeId) -> usize {
        let tree = self.tree;
        let nodes = std::iter::successors(Some(node), |node| tree.parent(*node));
        let keys = nodes.filter_map(|node| tree.key(node));
        keys.map(|key| match key.len() {
            0..=LONGEST_USUAL_KEY => STEPS_PER_LEVEL,
            // Each class of names reads the words again.
            long => 4 * long,
        })
        .sum()
    }

    /// The ranges of the tokens of a scalar in the text of the object, in one call, which reads the scalar once.
    fn places(
        &mut self,
        node: NodeId,
        tokens: &[Token<'x>],
    ) -> Vec<Result<Range<usize>, Unmappable>> {
        let spans: Vec<_> = tokens.iter().map(|token| token.span.clone()).collect();
        if self.within.is_none() {
            return spans.into_iter().map(Ok).collect();
        }
        if !self.tree.is_shared(node) {
            return self.tree.locate_all(node, &spans);
        }
        // Aliases spell the scalar once.
        let places = self.shared_places.entry(self.tree.raw(node).start);
        let places = places.or_insert_with(|| self.tree.locate_all(node, &spans));
        places.clone()
    }

    /// Finds the IDs in keys. They are reported and never changed.
    fn keys(&mut self, root: NodeId) {
        let tree = self.tree;
        for node in tree.keyed(root) {
            let (Some(key), Some(raw)) = (tree.key(node), tree.raw_key(node)) else {
                continue;
            };
            for token in tokens(key, self.snapshot) {
                if !self.budget.spend_findings(1) {
                    return;
                }
                let reason = self.role(node).unwrap_or(Reason::MapKey);
                let span = token.span.clone();
                let found = if let Some(site) = self.within {
                    let start = self.start + raw.start;
                    let span = start + span.start..start + span.end;
                    finding(site, self.text, span, &token, Err(reason))
                } else {
                    let site = TextSite {
                        source: TextSource::Here(node),
                        location: Location::Document,
                        container: None,
                    };
                    finding(site, &tree.source()[raw.clone()], span, &token, Err(reason))
                };
                self.found.push(Finding {
                    inner: self.inner(node, &token),
                    is_key: self.within.is_none(),
                    ..found
                });
            }
        }
    }

    /// The place inside the document; `None` if the document is the object itself.
    fn inner(&self, node: NodeId, token: &Token<'_>) -> Option<Inner> {
        self.within.map(|_| Inner {
            pointer: self.tree.pointer(self.tree.root(), node),
            span: token.span.clone(),
        })
    }

    /// The kind of text of a scalar, and whether the scalar is an item of a list.
    fn setting(&self, node: NodeId) -> (TextKind, bool) {
        let tree = self.tree;
        if variable(tree, node).is_some() {
            return (TextKind::Env, false);
        }
        let list = tree
            .parent(node)
            .filter(|parent| tree.kind(*parent) == Kind::Sequence);
        match list {
            Some(list) if COMMANDS.iter().any(|name| tree.is_under(list, name)) => {
                (TextKind::Argument, false)
            }
            list => (TextKind::Data, list.is_some()),
        }
    }

    /// Adds the finding of a token, with its place in the text of the object.
    fn push(
        &mut self,
        node: NodeId,
        token: &Token<'x>,
        place: Result<Range<usize>, Unmappable>,
        syntax: Result<Syntax, Reason>,
        nearby: DocumentRegions,
    ) {
        let location = self.within.map_or(Location::Document, |site| site.location);
        let bytes = bytes_of_finding(location, nearby.own.path.len());
        if !self.budget.spend_findings(1) || !self.budget.spend_bytes(bytes) {
            return;
        }
        let inner = self.inner(node, token);
        let finding = match self.within {
            None => text_site(self.object, node).and_then(|site| {
                let text = self.object.tree.text(node)?;
                Some(finding(site, text, token.span.clone(), token, syntax))
            }),
            Some(site) => match place {
                Ok(span) => {
                    let span = self.start + span.start..self.start + span.end;
                    Some(finding(site, self.text, span, token, syntax))
                }
                Err(_) => self.unmappable(site, node, token),
            },
        };
        self.found.extend(finding.map(|finding| Finding {
            inner,
            nearby,
            ..finding
        }));
    }

    /// The finding of a token that is written with escapes or over several lines. Its text is the ID in the catalog.
    fn unmappable(
        &self,
        site: TextSite<'t>,
        node: NodeId,
        token: &Token<'_>,
    ) -> Option<Finding<'t>> {
        let text = self.snapshot.catalog.model(token.model?).id.as_str();
        let token = Token {
            span: self.tree.raw(node),
            form: Form::Direct,
            id: text,
            model: token.model,
            suffix: "",
        };
        let subject = FindingSubject::Id { token, text };
        Some(Finding::about(subject, site, Err(Reason::Unmappable)))
    }
}
