//! Cuts the items out of a list's JSON as its bytes arrive.
//!
//! No tree of the page is ever made: in memory is the item that is being read, and the list without its items.

use memchr::memchr2;
use serde::Deserialize;

/// How large an item may be, in bytes: far more than the API server stores, as what it stores is escaped anew.
const LARGEST_ITEM: usize = 32 * 1024 * 1024;

/// How large a list may be without its items, in bytes.
const LARGEST_HEAD: usize = 256 * 1024;

/// Where reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Outside of the items.
    Head,
    /// Among the items, in none of them.
    Between,
    /// In an item.
    Item,
}

/// A list that is being read.
#[derive(Debug)]
pub struct Cutter {
    at: At,
    nesting: Nesting,
    /// What was read of the list without its items: a list of none.
    head: Vec<u8>,
    /// What was read of an item that goes on in the next chunk.
    item: Vec<u8>,
}

/// What a list says besides its items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Head {
    /// The kind of the list.
    #[serde(default)]
    pub kind: String,
    /// Its metadata.
    #[serde(default)]
    pub metadata: ListMetadata,
}

/// Where a list stands and how it goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMetadata {
    /// The version that the list shows.
    pub resource_version: String,
    /// The token of the next page; empty on the last one.
    #[serde(rename = "continue")]
    pub next: String,
    /// How many items are left, as far as the API server knows.
    pub remaining_item_count: Option<u64>,
}

/// Why a list cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// Something else than an object stands among the items.
    #[error("the answer is no list: something else than an object stands among its items")]
    NoObject,
    /// An item is not text.
    #[error("an item of the list is no UTF-8 text")]
    NoText,
    /// An item is larger than anything that a cluster stores.
    #[error("an item of the list is larger than 32 MiB")]
    TooLarge,
    /// What is not an item is larger than any metadata.
    #[error("the answer is no list: it has 256 KiB besides its items")]
    NoList,
    /// The list ended early, or is none.
    #[error("the list cannot be read, or was cut off: {0}")]
    Broken(String),
}

impl Default for Cutter {
    fn default() -> Self {
        Self {
            at: At::Head,
            nesting: Nesting::default(),
            head: Vec::new(),
            item: Vec::new(),
        }
    }
}

impl Cutter {
    /// Takes the next bytes, and hands each item that ends in them to `each`.
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(&str)) -> Result<(), CutError> {
        let mut rest = chunk;
        while let Some(first) = rest.first() {
            let taken = match self.at {
                At::Head => self.head(rest)?,
                At::Between => self.between(*first)?,
                At::Item => self.item(rest, &mut each)?,
            };
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// What the list says besides its items, once all its bytes were fed.
    pub fn finish(self) -> Result<Head, CutError> {
        if self.at != At::Head {
            return Err(CutError::Broken("it ends among its items".to_owned()));
        }
        let head: Head = serde_json::from_slice(&self.head)
            .map_err(|error| CutError::Broken(error.to_string()))?;
        if head.kind.ends_with("List") {
            Ok(head)
        } else {
            Err(CutError::Broken(format!("its kind is `{}`", head.kind)))
        }
    }

    /// Reads up to the first item, or to the end. Of the list, the head is all but small.
    fn head(&mut self, bytes: &[u8]) -> Result<usize, CutError> {
        for (at, byte) in bytes.iter().enumerate() {
            let begins = *byte == b'[' && self.nesting.is_at(1) && ends_with_items(&self.head);
            self.head.push(*byte);
            if begins {
                self.at = At::Between;
                return Ok(at + 1);
            }
            self.nesting.take(*byte);
            if self.head.len() > LARGEST_HEAD {
                return Err(CutError::NoList);
            }
        }
        Ok(bytes.len())
    }

    fn between(&mut self, byte: u8) -> Result<usize, CutError> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => Ok(1),
            b']' => {
                self.head.push(byte);
                self.at = At::Head;
                Ok(1)
            }
            b'{' => {
                self.at = At::Item;
                Ok(0)
            }
            _ => Err(CutError::NoObject),
        }
    }

    fn item(&mut self, bytes: &[u8], each: &mut impl FnMut(&str)) -> Result<usize, CutError> {
        // The list itself is one level.
        let Some(end) = self.nesting.end_of(bytes, 1) else {
            if self.item.len() + bytes.len() > LARGEST_ITEM {
                return Err(CutError::TooLarge);
            }
            self.item.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        let whole = if self.item.is_empty() {
            &bytes[..end]
        } else {
            self.item.extend_from_slice(&bytes[..end]);
            &self.item
        };
        each(std::str::from_utf8(whole).map_err(|_| CutError::NoText)?);
        self.item.clear();
        self.at = At::Between;
        Ok(end)
    }
}

/// Whether `head` ends with the key of the items, and not with a text that ends like it.
fn ends_with_items(head: &[u8]) -> bool {
    before(head, b":")
        .and_then(|rest| before(rest, b"\"items\""))
        .is_some_and(|rest| matches!(rest.trim_ascii_end().last(), Some(b'{' | b',')))
}

/// What stands before `word` at the end of `bytes`.
fn before<'b>(bytes: &'b [u8], word: &[u8]) -> Option<&'b [u8]> {
    bytes.trim_ascii_end().strip_suffix(word)
}

/// How deep objects and arrays stand in one another, at a place that may be inside a string.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// Whether the place is outside of strings, this deep.
    fn is_at(&self, depth: usize) -> bool {
        !self.in_string && self.depth == depth
    }

    fn take(&mut self, byte: u8) {
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

    /// Where the bytes come back to this depth; `None` where they do not.
    fn end_of(&mut self, bytes: &[u8], depth: usize) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.in_string && !self.escaped {
                // Most of an item is strings, and most of these is passed over at once.
                at += memchr2(b'"', b'\\', &bytes[at..])?;
                self.take(bytes[at]);
            } else {
                self.take(*byte);
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

    fn cut(list: &[u8], sizes: &[usize]) -> Result<(Vec<Value>, Head), CutError> {
        let (mut cutter, mut items) = (Cutter::default(), Vec::new());
        let (mut rest, mut sizes) = (list, sizes.iter().cycle());
        while !rest.is_empty() {
            let size = sizes.next().copied().unwrap_or(rest.len()).min(rest.len());
            let (chunk, behind) = rest.split_at(size);
            cutter.feed(chunk, |item| {
                items.push(serde_json::from_str(item).unwrap());
            })?;
            rest = behind;
        }
        Ok((items, cutter.finish()?))
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
        fn items_are_cut_wherever_chunks_end(
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
            let (found, head) = cut(list.as_bytes(), &sizes).unwrap();
            prop_assert_eq!(found, items);
            prop_assert_eq!(head.metadata.resource_version, "7");
            prop_assert_eq!(head.metadata.next, "x\"items\":[");
            prop_assert_eq!(head.metadata.remaining_item_count, Some(3));
        }

        #[test]
        fn whatever_comes_is_no_panic(bytes: Vec<u8>, sizes in prop::collection::vec(1_usize..9, 1..4)) {
            let mut text = br#"{"items":["#.to_vec();
            text.extend(bytes);
            let mut cutter = Cutter::default();
            for chunk in text.chunks(sizes[0]) {
                if cutter.feed(chunk, |_| ()).is_err() {
                    return Ok(());
                }
            }
            let _ = cutter.finish();
        }
    }

    #[test]
    fn a_list_that_is_cut_off_is_an_error_and_so_is_something_else() {
        let whole = r#"{"kind":"PodList","metadata":{},"items":[{"a":1},{"b":2}]}"#;
        for end in 0..whole.len() {
            assert!(cut(&whole.as_bytes()[..end], &[7]).is_err(), "{end}");
        }
        assert!(cut(whole.as_bytes(), &[7]).is_ok());
        let status = r#"{"kind":"Status","code":410}"#;
        assert!(cut(status.as_bytes(), &[9]).is_err());
        let odd = r#"{"kind":"PodList","items":[{},4]}"#;
        assert_eq!(cut(odd.as_bytes(), &[64]), Err(CutError::NoObject));
    }

    #[test]
    fn a_list_without_items_has_none() {
        for list in [
            r#"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":null}"#,
            r#"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}"#,
            r#"{"kind":"PodList","items":[ ],"metadata":{"resourceVersion":"1"}}"#,
        ] {
            let (items, head) = cut(list.as_bytes(), &[5]).unwrap();
            assert!(items.is_empty());
            assert_eq!(head.metadata.resource_version, "1");
        }
    }
}
