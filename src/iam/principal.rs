//! Who calls what: findings, by the ServiceAccount of their Pods.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::catalog::LifecycleState;
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::report::severity::Severity;
use crate::report::{FindingRecord, messages};

use super::access::{ModelAccess, ProfileRoute};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum PrincipalName {
    /// The Pods of a ServiceAccount.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The readers of a ConfigMap, a Secret or a file.
    Readers {
        /// The object or the file.
        of: String,
    },
}

/// An ID for which no permission is listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedUse {
    /// The object or the file.
    pub object: String,
    /// The ID as written.
    pub id: String,
    /// Why.
    pub problem: String,
}

/// What a principal calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrincipalAccess {
    /// What its IDs call, once a policy has replaced them.
    pub accesses: BTreeSet<ModelAccess>,
    /// Its IDs for which no permission is listed.
    pub refused: BTreeSet<RefusedUse>,
}

/// What the IDs of the findings call, by principal. IDs that no workload calls, such as those in prose, are skipped.
pub fn by_principal(findings: &[FindingRecord]) -> BTreeMap<PrincipalName, PrincipalAccess> {
    let mut principals: BTreeMap<_, PrincipalAccess> = BTreeMap::new();
    for one in findings.iter().filter(|one| !one.preview) {
        let Some(access) = access(one) else { continue };
        let principal = principals.entry(principal(one)).or_default();
        match access {
            Ok(access) => drop(principal.accesses.insert(access)),
            Err(problem) => {
                principal.refused.insert(RefusedUse {
                    object: one.place(),
                    id: messages::id(one),
                    problem,
                });
            }
        }
    }
    principals
}

fn principal(one: &FindingRecord) -> PrincipalName {
    let object = one.object.as_ref().zip(one.service_account.as_ref());
    match object {
        Some((object, name)) => PrincipalName::ServiceAccount {
            namespace: object.namespace.clone(),
            name: name.clone(),
        },
        None => PrincipalName::Readers { of: one.place() },
    }
}

/// What the ID of a finding calls, or why that is not known; `None` if nothing calls it.
fn access(one: &FindingRecord) -> Option<Result<ModelAccess, String>> {
    let has_ended = one
        .lifecycle
        .as_ref()
        .is_some_and(|life| life.state == LifecycleState::EndOfLife);
    let access = match one.reason {
        None if one.exempt.is_some() => {
            Err("it is exempt, which the webhook may not know".to_owned())
        }
        None => rewritten(one),
        // A legacy model still works.
        Some(Reason::AlreadyProfiled | Reason::WorksDirectly | Reason::NeverHadProfile)
            if !has_ended =>
        {
            unchanged(one)
        }
        Some(reason) if reason.is_no_call() => return None,
        Some(_) if has_ended || one.severity() == Severity::Error => {
            Err(format!("no permission makes it work: {}", unresolved(one)))
        }
        Some(_) => Err(unresolved(one)),
    };
    Some(access)
}

/// Why what an ID calls is not known, and the next step.
fn unresolved(one: &FindingRecord) -> String {
    if let Some(region) = one.region.filter(|region| region.partition() == CHINA) {
        return format!("nothing serves Amazon Bedrock in {region}");
    }
    let step = messages::next_step(one);
    let why = if step.is_empty() {
        one.cause().description()
    } else {
        &step
    };
    format!("{}: {why}", one.cause())
}

/// What the replacement of an ID calls.
fn rewritten(one: &FindingRecord) -> Result<ModelAccess, String> {
    match (&one.profile, &one.after) {
        (Some(arn), _) if arn.starts_with("arn:") => Ok(ModelAccess::ApplicationProfile {
            arn: arn.clone(),
            // The override may be one of the model that replaces the ID's own.
            model: one.target_model.as_ref().unwrap_or(&one.model_id).clone(),
        }),
        // A replacement of the policy may be of another model than the ID.
        (Some(profile), _) => match profile.split_once('.') {
            Some((_, model)) => called(one, profile.clone(), model),
            None => Err(format!("{profile} is no inference profile")),
        },
        (None, Some(model)) => called(one, model.clone(), model),
        (None, None) => Err("its replacement is unknown".to_owned()),
    }
}

/// What an ID that is right calls.
fn unchanged(one: &FindingRecord) -> Result<ModelAccess, String> {
    let model = &one.model_id;
    // A client may read something behind the ID.
    let end = one.before.find(model).map(|at| at + model.len());
    let id = one.before[..end.unwrap_or(one.before.len())].to_owned();
    called(one, id, model)
}

fn called(one: &FindingRecord, id: String, model: &str) -> Result<ModelAccess, String> {
    let region: Region = one
        .region
        .ok_or("no region is known, which the ARNs of its permissions name")?;
    if id == model {
        return Ok(ModelAccess::Model { id, region });
    }
    let destinations = one.destinations.as_deref();
    let destinations =
        destinations.ok_or_else(|| format!("the destinations of {id} in {region} are unknown"))?;
    let route = match destinations {
        [any] if any == "*" => ProfileRoute::Global,
        regions => {
            let regions = regions.iter().map(|region| Region::parse(region));
            let regions = regions.collect::<Result<_, _>>();
            ProfileRoute::Regions(regions.map_err(|error| error.to_string())?)
        }
    };
    Ok(ModelAccess::Profile {
        id,
        model: model.to_owned(),
        source: region,
        route,
    })
}

/// The partition of China.
const CHINA: &str = "aws-cn";
