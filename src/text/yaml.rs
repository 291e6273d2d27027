//! The YAML front end: builds trees from the events of granit-parser, and follows aliases and merge keys.
//!
//! An alias becomes a copy of the nodes it stands for, a few dozen bytes each with the text left where it is, so that
//! parents, keys and pointers are those of the place where it is used. A budget for a whole file bounds the copies.

use super::{
    DUPLICATE_KEY, Kind, NO_PARENT, Node, Sharing, Span, Style, Syntax, SyntaxError, Text, Tree,
    narrow,
};
use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, StructureStyle, Tag};
use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::OnceLock,
};

/// How many nodes the aliases and merge keys of a file may add, about 10 MiB of them: thousands of uses of a large
/// common part, while ten levels of ten aliases each ask for 10¹⁰.
const MAX_COPIES: usize = 1 << 18;

/// The trees of a file, one for each document.
pub(super) struct Documents<'t> {
    src: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    /// Where the document before ended.
    from: usize,
    /// A document before was an error, so where it ended is not known.
    lost: bool,
    /// How many nodes aliases may still add.
    budget: usize,
    /// What to say instead of reading anything.
    refused: Option<SyntaxError>,
    ended: bool,
}

struct Builder<'t> {
    tree: Tree<'t>,
    /// The collections around the place that is read.
    open: Vec<Open>,
    anchors: HashMap<usize, Anchor>,
    /// Values that are keys elsewhere: what one of them stands for is not its own to change.
    keys: Vec<Span>,
    /// The end of the last token of content.
    end: usize,
    budget: usize,
    scratch: Vec<u32>,
}

struct Open {
    node: u32,
    mapping: bool,
    block: bool,
    /// The key whose value comes next.
    key: Option<Key>,
    /// It has a merge key.
    merges: bool,
}

#[derive(Clone, Copy)]
struct Key {
    text: Text,
    merge: bool,
}

#[derive(Clone, Copy)]
enum Anchor {
    Value(u32),
    Key(Scalar),
}

/// A scalar that has not become a node yet.
#[derive(Clone, Copy)]
struct Scalar {
    value: Span,
    slot: u32,
    kind: Kind,
    style: Style,
}

/// What keeps a document from becoming a tree: the problem and where it is.
type Problem = (usize, &'static str);

/// What a plain scalar is by the core schema of YAML 1.2.
pub(super) fn plain_kind(text: &str) -> Kind {
    let scalar = match text {
        "" | "~" | "null" | "Null" | "NULL" | "true" | "True" | "TRUE" | "false" | "False"
        | "FALSE" | ".nan" | ".NaN" | ".NAN" => true,
        _ => is_number(text),
    };
    if scalar { Kind::Scalar } else { Kind::String }
}

/// The decoded text of the scalar that starts at an offset of a text which may break off after it.
pub(super) fn scalar_at(src: &str, offset: usize) -> Option<String> {
    for event in parser(src) {
        if let (Event::Scalar(text, style, ..), span) = event.ok()? {
            let range = bytes(&span);
            if range.start >= offset {
                let null = style == ScalarStyle::Plain && range.is_empty();
                return (range.start == offset && !null).then(|| text.into_owned());
            }
        }
    }
    None
}

// === impl Documents ===

impl<'t> Documents<'t> {
    pub(super) fn new(src: &'t str) -> Self {
        let refused = SyntaxError::too_large(src);
        Self {
            src,
            parser: parser(src),
            from: 0,
            lost: false,
            budget: MAX_COPIES,
            refused,
            ended: false,
        }
    }

    /// Reads on to the end of the next document; none where the file ends.
    fn document(&mut self) -> Result<Option<Tree<'t>>, SyntaxError> {
        let mut builder = Builder::new(self.src, self.budget);
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| scan_error(self.src, &error))?;
            let span = bytes(&span);
            if event == Event::DocumentEnd {
                let start = std::mem::replace(&mut self.from, span.end);
                self.budget = builder.budget;
                return Ok(Some(builder.finish(Span::new(start, span.end))));
            }
            if self.lost && matches!(event, Event::DocumentStart(..)) {
                self.lost = false;
                self.from = span.start;
            }
            builder
                .event(event, &span)
                .map_err(|(offset, problem)| SyntaxError::new(self.src, offset, problem))?;
        }
        Ok(None)
    }
}

impl<'t> Iterator for Documents<'t> {
    type Item = Result<Tree<'t>, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(refused) = self.refused.take() {
            self.ended = true;
            return Some(Err(refused));
        }
        if self.ended {
            return None;
        }
        let document = self.document();
        self.lost |= document.is_err();
        self.ended = match &document {
            Ok(document) => document.is_none(),
            Err(_) => !self.parser.proceed_next_document().unwrap_or(false),
        };
        document.transpose()
    }
}

// === impl Builder ===

impl<'t> Builder<'t> {
    fn new(src: &'t str, budget: usize) -> Self {
        let tree = Tree {
            src,
            syntax: Syntax::Yaml,
            document: Span::new(0, 0),
            nodes: Vec::new(),
            decoded: Vec::new(),
        };
        Self {
            tree,
            open: Vec::new(),
            anchors: HashMap::new(),
            keys: Vec::new(),
            end: 0,
            budget,
            scratch: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, span: &Range<usize>) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref(), span);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(style, anchor, _) => {
                self.open(Kind::Sequence, style, anchor, span)
            }
            Event::MappingStart(style, anchor, _) => self.open(Kind::Mapping, style, anchor, span),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            // The options leave out comments, anchors and aliases that are not known; the rest is no content.
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "the enum is open; what carries nodes is above"
            )]
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: &Range<usize>,
    ) {
        let (style, plain) = match style {
            ScalarStyle::Plain => (Style::Bare, true),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => (Style::Quoted, false),
            ScalarStyle::Literal | ScalarStyle::Folded => (Style::Block, false),
        };
        // The parser reads a missing value as `~`.
        let text = if plain && span.is_empty() { "" } else { text };
        let kind = match tag {
            Some(tag) => tagged_kind(tag),
            None if plain => plain_kind(text),
            None => Kind::String,
        };
        let mut scalar = Scalar {
            value: Span::new(span.start, span.end),
            slot: Text::VERBATIM,
            kind,
            style,
        };
        if &self.tree.src[scalar.text().span.range()] != text {
            scalar.slot = narrow(self.tree.decoded.len());
            self.tree.decoded.push(OnceLock::from(Box::from(text)));
        }
        self.end = span.end;
        if self.awaits_key() {
            if anchor != 0 {
                self.anchors.insert(anchor, Anchor::Key(scalar));
            }
            self.key(Key {
                text: scalar.text(),
                merge: plain && text == "<<" && tag.is_none(),
            });
        } else {
            self.value(scalar, anchor);
        }
    }

    fn alias(&mut self, anchor: usize, span: &Range<usize>) -> Result<(), Problem> {
        self.end = span.end;
        let Some(&anchor) = self.anchors.get(&anchor) else {
            return Err((span.start, "an alias whose anchor is not known"));
        };
        if self.awaits_key() {
            let text = match anchor {
                Anchor::Key(scalar) => scalar.text(),
                Anchor::Value(node) => {
                    let node = &self.tree.nodes[node as usize];
                    self.keys.push(node.value);
                    node.text().ok_or((span.start, COMPLEX_KEY))?
                }
            };
            self.key(Key { text, merge: false });
            return Ok(());
        }
        match anchor {
            Anchor::Key(scalar) => {
                self.keys.push(scalar.value);
                self.value(scalar, 0);
                Ok(())
            }
            Anchor::Value(node) => {
                let (key, hidden) = self.take_key();
                self.copy(node, key, hidden)
                    .map_err(|problem| (span.start, problem))
            }
        }
    }

    fn open(
        &mut self,
        kind: Kind,
        style: StructureStyle,
        anchor: usize,
        span: &Range<usize>,
    ) -> Result<(), Problem> {
        if self.awaits_key() {
            return Err((span.start, COMPLEX_KEY));
        }
        let value = Span::new(span.start, span.end);
        let node = self.value(
            Scalar {
                value,
                slot: Text::VERBATIM,
                kind,
                style: Style::Bare,
            },
            anchor,
        );
        self.end = self.end.max(span.end);
        let block = style == StructureStyle::Block;
        self.open.push(Open {
            node,
            mapping: kind == Kind::Mapping,
            block,
            key: None,
            merges: false,
        });
        Ok(())
    }

    fn close(&mut self, span: &Range<usize>) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if !open.block {
            self.end = span.end;
        }
        let next = narrow(self.tree.nodes.len());
        let node = &mut self.tree.nodes[open.node as usize];
        node.value.end = narrow(self.end).max(node.value.start);
        node.next = next;
        if !open.mapping {
            return Ok(());
        }
        if let Some(offset) = self.tree.duplicate_key(open.node, &mut self.scratch) {
            return Err((offset, DUPLICATE_KEY));
        }
        if open.merges {
            self.merge(open.node)
        } else {
            Ok(())
        }
    }

    /// Adds what the merge keys of a mapping bring in: entries under keys that it has not, the first one of each.
    fn merge(&mut self, mapping: u32) -> Result<(), Problem> {
        let tree = &self.tree;
        let own = super::children(&tree.nodes, mapping);
        let mut present: HashSet<String> = own
            .map(|child| tree.read(tree.nodes[child as usize].key).into())
            .collect();
        for source in self.merge_sources(mapping)? {
            let entries: Vec<u32> = super::children(&self.tree.nodes, source).collect();
            for entry in entries {
                let Node { key, value, .. } = self.tree.nodes[entry as usize];
                if present.insert(self.tree.read(key).into()) {
                    self.copy_into(entry, mapping, key, false)
                        .map_err(|problem| (value.range().start, problem))?;
                }
            }
        }
        self.tree.nodes[mapping as usize].next = narrow(self.tree.nodes.len());
        Ok(())
    }

    /// The mappings under a mapping's merge keys, the one that takes precedence first.
    fn merge_sources(&self, mapping: u32) -> Result<Vec<u32>, Problem> {
        let nodes = &self.tree.nodes;
        let Node { next, .. } = nodes[mapping as usize];
        let mut sources = Vec::new();
        let mut child = mapping + 1;
        while child < next {
            let Node {
                hidden, kind, next, ..
            } = nodes[child as usize];
            match kind {
                _ if !hidden => {}
                Kind::Sequence => sources.extend(super::children(nodes, child)),
                Kind::Mapping | Kind::String | Kind::Scalar => sources.push(child),
            }
            child = next;
        }
        match sources
            .iter()
            .map(|&source| nodes[source as usize])
            .find(|source| source.kind != Kind::Mapping)
        {
            Some(source) => Err((
                source.value.range().start,
                "a merge key takes a mapping or a list of mappings",
            )),
            None => Ok(sources),
        }
    }

    /// Adds a copy of a node and of all below it under the innermost open collection.
    fn copy(&mut self, source: u32, key: Text, hidden: bool) -> Result<(), &'static str> {
        if self.open.iter().any(|open| open.node == source) {
            return Err("an alias inside its own anchor");
        }
        let end = self.tree.nodes[source as usize].next;
        for node in &mut self.tree.nodes[source as usize..end as usize] {
            node.sharing = Sharing::Nodes;
        }
        self.copy_into(source, self.parent(), key, hidden)
    }

    fn copy_into(
        &mut self,
        source: u32,
        parent: u32,
        key: Text,
        hidden: bool,
    ) -> Result<(), &'static str> {
        let nodes = &mut self.tree.nodes;
        let range = source as usize..nodes[source as usize].next as usize;
        self.budget = self
            .budget
            .checked_sub(range.len())
            .ok_or("aliases and merge keys multiply beyond reason")?;
        let root = nodes.len();
        let moved = narrow(root) - source;
        nodes.extend_from_within(range);
        for node in &mut nodes[root..] {
            node.next += moved;
            node.parent = node.parent.wrapping_add(moved);
        }
        nodes[root].parent = parent;
        nodes[root].key = key;
        nodes[root].hidden = hidden;
        Ok(())
    }

    /// Adds a node and gives it its anchor.
    fn value(&mut self, scalar: Scalar, anchor: usize) -> u32 {
        let Scalar {
            value,
            slot,
            kind,
            style,
        } = scalar;
        let (key, hidden) = self.take_key();
        let parent = self.parent();
        let node = narrow(self.tree.nodes.len());
        let next = node + 1;
        self.tree.nodes.push(Node {
            key,
            value,
            slot,
            parent,
            next,
            kind,
            style,
            sharing: Sharing::Own,
            hidden,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor::Value(node));
        }
        node
    }

    fn parent(&self) -> u32 {
        self.open.last().map_or(NO_PARENT, |open| open.node)
    }

    fn awaits_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| open.mapping && open.key.is_none())
    }

    fn key(&mut self, key: Key) {
        if let Some(open) = self.open.last_mut() {
            open.merges |= key.merge;
            open.key = Some(key);
        }
    }

    /// The key of the value that comes now, and whether that value is hidden.
    fn take_key(&mut self) -> (Text, bool) {
        let key = self.open.last_mut().and_then(|open| open.key.take());
        key.map_or((Text::ABSENT, false), |key| (key.text, key.merge))
    }

    fn finish(mut self, document: Span) -> Tree<'t> {
        if !self.keys.is_empty() {
            let keys: HashSet<Span> = self.keys.into_iter().collect();
            for node in &mut self.tree.nodes {
                if keys.contains(&node.value) {
                    node.sharing = Sharing::Key;
                }
            }
        }
        self.tree.document = document;
        self.tree
    }
}

// === impl Scalar ===

impl Scalar {
    fn text(self) -> Text {
        Text {
            span: self.style.inner(self.value),
            slot: self.slot,
        }
    }
}

// === free functions ===

const COMPLEX_KEY: &str = "a key that is not a scalar; Kubernetes and JSON know only strings";

fn parser(src: &str) -> Parser<'_, StrInput<'_>> {
    let mut options = granit_parser::options! { block_scalar_eof_without_line_feed: true };
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(src, options)
}

/// The bytes of a span; the parser knows them whenever it reads a string.
fn bytes(span: &granit_parser::Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}

fn scan_error(src: &str, error: &ScanError) -> SyntaxError {
    let offset = error.marker().byte_offset().unwrap_or_default();
    SyntaxError::new(src, offset, error.kind().to_string())
}

fn tagged_kind(tag: &Tag) -> Kind {
    match tag.core_suffix() {
        Some("null" | "bool" | "int" | "float") => Kind::Scalar,
        _ => Kind::String,
    }
}

fn is_number(text: &str) -> bool {
    let all = |digits: &str, allowed: fn(&u8) -> bool| {
        !digits.is_empty() && digits.as_bytes().iter().all(allowed)
    };
    if let Some(octal) = text.strip_prefix("0o") {
        return all(octal, |byte| matches!(byte, b'0'..=b'7'));
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return all(hexadecimal, u8::is_ascii_hexdigit);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let ".inf" | ".Inf" | ".INF" = unsigned {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let some = !whole.is_empty() || !fraction.is_empty();
    some && digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|exponent| all(exponent, u8::is_ascii_digit))
}
