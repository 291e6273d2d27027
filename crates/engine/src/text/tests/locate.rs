//! Tokens planted in scalars of every style: a splice at the place that was located changes them and nothing else, as
//! an independent parser (libyaml's continuation) sees it.

use super::*;
use proptest::{collection::vec, sample::Index, test_runner::TestRunner};
use serde::Deserialize;
use serde_yaml::Value;
use std::cell::RefCell;

const TOKEN: &str = "anthropic.claude-v2:1";
const REPLACEMENT: &str = "us.anthropic.claude-v2:1";

#[derive(Clone, Debug)]
enum Doc {
    Leaf {
        text: String,
        style: Style,
        anchor: bool,
        spice: u8,
    },
    Alias(Index),
    Collection {
        mapping: bool,
        flow: bool,
        spice: u8,
        items: Vec<Doc>,
    },
}

#[derive(Clone, Copy, Debug)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

/// Writes documents, not always the ones meant: what they say is for the parsers to find out.
#[derive(Default)]
struct Writer {
    out: String,
    anchors: usize,
}

fn doc() -> impl Strategy<Value = Doc> {
    let piece = prop_oneof![
        6 => Just(TOKEN.to_owned()),
        6 => "[a-z]{1,4}",
        5 => Just(" ".to_owned()),
        3 => Just("\n".to_owned()),
        4 => prop::sample::select(vec!["é", "日", "'", "\"", "\\", ": ", " #", "\t", "  ", "-", ",", "]", "anthropic.cl", "{", "&", "*"])
            .prop_map(str::to_owned),
    ];
    let style = prop::sample::select(vec![
        Style::Plain,
        Style::Single,
        Style::Double,
        Style::Literal,
        Style::Folded,
    ]);
    let leaf = prop_oneof![
        8 => (vec(piece, 0..9), style, any::<bool>(), any::<u8>())
            .prop_map(|(pieces, style, anchor, spice)| Doc::Leaf { text: pieces.concat(), style, anchor, spice }),
        1 => any::<Index>().prop_map(Doc::Alias),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        (
            any::<bool>(),
            prop::bool::weighted(0.3),
            any::<u8>(),
            vec(inner, 0..5),
        )
            .prop_map(|(mapping, flow, spice, items)| Doc::Collection {
                mapping,
                flow,
                spice,
                items,
            })
    })
}

/// A file of a few documents, with either kind of line end and with or without the last one.
fn file() -> impl Strategy<Value = String> {
    (vec(doc(), 1..4), any::<bool>(), any::<bool>()).prop_map(|(docs, crlf, last_line_end)| {
        let mut file = String::new();
        for doc in docs {
            let mut writer = Writer {
                out: "---".to_owned(),
                anchors: 0,
            };
            writer.value(&doc, 0, false);
            file.push_str(&writer.out);
            file.push('\n');
        }
        if !last_line_end {
            file.truncate(file.trim_end_matches('\n').len());
        }
        if crlf {
            file.replace('\n', "\r\n")
        } else {
            file
        }
    })
}

impl Writer {
    fn put(&mut self, piece: fmt::Arguments<'_>) {
        self.out.push_str(&piece.to_string());
    }

    fn value(&mut self, doc: &Doc, indent: usize, flow: bool) {
        match doc {
            Doc::Leaf {
                text,
                style,
                anchor,
                spice,
            } => {
                self.out.push(' ');
                if *anchor {
                    let anchor = self.anchors;
                    self.put(format_args!("&a{anchor} "));
                    self.anchors += 1;
                }
                self.scalar(text, *style, indent, flow, *spice);
            }
            Doc::Alias(_) if self.anchors == 0 => self.out.push_str(" none"),
            Doc::Alias(index) => self.put(format_args!(" *a{}", index.index(self.anchors))),
            Doc::Collection {
                mapping,
                flow: own,
                spice,
                items,
            } if flow || *own || items.is_empty() => {
                self.flow(*mapping, items, indent, *spice);
            }
            Doc::Collection {
                mapping,
                spice,
                items,
                ..
            } => self.block(*mapping, items, indent, *spice),
        }
    }

    fn flow(&mut self, mapping: bool, items: &[Doc], indent: usize, spice: u8) {
        self.out.push_str(if mapping { " {" } else { " [" });
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                self.out.push(',');
                if spice.is_multiple_of(3) {
                    self.put(format_args!(" # {TOKEN}\n{}", " ".repeat(indent + 1)));
                }
            }
            if mapping {
                self.put(format_args!("k{number}:"));
            }
            self.value(item, indent + 1, true);
        }
        self.out.push_str(if mapping { "}" } else { "]" });
    }

    fn block(&mut self, mapping: bool, items: &[Doc], indent: usize, spice: u8) {
        let margin = " ".repeat(indent);
        for (number, item) in items.iter().enumerate() {
            let comment = if spice.is_multiple_of(4) {
                format!(" # {TOKEN} 'it")
            } else {
                String::new()
            };
            self.put(format_args!("{comment}\n{margin}"));
            if mapping {
                self.put(format_args!("k{number}:"));
            } else {
                self.out.push('-');
            }
            let nested =
                matches!(item, Doc::Collection { flow: false, items, .. } if !items.is_empty());
            if nested && !mapping && spice.is_multiple_of(2) {
                // Compact: the first entry is beside the dash.
                let mut writer = Self {
                    out: String::new(),
                    anchors: self.anchors,
                };
                writer.value(item, indent + 2, false);
                self.anchors = writer.anchors;
                let entries = writer
                    .out
                    .trim_start_matches(|character| character != '\n')
                    .trim_start();
                self.out.push(' ');
                self.out.push_str(entries);
            } else {
                self.value(item, indent + 1 + usize::from(spice % 3), false);
            }
        }
    }

    fn scalar(&mut self, text: &str, style: Style, indent: usize, flow: bool, spice: u8) {
        let margin = " ".repeat(indent + 1);
        let folded = text.replace('\n', &format!("\n\n{margin}"));
        match style {
            Style::Plain => self.out.push_str(&folded),
            Style::Single => self.put(format_args!("'{}'", folded.replace('\'', "''"))),
            Style::Literal | Style::Folded if !flow => {
                self.out.push(if matches!(style, Style::Literal) {
                    '|'
                } else {
                    '>'
                });
                let extra = usize::from(spice % 3);
                if spice.is_multiple_of(5) {
                    // Counted from the parent's indentation, which may not be ours: then the text has spaces in front.
                    self.out.push_str(&(1 + extra).to_string());
                }
                self.out
                    .push_str(["", "-", "+", "+"][usize::from(spice / 4 % 4)]);
                let comment = if spice.is_multiple_of(7) {
                    format!(" # {TOKEN}")
                } else {
                    String::new()
                };
                self.out.push_str(&comment);
                for line in text.split('\n') {
                    self.out.push('\n');
                    if !line.is_empty() {
                        self.out.push_str(&" ".repeat(indent + extra));
                        self.out.push_str(line);
                    }
                }
            }
            Style::Double | Style::Literal | Style::Folded => {
                self.out.push('"');
                for (place, character) in text.chars().enumerate() {
                    match character {
                        '"' | '\\' => self.out.extend(['\\', character]),
                        '\n' => self.out.push_str("\\n"),
                        '\t' => self.out.push_str("\\t"),
                        ' ' if spice.is_multiple_of(3) => self.put(format_args!("\n{margin}")),
                        ' ' if spice % 3 == 1 => self.put(format_args!("\\\n{margin}\\ ")),
                        other if spice.is_multiple_of(11) && place % 13 == 5 => {
                            self.put(format_args!("\\u{:04x}", u32::from(other)));
                        }
                        other => self.out.push(other),
                    }
                }
                self.out.push('"');
            }
        }
    }
}

/// The scalars of each document by their pointers as the other parser sees them; none if it refuses the file.
fn oracle(src: &str) -> Option<Vec<BTreeMap<String, Option<String>>>> {
    let documents = serde_yaml::Deserializer::from_str(src).map(|document| {
        let mut leaves = BTreeMap::new();
        let mut left = vec![(String::new(), Value::deserialize(document).ok()?)];
        while let Some((pointer, value)) = left.pop() {
            match value {
                Value::Mapping(entries) => {
                    for (key, value) in entries {
                        left.push((format!("{pointer}/{}", key.as_str()?), value));
                    }
                }
                Value::Sequence(items) => {
                    let items = items.into_iter().enumerate();
                    left.extend(items.map(|(number, item)| (format!("{pointer}/{number}"), item)));
                }
                Value::String(text) => drop(leaves.insert(pointer, Some(text))),
                Value::Null | Value::Bool(_) | Value::Number(_) => {
                    drop(leaves.insert(pointer, None));
                }
                Value::Tagged(_) => return None,
            }
        }
        Some(leaves)
    });
    documents.collect()
}

#[derive(Default)]
struct Tally {
    files: usize,
    /// Files that libyaml reads and granit-parser does not.
    stricter: usize,
    replaced: usize,
    refused: usize,
}

/// The bytes that are replaced in one node: where they stand in its text.
type Edits = BTreeMap<(usize, usize), Vec<usize>>;

impl Tally {
    /// Replaces the chosen tokens of a file.
    fn replace(&mut self, src: &str, with: &str, choices: &[bool]) -> Result<(), TestCaseError> {
        let Some(before) = oracle(src) else {
            return Err(TestCaseError::reject("not YAML"));
        };
        self.files += 1;
        let Ok(trees) = Tree::yaml(src).collect::<Result<Vec<_>, _>>() else {
            self.stricter += 1;
            return Ok(());
        };
        prop_assert_eq!(
            &trees.iter().map(leaves).collect::<Vec<_>>(),
            &before,
            "{:?}",
            src
        );
        let mut choices = choices.iter().copied().cycle();
        let mut splices = Vec::new();
        let mut expected = Vec::new();
        for tree in &trees {
            let edits = self.edits(tree, with, &mut choices, &mut splices)?;
            expected.push(edited(tree, &edits, with));
        }
        let after = splice(src, &splices);
        match oracle(&after) {
            // The parsers differ about some plain scalars, `[:>]` for one: then no meaning is the wrong one.
            None if with != REPLACEMENT => {}
            read => prop_assert_eq!(read, Some(expected), "{:?} became {:?}", src, after),
        }
        prop_assert_eq!(splice(&after, &inverse(src, &splices)), src);
        Ok(())
    }

    fn edits(
        &mut self,
        tree: &Tree<'_>,
        with: &str,
        choices: &mut impl Iterator<Item = bool>,
        splices: &mut Vec<Splice>,
    ) -> Result<Edits, TestCaseError> {
        let mut edits = Edits::new();
        for node in all(tree) {
            let (Some(text), Range { start, end }) = (tree.text(node), tree.raw(node)) else {
                continue;
            };
            if edits.contains_key(&(start, end)) {
                continue; // Another node of the same anchor.
            }
            let edits = edits.entry((start, end)).or_default();
            let tokens = text.match_indices(TOKEN);
            let chosen: Vec<_> = tokens
                .filter(|_| choices.next().unwrap_or(true))
                .map(|(place, _)| (place..place + TOKEN.len(), with))
                .collect();
            for ((token, _), splice) in chosen.iter().zip(tree.replace_all(node, &chosen)) {
                prop_assert_eq!(&tree.replace(node, token.clone(), with), &splice);
                if let Ok(splice) = splice {
                    prop_assert_eq!(&tree.source()[splice.at.clone()], TOKEN);
                    prop_assert_eq!(tree.locate(node, token.clone()), Ok(splice.at.clone()));
                    edits.push(token.start);
                    splices.push(splice);
                    self.replaced += 1;
                } else {
                    let spelled = tree.source()[start..end].matches(TOKEN).count();
                    let is_key = tree.node(node).sharing == Sharing::Key;
                    let hidden = is_key || spelled != text.matches(TOKEN).count();
                    prop_assert!(
                        hidden || with != REPLACEMENT,
                        "refused {text:?} in {:?}",
                        tree.source()
                    );
                    self.refused += 1;
                }
            }
        }
        Ok(edits)
    }
}

fn all(tree: &Tree<'_>) -> impl Iterator<Item = NodeId> {
    (0..narrow(tree.nodes.len())).map(NodeId)
}

/// The leaves as they should be after the edits.
fn edited(tree: &Tree<'_>, edits: &Edits, with: &str) -> BTreeMap<String, Option<String>> {
    let mut leaves = leaves(tree);
    for node in all(tree) {
        let Range { start, end } = tree.raw(node);
        let places = edits.get(&(start, end)).into_iter().flatten();
        if let Some(Some(text)) = leaves.get_mut(&tree.pointer(tree.root(), node)) {
            places
                .rev()
                .for_each(|&place| text.replace_range(place..place + TOKEN.len(), with));
        }
    }
    leaves
}

/// The splices that undo these.
fn inverse(src: &str, splices: &[Splice]) -> Vec<Splice> {
    let mut sorted = splices.to_vec();
    sorted.sort_by_key(|splice| splice.at.start);
    let mut moved = 0_usize;
    let undo = |Splice { at, with }: &Splice| {
        let start = at.start.wrapping_add(moved);
        moved = moved.wrapping_add(with.len()).wrapping_sub(at.len());
        Splice {
            at: start..start + with.len(),
            with: src[at.clone()].into(),
        }
    };
    sorted.iter().map(undo).collect()
}

#[test]
fn changes_the_planted_tokens_and_nothing_else() {
    let tally = RefCell::new(Tally::default());
    let config = ProptestConfig {
        max_global_rejects: 100_000,
        ..cases(2048)
    };
    let strategy = (file(), vec(any::<bool>(), 1..9));
    let run = TestRunner::new(config).run(&strategy, |(src, choices)| {
        tally.borrow_mut().replace(&src, REPLACEMENT, &choices)
    });
    run.unwrap();
    let Tally {
        files,
        stricter,
        replaced,
        refused,
    } = tally.into_inner();
    assert!(stricter * 50 < files, "{stricter} of {files} files");
    assert!(
        replaced > 1000 && refused > 0 && refused * 10 < replaced,
        "{replaced} replaced, {refused} refused"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..cases(1024) })]

    #[test]
    fn never_takes_a_replacement_that_means_something_else(
        src in file(),
        with in "[a-z1 :#'\"\\\\\\-\\[\\]{},&*!|>%@\n\té]{0,5}",
    ) {
        // One at a time: each is proved against the file as it is.
        let count = src.matches(TOKEN).count();
        for only in 0..count {
            let choices: Vec<bool> = (0..count).map(|number| number == only).collect();
            Tally::default().replace(&src, &with, &choices)?;
        }
    }

    #[test]
    fn survives_mutated_files(src in file(), edits in vec((any::<Index>(), "[a-c:#'\"\\-\\[\\]{},&*!|>%<? \n\t\u{85}é]{0,3}", 0..4_usize), 1..5)) {
        let mut characters: Vec<char> = src.chars().collect();
        for (place, with, removed) in edits {
            let start = place.index(characters.len() + 1);
            let end = (start + removed).min(characters.len());
            characters.splice(start..end, with.chars());
        }
        exercise(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn survives_arbitrary_text(src in prop_oneof![".{0,60}", "[a:#'\"\\-\\[\\]{},&*!|>%<? \r\n\t\u{feff}.x41]{0,40}"]) {
        exercise(&src);
    }
}

/// Asks each node everything.
fn exercise(src: &str) {
    for tree in Tree::yaml(src).flatten() {
        for node in all(&tree) {
            let pointer = tree.pointer(tree.root(), node);
            assert!(tree.parent(node).is_some() || pointer.is_empty());
            assert!(src.get(tree.raw(node)).is_some());
            if let Some(text) = tree.text(node).filter(|text| !text.is_empty()) {
                let _ = tree.locate(node, 0..text.len());
                let _ = tree.replace(node, 0..text.chars().next().map_or(0, char::len_utf8), "# ");
            }
        }
    }
}

#[test]
fn locates_by_counting_from_either_end() {
    let tree = yaml(
        "a: \"t\\x6fk tok tok\"\nb: \"tok t\\x6fk\"\nc: 'it''s tok, tok'\nd: >-\n  tok\n  tok\n",
    );
    let places = |key: &str| {
        let leaf = tree.get(tree.root(), key).unwrap();
        let text = tree.text(leaf).unwrap();
        let place = |(start, _)| {
            tree.locate(leaf, start..start + 3)
                .ok()
                .map(|at| at.start - tree.raw(leaf).start)
        };
        text.match_indices("tok").map(place).collect::<Vec<_>>()
    };
    assert_eq!(places("a"), [None, Some(8), Some(12)]);
    assert_eq!(places("b"), [Some(1), None]);
    assert_eq!(places("c"), [Some(7), Some(12)]);
    assert_eq!(places("d"), [Some(0), Some(6)]);
}

#[test]
fn refuses_what_is_no_piece_of_a_text() {
    let tree = yaml("a: tok\nb: [tok]\nc: \"é\\n\"");
    let leaf = |key: &str| tree.get(tree.root(), key).unwrap();
    for (node, piece) in [
        (leaf("a"), 0..0),
        (leaf("a"), 2..4),
        (leaf("a"), 9..10),
        (leaf("b"), 0..1),
        (leaf("c"), 0..1),
        (tree.root(), 0..1),
    ] {
        assert_eq!(
            tree.locate(node, piece.clone()),
            Err(Unmappable),
            "{piece:?}"
        );
    }
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "a range that is the wrong way round"
    )]
    let backwards = 2..1;
    assert_eq!(tree.locate(leaf("a"), backwards), Err(Unmappable));
}

#[test]
fn refuses_a_replacement_that_changes_the_kind_or_the_document() {
    let src = "a: tok\nb: 'tok'\nc: [tok, x]\nd: |\n  tok\ne: 7\nf: !!str tok";
    let tree = yaml(src);
    let replaced = |key: &str, with: &str| {
        let leaf = tree.get(tree.root(), key).unwrap();
        let leaf = tree.children(leaf).next().unwrap_or(leaf);
        let whole = 0..tree.text(leaf).unwrap().trim_end().len();
        tree.replace(leaf, whole, with)
            .map(|splice| splice.with.into_string())
    };
    for (key, with, accepted) in [
        ("a", "new", true),
        ("a", "7", false),
        ("a", "true", false),
        ("a", "x: y", false),
        ("a", "x #y", false),
        ("a", "a, b", true),
        ("a", "[a", false),
        ("a", "x\n---\ny", false),
        ("b", "7", true),
        ("b", "x: y", true),
        ("b", "it's", false),
        ("c", "a, b", false),
        ("c", "a b", true),
        ("d", "7", true),
        ("d", "x: 'y' # z", true),
        ("d", "x\ny", false),
        ("e", "8", true),
        ("e", "x", false),
        ("f", "7", true),
    ] {
        let expected = if accepted {
            Ok(with.to_owned())
        } else {
            Err(Unmappable)
        };
        assert_eq!(replaced(key, with), expected, "{key} {with:?}");
    }
    let tree = json("[\"tok\", 7]");
    let items: Vec<_> = tree.children(tree.root()).collect();
    assert!(tree.replace(items[0], 0..3, "it's").is_ok());
    assert_eq!(tree.replace(items[0], 0..3, "a\"b"), Err(Unmappable));
    assert_eq!(tree.replace(items[0], 0..3, "\", \""), Err(Unmappable));
    assert!(tree.replace(items[1], 0..1, "8").is_ok());
    for with in ["x", "true\u{0}"] {
        assert_eq!(tree.replace(items[1], 0..1, with), Err(Unmappable));
    }
}

/// YAML 1.2 reads `?tok` as text, libyaml as a key without a value.
#[test]
fn refuses_a_question_mark_that_may_be_the_sign_of_a_key() {
    let tree = yaml("[?tok, '?tok', tok?tok]");
    let items: Vec<_> = tree.children(tree.root()).collect();
    let located = |item: NodeId| tree.locate(item, 1..4).map(|at| at.start);
    assert_eq!(tree.text(items[0]), Some("?tok"));
    assert_eq!(located(items[0]), Err(Unmappable));
    assert_eq!(located(items[1]), Ok(9));
    assert_eq!(tree.locate(items[2], 4..7), Ok(19..22));
}

/// YAML 1.2 reads the line as text of the block scalar, libyaml as a comment behind it.
#[test]
fn refuses_a_line_of_a_block_scalar_that_may_be_a_comment() {
    for (source, expected) in [("|\n#tok", Err(Unmappable)), ("|\n #tok", Ok(4..7))] {
        let tree = yaml(source);
        assert_eq!(tree.text(tree.root()), Some("#tok"), "{source}");
        assert_eq!(tree.locate(tree.root(), 1..4), expected, "{source}");
    }
}

#[test]
fn proves_in_a_later_document_of_a_file() {
    let src = "a: [\n---\n%TAG\n---\nx: \"tok\\n\"\n...\n%TAG !e! tag:e,2000:\n---\na: !e!b\n  \"to\\x6b \n  tok\"\n---\nb: tok\n";
    let documents: Vec<_> = Tree::yaml(src).flatten().collect();
    let located: Vec<_> = documents
        .iter()
        .map(|tree| {
            let leaf = tree.children(tree.root()).next().unwrap();
            let start = tree.text(leaf).unwrap().rfind("tok").unwrap();
            tree.replace(leaf, start..start + 3, "n e w")
                .map(|splice| splice.at.start)
        })
        .collect();
    let places: Vec<_> = src
        .match_indices("tok")
        .map(|(place, _)| Ok(place))
        .collect();
    assert_eq!(located, places);
}

#[test]
fn proves_equal_edits_of_a_scalar_once() {
    let proofs_of = |times: usize| {
        let tree = yaml("a: |\n  b: ID\n  c: ID2\nd: \"\\tID\"\n");
        let before = proofs();
        for key in ["a", "d"] {
            let leaf = tree.get(tree.root(), key).unwrap();
            let start = tree.text(leaf).unwrap().find("ID").unwrap();
            let places = tree.locate_all(leaf, &vec![start..start + 2; times]);
            assert!(
                places
                    .iter()
                    .all(|place| place == &places[0] && place.is_ok())
            );
            assert_eq!(places.len(), times);
        }
        proofs() - before
    };
    assert_eq!(proofs_of(1000), proofs_of(1));
}
