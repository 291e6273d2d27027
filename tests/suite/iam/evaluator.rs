//! An evaluator of IAM policies over JSON, written for these tests without a look at that of the product.
//!
//! It decides as the IAM user guide describes: a request is denied if a statement denies it, else allowed if a statement allows it.

use std::collections::BTreeMap;

use serde_json::Value;

/// A request: an action, a resource and its condition keys.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) action: &'static str,
    pub(super) resource: String,
    pub(super) keys: BTreeMap<&'static str, String>,
}

impl Call {
    pub(super) fn new(
        action: &'static str,
        resource: String,
        region: &str,
        profile: Option<&str>,
    ) -> Self {
        let mut keys = BTreeMap::from([("aws:requestedregion", region.to_owned())]);
        keys.extend(profile.map(|arn| ("bedrock:inferenceprofilearn", arn.to_owned())));
        Self {
            action,
            resource,
            keys,
        }
    }
}

/// The answer of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Allowed,
    Denied,
    Nothing,
}

pub(super) fn answer(policy: &Value, call: &Call) -> Answer {
    let applying = list(&policy["Statement"])
        .into_iter()
        .filter(|one| applies(one, call));
    let effects: Vec<_> = applying
        .map(|one| one["Effect"].as_str().unwrap().to_owned())
        .collect();
    if effects.iter().any(|effect| effect == "Deny") {
        Answer::Denied
    } else if effects.is_empty() {
        Answer::Nothing
    } else {
        Answer::Allowed
    }
}

fn applies(statement: &Value, call: &Call) -> bool {
    let element = |name: &str, opposite: &str, value: &str, ignore_case: bool| {
        let has = |name: &str| {
            list(&statement[name])
                .iter()
                .any(|one| like(one.as_str().unwrap(), value, ignore_case))
        };
        if statement.get(name).is_some() {
            has(name)
        } else {
            !has(opposite)
        }
    };
    element("Action", "NotAction", call.action, true)
        && element("Resource", "NotResource", &call.resource, false)
        && statement["Condition"].as_object().is_none_or(|operators| {
            operators.iter().all(|(operator, keys)| {
                keys.as_object()
                    .unwrap()
                    .iter()
                    .all(|(key, values)| holds(operator, key, &list(values), call))
            })
        })
}

fn holds(operator: &str, key: &str, values: &[Value], call: &Call) -> bool {
    let key = key.to_ascii_lowercase();
    let value = call.keys.get(key.as_str());
    let values = values.iter().map(|one| one.as_str().unwrap());
    let any = |compare: &dyn Fn(&str, &str) -> bool| {
        value.is_some_and(|value| values.clone().any(|one| compare(one, value)))
    };
    match operator {
        "StringEquals" => any(&|one, value| one == value),
        "StringNotEquals" => !any(&|one, value| one == value),
        "StringLike" => any(&|one, value| like(one, value, false)),
        "StringNotLike" => !any(&|one, value| like(one, value, false)),
        "ArnLike" | "ArnEquals" => any(&like_arn),
        "ArnNotLike" | "ArnNotEquals" => !any(&like_arn),
        other => panic!("no such operator in these tests: {other}"),
    }
}

fn like_arn(pattern: &str, arn: &str) -> bool {
    let (pattern, arn): (Vec<_>, Vec<_>) = (
        pattern.splitn(6, ':').collect(),
        arn.splitn(6, ':').collect(),
    );
    pattern.len() == arn.len()
        && pattern
            .iter()
            .zip(&arn)
            .all(|(pattern, part)| like(pattern, part, false))
}

fn like(pattern: &str, text: &str, ignore_case: bool) -> bool {
    if ignore_case {
        return like(&pattern.to_lowercase(), &text.to_lowercase(), false);
    }
    // Between the stars, each part is found at its first place; the last one is at the end.
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, between @ .., last] = parts.as_slice() else {
        return same(pattern, text);
    };
    let Some(mut rest) = text
        .get(first.len()..)
        .filter(|_| same(first, &text[..first.len()]))
    else {
        return false;
    };
    for part in between {
        let at = (0..=rest.len()).find(|at| {
            rest.get(*at..at + part.len())
                .is_some_and(|text| same(part, text))
        });
        let Some(at) = at else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && same(last, &rest[rest.len() - last.len()..])
}

/// Whether two texts are the same but for the characters at question marks.
fn same(pattern: &str, text: &str) -> bool {
    pattern.len() == text.len()
        && pattern
            .bytes()
            .zip(text.bytes())
            .all(|(one, other)| one == b'?' || one == other)
}

fn list(value: &Value) -> Vec<Value> {
    let one = || vec![value.clone()];
    value
        .as_array()
        .cloned()
        .unwrap_or_else(|| if value.is_null() { Vec::new() } else { one() })
}
