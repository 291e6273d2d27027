//! What serves where: the shipped catalog under the policies that people write first.

use super::scenario::*;

#[test]
fn the_profile_of_the_region_takes_the_place_of_the_id() {
    let world = Scenario::under("{}");
    for (region, profile) in [
        ("eu-west-1", "eu"),
        ("us-east-1", "us"),
        ("ap-northeast-1", "jp"),
        ("ap-southeast-2", "au"),
        ("us-gov-west-1", "us-gov"),
    ] {
        assert_eq!(
            world.answer(SONNET_4_5, region),
            behind(profile, SONNET_4_5),
            "{region}"
        );
    }
}

#[test]
fn where_only_global_serves_the_policy_decides() {
    let never = Scenario::under("{}");
    let outcome = never.create(&pod(&[("ID", SONNET_4_5), ("AWS_REGION", "sa-east-1")]));
    assert_eq!(outcome.answer(), "OnlyGlobalServes");
    assert_eq!(outcome.warnings.len(), 1, "{:?}", outcome.warnings);
    assert!(
        outcome.warnings[0].ends_with(&format!(
            "only global.{SONNET_4_5} serves sa-east-1; to use it: geography.global: Fallback"
        )),
        "{:?}",
        outcome.warnings
    );
    let global = behind("global", SONNET_4_5);
    let fallback = Scenario::under("{ geography: { global: Fallback } }");
    assert_eq!(fallback.answer(SONNET_4_5, "sa-east-1"), global);
    assert_eq!(
        fallback.answer(SONNET_4_5, "eu-west-1"),
        behind("eu", SONNET_4_5)
    );
    let prefer = Scenario::under("{ geography: { global: Prefer } }");
    assert_eq!(prefer.answer(SONNET_4_5, "eu-west-1"), global);
    assert_eq!(
        prefer.answer(SONNET_4_5, "us-gov-west-1"),
        behind("us-gov", SONNET_4_5)
    );
}

#[test]
fn a_working_direct_id_in_london_is_unchanged() {
    let required = Scenario::under("{}");
    for id in [
        SONNET_4_6,
        "anthropic.claude-opus-4-6-v1",
        "anthropic.claude-opus-5-5",
        "anthropic.claude-sonnet-5",
    ] {
        assert_eq!(required.answer(id, "eu-west-2"), "WorksDirectly", "{id}");
    }
    assert_eq!(
        required.answer(SONNET_4_6, "eu-west-1"),
        behind("eu", SONNET_4_6)
    );
    let all = Scenario::under("{ models: { scope: All }, geography: { allowed: [eu] } }");
    assert_eq!(
        all.answer(SONNET_4_6, "eu-west-2"),
        behind("eu", SONNET_4_6)
    );
    // Without consent the profile may not be used, and what works stays.
    let all = Scenario::under("{ models: { scope: All } }");
    assert_eq!(all.answer(SONNET_4_6, "eu-west-2"), "WorksDirectly");
}

#[test]
fn the_classic_table_holds_in_virginia() {
    let required = Scenario::under("{}");
    let all = Scenario::under("{ models: { scope: All } }");
    for (id, left) in [
        ("anthropic.claude-3-haiku-20240307-v1:0", true),
        ("anthropic.claude-3-sonnet-20240229-v1:0", true),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", true),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", false),
        (SONNET_4, false),
        ("anthropic.claude-opus-4-20250514-v1:0", false),
    ] {
        let profile = behind("us", id);
        let expected = if left { "EndOfLife" } else { &profile };
        assert_eq!(required.answer(id, "us-east-1"), expected, "{id}");
        assert_eq!(all.answer(id, "us-east-1"), profile, "{id}");
        for world in [&required, &all] {
            let outcome = world.create(&pod(&[("ID", id), ("AWS_REGION", "us-east-1")]));
            let warning = outcome
                .warnings
                .iter()
                .find(|warning| warning.contains("end of life"))
                .unwrap_or_else(|| panic!("{id}: {:?}", outcome.warnings));
            assert!(
                warning.contains("; its successor is anthropic.claude-"),
                "{warning}"
            );
            assert!(
                warning.contains("end of life on 2026-") || id.contains("opus-4"),
                "{warning}"
            );
            assert!(warning.len() <= 200, "{warning}");
        }
    }
    let opus = "anthropic.claude-3-opus-20240229-v1:0";
    assert_eq!(required.answer(opus, "us-west-2"), "EndOfLife");
    assert_eq!(required.answer(opus, "us-east-1"), behind("us", opus));
}

/// Each row of the rule for end of life, retired and withdrawn profiles.
#[test]
fn serving_profiles_follow_model_and_profile_lifecycles() {
    let required = Scenario::under("{ models: { include: ['*'] } }");
    let all = Scenario::under("{ models: { scope: All, include: ['*'] } }");
    let haiku_3 = "anthropic.claude-3-haiku-20240307-v1:0";
    let sonnet_3 = "anthropic.claude-3-sonnet-20240229-v1:0";
    let opus_4_8 = "anthropic.claude-opus-4-8";
    for (row, id, region, under_required, under_all) in [
        (
            "1",
            "amazon.nova-lite-v1:0",
            "us-east-1",
            "WorksDirectly",
            "us.amazon.nova-lite-v1:0",
        ),
        (
            "1, no profile here",
            haiku_3,
            "eu-west-3",
            "WorksDirectly",
            "WorksDirectly",
        ),
        ("2", SONNET_4_5, "us-east-1", "us.", "us."),
        (
            "2, a legacy profile",
            "anthropic.claude-opus-4-1-20250805-v1:0",
            "us-east-2",
            "us.",
            "us.",
        ),
        ("3", sonnet_3, "us-west-2", "EndOfLife", "us. EOL"),
        (
            "3, no profile ever",
            haiku_3,
            "eu-west-1",
            "EndOfLife",
            "EndOfLife",
        ),
        ("4", SONNET_4, "eu-west-1", "eu. EOL", "eu. EOL"),
        (
            "4b",
            "anthropic.claude-v2",
            "us-east-1",
            "EndOfLife",
            "EndOfLife",
        ),
        (
            "4b",
            "anthropic.claude-v2:1",
            "ap-northeast-1",
            "EndOfLife",
            "EndOfLife",
        ),
        (
            "4b",
            "anthropic.claude-instant-v1",
            "eu-west-1",
            "EndOfLife",
            "EndOfLife",
        ),
        ("4b", SONNET_4, "sa-east-1", "EndOfLife", "EndOfLife"),
        ("5", opus_4_8, "eu-north-1", "eu.", "eu."),
        (
            "6",
            FABLE_5,
            "eu-west-1",
            "OnlyGlobalServes",
            "OnlyGlobalServes",
        ),
        (
            "6",
            "anthropic.claude-opus-4-1-20250805-v1:0",
            "eu-west-1",
            "NothingServes",
            "NothingServes",
        ),
        (
            "6b",
            "anthropic.claude-fable-5-2",
            "us-east-1",
            "Unverified",
            "Unverified",
        ),
        (
            "7",
            SONNET_4_6,
            "us-gov-west-1",
            "RegionUnknown",
            "RegionUnknown",
        ),
        (
            "7",
            SONNET_4_6,
            "eusc-de-east-1",
            "RegionUnknown",
            "RegionUnknown",
        ),
        (
            "7",
            "anthropic.claude-opus-4-1-20250805-v1:0",
            "me-south-1",
            "RegionUnknown",
            "RegionUnknown",
        ),
    ] {
        for (world, expected) in [(&required, under_required), (&all, under_all)] {
            let outcome = world.create(&pod(&[("ID", id), ("AWS_REGION", region)]));
            let only = outcome.only();
            let profile = expected
                .strip_suffix(" EOL")
                .unwrap_or(expected)
                .strip_suffix('.')
                .map_or_else(|| expected.to_owned(), |geography| behind(geography, id));
            assert_eq!(only.answer, profile, "row {row}: {id} in {region}");
            assert_eq!(
                only.end_of_life,
                expected.ends_with("EOL"),
                "row {row}: {id} in {region}"
            );
        }
    }
}

#[test]
fn a_border_is_crossed_only_with_the_policys_word() {
    let silent = Scenario::under("{}");
    for (id, region, geography, countries) in [
        (
            SONNET_4_5,
            "ca-central-1",
            "us",
            ["Canada", "the United States"],
        ),
        (
            SONNET_4_5,
            "eu-west-2",
            "eu",
            ["the United Kingdom", "the EU"],
        ),
        (SONNET_4_5, "eu-central-2", "eu", ["Switzerland", "the EU"]),
        (
            "anthropic.claude-3-7-sonnet-20250219-v1:0",
            "ap-south-1",
            "apac",
            ["India", "Japan"],
        ),
    ] {
        let object = pod(&[("ID", id), ("AWS_REGION", region)]);
        assert_eq!(silent.create(&object).answer(), "GeographyNotAllowed");
        let word = Scenario::under(&format!("{{ geography: {{ allowed: [{geography}] }} }}"));
        assert_eq!(word.create(&object).answer(), behind(geography, id));
        let denying = Scenario::under("{ unresolved: Deny }").create(&object);
        assert_eq!(denying.verdict, "Refuse");
        for part in countries {
            assert!(denying.message.contains(part), "{}", denying.message);
        }
        let field = format!("geography.allowed: [{geography}]");
        assert!(denying.message.contains(&field), "{}", denying.message);
        let warning = &silent.create(&object).warnings[0];
        assert!(
            warning.contains(&format!("allowed: [{geography}]")),
            "{warning}"
        );
        assert!(warning.chars().count() <= 200, "{warning}");
        if countries != ["India", "Japan"] {
            assert!(warning.contains(&behind(geography, id)), "{warning}");
        }
    }
}
