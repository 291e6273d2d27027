//! The TOML front end: tables become mappings in the order of the file.

use std::ops::Range;

use toml_edit::{Document, Item, Key, TableLike, Value};

use super::{
    Format, Kind, Span, Style, SyntaxError, TextRef, Tree, build::TreeBuilder, error::OVER_BUDGET,
};
use crate::budget::Budget;

/// The quotes of texts that may have several lines.
const THREE: [&str; 2] = ["\"\"\"", "\'\'\'"];

/// The memory that the parser takes for each sign that may begin a key or a value, in bytes: measured with `a=[{a.a.a.a=1},…]`.
const BYTES_PER_VALUE: usize = 512;

/// [`read`] within a budget. What the parser takes is estimated before, since it cannot be stopped.
pub(super) fn read_within<'t>(src: &'t str, budget: &Budget) -> Result<Tree<'t>, SyntaxError> {
    let is_begin = |byte: &&u8| matches!(byte, b'=' | b',' | b'.' | b'[' | b'{');
    let values = src.bytes().filter(|byte| is_begin(&byte)).count();
    let memory = values * BYTES_PER_VALUE;
    if memory > budget.bytes_left() || !budget.spend_text(src) {
        budget.spend_bytes(memory);
        return Err(SyntaxError::new(src, 0, OVER_BUDGET));
    }
    let tree = read(src)?;
    if tree.spend(budget) {
        Ok(tree)
    } else {
        Err(SyntaxError::new(src, 0, OVER_BUDGET))
    }
}

/// Reads a document.
pub(super) fn read(src: &str) -> Result<Tree<'_>, SyntaxError> {
    if let Some(error) = SyntaxError::too_large(src) {
        return Err(error);
    }
    let document = Document::parse(src).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        SyntaxError::new(src, offset, error.message().to_owned())
    })?;
    let mut reader = TomlReader {
        src,
        builder: TreeBuilder::new(src, Format::Toml),
    };
    reader.mapping(None, document.as_table(), &(0..src.len()));
    Ok(reader.builder.finish())
}

struct TomlReader<'t> {
    src: &'t str,
    builder: TreeBuilder<'t>,
}

impl TomlReader<'_> {
    fn mapping(&mut self, key: Option<TextRef>, table: &dyn TableLike, span: &Range<usize>) {
        self.builder.open(key, Kind::Mapping, span.start);
        for (name, item) in table.iter() {
            let key = self.key(name, table.key(name));
            self.item(Some(key), item);
        }
        self.builder.close(span.end);
    }

    fn item(&mut self, key: Option<TextRef>, item: &Item) {
        let span = item.span().unwrap_or_default();
        match item {
            Item::None => {}
            Item::Value(value) => self.value(key, value),
            Item::Table(table) => self.mapping(key, table, &span),
            Item::ArrayOfTables(tables) => {
                self.builder.open(key, Kind::Sequence, span.start);
                for table in tables {
                    let span = table.span().unwrap_or_default();
                    self.mapping(None, table, &span);
                }
                self.builder.close(span.end);
            }
        }
    }

    fn value(&mut self, key: Option<TextRef>, value: &Value) {
        let span = value.span().unwrap_or_default();
        match value {
            Value::Array(items) => {
                self.builder.open(key, Kind::Sequence, span.start);
                for item in items {
                    self.value(None, item);
                }
                self.builder.close(span.end);
            }
            Value::InlineTable(table) => self.mapping(key, table, &span),
            Value::String(text) => {
                let (style, span) = self.spelling(&span);
                let text = Some(&**text.value());
                self.builder.scalar(key, Kind::String, style, span, text);
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
                let span = Span::new(span.start, span.end);
                self.builder
                    .scalar(key, Kind::Scalar, Style::Bare, span, None);
            }
        }
    }

    /// A string's span: with one quote on either side, or the span between three.
    fn spelling(&self, span: &Range<usize>) -> (Style, Span) {
        let spelled = self.src.get(span.clone()).unwrap_or_default();
        let inner = THREE
            .iter()
            .find_map(|quotes| spelled.strip_prefix(quotes)?.strip_suffix(quotes));
        let Some(inner) = inner else {
            return (Style::Quoted, Span::new(span.start, span.end));
        };
        // A line end right behind the opening quotes is no part of the text.
        let text = inner.strip_prefix("\r\n").or(inner.strip_prefix('\n'));
        let text = text.unwrap_or(inner);
        let end = span.end - THREE[0].len();
        (Style::Block, Span::new(end - text.len(), end))
    }

    fn key(&mut self, name: &str, key: Option<&Key>) -> TextRef {
        let span = key.and_then(Key::span).unwrap_or_default();
        let spelled = self.src.get(span.clone()).unwrap_or_default();
        let style = match spelled.as_bytes().first() {
            Some(b'"' | b'\'') => Style::Quoted,
            _ => Style::Bare,
        };
        let span = style.inner(Span::new(span.start, span.end));
        self.builder.key(span, Some(name))
    }
}
