//! Identities of findings that survive moved lines, to tell new findings from known ones.

use std::collections::BTreeMap;

use serde_json::json;

use super::{FindingRecord, content_hash};

/// The fingerprint of each finding, in the order of the findings. A line number is no part of it: equal findings of one place are
/// numbered in their order. `path` is the name of a file as its repository has it.
pub fn fingerprints(findings: &[FindingRecord], path: impl Fn(&str) -> String) -> Vec<String> {
    let mut ordinals = BTreeMap::new();
    let mut fingerprint = |one: &FindingRecord| {
        let object = one.object.as_ref();
        let object = object.map(|object| [&object.kind, &object.namespace, &object.name]);
        let identity = json!([
            one.source.as_ref().map(|source| path(&source.file)),
            object,
            one.pointer,
            one.inner_pointer,
            one.before,
            one.cause().as_str(),
        ]);
        let ordinal = ordinals.entry(identity.to_string()).or_insert(0_usize);
        *ordinal += 1;
        content_hash(&json!([identity, *ordinal]))
    };
    findings.iter().map(&mut fingerprint).collect()
}
