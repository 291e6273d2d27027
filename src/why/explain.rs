//! The explanation of one object.

use crate::budget::{Budget, Limits};
use crate::domain::annotations::REWRITES;
use crate::domain::judge::{Action, Context, Inspection, PolicyFindings, inspect, judge};
use crate::domain::kinds::BuiltInKind;
use crate::domain::object::Object;
use crate::domain::policy::Policy;
use crate::domain::record::Record;
use crate::report::{API_VERSION, FindingRecord, ObjectReference, RecordContext};

use super::answer::{answer, changes, fail_open};
use super::decide::GateFacts;
use super::ids::IdExplanation;
use super::input::WhyInput;
use super::report::{UsedPolicy, WhyReport};
use super::selection::SelectingPolicy;

/// Explains one object; `None` if there is no policy at all to evaluate by.
pub fn explain(
    object: &Object<'_>,
    reference: ObjectReference,
    mut input: WhyInput,
) -> Option<WhyReport> {
    let selection =
        SelectingPolicy::of(&input.view, input.no_policy, object.kind, &input.namespace)?;
    selection.lift(&mut input.view);
    let policy = input.view.snapshot.policies.get(selection.policy)?;
    let (ids, inspection) = evaluate(object, &reference, policy, &input);
    let facts = GateFacts {
        object,
        kind: BuiltInKind::find(group_of(&reference.api_version), &reference.kind),
        kind_name: &reference.kind,
        input: &input,
        selection,
        policy,
        inspection: &inspection,
        ids: &ids,
    };
    let gates = facts.gates();
    let answer = answer(&facts, &reference, &gates);
    let changes = changes(&facts, answer.outcome, &gates);
    let fail_open = fail_open(&facts, answer.outcome);
    let selects = selection.is_selected();
    let policy = UsedPolicy {
        name: policy.name.to_string(),
        mode: policy.mode,
        is_effective: selects && policy.can_be_effective(),
        selects,
    };
    Some(WhyReport {
        api_version: API_VERSION,
        kind: "WhyReport",
        today: input.today,
        is_live: input.live.is_some(),
        answer,
        policy,
        gates,
        changes,
        fail_open,
        ids,
        object: reference,
        tool: input.tool,
        dry_run: input.dry_run,
    })
}

/// The IDs of the object under a policy, and what the evaluation depended on.
fn evaluate<'t>(
    object: &Object<'t>,
    reference: &ObjectReference,
    policy: &'t Policy,
    input: &'t WhyInput,
) -> (Vec<IdExplanation>, Inspection<'t>) {
    let budget = Budget::new(Limits::REVIEW);
    let context = Context {
        view: &input.view,
        namespace: &input.namespace,
        action: Action::Read,
        today: input.today,
        budget: &budget,
    };
    let judgement = judge(object, &context);
    let mut all = judgement.effective.into_iter().chain(judgement.previews);
    let found = all.find(|under| under.policy.name == policy.name);
    let under = found.unwrap_or(PolicyFindings {
        policy,
        findings: Vec::new(),
    });
    // The evaluation may have used its budget up.
    let budget = &Budget::new(Limits::REVIEW);
    let inspection = inspect(object, &Context { budget, ..context }, &under);
    let record = object.annotation(REWRITES).map(Record::parse);
    let entries = record.unwrap_or_default().entries;
    let record_context = RecordContext {
        snapshot: &input.view.snapshot,
        policy,
        today: input.today,
        preview: false,
    };
    let ids = under.findings.iter().zip(&inspection.regions);
    let ids = ids.map(|(judged, regions)| {
        let pointer = object.tree.pointer(object.root, judged.finding.site.node());
        let finding = FindingRecord {
            service_account: object.service_account().map(str::to_owned),
            ..FindingRecord::new(judged, pointer, Some(reference.clone()), record_context)
        };
        IdExplanation::of(judged, finding, regions, &entries, (policy, &context))
    });
    (ids.collect(), inspection)
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}
