//! What is offered in the place of a name that is told and never changed.

use bedrock_profiles::domain::catalog::Catalog;

use super::scenario::*;

/// What people write, and the ID of the shipped catalog that is nearest; nothing where no relative is known.
const MISTAKES: &[(&str, Option<&str>)] = &[
    ("anthropic.claude-sonnet-4-6-v1", Some(SONNET_4_6)),
    ("anthropic.claude-sonnet-4-6-v1:0", Some(SONNET_4_6)),
    (
        "anthropic.claude-sonnet-4-6-20260217-v1:0",
        Some(SONNET_4_6),
    ),
    (
        "anthropic.claude-3-sonnet-v2:0",
        Some("anthropic.claude-3-sonnet-20240229-v1:0"),
    ),
    ("anthropic.claude-3-sonnet-4-6", Some(SONNET_4_6)),
    ("anthropic.claude-4-6-sonnet", Some(SONNET_4_6)),
    ("anthropic.claude-sonnet-4.6", Some(SONNET_4_6)),
    ("anthropic.claude-sonnet-4-20250514", Some(SONNET_4)),
    ("anthropic.claude-sonnet-4-20250515-v1:0", Some(SONNET_4)),
    (
        "anthropic.claude-sonnet-4-5-20250926-v1:0",
        Some(SONNET_4_5),
    ),
    (
        "anthropic.claude-4-5-sonnet-20250929-v1:0",
        Some(SONNET_4_5),
    ),
    (
        "anthropic.claude-haiku-4-5",
        Some("anthropic.claude-haiku-4-5-20251001-v1:0"),
    ),
    (
        "anthropic.claude-haiku-4-5-v1:0",
        Some("anthropic.claude-haiku-4-5-20251001-v1:0"),
    ),
    (
        "anthropic.claude-haiku-20240307-v1:0",
        Some("anthropic.claude-3-haiku-20240307-v1:0"),
    ),
    (
        "anthropic.claude-3-6-sonnet-20241022-v2:0",
        Some("anthropic.claude-3-5-sonnet-20241022-v2:0"),
    ),
    (
        "anthropic.claude-3-5-sonnet-v2:0",
        Some("anthropic.claude-3-5-sonnet-20241022-v2:0"),
    ),
    (
        "anthropic.claude-sonnet-9-20300101-v1:0",
        Some("anthropic.claude-sonnet-5"),
    ),
    (
        "anthropic.claude-opus-4-6",
        Some("anthropic.claude-opus-4-6-v1"),
    ),
    ("amazon.nova-lite", Some("amazon.nova-lite-v1:0")),
    (
        "meta.llama3-1-70b-instruct",
        Some("meta.llama3-1-70b-instruct-v1:0"),
    ),
    // Another family, another size, another vendor.
    ("anthropic.claude-sonata-4-6", None),
    ("anthropic.claude-4-6", None),
    ("amazon.nova-ultra-v1:0", None),
    ("meta.llama3-1-71b-instruct-v1:0", None),
    ("amazon.claude-sonnet-4-6", None),
    ("nobody.claude-sonnet-4-6", None),
    // Nothing but numbers, and what is no ID at all.
    ("deepseek.v9", None),
    ("deepseek.", None),
    ("claude-sonnet-4-6", None),
    ("", None),
];

fn nearest<'c>(catalog: &'c Catalog, id: &str) -> Option<&'c str> {
    let at = catalog.nearest(id, TODAY)?;
    Some(catalog.model(at).id.as_str())
}

#[test]
fn the_nearest_id_is_of_the_same_vendor_and_family() {
    let (catalog, _) = Catalog::merge(vec![shipped()]);
    for (mistake, expected) in MISTAKES {
        assert_eq!(nearest(&catalog, mistake), *expected, "{mistake}");
    }
}

#[test]
fn a_retired_id_is_never_suggested_before_an_equally_near_living_one() {
    let model =
        |id: &str, life: &str| format!("{{ modelId: {id}, lifecycle: {{ state: {life} }} }}");
    let spec = |models: &[String]| format!("{{ models: [{}] }}", models.join(", "));
    let catalog = |models: &[(&str, &str)]| {
        let models: Vec<_> = models.iter().map(|(id, life)| model(id, life)).collect();
        Catalog::merge(vec![mapping("test", &spec(&models))]).0
    };
    let both = catalog(&[
        ("a.b-2", "EndOfLife"),
        ("a.b-4", "Active"),
        ("a.b-1-1", "Active"),
    ]);
    assert_eq!(nearest(&both, "a.b-3"), Some("a.b-4"));
    // Nearer than any that lives: it is the one that was meant.
    assert_eq!(nearest(&both, "a.b-2-v1:0"), Some("a.b-2"));
    // Nobody who writes a new version means one that is gone.
    let gone = catalog(&[("a.b-2", "EndOfLife")]);
    assert_eq!(nearest(&gone, "a.b-3"), None);
}

#[test]
fn a_suggestion_differs_from_the_query_and_long_names_have_none() {
    let (catalog, _) = Catalog::merge(vec![shipped()]);
    for model in catalog.models() {
        let id = model.id.as_str();
        assert_ne!(nearest(&catalog, id), Some(id));
    }
    let long = format!("anthropic.claude-sonnet{}", "-4".repeat(100));
    assert_eq!(nearest(&catalog, &long), None);
}

const DUBLIN: &str = "eu-west-1";
const ARN: &str = "arn:aws:bedrock:us-east-1::foundation-model/ID";
const OVERRIDE: &str = "{ overrides: [{ modelId: \"anthropic.claude-sonnet-4-5-20250929-v1:0\", sourceRegions: [us-east-1], target: \"arn:aws:bedrock:us-east-1:1:application-inference-profile/a\" }] }";

/// A policy, a text with `ID` for a living model, the region, the reason to leave it, and what is offered; nothing where it is
/// empty.
const OFFERED: &[(&str, &str, &str, &str, &str)] = &[
    (
        "{}",
        "anthropic.claude-sonnet-4-6-v1",
        DUBLIN,
        "UnknownModel",
        SONNET_4_6,
    ),
    (
        "{}",
        "bedrock/anthropic.claude-sonnet-4-6-v1",
        "",
        "UnknownModel",
        SONNET_4_6,
    ),
    (
        "{}",
        "anthropic.claude-sonata-4",
        DUBLIN,
        "UnknownModel",
        "",
    ),
    // A foundation-model ARN, for the region that it names itself.
    ("{}", ARN, DUBLIN, "InArn", "us.ID"),
    (
        "{}",
        "arn:aws:bedrock:eu-west-1::foundation-model/ID",
        "",
        "InArn",
        "eu.ID",
    ),
    (
        "{}",
        "--model-id arn:aws:bedrock:eu-west-1::foundation-model/ID",
        "us-east-1",
        "InArn",
        "eu.ID",
    ),
    (
        "{}",
        "arn:aws:bedrock:ca-central-1::foundation-model/ID",
        "",
        "InArn",
        "",
    ),
    (
        "{ geography: { allowed: [us] } }",
        "arn:aws:bedrock:ca-central-1::foundation-model/ID",
        "",
        "InArn",
        "us.ID",
    ),
    (
        "{}",
        "arn:aws:bedrock:*::foundation-model/ID",
        DUBLIN,
        "InArn",
        "",
    ),
    (
        "{}",
        "arn:aws:bedrock:us-east-1:1:custom-model/ID/x",
        DUBLIN,
        "InArn",
        "",
    ),
    (
        "{}",
        "arn:aws:sagemaker:us-east-1::foundation-model/ID",
        DUBLIN,
        "InArn",
        "",
    ),
    // Where the direct ID works, its ARN does too.
    (
        "{}",
        "arn:aws:bedrock:eu-west-2::foundation-model/anthropic.claude-sonnet-4-6",
        "",
        "InArn",
        "",
    ),
    (OVERRIDE, ARN, "", "InArn", ""),
    // A profile that is not there, or not here.
    ("{}", "eu.ID", "us-east-1", "ProfileNotServed", "us.ID"),
    ("{}", "us.ID", "ap-northeast-1", "ProfileNotServed", "jp.ID"),
    ("{}", "us.ID", "sa-east-1", "ProfileNotServed", ""),
    (
        "{ geography: { global: Fallback } }",
        "us.ID",
        "sa-east-1",
        "ProfileNotServed",
        "global.ID",
    ),
    (
        "{ geography: { allowedDestinations: [us-east-1] } }",
        "eu.ID",
        "us-east-1",
        "ProfileNotServed",
        "",
    ),
    (
        "{ models: { exclude: ['*'] } }",
        "eu.ID",
        "us-east-1",
        "ProfileNotServed",
        "us.ID",
    ),
    (
        "{}",
        "us.anthropic.claude-sonnet-4-6",
        "eu-west-2",
        "ProfileNotServed",
        SONNET_4_6,
    ),
    (
        OVERRIDE,
        "eu.ID",
        "us-east-1",
        "ProfileNotServed",
        "arn:aws:bedrock:us-east-1:1:application-inference-profile/a",
    ),
    (
        OVERRIDE,
        "bedrock/eu.ID",
        "us-east-1",
        "ProfileNotServed",
        "",
    ),
    ("{}", "apac.ID", "ap-northeast-1", "NeverExisted", "jp.ID"),
    ("{}", "apac.ID", "", "NeverExisted", ""),
    ("{}", "global.ID", DUBLIN, "ProfileNotPermitted", "eu.ID"),
    // A model that is gone is no help.
    (
        "{}",
        "eu.anthropic.claude-opus-4-20250514-v1:0",
        "us-east-1",
        "NeverExisted",
        "",
    ),
    // Two prefixes: the one that serves; without a region, the one that is said twice.
    ("{}", "us.us.ID", "us-east-1", "DoublePrefix", "us.ID"),
    ("{}", "us.us.ID", DUBLIN, "DoublePrefix", "eu.ID"),
    ("{}", "us.eu.ID", DUBLIN, "DoublePrefix", "eu.ID"),
    ("{}", "us.us.ID", "", "DoublePrefix", "us.ID"),
    ("{}", "us.us.us.ID", "", "DoublePrefix", "us.ID"),
    ("{}", "us.eu.ID", "", "DoublePrefix", ""),
    ("{}", "apac.apac.ID", "", "DoublePrefix", ""),
    (
        "{}",
        "us.us.anthropic.claude-sonnet-9-v1:0",
        "us-east-1",
        "DoublePrefix",
        "us.anthropic.claude-sonnet-9-v1:0",
    ),
    // What is right, and what is left for another reason.
    ("{}", "us.ID", "us-east-1", "AlreadyProfiled", ""),
    ("{}", "ID", "sa-east-1", "OnlyGlobalServes", ""),
    ("{}", "we use ID", "us-east-1", "Prose", ""),
];

#[test]
fn a_suggestion_is_reported_and_never_written() {
    for (spec, text, region, reason, offered) in OFFERED {
        let (text, offered) = (
            text.replace("ID", SONNET_4_5),
            offered.replace("ID", SONNET_4_5),
        );
        let outcome = Scenario::under(spec).create(&pod(&[("M", &text), ("AWS_REGION", region)]));
        let only = outcome.only();
        assert_eq!(
            (&*only.answer, &*only.suggestion),
            (*reason, &*offered),
            "{spec} {text} {region}"
        );
        assert!(!outcome.changed());
    }
}

#[test]
fn every_suggestion_works() {
    // Of an ARN, the region is not that of the variable; what no mapping knows, nobody can judge.
    let evaluated = OFFERED.iter().filter(|(_, text, region, ..)| {
        !text.contains("arn:") && !text.contains("sonnet-9") && !region.is_empty()
    });
    for (spec, _, region, _, offered) in evaluated {
        let offered = offered.replace("ID", SONNET_4_5);
        if offered.is_empty() || offered.starts_with("arn:") {
            continue;
        }
        let outcome =
            Scenario::under(spec).create(&pod(&[("M", &offered), ("AWS_REGION", region)]));
        let answer = &*outcome.only().answer;
        let fine = ["AlreadyProfiled", "WorksDirectly"].contains(&answer);
        assert!(
            fine || answer.ends_with(&offered),
            "{offered} in {region}: {answer}"
        );
    }
}

#[test]
fn an_arn_names_the_region_of_its_model() {
    let text = ARN.replace("ID", SONNET_4_5);
    let (answer, source) = Scenario::under("{}").sourced(&[("M", &text), ("AWS_REGION", DUBLIN)]);
    assert_eq!((&*answer, source), ("InArn", "InValue"));
}

#[test]
fn an_arn_under_a_context_rule_has_that_reason_and_no_suggestion() {
    let arn = ARN.replace("ID", SONNET_4_5);
    let policy = format!("{{\"Statement\": [{{\"Resource\": \"{arn}\"}}]}}");
    let outcome = Scenario::under("{}").create(&config_map(&[("policy.json", &policy)]));
    let only = outcome.only();
    assert_eq!((&*only.answer, &*only.suggestion), ("IamDocument", ""));
    assert_eq!(outcome.warnings, [""; 0]);
}

/// The warnings of a Pod with this text, under a policy with a default region.
fn warned(text: &str, spec: &str, settled: bool) -> Vec<String> {
    let region = [("AWS_REGION", DUBLIN)];
    let env = [("M", text)];
    let env: Vec<_> = env
        .iter()
        .chain(settled.then_some(&region).into_iter().flatten())
        .copied()
        .collect();
    Scenario::under(spec).create(&pod(&env)).warnings
}

#[test]
fn a_warning_names_the_replacement() {
    let default = "{ region: { default: eu-west-1 } }";
    let id = |text: &str| text.replace("ID", SONNET_4_5);
    for (text, settled, warning) in [
        (
            "anthropic.claude-sonnet-4-6-v1",
            false,
            "anthropic.claude-sonnet-4-6-v1: no mapping lists this model; did you mean anthropic.claude-sonnet-4-6?",
        ),
        (
            "us.ID",
            true,
            "us.ID: this profile does not serve eu-west-1; use eu.ID",
        ),
        (
            "apac.ID",
            true,
            "apac.ID: no profile with this prefix is known; use eu.ID",
        ),
        (
            "global.ID",
            true,
            "global.ID: not permitted by policy test; use eu.ID",
        ),
        ("us.eu.ID", true, "us.eu.ID: it has two prefixes; use eu.ID"),
        (ARN, false, "ID: an ARN is never edited; use us.ID"),
        // Another webhook may still name another region: what holds in every region is told, and nothing else.
        ("us.eu.ID", false, "us.eu.ID: it has two prefixes"),
        (
            "apac.ID",
            false,
            "apac.ID: no profile with this prefix is known",
        ),
    ] {
        let expected = format!("bedrock-profiles: {}", id(warning));
        assert_eq!(warned(&id(text), default, settled), [expected], "{text}");
    }
    assert_eq!(warned(&id("us.ID"), default, false), [""; 0]);
}

#[test]
fn a_warning_with_a_suggestion_keeps_within_its_limit() {
    let long = format!("anthropic.claude-sonnet-4-6-{}", "9".repeat(300));
    let arn = format!(
        "arn:aws:bedrock:eu-west-1:1:application-inference-profile/{}",
        "a".repeat(300)
    );
    let spec = format!(
        "{{ overrides: [{{ modelId: \"{SONNET_4_5}\", sourceRegions: [eu-west-1], target: \"{arn}\" }}] }}"
    );
    for (spec, text) in [
        ("{}", long),
        (&*spec, behind("us", SONNET_4_5)),
        (&*spec, behind("us.us", SONNET_4_5)),
    ] {
        for warning in warned(&text, spec, true) {
            assert!(warning.chars().count() <= 200, "{warning}");
            assert!(!warning.contains("arn:"), "{warning}");
        }
    }
}

#[test]
fn a_model_that_is_not_included_has_its_answer_where_an_object_is_read_and_none_in_a_review() {
    const NOVA: &str = "amazon.nova-pro-v1:0";
    let excluded = "{ models: { include: [anthropic.*], exclude: ['*nova*'] } }";
    let replaced =
        "{ replacements: [{ from: \"amazon.nova-pro-v1:0\", to: anthropic.claude-sonnet-4-6 }] }";
    for (spec, region, event, offered) in [
        ("{}", DUBLIN, Event::Read, "eu.amazon.nova-pro-v1:0"),
        ("{}", DUBLIN, Event::Edit, "eu.amazon.nova-pro-v1:0"),
        ("{}", DUBLIN, Event::Create, ""),
        // Nothing would change, or nothing permitted serves.
        ("{}", "us-east-1", Event::Read, ""),
        ("{}", "sa-east-1", Event::Read, ""),
        ("{}", "", Event::Read, ""),
        (excluded, DUBLIN, Event::Read, ""),
        (
            replaced,
            DUBLIN,
            Event::Read,
            "eu.anthropic.claude-sonnet-4-6",
        ),
    ] {
        let object = pod(&[("BEDROCK_MODEL_ID", NOVA), ("AWS_REGION", region)]);
        let outcome = Scenario::under(spec).judge(&object, event);
        let only = outcome.only();
        assert_eq!(only.answer, "NotIncluded", "{spec} {region}");
        assert_eq!(only.suggestion, offered, "{spec} {region}");
        assert_eq!(outcome.verdict, "Tell");
    }
}
