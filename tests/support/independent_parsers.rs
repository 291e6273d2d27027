//! What parsers that share nothing with the product read in a text: the oracle of the fuzz bodies.

use std::fmt;

use bedrock_profiles::text::Format;
use serde::de::{
    Deserialize, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess as _, Visitor,
};

/// The scalars and keys of a document, in the order of the source.
struct Scalars(Vec<Scalar>);

/// A scalar, or a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Text(String),
    /// A number, a boolean or nothing: schemas of YAML differ in what they take for one.
    Other(String),
}

impl<'de> Deserialize<'de> for Scalars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor).map(Self)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Vec<Scalar>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(vec![Scalar::Other("null".to_owned())])
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(vec![Scalar::Other(value.to_string())])
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(vec![Scalar::Other(value.to_string())])
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(vec![Scalar::Other(value.to_string())])
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(vec![Scalar::Other(value.to_string())])
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(vec![Scalar::Text(value.to_owned())])
    }

    /// A tagged value: the tag is none of the scalars.
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Self::Value, A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        value.newtype_variant().map(|Scalars(all)| all)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Scalars(some)) = items.next_element()? {
            all.extend(some);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some((Scalars(key), Scalars(value))) = entries.next_entry()? {
            all.extend(key);
            all.extend(value);
        }
        Ok(all)
    }
}

/// The scalars of every document of a text; `None` where no independent parser reads the format, or where it refuses the text.
pub(crate) fn documents(format: Format, text: &str) -> Option<Vec<Vec<Scalar>>> {
    let one = |scalars: Scalars| vec![scalars.0];
    match format {
        Format::Json => serde_json::from_str(text).ok().map(one),
        Format::Toml => toml::from_str(text).ok().map(one),
        Format::Yaml => serde_yaml::Deserializer::from_str(text)
            .map(|document| Scalars::deserialize(document).ok().map(|all| all.0))
            .collect(),
        Format::Properties => properties(text).map(|all| vec![all]),
        Format::Env => env(text).map(|all| vec![all]),
        Format::Lines => None,
    }
}

/// The keys and values of properties; `None` for a text whose encoding matters.
fn properties(text: &str) -> Option<Vec<Scalar>> {
    if !text.is_ascii() {
        return None;
    }
    let mut all = Vec::new();
    java_properties::PropertiesIter::new(text.as_bytes())
        .read_into(|key, value| all.extend([Scalar::Text(key), Scalar::Text(value)]))
        .ok()?;
    Some(all)
}

/// The keys and values of a `.env` file; `None` for a text with variables, whose values are those of the process.
fn env(text: &str) -> Option<Vec<Scalar>> {
    if text.contains('$') {
        return None;
    }
    let entries: Vec<_> = dotenvy::from_read_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .ok()?;
    let scalars = entries
        .into_iter()
        .flat_map(|(key, value)| [key, value])
        .map(Scalar::Text);
    Some(scalars.collect())
}

/// The scalars of a text before and after a change, which has to leave their number; `None` without an opinion of an independent
/// parser on the text before.
fn compared(format: Format, before: &str, after: &str) -> Option<(Vec<Scalar>, Vec<Scalar>)> {
    let read = documents(format, before)?.concat();
    let changed = documents(format, after)
        .unwrap_or_else(|| panic!("{before:?} became {after:?}, which is refused"))
        .concat();
    assert_eq!(read.len(), changed.len(), "{before:?} became {after:?}");
    Some((read, changed))
}

/// Fails where a change of one word of properties or a `.env` file, as an independent parser reads it, changes more than that word.
/// The dialects differ in quotes, escapes and comments around it.
pub(crate) fn assert_one_word(
    format: Format,
    (before, after): (&str, &str),
    (old, new): (&str, &str),
) {
    let Some((read, changed)) = compared(format, before, after) else {
        return;
    };
    let different: Vec<_> = read
        .iter()
        .zip(&changed)
        .filter(|(was, is)| was != is)
        .collect();
    let (was, is) = match different.as_slice() {
        // For one of the dialects the word is in a comment.
        [] => return,
        [(Scalar::Text(was), Scalar::Text(is))] => (was, is),
        _ => panic!("{before:?} became {after:?}: {different:?}"),
    };
    let is_the_word =
        |(at, _): (usize, &str)| [&was[..at], new, &was[at + old.len()..]].concat() == *is;
    assert!(
        was.match_indices(old).any(is_the_word),
        "{before:?} became {after:?}: {was:?} is {is:?}"
    );
}

/// Fails where a change of one text, as an independent parser reads it, changes anything but texts that read `old`, or makes
/// anything else of those than `new`. Without an opinion of an independent parser on the text before, accepts everything.
pub(crate) fn assert_one_change(
    format: Format,
    (before, after): (&str, &str),
    (old, new): (&str, &str),
) {
    let Some((read, changed)) = compared(format, before, after) else {
        return;
    };
    let mut differences = 0;
    for (was, is) in read.iter().zip(&changed).filter(|(was, is)| was != is) {
        let is_meant = match was {
            Scalar::Text(text) => text == old,
            Scalar::Other(_) => true,
        };
        assert!(
            is_meant && *is == Scalar::Text(new.to_owned()),
            "{before:?} became {after:?}: {was:?} is {is:?}"
        );
        differences += 1;
    }
    assert!(
        differences > 0 || old == new,
        "{before:?} became {after:?}: no text of it changed"
    );
}
