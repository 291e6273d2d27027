//! Overrides and replacements.

use super::scenario::*;

const ARN: &str =
    "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl";

fn overriding(fields: &str, rest: &str) -> Scenario {
    Scenario::under(&format!(
        "{{ overrides: [{{ modelId: \"{SONNET_4_5}\", {fields} }}]{rest} }}"
    ))
}

fn replacing(pairs: &[(&str, &str)], fields: &str, rest: &str) -> Scenario {
    let each = pairs
        .iter()
        .map(|(from, to)| format!("{{ from: \"{from}\", to: \"{to}\"{fields} }}"));
    let each = each.collect::<Vec<_>>().join(", ");
    Scenario::under(&format!("{{ replacements: [{each}]{rest} }}"))
}

#[test]
fn an_arn_takes_the_place_of_a_whole_value_only() {
    let world = overriding(
        &format!("sourceRegions: [us-east-1], target: \"{ARN}\""),
        "",
    );
    assert_eq!(world.answer(SONNET_4_5, "us-east-1"), ARN);
    assert_eq!(world.answer(&format!(" {SONNET_4_5}\n"), "us-east-1"), ARN);
    for text in ["bedrock/ID", "ID[1m]", "--model=ID", "\"ID\""] {
        let text = text.replace("ID", SONNET_4_5);
        assert_eq!(
            world.answer(&text, "us-east-1"),
            "OverrideNeedsWholeValue",
            "{text}"
        );
    }
    // Another region has the mapping's row.
    assert_eq!(
        world.answer(SONNET_4_5, "us-east-2"),
        behind("us", SONNET_4_5)
    );
}

#[test]
fn an_override_is_bound_by_the_rules_of_borders_and_residency() {
    let target = format!("sourceRegions: [us-east-1], target: \"{ARN}\"");
    let stated = |regions: &str| format!("{target}, destinations: [{regions}]");
    let residency = ", geography: { allowedDestinations: [us-*] }";
    let answer = |world: Scenario| world.answer(SONNET_4_5, "us-east-1");
    assert_eq!(
        answer(overriding(&target, residency)),
        "DestinationsUnknown"
    );
    assert_eq!(
        answer(overriding(&stated("us-east-1, us-west-2"), residency)),
        ARN
    );
    assert_eq!(
        answer(overriding(&stated("us-east-1, eu-west-1"), residency)),
        "DestinationNotAllowed"
    );
    assert_eq!(
        answer(overriding(&stated("us-east-1, ca-central-1"), "")),
        "GeographyNotAllowed"
    );
    assert_eq!(
        answer(overriding(
            &stated("us-east-1, ca-central-1"),
            ", geography: { allowed: [us] }"
        )),
        ARN
    );
}

#[test]
fn an_override_may_name_a_system_profile_of_its_model() {
    let target = behind("global", SONNET_4_5);
    let world = overriding(
        &format!("sourceRegions: [sa-east-1], target: \"{target}\""),
        "",
    );
    assert_eq!(world.answer(SONNET_4_5, "sa-east-1"), target);
    assert_eq!(
        world.answer(&format!("bedrock/{SONNET_4_5}"), "sa-east-1"),
        target
    );
    let bound = overriding(
        &format!("target: \"{target}\""),
        ", geography: { allowedDestinations: [sa-*] }",
    );
    assert_eq!(
        bound.answer(SONNET_4_5, "sa-east-1"),
        "DestinationNotAllowed"
    );
}

#[test]
fn an_override_may_be_for_some_namespaces() {
    let fields = format!(
        "sourceRegions: [us-east-1], namespaceSelector: {{ matchLabels: {{ team: a }} }}, target: \"{ARN}\""
    );
    let answer = |world: Scenario| world.answer(SONNET_4_5, "us-east-1");
    assert_eq!(answer(overriding(&fields, "")), behind("us", SONNET_4_5));
    assert_eq!(answer(overriding(&fields, "").labelled("team", "a")), ARN);
    assert_eq!(
        answer(overriding(&fields, "").labelled("team", "b")),
        behind("us", SONNET_4_5)
    );
}

#[test]
fn an_override_matches_profiles_where_it_includes_them() {
    let fields = format!("sourceRegions: [us-east-1], target: \"{ARN}\"");
    let us = behind("us", SONNET_4_5);
    let direct = overriding(&fields, "");
    assert_eq!(direct.answer(&us, "us-east-1"), "AlreadyProfiled");
    let both = overriding(&format!("{fields}, match: DirectAndProfiles"), "");
    assert_eq!(both.answer(&us, "us-east-1"), ARN);
    assert_eq!(both.answer(SONNET_4_5, "us-east-1"), ARN);
    assert_eq!(both.answer(&us, "us-east-2"), "AlreadyProfiled");
}

#[test]
fn an_override_comes_after_replacements_and_before_the_row() {
    let world = Scenario::under(&format!(
        "{{ replacements: [{{ from: anthropic.claude-v2, to: \"{SONNET_4_5}\" }}],
           overrides: [{{ modelId: \"{SONNET_4_5}\", sourceRegions: [us-east-1], target: \"{ARN}\" }}] }}"
    ));
    assert_eq!(world.answer("anthropic.claude-v2", "us-east-1"), ARN);
    assert_eq!(
        world.answer("anthropic.claude-v2", "eu-west-1"),
        behind("eu", SONNET_4_5)
    );
}

#[test]
fn a_replacement_applies_to_dead_models_in_every_scope() {
    let world = replacing(&[(SONNET_4, SONNET_4_6)], "", "");
    assert_eq!(
        world.answer(SONNET_4, "eu-west-1"),
        behind("eu", SONNET_4_6)
    );
    // The direct ID where that works.
    assert_eq!(world.answer(SONNET_4, "eu-west-2"), SONNET_4_6);
    assert_eq!(world.answer(SONNET_4, "sa-east-1"), "OnlyGlobalServes");
    assert_eq!(
        world.answer(SONNET_4, "ca-central-1"),
        "GeographyNotAllowed"
    );
    // Of a model that works, too.
    let living = replacing(&[(SONNET_4_6, "anthropic.claude-opus-5-5")], "", "");
    assert_eq!(
        living.answer(SONNET_4_6, "eu-west-2"),
        "anthropic.claude-opus-5-5"
    );
}

#[test]
fn a_chain_of_replacements_is_followed_to_its_end() {
    let world = replacing(
        &[
            ("anthropic.claude-v2", SONNET_4),
            (SONNET_4, SONNET_4_5),
            (SONNET_4_5, SONNET_4_6),
        ],
        "",
        "",
    );
    for id in ["anthropic.claude-v2", SONNET_4, SONNET_4_5] {
        assert_eq!(world.answer(id, "eu-west-1"), behind("eu", SONNET_4_6));
    }
    assert_eq!(
        world.answer(SONNET_4_6, "eu-west-1"),
        behind("eu", SONNET_4_6)
    );
}

#[test]
fn an_unserved_replacement_is_skipped() {
    for to in [
        "anthropic.claude-sonnet-4-7-v1:0",
        "anthropic.claude-fable-5-2",
        "anthropic.claude-mythos-5",
        "anthropic.claude-opus-4-1-20250805-v1:0",
        SONNET_4,
    ] {
        let world = replacing(&[("anthropic.claude-v2", to)], "", "");
        assert_eq!(
            world.answer("anthropic.claude-v2", "eu-west-1"),
            "ReplacementNotServed",
            "{to}"
        );
    }
    // Also where a retired profile would have been written.
    let dead = replacing(
        &[("anthropic.claude-v2", SONNET_4)],
        "",
        ", models: { scope: All }",
    );
    assert_eq!(
        dead.answer("anthropic.claude-v2", "us-east-1"),
        "ReplacementNotServed"
    );
}

#[test]
fn a_replacement_may_start_from_an_unknown_model() {
    let world = replacing(&[("anthropic.claude-internal-v9", SONNET_4_6)], "", "");
    assert_eq!(
        world.answer("anthropic.claude-internal-v9", "eu-west-1"),
        behind("eu", SONNET_4_6)
    );
}

#[test]
fn include_and_exclude_match_the_original_id() {
    let pair = [("anthropic.claude-v2", "amazon.nova-lite-v1:0")];
    let world = replacing(&pair, "", "");
    assert_eq!(
        world.answer("anthropic.claude-v2", "us-east-1"),
        "amazon.nova-lite-v1:0"
    );
    let world = replacing(&pair, "", ", models: { exclude: [anthropic.claude-v*] }");
    assert_eq!(world.answer("anthropic.claude-v2", "us-east-1"), "Excluded");
}

#[test]
fn a_prefixed_id_keeps_its_geography() {
    let pair = [(SONNET_4, SONNET_4_6)];
    let direct = replacing(&pair, "", "");
    let us = behind("us", SONNET_4);
    assert_eq!(direct.answer(&us, "us-east-1"), "AlreadyProfiled");
    let both = replacing(&pair, ", match: DirectAndProfiles", "");
    assert_eq!(both.answer(&us, "us-east-1"), behind("us", SONNET_4_6));
    // The new model has no `apac.`, and `us.` does not serve Ireland.
    assert_eq!(
        both.answer(&behind("apac", SONNET_4), "ap-northeast-1"),
        "ReplacementNotServed"
    );
    assert_eq!(both.answer(&us, "eu-west-1"), "ReplacementNotServed");
    let global = behind("global", SONNET_4);
    assert_eq!(both.answer(&global, "eu-west-1"), "OnlyGlobalServes");
    let fallback = replacing(
        &pair,
        ", match: DirectAndProfiles",
        ", geography: { global: Fallback }",
    );
    assert_eq!(
        fallback.answer(&global, "eu-west-1"),
        behind("global", SONNET_4_6)
    );
    // Without a region it is left as what it is.
    let nowhere = both.create(&pod(&[("ID", &us)]));
    assert_eq!(nowhere.verdict, "Tell");
    assert_eq!(nowhere.only().answer, "AlreadyProfiled");
    // Consent is asked for a replacement, too.
    assert_eq!(both.answer(&us, "ca-central-1"), "GeographyNotAllowed");
}
