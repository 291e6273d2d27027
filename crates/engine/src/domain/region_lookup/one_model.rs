//! Variables that name the region of one model alone, which must not decide for the others.

/// A variable that names a model, and the one that names its region.
pub const OF_ONE_MODEL: &[(&str, &str)] = &[
    (
        "ANTHROPIC_SMALL_FAST_MODEL",
        "ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION",
    ),
    (
        "ANTHROPIC_DEFAULT_HAIKU_MODEL",
        "ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION",
    ),
];

/// The variable that names the region of the model in `variable` alone.
pub fn region_of_one(variable: &str) -> Option<&'static str> {
    let (_, region) = OF_ONE_MODEL.iter().find(|(model, _)| *model == variable)?;
    Some(region)
}
