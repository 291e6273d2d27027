//! Variables that set the region of one model only and must not be used for other models.

/// Variables that name a model, each with the variable that sets its region.
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

/// The variable that sets the region only for the model in `variable`.
pub(super) fn region_of_one(variable: &str) -> Option<&'static str> {
    let (_, region) = OF_ONE_MODEL.iter().find(|(model, _)| *model == variable)?;
    Some(region)
}
