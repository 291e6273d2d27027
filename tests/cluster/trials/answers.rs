//! Which answer a Pod gets: by region, scope, lifecycle and consent, from the shipped catalog.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::product::{SONNET, asking, default, list, record, rewriting, serve, variable};
use crate::trial::{Trial, plane};
use crate::world::World;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane(
            "a_pod_gets_the_profile_of_its_region",
            a_pod_gets_the_profile_of_its_region,
        ),
        plane(
            "global_serves_only_where_the_policy_falls_back_to_it",
            global_serves_only_as_fallback,
        ),
        plane(
            "the_classic_table_holds_where_it_is_required",
            the_classic_table_where_required,
        ),
        plane("the_classic_table_holds_for_all", the_classic_table_for_all),
        plane(
            "the_rows_of_the_end_of_life_table_hold",
            the_rows_of_the_end_of_life_table,
        ),
        plane(
            "no_border_is_crossed_without_consent",
            no_border_is_crossed_without_consent,
        ),
        plane(
            "a_border_is_crossed_with_consent",
            a_border_is_crossed_with_consent,
        ),
    ]
}

/// Creates a Pod for each row of (model, region), and compares what is stored: the prefix that the model got, or nothing.
/// Returns the warnings.
fn stored(world: &World, rows: &[(&str, &str, Option<&str>)]) -> Result<Vec<String>> {
    let name = |at: usize| format!("pod-{at}");
    let pods = rows
        .iter()
        .enumerate()
        .map(|(at, (model, region, _))| asking(&name(at), model, region));
    let output = world.create(&list(pods))?;
    for (at, (model, region, prefix)) in rows.iter().enumerate() {
        let pod = world.get("pod", &name(at))?;
        let expected =
            prefix.map_or_else(|| (*model).to_owned(), |prefix| format!("{prefix}.{model}"));
        assert_eq!(
            variable(&pod, "BEDROCK_MODEL_ID")?,
            expected,
            "{model} in {region}"
        );
        assert_eq!(
            record(&pod).is_some(),
            prefix.is_some(),
            "the record of {model} in {region}"
        );
    }
    Ok(output
        .warnings()
        .into_iter()
        .map(ToOwned::to_owned)
        .collect())
}

fn a_pod_gets_the_profile_of_its_region(world: &World) -> Result<()> {
    world.serve(&default())?;
    let warnings = stored(
        world,
        &[
            (SONNET, "eu-west-1", Some("eu")),
            (SONNET, "us-east-1", Some("us")),
            (SONNET, "ap-northeast-1", Some("jp")),
            (SONNET, "ap-southeast-2", Some("au")),
            (SONNET, "us-gov-west-1", Some("us-gov")),
            (SONNET, "sa-east-1", None),
            ("anthropic.claude-sonnet-4-6", "eu-west-2", None),
        ],
    )?;
    let left = format!("bedrock-profiles: {SONNET}: only global.{SONNET} serves sa-east-1");
    assert!(
        warnings.iter().any(|warning| warning.starts_with(&left)),
        "{warnings:?}"
    );
    assert!(
        !warnings
            .iter()
            .any(|warning| warning.starts_with("bedrock-profiles: anthropic.claude-sonnet-4-6")),
        "{warnings:?}"
    );
    assert!(
        warnings
            .iter()
            .all(|warning| warning.chars().count() <= 200),
        "{warnings:?}"
    );
    let pod = world.get("pod", "pod-0")?;
    let record: serde_json::Value = serde_json::from_str(record(&pod).context("no record")?)?;
    assert_eq!(
        record,
        json!({"entries": [{"at": "app/env/BEDROCK_MODEL_ID", "from": SONNET, "to": format!("eu.{SONNET}"), "region": "eu-west-1", "by": "ContainerEnv"}]})
    );
    Ok(())
}

fn global_serves_only_as_fallback(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(
        json!({"geography": {"global": "Fallback"}}),
    )))?;
    stored(
        world,
        &[
            (SONNET, "sa-east-1", Some("global")),
            (SONNET, "eu-west-1", Some("eu")),
        ],
    )?;
    Ok(())
}

const CLASSIC_WORKING: [&str; 3] = [
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-3-sonnet-20240229-v1:0",
    "anthropic.claude-3-5-sonnet-20240620-v1:0",
];
const CLASSIC_PROFILED: [&str; 3] = [
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "anthropic.claude-sonnet-4-20250514-v1:0",
    "anthropic.claude-opus-4-20250514-v1:0",
];

fn the_classic_table_where_required(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(json!({}))))?;
    let left = CLASSIC_WORKING.map(|model| (model, "us-east-1", None));
    let rewritten = CLASSIC_PROFILED.map(|model| (model, "us-east-1", Some("us")));
    let warnings = stored(world, &[left, rewritten].concat())?;
    let expected = "bedrock-profiles: anthropic.claude-sonnet-4-20250514-v1:0 reached its end of life on 2026-10-14; its successor is anthropic.claude-sonnet-4-6";
    assert!(
        warnings.iter().any(|warning| warning == expected),
        "{warnings:?}"
    );
    for model in CLASSIC_PROFILED {
        let end = warnings
            .iter()
            .find(|warning| warning.contains(&format!(": {model} reached its end of life")));
        let end = end.with_context(|| format!("no end of life of {model} in {warnings:?}"))?;
        assert!(
            end.contains("; its successor is anthropic."),
            "the successor of {model}: {end}"
        );
    }
    Ok(())
}

fn the_classic_table_for_all(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(json!({"models": {"scope": "All"}}))))?;
    let rows: Vec<_> = CLASSIC_WORKING
        .iter()
        .chain(&CLASSIC_PROFILED)
        .map(|model| (*model, "us-east-1", Some("us")))
        .collect();
    stored(world, &rows)?;
    Ok(())
}

/// One pair for each row of the table that has one in the shipped catalog; what only `All` changes is in the classic table.
fn the_rows_of_the_end_of_life_table(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(json!({"models": {"include": ["*"]}}))))?;
    let warnings = stored(
        world,
        &[
            ("anthropic.claude-3-haiku-20240307-v1:0", "eu-west-3", None), // 1: works here, later than the date
            (
                "anthropic.claude-haiku-4-5-20251001-v1:0",
                "eu-north-1",
                Some("eu"),
            ), // 2: a living profile serves
            ("anthropic.claude-3-haiku-20240307-v1:0", "us-west-2", None), // 3: worked here until its end of life
            (
                "anthropic.claude-sonnet-4-20250514-v1:0",
                "eu-west-3",
                Some("eu"),
            ), // 4: dead, a profile served
            ("anthropic.claude-v2", "us-east-1", None), // 4b: dead, nothing ever served
            ("anthropic.claude-sonnet-5", "ap-southeast-1", None), // 5: on demand only together with mantle
            ("anthropic.claude-fable-5", "eu-west-1", None),       // 6: the profile was withdrawn
            ("anthropic.claude-fable-5-2", "us-east-1", None),     // 6b: never scanned
            ("anthropic.claude-opus-4-6-v1", "us-gov-west-1", None), // 7: nobody has scanned the region
        ],
    )?;
    for names_both in [
        "anthropic.claude-v2",
        "anthropic.claude-fable-5: only global.anthropic.claude-fable-5 serves eu-west-1",
        "anthropic.claude-fable-5-2: its profiles are not verified yet",
        "anthropic.claude-opus-4-6-v1: no mapping covers it in us-gov-west-1",
    ] {
        assert!(
            warnings.iter().any(|warning| warning.contains(names_both)),
            "{names_both}: {warnings:?}"
        );
    }
    Ok(())
}

const BORDERS: [(&str, &str, &str); 4] = [
    (SONNET, "ca-central-1", "us"),
    (SONNET, "eu-west-2", "eu"),
    (SONNET, "eu-central-2", "eu"),
    (
        "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "ap-south-1",
        "apac",
    ),
];

fn no_border_is_crossed_without_consent(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(json!({}))))?;
    let warnings = stored(
        world,
        &BORDERS.map(|(model, region, _)| (model, region, None)),
    )?;
    for (model, from, to, word) in [
        (SONNET, "CA", "US", "us"),
        (SONNET, "GB", "EU", "eu"),
        (SONNET, "CH", "EU", "eu"),
        (
            "anthropic.claude-3-7-sonnet-20250219-v1:0",
            "IN",
            "JP",
            "apac",
        ),
    ] {
        let names = [(from, to), (name(from), name(to))];
        let names_both = |warning: &&String| {
            // A long ID is shortened.
            warning.contains(&model[..30])
                && names.iter().any(|(from, to)| {
                    (warning.contains(&format!("{word}. routes {from} to "))
                        || warning.contains(&format!("{word}.{model} routes from {from} to ")))
                        && warning.contains(to)
                })
                && warning.contains(&format!("allowed: [{word}]"))
                && warning.chars().count() <= 200
        };
        assert!(
            warnings.iter().any(|warning| names_both(&warning)),
            "{from}: {warnings:?}"
        );
    }
    Ok(())
}

/// The name that a sentence uses for a jurisdiction.
fn name(short: &'static str) -> &'static str {
    match short {
        "CA" => "Canada",
        "US" => "the United States",
        "GB" => "the United Kingdom",
        "CH" => "Switzerland",
        "EU" => "the EU",
        "IN" => "India",
        "JP" => "Japan",
        other => other,
    }
}

fn a_border_is_crossed_with_consent(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(
        json!({"geography": {"allowed": ["us", "eu", "apac"]}}),
    )))?;
    stored(
        world,
        &BORDERS.map(|(model, region, word)| (model, region, Some(word))),
    )?;
    Ok(())
}
