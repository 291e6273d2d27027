//! The front end for everything that has no other: each line is a string.

use std::ops::Range;

use super::{Format, Kind, Span, Style, Text, Tree, build::Builder};

/// Reads a text line by line, but for the lines that start in `except`: ranges that stand in order and apart.
pub(super) fn read<'t>(src: &'t str, except: &[Range<usize>]) -> Tree<'t> {
    let mut builder = Builder::new(src, Format::Lines);
    let root = builder.open(Text::ABSENT, Kind::Sequence, 0);
    let mut start = 0;
    for line in src.split_inclusive('\n') {
        let text = line.trim_end_matches(['\n', '\r']);
        let span = Span::new(start, start + text.len());
        let before = except.partition_point(|range| range.start <= start);
        let is_read = before > 0 && except[before - 1].contains(&start);
        if !is_read {
            builder.scalar(Text::ABSENT, Kind::String, Style::Bare, span, None);
        }
        start += line.len();
    }
    builder.close(root, src.len());
    builder.finish()
}
