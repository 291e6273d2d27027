//! Tokens planted in TOML, properties and templates: a splice at the place that was located changes one text and nothing
//! else, as an independent parser sees it or as the text was made.

use super::*;
use proptest::{collection::vec, prop_oneof, sample::select};
use std::fmt::Write as _;

mod toml;

const TOKEN: &str = "anthropic.claude-v2:1";
const REPLACEMENT: &str = "us.anthropic.claude-v2:1";

/// Where each token of a text is.
fn planted(text: &str) -> Vec<Range<usize>> {
    text.match_indices(TOKEN)
        .map(|(start, token)| start..start + token.len())
        .collect()
}

fn with_replacement(text: &str, at: &Range<usize>) -> String {
    [&text[..at.start], REPLACEMENT, &text[at.end..]].concat()
}

/// The file as generated, with line ends of Windows, without the last one, or both.
fn with_line_ends(src: &str, windows: bool, last: bool) -> String {
    let src = if last {
        src
    } else {
        src.trim_end_matches('\n')
    };
    if windows {
        src.replace('\n', "\r\n")
    } else {
        src.to_owned()
    }
}

/// A text under a key: how it is written after the key, and how it reads.
type Entry = (String, String);

/// Asserts that a file reads as it was made, and still does but for one token after that was replaced.
fn assert_planted(
    read: fn(&str) -> Tree<'_>,
    src: &str,
    texts: Vec<String>,
) -> Result<(), TestCaseError> {
    let made: Vec<_> = (0..texts.len())
        .map(|number| format!("/k{number}"))
        .zip(texts)
        .collect();
    let tree = read(src);
    prop_assert_eq!(strings(&tree), made.clone(), "{:?}", src);
    for (number, node) in tree.strings(tree.root()).enumerate() {
        for token in planted(&made[number].1) {
            let change = tree.replace(node, token.clone(), REPLACEMENT);
            let change =
                change.map_err(|_| TestCaseError::fail(format!("left {token:?}: {src:?}")))?;
            prop_assert_eq!(&src[change.at.clone()], TOKEN);
            let after = splice(src, &[change]);
            let mut expected = made.clone();
            expected[number].1 = with_replacement(&made[number].1, &token);
            prop_assert_eq!(strings(&read(&after)), expected, "{:?}", after);
        }
    }
    Ok(())
}

fn entry_of_properties() -> impl Strategy<Value = Entry> {
    let word = select(vec![
        TOKEN, TOKEN, "x", "é", "a:b", "k=v", "C:\\dir", "x#y", "$A",
    ]);
    let separator = select(vec!["=", " = ", ": ", ":", "=\t"]);
    let comment = select(vec!["", " ", " # anthropic.claude-v2:1 'x'"]);
    (separator, vec(word, 1..5), 0..6_u8, comment).prop_map(|(separator, words, style, comment)| {
        let (written, text) = match style {
            0 => (format!("'{}'", words.join(" ")), words.join(" ")),
            1 => (format!("\"{}\"", words.join("  ")), words.join("  ")),
            2 => (words.join(",\\\n  "), words.join(",")),
            3 => (format!("\\\n\t{}", words.join(";")), words.join(";")),
            4 => (format!("\"{}\"", words.join(", \\\n ")), words.join(", ")),
            _ => (words.join(" "), words.join(" ")),
        };
        (format!("{separator}{written}{comment}"), text)
    })
}

/// Asserts that a template's text reads as it is written, but perhaps for what fills the places of its templates.
fn assert_reads(text: &str, written: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(text.len(), written.len(), "{:?}", text);
    prop_assert_eq!(planted(text), planted(written), "{:?}", text);
    Ok(())
}

fn entry_of_a_template() -> impl Strategy<Value = Entry> {
    let piece = prop_oneof![
        4 => select(vec![TOKEN, "x", "é", "-", " a ", "/"]).prop_map(|text| (text.to_owned(), text.to_owned())),
        3 => select(vec!["{{ .Values.x }}", "{{- y | quote -}}", "{% z %}", "{{{ é }}}", "{{}}"])
            .prop_map(|template| (template.to_owned(), template.to_owned())),
    ];
    (vec(piece, 1..6), 0..4_u8).prop_map(|(pieces, style)| {
        let (written, text): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
        let (written, text) = (
            format!("w{}w", written.concat()),
            format!("w{}w", text.concat()),
        );
        let written = match style {
            0 => format!(": '{written}'"),
            1 => format!(": \"{written}\" # {{{{ c }}}}"),
            2 => format!(": |-\n  {written}"),
            _ => format!(":\n  {written}"),
        };
        (written, text)
    })
}

/// Each entry under its key, one after the other, with these lines between them.
fn written(entries: &[Entry], between: &[&str]) -> String {
    let mut file = String::new();
    for (number, (written, _)) in entries.iter().enumerate() {
        writeln!(file, "k{number}{written}").unwrap();
        file.push_str(between[number % between.len()]);
    }
    file
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn changes_the_planted_tokens_of_properties_and_nothing_else(
        entries in vec(entry_of_properties(), 1..6),
        (windows, last) in (any::<bool>(), any::<bool>()),
    ) {
        fn read(src: &str) -> Tree<'_> {
            Tree::properties(src).expect("properties")
        }
        let src = written(&entries, &["", "\n", "# anthropic.claude-v2:1\\\n", "! x\n \t\n"]);
        let texts = entries.into_iter().map(|(_, text)| text).collect();
        assert_planted(read, &with_line_ends(&src, windows, last), texts)?;
    }

    #[test]
    fn changes_the_planted_tokens_of_templates_and_nothing_else(
        entries in vec(entry_of_a_template(), 1..6),
        (windows, last) in (any::<bool>(), any::<bool>()),
    ) {
        fn read(src: &str) -> Tree<'_> {
            Tree::yaml_template(src, MergeOrder::Unknown).pop().expect("a document").expect("a tree")
        }
        let src = written(&entries, &["", "{{ if x }}\n", "{%- end -%}\n", "{{/* anthropic.claude-v2:1\n */}}\n", "# {{ c }}\n"]);
        let src = with_line_ends(&src, windows, last);
        let texts: Vec<_> = strings(&read(&src)).into_iter().map(|(_, text)| text).collect();
        prop_assert_eq!(texts.len(), entries.len());
        for (text, (_, written)) in texts.iter().zip(&entries) {
            assert_reads(text, written)?;
        }
        assert_planted(read, &src, texts)?;
    }
}
