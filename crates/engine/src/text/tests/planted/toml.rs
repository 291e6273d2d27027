//! TOML, against the crate `toml`.

use super::*;
use ::toml::{Table, Value};
use proptest::test_runner::TestRunner;
use std::cell::Cell;

#[derive(Clone, Debug)]
enum Item {
    Text(String, Quotes, u8),
    Bare(&'static str),
    Array(Vec<Item>),
    Table(Vec<Item>),
}

#[derive(Clone, Copy, Debug)]
enum Quotes {
    Basic,
    Literal,
    ThreeBasic,
    ThreeLiteral,
}

/// Where an item of a file is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Key,
    Dotted,
    Table,
    SubTable,
    ArrayOfTables,
}

#[derive(Default)]
struct Writer {
    out: String,
    keys: usize,
}

fn item() -> impl Strategy<Value = Item> {
    let piece = prop_oneof![
        6 => Just(TOKEN.to_owned()),
        4 => "[a-z]{1,4}",
        4 => select(vec![" ", "\n", "é", "日", "'", "\"", "\\", "#", "\t", "=", "[", "]", ",", "\\n"])
            .prop_map(str::to_owned),
    ];
    let quotes = select(vec![
        Quotes::Basic,
        Quotes::Literal,
        Quotes::ThreeBasic,
        Quotes::ThreeLiteral,
    ]);
    let bare = select(vec![
        "1",
        "-1.5e3",
        "true",
        "inf",
        "0xff",
        "1979-05-27",
        "07:32:00",
    ]);
    let leaf = prop_oneof![
        6 => (vec(piece, 0..7), quotes, any::<u8>())
            .prop_map(|(pieces, quotes, spice)| Item::Text(pieces.concat(), quotes, spice)),
        1 => bare.prop_map(Item::Bare),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Item::Array),
            vec(inner, 0..4).prop_map(Item::Table),
        ]
    })
}

fn toml_file() -> impl Strategy<Value = String> {
    let place = select(vec![
        Place::Key,
        Place::Key,
        Place::Dotted,
        Place::Table,
        Place::SubTable,
        Place::ArrayOfTables,
    ]);
    (vec((place, item()), 1..8), any::<bool>(), any::<bool>()).prop_map(
        |(entries, windows, last)| {
            let mut writer = Writer::default();
            for (place, item) in &entries {
                writer.entry(*place, item);
            }
            with_line_ends(&writer.out, windows, last)
        },
    )
}

impl Writer {
    fn put(&mut self, piece: fmt::Arguments<'_>) {
        self.out.push_str(&piece.to_string());
    }

    fn entry(&mut self, place: Place, item: &Item) {
        match place {
            Place::Key => {}
            // A table that was dotted cannot be opened again elsewhere: then the file is refused by both.
            Place::Dotted => self.out.push_str("d . "),
            Place::Table => {
                let key = self.key();
                self.put(format_args!("[{key}] # {TOKEN} '\n"));
            }
            Place::SubTable => {
                let key = self.key();
                self.put(format_args!("[ t.{key} ]\n"));
            }
            Place::ArrayOfTables => self.out.push_str("[[ l ]]\n"),
        }
        let key = self.key();
        self.out.push_str(&key);
        self.out.push_str(" = ");
        self.item(item);
        self.put(format_args!(" # {TOKEN}\n"));
    }

    fn key(&mut self) -> String {
        self.keys += 1;
        let number = self.keys;
        match number % 4 {
            0 => format!("\"k {number}\""),
            1 => format!("'k.{number}'"),
            2 => format!("\"k\\u0020{number}\""),
            _ => format!("k-{number}"),
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Text(text, quotes, spice) => self.text(text, *quotes, *spice),
            Item::Bare(spelled) => self.out.push_str(spelled),
            Item::Array(items) => {
                self.out.push('[');
                for item in items {
                    self.item(item);
                    self.out.push_str(",\n");
                }
                self.out.push(']');
            }
            Item::Table(items) => {
                self.out.push_str("{ ");
                for (number, item) in items.iter().enumerate() {
                    let comma = if number > 0 { ", " } else { "" };
                    let key = self.key();
                    self.put(format_args!("{comma}{key} = "));
                    self.item(item);
                }
                self.out.push_str(" }");
            }
        }
    }

    fn text(&mut self, text: &str, quotes: Quotes, spice: u8) {
        let first_line_end = if spice.is_multiple_of(2) || text.starts_with('\n') {
            "\n"
        } else {
            ""
        };
        match quotes {
            Quotes::Literal if !text.contains(['\'', '\n']) => {
                self.put(format_args!("'{text}'"));
            }
            Quotes::ThreeLiteral if !text.contains("'''") && !text.ends_with('\'') => {
                self.put(format_args!("'''{first_line_end}{text}'''"));
            }
            Quotes::ThreeBasic => {
                let mut text = text.replace('\\', "\\\\").replace('"', "\\\"");
                if spice.is_multiple_of(5) {
                    text = text.replace(' ', " \\\n  ");
                }
                self.put(format_args!("\"\"\"{first_line_end}{text}\"\"\""));
            }
            Quotes::Basic | Quotes::Literal | Quotes::ThreeLiteral => {
                let text = text.replace('\\', "\\\\").replace('"', "\\\"");
                let text = text.replace('\n', "\\n").replace('日', "\\u65e5");
                self.put(format_args!("\"{text}\""));
            }
        }
    }
}

/// The leaves of a file as the other parser sees them; none if it refuses the file.
fn oracle(src: &str) -> Option<BTreeMap<String, Option<String>>> {
    let mut leaves = BTreeMap::new();
    let mut left = vec![(String::new(), Value::Table(src.parse::<Table>().ok()?))];
    while let Some((pointer, value)) = left.pop() {
        match value {
            Value::Table(entries) => {
                left.extend(
                    entries
                        .into_iter()
                        .map(|(key, value)| (format!("{pointer}/{key}"), value)),
                );
            }
            Value::Array(items) => {
                let items = items.into_iter().enumerate();
                left.extend(items.map(|(number, item)| (format!("{pointer}/{number}"), item)));
            }
            Value::String(text) => drop(leaves.insert(pointer, Some(text))),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                drop(leaves.insert(pointer, None));
            }
        }
    }
    Some(leaves)
}

#[test]
fn changes_the_planted_tokens_of_toml_and_nothing_else() {
    let (refused, replaced, left) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |cell: &Cell<usize>| cell.set(cell.get() + 1);
    let run = TestRunner::new(cases(1024)).run(&toml_file(), |src| {
        let before = oracle(&src);
        let tree = Tree::toml(&src).ok();
        prop_assert_eq!(&tree.as_ref().map(leaves), &before, "{:?}", src);
        let (Some(tree), Some(before)) = (tree, before) else {
            count(&refused);
            return Ok(());
        };
        for node in tree.strings(tree.root()) {
            let text = tree.text(node).unwrap();
            for token in planted(text) {
                let Ok(change) = tree.replace(node, token.clone(), REPLACEMENT) else {
                    prop_assert_ne!(&src[tree.raw(node)].trim_matches(['"', '\'']), &text);
                    count(&left);
                    continue;
                };
                prop_assert_eq!(&src[change.at.clone()], TOKEN);
                let mut expected = before.clone();
                let pointer = tree.pointer(tree.root(), node);
                expected.insert(pointer, Some(with_replacement(text, &token)));
                prop_assert_eq!(
                    oracle(&splice(&src, &[change])),
                    Some(expected),
                    "{:?}",
                    src
                );
                count(&replaced);
            }
        }
        Ok(())
    });
    run.unwrap();
    let (refused, replaced, left) = (refused.get(), replaced.get(), left.get());
    assert!(
        refused < 200 && replaced > 1000 && left == 0,
        "{refused} files refused, {replaced} tokens replaced, {left} left"
    );
}
