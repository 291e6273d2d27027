//! What an evaluation depended on, for an explanation: the state of the object, and every region in sight of its IDs. [`judge`] does
//! without it; [`inspect`] looks everything up again.
//!
//! [`judge`]: super::judge

use std::cell::RefCell;

use super::region::{region_context, region_query};
use super::views::ObjectVariables;
use super::{
    Context, Judge, JudgedFinding, OptOutAnnotation, OptOuts, PolicyFindings, with_findings,
};
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::ConfigMapRewrite;
use crate::domain::reason::Reason;
use crate::domain::region::RegionReading;
use crate::domain::region_lookup::RegionInSight;
use crate::domain::trackers::Tracking;

/// What an evaluation under one policy depended on, besides the IDs themselves.
#[derive(Debug, Clone)]
pub struct Inspection<'t> {
    /// Whether the object is an immutable ConfigMap.
    pub immutable: bool,
    /// Why the object counts as tracked, if the policy leaves tracked objects unchanged.
    pub tracking: Option<Tracking<'t>>,
    /// The annotation that opts the whole object out.
    pub opt_out: Option<OptOutAnnotation>,
    /// The regions in sight of each finding, in the order of the findings.
    pub regions: Vec<Vec<RegionInSight>>,
}

/// Looks up what the evaluation of `object` under a policy depended on. `under` are the findings of that evaluation.
pub fn inspect<'t>(
    object: &Object<'t>,
    context: &Context<'t, '_>,
    under: &PolicyFindings<'t>,
) -> Inspection<'t> {
    let policy = under.policy;
    let variables = ObjectVariables::of(object, context);
    let containers = with_findings(object, under.findings.iter().map(|one| &one.finding));
    let variables = variables.under(policy);
    let judge = Judge {
        object,
        context,
        policy,
        opt_outs: OptOuts::of(object, policy, context),
        region_context: region_context(object, &containers, policy, context, variables),
        helm_regions: RefCell::default(),
    };
    let is_config_map = object.kind == ObjectKind::ConfigMap;
    let skips_tracked = policy.rewrite_config_maps != ConfigMapRewrite::All;
    Inspection {
        immutable: is_config_map && object.field(&["immutable"]) == Some("true"),
        tracking: judge.tracking().filter(|_| is_config_map && skips_tracked),
        opt_out: judge.opt_outs.whole().cloned(),
        regions: under
            .findings
            .iter()
            .map(|one| judge.in_sight(one))
            .collect(),
    }
}

impl<'t> Judge<'t, '_> {
    /// The regions in sight of a finding; those that decide are the ones that the evaluation used.
    fn in_sight(&self, judged: &JudgedFinding<'t>) -> Vec<RegionInSight> {
        let query = region_query(&judged.finding);
        let mut all = self.region_context.regions_in_sight(query);
        if judged.resolution.reason() == Some(Reason::NoRegion) {
            // The region of the cluster is a guess, which a ConfigMap does not take.
            for one in &mut all {
                one.decides = false;
            }
        }
        if let Some(chosen) = judged.region {
            // The annotation of the object decides between regions in conflict, and a record its own source.
            let is_used = all
                .iter()
                .any(|one| one.decides && one.source == chosen.source);
            for one in all.iter_mut().filter(|_| !is_used) {
                let is_region = one.reading == RegionReading::Region(chosen.region);
                one.decides = one.source == chosen.source && is_region;
            }
        }
        all
    }
}
