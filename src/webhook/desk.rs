//! The desk: one review in, one answer out. Reads the review, asks the domain, renders, counts and logs.
//!
//! Makes no call to anybody and writes nothing: `sideEffects: None` is literally true.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use jiff::civil::Date;

use crate::domain::judge::{Action, Context, Judgement, PolicyFindings, Verdict, judge};
use crate::domain::object::{Object, Sort};
use crate::domain::resolve::Resolution;
use crate::domain::view::View;
use crate::runtime::published::{Changes, Published};
use crate::text::{Kind, NodeId, Tree};

use super::answer::{self, Speaker};
use super::metrics::Families;
use super::review::{Answer, Envelope, Operation, Review, ReviewError};

mod awaiting;

pub use awaiting::{Awaited, Patience};

/// Answers reviews. Shared by all connections.
pub struct Desk {
    view: Arc<Published<Option<View>>>,
    families: Families,
    /// Namespaces that are never judged, whatever the webhook configuration selects.
    excluded: BTreeSet<Box<str>>,
    today: Box<dyn Fn() -> Date + Send + Sync>,
}

/// Which entry of ours is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The mutating one: Pods, ephemeral containers, ConfigMaps.
    Mutate,
    /// The validating one, which cannot patch: workload templates.
    Validate,
}

/// Why a review gets no answer of ours, so that the failure policy decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It is none that can be answered.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// Its object is not JSON as the API server writes it.
    #[error(
        "the object of the review is not JSON as the API server writes it (byte {0}); send it unchanged"
    )]
    Object(usize),
    /// What its answer rests on has not arrived.
    #[error("{0} has not been seen yet; the API server may ask again")]
    Awaits(Awaited),
}

/// What is counted of a review.
#[derive(Clone, Copy)]
struct Subject {
    kind: &'static str,
    operation: &'static str,
    dry_run: bool,
}

/// Resources of workload templates and their kinds.
const TEMPLATES: &[(&str, &str)] = &[
    ("deployments", "Deployment"),
    ("statefulsets", "StatefulSet"),
    ("daemonsets", "DaemonSet"),
    ("replicasets", "ReplicaSet"),
    ("replicationcontrollers", "ReplicationController"),
    ("jobs", "Job"),
    ("cronjobs", "CronJob"),
    ("podtemplates", "PodTemplate"),
];

/// How many changes a log line spells out; it says beside how many findings there are.
const MOST_LOGGED: usize = 20;

/// Code of a refusal: a rule of somebody's policy.
const FORBIDDEN: u16 = 403;

impl Desk {
    /// A desk that reads `view` anew for each review.
    pub fn new(
        view: Arc<Published<Option<View>>>,
        families: Families,
        excluded: BTreeSet<Box<str>>,
        today: impl Fn() -> Date + Send + Sync + 'static,
    ) -> Self {
        Self {
            view,
            families,
            excluded,
            today: Box::new(today),
        }
    }

    /// Answers one review; the bytes are those of a response `AdmissionReview`. What it awaits, [`Desk::subscribe`] may bring.
    pub fn answer(&self, door: Door, body: &[u8], patience: Patience) -> Result<Bytes, NoAnswer> {
        let started = Instant::now();
        let answer = self.reviewed(door, body, patience);
        self.families
            .duration
            .observe(started.elapsed().as_secs_f64());
        answer
    }

    /// Views that come after this call.
    pub fn subscribe(&self) -> Changes {
        self.view.subscribe()
    }

    fn reviewed(&self, door: Door, body: &[u8], patience: Patience) -> Result<Bytes, NoAnswer> {
        let view = self.view.load();
        let view = Option::as_ref(&view).ok_or(NoAnswer::Awaits(Awaited::View))?;
        if !view.snapshot.can_hold_an_id(body) {
            let envelope = Envelope::read(body)?;
            if !view.can_take_an_id(body, &envelope.namespace) {
                return Ok(self.untouched(&envelope, says_dry_run(body)));
            }
        }
        let (tree, envelope) = read(body)?;
        let request = Request::of(&tree, envelope);
        let envelope = &request.envelope;
        let excluded = self.excluded.contains(&*envelope.namespace);
        let Some(object) = request
            .object
            .filter(|_| !excluded)
            .map(|node| Object::at(&tree, node))
        else {
            return Ok(self.untouched(envelope, request.dry_run));
        };
        let old = request.old_object.map(|node| Object::at(&tree, node));
        let Some(action) = action(door, envelope, object.sort, old.as_ref()) else {
            return Ok(self.untouched(envelope, request.dry_run));
        };
        let namespace = view
            .namespace(&envelope.namespace)
            .ok_or(NoAnswer::Awaits(Awaited::Namespace))?;
        if patience == Patience::Some && matches!(action, Action::CreatePod) {
            awaiting::put_off(view, &object, &namespace)?;
        }
        let today = (self.today)();
        let context = Context {
            view,
            namespace: &namespace,
            action,
            today,
        };
        let judgement = judge(&object, &context);
        let speaker = Speaker {
            snapshot: &view.snapshot,
            today,
            creating_pod: matches!(action, Action::CreatePod),
        };
        Ok(self.said(&request, &object, &judgement, speaker))
    }

    fn untouched(&self, envelope: &Envelope<'_>, dry_run: bool) -> Bytes {
        let Subject {
            kind, operation, ..
        } = Subject::of(envelope, dry_run);
        self.families.review(kind, operation, "untouched", dry_run);
        Answer::allowed(&envelope.uid).to_bytes()
    }

    /// Renders, counts and logs a judgement.
    fn said(
        &self,
        request: &Request<'_>,
        object: &Object<'_>,
        judgement: &Judgement<'_>,
        speaker: Speaker<'_>,
    ) -> Bytes {
        let saying = answer::say(object, judgement, speaker);
        let uid: &str = &request.envelope.uid;
        let (mut answer, outcome) = match &judgement.verdict {
            Verdict::Untouched => (Answer::allowed(uid), "untouched"),
            Verdict::Tell => (Answer::allowed(uid), "told"),
            Verdict::Refuse(refused) => (
                Answer::denied(uid, FORBIDDEN, answer::refusal(judgement, refused, speaker)),
                "refused",
            ),
            Verdict::Rewrite(plan) => match serde_json::to_vec(&plan.json_patch()) {
                Ok(patch) => (
                    Answer::patched(uid, patch),
                    if judgement.again {
                        "revised"
                    } else {
                        "rewritten"
                    },
                ),
                // Strings serialize always; should they not, leaving the object as it is harms nobody.
                Err(_) => (Answer::allowed(uid), "told"),
            },
        };
        answer.warnings = saying.warnings;
        answer.audit_annotations = saying.audit;
        let subject = Subject::of(&request.envelope, request.dry_run);
        self.count(subject, outcome, judgement);
        log(request, subject, outcome, judgement);
        answer.to_bytes()
    }

    fn count(&self, subject: Subject, outcome: &'static str, judgement: &Judgement<'_>) {
        self.families
            .review(subject.kind, subject.operation, outcome, subject.dry_run);
        let applied = matches!(judgement.verdict, Verdict::Rewrite(_)) && !subject.dry_run;
        for one in judgement
            .effective
            .iter()
            .flat_map(|effective| &effective.findings)
        {
            match &one.resolution {
                Resolution::Leave(reason) => self.families.left(*reason),
                Resolution::Rewrite { target, .. } if applied && !one.reported => {
                    self.families
                        .rewrote(target.geography().map(crate::domain::id::Geography::as_str));
                }
                Resolution::Rewrite { .. } => {}
            }
        }
    }
}

/// What the review is about, if it is ours: a widened rule does not widen what we do.
fn action<'a>(
    door: Door,
    envelope: &Envelope<'_>,
    sort: Sort,
    old: Option<&'a Object<'a>>,
) -> Option<Action<'a>> {
    // The object says itself what it is, and a patch through the validating door would be refused.
    let template = sort == Sort::Template
        && TEMPLATES
            .iter()
            .any(|(resource, _)| *resource == &*envelope.resource.resource);
    match (
        door,
        &*envelope.resource.resource,
        &*envelope.sub_resource,
        envelope.operation,
    ) {
        (Door::Mutate, "pods", "", Operation::Create) => Some(Action::CreatePod),
        (Door::Mutate, "pods", "ephemeralcontainers", Operation::Update) => {
            old.map(Action::AddEphemeralContainers)
        }
        (Door::Mutate, "configmaps", "", Operation::Create | Operation::Update) => {
            (sort == Sort::ConfigMap).then_some(Action::Apply(old))
        }
        (Door::Validate, _, "", Operation::Create | Operation::Update) if template => {
            Some(Action::Apply(old))
        }
        _ => None,
    }
}

/// A review whose objects are nodes of the body's own tree, so that nothing is read twice.
struct Request<'b> {
    envelope: Envelope<'b>,
    object: Option<NodeId>,
    old_object: Option<NodeId>,
    dry_run: bool,
}

impl<'b> Request<'b> {
    fn of(tree: &Tree<'_>, envelope: Envelope<'b>) -> Self {
        let field = |name| tree.at(tree.root(), &["request", name]);
        let object = |name| field(name).filter(|node| tree.kind(*node) == Kind::Mapping);
        let dry_run = field("dryRun").and_then(|node| tree.text(node)) == Some("true");
        Self {
            envelope,
            object: object("object"),
            old_object: object("oldObject"),
            dry_run,
        }
    }
}

/// Reads a body that may concern us, whole. What the tree refuses is told in the words of the review's reader.
fn read(body: &[u8]) -> Result<(Tree<'_>, Envelope<'_>), NoAnswer> {
    let text =
        std::str::from_utf8(body).map_err(|error| ReviewError::NotUtf8(error.valid_up_to()))?;
    match Tree::json(text) {
        Ok(tree) => Ok((tree, Envelope::read(body)?)),
        Err(error) => {
            Review::read(body)?;
            Err(NoAnswer::Object(error.offset))
        }
    }
}

/// Whether the end of an unread body says that it is a dry run: `dryRun` stands behind the objects, before the options.
fn says_dry_run(body: &[u8]) -> bool {
    const TAIL: usize = 1024;
    let tail = &body[body.len().saturating_sub(TAIL)..];
    memchr::memmem::rfind(tail, br#""dryRun":true"#).is_some()
}

/// One line for each decision that changed or refused something: IDs and places, never a value.
fn log(request: &Request<'_>, subject: Subject, outcome: &'static str, judgement: &Judgement<'_>) {
    let changes = matches!(judgement.verdict, Verdict::Rewrite(_) | Verdict::Refuse(_));
    if !changes || !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let Some(PolicyFindings { policy, findings }) = &judgement.effective else {
        return;
    };
    let changes: Vec<String> = findings
        .iter()
        .filter(|one| !one.reported)
        .filter_map(answer::change)
        .take(MOST_LOGGED)
        .collect();
    tracing::info!(
        uid = &*request.envelope.uid,
        kind = subject.kind,
        operation = subject.operation,
        namespace = &*request.envelope.namespace,
        name = &*request.envelope.name,
        dry_run = subject.dry_run,
        policy = &*policy.name,
        findings = findings.len(),
        changes = changes.join("; "),
        outcome,
    );
}

impl Subject {
    fn of(envelope: &Envelope<'_>, dry_run: bool) -> Self {
        let kind = match (&*envelope.resource.resource, &*envelope.sub_resource) {
            ("pods", "") => "Pod",
            ("pods", "ephemeralcontainers") => "EphemeralContainers",
            ("configmaps", "") => "ConfigMap",
            (resource, "") => TEMPLATES
                .iter()
                .find(|(name, _)| *name == resource)
                .map_or("Other", |(_, kind)| kind),
            _ => "Other",
        };
        let operation = match envelope.operation {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
            Operation::Connect => "CONNECT",
        };
        Self {
            kind,
            operation,
            dry_run,
        }
    }
}
