use std::collections::BTreeMap;

use serde_json::json;

use super::super::standing::PolicyStatus;
use super::*;
use crate::scan::cluster::{Counts, Sums};

fn sums() -> Sums {
    let sums = PolicySums {
        findings: 12,
        left: BTreeMap::from([("NoRegion", 4), ("Prose", 1)]),
    };
    Sums {
        policies: BTreeMap::from([("p".to_owned(), sums)]),
        ..Sums::default()
    }
}

fn said_after(last_audit: Option<serde_json::Value>) -> Vec<Said> {
    let sums = sums();
    let outcome = Outcome {
        counts: Counts {
            objects: 40,
            unread: 0,
        },
        sums: &sums,
        unread: &[],
        ended: Timestamp::UNIX_EPOCH,
    };
    let status = PolicyStatus {
        uid: "u".to_owned(),
        last_audit,
        ..PolicyStatus::default()
    };
    of_policies(outcome, &[("p".into(), status)].into())
}

#[test]
fn a_policy_is_told_of_when_its_findings_are_others() {
    let said = said_after(None);
    assert_eq!(
        said[0].note,
        "12 model IDs in 40 objects: 7 to rewrite, 5 left (4 NoRegion, 1 Prose)"
    );
    let same = json!({"time": "then", "scanned": 39, "findings": 12, "byReason": {"NoRegion": 4, "Prose": 1}});
    assert_eq!(said_after(Some(same.clone())), []);
    let mut other = same;
    other["byReason"]["Prose"] = json!(2);
    assert_eq!(said_after(Some(other)).len(), 1);
}

#[test]
fn an_event_is_one_that_the_api_server_takes() {
    let mut said = said_after(None).remove(0);
    said.note = "é".repeat(LONGEST_NOTE);
    said.regarding.name = Some(format!("{}.", "n".repeat(LONGEST_NAME - 1)).repeat(2));
    let one = event("release", DEFAULT, &said, Timestamp::UNIX_EPOCH);
    assert_eq!(one.note.unwrap().len(), LONGEST_NOTE);
    let name = one.metadata.name.unwrap();
    assert!(name.len() <= 253 && !name.contains(".."), "{name}");
    let again = event("release", DEFAULT, &said, Timestamp::now());
    assert_eq!(
        again.metadata.name.as_deref(),
        Some(&*name),
        "said again, it has the same name"
    );
    said.reason = "Other";
    let other = event("release", DEFAULT, &said, Timestamp::UNIX_EPOCH);
    assert_ne!(other.metadata.name.as_deref(), Some(&*name));
}
