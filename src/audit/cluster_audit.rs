//! One audit of a cluster, without I/O.
//!
//! [`ClusterAudit`] receives the objects item by item and keeps only findings, owners, and the ConfigMap values that other objects
//! may reference. The lists must arrive in this order: [`NAMESPACE`], [`CONFIG_MAP`], [`WORKLOADS`](crate::domain::kinds::WORKLOADS).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::budget::{Budget, Limits};
use crate::cluster::list::ListError;
use crate::domain::config_maps::{ConfigMap, ConfigMapIndex};
use crate::domain::judge::{Action, Context, JudgedFinding, Judgement, PolicyFindings, judge};
use crate::domain::kinds::{BuiltInKind, CONFIG_MAP, NAMESPACE};
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::{Mode, Namespace, Policy, Selector};
use crate::domain::view::{Namespaces, View};
use crate::report::{FindingRecord, ObjectReference, RecordContext};
use crate::text::Tree;

use super::coverage::{Coverage, Subject, last_changed};
use super::findings::{FindingStore, FindingTotals, ObjectFinding, StoredFinding};
use super::metadata::namespace_of;
use super::outdated_pods::OutdatedPod;
use super::owners::{ControllerReference, Owners, is_finished};

/// What an audit evaluates with.
#[derive(Debug, Clone)]
pub struct AuditInput {
    /// Policies, mappings and the cluster's region. Namespaces and ConfigMaps are replaced by the listed ones.
    pub view: View,
    /// The day that end-of-life dates are compared with.
    pub today: Date,
    /// Namespaces to skip.
    pub excluded: BTreeSet<String>,
    /// Which writes the webhook must have reviewed.
    pub coverage: Coverage,
    /// The labels of the objects to evaluate. Owners and references are followed to every object.
    pub objects: Selector,
    /// The maximum number of records to keep.
    pub max_records: usize,
    /// Whether to keep the Pods whose IDs a restart would change.
    pub keeps_outdated_pods: bool,
}

/// An audit in progress.
#[derive(Debug)]
pub struct ClusterAudit {
    input: AuditInput,
    namespaces: BTreeMap<Box<str>, Arc<Namespace>>,
    config_maps: ConfigMapIndex,
    owners: Owners,
    findings: FindingStore,
    outdated_pods: Vec<OutdatedPod>,
    counts: Counts,
    page: PendingPage,
    incomplete: Vec<IncompleteList>,
}

/// A list that could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("{resource}: {error}")]
pub struct IncompleteList {
    /// The plural name of the resource.
    pub resource: &'static str,
    /// The cause.
    pub error: Arc<ListError>,
}

/// The number of objects that an audit has processed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects that were evaluated.
    pub objects: usize,
    /// Of these, the objects that no policy selects, whose IDs are not found.
    pub unselected: usize,
    /// Objects that could not be parsed.
    pub unreadable: usize,
}

/// The result of an audit.
#[derive(Debug, Default)]
pub struct AuditResult {
    /// Processed objects.
    pub counts: Counts,
    /// The stored findings.
    pub findings: Vec<StoredFinding>,
    /// Counts of all findings.
    pub totals: FindingTotals,
    /// The Pods whose IDs a restart would change, if they are asked for.
    pub outdated_pods: Vec<OutdatedPod>,
    /// The lists that could not be read to their end.
    pub incomplete: Vec<IncompleteList>,
}

/// The results of the current page. A page that fails halfway is discarded and read again.
#[derive(Debug, Default)]
struct PendingPage {
    counts: Counts,
    findings: Vec<Vec<ObjectFinding>>,
    outdated_pods: Vec<OutdatedPod>,
}

/// What was found in an object.
#[derive(Debug, Default)]
struct Findings {
    of_object: Vec<ObjectFinding>,
    outdated_pod: Option<OutdatedPod>,
}

/// An object that is evaluated, and the object that its findings are attributed to.
struct Attribution<'a> {
    object: ObjectReference,
    uid: &'a str,
    owner: Option<ControllerReference>,
}

/// One evaluated ID of an object, under one policy.
struct Evaluated<'j, 't> {
    policy: &'t Policy,
    preview: bool,
    judged: &'j JudgedFinding<'t>,
}

impl AuditResult {
    /// Whether every list was read to its end.
    pub fn is_complete(&self) -> bool {
        self.incomplete.is_empty()
    }
}

impl ClusterAudit {
    /// Starts an audit.
    pub fn new(input: AuditInput) -> Self {
        Self {
            findings: FindingStore::new(input.max_records),
            namespaces: BTreeMap::new(),
            config_maps: ConfigMapIndex::of_all(),
            owners: Owners::default(),
            outdated_pods: Vec::new(),
            counts: Counts::default(),
            page: PendingPage::default(),
            incomplete: Vec::new(),
            input,
        }
    }

    /// Evaluates one item of a kind's list, as JSON.
    pub fn add(&mut self, kind: &'static BuiltInKind, text: &str) {
        let Ok(tree) = Tree::json(text) else {
            self.page.counts.unreadable += 1;
            return;
        };
        let object = Object::of_kind(&tree, tree.root(), kind.api_version, kind.kind);
        if *kind == NAMESPACE {
            return self.add_namespace(&object);
        }
        let namespace = object.field(&["metadata", "namespace"]).unwrap_or_default();
        if self.input.excluded.contains(namespace) {
            return;
        }
        self.owners.add(&object);
        if object.kind == ObjectKind::ConfigMap {
            let name = object.field(&["metadata", "name"]).unwrap_or_default();
            let map = ConfigMap::of(&object, &self.input.view.snapshot);
            self.config_maps.insert(namespace, name, map);
        }
        let label = |key: &str| object.field(&["metadata", "labels", key]);
        if is_finished(&object, kind.kind) || !self.input.objects.matches(label) {
            return;
        }
        self.page.counts.objects += 1;
        let is_config_map = object.kind == ObjectKind::ConfigMap;
        if !self.input.view.may_select(namespace, is_config_map) {
            self.page.counts.unselected += 1;
        }
        let findings = self.evaluate(kind, &object, namespace);
        self.page.outdated_pods.extend(findings.outdated_pod);
        if !findings.of_object.is_empty() {
            self.page.findings.push(findings.of_object);
        }
    }

    fn add_namespace(&mut self, object: &Object<'_>) {
        let namespace = namespace_of(object);
        let name = namespace.name.clone();
        let changed = &mut self.input.coverage.namespaces_changed;
        match last_changed(object) {
            Some(time) => drop(changed.insert(name.clone(), time)),
            None => drop(changed.remove(&name)),
        }
        self.namespaces.insert(name, Arc::new(namespace));
    }

    fn evaluate(
        &self,
        kind: &'static BuiltInKind,
        object: &Object<'_>,
        namespace: &str,
    ) -> Findings {
        let view = &self.input.view;
        let namespace = view
            .namespace(namespace)
            .unwrap_or_else(|| Namespace::named(namespace).into());
        let context = Context {
            view,
            namespace: &namespace,
            action: Action::Read,
            today: self.input.today,
            budget: &Budget::new(Limits::REVIEW),
        };
        let judgement = judge(object, &context);
        let mut evaluated = evaluated(&judgement).peekable();
        if evaluated.peek().is_none() {
            return Findings::default();
        }
        let attribution = Attribution {
            object: ObjectReference {
                api_version: kind.api_version.to_owned(),
                kind: kind.kind.to_owned(),
                namespace: namespace.name.to_string(),
                name: text_of(object, "name"),
            },
            uid: object.field(&["metadata", "uid"]).unwrap_or_default(),
            owner: self.owners.topmost(object),
        };
        let written = Subject {
            object,
            kind,
            namespace: &namespace,
        };
        let of_object: Vec<_> = evaluated
            .map(|one| self.finding(&written, &attribution, &one))
            .collect();
        let keeps = self.input.keeps_outdated_pods && object.kind == ObjectKind::Pod;
        let is_outdated = keeps && judgement.effective.as_ref().is_some_and(has_replaced_id);
        let outdated_pod = is_outdated.then(|| {
            let is_reviewed = self.input.coverage.reviews_creates(&written);
            OutdatedPod::of(object, attribution.owner, is_reviewed)
        });
        Findings {
            of_object,
            outdated_pod: outdated_pod.flatten(),
        }
    }

    fn finding(
        &self,
        subject: &Subject<'_, '_>,
        attribution: &Attribution<'_>,
        evaluated: &Evaluated<'_, '_>,
    ) -> ObjectFinding {
        let Evaluated {
            policy,
            preview,
            judged,
        } = *evaluated;
        let snapshot = &self.input.view.snapshot;
        let context = RecordContext {
            snapshot,
            policy,
            today: self.input.today,
            preview,
        };
        let (tree, root) = (subject.object.tree, subject.object.root);
        let pointer = tree.pointer(root, judged.finding.site.node());
        let mut record = FindingRecord {
            service_account: subject.object.service_account().map(str::to_owned),
            ..FindingRecord::new(judged, pointer, None, context)
        };
        if !preview {
            let coverage = &self.input.coverage;
            record.missed = coverage.missed(subject, policy, judged, &record);
        }
        ObjectFinding {
            location: judged.finding.site.location.to_string().into(),
            uid: attribute_to_owner(&mut record, attribution),
            record,
        }
    }

    /// Stores the results of the current page, which was read to its end.
    pub fn commit(&mut self) {
        let PendingPage {
            counts,
            findings,
            mut outdated_pods,
        } = std::mem::take(&mut self.page);
        self.outdated_pods.append(&mut outdated_pods);
        self.counts.objects += counts.objects;
        self.counts.unselected += counts.unselected;
        self.counts.unreadable += counts.unreadable;
        for of_object in findings {
            self.findings.add(of_object);
        }
    }

    /// Discards the results of the current page, which will be read again. Its owners and ConfigMaps stay: the next attempt
    /// delivers the same ones.
    pub fn abandon(&mut self) {
        self.page = PendingPage::default();
    }

    /// Ends the list of a kind.
    pub fn end_list(&mut self, kind: &BuiltInKind, outcome: Result<(), Arc<ListError>>) {
        if let Err(error) = outcome {
            let resource = kind.plural;
            self.incomplete.push(IncompleteList { resource, error });
        } else if *kind == NAMESPACE {
            let listed = std::mem::take(&mut self.namespaces);
            self.input.view.namespaces = Arc::new(Namespaces::Observed(listed));
        } else if *kind == CONFIG_MAP {
            let listed = std::mem::take(&mut self.config_maps);
            self.input.view.config_maps = Arc::new(listed);
        }
    }

    /// The number of objects processed so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Ends the audit.
    pub fn finish(self) -> AuditResult {
        let (findings, totals) = self.findings.finish();
        AuditResult {
            counts: self.counts,
            findings,
            totals,
            outdated_pods: self.outdated_pods,
            incomplete: self.incomplete,
        }
    }
}

/// Every evaluated ID: those of the effective policy first, then those of `DryRun` policies, which are previews where another
/// policy is effective.
fn evaluated<'j, 't>(judgement: &'j Judgement<'t>) -> impl Iterator<Item = Evaluated<'j, 't>> {
    let has_effective = judgement.effective.is_some();
    let effective = judgement.effective.iter().map(|one| (false, one));
    let previews = judgement.previews.iter();
    effective
        .chain(previews.map(move |one| (has_effective, one)))
        .flat_map(|(preview, under)| {
            under.findings.iter().map(move |judged| Evaluated {
                policy: under.policy,
                preview,
                judged,
            })
        })
}

/// Whether the webhook replaces an ID of such an object when it is created.
fn has_replaced_id(effective: &PolicyFindings<'_>) -> bool {
    let is_replaced =
        |one: &JudgedFinding<'_>| !one.report_only && one.resolution.target().is_some();
    effective.policy.mode == Mode::Rewrite && effective.findings.iter().any(is_replaced)
}

/// Attributes a record to the topmost owner of its object, and returns the UID of that owner.
fn attribute_to_owner(record: &mut FindingRecord, attribution: &Attribution<'_>) -> Box<str> {
    let object = attribution.object.clone();
    let Some(owner) = &attribution.owner else {
        record.object = Some(object);
        return attribution.uid.into();
    };
    record.object = Some(ObjectReference {
        api_version: owner.api_version.to_string(),
        kind: owner.kind.to_string(),
        namespace: object.namespace.clone(),
        name: owner.name.to_string(),
    });
    record.seen_in = Some(object);
    record.instances = 1;
    owner.uid.clone()
}

fn text_of(object: &Object<'_>, field: &str) -> String {
    let text = object.field(&["metadata", field]);
    text.unwrap_or_default().to_owned()
}
