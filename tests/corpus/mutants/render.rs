//! Writes a document in a style that the rng choose; the same rng give the same style before and after the rewrite.

use super::node::Node;
use super::rng::Rng;

/// Which of a text's two values is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// Comments, one of them with what would be a finding anywhere else.
const COMMENTS: &[&str] = &[
    "# see the handbook",
    "# was anthropic.claude-sonnet-4-5-20250929-v1:0",
];

/// Words that are no strings without quotes, to one reader of YAML or another.
const OTHER_THAN_TEXT: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// Writes one document.
pub(super) fn render(node: &Node, side: Side, rng: &mut Rng) -> String {
    let mut writer = Writer {
        side,
        step: rng.pick(&[2, 2, 4, 3]),
        nested_lists: rng.one_in(2),
        comments: rng.one_in(2),
        rng,
        out: String::new(),
    };
    writer.block(node, 0);
    writer.out
}

/// Writes one document as JSON, which is YAML too.
pub(super) fn render_json(node: &Node, side: Side, rng: &mut Rng) -> String {
    let pretty = rng.one_in(2);
    let mut out = String::new();
    json(node, side, pretty.then_some(0), &mut out);
    out.push('\n');
    out
}

struct Writer<'d> {
    side: Side,
    step: usize,
    nested_lists: bool,
    comments: bool,
    rng: &'d mut Rng,
    out: String,
}

impl Writer<'_> {
    /// Writes a node from the start of a line.
    fn block(&mut self, node: &Node, indent: usize) {
        match node {
            Node::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    self.between(indent);
                    self.entry(key, value, indent);
                }
            }
            Node::Seq(items) if !items.is_empty() => {
                for item in items {
                    self.between(indent);
                    self.item(item, indent);
                }
            }
            Node::Map(_) | Node::Seq(_) | Node::Text { .. } | Node::Bare(_) | Node::File { .. } => {
                self.pad(indent);
                self.inline(node, indent);
            }
        }
    }

    fn entry(&mut self, key: &str, value: &Node, indent: usize) {
        self.pad(indent);
        self.key(key);
        self.out.push(':');
        if is_block(value) && !self.chooses_a_line(value) {
            self.out.push('\n');
            let beside = matches!(value, Node::Seq(_)) && !self.nested_lists;
            let deeper = if beside { indent } else { indent + self.step };
            return self.block(value, deeper);
        }
        self.out.push(' ');
        self.inline(value, indent);
    }

    fn item(&mut self, item: &Node, indent: usize) {
        self.pad(indent);
        self.out.push_str("- ");
        if let Node::Map(entries) = item
            && !entries.is_empty()
            && !self.chooses_a_line(item)
        {
            // The first key stands behind the dash, the others below it.
            let start = self.out.len();
            for (key, value) in entries {
                self.entry(key, value, indent + 2);
            }
            self.out.replace_range(start..start + indent + 2, "");
            return;
        }
        self.inline(item, indent);
    }

    /// Writes a value behind its key or dash, and ends the line.
    fn inline(&mut self, node: &Node, indent: usize) {
        match node {
            Node::Text { before, .. } => {
                let text = side_of(node, self.side);
                self.scalar(before, &text, indent);
            }
            Node::File { root, json } => {
                let mut rng = self.rng.clone();
                let text = match json {
                    true => render_json(root, self.side, self.rng),
                    false => render(root, self.side, self.rng),
                };
                let before = match json {
                    true => render_json(root, Side::Before, &mut rng),
                    false => render(root, Side::Before, &mut rng),
                };
                self.scalar(&before, &text, indent);
            }
            Node::Map(_) | Node::Seq(_) => {
                let mut line = String::new();
                self.flow(node, &mut line);
                self.out.push_str(&line);
                self.end();
            }
            Node::Bare(text) => {
                self.out.push_str(text);
                self.end();
            }
        }
    }

    /// Writes a string in one of the styles that can hold it. What it was before decides, so that both sides look alike.
    fn scalar(&mut self, before: &str, text: &str, indent: usize) {
        let block =
            !before.is_empty() && !before.starts_with([' ', '\n']) && !before.contains('\t');
        let several = before.trim_end_matches('\n').contains('\n');
        let style = self.rng.below(8);
        match style {
            0 | 1 if block && !before.ends_with("\n\n") => self.literal(text, indent, '|'),
            2 if block && !several && !before.ends_with('\n') => self.literal(text, indent, '>'),
            _ if several && block && style < 6 => self.literal(text, indent, '|'),
            3 | 4 if is_plain(before) => self.word(text),
            5 if !before.contains('\n') => self.word(&single(text)),
            _ => self.word(&double(text)),
        }
    }

    fn literal(&mut self, text: &str, indent: usize, header: char) {
        let chomp = if text.ends_with('\n') { "" } else { "-" };
        self.out.push(header);
        self.out.push_str(chomp);
        self.out.push('\n');
        for line in text.trim_end_matches('\n').split('\n') {
            if !line.is_empty() {
                self.pad(indent + self.step);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    fn word(&mut self, word: &str) {
        self.out.push_str(word);
        self.end();
    }

    fn flow(&mut self, node: &Node, line: &mut String) {
        match node {
            Node::Map(entries) => {
                line.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    line.push_str(if at > 0 { ", " } else { " " });
                    line.push_str(&if is_plain(key) {
                        key.clone()
                    } else {
                        double(key)
                    });
                    line.push_str(": ");
                    self.flow(value, line);
                }
                line.push_str(" }");
            }
            Node::Seq(items) => {
                line.push('[');
                for (at, item) in items.iter().enumerate() {
                    line.push_str(if at > 0 { ", " } else { "" });
                    self.flow(item, line);
                }
                line.push(']');
            }
            Node::Text { before, .. } => {
                let text = side_of(node, self.side);
                line.push_str(&match self.rng.below(3) {
                    0 if is_plain(before) => text,
                    1 => single(&text),
                    _ => double(&text),
                });
            }
            Node::Bare(text) => line.push_str(text),
            Node::File { .. } => unreachable!("a file fits no line"),
        }
    }

    /// Small things may stand on one line.
    fn chooses_a_line(&mut self, node: &Node) -> bool {
        node.fits_a_line() && node.size() < 6 && self.rng.one_in(3)
    }

    fn key(&mut self, key: &str) {
        let written = match self.rng.below(8) {
            0 => double(key),
            1 => single(key),
            _ if is_plain(key) => key.to_owned(),
            _ => double(key),
        };
        self.out.push_str(&written);
    }

    fn pad(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// A blank line or a comment before an entry.
    fn between(&mut self, indent: usize) {
        if !self.comments || !self.rng.one_in(6) {
            return;
        }
        if self.rng.one_in(2) {
            self.pad(indent);
            let comment = self.rng.pick(COMMENTS);
            self.out.push_str(comment);
        }
        self.out.push('\n');
    }

    /// Ends a line, with a comment or without.
    fn end(&mut self) {
        if self.comments && self.rng.one_in(8) {
            self.out.push_str("   ");
            let comment = self.rng.pick(COMMENTS);
            self.out.push_str(comment);
        }
        self.out.push('\n');
    }
}

fn is_block(node: &Node) -> bool {
    match node {
        Node::Map(entries) => !entries.is_empty(),
        Node::Seq(items) => !items.is_empty(),
        Node::Text { .. } | Node::Bare(_) | Node::File { .. } => false,
    }
}

fn side_of(node: &Node, side: Side) -> String {
    match (node, side) {
        (Node::Text { before, .. }, Side::Before) => before.clone(),
        (Node::Text { after, .. }, Side::After) => after.clone(),
        (Node::Map(_) | Node::Seq(_) | Node::Bare(_) | Node::File { .. }, _) => {
            unreachable!("no text")
        }
    }
}

/// Whether a string needs no quotes anywhere, by a rule that is stricter than YAML's.
fn is_plain(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':');
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(fits)
        && !text.ends_with(':')
        && !OTHER_THAN_TEXT.contains(&text.to_ascii_lowercase().as_str())
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// JSON's strings are YAML's in double quotes.
fn double(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Writes JSON; `depth` is the depth of indentation where it is wanted.
fn json(node: &Node, side: Side, depth: Option<usize>, out: &mut String) {
    let inside = depth.map(|depth| depth + 1);
    let line = |depth: Option<usize>, out: &mut String| {
        if let Some(depth) = depth {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', depth * 2));
        }
    };
    let (open, close, children): (_, _, Vec<(Option<&String>, &Node)>) = match node {
        Node::Map(entries) => (
            '{',
            '}',
            entries
                .iter()
                .map(|(key, value)| (Some(key), value))
                .collect(),
        ),
        Node::Seq(items) => ('[', ']', items.iter().map(|item| (None, item)).collect()),
        Node::Text { .. } => return out.push_str(&double(&side_of(node, side))),
        Node::Bare(text) => return out.push_str(text),
        Node::File { .. } => unreachable!("no file holds files"),
    };
    out.push(open);
    for (at, (key, value)) in children.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        line(inside, out);
        if let Some(key) = key {
            out.push_str(&double(key));
            out.push_str(": ");
        }
        json(value, side, inside, out);
    }
    if !children.is_empty() {
        line(depth, out);
    }
    out.push(close);
}
