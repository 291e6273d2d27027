//! The documents in a text, and the findings at places of the text.

use std::ops::Range;

use super::Finding;
use crate::budget::Budget;
use crate::domain::reason::Reason;
use crate::domain::site::TextSite;
use crate::domain::syntax::Syntax;
use crate::domain::tokens::{Form, Token};
use crate::text::{Format, Tree};

/// The documents of a text; `None` if no structured format fits.
pub(super) fn documents<'t>(text: &'t str, name: &str, budget: &Budget) -> Option<Vec<Tree<'t>>> {
    let may_have_structure = text.contains(['\n', '{', '[', '=']) || text.contains(": ");
    if !may_have_structure {
        return None;
    }
    let trees = Tree::embedded_within(text, name, budget);
    let is_read = |tree: &Tree<'_>| tree.format() != Format::Lines;
    trees.iter().all(is_read).then_some(trees)
}

/// The finding of `token`, which is at `span` of `text`.
pub(super) fn finding<'t>(
    site: TextSite<'t>,
    text: &'t str,
    span: Range<usize>,
    token: &Token<'_>,
    syntax: Result<Syntax, Reason>,
) -> Finding<'t> {
    let name = &text[span.clone()];
    let id = &name[name.len() - token.id.len()..];
    let form = match token.form {
        Form::Profiled(geography) => Form::Profiled(&name[..geography.len()]),
        Form::Direct => Form::Direct,
        Form::Doubled => Form::Doubled,
        Form::Alias => Form::Alias,
    };
    let suffix = text[span.end..]
        .get(..token.suffix.len())
        .unwrap_or_default();
    let token = Token {
        span,
        form,
        id,
        model: token.model,
        suffix,
    };
    Finding::new(site, text, token, syntax)
}
