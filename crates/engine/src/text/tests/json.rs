use super::*;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// A value as `serde_json` reads it, but for objects with a key twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Unique;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Unique, E> {
                Ok(Unique(Value::Null))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Unique, E> {
                Ok(Unique(value.into()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Unique, E> {
                Ok(Unique(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Unique, E> {
                Ok(Unique(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Unique, E> {
                Ok(Unique(value.into()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Unique, E> {
                Ok(Unique(value.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
                let mut array = Vec::new();
                while let Some(Unique(item)) = items.next_element()? {
                    array.push(item);
                }
                Ok(Unique(array.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unique, A::Error> {
                let mut object = serde_json::Map::new();
                while let Some((key, Unique(value))) = entries.next_entry::<String, _>()? {
                    if object.insert(key, value).is_some() {
                        return Err(A::Error::custom("duplicate"));
                    }
                }
                Ok(Unique(object.into()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// The tree as a value; numbers by way of their text.
fn value(tree: &Tree<'_>, node: NodeId) -> Value {
    match tree.kind(node) {
        Kind::Mapping => {
            let entries = tree
                .children(node)
                .map(|child| (tree.key(child).unwrap().to_owned(), value(tree, child)));
            Value::Object(entries.collect())
        }
        Kind::Sequence => tree
            .children(node)
            .map(|child| value(tree, child))
            .collect(),
        Kind::String => tree.text(node).unwrap().into(),
        Kind::Scalar => serde_json::from_str(tree.text(node).unwrap()).unwrap(),
    }
}

/// That scanner and `serde_json` agree on a text, as far as they mean to.
fn agree(src: &str) -> Result<(), TestCaseError> {
    let ours = Tree::json(src);
    match serde_json::from_str::<Unique>(src) {
        Ok(Unique(theirs)) => {
            let tree =
                ours.map_err(|error| TestCaseError::fail(format!("refused {src:?}: {error}")))?;
            prop_assert_eq!(value(&tree, tree.root()), theirs, "{:?}", src);
        }
        // We do not read numbers.
        Err(error) if error.to_string().contains("number out of range") => {}
        Err(error) => prop_assert!(ours.is_err(), "accepted {src:?}: {error}"),
    }
    Ok(())
}

fn document() -> impl Strategy<Value = Value> {
    let text = "[a-c\"\\\\/\u{0}-\u{20}é日🦀]{0,12}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 24, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::btree_map(text, inner, 0..24)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Escapes some characters that need it not, and puts space between some tokens.
fn respell(src: &str, choices: &[u8]) -> String {
    let mut choices = choices.iter().copied().cycle();
    let (mut out, mut in_string, mut escape) = (String::new(), false, 0);
    for character in src.chars() {
        let choice = choices.next().unwrap_or(0);
        if escape > 0 {
            escape += if escape == 1 && character == 'u' {
                3
            } else {
                -1
            };
        } else if in_string && character == '\\' {
            escape = 1;
        } else if character == '"' {
            in_string = !in_string;
        } else if in_string && choice.is_multiple_of(3) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let lower = format!("{unit:04x}");
                let upper = format!("{unit:04X}");
                out.push_str(r"\u");
                out.push_str(if choice.is_multiple_of(2) {
                    &lower
                } else {
                    &upper
                });
            }
            continue;
        }
        out.push(character);
        if !in_string && "{}[],:".contains(character) && choice.is_multiple_of(5) {
            out.push_str([" ", "\n", "\r\n\t", "  "][usize::from(choice) % 4]);
        }
    }
    out
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn reads_what_serde_json_reads(document in document(), choices in proptest::collection::vec(any::<u8>(), 1..40)) {
        let src = respell(&document.to_string(), &choices);
        agree(&src)?;
        prop_assert!(Tree::json(&src).is_ok(), "refused {src:?}");
    }

    #[test]
    fn refuses_what_serde_json_refuses(
        document in document(),
        choices in proptest::collection::vec(any::<u8>(), 1..40),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}:,\"\\\\/0-9eEu.+\\-a-fDd tn\u{0}é]{0,2}", 0..3_usize), 1..4),
    ) {
        let mut characters: Vec<char> = respell(&document.to_string(), &choices).chars().collect();
        for (place, with, removed) in edits {
            let start = place.index(characters.len() + 1);
            let end = (start + removed).min(characters.len());
            characters.splice(start..end, with.chars());
        }
        agree(&characters.into_iter().collect::<String>())?;
    }

    #[test]
    fn agrees_on_arbitrary_text(src in prop_oneof![".{0,40}", "[\\[\\]{}:,\"\\\\u0-9dD8cC.eE+\\- tfn]{0,24}"]) {
        agree(&src)?;
    }

    #[test]
    fn survives_arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        agree(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn locates_in_escaped_strings(pieces in proptest::collection::vec("tok|\n|\"|é|to|k|\\\\", 1..8), choices in proptest::collection::vec(any::<u8>(), 1..40)) {
        let text = pieces.concat();
        let src = respell(&Value::from([text.clone()].as_slice()).to_string(), &choices);
        let tree = json(&src);
        let leaf = tree.at(tree.root(), &["0"]).unwrap();
        for (start, _) in text.match_indices("tok") {
            let Ok(at) = tree.locate(leaf, start..start + 3) else {
                prop_assert_ne!(src.matches("tok").count(), text.matches("tok").count());
                continue;
            };
            let changed = splice(&src, &[Splice { at, with: "new-one".into() }]);
            let expected = format!("{}new-one{}", &text[..start], &text[start + 3..]);
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&changed).unwrap(), [expected]);
        }
    }
}

#[test]
fn reads_keys_that_serde_json_keeps_for_itself() {
    let src =
        "{\"$serde_json::private::RawValue\": 90127, \"$serde_json::private::Number\": \"x\"}";
    let tree = json(src);
    let keys: Vec<_> = tree
        .children(tree.root())
        .map(|node| (tree.key(node).unwrap(), tree.text(node).unwrap()))
        .collect();
    assert_eq!(
        keys,
        [
            ("$serde_json::private::RawValue", "90127"),
            ("$serde_json::private::Number", "x")
        ]
    );
}

#[test]
fn reads_a_file_behind_a_byte_order_mark_and_no_second_one() {
    let src = "\u{feff} {\"a\": \"x\"}";
    let tree = Tree::json_file(src).unwrap();
    let leaf = tree.get(tree.root(), "a").unwrap();
    assert_eq!(&src[tree.raw(leaf)], "\"x\"");
    assert!(Tree::json_file("\u{feff}\u{feff}{}").is_err());
    assert!(Tree::json_file("{\u{feff}}").is_err());
}

/// What is no JSON, and why.
const REFUSED: &[(&str, &str)] = &[
    (
        "",
        "line 1, column 1: the text ends where a value is expected; it may be cut off",
    ),
    (
        "\u{feff}{}",
        "line 1, column 1: unexpected byte order mark; save the text without it",
    ),
    (
        "{\"a\": 1,\n}",
        "line 2, column 1: expected a key in double quotes",
    ),
    ("{\"a\" 1}", "line 1, column 6: expected `:` after a key"),
    (
        "{\"a\": 1 \"b\"}",
        "line 1, column 9: expected `,` or `}` after a value of an object",
    ),
    (
        "[1 2]",
        "line 1, column 4: expected `,` or `]` after an item of an array",
    ),
    ("[1,]", "line 1, column 4: expected a value"),
    (
        "[1}",
        "line 1, column 3: expected `,` or `]` after an item of an array",
    ),
    (
        "[1",
        "line 1, column 3: the text ends inside an object or array; it may be cut off",
    ),
    (
        "{\"é\": \"a",
        "line 1, column 9: the text ends inside a string; it may be cut off",
    ),
    (
        "\"a\tb\"",
        "line 1, column 3: a control character in a string; write it as an escape",
    ),
    (
        "{} {}",
        "line 1, column 4: unexpected text after the document; keep one JSON document",
    ),
    (
        "01",
        "line 1, column 2: unexpected text after the document; keep one JSON document",
    ),
    ("-", "line 1, column 2: expected a digit"),
    ("nul", "line 1, column 1: expected a value"),
    (
        "{\"a\": 1, \"\\u0061\": 2}",
        "line 1, column 11: this key occurs twice in its mapping; remove one of the two",
    ),
];

#[test]
fn refuses_with_a_place_and_a_problem() {
    for &(src, message) in REFUSED {
        assert_eq!(
            Tree::json(src)
                .map_err(|error| error.to_string())
                .err()
                .as_deref(),
            Some(message),
            "{src:?}"
        );
    }
}

#[test]
fn refuses_escapes_that_mean_nothing() {
    for src in [
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "\"\\x41\"",
        "\"\\u004\"",
    ] {
        let error = Tree::json(src).expect_err(src);
        assert_eq!(
            error.problem, "an escape that JSON does not know, or half of a surrogate pair",
            "{src}"
        );
    }
}

#[test]
fn finds_a_duplicate_key_among_many() {
    let entries: Vec<String> = (0..20_000)
        .map(|number| format!("\"key-{number}\": {number}"))
        .collect();
    let unique = format!("{{{}}}", entries.join(", "));
    assert_eq!(json(&unique).children(NodeId(0)).count(), 20_000);
    let twice = format!("{{{}, \"key-777\": 0}}", entries.join(", "));
    let error = Tree::json(&twice).expect_err("a key twice");
    assert_eq!(&twice[error.offset..error.offset + 11], "key-777\": 0");
    assert!(
        json("[{\"a\": {\"a\": 1}}, {\"a\": 2}]")
            .at(NodeId(0), &["1", "a"])
            .is_some()
    );
}

#[test]
fn stops_at_512_levels() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(Tree::json(&nested(512)).is_ok());
    assert_eq!(Tree::json(&nested(513)).expect_err("too deep").offset, 512);
    assert!(Tree::json(&"{\"a\":".repeat(1_000_000)).is_err());
}

#[test]
fn gives_the_spans_of_values() {
    let src = "\r\n{ \"a\" : [ 1.50 , \"x\\n\" ] , \"b\":{} }\n";
    let tree = json(src);
    let raw = |path: &[&str]| &src[tree.raw(tree.at(tree.root(), path).unwrap())];
    assert_eq!(raw(&[]), src.trim());
    assert_eq!(raw(&["a"]), "[ 1.50 , \"x\\n\" ]");
    assert_eq!(raw(&["a", "0"]), "1.50");
    assert_eq!(raw(&["a", "1"]), "\"x\\n\"");
    assert_eq!(raw(&["b"]), "{}");
    assert_eq!(
        tree.text(tree.at(tree.root(), &["a", "0"]).unwrap()),
        Some("1.50")
    );
}

#[test]
fn takes_the_last_value_of_a_key_in_a_file() {
    let src = "{\"a\": \"x\", \"b\": 1, \"\\u0061\": {\"c\": \"y\", \"c\": \"z\"}}";
    assert!(Tree::json(src).is_err());
    let tree = Tree::json_file(src).unwrap();
    assert_eq!(strings(&tree), [("/a/c".to_owned(), "z".to_owned())]);
    assert_eq!(tree.overridden_keys().len(), 2);
    assert_eq!(tree.strings_at([7].into_iter()), None);
}
