use super::*;

fn properties(src: &str) -> Tree<'_> {
    Tree::properties(src).expect("properties")
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
        assert_strings_of_lines(properties, &format!("{src}\n"), &[("/a", text, raw)]);
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
fn says_where_a_file_breaks_and_quotes_nothing_of_it() {
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
