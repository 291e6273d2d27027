//! Records for unit tests.

use crate::domain::policy::Mode;
use crate::domain::reason::Reason;
use crate::domain::region::Region;

use super::{AdmissionOutcome, FindingRecord, ObjectReference, Outcome};

/// A finding in the Pod `name`, which is rewritten unless it has a reason.
pub(crate) fn record(name: &str, reason: Option<Reason>) -> FindingRecord {
    FindingRecord {
        exempt: None,
        admission: if reason.is_none() {
            AdmissionOutcome::Replaced
        } else {
            AdmissionOutcome::Unchanged
        },
        target_model: None,
        direct_id_fails: false,
        opt_out_until: None,
        configured_severity: None,
        object: Some(ObjectReference {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: "ml".to_owned(),
            name: name.to_owned(),
        }),
        seen_in: None,
        service_account: None,
        instances: 0,
        source: None,
        pointer: "/spec/containers/0/env/0/value".to_owned(),
        reference: None,
        inner_pointer: None,
        span: [0, 4],
        model_id: "anthropic.claude-x".to_owned(),
        outcome: if reason.is_none() {
            Outcome::Rewrite
        } else {
            Outcome::Leave
        },
        reason,
        message: reason.map(|reason| reason.description().to_owned()),
        suggestion: None,
        profile: None,
        before: "anthropic.claude-x".to_owned(),
        after: reason.is_none().then(|| "us.anthropic.claude-x".to_owned()),
        region: Region::parse("us-east-1").ok(),
        region_source: None,
        destinations: None,
        consent: None,
        crosses: Vec::new(),
        mode: Mode::Rewrite,
        preview: false,
        note: None,
        missed: None,
        policy: "default".to_owned(),
        mapping: None,
        catalog_date: None,
        lifecycle: None,
    }
}
