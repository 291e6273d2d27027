use super::*;

fn dump(tree: &Tree<'_>, node: NodeId, out: &mut String) {
    use std::fmt::Write;
    match tree.kind(node) {
        Kind::Mapping | Kind::Sequence => {
            let _ = write!(out, "{:?}{:?}(", tree.kind(node), tree.raw(node));
            for child in tree.children(node) {
                let _ = write!(out, " {:?}", tree.key(child));
                dump(tree, child, out);
            }
            out.push(')');
        }
        kind => {
            let _ = write!(
                out,
                " {kind:?} {:?} {:?} {}",
                tree.text(node),
                tree.raw(node),
                tree.is_shared(node)
            );
        }
    }
}

#[test]
fn smoke() {
    for src in [
        "a: |2- # tok\n\n    tok\n   x\n# c\nb: 'it''s' # d\nc: \"a\\x41\"\nd: plain\n   more\ne: >+\n  x\n\n\nf:\ng: &a !!str 12\nh: *a\n<<: {x: y}\ni: [1, 2]\nj:\n- q\n- r\nk: |\n  last",
        "a: [\n---\nb: {<<: [{c: 1}, {c: 2, d: 3}], d: 4}\n",
    ] {
        for tree in Tree::yaml(src) {
            match tree {
                Ok(tree) => {
                    let mut out = String::new();
                    dump(&tree, tree.root(), &mut out);
                    println!("{out}");
                }
                Err(error) => println!("{error}"),
            }
        }
    }
    let tree =
        Tree::json(r#"{"a": [1, "x\u0041\n", {}, [], null], "b\"": {"c": -1.5e3}}"#).unwrap();
    let mut out = String::new();
    dump(&tree, tree.root(), &mut out);
    println!("{out}");
}
