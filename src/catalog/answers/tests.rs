//! Answers in every form that the AWS CLI prints, and what is no answer.

use super::*;

const PROFILE: &str = r#"{"inferenceProfileSummaries": [{
    "inferenceProfileId": "us.a.b", "inferenceProfileArn": "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.a.b",
    "models": [{"modelArn": "arn:aws:bedrock:us-west-2::foundation-model/a.b"}, {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/a.b"}],
    "status": "ACTIVE", "type": "SYSTEM_DEFINED"}]}"#;

fn region(code: &str) -> Region {
    Region::parse(code).unwrap()
}

fn read(file: &str, text: &str) -> Result<ListedRegions, AnswerError> {
    let mut listed = ListedRegions::default();
    listed.read(file, text, None).map(|_| listed)
}

#[test]
fn the_region_is_that_of_the_arn_and_not_that_of_the_file() {
    let listed = read("eu-west-1.json", PROFILE).unwrap();
    let regions: Vec<_> = listed.regions().map(|(region, _)| region).collect();
    assert_eq!(regions, [region("us-east-1")]);
    let mut listed = ListedRegions::default();
    let refused = listed.read("a.json", PROFILE, Some(region("eu-west-1")));
    assert!(matches!(refused, Err(AnswerError::OtherRegion { .. })));
}

#[test]
fn an_answer_without_an_arn_needs_a_region_in_the_name() {
    let empty = r#"{"modelSummaries": []}"#;
    for (name, code) in [
        ("us-east-1.json", "us-east-1"),
        ("a/models-us-gov-west-1.json", "us-gov-west-1"),
        ("111122223333/eu-west-2/models.json", "eu-west-2"),
        ("models_ap-south-1.json", "ap-south-1"),
    ] {
        let listed = read(name, empty).unwrap();
        assert!(
            listed.region(region(code)).unwrap().models.is_some(),
            "{name}"
        );
    }
    for name in ["models.json", "us-east-1.us-west-2.json", "us-east.json"] {
        let refused = read(name, empty);
        assert!(
            matches!(refused, Err(AnswerError::NoRegion { .. })),
            "{name}"
        );
    }
}

#[test]
fn answers_are_read_one_by_one_in_lists_and_in_sequences() {
    let other = PROFILE.replace("us-east-1:1", "us-east-2:1");
    for text in [
        format!("[{PROFILE}, {other}]"),
        format!("{PROFILE}\n{other}"),
    ] {
        assert_eq!(read("a.json", &text).unwrap().regions().count(), 2);
    }
    let mut listed = ListedRegions::default();
    assert!(
        !listed.read("a.json", " \n", None).unwrap(),
        "a call that failed"
    );
    for text in ["{", "[1]", r#"{"modelSummaries": [{}]}"#] {
        assert!(matches!(
            read("a.json", text),
            Err(AnswerError::Json { .. })
        ));
    }
    let filtered = read("a.json", r#"{"modelDetails": {}}"#);
    assert!(matches!(filtered, Err(AnswerError::NoAnswer { .. })));
}

#[test]
fn a_row_is_absent_only_from_a_list_with_its_last_page() {
    let page = PROFILE.replacen('{', r#"{"nextToken": "x", "#, 1);
    let absent = (
        ModelId::parse("c.d").unwrap(),
        Geography::parse("us").unwrap(),
    );
    let lacks = |text: &str| {
        let listed = read("a.json", text).unwrap();
        let profiles = listed
            .region(region("us-east-1"))
            .unwrap()
            .profiles
            .as_ref();
        profiles.unwrap().lacks(&absent)
    };
    assert!(lacks(PROFILE));
    assert!(!lacks(&page));
    assert!(lacks(&format!("{page}{PROFILE}")));
}

#[test]
fn what_answers_disagree_about_is_not_compared() {
    let other = PROFILE.replace("us-west-2", "us-east-2");
    let listed = read("a.json", &format!("{PROFILE}{other}")).unwrap();
    let profiles = listed
        .region(region("us-east-1"))
        .unwrap()
        .profiles
        .as_ref();
    assert_eq!(profiles.unwrap().rows().count(), 0);
    assert!(
        listed
            .notes()
            .next()
            .unwrap()
            .contains("the answers disagree")
    );
}

#[test]
fn a_profile_of_another_model_an_application_profile_and_an_inactive_one_are_no_rows() {
    for (from, to, notes) in [
        ("foundation-model/a.b", "foundation-model/c.d", 1),
        ("SYSTEM_DEFINED", "APPLICATION", 0),
        ("ACTIVE", "CREATING", 1),
        ("us-west-2::", "nowhere::", 1),
    ] {
        let listed = read("a.json", &PROFILE.replace(from, to)).unwrap();
        let profiles = listed
            .region(region("us-east-1"))
            .unwrap()
            .profiles
            .as_ref();
        assert!(profiles.unwrap().is_empty(), "{to}");
        assert_eq!(listed.notes().count(), notes, "{to}");
    }
}

#[test]
fn the_end_of_life_is_a_day_in_utc() {
    let text = r#"{"modelSummaries": [{"modelId": "a.b", "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/a.b",
        "inferenceTypesSupported": ["ON_DEMAND", "PROVISIONED"],
        "modelLifecycle": {"status": "LEGACY", "endOfLifeTime": "TIME"}}]}"#;
    // The second form is that of a script which prints a datetime of Python.
    for time in [
        "2027-04-08T08:00:00+00:00",
        "2027-04-08 07:00:00+00:00",
        "2027-04-08T00:00:00Z",
        "2027-04-07T20:00:00-04:00",
    ] {
        let listed = read("a.json", &text.replace("TIME", time)).unwrap();
        let models = listed.region(region("us-east-1")).unwrap().models.as_ref();
        let (_, model) = models.unwrap().rows().next().unwrap();
        let expected = ListedModel {
            on_demand: Some(true),
            state: Some(LifecycleState::Legacy),
            end_of_life: Some(jiff::civil::date(2027, 4, 8)),
        };
        assert_eq!(*model, expected, "{time}");
    }
}

#[test]
fn an_arn_without_a_known_region_takes_none_from_a_flag_or_a_name() {
    for (from, to) in [
        ("bedrock:us-east-1:", "bedrock:nowhere:"),
        ("bedrock:us-east-1:", "bedrock::"),
        ("bedrock:us-east-1:", "sagemaker:us-east-1:"),
        (
            "arn:aws:bedrock:us-east-1:",
            "arn:aws-cn:bedrock:us-east-1:",
        ),
        ("arn:aws:bedrock:us-east-1:", "us-east-1:"),
    ] {
        let text = PROFILE.replacen(from, to, 1);
        let mut listed = ListedRegions::default();
        let refused = listed.read("us-east-1.json", &text, Some(region("us-east-1")));
        assert!(matches!(refused, Err(AnswerError::Arn { .. })), "{to}");
    }
}

#[test]
fn destinations_are_those_of_the_geography_and_the_partition() {
    let one = |from: &str, to: &str| read("a.json", &PROFILE.replace(from, to)).unwrap();
    for (from, to) in [
        ("bedrock:us-west-2::", "bedrock:::"),
        (
            "arn:aws:bedrock:us-west-2::",
            "arn:aws-us-gov:bedrock:us-gov-west-1::",
        ),
        (
            "arn:aws:bedrock:us-west-2::",
            "arn:aws-cn:bedrock:us-west-2::",
        ),
        ("bedrock:us-west-2::", "sagemaker:us-west-2::"),
    ] {
        let listed = one(from, to);
        let profiles = &listed.region(region("us-east-1")).unwrap().profiles;
        assert!(profiles.as_ref().unwrap().is_empty(), "{to}");
        assert_eq!(listed.notes().count(), 1, "{to}");
    }
    let none = r#"{"inferenceProfileSummaries": [{"inferenceProfileId": "us.a.b", "models": []}]}"#;
    let listed = read("us-east-1.json", none).unwrap();
    let profiles = &listed.region(region("us-east-1")).unwrap().profiles;
    let (_, destinations) = profiles.as_ref().unwrap().rows().next().unwrap();
    assert_eq!(*destinations, Destinations::Unknown);

    let global = PROFILE.replace("us.a.b", "global.a.b");
    let global = read("a.json", &global.replace("us-west-2::", "::")).unwrap();
    let profiles = &global.region(region("us-east-1")).unwrap().profiles;
    let (_, destinations) = profiles.as_ref().unwrap().rows().next().unwrap();
    assert_eq!(*destinations, Destinations::Anywhere);
}

#[test]
fn an_entry_that_cannot_be_compared_is_listed() {
    let key = (
        ModelId::parse("a.b").unwrap(),
        Geography::parse("us").unwrap(),
    );
    let other = PROFILE.replace("us-west-2", "us-east-2");
    for text in [
        PROFILE.replace("ACTIVE", "CREATING"),
        PROFILE.replace("us-west-2::", "nowhere::"),
        format!("{PROFILE}{other}"),
        format!("{PROFILE}{other}{PROFILE}"),
    ] {
        let listed = read("a.json", &text).unwrap();
        let profiles = &listed.region(region("us-east-1")).unwrap().profiles;
        let profiles = profiles.as_ref().unwrap();
        assert!(profiles.is_empty() && !profiles.lacks(&key), "{text}");
        assert_eq!(profiles.keys().collect::<Vec<_>>(), [&key]);
    }
}

#[test]
fn a_list_that_is_cut_in_one_file_is_not_completed_by_another() {
    let page = PROFILE.replacen('{', r#"{"nextToken": "x", "#, 1);
    for texts in [[&*page, PROFILE], [PROFILE, &*page]] {
        let mut listed = ListedRegions::default();
        for (name, text) in ["a.json", "b.json"].iter().zip(texts) {
            listed.read(name, text, None).unwrap();
        }
        let profiles = &listed.region(region("us-east-1")).unwrap().profiles;
        assert!(!profiles.as_ref().unwrap().is_complete());
    }
}

#[test]
fn a_model_without_its_inference_types_may_work() {
    let text = r#"{"modelSummaries": [{"modelId": "a.b", "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/a.b"}]}"#;
    let listed = read("a.json", text).unwrap();
    let models = &listed.region(region("us-east-1")).unwrap().models;
    let (_, model) = models.as_ref().unwrap().rows().next().unwrap();
    assert_eq!(model.on_demand, None);
}

#[test]
fn the_id_of_a_profile_is_no_model() {
    let model = r#"{"modelSummaries": [{"modelId": "eu.a.b"}]}"#;
    assert_eq!(read("us-east-1.json", model).unwrap().notes().count(), 1);
    let profile = PROFILE.replace("us.a.b", "us.eu.a.b");
    let listed = read("a.json", &profile.replace("model/a.b", "model/eu.a.b")).unwrap();
    assert_eq!(listed.notes().count(), 1);
}
