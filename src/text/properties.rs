//! The front end for `key=value` lines: Java's properties, `.env` files and their kin.
//!
//! The dialects differ in quotes, comments behind a value and escapes; what they agree on is read, the rest is a text that
//! cannot be pointed at.

use super::{Format, Kind, Span, Style, SyntaxError, Tree, build::Builder};

/// What shells and some dialects write before a key.
const EXPORT: &str = "export ";

/// Reads a file.
pub(super) fn read(src: &str) -> Result<Tree<'_>, SyntaxError> {
    if let Some(error) = SyntaxError::too_large(src) {
        return Err(error);
    }
    let mut builder = Builder::new(src, Format::Properties);
    builder.open(None, Kind::Mapping, 0);
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
    builder.close(src.len());
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
    let key = Some(builder.key(Span::new(at + from, at + from + key.len()), None));
    let rest = &line[separator + 1..];
    let start = line.len() - rest.trim_start().len();
    let (style, value) = value(rest.trim());
    let span = Span::new(at + start, at + start + value.len());
    let inner = match style {
        Style::Quoted => &value[1..value.len() - 1],
        Style::Bare | Style::Block => value,
    };
    let text = inner.contains('\\').then(|| decoded(inner));
    builder.scalar(key, Kind::String, style, span, text.as_deref());
    Some(())
}

/// A value without the comment that some dialects allow behind it. Quotes that do not enclose it are part of it.
fn value(text: &str) -> (Style, &str) {
    let is_over = |rest: &str| rest.is_empty() || rest.starts_with('#');
    if let Some(end) = quoted(text).filter(|end| is_over(text[*end..].trim_start())) {
        return (Style::Quoted, &text[..end]);
    }
    let end = text.find(" #").unwrap_or(text.len());
    (Style::Bare, text[..end].trim_end())
}

/// Where a text that starts with a quote is closed by the same: the offset behind it.
fn quoted(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    let (_, quote) = bytes.next().filter(|(_, first)| b"\"'".contains(first))?;
    while let Some((at, byte)) = bytes.next() {
        if byte == quote {
            return Some(at + 1);
        }
        // Between single quotes a backslash stands for itself.
        if byte == b'\\' && quote == b'"' {
            bytes.next();
        }
    }
    None
}

/// What a value says: a backslash at the end of a line takes in the next one without its indentation, and those before the
/// signs that would end a key or start a comment, as Java writes them, are dropped. Other escapes stay as they are.
fn decoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, escaped)) = rest.split_once('\\') {
        text.push_str(before);
        let next_line = escaped.trim_start_matches('\r').strip_prefix('\n');
        rest = if let Some(line) = next_line {
            line.trim_start()
        } else {
            if !escaped.starts_with([':', '=', '#', '!']) {
                text.push('\\');
            }
            let sign = escaped.chars().next();
            text.extend(sign);
            &escaped[sign.map_or(0, char::len_utf8)..]
        };
    }
    text.push_str(rest);
    text
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]/".contains(&byte))
}
