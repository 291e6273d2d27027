//! The front end of last resort: each line is a string.

use std::ops::Range;

use super::{Format, Kind, NO_PARENT, Span, Style, Tree, build::TreeBuilder, start_of_text};

/// Reads a text line by line, but for the lines that start in `except`: ranges in order.
pub(super) fn read<'t>(src: &'t str, except: &[Range<usize>]) -> Tree<'t> {
    let mut builder = TreeBuilder::new(src, Format::Lines);
    builder.open(None, Kind::Sequence, 0);
    let mut except = except.iter().peekable();
    let mut start = start_of_text(src);
    // Spans are kept in 32 bits: what lies beyond is not read.
    let end = src.floor_char_boundary(NO_PARENT as usize);
    for line in src[start..end].split_inclusive('\n') {
        let text = line.trim_end_matches(['\n', '\r']);
        while except.next_if(|range| range.end <= start).is_some() {}
        if except.peek().is_none_or(|range| start < range.start) {
            let span = Span::new(start, start + text.len());
            builder.scalar(None, Kind::String, Style::Bare, span, None);
        }
        start += line.len();
    }
    builder.close(end);
    builder.finish()
}
