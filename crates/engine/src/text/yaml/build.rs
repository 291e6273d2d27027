//! Builds the tree of one document from parser events.

use super::{Keys, schema};
use crate::text::{
    Format, Kind, Membership, MergeOrder, NO_PARENT, Node, PathStep, Sharing, Span, Style, TextRef,
    Tree, narrow,
};
use granit_parser::{Event, ScalarStyle, StructureStyle, Tag};
use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::OnceLock,
};

pub(super) const COMPLEX_KEY: &str =
    "a key that is not a scalar; Kubernetes and JSON know only strings";

/// An anchor whose name libyaml and its ports, kubectl's among them, end before its first other character. They read the rest of the
/// name as the start of the text, or refuse the document.
const UNCOMMON_ANCHOR: &str = "an anchor whose name has other characters than letters, digits, `-` and `_`, which kubectl reads differently";

/// The builder of one document's tree.
pub(super) struct DocumentBuilder<'t> {
    pub(super) tree: Tree<'t>,
    /// The open collections, outermost first.
    pub(super) open: Vec<OpenYamlCollection>,
    pub(super) anchors: HashMap<usize, AnchorTarget>,
    /// Values that an alias uses as keys: their bytes must not change.
    pub(super) keys: Vec<Span>,
    may_repeat: Keys,
    pub(super) merge_order: MergeOrder,
    /// The end of the last token of content.
    pub(super) end: usize,
    /// The end of what was read before the anchor that comes next: the last scalar or alias, or an anchor.
    before_anchor: usize,
    pub(super) copies: usize,
    scratch: Vec<u32>,
}

/// A collection that has not ended.
pub(super) struct OpenYamlCollection {
    pub(super) node: u32,
    mapping: bool,
    block: bool,
    /// The key whose value comes next.
    key: Option<PendingKey>,
    /// How many items a sequence has so far.
    items: u32,
    /// It has a merge key.
    merges: bool,
}

/// A key whose value has not come; a merge key hides its value.
#[derive(Clone, Copy)]
pub(super) struct PendingKey {
    pub(super) text: TextRef,
    pub(super) merge: bool,
}

/// The target of an alias: a node, or a scalar that is a key.
#[derive(Clone, Copy)]
pub(super) enum AnchorTarget {
    Value(u32),
    Key(PendingScalar),
}

/// A scalar that has not become a node yet.
#[derive(Clone, Copy)]
pub(super) struct PendingScalar {
    pub(super) value: Span,
    slot: u32,
    kind: Kind,
    style: Style,
}

/// The offset and the message of an error.
pub(super) type LocatedMessage = (usize, &'static str);

// === impl DocumentBuilder ===

impl<'t> DocumentBuilder<'t> {
    pub(super) fn new(
        src: &'t str,
        may_repeat: Keys,
        merge_order: MergeOrder,
        (start, copies): (usize, usize),
    ) -> Self {
        Self {
            tree: Tree {
                merge_order,
                ..Tree::of_nothing(src, Format::Yaml)
            },
            open: Vec::new(),
            anchors: HashMap::new(),
            keys: Vec::new(),
            may_repeat,
            merge_order,
            end: 0,
            before_anchor: start,
            copies,
            scratch: Vec::new(),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum is open; all that carries nodes is named"
    )]
    pub(super) fn event(
        &mut self,
        event: Event<'_>,
        span: &Range<usize>,
    ) -> Result<(), LocatedMessage> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.anchored(anchor, span)?;
                self.before_anchor = span.end;
                self.scalar(&text, style, anchor, tag.as_deref(), span);
                Ok(())
            }
            Event::Alias(anchor) => {
                self.before_anchor = span.end;
                self.alias(anchor, span)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.anchored(anchor, span)?;
                self.open(Kind::Sequence, style, anchor, span)
            }
            Event::MappingStart(style, anchor, _) => {
                self.anchored(anchor, span)?;
                self.open(Kind::Mapping, style, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            // The options leave out comments, anchors and aliases that are not known; the rest is no content.
            _ => Ok(()),
        }
    }

    /// Checks the name of the anchor before a node, if the node has one.
    fn anchored(&mut self, anchor: usize, span: &Range<usize>) -> Result<(), LocatedMessage> {
        if anchor == 0 {
            return Ok(());
        }
        let start = std::mem::replace(&mut self.before_anchor, span.start);
        let before = self.tree.src.get(start..span.start).unwrap_or_default();
        if before.lines().all(has_common_anchors) {
            Ok(())
        } else {
            Err((span.start, UNCOMMON_ANCHOR))
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
            Some(tag) => schema::tagged_kind(tag),
            None if plain => schema::plain_kind(text),
            None => Kind::String,
        };
        let mut scalar = PendingScalar {
            value: Span::new(span.start, span.end),
            slot: TextRef::VERBATIM,
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
                self.anchors.insert(anchor, AnchorTarget::Key(scalar));
            }
            self.key(PendingKey {
                text: scalar.text(),
                merge: plain && text == "<<" && tag.is_none(),
            });
        } else {
            self.value(scalar, anchor);
        }
    }

    fn open(
        &mut self,
        kind: Kind,
        style: StructureStyle,
        anchor: usize,
        span: &Range<usize>,
    ) -> Result<(), LocatedMessage> {
        if self.awaits_key() {
            return Err((span.start, COMPLEX_KEY));
        }
        let value = Span::new(span.start, span.end);
        let node = self.value(
            PendingScalar {
                value,
                slot: TextRef::VERBATIM,
                kind,
                style: Style::Bare,
            },
            anchor,
        );
        self.end = self.end.max(span.end);
        let block = style == StructureStyle::Block;
        self.open.push(OpenYamlCollection {
            node,
            mapping: kind == Kind::Mapping,
            block,
            key: None,
            items: 0,
            merges: false,
        });
        Ok(())
    }

    fn close(&mut self, span: &Range<usize>) -> Result<(), LocatedMessage> {
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
        if self.may_repeat == Keys::Once {
            self.tree.hide_repeated(open.node, &mut self.scratch);
        }
        if open.merges {
            self.merge(open.node)
        } else {
            Ok(())
        }
    }

    /// Adds a node and gives it its anchor.
    pub(super) fn value(&mut self, scalar: PendingScalar, anchor: usize) -> u32 {
        let PendingScalar {
            value,
            slot,
            kind,
            style,
        } = scalar;
        let (step, membership) = self.step();
        let parent = self.parent();
        let node = narrow(self.tree.nodes.len());
        let next = node + 1;
        self.tree.nodes.push(Node {
            step,
            value,
            slot,
            parent,
            next,
            kind,
            style,
            sharing: Sharing::Own,
            membership,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, AnchorTarget::Value(node));
        }
        node
    }

    pub(super) fn parent(&self) -> u32 {
        self.open.last().map_or(NO_PARENT, |open| open.node)
    }

    pub(super) fn awaits_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| open.mapping && open.key.is_none())
    }

    pub(super) fn key(&mut self, key: PendingKey) {
        if let Some(open) = self.open.last_mut() {
            open.merges |= key.merge;
            open.key = Some(key);
        }
    }

    /// The step to the value that comes now, and how that value belongs to its collection.
    pub(super) fn step(&mut self) -> (PathStep, Membership) {
        let Some(open) = self.open.last_mut() else {
            return (PathStep::ROOT, Membership::Child);
        };
        if let Some(PendingKey { text, merge }) = open.key.take() {
            let membership = if merge {
                Membership::Merge
            } else {
                Membership::Child
            };
            return (PathStep::Key(text), membership);
        }
        let item = PathStep::Item(open.items);
        open.items += 1;
        (item, Membership::Child)
    }

    pub(super) fn finish(mut self, document: Span) -> Tree<'t> {
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

/// Whether the names of all anchors of a line without scalars consist of letters, digits, hyphens and underscores.
fn has_common_anchors(line: &str) -> bool {
    let is_comment = |at: &usize| {
        line[..*at]
            .bytes()
            .next_back()
            .is_none_or(|b| b == b' ' || b == b'\t')
    };
    let comment = line.match_indices('#').map(|(at, _)| at).find(is_comment);
    let content = &line[..comment.unwrap_or(line.len())];
    let mut anchors = content.split('&').skip(1);
    anchors.all(|rest| {
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}');
        let name = rest.split(ends).next().unwrap_or_default();
        let mut letters = name.bytes();
        letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    })
}

// === impl PendingScalar ===

impl PendingScalar {
    pub(super) fn text(self) -> TextRef {
        TextRef {
            span: self.style.inner(self.value),
            slot: self.slot,
        }
    }
}
