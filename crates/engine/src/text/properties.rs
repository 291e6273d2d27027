//! The front end for `key=value` lines: Java's properties, `.env` files and their kin.
//!
//! The dialects differ in quotes, comments behind a value and escapes; what they agree on is read, the rest is a text that
//! cannot be pointed at. Which of the two it is matters where a value goes over lines: only in `.env` files quotes keep it
//! together.

use super::{Format, Kind, Span, Style, SyntaxError, Tree, build::TreeBuilder, start_of_text};

/// What shells and some dialects write before a key.
const EXPORT: &str = "export ";

/// Which of the two a file is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Java's.
    Properties,
    /// That of `.env` files.
    Env,
}

/// Reads a file.
pub(super) fn read(src: &str, dialect: Dialect) -> Result<Tree<'_>, SyntaxError> {
    if let Some(error) = SyntaxError::too_large(src) {
        return Err(error);
    }
    let format = match dialect {
        Dialect::Properties => Format::Properties,
        Dialect::Env => Format::Env,
    };
    let mut builder = TreeBuilder::new(src, format);
    builder.open(None, Kind::Mapping, 0);
    for (at, line) in logical_lines(src, dialect) {
        entry(&mut builder, line, at)
            .ok_or_else(|| SyntaxError::new(src, at, "expected `key=value`"))?;
    }
    builder.close(src.len());
    Ok(builder.finish())
}

/// Whether every line that is neither empty nor a comment is a `KEY=value`, and at least one is.
pub(super) fn looks_like_env(src: &str) -> bool {
    let mut lines = logical_lines(src, Dialect::Env).peekable();
    let is_entry = |(_, line): (usize, &str)| {
        parts(line).is_some_and(|parts| {
            let is_quoted = || quoted(&line[parts.value..]).is_some();
            line[parts.key_end..].trim_start().starts_with('=')
                && (!line.contains('\n') || is_quoted())
        })
    };
    lines.peek().is_some() && lines.all(is_entry)
}

/// The lines that are neither empty nor comments, with their continuations, and the offset of each.
fn logical_lines(src: &str, dialect: Dialect) -> impl Iterator<Item = (usize, &str)> {
    let mut next = start_of_text(src);
    std::iter::from_fn(move || {
        while next < src.len() {
            let at = next;
            next = end_of_logical_line(src, at, dialect);
            let line = src[at..next].trim_end_matches(['\n', '\r']);
            if !line.trim().is_empty() && !is_comment(line, dialect) {
                return Some((at, line));
            }
        }
        None
    })
}

fn is_comment(line: &str, dialect: Dialect) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || (line.starts_with('!') && dialect == Dialect::Properties)
}

/// The end of the line at `at` with those that belong to it. Each line is looked at once: a million of them may go on.
fn end_of_logical_line(src: &str, at: usize, dialect: Dialect) -> usize {
    let mut lines = src[at..].split_inclusive('\n').peekable();
    if let Some(comment) = lines.next_if(|first| is_comment(first, dialect)) {
        return at + comment.len();
    }
    let mut end = at;
    for line in lines {
        end += line.len();
        let text = line.trim_end_matches(['\n', '\r']);
        let backslashes = text.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 0 {
            break;
        }
    }
    match dialect {
        Dialect::Properties => end,
        Dialect::Env => end.max(end_of_quotes(src, at, end).unwrap_or_default()),
    }
}

/// The end of the line on which the quotes are closed that the value of an entry from `at` to `end` opens, if they enclose
/// all of it.
fn end_of_quotes(src: &str, at: usize, end: usize) -> Option<usize> {
    let line = src[at..end].trim_end_matches(['\n', '\r']);
    let value = at + parts(line)?.value;
    let closed = value + quoted(&src[value..])?;
    let line = src[closed..]
        .split_inclusive('\n')
        .next()
        .unwrap_or_default();
    is_over(line).then_some(closed + line.len())
}

/// The ranges of the parts of an entry in its line.
struct Parts {
    key: usize,
    key_end: usize,
    value: usize,
}

fn parts(line: &str) -> Option<Parts> {
    let indent = line.len() - line.trim_start().len();
    let key = match line[indent..].strip_prefix(EXPORT) {
        Some(rest) => line.len() - rest.trim_start().len(),
        None => indent,
    };
    let separator = key + line[key..].find(['=', ':'])?;
    let name = line[key..separator].trim_end();
    let rest = &line[separator + 1..];
    is_key(name).then(|| Parts {
        key,
        key_end: key + name.len(),
        value: line.len() - rest.trim_start().len(),
    })
}

fn entry(builder: &mut TreeBuilder<'_>, line: &str, at: usize) -> Option<()> {
    let parts = parts(line)?;
    let key = Some(builder.key(Span::new(at + parts.key, at + parts.key_end), None));
    let (style, value) = value(line[parts.value..].trim_end());
    let span = Span::new(at + parts.value, at + parts.value + value.len());
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
    if let Some(end) = quoted(text).filter(|end| is_over(&text[*end..])) {
        return (Style::Quoted, &text[..end]);
    }
    let end = text.find(" #").unwrap_or(text.len());
    (Style::Bare, text[..end].trim_end())
}

/// Whether a value is followed by nothing or a comment.
fn is_over(rest: &str) -> bool {
    let rest = rest.trim();
    rest.is_empty() || rest.starts_with('#')
}

/// Where a text that starts with a quote is closed by the same: the offset behind it.
fn quoted(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    let (_, quote) = bytes.next().filter(|(_, first)| b"\"'".contains(first))?;
    while let Some((at, byte)) = bytes.next() {
        if byte == quote {
            return Some(at + 1);
        }
        // Between single quotes a backslash is literal.
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
