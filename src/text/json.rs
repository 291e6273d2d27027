//! The JSON front end: a strict scanner (RFC 8259) that keeps spans and decodes nothing.
//!
//! It does not recurse and reads every byte once. It does not read numbers: their text stays as it is written.

use super::{Kind, NO_PARENT, Node, Sharing, Span, Style, Syntax, SyntaxError, Text, Tree, narrow};
use std::sync::OnceLock;

/// How deep objects and arrays may stand in one another: far deeper than any Kubernetes object, which the API server
/// itself stops at a few hundred levels.
const MAX_DEPTH: usize = 512;

/// A node for this many bytes is room enough for a Pod as the API server writes it.
const BYTES_PER_NODE: usize = 20;

/// Larger documents grow their list of nodes: they may be one long string.
const MAX_NODES_AT_FIRST: usize = 4096;

struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    tree: Tree<'t>,
    /// The objects and arrays around the place that is read.
    open: Vec<Open>,
    /// Space for [`Tree::duplicate_key`], kept from one object to the next.
    scratch: Vec<u32>,
}

struct Open {
    node: u32,
    mapping: bool,
    /// A bit for each key seen, by a weak hash: while no bit is hit twice, no key is there twice.
    seen: u64,
    maybe_duplicate: bool,
}

struct Quoted {
    /// Between the quotes.
    span: Span,
    escaped: bool,
}

/// Reads a document.
pub(super) fn read(src: &str) -> Result<Tree<'_>, SyntaxError> {
    if let Some(error) = SyntaxError::too_large(src) {
        return Err(error);
    }
    let nodes = Vec::with_capacity((src.len() / BYTES_PER_NODE + 4).min(MAX_NODES_AT_FIRST));
    let document = Span::new(0, src.len());
    let tree = Tree {
        src,
        syntax: Syntax::Json,
        document,
        nodes,
        decoded: Vec::new(),
    };
    let mut scanner = Scanner {
        bytes: src.as_bytes(),
        at: 0,
        tree,
        open: Vec::with_capacity(16),
        scratch: Vec::new(),
    };
    scanner.document()?;
    Ok(scanner.tree)
}

/// The text that a string's spelling between the quotes stands for.
///
/// The spelling has been read before. What could not have been read (there is no such thing) decodes to U+FFFD.
pub(super) fn decode(spelled: &str) -> String {
    let mut out = String::with_capacity(spelled.len());
    let mut rest = spelled;
    while let Some(backslash) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..backslash]);
        let mut escape = rest[backslash + 1..].chars();
        out.push(match escape.next() {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (character, length) =
                    unicode_escape(escape.as_str().as_bytes()).unwrap_or(('\u{fffd}', 0));
                escape = escape.as_str().get(length..).unwrap_or_default().chars();
                character
            }
            _ => '\u{fffd}',
        });
        rest = escape.as_str();
    }
    out.push_str(rest);
    out
}

// === impl Scanner ===

impl Scanner<'_> {
    fn document(&mut self) -> Result<(), SyntaxError> {
        let mut key = Text::ABSENT;
        loop {
            let opened = self.value(key)?;
            if opened && !self.closes_at_once()? {
                key = self.key()?;
                continue;
            }
            if !self.next_sibling()? {
                break;
            }
            key = self.key()?;
        }
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err(self.error("unexpected text after the document; keep one JSON document"));
        }
        Ok(())
    }

    /// Reads a scalar, or opens an object or array and says so.
    fn value(&mut self, key: Text) -> Result<bool, SyntaxError> {
        self.skip_space();
        let start = self.at;
        match self.bytes.get(start) {
            Some(b'{') => self.open(key, Kind::Mapping).map(|()| true),
            Some(b'[') => self.open(key, Kind::Sequence).map(|()| true),
            Some(b'"') => {
                let quoted = self.string()?;
                let slot = self.slot(&quoted);
                self.push(key, Kind::String, Style::Quoted, start, slot);
                Ok(false)
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                self.push(key, Kind::Scalar, Style::Bare, start, Text::VERBATIM);
                Ok(false)
            }
            Some(b't') => self.word(key, b"true"),
            Some(b'f') => self.word(key, b"false"),
            Some(b'n') => self.word(key, b"null"),
            Some(0xef) if start == 0 => {
                Err(self.error("unexpected byte order mark; save the text without it"))
            }
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("the text ends where a value is expected; it may be cut off")),
        }
    }

    /// Reads the end of an object or array that holds nothing.
    fn closes_at_once(&mut self) -> Result<bool, SyntaxError> {
        self.skip_space();
        let closing = match self.open.last() {
            Some(Open { mapping: true, .. }) => b'}',
            _ => b']',
        };
        let closes = self.bytes.get(self.at) == Some(&closing);
        if closes {
            self.close()?;
        }
        Ok(closes)
    }

    /// Reads what follows a value: ends of objects and arrays, and the comma before a sibling. False at the end.
    fn next_sibling(&mut self) -> Result<bool, SyntaxError> {
        while let Some(open) = self.open.last() {
            let mapping = open.mapping;
            self.skip_space();
            match self.bytes.get(self.at) {
                Some(b',') => {
                    self.at += 1;
                    return Ok(true);
                }
                Some(b'}') if mapping => self.close()?,
                Some(b']') if !mapping => self.close()?,
                None => {
                    return Err(
                        self.error("the text ends inside an object or array; it may be cut off")
                    );
                }
                Some(_) if mapping => {
                    return Err(self.error("expected `,` or `}` after a value of an object"));
                }
                Some(_) => return Err(self.error("expected `,` or `]` after an item of an array")),
            }
        }
        Ok(false)
    }

    /// Reads the key and the colon before the next value, if it stands in an object.
    fn key(&mut self) -> Result<Text, SyntaxError> {
        if !self.open.last().is_some_and(|open| open.mapping) {
            return Ok(Text::ABSENT);
        }
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(self.error("expected a key in double quotes"));
        }
        let quoted = self.string()?;
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b':') {
            return Err(self.error("expected `:` after a key"));
        }
        self.at += 1;
        let slot = self.slot(&quoted);
        let bit = key_bit(&self.bytes[quoted.span.range()]);
        if let Some(open) = self.open.last_mut() {
            open.maybe_duplicate |= quoted.escaped || open.seen & bit != 0;
            open.seen |= bit;
        }
        Ok(Text {
            span: quoted.span,
            slot,
        })
    }

    fn open(&mut self, key: Text, kind: Kind) -> Result<(), SyntaxError> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.error("more than 512 levels of objects and arrays"));
        }
        let node = narrow(self.tree.nodes.len());
        let start = self.at;
        self.at += 1;
        self.push(key, kind, Style::Bare, start, Text::VERBATIM);
        self.open.push(Open {
            node,
            mapping: kind == Kind::Mapping,
            seen: 0,
            maybe_duplicate: false,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let next = narrow(self.tree.nodes.len());
        let node = &mut self.tree.nodes[open.node as usize];
        node.next = next;
        node.value.end = narrow(self.at);
        if open.maybe_duplicate
            && let Some(offset) = self.tree.duplicate_key(open.node, &mut self.scratch)
        {
            return Err(SyntaxError::duplicate_key(self.tree.src, offset));
        }
        Ok(())
    }

    /// Adds a node that ends where reading stands.
    fn push(&mut self, key: Text, kind: Kind, style: Style, start: usize, slot: u32) {
        self.tree.nodes.push(Node {
            key,
            value: Span::new(start, self.at),
            slot,
            parent: self.open.last().map_or(NO_PARENT, |open| open.node),
            next: narrow(self.tree.nodes.len() + 1),
            kind,
            style,
            sharing: Sharing::Own,
            hidden: false,
        });
    }

    fn slot(&mut self, quoted: &Quoted) -> u32 {
        if !quoted.escaped {
            return Text::VERBATIM;
        }
        self.tree.decoded.push(OnceLock::new());
        narrow(self.tree.decoded.len() - 1)
    }

    /// Reads a string, standing at its opening quote.
    fn string(&mut self) -> Result<Quoted, SyntaxError> {
        let start = self.at + 1;
        self.at = start;
        let mut escaped = false;
        loop {
            self.at = end_of_run(self.bytes, self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Quoted {
                        span: Span::new(start, self.at - 1),
                        escaped,
                    });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => {
                    return Err(
                        self.error("a control character in a string; write it as an escape")
                    );
                }
                None => return Err(self.error("the text ends inside a string; it may be cut off")),
            }
        }
    }

    /// Reads an escape, standing at its backslash.
    fn escape(&mut self) -> Result<(), SyntaxError> {
        let rest = &self.bytes[self.at + 1..];
        let length = match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Some(2),
            Some(b'u') => unicode_escape(&rest[1..]).map(|(_, length)| length + 2),
            _ => None,
        };
        let Some(length) = length else {
            return Err(
                self.error("an escape that JSON does not know, or half of a surrogate pair")
            );
        };
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let digits = self.bytes[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += digits;
        if digits == 0 {
            Err(self.error("expected a digit"))
        } else {
            Ok(())
        }
    }

    fn word(&mut self, key: Text, word: &[u8]) -> Result<bool, SyntaxError> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.error("expected a value"));
        }
        let start = self.at;
        self.at += word.len();
        self.push(key, Kind::Scalar, Style::Bare, start, Text::VERBATIM);
        Ok(false)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    #[cold]
    fn error(&self, problem: &'static str) -> SyntaxError {
        SyntaxError::new(self.tree.src, self.at, problem)
    }
}

// === free functions ===

/// Where the first quote, backslash or control character stands, from `at` on; looks at eight bytes at once.
fn end_of_run(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The high bit of a byte in `below(x, n)` is set where the byte of x is below n, as far as the first such byte.
    let below = |x: u64, n: u64| x.wrapping_sub(ONES * n) & !x & HIGH;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let chunk = u64::from_le_bytes(*chunk);
        let quote = below(chunk ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(chunk ^ (ONES * u64::from(b'\\')), 1);
        let found = below(chunk, 0x20) | quote | backslash;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes
        .get(at)
        .is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        at += 1;
    }
    at
}

/// The character of a `\u` escape, or of two that are a surrogate pair, and how many of these bytes it takes; they
/// start after the first `\u`. None for fewer than four hexadecimal digits and for half a pair.
fn unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let first = hexadecimal(bytes)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 4));
    }
    let second = hexadecimal(bytes.get(4..)?.strip_prefix(b"\\u")?)?;
    if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    let character = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
    Some((character, 10))
}

fn hexadecimal(bytes: &[u8]) -> Option<u32> {
    bytes
        .first_chunk::<4>()?
        .iter()
        .try_fold(0, |number, &byte| {
            Some(number * 16 + char::from(byte).to_digit(16)?)
        })
}

/// One of 64 bits by a key's length and three of its bytes.
fn key_bit(key: &[u8]) -> u64 {
    let byte = |at: usize| usize::from(key.get(at).copied().unwrap_or(0));
    let hash =
        key.len() + byte(0) * 5 + byte(key.len() / 2) * 11 + byte(key.len().wrapping_sub(1)) * 17;
    1 << (hash % 64)
}
