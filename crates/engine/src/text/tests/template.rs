use super::*;

const TOKEN: &str = "anthropic.claude-v2:1";

fn template(src: &str) -> Tree<'_> {
    let mut trees = Tree::yaml_template(src, MergeOrder::Unknown);
    assert_eq!(trees.len(), 1, "{src:?}");
    trees.remove(0).expect("a tree")
}

#[test]
fn masks_templates_in_values_and_keys() {
    let cases: &[(&str, &[Row<'_>])] = &[
        // A value.
        ("a: {{ b }}\n", &[("/a", "{{ b }}", "{{ b }}")]),
        ("a: '{{ b }}'\n", &[("/a", "{{ b }}", "'{{ b }}'")]),
        ("- {{- b -}}\n", &[("/0", "{{- b -}}", "{{- b -}}")]),
        ("a: {% b %}c\n", &[("/a", "{% b %}c", "{% b %}c")]),
        ("a: {{{ b }}}\n", &[("/a", "{{{ b }}}", "{{{ b }}}")]),
        ("a: {{\"é\"}}\n", &[("/a", "{{\"é\"}}", "{{\"é\"}}")]),
        ("a: {{}}\n", &[("/a", "{{}}", "{{}}")]),
        // A part of one.
        ("a: b{{ c }}d\n", &[("/a", "b{{ c }}d", "b{{ c }}d")]),
        (
            "a: {{ b }} c {% d %}\n",
            &[("/a", "{{ b }} c {% d %}", "{{ b }} c {% d %}")],
        ),
        (
            "a: [{{ b }}, c]\n",
            &[("/a/0", "{{ b }}", "{{ b }}"), ("/a/1", "c", "c")],
        ),
        (
            "a: {b: {{ c }}, d: e }\n",
            &[("/a/b", "{{ c }}", "{{ c }}"), ("/a/d", "e", "e")],
        ),
        // A key.
        ("{{ a }}: b\n", &[("/{{ a }}", "b", "b")]),
        ("a-{{ b }}: c\n", &[("/a-{{ b }}", "c", "c")]),
        (
            "{{ a }}: b\n{{ c }}: d\n",
            &[("/{{ a }}", "b", "b"), ("/{{ c }}", "d", "d")],
        ),
        // With quotes and signs of its own.
        (
            "a: {{ b | default \"c: d\" }}\n",
            &[(
                "/a",
                "{{ b | default \"c: d\" }}",
                "{{ b | default \"c: d\" }}",
            )],
        ),
        (
            "a: \"{{ b \"c\" }}\"\n",
            &[("/a", "{{ b \"c\" }}", "\"{{ b \"c\" }}\"")],
        ),
        (
            "a: \"\\t{{ b }}\"\n",
            &[("/a", "\t{{ b }}", "\"\\t{{ b }}\"")],
        ),
        // The text is no YAML without a mask.
        (
            "a: \"\\t{{ b }}\"\nc: {{ d }}\n",
            &[
                ("/a", "\t$$$b$$$", "\"\\t{{ b }}\""),
                ("/c", "{{ d }}", "{{ d }}"),
            ],
        ),
        // What only looks like one.
        (
            "a: '{{'\nb: '%}'\n",
            &[("/a", "{{", "'{{'"), ("/b", "%}", "'%}'")],
        ),
        ("a: '}} {{'\n", &[("/a", "}} {{", "'}} {{'")]),
    ];
    for (src, rows) in cases {
        assert_strings_of_lines(template, src, rows);
    }
}

#[test]
fn masks_templates_that_fill_lines() {
    let cases: &[(&str, &[Row<'_>])] = &[
        // A line of its own.
        (
            "{{ if a }}\nb: c\n{{ end }}\nd: e\n",
            &[("/b", "c", "c"), ("/d", "e", "e")],
        ),
        (
            "a:\n  {%- if b %}\n  c: d\n  {%- endif %}\n",
            &[("/a/c", "d", "d")],
        ),
        ("{{ a }} {{ b }}\t{% c %}\nd: e\n", &[("/d", "e", "e")]),
        ("# {{ a }}\nb: c # {{ d }}\n", &[("/b", "c", "c")]),
        // Several lines.
        (
            "a: {{ b\n  c }}\nd: e\n",
            &[("/a", "{{ b", "{{ b"), ("/d", "e", "e")],
        ),
        ("{{ a\n\n  b\n}}\nc: d\n", &[("/c", "d", "d")]),
        // A block scalar.
        (
            "a: |-\n  b {{ c }}\n  d\ne: f\n",
            &[("/a", "b {{ c }}\nd", "b {{ c }}\n  d\n"), ("/e", "f", "f")],
        ),
        (
            "a: |-\n  b {{ c }}\n  d\n{{ e }}: f\n",
            &[
                ("/a", "b $$$c$$$\nd", "b {{ c }}\n  d\n"),
                ("/{{ e }}", "f", "f"),
            ],
        ),
        (
            "a: |-\n  {{ b }}\n  c\n{{ d }}: e\n",
            &[
                ("/a", "#######\nc", "{{ b }}\n  c\n"),
                ("/{{ d }}", "e", "e"),
            ],
        ),
        (
            "a: |-\n  b\n{{ c }}\n  d\ne: f\n",
            &[("/a", "b\n     \nd", "b\n{{ c }}\n  d\n"), ("/e", "f", "f")],
        ),
    ];
    for (src, rows) in cases {
        assert_strings_of_lines(template, src, rows);
    }
}

#[test]
fn reads_what_is_behind_the_last_line_of_a_template() {
    let cases: &[(&str, &[Row<'_>])] = &[
        (
            "a: {{ b\n  c }} d\ne: f\n",
            &[("/a", "$$$b $ d", "{{ b\n  c }} d"), ("/e", "f", "f")],
        ),
        (
            "a: {{ b (c\n) }}-d\ne: f\n",
            &[("/a", "$$$b$$c $-d", "{{ b (c\n) }}-d"), ("/e", "f", "f")],
        ),
        (
            "a: |-\n  {{ b\n  }}c {{ d }}\n  e\n{{ f }}: g\n",
            &[
                ("/a", "####\n $c $$$d$$$\ne", "{{ b\n  }}c {{ d }}\n  e\n"),
                ("/{{ f }}", "g", "g"),
            ],
        ),
        // Nothing, or a comment.
        ("{{ b\n  }} # c\na: d\n", &[("/a", "d", "d")]),
    ];
    for (src, rows) in cases {
        assert_strings_of_lines(template, src, rows);
    }
}

#[test]
fn takes_no_key_of_a_template_for_another_or_for_one_too_many() {
    let twice = [("/a", "b", "b"), ("/a", "c", "c")];
    let cases: &[(&str, &[Row<'_>])] = &[
        (
            "{{ .a }}: x\n{{ .b }}: y\n",
            &[("/{{ .a }}", "x", "x"), ("/{{ .b }}", "y", "y")],
        ),
        (
            "{{ a + b }}: x\n{{ a * b }}: y\n",
            &[("/{{ a + b }}", "x", "x"), ("/{{ a * b }}", "y", "y")],
        ),
        // One of two branches is written.
        ("{{ if d }}\na: b\n{{ else }}\na: c\n{{ end }}\n", &twice),
    ];
    for (src, rows) in cases {
        assert_strings_of_lines(template, src, rows);
    }
    assert_eq!(
        strings(&template("a: b\na: c\n")),
        [("/a".to_owned(), "c".to_owned())]
    );
}

#[test]
fn changes_what_is_beside_a_template_alone() {
    for src in [
        "model: {{ .Values.prefix }}TOKEN # {{ c }}\n",
        "model: \"TOKEN{{ .Values.suffix }}\"\n",
        "region: {{ .Values.region }}\nmodel: TOKEN\n",
        "{{- if .Values.on }}\nmodel: TOKEN\n{{- end }}\n",
        "a:\n{{ toYaml .Values.a | indent 2 }}\nmodel: 'TOKEN'\n",
        "model: {{ a }}-TOKEN-{{ b }}\n",
    ] {
        for src in [src.to_owned(), src.replace('\n', "\r\n")] {
            let src = src.replace("TOKEN", TOKEN);
            let tree = template(&src);
            let leaf = tree.get(tree.root(), "model").unwrap();
            let text = tree.text(leaf).unwrap();
            let start = text.find(TOKEN).unwrap();
            let change = tree.replace(leaf, start..start + TOKEN.len(), "new");
            let after = splice(&src, &[change.unwrap()]);
            assert_eq!(after, src.replace(TOKEN, "new"));
            let read = template(&after);
            let again = read.get(read.root(), "model").unwrap();
            assert_eq!(read.text(again).unwrap(), text.replace(TOKEN, "new"));
        }
    }
}

#[test]
fn reads_the_other_documents_of_a_template() {
    let src = "a: {{ b }}\n---\n# {{ c }}\nd: [\n---\n{{ e }}\nf: g\n";
    let trees = Tree::yaml_template(src, MergeOrder::Unknown);
    let read: Vec<_> = trees
        .iter()
        .map(|tree| tree.as_ref().ok().map(strings))
        .collect();
    let one = |pointer: &str, text: &str| Some(vec![(pointer.to_owned(), text.to_owned())]);
    assert_eq!(read, [one("/a", "{{ b }}"), None, one("/f", "g")]);
    assert_eq!(trees[1].as_ref().unwrap_err().line, 4);
}

#[test]
fn reads_a_file_without_templates_as_it_is() {
    let src = "a: x$x\n---\nb: {c: d}\n";
    let read: Vec<_> = Tree::yaml_template(src, MergeOrder::Unknown)
        .into_iter()
        .flatten()
        .collect();
    assert!(read.iter().all(|tree| tree.masked.is_none()));
    assert_eq!(read.iter().flat_map(strings).count(), 2);
}

#[test]
fn lets_no_name_that_touches_a_mask_seem_whole() {
    for src in [
        "a: |-\n  {{ b }}TOKEN{% c %}\n  d",
        "a: \"\\t{{{ b }}}TOKEN{{ c }}\"",
    ] {
        let src = src.replace("TOKEN", TOKEN) + "\nd: {{ e }}\n";
        let tree = template(&src);
        let leaf = tree.get(tree.root(), "a").unwrap();
        let (before, after) = tree.text(leaf).unwrap().split_once(TOKEN).unwrap();
        assert!(before.ends_with('$') && after.starts_with('$'), "{src}");
    }
}

#[test]
fn changes_nothing_within_a_template() {
    for src in [
        "a: b{{ é c }}d\n",
        "a: \"b{{ é c }}d\"\n",
        "a: |-\n  b{{ é c }}d\n",
        "a: \"b{{ é c }}d\\n\"\n",
    ] {
        let tree = template(src);
        let leaf = tree.get(tree.root(), "a").unwrap();
        let text = tree.text(leaf).unwrap();
        let places: Vec<_> = text
            .char_indices()
            .filter(|(at, sign)| tree.locate(leaf, *at..at + sign.len_utf8()).is_ok())
            .map(|(_, sign)| sign)
            .collect();
        assert_eq!(places, ['b', 'd'], "{src:?}");
        assert_eq!(tree.locate(leaf, 0..2), Err(Unmappable), "{src:?}");
        assert_eq!(tree.locate(leaf, 0..text.len()), Err(Unmappable), "{src:?}");
    }
}

#[test]
fn finds_keys_as_they_are_written() {
    let src = "{{ a }}: 1\n\"\\t{{ b }}\": 2\n";
    let tree = template(src);
    let root = tree.root();
    let found = tree.get(root, "{{ a }}").unwrap();
    assert_eq!(tree.raw_key(found).map(|raw| &src[raw]), Some("{{ a }}"));
    let found = tree.get(root, "\t$$$b$$$").unwrap();
    assert_eq!(tree.raw_key(found), None);
}

#[test]
fn pairs_no_delimiters_across_entries() {
    let delimiters = "left: '{{'\nregion: x\nright: '}}'\n";
    let read = [("/left", "{{"), ("/region", "x"), ("/right", "}}")];
    let beside_a_template = [delimiters, "a: {{ b }}\n"].concat();
    for (src, last) in [
        (delimiters, None),
        (&beside_a_template, Some(("/a", "{{ b }}"))),
    ] {
        let tree = template(src);
        let expected: Vec<_> = read
            .into_iter()
            .chain(last)
            .map(|(pointer, text)| (pointer.to_owned(), text.to_owned()))
            .collect();
        assert_eq!(strings(&tree), expected, "{src}");
        let region = tree.get(tree.root(), "region").unwrap();
        assert!(tree.locate(region, 0..1).is_ok(), "{src}");
    }
}

#[test]
fn reads_templates_of_several_lines() {
    for src in [
        "{{- /*\nUsage: x\n- y\n*/ -}}\na: b\n",
        "{{- $x := dict\n  \"c\" \"d\"\n-}}\na: b\n",
        "c: {{ include \"d\" (dict\n  \"e\" .f\n) }}\na: b\n",
    ] {
        let tree = template(src);
        let leaf = tree.get(tree.root(), "a").expect(src);
        assert_eq!(tree.text(leaf), Some("b"), "{src}");
    }
}
