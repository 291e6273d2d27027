//! From bytes to judged findings: every object of a text, judged one by one.
//!
//! Knows documents and Lists; who calls says where the bytes come from and what becomes of the findings.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;

use crate::domain::judge::{Action, Context, Judged, Judgement, judge, settle_edits};
use crate::domain::object::{Object, Sort};
use crate::domain::policy::{Namespace, Policy};
use crate::domain::view::View;
use crate::report::{Circumstances, FindingRecord, ObjectReference, Source};
use crate::text::{Format, Kind, NodeId, Splice, SyntaxError, Tree};

pub mod files;
pub mod namespaces;
pub mod references;

/// How texts are scanned.
#[derive(Clone, Copy)]
pub struct Scan<'v> {
    /// By what is judged.
    pub view: &'v View,
    /// The day that decides over dates of end of life.
    pub today: Date,
    /// The namespace of objects that state none.
    pub namespace: &'v str,
    /// Whether the texts are edited, or only read.
    pub edit: bool,
}

/// What one text holds.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Objects that were judged.
    pub objects: usize,
    /// Findings, in order.
    pub findings: Vec<FindingRecord>,
    /// What an edit changes.
    pub splices: Vec<Splice>,
    /// Why documents were read by their lines alone.
    pub unread: Vec<SyntaxError>,
}

/// In which syntax a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// One JSON document.
    Json,
    /// Any number of YAML documents, which may be templates.
    Yaml,
    /// A configuration file, by its name or content.
    Other,
}

impl<'v> Scan<'v> {
    /// Judges every object of `text`, which `file` names in the findings.
    pub fn text(&self, text: &str, syntax: Syntax, file: &str) -> Scanned {
        let mut scanned = Scanned::default();
        let lines = Lines::of(text);
        let (trees, unread) = trees(text, syntax, file);
        for (document, tree) in trees.iter().enumerate() {
            let place = Place {
                file,
                document,
                lines: &lines,
            };
            self.document(tree, place, &mut scanned);
        }
        scanned.unread = unread;
        // As one reads the file; the walk looks at arguments before variables.
        scanned.findings.sort_by_key(|one| {
            let source = one.source.as_ref();
            source.map(|source| (source.document, source.line, source.column, one.shadow))
        });
        scanned
    }

    fn document(&self, tree: &Tree<'_>, place: Place<'_>, scanned: &mut Scanned) {
        let (mut judged, mut judgements) = (Vec::new(), Vec::new());
        for root in objects(tree) {
            let object = Object::at(tree, root);
            let is_ours = matches!(object.sort, Sort::Pod | Sort::Template | Sort::ConfigMap);
            scanned.objects += usize::from(is_ours);
            let (namespace, judgement) = self.judged(&object);
            judged.push((object, namespace));
            judgements.push(judgement);
        }
        if self.edit {
            scanned.splices.extend(settle_edits(tree, &mut judgements));
        }
        for ((object, namespace), judgement) in judged.iter().zip(&judgements) {
            let told = Told {
                object,
                namespace: &namespace.name,
                place,
            };
            self.records(&told, judgement, scanned);
        }
    }

    /// Judges an object, and says in which namespace.
    fn judged<'t>(&self, object: &Object<'t>) -> (Arc<Namespace>, Judgement<'t>)
    where
        'v: 't,
    {
        let stated = object
            .field(&["metadata", "namespace"])
            .filter(|name| !name.is_empty());
        let name = stated.unwrap_or(self.namespace);
        let namespace = self
            .view
            .namespace(name)
            .unwrap_or_else(|| Namespace::named(name).into());
        let action = if self.edit {
            Action::Edit
        } else {
            Action::Read
        };
        let context = Context {
            view: self.view,
            namespace: &namespace,
            action,
            today: self.today,
        };
        let judgement = judge(object, &context);
        (namespace, judgement)
    }

    /// The records of a judgement.
    fn records(&self, told: &Told<'_, '_>, judgement: &Judgement<'_>, scanned: &mut Scanned) {
        let places = places(told.object.tree, judgement);
        let effective = judgement.effective.iter().map(|under| (false, under));
        let shadow = judgement.effective.is_some();
        let previews = judgement.previews.iter().map(|under| (shadow, under));
        for (shadow, under) in effective.chain(previews) {
            let findings = under.findings.iter();
            let records =
                findings.map(|one| self.sourced(told, one, under.policy, shadow, &places));
            scanned.findings.extend(records);
        }
    }

    /// The record of a finding, which stands in `object` of `namespace`.
    fn record(
        &self,
        (object, reference): (&Object<'_>, Option<ObjectReference>),
        one: &Judged<'_>,
        policy: &Policy,
        shadow: bool,
    ) -> FindingRecord {
        let around = Circumstances {
            snapshot: &self.view.snapshot,
            policy,
            today: self.today,
            shadow,
            applied: one.edited,
        };
        let tree = object.tree;
        // A line has no place but its number.
        let pointer = match tree.format() {
            Format::Lines => String::new(),
            Format::Json | Format::Yaml | Format::Toml | Format::Properties | Format::Env => {
                tree.pointer(object.root, one.finding.leaf.node())
            }
        };
        FindingRecord::new(one, pointer, reference, around)
    }

    /// The record of a finding in a file.
    fn sourced(
        &self,
        told: &Told<'_, '_>,
        one: &Judged<'_>,
        policy: &Policy,
        shadow: bool,
        places: &Places,
    ) -> FindingRecord {
        let is_object = told.object.sort != Sort::Plain;
        let reference = is_object.then(|| reference(told.object, told.namespace));
        let mut record = self.record((told.object, reference), one, policy, shadow);
        record.source = Some(source(told.object.tree, one, told.place, places));
        record
    }
}

/// The documents of a text; what cannot be read as one is there by its lines, with why.
fn trees<'t>(text: &'t str, syntax: Syntax, name: &str) -> (Vec<Tree<'t>>, Vec<SyntaxError>) {
    let read = match syntax {
        Syntax::Json => vec![Tree::json_file(text)],
        Syntax::Yaml => Tree::yaml_template(text),
        Syntax::Other => return (Tree::embedded(text, name), Vec::new()),
    };
    let (mut trees, mut unread) = (Vec::new(), Vec::new());
    for tree in read {
        match tree {
            Ok(tree) => trees.push(tree),
            Err(error) => unread.push(error),
        }
    }
    if !unread.is_empty() {
        trees.push(Tree::other_lines(text, &trees));
    }
    (trees, unread)
}

/// The objects of a document: the items of a List, else the document, unless it is empty.
fn objects(tree: &Tree<'_>) -> Vec<NodeId> {
    let root = tree.root();
    let is_list = tree
        .get(root, "kind")
        .and_then(|node| tree.text(node))
        .is_some_and(|kind| kind.ends_with("List"));
    let items = tree
        .get(root, "items")
        .filter(|node| is_list && tree.kind(*node) == Kind::Sequence);
    match items {
        Some(items) => tree.children(items).collect(),
        None if tree.kind(root) == Kind::Scalar && tree.text(root) == Some("") => Vec::new(),
        None => vec![root],
    }
}

/// A document of a file.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a str,
    document: usize,
    lines: &'a Lines<'a>,
}

/// The object that records speak of.
struct Told<'a, 't> {
    object: &'a Object<'t>,
    namespace: &'a str,
    place: Place<'a>,
}

/// Where the lines of a text start, so that thousands of findings do not each count them again.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1));
        Self {
            text,
            starts: starts.collect(),
        }
    }

    /// Line, and column in characters, of an offset in bytes; both from 1.
    fn at(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = &self.text[start..self.text.floor_char_boundary(offset)];
        (line, before.chars().count() + 1)
    }
}

fn reference(object: &Object<'_>, namespace: &str) -> ObjectReference {
    let field = |way: &[&str]| object.field(way).unwrap_or_default().to_owned();
    ObjectReference {
        api_version: field(&["apiVersion"]),
        kind: field(&["kind"]),
        namespace: namespace.to_owned(),
        name: name(object).to_owned(),
    }
}

/// The name of an object, or the one to be generated with its hyphen.
fn name<'t>(object: &Object<'t>) -> &'t str {
    let field = |name| {
        object
            .field(&["metadata", name])
            .filter(|text| !text.is_empty())
    };
    field("name")
        .or_else(|| field("generateName"))
        .unwrap_or_default()
}

/// Where IDs stand in the file, by their texts and by where they begin in them.
type Places = BTreeMap<(NodeId, usize), Range<usize>>;

/// The places of all findings, those of one text together: each alone would read it again.
fn places(tree: &Tree<'_>, judgement: &Judgement<'_>) -> Places {
    let mut spans: BTreeMap<NodeId, Vec<Range<usize>>> = BTreeMap::new();
    for one in judgement.findings() {
        let spans = spans.entry(one.finding.leaf.node()).or_default();
        spans.push(one.finding.token.span.clone());
    }
    let mut places = Places::new();
    for (leaf, spans) in spans {
        let located = tree.locate_all(leaf, &spans).into_iter().zip(&spans);
        places.extend(located.filter_map(|(at, span)| Some(((leaf, span.start), at.ok()?))));
    }
    places
}

/// Where the ID stands in the file; where that is not certain, where its text does.
fn source(tree: &Tree<'_>, one: &Judged<'_>, place: Place<'_>, places: &Places) -> Source {
    let leaf = one.finding.leaf.node();
    let key = tree.raw_key(leaf).filter(|_| one.finding.is_key);
    let at = key.unwrap_or_else(|| {
        let located = places.get(&(leaf, one.finding.token.span.start));
        located.cloned().unwrap_or_else(|| tree.raw(leaf))
    });
    let (line, column) = place.lines.at(at.start);
    Source {
        file: place.file.to_owned(),
        line,
        column,
        document: place.document,
    }
}
