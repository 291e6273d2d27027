//! A secret that stands beside an ID is told to nobody.

use bedrock_profiles::budget::{Budget, Limits};
use bedrock_profiles::domain::judge::{Action, Context, judge};
use bedrock_profiles::domain::object::Object;
use bedrock_profiles::report::formats::{self, FormatOptions, RepositoryPaths};
use bedrock_profiles::report::terminal::table;
use bedrock_profiles::report::text::{GroupBy, Show, TextOptions, text};
use bedrock_profiles::report::{
    AuditReport, AuditSubject, FindingRecord, RecordContext, ToolVersion,
};
use bedrock_profiles::text::Tree;
use proptest::prelude::*;
use serde_json::Value;

use super::holds;
use super::scenes::{Scene, scenes};
use crate::evaluate::scenario::{ANNOTATION, Event, Scenario, TODAY};

/// The report of everything that every policy says of an object.
fn report(world: &Scenario, object: &Value) -> String {
    let source = object.to_string();
    let tree = Tree::json(&source).unwrap();
    let object = Object::at(&tree, tree.root());
    let snapshot = &*world.view.snapshot;
    let judgement = judge(
        &object,
        &Context {
            view: &world.view,
            namespace: &world.namespace,
            action: Action::Read,
            today: TODAY,
            budget: &Budget::new(Limits::REVIEW),
        },
    );
    let all = judgement.effective.iter().chain(&judgement.previews);
    let records = all.flat_map(|under| {
        let around = RecordContext {
            snapshot,
            policy: under.policy,
            today: TODAY,
            preview: false,
        };
        let tree = &tree;
        under.findings.iter().map(move |one| {
            let pointer = tree.pointer(tree.root(), one.finding.site.node());
            FindingRecord::new(one, pointer, None, around)
        })
    });
    let subject = AuditSubject {
        tool: ToolVersion::current(None),
        today: TODAY,
        files: Some(1),
        objects: 1,
        incomplete: Vec::new(),
        unread_files: Vec::new(),
        unread: Vec::new(),
    };
    in_every_format(&AuditReport::new(subject, records.collect()))
}

fn in_every_format(report: &AuditReport) -> String {
    let paths = RepositoryPaths::new("/repo".as_ref(), "/repo".as_ref());
    let options = FormatOptions {
        show: &[Show::All],
        paths: &paths,
    };
    let width = 80;
    let show = options.show;
    let group_by = GroupBy::File;
    [
        serde_json::to_string(report).unwrap(),
        text(
            report,
            TextOptions {
                show,
                group_by,
                width,
            },
        ),
        table(report),
        formats::sarif(report, options).unwrap(),
        formats::junit(report, options),
        formats::github(report, options),
        formats::gitlab(report, options).unwrap(),
        formats::markdown(report, options),
    ]
    .concat()
}

#[test]
fn texts_beside_an_id_are_never_disclosed() {
    let worlds = [
        "{ lists: Rewrite }",
        "{ mode: Deny, unresolved: Deny }",
        "{ mode: DryRun }",
        "{ unresolved: Deny, models: { exclude: ['*haiku*'] }, geography: { allowedDestinations: [eu-*] } }",
    ]
    .map(Scenario::under);
    holds(200, &scenes(), |Scene { before, secret, .. }| {
        for world in &worlds {
            let outcome = world.create(&before);
            let message = format!(
                "{:?} {:?} {} {} {}",
                outcome.warnings,
                outcome.audit,
                outcome.message,
                outcome.after["metadata"]["annotations"][ANNOTATION],
                report(world, &before),
            );
            prop_assert!(!message.contains(&secret), "{message}");
            // The patch has it only in the texts that it replaces, which had it before.
            for operation in outcome.patch.as_array().into_iter().flatten() {
                if operation["value"].to_string().contains(&secret) {
                    let path = operation["path"].as_str().unwrap();
                    let there = before.pointer(path).and_then(Value::as_str);
                    prop_assert!(there.is_some_and(|text| text.contains(&secret)), "{path}");
                }
            }
            let read = world.judge(&before, Event::Read);
            let read = format!("{:?}", read.found);
            prop_assert!(!read.contains(&secret), "{read}");
        }
        Ok(())
    });
}
