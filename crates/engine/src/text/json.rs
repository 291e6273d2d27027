//! The JSON front end: a strict scanner (RFC 8259) that keeps spans and decodes nothing.
//!
//! It does not recurse and reads every byte once. It does not read numbers: their text stays as it is written.

use super::{
    Format, Kind, Membership, NO_PARENT, Node, PathStep, Sharing, Span, Style, SyntaxError,
    TextRef, Tree,
    error::{DUPLICATE_KEY, OVER_BUDGET},
    narrow,
    query::is_same,
    start_of_text,
};
use crate::budget::Budget;
use std::{mem, ops::Range, sync::OnceLock};
use string::{end_of_run, unicode_escape};

mod number;
mod string;

pub(super) use string::decode;
pub use string::end_of_plain_json;

/// The maximum nesting of objects and arrays: far deeper than any Kubernetes object, which the API server
/// itself stops at a few hundred levels.
const MAX_DEPTH: usize = 512;

/// A node for this many bytes is room enough for a Pod as the API server writes it.
const BYTES_PER_NODE: usize = 16;

/// How many keys of an object are compared one by one; almost every object has fewer.
const FEW_KEYS: u32 = 16;

/// Larger documents grow their list of nodes: they may be one long string.
const MAX_NODES_AT_FIRST: usize = 4096;

struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    tree: Tree<'t>,
    /// The innermost open object or array.
    current: OpenJsonCollection,
    /// Those around it, outermost first: the document, then objects and arrays.
    outer: Vec<OpenJsonCollection>,
    /// Space for [`Tree::duplicate_key`], kept from one object to the next.
    scratch: Vec<u32>,
    repeated_keys: RepeatedKeys,
    /// The number of nodes for which the budget suffices.
    most_nodes: usize,
}

/// What a key that occurs twice in an object means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RepeatedKeys {
    /// An error.
    Refused,
    /// That its last value counts, as for every reader that accepts the document.
    LastCounts,
}

struct OpenJsonCollection {
    /// The node; [`NO_PARENT`] for the document.
    node: u32,
    kind: OpenKind,
    /// How many keys or items were read.
    count: u32,
    /// The keys have not all been compared as they were read.
    maybe_duplicate: bool,
}

/// What is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OpenKind {
    /// The document, which has one value.
    Document,
    /// An object.
    Mapping,
    /// An array.
    Sequence,
}

/// The bytes of text that are read for one step of work: the scanner is several times as fast as the parser of YAML.
const TEXT_PER_STEP: usize = 64;

/// The message of a syntax error at the current position.
type Message = &'static str;

/// Reads a document.
pub(super) fn read<'t>(src: &'t str, budget: &Budget) -> Result<Tree<'t>, SyntaxError> {
    read_from(src, 0, RepeatedKeys::Refused, budget)
}

/// Reads a document that may start with a byte order mark, and in which the last value of a key counts.
pub(super) fn read_file<'t>(src: &'t str, budget: &Budget) -> Result<Tree<'t>, SyntaxError> {
    let start = start_of_text(src);
    read_from(src, start, RepeatedKeys::LastCounts, budget)
}

fn read_from<'t>(
    src: &'t str,
    start: usize,
    repeated_keys: RepeatedKeys,
    budget: &Budget,
) -> Result<Tree<'t>, SyntaxError> {
    if let Some(error) = SyntaxError::too_large(src) {
        return Err(error);
    }
    if !budget.spend_steps(src.len() / TEXT_PER_STEP) {
        return Err(SyntaxError::new(src, 0, OVER_BUDGET));
    }
    let mut tree = Tree::of_nothing(src, Format::Json);
    let nodes = (src.len() / BYTES_PER_NODE + 4).min(MAX_NODES_AT_FIRST);
    tree.nodes.reserve(nodes);
    let mut scanner = Scanner {
        bytes: src.as_bytes(),
        at: start,
        tree,
        current: OpenJsonCollection::new(NO_PARENT, OpenKind::Document),
        outer: Vec::with_capacity(16),
        scratch: Vec::new(),
        repeated_keys,
        most_nodes: Tree::nodes_within(budget),
    };
    let read = scanner.document();
    if scanner.tree.nodes.len() > scanner.most_nodes {
        budget.exhaust_bytes();
    }
    match read {
        Ok(()) if scanner.tree.spend(budget) => Ok(scanner.tree),
        Ok(()) => Err(SyntaxError::new(src, 0, OVER_BUDGET)),
        Err(problem) => Err(SyntaxError::new(src, scanner.at, problem)),
    }
}

// === impl OpenJsonCollection, Scanner ===

impl OpenJsonCollection {
    const fn new(node: u32, kind: OpenKind) -> Self {
        Self {
            node,
            kind,
            count: 0,
            maybe_duplicate: false,
        }
    }
}

impl Scanner<'_> {
    fn document(&mut self) -> Result<(), Message> {
        loop {
            let step = self.step()?;
            let opened = self.value(step)?;
            if opened && !self.closes_at_once()? {
                continue;
            }
            if !self.next_sibling()? {
                break;
            }
            if self.tree.nodes.len() > self.most_nodes {
                return Err(OVER_BUDGET);
            }
        }
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err("unexpected text after the document; keep one JSON document");
        }
        Ok(())
    }

    /// Reads a scalar, or opens an object or array; true if it opened one.
    fn value(&mut self, step: PathStep) -> Result<bool, Message> {
        self.skip_space();
        let start = self.at;
        match self.bytes.get(start) {
            Some(b'{') => self.open(step, Kind::Mapping).map(|()| true),
            Some(b'[') => self.open(step, Kind::Sequence).map(|()| true),
            Some(b'"') => {
                let escaped = self.string()?;
                let slot = self.slot(escaped);
                self.push(step, Kind::String, Style::Quoted, start, slot);
                Ok(false)
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                self.push(step, Kind::Scalar, Style::Bare, start, TextRef::VERBATIM);
                Ok(false)
            }
            Some(b't') => self.word(step, b"true"),
            Some(b'f') => self.word(step, b"false"),
            Some(b'n') => self.word(step, b"null"),
            Some(0xef) if start == 0 => Err("unexpected byte order mark; save the text without it"),
            Some(_) => Err("expected a value"),
            None => Err("the text ends where a value is expected; it may be cut off"),
        }
    }

    /// Reads the end of an object or array that holds nothing.
    fn closes_at_once(&mut self) -> Result<bool, Message> {
        self.skip_space();
        let closing = match self.current.kind {
            OpenKind::Mapping => b'}',
            OpenKind::Sequence | OpenKind::Document => b']',
        };
        let closes = self.bytes.get(self.at) == Some(&closing);
        if closes {
            self.close()?;
        }
        Ok(closes)
    }

    /// Reads what follows a value: ends of objects and arrays, and the comma before a sibling. False at the end.
    fn next_sibling(&mut self) -> Result<bool, Message> {
        while self.current.kind != OpenKind::Document {
            let is_mapping = self.current.kind == OpenKind::Mapping;
            self.skip_space();
            match self.bytes.get(self.at) {
                Some(b',') => {
                    self.at += 1;
                    return Ok(true);
                }
                Some(b'}') if is_mapping => self.close()?,
                Some(b']') if !is_mapping => self.close()?,
                None => {
                    return Err("the text ends inside an object or array; it may be cut off");
                }
                Some(_) if is_mapping => {
                    return Err("expected `,` or `}` after a value of an object");
                }
                Some(_) => return Err("expected `,` or `]` after an item of an array"),
            }
        }
        Ok(false)
    }

    /// The step to the next value; reads its key in an object.
    fn step(&mut self) -> Result<PathStep, Message> {
        let before = self.current.count;
        self.current.count += 1;
        match self.current.kind {
            OpenKind::Mapping => self.key().map(PathStep::Key),
            OpenKind::Sequence => Ok(PathStep::Item(before)),
            OpenKind::Document => Ok(PathStep::ROOT),
        }
    }

    /// Reads a key and the colon behind it.
    fn key(&mut self) -> Result<TextRef, Message> {
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err("expected a key in double quotes");
        }
        let start = self.at + 1;
        let escaped = self.string()?;
        let end = self.at - 1;
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b':') {
            return Err("expected `:` after a key");
        }
        self.at += 1;
        let slot = self.slot(escaped);
        self.check_key(start..end, escaped)?;
        Ok(TextRef {
            span: Span::new(start, end),
            slot,
        })
    }

    /// Compares a key with those before it, while they are few; else leaves it to the end of the object.
    fn check_key(&mut self, key: Range<usize>, escaped: bool) -> Result<(), Message> {
        let open = &mut self.current;
        if escaped || open.count > FEW_KEYS {
            open.maybe_duplicate = true;
            return Ok(());
        }
        let (key_bytes, mut sibling) = (&self.bytes[key.clone()], open.node as usize + 1);
        while let Some(node) = self.tree.nodes.get(sibling) {
            if let PathStep::Key(other) = node.step
                && is_same(&self.bytes[other.span.range()], key_bytes)
            {
                if self.repeated_keys == RepeatedKeys::LastCounts {
                    open.maybe_duplicate = true;
                    return Ok(());
                }
                self.at = key.start;
                return Err(DUPLICATE_KEY);
            }
            sibling = node.next as usize;
        }
        Ok(())
    }

    fn open(&mut self, step: PathStep, kind: Kind) -> Result<(), Message> {
        if self.outer.len() == MAX_DEPTH {
            return Err("more than 512 levels of objects and arrays");
        }
        let node = narrow(self.tree.nodes.len());
        let start = self.at;
        self.at += 1;
        self.push(step, kind, Style::Bare, start, TextRef::VERBATIM);
        let kind = match kind {
            Kind::Mapping => OpenKind::Mapping,
            Kind::Sequence | Kind::String | Kind::Scalar => OpenKind::Sequence,
        };
        let opened = OpenJsonCollection::new(node, kind);
        self.outer.push(mem::replace(&mut self.current, opened));
        Ok(())
    }

    fn close(&mut self) -> Result<(), Message> {
        self.at += 1;
        let Some(outer) = self.outer.pop() else {
            return Ok(());
        };
        let closed = mem::replace(&mut self.current, outer);
        let next = narrow(self.tree.nodes.len());
        let node = &mut self.tree.nodes[closed.node as usize];
        node.next = next;
        node.value.end = narrow(self.at);
        if closed.maybe_duplicate {
            self.check_all_keys(closed.node)?;
        }
        Ok(())
    }

    /// Compares the keys of an object that were not all compared as they were read.
    #[inline(never)]
    fn check_all_keys(&mut self, node: u32) -> Result<(), Message> {
        match self.repeated_keys {
            RepeatedKeys::LastCounts => self.tree.hide_repeated(node, &mut self.scratch),
            RepeatedKeys::Refused => {
                if let Some(offset) = self.tree.duplicate_key(node, &mut self.scratch) {
                    self.at = offset;
                    return Err(DUPLICATE_KEY);
                }
            }
        }
        Ok(())
    }

    /// Adds a node that ends at the current position.
    fn push(&mut self, step: PathStep, kind: Kind, style: Style, start: usize, slot: u32) {
        self.tree.nodes.push(Node {
            step,
            value: Span::new(start, self.at),
            slot,
            parent: self.current.node,
            next: narrow(self.tree.nodes.len() + 1),
            kind,
            style,
            sharing: Sharing::Own,
            membership: Membership::Child,
        });
    }

    #[inline]
    fn slot(&mut self, escaped: bool) -> u32 {
        if !escaped {
            return TextRef::VERBATIM;
        }
        self.tree.decoded.push(OnceLock::new());
        narrow(self.tree.decoded.len() - 1)
    }

    /// Reads a string from its opening quote; true if it has escapes.
    #[inline]
    fn string(&mut self) -> Result<bool, Message> {
        self.at = end_of_run(self.bytes, self.at + 1);
        if self.bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(false);
        }
        self.rest_of_string()
    }

    /// Reads a string from its first escape on; true at its end. Apart from [`Scanner::string`], so that what most strings need is
    /// small.
    #[inline(never)]
    fn rest_of_string(&mut self) -> Result<bool, Message> {
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(true);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => {
                    return Err("a control character in a string; write it as an escape");
                }
                None => return Err("the text ends inside a string; it may be cut off"),
            }
            self.at = end_of_run(self.bytes, self.at);
        }
    }

    /// Reads an escape from its backslash.
    fn escape(&mut self) -> Result<(), Message> {
        let length = match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Some(2),
            Some(b'u') => {
                self.tree.has_numeric_escapes = true;
                let digits = &self.bytes[self.at + 2..];
                unicode_escape(digits).map(|(_, length)| length + 2)
            }
            _ => None,
        };
        let Some(length) = length else {
            return Err("an escape that JSON does not know, or half of a surrogate pair");
        };
        self.at += length;
        Ok(())
    }

    fn word(&mut self, step: PathStep, word: &[u8]) -> Result<bool, Message> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err("expected a value");
        }
        let start = self.at;
        self.at += word.len();
        self.push(step, Kind::Scalar, Style::Bare, start, TextRef::VERBATIM);
        Ok(false)
    }

    fn skip_space(&mut self) {
        // One comparison where there is no space, as in everything that the API server writes.
        while let Some(&byte) = self.bytes.get(self.at)
            && byte <= b' '
            && matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
        {
            self.at += 1;
        }
    }
}
