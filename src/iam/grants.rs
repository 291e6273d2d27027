//! The least policy that permits what IDs call, and how it differs from a policy that exists.

use std::collections::{BTreeMap, BTreeSet};

use super::access::{ACTIONS, Account, ModelAccess, PROFILE_ARN};
use super::document::{ConditionValues, IamEffect, IamPolicy, IamStatement, language_version};
use super::evaluation::{PolicyMatch, is_allowed};

/// What a policy lacks, and what it has too much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantDifference {
    /// ARNs that are called, with the actions that are not allowed on them.
    pub missing: BTreeMap<String, Vec<String>>,
    /// Patterns of resources that allow calls of Bedrock, of which none was found, with the name of their statement.
    pub unused: Vec<(Option<String>, String)>,
}

/// The least policy that permits the calls.
///
/// Models may be called only through the profiles. One statement has the models of all profiles: a profile leads to its own model
/// in its own regions alone, so that no other pair of them exists.
pub fn least_policy(accesses: &BTreeSet<ModelAccess>, account: Account<'_>) -> IamPolicy {
    let (mut profiles, mut models, mut direct) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for access in accesses {
        let arns = access.model_arns();
        match access.profile_arn(account) {
            Some(profile) => {
                profiles.insert(profile);
                models.extend(arns);
            }
            None => direct.extend(arns),
        }
    }
    // A value with a wildcard needs an operator that knows wildcards.
    let operator = if account.is_exact() {
        "StringEquals"
    } else {
        "ArnLike"
    };
    let through = ConditionValues(profiles.iter().cloned().collect());
    let through = BTreeMap::from([(PROFILE_ARN.to_owned(), through)]);
    let through = BTreeMap::from([(operator.to_owned(), through)]);
    let statements = [
        ("InvokeProfiles", profiles, BTreeMap::new()),
        ("InvokeModelsThroughProfiles", models, through),
        ("InvokeModels", direct, BTreeMap::new()),
    ];
    let statements = statements.into_iter().filter(|one| !one.1.is_empty());
    IamPolicy {
        version: language_version(),
        statement: statements
            .map(|(sid, resources, condition)| IamStatement {
                sid: Some(sid.to_owned()),
                effect: IamEffect::Allow,
                action: ACTIONS.map(str::to_owned).to_vec(),
                not_action: Vec::new(),
                resource: resources.into_iter().collect(),
                not_resource: Vec::new(),
                condition,
            })
            .collect(),
    }
}

impl GrantDifference {
    /// Compares the policies of a role with what it calls.
    pub fn of(
        policies: &[IamPolicy],
        accesses: &BTreeSet<ModelAccess>,
        account: Account<'_>,
    ) -> Self {
        let requests: BTreeSet<_> = accesses
            .iter()
            .flat_map(|access| access.requests(account))
            .collect();
        let mut missing: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for request in &requests {
            for action in ACTIONS {
                if !is_allowed(policies, action, request) {
                    let actions = missing.entry(request.resource.clone()).or_default();
                    actions.insert(action.to_owned());
                }
            }
        }
        let statements = policies.iter().flat_map(|policy| &policy.statement);
        let allows = statements.filter(|statement| statement.effect == IamEffect::Allow);
        let mut unused = BTreeSet::new();
        for statement in allows.filter(|statement| is_about_calls(statement)) {
            for pattern in &statement.resource {
                let only = IamStatement {
                    resource: vec![pattern.clone()],
                    ..statement.clone()
                };
                let is_used = requests.iter().any(|request| {
                    let mut actions = ACTIONS.iter();
                    actions.any(|action| only.matched(action, request) != PolicyMatch::No)
                });
                if !is_used {
                    unused.insert((statement.sid.clone(), pattern.clone()));
                }
            }
        }
        Self {
            missing: missing
                .into_iter()
                .map(|(arn, actions)| (arn, actions.into_iter().collect()))
                .collect(),
            unused: unused.into_iter().collect(),
        }
    }
}

/// Whether a statement names an action of Bedrock's calls; `*` is about everything.
fn is_about_calls(statement: &IamStatement) -> bool {
    let mut actions = statement.action.iter();
    actions.any(|action| {
        let action = action.to_ascii_lowercase();
        action.starts_with("bedrock:*") || action.starts_with("bedrock:invoke")
    })
}
