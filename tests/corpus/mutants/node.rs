//! A file of the corpus as a tree that can be changed and written again: each text before and after it is rewritten.

use serde::Deserialize as _;
use serde_yaml::Value;

/// A node of a document.
#[derive(Clone)]
pub(super) enum Node {
    Map(Vec<(String, Node)>),
    Seq(Vec<Node>),
    /// A string as it stands, and as it stands after the rewrite.
    Text {
        before: String,
        after: String,
    },
    /// A number, a boolean, null or an expression of a template, as it is written.
    Bare(String),
    /// A document inside a string.
    File {
        root: Box<Node>,
        json: bool,
    },
}

/// The documents of a file; `None` where it is no YAML whose keys are texts, as a template is not.
pub(super) fn documents(before: &str, after: &str) -> Option<Vec<Node>> {
    let (before, after) = (values(before)?, values(after)?);
    assert_eq!(before.len(), after.len());
    let both = before.iter().zip(&after);
    both.map(|(before, after)| Node::of(before, after))
        .collect()
}

fn values(text: &str) -> Option<Vec<Value>> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).ok())
        .collect()
}

impl Node {
    /// A text that the rewrite does not touch.
    pub(super) fn text(text: &str) -> Self {
        Self::Text {
            before: text.to_owned(),
            after: text.to_owned(),
        }
    }

    /// Zips a document with the same one rewritten; nothing but texts differs.
    fn of(before: &Value, after: &Value) -> Option<Self> {
        Some(match (before, after) {
            (Value::Mapping(before), Value::Mapping(after)) => {
                let entries = before.iter().zip(after.iter());
                let entry = |((key, before), (_, after)): ((&Value, &Value), (&Value, &Value))| {
                    Some((key.as_str()?.to_owned(), Self::of(before, after)?))
                };
                Self::Map(entries.map(entry).collect::<Option<_>>()?)
            }
            (Value::Sequence(before), Value::Sequence(after)) => {
                let items = before.iter().zip(after);
                let items = items.map(|(before, after)| Self::of(before, after));
                Self::Seq(items.collect::<Option<_>>()?)
            }
            (Value::String(before), Value::String(after)) => Self::file(before, after)
                .unwrap_or_else(|| Self::Text {
                    before: before.clone(),
                    after: after.clone(),
                }),
            (Value::Number(number), _) => Self::Bare(number.to_string()),
            (Value::Bool(bool), _) => Self::Bare(bool.to_string()),
            (Value::Null, _) => Self::Bare("null".to_owned()),
            _ => panic!("a rewrite changes texts and nothing else"),
        })
    }

    /// A text of several lines that is itself a mapping.
    fn file(before: &str, after: &str) -> Option<Self> {
        if !before.contains('\n') || !values(before)?.first()?.is_mapping() {
            return None;
        }
        let root = documents(before, after)?.pop()?;
        Some(Self::File {
            root: Box::new(root),
            json: before.trim_start().starts_with('{'),
        })
    }

    /// The value under a key.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        let found = entries.iter_mut().find(|(name, _)| name == key);
        found.map(|(_, value)| value)
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        matches!(self, Self::Map(entries) if entries.iter().any(|(name, _)| name == key))
    }

    /// Whether this is a Kubernetes object.
    pub(super) fn is_object(&self) -> bool {
        self.has("apiVersion") && self.has("kind")
    }

    /// Whether it can be written on one line: nothing below is a file or a template's.
    pub(super) fn fits_a_line(&self) -> bool {
        match self {
            Self::Map(entries) => entries.iter().all(|(_, value)| value.fits_a_line()),
            Self::Seq(items) => items.iter().all(Self::fits_a_line),
            Self::Text { before, .. } => !before.contains('\n'),
            Self::Bare(text) => !text.contains('{'),
            Self::File { .. } => false,
        }
    }

    /// How many scalars it has.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Map(entries) => entries.iter().map(|(_, value)| value.size()).sum(),
            Self::Seq(items) => items.iter().map(Self::size).sum(),
            Self::Text { .. } | Self::Bare(_) | Self::File { .. } => 1,
        }
    }
}
