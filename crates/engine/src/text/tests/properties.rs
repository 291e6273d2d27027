use super::*;

#[test]
fn points_at_no_letter_behind_a_backslash() {
    for read in [Tree::properties, Tree::env] {
        let tree = read("a = x\\tb\nb = x\\\\tb\n").unwrap();
        let located = |key| {
            let leaf = tree.get(tree.root(), key).unwrap();
            let text = tree.text(leaf).unwrap();
            let start = text.find("tb").unwrap();
            tree.locate(leaf, start..start + 2).is_ok()
        };
        assert_eq!([located("a"), located("b")], [false, true]);
    }
}

fn properties(src: &str) -> Tree<'_> {
    Tree::properties(src).expect("properties")
}

fn env(src: &str) -> Tree<'_> {
    Tree::env(src).expect("an .env file")
}

#[test]
fn reads_every_style() {
    let cases: &[(&str, &str, &str)] = &[
        ("a=x", "x", "x"),
        ("a = x y \t", "x y", "x y"),
        ("a: x", "x", "x"),
        ("a:x=y", "x=y", "x=y"),
        ("a=x:y=z", "x:y=z", "x:y=z"),
        ("  a=x", "x", "x"),
        ("export a=x", "x", "x"),
        ("  export   a = x", "x", "x"),
        ("a=é", "é", "é"),
        ("a=", "", ""),
        ("a= \t", "", ""),
        ("a=\"\"", "", "\"\""),
        ("a=\"x y\"", "x y", "\"x y\""),
        ("a='x y'", "x y", "'x y'"),
        ("a=\"it's\"", "it's", "\"it's\""),
        ("a='x' # c", "x", "'x'"),
        ("a=\"x # y\"", "x # y", "\"x # y\""),
        ("a=x # c", "x", "x"),
        ("a=x#c", "x#c", "x#c"),
        ("a='x", "'x", "'x"),
        ("a='x' y", "'x' y", "'x' y"),
        ("a='x' 'y' # c", "'x' 'y'", "'x' 'y'"),
        ("a='x\\' # y'", "x\\", "'x\\'"),
        ("a=\"x \\\"y\\\"\" # c", "x \\\"y\\\"", "\"x \\\"y\\\"\""),
        ("a=v1\\:0", "v1:0", "v1\\:0"),
        ("a=x\\\\:\\#\\=\\!", "x\\\\:#=!", "x\\\\:\\#\\=\\!"),
        ("a=x\\\\", "x\\\\", "x\\\\"),
        ("a=x\\\\\\\n  y", "x\\\\y", "x\\\\\\\n  y"),
        ("a=C:\\dir", "C:\\dir", "C:\\dir"),
        ("a=x\\\n   y", "xy", "x\\\n   y"),
        ("a=x,\\\n\ty,\\\n\tz", "x,y,z", "x,\\\n\ty,\\\n\tz"),
        ("a=\\\n  x", "x", "\\\n  x"),
        ("a=\"x\\\n  y\"", "xy", "\"x\\\n  y\""),
    ];
    for (src, text, raw) in cases {
        for read in [properties, env] {
            assert_strings_of_lines(read, &format!("{src}\n"), &[("/a", text, raw)]);
        }
    }
}

#[test]
fn reads_every_line() {
    let cases: &[(&str, &[Row<'_>])] = &[
        ("", &[]),
        ("\n \n# only\n", &[]),
        (
            "# c = d\n! e = f\n\na=x\n  b.c-d[0]/e : y\n",
            &[("/a", "x", "x"), ("/b.c-d[0]~1e", "y", "y")],
        ),
        (
            "# not taken further \\\na=x\\\n\\\ny\nb=z\n",
            &[("/a", "xy", "x\\\n\\\ny"), ("/b", "z", "z")],
        ),
        (
            "a=x\nb=y\na=x\n",
            &[("/a", "x", "x"), ("/b", "y", "y"), ("/a", "x", "x")],
        ),
    ];
    for (src, rows) in cases {
        assert_strings_of_lines(properties, src, rows);
    }
}

#[test]
fn quotes_of_an_env_file_keep_lines_together() {
    let cases: &[(&str, &[Row<'_>])] = &[
        (
            "a=\"x\ny\"\nb=z\n",
            &[("/a", "x\ny", "\"x\ny\""), ("/b", "z", "z")],
        ),
        (
            "export a='x\n# y\nc=d' # e\nb=z\n",
            &[("/a", "x\n# y\nc=d", "'x\n# y\nc=d'"), ("/b", "z", "z")],
        ),
        ("a='\n x\n'\n", &[("/a", "\n x\n", "'\n x\n'")]),
        (
            "a=\"x \\\"y\\\"\nz\"\n",
            &[("/a", "x \\\"y\\\"\nz", "\"x \\\"y\\\"\nz\"")],
        ),
        // Quotes that do not enclose the value, or are never closed, enclose nothing.
        (
            "a=it's\nb='x\nc='y\n",
            &[
                ("/a", "it's", "it's"),
                ("/b", "'x", "'x"),
                ("/c", "'y", "'y"),
            ],
        ),
        ("# a='x\nb=y\n", &[("/b", "y", "y")]),
        ("a=\nb='x'\n", &[("/a", "", ""), ("/b", "x", "'x'")]),
    ];
    for (src, rows) in cases {
        assert_strings_of_lines(env, src, rows);
    }
    // In Java's properties a quote is a sign like any other.
    let rows = [("/a", "\"x", "\"x"), ("/b", "y\"", "y\"")];
    assert_strings_of_lines(properties, "a=\"x\nb=y\"\n", &rows);
    assert!(Tree::env("! a = b\n").is_err());
}

#[test]
fn points_into_a_value_of_several_lines() {
    let src = "A='\n  {\"m\": \"x-1\"}\n'\nB=y\n";
    let tree = env(src);
    let leaf = tree.get(tree.root(), "A").unwrap();
    let start = tree.text(leaf).unwrap().find("x-1").unwrap();
    let change = tree.replace(leaf, start..start + 3, "eu.x-1").unwrap();
    assert_eq!(splice(src, &[change]), src.replace("x-1", "eu.x-1"));
}

#[test]
fn points_at_keys() {
    let src = "export a=x\n b.c : y";
    let tree = properties(src);
    let keys: Vec<_> = tree
        .keyed(tree.root())
        .filter_map(|node| tree.raw_key(node))
        .map(|raw| &src[raw])
        .collect();
    assert_eq!(keys, ["a", "b.c"]);
}

#[test]
fn the_error_has_the_position_and_no_text_of_the_file() {
    for (src, line) in [
        ("secret", 1),
        ("=secret", 1),
        ("a secret = x", 1),
        ("a=x\n\nsecret\n", 3),
        ("a=x\\\ny\nsecret\n", 3),
    ] {
        let error = Tree::properties(src).unwrap_err();
        assert_eq!(error.line, line, "{src:?}: {error}");
        assert!(!error.to_string().contains("secret"), "{src:?}: {error}");
    }
}
