use super::{Format::*, *};

const JSON: &str = "{\n  \"a\": \"x\"\n}\n";
const YAML: &str = "a: x\nb:\n- y\n";
const TOML: &str = "a = 'x'\n[b]\nc = 'y'\n";
const ENV: &str = "# c\nA=x\nexport B = 'y'\n";
const PROSE: &str = "The model is fast.\nIt is cheap, too.\n";
const PYTHON: &str = "import boto3\nMODEL = 'x'\nclient.invoke_model(modelId=MODEL)\n";
const SHELL: &str = "#!/bin/sh\nset -eu\nMODEL=x\naws bedrock --model \"$MODEL\"\n";

/// The formats of the documents that a text of this name is read as.
fn formats(src: &str, name: &str) -> Vec<Format> {
    let trees = Tree::embedded(src, name);
    trees.iter().map(Tree::format).collect()
}

#[test]
fn lets_the_name_decide() {
    let cases: &[(&str, &str, Format)] = &[
        ("a.json", JSON, Json),
        ("A.JSON", JSON, Json),
        ("a.yaml", JSON, Yaml),
        ("a.yml", YAML, Yaml),
        (".yaml", YAML, Yaml),
        ("dir.json/a.yml", YAML, Yaml),
        ("a.json", "{a: x}", Yaml),
        ("a.toml", TOML, Toml),
        ("a.toml", "a = 1", Toml),
        (".env", ENV, Env),
        ("prod.env", ENV, Env),
        (".env.local", ENV, Env),
        ("a.properties", "a: x", Properties),
        ("a.properties", "a.b = x", Properties),
        ("a.yaml", "a: {{ b }}", Yaml),
        ("a.yaml", "{{ if a }}\nb: {{ c }}\n{{ end }}\n", Yaml),
        ("a.md", YAML, Lines),
        ("a.PY", ENV, Lines),
        ("a.sh", ENV, Lines),
        ("a.txt", JSON, Lines),
        ("a.tf", TOML, Lines),
        ("Dockerfile", ENV, Lines),
        ("Dockerfile.prod", ENV, Lines),
        ("chat.Dockerfile", ENV, Lines),
        ("dir/Makefile", YAML, Lines),
        ("README", YAML, Lines),
        ("Makefile.yaml", YAML, Yaml),
    ];
    for (name, src, format) in cases {
        assert_eq!(formats(src, name), [*format], "{name}: {src:?}");
    }
}

#[test]
fn lets_the_content_decide_where_the_name_does_not() {
    let cases = [
        (JSON, Json),
        ("[1, 2]", Json),
        ("  \n{\"a\": 1}", Json),
        ("{a: x}", Yaml),
        ("[a, b]", Yaml),
        (YAML, Yaml),
        ("- x\n- y\n", Yaml),
        ("a: x = y\n", Yaml),
        ("a: {{ b }}\n", Yaml),
        (TOML, Toml),
        ("[a]\nb = [ 1 ]\n", Toml),
        ("a = { b = 'x' }\nc = '''\nx\n'''\n", Toml),
        ("{{ a }}: b\n", Yaml),
        ("\"a b\": c\n", Yaml),
        ("- a: b c, d\n", Yaml),
        (ENV, Env),
        ("A=x\n", Env),
        ("a.b = x y\n", Env),
        ("A='x\ny'\nB=z\n", Env),
        ("x", Lines),
        ("'x'", Lines),
        ("7", Lines),
        (PROSE, Lines),
        (PYTHON, Lines),
        (SHELL, Lines),
        ("[a", Lines),
        ("a: 1\na: 2\n", Lines),
        ("a: [\n---\nb: 1\n", Lines),
    ];
    for (src, format) in cases {
        for name in ["", "a", "a.conf", "config.prod", "a."] {
            let windows = src.replace('\n', "\r\n");
            for src in [src, src.trim_end(), &windows] {
                assert_eq!(formats(src, name), [format], "{name}: {src:?}");
            }
        }
    }
}

#[test]
fn reads_by_lines_what_is_no_configuration_whatever_its_colons_look_like() {
    for src in [
        "def f(model=\"x\"): return model\n",
        "class Chat:\n    \"x\"\n",
        "for a in b:\n    - x\n",
        "print(f\"{a}: x\")\n",
        "#!/bin/sh\nexport MODEL=x\n",
        "#!/usr/bin/env python3\nmodel: x\n",
        "curl -H \"Model: x\" \\\n  --fail\n",
        "test -n \"$A\" || B=1: 'x'\n",
        "f() { echo a: x; }\n",
        "export default {model: 'x'}\n",
        "SELECT a AS b: 'x'\n",
        "FROM python: x\n",
        "For chats take this one: x\n",
        "a, b: x\n",
        "- for chats: x\n- else: y\n",
    ] {
        for src in [src, src.trim_end(), &format!("\u{feff}{src}")] {
            assert_eq!(formats(src, "run"), [Lines], "{src:?}");
        }
    }
}

#[test]
fn reads_behind_a_byte_order_mark() {
    for (src, name, pointer) in [
        (JSON, "a.json", "/a"),
        (JSON, "", "/a"),
        (YAML, "a.yaml", "/a"),
        ("{{ if b }}\na: x\n{{ end }}\n", "", "/a"),
        (TOML, "", "/a"),
        (ENV, ".env", "/A"),
        ("A=x", "", "/A"),
        ("a:x", "a.properties", "/a"),
        ("x", "a.txt", "/0"),
    ] {
        let marked = format!("\u{feff}{src}");
        let trees = Tree::embedded(&marked, name);
        let plain = Tree::embedded(src, name);
        let read = |trees: &[Tree<'_>]| trees.iter().flat_map(strings).collect::<Vec<_>>();
        assert_eq!(read(&trees), read(&plain), "{src:?}");
        assert_eq!(trees[0].format(), plain[0].format(), "{src:?}");
        let leaf = trees[0].strings(trees[0].root()).next().unwrap();
        assert_eq!(trees[0].pointer(trees[0].root(), leaf), pointer);
        let change = trees[0].replace(leaf, 0..1, "new").unwrap();
        let expected = format!("\u{feff}{}", src.replacen('x', "new", 1));
        assert_eq!(splice(&marked, &[change]), expected, "{src:?}");
    }
}

#[test]
fn a_file_that_is_not_what_its_name_promises_is_read_by_lines() {
    for (name, src) in [
        ("a.json", PROSE),
        ("a.json", "7"),
        ("a.yaml", PROSE),
        ("a.yaml", "a: [\n"),
        ("a.toml", YAML),
        ("a.properties", PROSE),
        (".env", YAML),
    ] {
        assert_eq!(formats(src, name), [Lines], "{name}: {src:?}");
    }
}

#[test]
fn finds_no_document_where_nothing_or_a_comment_is() {
    for src in ["", "\n", "# only: a comment\n"] {
        assert_eq!(formats(src, ""), [], "{src:?}");
    }
}

#[test]
fn reads_each_document_of_a_text() {
    let src = "a: x\n---\n- y\n---\nb: z\n";
    let trees = Tree::embedded(src, "");
    let read: Vec<_> = trees.iter().flat_map(strings).collect();
    let expected = [("/a", "x"), ("/0", "y"), ("/b", "z")];
    assert_eq!(
        read,
        expected.map(|(pointer, text)| (pointer.into(), text.into()))
    );
    assert_eq!(
        formats("a: x\n---\ny\n", ""),
        [Lines],
        "one is a single text"
    );
}

#[test]
fn changes_one_string_of_each_format_alone() {
    fn read(src: &str) -> Tree<'_> {
        Tree::embedded(src, "").pop().expect("a tree")
    }
    let cases: [(&str, &[Row<'_>]); 5] = [
        (JSON, &[("/a", "x", "\"x\"")]),
        (YAML, &[("/a", "x", "x"), ("/b/0", "y", "y")]),
        (TOML, &[("/a", "x", "'x'"), ("/b/c", "y", "'y'")]),
        (ENV, &[("/A", "x", "x"), ("/B", "y", "'y'")]),
        (
            PROSE,
            &[
                ("/0", "The model is fast.", "The model is fast."),
                ("/1", "It is cheap, too.", "It is cheap, too."),
            ],
        ),
    ];
    for (src, rows) in cases {
        assert_strings_of_lines(read, src, rows);
    }
}

#[test]
fn reads_the_lines_that_are_of_no_document() {
    let src = "a: x\n---\nb: [ y\n---\nc: z\n---\nd: ]\n";
    let read: Vec<_> = Tree::yaml(src).flatten().collect();
    let other = Tree::other_lines(src, &read);
    let lines: Vec<_> = strings(&other).into_iter().map(|(_, line)| line).collect();
    assert!(lines.contains(&"b: [ y".to_owned()) && lines.contains(&"d: ]".to_owned()));
    assert!(!lines.contains(&"a: x".to_owned()) && !lines.contains(&"c: z".to_owned()));
    assert_eq!(
        strings(&Tree::other_lines(src, &[])),
        strings(&Tree::lines(src))
    );
}
