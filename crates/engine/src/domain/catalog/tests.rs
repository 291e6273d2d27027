//! The merge of mappings, row by row.

use super::*;
use crate::domain::fixtures::{mapping, model, region, route};

const ID: &str = "anthropic.claude-sonnet-5";

fn with(change: impl FnOnce(&mut MappedModel)) -> MappedModel {
    let mut model = model(ID);
    change(&mut model);
    model
}

fn merged(mappings: Vec<Mapping>) -> (Catalog, Vec<Conflict>) {
    Catalog::merge(mappings)
}

fn geography(catalog: &Catalog, code: &str) -> Option<String> {
    let row = catalog.model(catalog.find(ID)?).row(region(code))?;
    row.geographic
        .as_ref()
        .map(|route| route.geography.to_string())
}

#[test]
fn the_highest_priority_wins_then_the_first_name() {
    let eu = |destination: &str| {
        with(|model| model.routes = [route("eu", "eu-west-1", &[destination])].into())
    };
    let (catalog, conflicts) = merged(vec![
        mapping("z", 1, vec![eu("eu-west-1")]),
        mapping("a", 1, vec![eu("eu-west-2")]),
        mapping("low", -5, vec![eu("eu-west-3")]),
    ]);
    let row = catalog.models()[0].row(region("eu-west-1")).unwrap();
    let kept = row.geographic.as_ref().unwrap();
    assert_eq!(
        kept.destinations,
        Destinations::Known([region("eu-west-2")].into())
    );
    assert_eq!(catalog.mapping(kept.mapping).0, "a");
    assert_eq!(conflicts, []);
}

#[test]
fn one_row_corrects_one_fact_and_leaves_the_others() {
    let whole = with(|model| {
        model.routes = [
            route("eu", "eu-west-1", &[]),
            route("eu", "eu-west-3", &[]),
            route("global", "eu-west-1", &["*"]),
        ]
        .into();
        model.direct = [
            (region("eu-west-2"), DirectRow::Works),
            (region("us-east-1"), DirectRow::Works),
        ]
        .into();
    });
    let correction = with(|model| {
        model.routes = [MappedRoute {
            absent: true,
            ..route("eu", "eu-west-1", &[])
        }]
        .into();
        model.direct = [(region("eu-west-2"), DirectRow::Never)].into();
    });
    let (catalog, _) = merged(vec![
        mapping("builtin", -1000, vec![whole]),
        mapping("ours", 0, vec![correction]),
    ]);
    assert_eq!(geography(&catalog, "eu-west-1"), None);
    assert_eq!(geography(&catalog, "eu-west-3").as_deref(), Some("eu"));
    let model = &catalog.models()[0];
    assert!(model.row(region("eu-west-1")).unwrap().global.is_some());
    assert!(
        model
            .row(region("eu-west-2"))
            .is_none_or(|row| row.direct.is_none())
    );
    assert!(model.row(region("us-east-1")).unwrap().direct.is_some());
}

#[test]
fn each_lifecycle_field_is_taken_from_the_first_mapping_that_has_it() {
    let date: Date = "2027-01-01".parse().unwrap();
    let low = with(|model| {
        model.lifecycle.state = Some(LifecycleState::Active);
        model.lifecycle.successor = ModelId::parse("anthropic.claude-sonnet-5-5").ok();
    });
    let high = with(|model| {
        model.lifecycle.end_of_life = Some(
            [EndOfLife {
                date,
                regions: Box::default(),
                confidence: Confidence::High,
            }]
            .into(),
        );
    });
    let (catalog, _) = merged(vec![
        mapping("low", 0, vec![low]),
        mapping("high", 1, vec![high]),
    ]);
    let lifecycle = &catalog.models()[0].lifecycle;
    assert_eq!(lifecycle.state, LifecycleState::Active);
    assert_eq!(lifecycle.date_in(region("us-east-1")), Some(date));
    assert!(lifecycle.successor.is_some());
}

#[test]
fn of_two_geographies_the_first_is_kept_and_the_other_is_reported() {
    let apac = with(|model| model.routes = [route("apac", "ap-northeast-1", &[])].into());
    let jp = with(|model| model.routes = [route("jp", "ap-northeast-1", &[])].into());
    let (catalog, conflicts) = merged(vec![
        mapping("low", 0, vec![apac]),
        mapping("high", 1, vec![jp]),
    ]);
    assert_eq!(geography(&catalog, "ap-northeast-1").as_deref(), Some("jp"));
    let [conflict] = &conflicts[..] else {
        panic!("{conflicts:?}")
    };
    assert_eq!(
        (
            &*conflict.mapping,
            conflict.kept.as_str(),
            conflict.dropped.as_str()
        ),
        ("low", "jp", "apac")
    );
}

/// One of two variants of a model, which differ in every row except the successor and the rows of eu-west-3.
fn variant(first: bool) -> MappedModel {
    let (state, end, direct, destinations): (_, _, _, &[&str]) = if first {
        let state = LifecycleState::Active;
        (state, "2027-01-01", DirectRow::Works, &["eu-west-1"])
    } else {
        (LifecycleState::Legacy, "2027-02-01", DirectRow::Never, &[])
    };
    let ends = EndOfLife {
        date: end.parse().unwrap(),
        regions: Box::default(),
        confidence: Confidence::High,
    };
    with(|model| {
        model.routes = [
            route("eu", "eu-west-1", destinations),
            route("eu", "eu-west-3", &["eu-west-3"]),
            MappedRoute {
                absent: !first,
                ..route("global", "eu-west-1", &["*"])
            },
        ]
        .into();
        model.direct = [
            (region("eu-west-2"), direct),
            (region("eu-west-3"), DirectRow::Works),
        ]
        .into();
        model.lifecycle.state = Some(state);
        model.lifecycle.end_of_life = Some([ends].into());
        model.lifecycle.successor = ModelId::parse("anthropic.claude-sonnet-5-5").ok();
    })
}

#[test]
fn a_row_without_effect_is_reported_with_the_row_that_precedes_it() {
    let (catalog, _) = merged(vec![
        mapping("builtin", -1000, vec![variant(true)]),
        mapping("ours", 0, vec![variant(false)]),
    ]);
    let rows: Vec<_> = catalog
        .overridden()
        .iter()
        .map(ToString::to_string)
        .collect();
    // Equal rows are not reported.
    assert_eq!(
        rows,
        [
            "anthropic.claude-sonnet-5: the direct ID in eu-west-2, by `ours`",
            "anthropic.claude-sonnet-5: the lifecycle's state, by `ours`",
            "anthropic.claude-sonnet-5: the end of life, by `ours`",
            "anthropic.claude-sonnet-5: `eu` from eu-west-1, by `ours`",
            "anthropic.claude-sonnet-5: `global` from eu-west-1, by `ours`",
        ]
    );
    assert!(
        catalog
            .overridden()
            .iter()
            .all(|row| &*row.mapping == "builtin")
    );
}

#[test]
fn a_withdrawal_affects_only_mappings_of_lower_priority() {
    let eu = |absent| {
        with(|model| {
            model.routes = [MappedRoute {
                absent,
                ..route("eu", "eu-west-1", &[])
            }]
            .into();
        })
    };
    let kept = |mappings| geography(&merged(mappings).0, "eu-west-1");
    let withdrawn = mapping("middle", 0, vec![eu(true)]);
    let below = mapping("low", -1, vec![eu(false)]);
    assert_eq!(kept(vec![below.clone(), withdrawn.clone()]), None);
    let above = mapping("high", 1, vec![eu(false)]);
    assert_eq!(
        kept(vec![below.clone(), withdrawn, above]).as_deref(),
        Some("eu")
    );
    // Without the withdrawal, the row is present.
    assert_eq!(kept(vec![below]).as_deref(), Some("eu"));
}

#[test]
fn a_withdrawn_geography_is_not_a_conflict() {
    let both = |apac_absent| {
        with(|model| {
            model.routes = [
                MappedRoute {
                    absent: apac_absent,
                    ..route("apac", "ap-northeast-1", &[])
                },
                route("jp", "ap-northeast-1", &[]),
            ]
            .into();
        })
    };
    assert_eq!(merged(vec![mapping("m", 0, vec![both(false)])]).1.len(), 1);
    assert_eq!(merged(vec![mapping("m", 0, vec![both(true)])]).1, []);
}

#[test]
fn the_knowledge_of_a_model_follows_from_its_rows() {
    let knowledge = |change: fn(&mut MappedModel)| {
        merged(vec![mapping("m", 0, vec![with(change)])]).0.models()[0].knowledge
    };
    assert_eq!(knowledge(|_| ()), Knowledge::NeverHadProfile);
    assert_eq!(
        knowledge(|model| model.unverified = true),
        Knowledge::Unverified
    );
    assert_eq!(
        knowledge(|model| model.mantle_only = true),
        Knowledge::MantleOnly
    );
    assert_eq!(
        knowledge(|model| model.routes = [route("eu", "eu-west-1", &[])].into()),
        Knowledge::HasProfiles
    );
}

#[test]
fn a_date_applies_to_its_regions_and_to_all_once_every_region_is_past_it() {
    let date = |text: &str| text.parse::<Date>().unwrap();
    let partly = with(|model| {
        model.lifecycle.state = Some(LifecycleState::Legacy);
        model.lifecycle.end_of_life = Some(
            [EndOfLife {
                date: date("2026-07-01"),
                regions: [region("us-east-1")].into(),
                confidence: Confidence::High,
            }]
            .into(),
        );
        model.direct = [(region("us-east-1"), DirectRow::Former)].into();
    });
    let (catalog, _) = merged(vec![mapping("m", 0, vec![partly])]);
    let model = &catalog.models()[0];
    assert!(!model.is_past_end_of_life(region("us-east-1"), date("2026-06-30")));
    assert!(model.is_past_end_of_life(region("us-east-1"), date("2026-07-01")));
    assert!(
        model.is_past_end_of_life(region("eu-west-1"), date("2026-07-01")),
        "no other region served it"
    );
    assert_eq!(
        model
            .lifecycle
            .at(Some(region("us-east-1")), date("2026-07-01"))
            .0,
        LifecycleState::EndOfLife
    );
    assert_eq!(
        model
            .lifecycle
            .at(Some(region("eu-west-1")), date("2026-07-01"))
            .0,
        LifecycleState::Legacy
    );
}

#[test]
fn the_only_model_that_is_spelled_most_like_a_text_is_found() {
    let ids = [
        "anthropic.claude-sonnet-5",
        "anthropic.claude-sonnet-6",
        "amazon.nova-pro-v1:0",
    ];
    let (catalog, _) = merged(vec![mapping("a", 0, ids.map(model).into())]);
    let like = |text: &str| {
        catalog
            .spelled_like(text)
            .map(|at| catalog.model(at).id.as_str())
    };
    for (text, expected) in [
        ("ANTHROPIC.Claude-Sonnet-5", Some(ids[0])),
        ("antropic.claude-sonet-5", Some(ids[0])),
        ("claude-sonet-6", Some(ids[1])),
        ("nova-prov1:0", Some(ids[2])),
        ("anthropic.claude-sonnet-7", None),
        ("sonnet", None),
        ("", None),
    ] {
        assert_eq!(like(text), expected, "{text}");
    }
}
