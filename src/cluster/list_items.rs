//! Reads the items of a list's JSON while its bytes arrive.
//!
//! Only the current item and the list without its items are in memory, never a whole page.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use memchr::memchr2;
use serde::Deserialize;

/// The maximum size of an item, in bytes: far above the size limit of stored objects, because escapes enlarge the JSON.
const MAX_ITEM: usize = 32 * 1024 * 1024;

/// The maximum size of a list without its items, in bytes.
const MAX_ENVELOPE: usize = 256 * 1024;

/// The part of the list that the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The list outside of its items.
    Envelope,
    /// The array of items, between two items.
    Separator,
    /// An item.
    Item,
}

/// Reads the items of one list.
#[derive(Debug)]
pub struct ListItemReader {
    part: Part,
    nesting: Nesting,
    /// The list so far, with an empty array of items.
    envelope: Vec<u8>,
    /// The start of an item that continues in the next chunk.
    item: Vec<u8>,
}

/// A list without its items.
#[derive(Deserialize)]
struct ListWithoutItems {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: ListMeta,
}

/// Why a list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ListItemError {
    /// An item is not a JSON object.
    #[error("an item of the list is not a JSON object")]
    NotAnObject,
    /// An item is not UTF-8.
    #[error("an item of the list is not UTF-8")]
    NotUtf8,
    /// An item is larger than any stored object.
    #[error("an item of the list is larger than 32 MiB")]
    ItemTooLarge,
    /// The list without its items is larger than any metadata.
    #[error("the response is not a list: it has more than 256 KiB outside of its items")]
    EnvelopeTooLarge,
    /// The response ended within the items.
    #[error("the list is truncated")]
    Truncated,
    /// The list without its items is not valid JSON.
    #[error("the list is truncated or not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The response is another kind of object.
    #[error("the response is not a list: its kind is `{0}`")]
    NotAList(String),
}

impl Default for ListItemReader {
    fn default() -> Self {
        Self {
            part: Part::Envelope,
            nesting: Nesting::default(),
            envelope: Vec::new(),
            item: Vec::new(),
        }
    }
}

impl ListItemReader {
    /// Reads the next bytes, and calls `each` with every item that ends in them.
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(&str)) -> Result<(), ListItemError> {
        let mut rest = chunk;
        while let Some(first) = rest.first() {
            let length = match self.part {
                Part::Envelope => self.envelope(rest)?,
                Part::Separator => self.separator(*first)?,
                Part::Item => self.item(rest, &mut each)?,
            };
            rest = &rest[length..];
        }
        Ok(())
    }

    /// The metadata of the list, after its last byte.
    pub fn finish(self) -> Result<ListMeta, ListItemError> {
        if self.part != Part::Envelope {
            return Err(ListItemError::Truncated);
        }
        let ListWithoutItems { kind, metadata } = serde_json::from_slice(&self.envelope)?;
        if kind.ends_with("List") {
            Ok(metadata)
        } else {
            Err(ListItemError::NotAList(kind))
        }
    }

    /// Reads up to the first item, or to the end. Byte by byte, because the envelope is small.
    fn envelope(&mut self, bytes: &[u8]) -> Result<usize, ListItemError> {
        for (at, byte) in bytes.iter().enumerate() {
            let starts_items =
                *byte == b'[' && self.nesting.is_at(1) && ends_with_items(&self.envelope);
            self.envelope.push(*byte);
            if starts_items {
                self.part = Part::Separator;
                return Ok(at + 1);
            }
            self.nesting.add(*byte);
            if self.envelope.len() > MAX_ENVELOPE {
                return Err(ListItemError::EnvelopeTooLarge);
            }
        }
        Ok(bytes.len())
    }

    fn separator(&mut self, byte: u8) -> Result<usize, ListItemError> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => Ok(1),
            b']' => {
                self.envelope.push(byte);
                self.part = Part::Envelope;
                Ok(1)
            }
            b'{' => {
                self.part = Part::Item;
                Ok(0)
            }
            _ => Err(ListItemError::NotAnObject),
        }
    }

    fn item(&mut self, bytes: &[u8], each: &mut impl FnMut(&str)) -> Result<usize, ListItemError> {
        // The list itself is one level.
        let Some(end) = self.nesting.end_of(bytes, 1) else {
            if self.item.len() + bytes.len() > MAX_ITEM {
                return Err(ListItemError::ItemTooLarge);
            }
            self.item.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        let item = if self.item.is_empty() {
            &bytes[..end]
        } else {
            self.item.extend_from_slice(&bytes[..end]);
            &self.item
        };
        each(std::str::from_utf8(item).map_err(|_| ListItemError::NotUtf8)?);
        self.item.clear();
        self.part = Part::Separator;
        Ok(end)
    }
}

/// Whether `envelope` ends with the key `items`, and not within a string that ends like it.
fn ends_with_items(envelope: &[u8]) -> bool {
    strip_suffix(envelope, b":")
        .and_then(|rest| strip_suffix(rest, b"\"items\""))
        .is_some_and(|rest| matches!(rest.trim_ascii_end().last(), Some(b'{' | b',')))
}

/// The bytes before `word`, where they end with it.
fn strip_suffix<'b>(bytes: &'b [u8], word: &[u8]) -> Option<&'b [u8]> {
    bytes.trim_ascii_end().strip_suffix(word)
}

/// The depth of nested objects and arrays at the current byte, which may be inside a string.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// Whether the current byte is outside of strings, at this depth.
    fn is_at(&self, depth: usize) -> bool {
        !self.in_string && self.depth == depth
    }

    fn add(&mut self, byte: u8) {
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    /// The offset behind the first closing bracket at this depth; `None` if there is none.
    fn end_of(&mut self, bytes: &[u8], depth: usize) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.in_string && !self.escaped {
                // Most bytes of an item are in strings, which are searched at once.
                at += memchr2(b'"', b'\\', &bytes[at..])?;
                self.add(bytes[at]);
            } else {
                self.add(*byte);
                if matches!(byte, b'}' | b']') && self.is_at(depth) {
                    return Some(at + 1);
                }
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(list: &[u8], sizes: &[usize]) -> Result<(Vec<Value>, ListMeta), ListItemError> {
        let (mut reader, mut items) = (ListItemReader::default(), Vec::new());
        let (mut rest, mut sizes) = (list, sizes.iter().cycle());
        while !rest.is_empty() {
            let size = sizes.next().copied().unwrap_or(rest.len()).min(rest.len());
            let (chunk, behind) = rest.split_at(size);
            reader.feed(chunk, |item| {
                items.push(serde_json::from_str(item).unwrap());
            })?;
            rest = behind;
        }
        Ok((items, reader.finish()?))
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[a-z\\\\\"{}\\[\\]:, é\n]{0,12}",
            Just("\"items\":[".to_owned())
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            text.clone().prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn items_do_not_depend_on_the_ends_of_chunks(
            items in prop::collection::vec(prop::collection::vec(("[a-z\"\\\\]{1,5}", any_value()), 0..4), 0..5),
            sizes in prop::collection::vec(1_usize..40, 1..6),
            items_first: bool,
            pretty: bool,
        ) {
            let items: Vec<Value> = items
                .into_iter()
                .map(|entries| Value::Object(entries.into_iter().collect()))
                .collect();
            let written = |value: &Value| if pretty {
                serde_json::to_string_pretty(value).unwrap()
            } else {
                value.to_string()
            };
            let metadata = json!({"resourceVersion": "7", "continue": "x\"items\":[", "remainingItemCount": 3});
            let metadata = format!("\"kind\":\"PodList\",\"metadata\":{}", written(&metadata));
            let all = format!("\"items\": {}", written(&Value::from(items.clone())));
            let list = if items_first {
                format!("{{{all},{metadata}}}\n")
            } else {
                format!("{{{metadata},{all}}}")
            };
            let (found, metadata) = read(list.as_bytes(), &sizes).unwrap();
            prop_assert_eq!(found, items);
            prop_assert_eq!(metadata.resource_version.as_deref(), Some("7"));
            prop_assert_eq!(metadata.continue_.as_deref(), Some("x\"items\":["));
            prop_assert_eq!(metadata.remaining_item_count, Some(3));
        }

        #[test]
        fn arbitrary_bytes_cause_no_panic(bytes: Vec<u8>, sizes in prop::collection::vec(1_usize..9, 1..4)) {
            let mut text = br#"{"items":["#.to_vec();
            text.extend(bytes);
            let mut reader = ListItemReader::default();
            for chunk in text.chunks(sizes[0]) {
                if reader.feed(chunk, |_| ()).is_err() {
                    return Ok(());
                }
            }
            let _ = reader.finish();
        }
    }

    #[test]
    fn a_truncated_list_is_an_error_and_so_is_another_object() {
        let whole = r#"{"kind":"PodList","metadata":{},"items":[{"a":1},{"b":2}]}"#;
        for end in 0..whole.len() {
            assert!(read(&whole.as_bytes()[..end], &[7]).is_err(), "{end}");
        }
        assert!(read(whole.as_bytes(), &[7]).is_ok());
        let status = r#"{"kind":"Status","code":410}"#;
        assert!(read(status.as_bytes(), &[9]).is_err());
        let odd = r#"{"kind":"PodList","items":[{},4]}"#;
        let error = read(odd.as_bytes(), &[64]).unwrap_err();
        assert!(matches!(error, ListItemError::NotAnObject));
    }

    #[test]
    fn a_list_without_items_has_none() {
        for list in [
            r#"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":null}"#,
            r#"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}"#,
            r#"{"kind":"PodList","items":[ ],"metadata":{"resourceVersion":"1"}}"#,
        ] {
            let (items, metadata) = read(list.as_bytes(), &[5]).unwrap();
            assert!(items.is_empty());
            assert_eq!(metadata.resource_version.as_deref(), Some("1"));
        }
    }
}
