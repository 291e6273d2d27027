//! YAML that is a template of Helm, Handlebars or Jinja: what a program fills in is masked, the rest is read.
//!
//! A mask has the length of what it covers, so that every span is one of the source. It starts and ends with a letter, so
//! that no name that touches it is taken for whole, and holds `$`, so that whoever reads it sees a text that is filled in.

use std::sync::Arc;

use super::{SyntaxError, Tree};

/// How templates open and close what a program fills in.
const DELIMITERS: &[(&str, &str)] = &[("{{", "}}"), ("{%", "%}")];

/// How a line that holds nothing but templates is masked.
#[derive(Clone, Copy)]
enum Alone {
    /// As a comment, or a line of a block scalar.
    Comment,
    /// As an empty line, which no indentation is wrong for.
    Space,
}

/// The trees of a file, one for each document: of the text as it stands where it can be read so, since some templates are
/// valid YAML, else of the masked one that has the fewest errors.
pub(super) fn read(src: &str) -> Vec<Result<Tree<'_>, SyntaxError>> {
    if !DELIMITERS.iter().any(|(open, _)| src.contains(open)) {
        return Tree::yaml(src).collect();
    }
    let errors = |trees: &Vec<Result<Tree<'_>, SyntaxError>>| {
        trees.iter().filter(|tree| tree.is_err()).count()
    };
    let attempts = [Alone::Comment, Alone::Space].map(|alone| attempt(src, alone));
    attempts.into_iter().min_by_key(errors).unwrap_or_default()
}

fn attempt(src: &str, alone: Alone) -> Vec<Result<Tree<'_>, SyntaxError>> {
    let masked: Arc<str> = mask(src, alone).into();
    let of_the_source = |tree: Tree<'_>| Tree {
        src,
        masked: Some(Arc::clone(&masked)),
        format: tree.format,
        document: tree.document,
        nodes: tree.nodes,
        decoded: tree.decoded,
    };
    Tree::yaml(&masked)
        .map(|tree| tree.map(of_the_source))
        .collect()
}

/// The text with its templates masked, byte by byte of the same length, line ends kept.
fn mask(src: &str, alone: Alone) -> String {
    let mut masked = String::with_capacity(src.len());
    let mut from = 0;
    while let Some((start, end)) = next_template(src, from) {
        masked.push_str(&src[from..start]);
        let before = masked.rfind('\n').map_or(0, |at| at + 1);
        let line_end = src[end..].find('\n').map_or(src.len(), |at| end + at);
        let only_masks = masked[before..].trim_matches(['#', ' ', '\t']).is_empty();
        let is_alone = only_masks && is_blank_but_for_templates(&src[end..line_end]);
        for (index, piece) in src[start..end].split_inclusive('\n').enumerate() {
            let text = piece.trim_end_matches(['\n', '\r']);
            fill(&mut masked, text.len(), is_alone || index > 0, alone);
            masked.push_str(&piece[text.len()..]);
        }
        from = end;
    }
    masked.push_str(&src[from..]);
    masked
}

fn fill(masked: &mut String, length: usize, whole_line: bool, alone: Alone) {
    let filler = |byte, count| std::iter::repeat_n(byte, count);
    match (whole_line, alone) {
        (true, Alone::Space) => masked.extend(filler(' ', length)),
        (true, Alone::Comment) => masked.extend(filler('#', length)),
        (false, _) if length < 2 => masked.extend(filler('x', length)),
        (false, _) => {
            masked.push('x');
            masked.extend(filler('$', length - 2));
            masked.push('x');
        }
    }
}

fn is_blank_but_for_templates(rest: &str) -> bool {
    let mut from = 0;
    while let Some((start, end)) = next_template(rest, from) {
        if !rest[from..start].trim().is_empty() {
            return false;
        }
        from = end;
    }
    rest[from..].trim().is_empty()
}

/// Where the next template stands, from `from` on.
fn next_template(src: &str, from: usize) -> Option<(usize, usize)> {
    let next = DELIMITERS.iter().filter_map(|(open, close)| {
        let start = from + src[from..].find(open)?;
        let mut end = start + src[start..].find(close)? + close.len();
        // Handlebars closes what is not escaped by three.
        end += src[end..].bytes().take_while(|byte| *byte == b'}').count();
        Some((start, end))
    });
    next.min()
}
