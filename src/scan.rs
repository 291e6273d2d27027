//! Files to findings, in up to three [`passes`]: the first collects namespaces, the second ConfigMaps, and the third evaluates every
//! object. [`prefilter`] names the files that need only the first.

use std::sync::Arc;

use jiff::civil::Date;

use crate::budget::{Budget, Limits};
use crate::domain::judge::{
    Action, Context, EndedModels, JudgedFinding, Judgement, drop_edits, judge, resolve_edits,
};
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::{Namespace, Policy, Selector};
use crate::domain::reason::Reason;
use crate::domain::resolve::Resolution;
use crate::domain::view::View;
use crate::domain::workload_role::{WorkloadRoles, workload_role};
use crate::report::severity::Severity;
use crate::report::{ExemptedBy, FindingRecord, ObjectReference, RecordContext};
use crate::text::{Format, Splice, Tree};

mod collected;
pub mod config_maps;
mod digest;
pub mod encoding;
pub mod exemptions;
mod facts;
pub mod files;
pub mod in_order;
pub mod input_file;
pub mod namespaces;
mod parsed;
mod parts;
pub mod passes;
pub mod path_globs;
mod position;
pub mod prefilter;
mod rendered;
mod selection;
mod source_file;
mod work;

pub use parsed::{FileFormat, OverriddenKeyPosition, ParsedFile};
pub use parts::PartStart;
pub use selection::{EvaluatedObjects, PolicySelection};

use exemptions::{ExemptionQuery, ExemptionRule, ExemptionUse, FileExemptions};
use position::{DocumentPosition, IdPositions, LineIndex};
use rendered::RenderedTemplates;

/// What files are evaluated with.
#[derive(Clone, Copy)]
pub struct Scan<'a> {
    /// Policies, mappings, namespaces and ConfigMaps.
    pub view: &'a View,
    /// The date to compare end-of-life dates with.
    pub today: Date,
    /// The namespace of objects that have none.
    pub namespace: &'a str,
    /// How the files are edited; `None` if they are only read.
    pub edit: Option<EndedModels>,
    /// The exemptions of the configuration.
    pub exemptions: &'a [ExemptionRule],
    /// The labels of the objects to evaluate; `None` for all. A file that is no object has no labels.
    pub selector: Option<&'a Selector>,
}

/// The findings of one file.
#[derive(Debug, Default)]
pub struct ScanResult {
    /// Number of evaluated objects.
    pub objects: usize,
    /// The findings, in the order of the file.
    pub findings: Vec<FindingRecord>,
    /// The edits of the file; empty unless it is edited.
    pub splices: Vec<Splice>,
    /// Number of findings that the edits replace.
    pub edited: usize,
    /// What the policies may select.
    pub evaluated: EvaluatedObjects,
    /// What the exemptions have done.
    pub exemptions: ExemptionUse,
    /// The roles of ServiceAccounts, by namespace and name.
    pub roles: WorkloadRoles,
}

impl ScanResult {
    fn count(&mut self, object: &Object<'_>, namespace: &str) {
        let is_evaluated = matches!(
            object.kind,
            ObjectKind::Pod | ObjectKind::Template | ObjectKind::ConfigMap
        );
        self.objects += usize::from(is_evaluated);
        self.evaluated.count(object, namespace);
        if let Some(role) = workload_role(object) {
            let of_object = || Box::from(namespace);
            let id = (
                role.namespace.unwrap_or_else(of_object),
                role.service_account,
            );
            self.roles.insert(id, role.role);
        }
    }

    /// Adds the findings of the next part of the file.
    fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.findings.extend(other.findings);
        self.splices.extend(other.splices);
        self.edited += other.edited;
        self.evaluated.add(other.evaluated);
        self.exemptions.add(other.exemptions);
        self.roles.extend(other.roles);
    }
}

/// An object of a file, with its namespace.
struct FileObject<'t> {
    object: Object<'t>,
    namespace: Arc<Namespace>,
    /// Whether it is to be evaluated.
    is_selected: bool,
}

impl Scan<'_> {
    /// Evaluates every object of a file.
    pub fn file(&self, file: &ParsedFile<'_>) -> ScanResult {
        let mut result = ScanResult::default();
        let start = file.start;
        let lines = LineIndex::new(file.text, start.lines);
        let templates = RenderedTemplates::of(file.text, start.lines);
        let mut exemptions = FileExemptions::of(file, self.exemptions, self.today);
        for index in 0..file.trees.len() {
            let position = DocumentPosition {
                file: file.name,
                index: start.documents + index,
                lines: &lines,
                templates: &templates,
            };
            self.document(
                file.objects_of(index),
                position,
                &mut exemptions,
                &mut result,
            );
        }
        result.exemptions.problems = exemptions.problems();
        for splice in &mut result.splices {
            splice.at.start += start.offset;
            splice.at.end += start.offset;
        }
        // The order of the file. Detection reports arguments before variables.
        result.findings.sort_by_key(|one| {
            let source = one.source.as_ref();
            source.map(|source| (source.document, source.line, source.column, one.preview))
        });
        result
    }

    /// What [`Scan::file`] counts in a file that has no findings.
    fn counts(&self, file: &ParsedFile<'_>) -> ScanResult {
        let mut result = ScanResult::default();
        for object in file.objects().filter(|one| self.selects(one)) {
            result.count(&object, self.namespace_name(&object));
        }
        let exemptions = FileExemptions::of(file, self.exemptions, self.today);
        result.exemptions.problems = exemptions.problems();
        result
    }

    fn document(
        &self,
        objects: Vec<Object<'_>>,
        position: DocumentPosition<'_>,
        exemptions: &mut FileExemptions<'_>,
        result: &mut ScanResult,
    ) {
        let objects: Vec<_> = objects
            .into_iter()
            .map(|object| {
                let namespace = self.namespace_of(&object);
                let is_selected = self.selects(&object);
                FileObject {
                    object,
                    namespace,
                    is_selected,
                }
            })
            .collect();
        let mut judgements: Vec<_> = objects
            .iter()
            .map(|one| self.evaluate(&one.object, &one.namespace))
            .collect();
        if let Some(first) = objects.first().filter(|_| self.edit.is_some()) {
            let tree = first.object.tree;
            // All are evaluated: one that is not selected may use the same YAML anchor.
            for (one, judgement) in objects.iter().zip(&mut judgements) {
                if one.is_selected {
                    drop_exempt_edits(tree, judgement, position, exemptions);
                } else {
                    drop_edits(judgement, |_| true);
                }
            }
            result.splices.extend(resolve_edits(tree, &mut judgements));
        }
        let evaluated = objects.iter().zip(&judgements);
        for (object, judgement) in evaluated.filter(|(one, _)| one.is_selected) {
            result.count(&object.object, &object.namespace.name);
            result.edited += judgement.findings().filter(|one| one.edited).count();
            let records = self.records(object, judgement, position, exemptions);
            if !records.is_empty() {
                let (namespace, ended) = (&object.namespace, &mut result.exemptions);
                ended.add_ended(&object.object, namespace, self.today);
            }
            let exempt = records.iter().filter_map(|one| one.exempt.as_ref());
            let by_comment = exempt.filter(|exemption| exemption.by == ExemptedBy::Comment);
            result.exemptions.by_comment += by_comment.count();
            result.findings.extend(records);
        }
    }

    /// The name of the namespace of an object: of its own or the default one.
    fn namespace_name<'o>(&'o self, object: &Object<'o>) -> &'o str {
        let own = object.field(&["metadata", "namespace"]);
        let own = own.filter(|name| !name.is_empty());
        own.unwrap_or(self.namespace)
    }

    /// The namespace of an object: its own or the default one, with the labels and annotations that the files give it.
    fn namespace_of(&self, object: &Object<'_>) -> Arc<Namespace> {
        let name = self.namespace_name(object);
        self.view
            .namespace(name)
            .unwrap_or_else(|| Namespace::named(name).into())
    }

    fn selects(&self, object: &Object<'_>) -> bool {
        let label = |key: &str| object.field(&["metadata", "labels", key]);
        self.selector.is_none_or(|selector| selector.matches(label))
    }

    fn evaluate<'t>(&'t self, object: &Object<'t>, namespace: &Namespace) -> Judgement<'t> {
        let context = Context {
            view: self.view,
            namespace,
            action: self.edit.map_or(Action::Read, Action::Edit),
            today: self.today,
            budget: &Budget::new(limits_of(object.kind)),
        };
        judge(object, &context)
    }

    /// The records of an object: those of the effective policy, then those of the `DryRun` policies.
    fn records(
        &self,
        object: &FileObject<'_>,
        judgement: &Judgement<'_>,
        position: DocumentPosition<'_>,
        exemptions: &mut FileExemptions<'_>,
    ) -> Vec<FindingRecord> {
        let positions = IdPositions::of(object.object.tree, judgement);
        let has_effective = judgement.effective.is_some();
        let effective = judgement.effective.iter().map(|under| (false, under));
        let dry_run = judgement.previews.iter();
        let dry_run = dry_run.map(|under| (has_effective, under));
        let mut records = Vec::new();
        for (preview, under) in effective.chain(dry_run) {
            for judged in &under.findings {
                let mut record = self.record(object, judged, under.policy, preview);
                record.source = Some(positions.source(judged, position));
                if !exemptions.is_empty() {
                    record.exempt = exemptions.find(&ExemptionQuery {
                        lines: positions.lines(judged, position),
                        reason: match record.note {
                            Some(_) => Some(Reason::EndOfLife),
                            None => record.listed_reason(),
                        },
                        is_right: record.severity() == Severity::Ok,
                        ids: [&record.before, &record.model_id],
                    });
                }
                records.push(record);
            }
        }
        records
    }

    fn record(
        &self,
        object: &FileObject<'_>,
        judged: &JudgedFinding<'_>,
        policy: &Policy,
        preview: bool,
    ) -> FindingRecord {
        let context = RecordContext {
            snapshot: &self.view.snapshot,
            policy,
            today: self.today,
            preview,
        };
        let FileObject {
            object, namespace, ..
        } = object;
        let tree = object.tree;
        // A line has no pointer, only a number.
        let pointer = match tree.format() {
            Format::Lines => String::new(),
            Format::Json | Format::Yaml | Format::Toml | Format::Properties | Format::Env => {
                tree.pointer(object.root, judged.finding.site.node())
            }
        };
        let is_kubernetes_object = object.kind != ObjectKind::Plain;
        let reference = is_kubernetes_object.then(|| reference(object, &namespace.name));
        FindingRecord {
            service_account: object.service_account().map(str::to_owned),
            ..FindingRecord::new(judged, pointer, reference, context)
        }
    }
}

/// Takes the changes of exempt IDs out of the plan of an object.
fn drop_exempt_edits(
    tree: &Tree<'_>,
    judgement: &mut Judgement<'_>,
    position: DocumentPosition<'_>,
    exemptions: &mut FileExemptions<'_>,
) {
    if exemptions.is_empty() {
        return;
    }
    let positions = IdPositions::of(tree, judgement);
    drop_edits(judgement, |judged| {
        // What an audit lists under a reason although the ID has a replacement.
        let has_ended = matches!(judged.resolution, Resolution::Rewrite { note: Some(_), .. });
        let query = ExemptionQuery {
            lines: positions.lines(judged, position),
            reason: has_ended.then_some(Reason::EndOfLife),
            is_right: false,
            ids: [judged.finding.text(), &judged.id],
        };
        exemptions.find(&query).is_some()
    });
}

/// The limits of an evaluation: an object of admission has those of a review, so that files and the webhook agree.
fn limits_of(kind: ObjectKind) -> Limits {
    match kind {
        ObjectKind::Pod | ObjectKind::Template | ObjectKind::ConfigMap => Limits::REVIEW,
        ObjectKind::Secret | ObjectKind::Custom | ObjectKind::Plain => Limits::FILE,
    }
}

/// An object of a file by name, in this namespace.
pub fn reference(object: &Object<'_>, namespace: &str) -> ObjectReference {
    let field = |path: &[&str]| object.field(path).unwrap_or_default().to_owned();
    ObjectReference {
        api_version: field(&["apiVersion"]),
        kind: field(&["kind"]),
        namespace: namespace.to_owned(),
        name: name(object).to_owned(),
    }
}

/// The name of an object, or its `generateName`.
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
