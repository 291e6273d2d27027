use super::*;

fn toml(src: &str) -> Tree<'_> {
    Tree::toml(src).expect("TOML")
}

#[test]
fn reads_every_style() {
    let cases: &[(&str, &str, &str)] = &[
        (r#"a = "x y" # "c""#, "x y", r#""x y""#),
        (r#"a = """#, "", r#""""#),
        ("a = ''", "", "''"),
        (r"a = 'C:\x'", r"C:\x", r"'C:\x'"),
        (r#"a = "it's""#, "it's", r#""it's""#),
        (r#"a = "x\ty""#, "x\ty", r#""x\ty""#),
        (r#"a = "\u00e9\U0001F600""#, "é😀", r#""\u00e9\U0001F600""#),
        (r#"a = "é""#, "é", r#""é""#),
        (r#"a = """x""""#, "x", "x"),
        (r#"a = """""""#, "", ""),
        ("a = ''''''", "", ""),
        ("a = \"\"\"\nx\n  y\n\"\"\"", "x\n  y\n", "x\n  y\n"),
        ("a = \"\"\"x\ny\"\"\"", "x\ny", "x\ny"),
        ("a = \"\"\"\n\nx\"\"\"", "\nx", "\nx"),
        ("a = \"\"\"x \\\n   y\"\"\"", "x y", "x \\\n   y"),
        (r#"a = """"x"""""#, "\"x\"", "\"x\""),
        (r#"a = """x\"y""""#, "x\"y", r#"x\"y"#),
        ("a = '''\nx\\n\n'''", "x\\n\n", "x\\n\n"),
        ("a = '''x'y'''", "x'y", "x'y"),
        ("a = ''''x''''", "'x'", "'x'"),
        ("a='x'", "x", "'x'"),
        ("  a  =  'x'  ", "x", "'x'"),
        ("\"a\" = 'x'", "x", "'x'"),
        ("'a' = 'x'", "x", "'x'"),
        ("\"\\u0061\" = 'x'", "x", "'x'"),
        ("\u{feff}a = 'x'", "x", "'x'"),
    ];
    for (src, text, raw) in cases {
        assert_strings_of_lines(toml, &format!("{src}\n"), &[("/a", text, raw)]);
    }
}

#[test]
fn reads_every_structure() {
    let cases: &[(&str, &[Row<'_>])] = &[
        ("", &[]),
        ("# only\n", &[]),
        (
            "a = 1\nb = true\nc = 1979-05-27T07:32:00Z\nd = 0x1F\ne = inf\n",
            &[],
        ),
        (
            "a.b.c = 'x'\na.b.d = 'y'\n",
            &[("/a/b/c", "x", "'x'"), ("/a/b/d", "y", "'y'")],
        ),
        ("'a.b'.\"c/d\" = 'x'\n", &[("/a.b/c~1d", "x", "'x'")]),
        (
            "a = { b = 'x', c.d = 'y', e = {} }\n",
            &[("/a/b", "x", "'x'"), ("/a/c/d", "y", "'y'")],
        ),
        (
            "a = [ 'x', 1, \"y\", [ 'z' ], { k = 'w' } ]\n",
            &[
                ("/a/0", "x", "'x'"),
                ("/a/2", "y", "\"y\""),
                ("/a/3/0", "z", "'z'"),
                ("/a/4/k", "w", "'w'"),
            ],
        ),
        (
            "a = [\n  'x', # one\n  'y',\n]\n",
            &[("/a/0", "x", "'x'"), ("/a/1", "y", "'y'")],
        ),
        (
            "r = 'x'\n[a]\nb = 'y'\n[a.c]\nd = 'z'\n",
            &[
                ("/r", "x", "'x'"),
                ("/a/b", "y", "'y'"),
                ("/a/c/d", "z", "'z'"),
            ],
        ),
        (
            "[[a]]\nb = 'x'\n[a.c]\nd = 'y'\n[[a]]\nb = 'z'\n",
            &[
                ("/a/0/b", "x", "'x'"),
                ("/a/0/c/d", "y", "'y'"),
                ("/a/1/b", "z", "'z'"),
            ],
        ),
        (
            "[[a]]\n[[a.b]]\nc = 'x'\n[[a.b]]\nc = 'y'\n",
            &[("/a/0/b/0/c", "x", "'x'"), ("/a/0/b/1/c", "y", "'y'")],
        ),
        (
            "[a.b.c]\nd = 'x'\n[a]\ne = 'y'\n",
            &[("/a/b/c/d", "x", "'x'"), ("/a/e", "y", "'y'")],
        ),
    ];
    for (src, rows) in cases {
        assert_strings_of_lines(toml, src, rows);
    }
}

#[test]
fn reads_tables_that_stand_out_of_order() {
    let src = "[a]\nx = 'ax'\n[b]\nx = 'bx'\n[a.c]\nx = 'acx'\n[[l]]\nx = 'l0'\n[d]\nx = 'dx'\n[[l]]\nx = 'l1'\n";
    let rows = [
        ("/a/x", "ax", "'ax'"),
        ("/a/c/x", "acx", "'acx'"),
        ("/b/x", "bx", "'bx'"),
        ("/l/0/x", "l0", "'l0'"),
        ("/l/1/x", "l1", "'l1'"),
        ("/d/x", "dx", "'dx'"),
    ];
    assert_strings_of_lines(toml, src, &rows);
}

#[test]
fn gives_the_spans_of_collections_and_scalars() {
    let src = "a = [ 1, 2 ]\nb = { c = 1.5 }\nf.g = 4\n[d]\ne = 3\n[[h]]\n";
    let tree = toml(src);
    for (path, raw) in [
        (&["a"][..], "[ 1, 2 ]"),
        (&["a", "1"], "2"),
        (&["b"], "{ c = 1.5 }"),
        (&["b", "c"], "1.5"),
        (&["f"], "f"),
        (&["d"], "[d]"),
        (&["h"], "[[h]]"),
    ] {
        let node = tree.at(tree.root(), path).unwrap();
        assert_eq!(&src[tree.raw(node)], raw, "{path:?}");
    }
    assert_eq!(tree.raw(tree.root()), 0..src.len());
}

#[test]
fn the_error_has_the_position_and_no_text_of_the_document() {
    for (src, line) in [
        ("secret", 1),
        ("a = 1\nsecret = ", 2),
        ("a = 'secret\n", 1),
        ("a = 1\na = 'secret'\n", 2),
        ("[a]\nb = 1\n[a]\n", 3),
        ("a = [ 'secret'\n", 1),
        ("a = \"\\q secret\"\n", 1),
        ("a = 1\n\na.secret = 2\n", 3),
    ] {
        let error = Tree::toml(src).unwrap_err();
        assert_eq!(error.line, line, "{src:?}: {error}");
        assert!(!error.to_string().contains("secret"), "{src:?}: {error}");
    }
}

#[test]
fn bounds_the_depth() {
    let arrays = format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    let keys = format!("{}a = 1", "a.".repeat(50_000));
    for src in [arrays, keys] {
        assert!(Tree::toml(&src).is_err());
    }
}

#[test]
fn changes_no_scalar_but_a_string() {
    let tree = toml("a = 1\nb = 'tok'\n");
    let [number, string] = ["a", "b"].map(|key| tree.get(tree.root(), key).unwrap());
    assert_eq!(tree.replace(number, 0..1, "x"), Err(Unmappable));
    assert_eq!(tree.replace(string, 0..3, "a'b"), Err(Unmappable));
    assert_eq!(tree.replace(string, 0..3, "a\nb"), Err(Unmappable));
}

#[test]
fn points_at_keys_within_their_quotes() {
    let src = "a = 1\n'b c' = 2\n\"d:e\" = 3\n\"f\\u0067\" = 4\nh.i = 5\n[j.'k']\nl = 6\n[[m]]\nn = { o = 7 }\n";
    let tree = toml(src);
    let keys: Vec<_> = tree
        .keyed(tree.root())
        .map(|node| {
            let raw = tree.raw_key(node).map(|raw| &src[raw]);
            (tree.key(node).unwrap(), raw)
        })
        .collect();
    let spelled = |key| (key, Some(key));
    let mut expected = [
        "a", "b c", "d:e", "fg", "h", "i", "j", "k", "l", "m", "n", "o",
    ]
    .map(spelled);
    expected[3].1 = None;
    assert_eq!(keys, expected);
}
