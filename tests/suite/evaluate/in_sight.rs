//! The regions in sight, as explanations list them, agree with each evaluation of this suite: the one that decides is the one that was
//! used.

use bedrock_profiles::domain::judge::{Context, JudgedFinding, Judgement, inspect};
use bedrock_profiles::domain::object::Object;
use bedrock_profiles::domain::reason::Reason;
use bedrock_profiles::domain::region::RegionReading;
use bedrock_profiles::domain::region_lookup::RegionInSight;

/// Fails if the inspection of an object disagrees with its judgement.
pub(super) fn assert_agrees<'t>(
    object: &Object<'t>,
    context: &Context<'t, '_>,
    judgement: &Judgement<'t>,
) {
    for under in judgement.effective.iter().chain(&judgement.previews) {
        let inspection = inspect(object, context, under);
        assert_eq!(inspection.regions.len(), under.findings.len());
        for (one, regions) in under.findings.iter().zip(&inspection.regions) {
            assert!(agrees(one, regions), "{:?}: {regions:?}", one.resolution);
        }
        let reasons = || under.findings.iter().map(|one| one.resolution.reason());
        let has = |reason| reasons().any(|one| one == Some(reason));
        assert!(!has(Reason::Immutable) || inspection.immutable);
        assert!(!has(Reason::Tracked) || inspection.tracking.is_some());
    }
}

fn agrees(one: &JudgedFinding<'_>, regions: &[RegionInSight]) -> bool {
    let mut deciding = regions.iter().filter(|one| one.decides);
    if let Some(chosen) = one.region {
        let region = RegionReading::Region(chosen.region);
        return deciding.any(|one| one.source == chosen.source && one.reading == region);
    }
    match one.resolution.reason() {
        Some(Reason::NoRegion) => deciding.next().is_none(),
        Some(Reason::RegionOutOfSight) => {
            deciding.any(|one| one.reading == RegionReading::OutOfSight)
        }
        Some(Reason::NotARegion) => {
            deciding.any(|one| matches!(one.reading, RegionReading::NotARegion(_)))
        }
        Some(Reason::RegionConflict) => deciding.next().is_some(),
        _ => true,
    }
}
