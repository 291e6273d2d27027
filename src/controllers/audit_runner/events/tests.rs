use super::*;
use crate::audit::{AuditResult, Counts};

fn audit() -> FinishedAudit {
    let totals = PolicyTotals {
        findings: 12,
        unchanged: [("NoRegion", 4), ("Prose", 1)].into(),
    };
    let mut result = AuditResult {
        counts: Counts {
            objects: 40,
            ..Counts::default()
        },
        ..AuditResult::default()
    };
    result.totals.policies.insert("p".to_owned(), totals);
    FinishedAudit {
        result,
        ended: Timestamp::UNIX_EPOCH,
    }
}

fn events_after(last_audit: Option<serde_json::Value>) -> Vec<EventDraft> {
    let status = PolicyStatus {
        uid: "u".to_owned(),
        last_audit,
        ..PolicyStatus::default()
    };
    for_policies(&audit(), &[("p".into(), status)].into())
}

#[test]
fn a_policy_gets_an_event_when_its_totals_change() {
    let events = events_after(None);
    assert_eq!(
        events[0].note,
        "12 model IDs in 40 objects: 7 to rewrite, 5 unchanged (4 NoRegion, 1 Prose)"
    );
    let same = json!({"time": "then", "scanned": 39, "findings": 12, "byReason": {"NoRegion": 4, "Prose": 1}});
    assert_eq!(events_after(Some(same.clone())), []);
    let mut other = same;
    other["byReason"]["Prose"] = json!(2);
    assert_eq!(events_after(Some(other)).len(), 1);
}

#[test]
fn an_event_is_valid_and_its_name_depends_on_its_content() {
    let mut draft = events_after(None).remove(0);
    draft.note = "é".repeat(MAX_NOTE);
    draft.regarding.name = Some(format!("{}.", "n".repeat(MAX_NAME - 1)).repeat(2));
    let event = draft.event("release", Timestamp::UNIX_EPOCH);
    assert_eq!(event.metadata.namespace.as_deref(), Some(DEFAULT_NAMESPACE));
    assert_eq!(event.note.unwrap().len(), MAX_NOTE);
    let name = event.metadata.name.unwrap();
    assert!(name.len() <= 253 && !name.contains(".."), "{name}");
    let again = draft.event("release", Timestamp::now());
    assert_eq!(again.metadata.name.as_deref(), Some(&*name));
    draft.reason = "Other";
    let other = draft.event("release", Timestamp::UNIX_EPOCH);
    assert_ne!(other.metadata.name.as_deref(), Some(&*name));
}
