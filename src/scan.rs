//! From bytes to judged findings: every object of a text, judged one by one.
//!
//! Knows documents and Lists; who calls says where the bytes come from and what becomes of the findings.

pub mod files;

use jiff::civil::Date;

use crate::domain::judge::{Action, Context, Judged, Judgement, Verdict, judge};
use crate::domain::object::{Object, Sort};
use crate::domain::plan::Plan;
use crate::domain::snapshot::View;
use crate::report::{Circumstances, FindingRecord, ObjectReference, Source};
use crate::text::{Kind, NodeId, Splice, SyntaxError, Tree};

/// How texts are scanned.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    /// By what is judged.
    pub view: &'a View,
    /// The day that decides over dates of end of life.
    pub today: Date,
    /// The namespace of objects that state none.
    pub namespace: &'a str,
    /// Whether the texts are edited, or only read.
    pub edit: bool,
}

/// What one text holds.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Objects that were judged.
    pub objects: usize,
    /// Documents that are no objects of ours to judge.
    pub skipped: usize,
    /// Findings, in order.
    pub findings: Vec<FindingRecord>,
    /// What an edit changes.
    pub splices: Vec<Splice>,
    /// Documents that could not be read; the others were.
    pub errors: Vec<SyntaxError>,
}

/// In which syntax a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// One JSON document.
    Json,
    /// Any number of YAML documents.
    Yaml,
}

impl Scan<'_> {
    /// Judges every object of `text`, which `file` names in the findings.
    pub fn text(&self, text: &str, syntax: Syntax, file: &str) -> Scanned {
        let mut scanned = Scanned::default();
        let documents: Vec<_> = match syntax {
            Syntax::Json => vec![Tree::json(text)],
            Syntax::Yaml => Tree::yaml(text).collect(),
        };
        for (document, tree) in documents.into_iter().enumerate() {
            match tree {
                Ok(tree) => self.document(&tree, (file, document), &mut scanned),
                Err(error) => scanned.errors.push(error),
            }
        }
        scanned
    }

    fn document(&self, tree: &Tree<'_>, place: (&str, usize), scanned: &mut Scanned) {
        let root = tree.root();
        let is_list = tree
            .get(root, "kind")
            .and_then(|node| tree.text(node))
            .is_some_and(|kind| kind.ends_with("List"));
        match tree
            .get(root, "items")
            .filter(|node| is_list && tree.kind(*node) == Kind::Sequence)
        {
            Some(items) => tree
                .children(items)
                .for_each(|item| self.object(tree, item, place, scanned)),
            None if tree.kind(root) == Kind::Scalar && tree.text(root) == Some("") => {}
            None => self.object(tree, root, place, scanned),
        }
    }

    fn object(&self, tree: &Tree<'_>, root: NodeId, place: (&str, usize), scanned: &mut Scanned) {
        let object = Object::at(tree, root);
        if object.sort == Sort::Other {
            scanned.skipped += 1;
            return;
        }
        scanned.objects += 1;
        let stated = object
            .field(&["metadata", "namespace"])
            .filter(|name| !name.is_empty());
        let name = stated.unwrap_or(self.namespace);
        let namespace = self
            .view
            .namespace(name)
            .unwrap_or_else(|| crate::domain::policy::Namespace::named(name));
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
        let judgement = judge(&object, &context);
        let refused = match (&judgement.verdict, self.edit) {
            (Verdict::Rewrite(plan), true) => edits(tree, plan, scanned),
            _ => Vec::new(),
        };
        self.records(&object, &judgement, (place, name), &refused, scanned);
    }

    /// The records of a judgement; `refused` are the texts that an edit could not change.
    fn records(
        &self,
        object: &Object<'_>,
        judgement: &Judgement<'_>,
        (place, namespace): ((&str, usize), &str),
        refused: &[NodeId],
        scanned: &mut Scanned,
    ) {
        let decided = judgement.decided.iter().map(|decided| (decided, false));
        let shadows = judgement
            .shadows
            .iter()
            .map(|shadow| (shadow, judgement.decided.is_some()));
        for ((at, findings), shadow) in decided.chain(shadows) {
            for one in findings {
                let failed = refused.contains(&one.finding.leaf.node);
                let applied = self.edit && !shadow && !failed && one.resolution.target().is_some();
                let around = Circumstances {
                    snapshot: &self.view.snapshot,
                    policy: &self.view.snapshot.policies[*at],
                    today: self.today,
                    shadow,
                    applied,
                };
                let pointer = object.tree.pointer(object.root, one.finding.leaf.node);
                let mut record =
                    FindingRecord::new(one, pointer, Some(reference(object, namespace)), around);
                if failed && !shadow {
                    record.leave_unmappable(object.tree.is_shared(one.finding.leaf.node));
                }
                record.source = Some(source(object.tree, one, place));
                scanned.findings.push(record);
            }
        }
    }
}

/// Takes the splices of `plan`; returns the texts that cannot be spliced.
fn edits(tree: &Tree<'_>, plan: &Plan<'_>, scanned: &mut Scanned) -> Vec<NodeId> {
    let mut refused = Vec::new();
    let mut splices = Vec::new();
    for splice in plan.splices() {
        match splice {
            Ok((leaf, splice)) => splices.push((leaf, splice)),
            Err((leaf, _)) => refused.push(leaf),
        }
    }
    // An anchor whose uses would need different answers is left in all of them.
    let differs = |(_, one): &(NodeId, Splice)| {
        splices
            .iter()
            .any(|(_, other)| one.at == other.at && one.with != other.with)
    };
    let shared: Vec<NodeId> = splices
        .iter()
        .filter(|one| differs(one))
        .map(|(leaf, _)| *leaf)
        .collect();
    debug_assert!(
        shared.iter().all(|leaf| tree.is_shared(*leaf)),
        "only shared texts can be spliced twice"
    );
    scanned.splices.extend(
        splices
            .into_iter()
            .filter(|(leaf, _)| !shared.contains(leaf))
            .map(|(_, splice)| splice),
    );
    refused.extend(shared);
    refused
}

fn reference(object: &Object<'_>, namespace: &str) -> ObjectReference {
    let field = |way: &[&str]| object.field(way).unwrap_or_default().to_owned();
    let name = field(&["metadata", "name"]);
    ObjectReference {
        api_version: field(&["apiVersion"]),
        kind: field(&["kind"]),
        namespace: namespace.to_owned(),
        name: if name.is_empty() {
            field(&["metadata", "generateName"])
        } else {
            name
        },
    }
}

/// Where the ID stands in the file; where that is not certain, where its text does.
fn source(tree: &Tree<'_>, one: &Judged<'_>, (file, document): (&str, usize)) -> Source {
    let leaf = one.finding.leaf.node;
    let at = tree
        .locate(leaf, one.finding.token.span.clone())
        .unwrap_or_else(|_| tree.raw(leaf));
    let (line, column) = tree.line_column(at.start);
    Source {
        file: file.to_owned(),
        line,
        column,
        document,
    }
}
