//! Only the intended scalars differ, and a second run is empty.

use bedrock_profiles::budget::{Budget, Limits};
use bedrock_profiles::domain::judge::{Action, Context, EndedModels, Verdict, judge};
use bedrock_profiles::domain::object::Object;
use bedrock_profiles::text::{Tree, splice};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::holds;
use super::scenes::{Scene, scenes};
use crate::evaluate::scenario::{ANNOTATION, Event, Scenario, TODAY};

/// The object without our annotation, and without the map that was made for it.
fn without_ours(mut object: Value) -> Value {
    let metadata = &mut object["metadata"];
    if let Some(annotations) = metadata["annotations"].as_object_mut() {
        annotations.remove(ANNOTATION);
    }
    if metadata["annotations"] == json!({}) || metadata["annotations"].is_null() {
        metadata.as_object_mut().unwrap().remove("annotations");
    }
    object
}

#[test]
fn only_the_planted_ids_change_and_a_second_run_is_empty() {
    let world = Scenario::under("{}");
    holds(400, &scenes(), |Scene { before, after, .. }| {
        let once = world.create(&before);
        prop_assert_eq!(once.changed(), before != after, "{:?}", once.found);
        prop_assert_eq!(
            without_ours(once.after.clone()),
            without_ours(after.clone())
        );
        let twice = world.create(&once.after);
        prop_assert!(!twice.changed(), "{}", twice.patch);
        Ok(())
    });
}

/// The source after the splices of an edit.
fn edited(world: &Scenario, source: &str, tree: &Tree<'_>) -> String {
    let context = Context {
        view: &world.view,
        namespace: &world.namespace,
        action: Action::Edit(EndedModels::Report),
        today: TODAY,
        budget: &Budget::new(Limits::REVIEW),
    };
    let judgement = judge(&Object::at(tree, tree.root()), &context);
    let Verdict::Rewrite(plan) = judgement.verdict else {
        return source.to_owned();
    };
    let splices: Vec<_> = plan
        .splices()
        .map(|(_, _, splice)| splice)
        .collect::<Result<_, _>>()
        .unwrap();
    splice(source, &splices)
}

#[test]
fn an_edited_source_reads_as_the_patched_object() {
    let world = Scenario::under("{}");
    holds(200, &scenes(), |Scene { before, after, .. }| {
        for source in [
            before.to_string(),
            serde_json::to_string_pretty(&before).unwrap(),
        ] {
            let tree = Tree::json(&source).unwrap();
            let spliced = edited(&world, &source, &tree);
            prop_assert_eq!(&serde_json::from_str::<Value>(&spliced).unwrap(), &after);
            prop_assert_eq!(spliced.lines().count(), source.lines().count());
        }
        Ok(())
    });
}

#[test]
fn a_yaml_source_reads_as_the_patched_object() {
    let world = Scenario::under("{}");
    holds(200, &scenes(), |Scene { before, after, .. }| {
        let source = serde_yaml::to_string(&before).unwrap();
        // Texts that the two readers of YAML take for different things are no matter of the decision.
        prop_assume!(serde_yaml::from_str::<Value>(&source).is_ok_and(|value| value == before));
        let tree = Tree::yaml(&source).next().unwrap();
        prop_assume!(tree.is_ok());
        let spliced = edited(&world, &source, &tree.unwrap());
        prop_assert_eq!(&serde_yaml::from_str::<Value>(&spliced).unwrap(), &after);
        let evaluated = world.judge_yaml(&source, Event::Edit);
        prop_assert_eq!(evaluated.changed(), before != after);
        Ok(())
    });
}
