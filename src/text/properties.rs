//! The front end for `key=value` lines: Java's properties, `.env` files and their kin.
//!
//! The dialects differ in quotes, comments behind a value and escapes; what they agree on is read, the rest is a text that
//! cannot be pointed at.

use super::{Format, Kind, Span, Style, SyntaxError, Text, Tree, build::Builder};

/// What shells and some dialects write before a key.
const EXPORT: &str = "export ";

/// Reads a file.
pub(super) fn read(src: &str) -> Result<Tree<'_>, SyntaxError> {
    let mut builder = Builder::new(src, Format::Properties);
    let root = builder.open(Text::ABSENT, Kind::Mapping, 0);
    let mut at = 0;
    while at < src.len() {
        let end = end_of_logical_line(src, at);
        let line = src[at..end].trim_end_matches(['\n', '\r']);
        if !line.trim().is_empty() && !line.trim_start().starts_with(['#', '!']) {
            entry(&mut builder, line, at)
                .ok_or_else(|| SyntaxError::new(src, at, "expected `key=value`"))?;
        }
        at = end;
    }
    builder.close(root, src.len());
    Ok(builder.finish())
}

/// Whether every line of a text that says anything is a `KEY=value`, and one is.
pub(super) fn looks_like_it(src: &str) -> bool {
    let mut lines = src
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    let is_entry = |line: &str| {
        let line = line.strip_prefix(EXPORT).unwrap_or(line);
        line.split_once('=')
            .is_some_and(|(key, _)| is_key(key.trim_end()))
    };
    lines.peek().is_some() && lines.all(is_entry)
}

/// The end of the line at `at` with those that a backslash at its end takes in.
fn end_of_logical_line(src: &str, at: usize) -> usize {
    let mut end = at;
    let is_comment = src[at..]
        .trim_start_matches([' ', '\t'])
        .starts_with(['#', '!']);
    for line in src[at..].split_inclusive('\n') {
        end += line.len();
        let text = line.trim_end_matches(['\n', '\r']);
        let backslashes = text.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 0 || is_comment {
            break;
        }
    }
    end
}

fn entry(builder: &mut Builder<'_>, line: &str, at: usize) -> Option<()> {
    let indent = line.len() - line.trim_start().len();
    let from = match line[indent..].strip_prefix(EXPORT) {
        Some(rest) => line.len() - rest.trim_start().len(),
        None => indent,
    };
    let separator = from + line[from..].find(['=', ':'])?;
    let key = line[from..separator].trim_end();
    if !is_key(key) {
        return None;
    }
    let key = builder.key(Span::new(at + from, at + from + key.len()), None);
    let rest = &line[separator + 1..];
    let start = line.len() - rest.trim_start().len();
    let (style, value) = value(rest.trim());
    let span = Span::new(at + start, at + start + value.len());
    let joined = value.contains('\\').then(|| joined(value));
    let text = joined.as_deref().map(|text| match style {
        Style::Quoted => &text[1..text.len() - 1],
        Style::Bare | Style::Block => text,
    });
    builder.scalar(key, Kind::String, style, span, text);
    Some(())
}

/// A value without what follows its closing quote, or the comment that some dialects allow behind it.
fn value(text: &str) -> (Style, &str) {
    let quote = text
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''));
    let closing = quote.and_then(|quote| text[1..].find(quote));
    if let Some(end) = closing {
        return (Style::Quoted, &text[..end + 2]);
    }
    let end = text.find(" #").unwrap_or(text.len());
    (Style::Bare, text[..end].trim_end())
}

/// The lines of a value put together: a backslash at the end of one takes in the next without its indentation.
fn joined(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for (index, line) in value.lines().enumerate() {
        let line = if index > 0 { line.trim_start() } else { line };
        text.push_str(line.strip_suffix('\\').unwrap_or(line));
    }
    text
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]/".contains(&byte))
}
