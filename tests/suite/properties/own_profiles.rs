//! Profiles of the author beside IDs: a record of rewrites never claims them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::holds;
use crate::evaluate::scenario::{
    ANNOTATION, Event, Outcome, SONNET_4_5, SONNET_4_6, Scenario, behind,
};

/// The form of the object that has the IDs.
const FORMS: &[Form] = &[
    Form::Arguments,
    Form::Addresses,
    Form::Variables,
    Form::Script,
    Form::List,
    Form::File,
    Form::Properties,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Arguments,
    Addresses,
    Variables,
    Script,
    List,
    File,
    Properties,
}

/// Names of models, with and without a profile's geography.
fn names() -> impl Strategy<Value = Vec<String>> {
    let geography = select(&["", "", "us.", "eu.", "global.", "jp."][..]);
    let model = select(&[SONNET_4_5, SONNET_4_6][..]);
    let name = (geography, model).prop_map(|(geography, model)| format!("{geography}{model}"));
    vec(name, 1..7)
}

fn object(form: Form, names: &[String]) -> Value {
    let numbered = || names.iter().enumerate();
    let pod = |container: Value| json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" }, "spec": { "containers": [container] } });
    let map = |key: &str, text: String| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": { key: text } });
    let lines = |line: &dyn Fn(usize, &str) -> String| -> String {
        numbered().map(|(at, name)| line(at, name)).collect()
    };
    match form {
        Form::Arguments => {
            let args = numbered().flat_map(|(at, name)| [format!("--model-{at}"), name.clone()]);
            pod(json!({ "name": "app", "args": args.collect::<Vec<_>>() }))
        }
        Form::Addresses => {
            let address = |at: usize, name: &str| {
                let region = ["us-east-1", "eu-west-1"][at % 2];
                format!("https://bedrock-runtime.{region}.amazonaws.com/model/{name}/invoke")
            };
            let args = numbered().map(|(at, name)| match at % 3 {
                0 => address(at / 3, name),
                _ => name.clone(),
            });
            pod(json!({ "name": "app", "args": args.collect::<Vec<_>>() }))
        }
        Form::Variables => {
            // The kubelet takes the last of equal names; all of them are one location.
            let env = numbered()
                .map(|(at, name)| json!({ "name": format!("MODEL_ID_{}", at % 2), "value": name }));
            pod(json!({ "name": "app", "env": env.collect::<Vec<_>>() }))
        }
        Form::Script => {
            let script = lines(&|at, name| format!("app --model-{at} {name}\n"));
            pod(json!({ "name": "app", "command": ["sh", "-c", script] }))
        }
        Form::List => {
            let document = json!({ "models": numbered().map(|(at, name)| json!({ "name": at, "model": name })).collect::<Vec<_>>() });
            pod(
                json!({ "name": "app", "env": [{ "name": "SETTINGS", "value": document.to_string() }] }),
            )
        }
        Form::File => {
            let file = lines(&|at, name| match at % 3 {
                0 => format!("model{at}:\n  aws_region_name: us-east-1\n  model: {name}\n"),
                _ => format!("model{at}: &m{at} {name}\nagain{at}: *m{at}\n"),
            });
            map("models.yaml", file)
        }
        Form::Properties => map(
            "app.properties",
            lines(&|at, name| format!("model.{at}={name}\n")),
        ),
    }
}

/// The names in all texts of the object, in order: those of the author, by their position, stay.
fn names_in(object: &Value) -> Vec<String> {
    let mut object = object.clone();
    object["metadata"] = Value::Null;
    let text = object.to_string();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    text.split(|c| !is_name(c))
        .flat_map(|word| word.split("\\n"))
        .filter(|word| word.contains("anthropic."))
        .map(str::to_owned)
        .collect()
}

fn with_region(mut object: Value, region: &str) -> Value {
    object["metadata"]["annotations"]["bedrock-profiles.dev/region"] = region.into();
    object
}

/// Admission of a new object, or of an update that changes it.
fn admit(world: &Scenario, object: &Value, event: Event<'_>) -> Outcome {
    world.judge(object, event)
}

#[test]
fn a_second_round_makes_no_patch_and_a_revision_changes_no_profile_of_the_author() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    let (mut rewritten, mut revised) = (0, 0);
    let counts = std::cell::RefCell::new((&mut rewritten, &mut revised));
    holds(1500, &(select(FORMS), names()), |(form, names)| {
        let before = object(form, &names);
        let once = admit(&world, &before, Event::Create);
        let twice = admit(&world, &once.after, Event::Create);
        prop_assert!(!twice.changed(), "{} after {}", twice.patch, once.patch);
        let other = admit(
            &world,
            &with_region(once.after.clone(), "eu-west-1"),
            Event::Create,
        );
        let own = |text: &String| !text.starts_with("anthropic.");
        for ((first, round), last) in names_in(&before)
            .iter()
            .zip(names_in(&once.after))
            .zip(names_in(&other.after))
        {
            if own(first) {
                prop_assert_eq!((first, first), (&round, &last));
            }
        }
        let mut counts = counts.borrow_mut();
        *counts.0 += usize::from(once.changed());
        *counts.1 += usize::from(once.changed() && other.again && other.changed());
        Ok(())
    });
    assert!(rewritten > 500 && revised > 300, "{rewritten}, {revised}");
}

/// A later webhook that adds an ID of the same name makes the ordinal of a record wrong, so the record is dropped.
#[test]
fn a_record_of_another_number_of_equal_ids_claims_none() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    let profile = behind("us", SONNET_4_5);
    let once = world.create(&object(
        Form::Arguments,
        &[SONNET_4_5.to_owned(), profile.clone()],
    ));
    let entry = &once.record()["entries"][0];
    assert_eq!((&entry["nth"], &entry["of"]), (&Value::Null, &json!(2)));
    for added in [0, 4] {
        let mut more = once.after.clone();
        let args = more["spec"]["containers"][0]["args"].as_array_mut();
        args.unwrap().insert(added, json!(profile));
        let twice = world.create(&with_region(more.clone(), "eu-west-1"));
        assert_eq!(twice.record(), Value::Null, "{added}");
        assert_eq!(twice.after["spec"], more["spec"], "{added}");
    }
}

/// A record without ordinals, as earlier versions wrote them, counts where its ID is the only one.
#[test]
fn a_record_without_ordinals_claims_no_id_of_several() {
    let world = Scenario::under("{ region: { default: us-east-1 } }");
    for (names, is_claimed) in [
        (vec![SONNET_4_5.to_owned()], true),
        (vec![SONNET_4_5.to_owned(), behind("us", SONNET_4_5)], false),
        (vec![SONNET_4_5.to_owned(), SONNET_4_5.to_owned()], false),
    ] {
        let once = world.create(&object(Form::Arguments, &names));
        let mut old = once.record();
        for entry in old["entries"].as_array_mut().unwrap() {
            let entry = entry.as_object_mut().unwrap();
            entry.retain(|field, _| field != "nth" && field != "of");
        }
        let mut object = with_region(once.after.clone(), "eu-west-1");
        object["metadata"]["annotations"][ANNOTATION] = old.to_string().into();
        let twice = world.create(&object);
        let changed = twice.after["spec"] != object["spec"];
        assert_eq!(changed, is_claimed, "{names:?}");
    }
}
