use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

mod embedded;
mod json;
mod locate;
mod planted;
mod properties;
mod shell;
mod template;
mod toml;
mod yaml;

const MANIFEST: &str = "kind: Pod\nspec:\n  containers:\n  - name: chat\n    env:\n    - {name: MODEL, value: \"a\"}\n    \
                        - {name: A/B~C, value: '1'}\n    ports: [80]\n  a/b~c: x\n";

/// No file is written for a failure: the message has the shrunken case, which becomes a row of a table.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn yaml(src: &str) -> Tree<'_> {
    Tree::yaml(src).next().expect("a document").expect("a tree")
}

fn json(src: &str) -> Tree<'_> {
    Tree::json(src).expect("a tree")
}

/// Each scalar by its pointer: the text of a string, none for another scalar.
fn leaves(tree: &Tree<'_>) -> BTreeMap<String, Option<String>> {
    let mut leaves = BTreeMap::new();
    let mut left = vec![tree.root()];
    while let Some(node) = left.pop() {
        left.extend(tree.children(node));
        let text = tree.text(node).map(str::to_owned);
        match tree.kind(node) {
            Kind::String => drop(leaves.insert(tree.pointer(tree.root(), node), text)),
            Kind::Scalar => drop(leaves.insert(tree.pointer(tree.root(), node), None)),
            Kind::Mapping | Kind::Sequence => {}
        }
    }
    leaves
}

/// The strings of a document in order, each with its pointer.
fn strings(tree: &Tree<'_>) -> Vec<(String, String)> {
    tree.strings(tree.root())
        .map(|node| {
            let text = tree.text(node).unwrap_or_default();
            (tree.pointer(tree.root(), node), text.to_owned())
        })
        .collect()
}

/// A string that a text should have: its pointer, its text, and the bytes that spell it.
type Row<'a> = (&'a str, &'a str, &'a str);

/// Asserts that a text has these strings and no others, and that each can be replaced alone where it is spelled as it
/// reads, and cannot be pointed at elsewhere.
fn assert_strings(read: fn(&str) -> Tree<'_>, src: &str, rows: &[Row<'_>]) {
    const WITH: &str = "eu.x-1:0";
    let tree = read(src);
    let before = strings(&tree);
    let found: Vec<_> = tree
        .strings(tree.root())
        .zip(&before)
        .map(|(node, (pointer, text))| (&**pointer, &**text, &src[tree.raw(node)]))
        .collect();
    assert_eq!(found, rows, "{src:?}");
    for (at, node) in tree.strings(tree.root()).enumerate() {
        let (_, text, raw) = rows[at];
        let whole = 0..text.len();
        let masked = tree.masked.as_deref();
        let has_template = masked.is_some_and(|masked| masked.covers(&tree.raw(node)));
        if text.is_empty() || !raw.contains(text) || has_template {
            assert_eq!(tree.locate(node, whole), Err(Unmappable), "{raw} {src:?}");
            continue;
        }
        let place = tree.locate(node, whole.clone()).expect("a place");
        assert_eq!(&src[place.clone()], text, "{src:?}");
        let change = tree.replace(node, whole, WITH).expect("a splice");
        assert_eq!(change.at, place, "{src:?}");
        let after = splice(src, &[change]);
        let mut expected = before.clone();
        WITH.clone_into(&mut expected[at].1);
        assert_eq!(strings(&read(&after)), expected, "{src:?} became {after:?}");
    }
}

/// [`assert_strings`] of a text, of the same without a line end at its end, and of both with line ends of Windows: in YAML
/// these read like the others.
fn assert_strings_of_lines(read: fn(&str) -> Tree<'_>, src: &str, rows: &[Row<'_>]) {
    let of_windows = |text: &str| text.replace('\n', "\r\n");
    let is_yaml = read(src).format() == Format::Yaml;
    let texts: Vec<_> = rows
        .iter()
        .map(|(_, text, raw)| {
            let text = if is_yaml {
                (*text).to_owned()
            } else {
                of_windows(text)
            };
            (text, of_windows(raw))
        })
        .collect();
    let windows: Vec<Row<'_>> = rows
        .iter()
        .zip(&texts)
        .map(|(row, (text, raw))| (row.0, &**text, &**raw))
        .collect();
    for (src, rows) in [(src, rows), (&*of_windows(src), &*windows)] {
        assert_strings(read, src, rows);
        assert_strings(read, src.trim_end_matches(['\r', '\n']), rows);
    }
}

#[test]
fn walks_down_by_keys_and_numbers_and_back_up() {
    let tree = yaml(MANIFEST);
    let root = tree.root();
    let value = tree
        .at(root, &["spec", "containers", "0", "env", "0", "value"])
        .unwrap();
    assert_eq!(
        (tree.kind(value), tree.text(value), tree.key(value)),
        (Kind::String, Some("a"), Some("value"))
    );
    assert_eq!(&tree.source()[tree.raw(value)], "\"a\"");
    let entry = tree.parent(value).unwrap();
    assert_eq!(
        (tree.kind(entry), tree.key(entry), tree.text(entry)),
        (Kind::Mapping, None, None)
    );
    assert_eq!(tree.get(entry, "value"), Some(value));
    assert_eq!((tree.parent(root), tree.key(root)), (None, None));
    let keys: Vec<_> = tree
        .children(root)
        .map(|child| tree.key(child).unwrap())
        .collect();
    assert_eq!(keys, ["kind", "spec"]);
    assert_eq!(tree.children(value).count(), 0);
}

#[test]
fn finds_nothing_where_nothing_is() {
    let tree = yaml(MANIFEST);
    let root = tree.root();
    let lost: [&[&str]; 6] = [
        &["spec", "containers", "1"],
        &["spec", "containers", "name"],
        &["spec", "containers", "-1"],
        &["kind", "Pod"],
        &["metadata"],
        &["spec", "containers", "0", "ports", "0", "0"],
    ];
    for path in lost {
        assert_eq!(tree.at(root, path), None, "{path:?}");
    }
    assert_eq!(tree.at(root, &[]), Some(root));
    assert_eq!(
        tree.get(tree.at(root, &["spec", "containers"]).unwrap(), "name"),
        None
    );
}

#[test]
fn pointers_are_those_of_rfc_6901() {
    let tree = yaml(MANIFEST);
    let root = tree.root();
    let spec = tree.get(root, "spec").unwrap();
    let value = tree
        .at(spec, &["containers", "0", "env", "1", "value"])
        .unwrap();
    assert_eq!(tree.pointer(root, value), "/spec/containers/0/env/1/value");
    assert_eq!(tree.pointer(spec, value), "/containers/0/env/1/value");
    assert_eq!(tree.pointer(value, value), "");
    assert_eq!(
        tree.pointer(spec, tree.get(spec, "a/b~c").unwrap()),
        "/a~1b~0c"
    );
    assert_eq!(
        tree.pointer(value, spec),
        "/spec",
        "a node that is not below is pointed at from the root"
    );
}

#[test]
fn counts_lines_and_columns_in_characters() {
    let tree = json("{\"é\": \"ü\",\r\n \"日\": 1}");
    let at = |needle: &str| tree.line_column(tree.source().find(needle).unwrap());
    assert_eq!(at("{"), (1, 1));
    assert_eq!(at("ü"), (1, 8));
    assert_eq!(at(": 1"), (2, 5));
    assert_eq!(tree.line_column(3), (1, 3), "inside a character: its start");
    assert_eq!(tree.line_column(1000), (2, 9), "beyond the end: the end");
}

#[test]
fn splices_in_any_order_and_leaves_out_what_does_not_fit() {
    let splice_at = |at: Range<usize>, with: &str| Splice {
        at,
        with: with.into(),
    };
    let cases: [(&[Splice], &str); 8] = [
        (&[], "abcdé"),
        (&[splice_at(3..4, "D"), splice_at(0..1, "AA")], "AAbcDé"),
        (&[splice_at(1..1, "-"), splice_at(1..2, "B")], "a-Bcdé"),
        (&[splice_at(0..2, "x"), splice_at(0..2, "x")], "xcdé"),
        (&[splice_at(0..2, "x"), splice_at(1..3, "y")], "xcdé"),
        (&[splice_at(4..6, "e"), splice_at(6..6, "!")], "abcde!"),
        (&[splice_at(4..5, "e"), splice_at(5..6, "f")], "abcdé"),
        (&[splice_at(5..9, "e"), splice_at(9..9, "!")], "abcdé"),
    ];
    for (splices, expected) in cases {
        assert_eq!(splice("abcdé", splices), expected, "{splices:?}");
    }
}

#[test]
fn shows_no_content_when_debugged() {
    let shown = format!("{:?}", yaml("password: hunter2"));
    assert!(
        shown.contains("nodes: 2") && !shown.contains("hunter2") && !shown.contains("password"),
        "{shown}"
    );
}

#[test]
fn can_be_shared_between_threads() {
    fn sendable<T: Send + Sync>(_: &T) {}
    sendable(&json("{}"));
}
