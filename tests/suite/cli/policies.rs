//! Policies and what they select, from the command line.

use super::habits::{folder, pod};
use super::{SONNET, run, text};

#[test]
fn the_namespaces_that_no_policy_selects_are_named() {
    let policy = |name: &str, team: &str| {
        format!(
            "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfilePolicy\nmetadata: {{name: {name}}}\nspec: {{mode: Rewrite, match: {{namespaceSelector: {{matchLabels: {{team: {team}}}}}}}}}\n"
        )
    };
    let namespace = |name: &str, team: &str| {
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{team: {team}}}}}\n---\n"
        )
    };
    let in_namespace =
        |name: &str| pod(SONNET).replace("{name: p}", &format!("{{name: p, namespace: {name}}}"));
    let objects = format!(
        "{}{}{}---\n{}",
        namespace("one", "a"),
        namespace("two", "b"),
        in_namespace("one"),
        in_namespace("two"),
    );
    let (_folder, path) = folder(&[
        ("objects.yaml", objects.as_bytes()),
        ("a.policy", policy("of-a", "a").as_bytes()),
        ("c.policy", policy("of-c", "c").as_bytes()),
        (
            "every.policy",
            policy("every", "a")
                .replace("matchLabels: {team: a}", "")
                .as_bytes(),
        ),
    ]);
    let printed = |policies: &[&str]| {
        let policies = policies
            .iter()
            .map(|name| format!("--policy={path}/{name}.policy"));
        let policies: Vec<_> = policies.collect();
        let policies = policies.iter().map(String::as_str);
        let args: Vec<_> = ["audit", &path, "--summary"]
            .into_iter()
            .chain(policies)
            .collect();
        text(&run(&args).stderr).to_owned()
    };
    let left = "no policy selects 1 of 2 objects and files, whose IDs are not found; their namespaces: two";
    // A policy may leave a namespace out on purpose.
    let of_a = printed(&["a"]);
    assert!(of_a.contains(&format!("note: {left}\n")), "{of_a}");
    assert!(!of_a.contains("warning: "), "{of_a}");
    let of_both = printed(&["a", "c"]);
    assert!(
        of_both.contains("warning: policy of-c selects nothing"),
        "{of_both}"
    );
    assert!(of_both.contains(&format!("warning: {left}\n")), "{of_both}");
    assert!(!printed(&["every"]).contains("selects"));
    // An object without an ID is selected too, by labels of a namespace that is read after it.
    let without_id = pod("x").replace("{name: p}", "{name: p, namespace: one}");
    let files = [
        ("a.yaml", without_id),
        ("b.yaml", namespace("one", "a")),
        ("p.policy", policy("of-a", "a")),
    ];
    let files = files
        .each_ref()
        .map(|(name, content)| (*name, content.as_bytes()));
    let (_folder, path) = folder(&files);
    let done = run(&["audit", &path, "--policy", &format!("{path}/p.policy")]);
    assert!(
        !text(&done.stderr).contains("selects"),
        "{}",
        text(&done.stderr)
    );
}
