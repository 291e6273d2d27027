//! Finds model IDs in decoded text: whole tokens only.
//!
//! Determines the bounds of an ID; `syntax` and `context_rules` evaluate its surroundings.

use std::ops::Range;

use crate::domain::catalog::ModelIx;
use crate::domain::id::{Geography, LONGEST_ID, is_id_byte};
use crate::domain::snapshot::Snapshot;

/// The maximum length of a word on either side of a vendor, in bytes: four times the longest ID, so that an invalid ID is
/// still reported. A text of any length can be one word with a vendor every few bytes.
const LONGEST_WORD: usize = 4 * LONGEST_ID;

/// The route that clients join to an ID with a dot (`bedrock.ID`), as a geography is joined.
const ROUTE: &str = "bedrock";

/// A text that is, or looks like, a model ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token<'t> {
    /// The span of the prefix and the ID in the decoded text, in bytes.
    pub span: Range<usize>,
    /// The form of the name.
    pub form: Form<'t>,
    /// The direct ID, without prefix and suffix; for an alias, the direct ID of its model.
    pub id: &'t str,
    /// The model of this ID; `None` if the catalog does not contain it.
    pub model: Option<ModelIx>,
    /// The rest of the word after the ID, such as `:48k`.
    pub suffix: &'t str,
}

/// The form of a model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'t> {
    /// The direct ID.
    Direct,
    /// An ID after one geography, known or not.
    Profiled(&'t str),
    /// An ID after more than one geography.
    Doubled,
    /// An alias from a mapping.
    Alias,
}

/// Returns `text`, without surrounding white space, as an alias, if a policy enables aliases.
pub fn alias<'t>(text: &'t str, snapshot: &'t Snapshot) -> Option<Token<'t>> {
    let name = text.trim();
    let model = snapshot.alias(name)?;
    let start = text.len() - text.trim_start().len();
    Some(Token {
        span: start..start + name.len(),
        form: Form::Alias,
        id: snapshot.catalog.model(model).id.as_str(),
        model: Some(model),
        suffix: "",
    })
}

/// All tokens of `text`, in order.
pub fn tokens<'t>(text: &'t str, snapshot: &'t Snapshot) -> impl Iterator<Item = Token<'t>> {
    let mut from = 0;
    snapshot.vendor_hits(text).filter_map(move |hit| {
        if hit < from {
            return None;
        }
        let token = token_at(text, hit, snapshot)?;
        from = token.span.end;
        Some(token)
    })
}

fn token_at<'t>(text: &'t str, hit: usize, snapshot: &Snapshot) -> Option<Token<'t>> {
    let (start, form) = form_before(text, hit)?;
    let (run, is_cut) = word(text[hit..].bytes(), is_id_byte);
    let catalog = &snapshot.catalog;
    // A dot or colon at the end belongs to the sentence; no ID ends with one.
    let run = text[hit..hit + run].trim_end_matches(['.', ':']);
    let known = &run[..run.len().min(LONGEST_ID + 1)];
    let (id, suffix) = match known
        .rmatch_indices(':')
        .find(|(at, _)| catalog.find(&run[..*at]).is_some())
    {
        Some((at, _)) if catalog.find(run).is_none() => run.split_at(at),
        _ => (run, ""),
    };
    let model = catalog.find(id);
    let is_worth_a_report = || is_named_by_a_policy(id, snapshot) || looks_like_an_id(id);
    if model.is_none() && (is_cut || !is_worth_a_report()) {
        return None;
    }
    Some(Token {
        span: start..hit + id.len(),
        form,
        id,
        model,
        suffix,
    })
}

/// The start of the token and its form; `None` if the vendor is inside another word.
fn form_before(text: &str, hit: usize) -> Option<(usize, Form<'_>)> {
    let (left, is_cut) = word(text[..hit].bytes().rev(), |b| is_id_byte(b) && b != b':');
    if is_cut {
        return None;
    }
    let start = after_default_operator(text, hit - left, hit);
    if start == hit {
        return Some((hit, Form::Direct));
    }
    let before = text[start..hit].strip_suffix('.')?;
    let (start, before) = match before.strip_prefix(ROUTE) {
        Some("") => return Some((hit, Form::Direct)),
        Some(rest) if rest.starts_with('.') => (start + ROUTE.len() + 1, &rest[1..]),
        Some(_) | None => (start, before),
    };
    let mut parts = before.split('.');
    if !parts.clone().all(Geography::fits) {
        return None;
    }
    let first = parts.next()?;
    let form = if parts.next().is_none() {
        Form::Profiled(first)
    } else {
        Form::Doubled
    };
    Some((start, form))
}

/// The start of the default of a shell's parameter (`${X:-ID}`, `${X-ID}`), if one starts in the word at `start..hit`.
fn after_default_operator(text: &str, start: usize, hit: usize) -> usize {
    let word = &text[start..hit];
    let before = &text[..start];
    let in_name = |c: char| is_name_char(c) || c == '.';
    let name = |text: &str| text.len() - text.trim_end_matches(in_name).len();
    if let Some(before) = before.strip_suffix(':')
        && word.starts_with('-')
    {
        let length = name(&before[before.ceil_char_boundary(start.saturating_sub(LONGEST_WORD))..]);
        if length > 0 && before[..before.len() - length].ends_with("${") {
            return start + 1;
        }
    }
    match word.split_once('-') {
        Some((name, _))
            if before.ends_with("${") && !name.is_empty() && name.chars().all(is_name_char) =>
        {
            start + name.len() + 1
        }
        _ => start,
    }
}

/// Whether a character may be part of the name of a shell's parameter.
fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The length of a word in bytes, at most [`LONGEST_WORD`], and whether the word is longer.
fn word(bytes: impl Iterator<Item = u8>, belongs: impl Fn(u8) -> bool) -> (usize, bool) {
    let bounded = bytes.take(LONGEST_WORD + 1);
    let length = bounded.take_while(|&byte| belongs(byte)).count();
    (length.min(LONGEST_WORD), length > LONGEST_WORD)
}

/// Whether a replacement or an override of a policy names `id`, which no mapping need contain.
fn is_named_by_a_policy(id: &str, snapshot: &Snapshot) -> bool {
    snapshot.policies.iter().any(|policy| {
        policy.replacements.iter().any(|r| r.from.as_str() == id)
            || policy.overrides.iter().any(|o| o.model.as_str() == id)
    })
}

/// Whether an unknown text with a vendor looks like an ID, so that it is reported: it has a version, as every ID does.
/// A host (`anthropic.com`), an editor's extension (`anthropic.claude-code`) and a glob have none.
fn looks_like_an_id(text: &str) -> bool {
    text.split_once('.').is_some_and(|(_, name)| {
        name.contains('-')
            && name.bytes().any(|b| b.is_ascii_digit())
            && !name.contains('_')
            && name.ends_with(|c: char| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures;

    fn found(text: &str) -> Vec<String> {
        let snapshot = fixtures::snapshot();
        let show = |t: Token<'_>| {
            let prefix = match t.form {
                Form::Direct => String::new(),
                Form::Profiled(g) => format!("{g}|"),
                Form::Doubled => "!!|".into(),
                Form::Alias => "alias|".into(),
            };
            let known = if t.model.is_some() { "" } else { "?" };
            assert!(text[t.span.clone()].ends_with(t.id));
            format!("{prefix}{}{known}{}", t.id, t.suffix)
        };
        tokens(text, &snapshot).map(show).collect()
    }

    #[test]
    fn a_token_is_matched_whole() {
        assert_eq!(
            found("anthropic.claude-sonnet-5"),
            ["anthropic.claude-sonnet-5"]
        );
        assert_eq!(
            found("anthropic.claude-sonnet-5-5"),
            ["anthropic.claude-sonnet-5-5"]
        );
        assert_eq!(
            found("anthropic.claude-sonnet-5-7"),
            ["anthropic.claude-sonnet-5-7?"]
        );
        assert_eq!(
            found("x=anthropic.claude-sonnet-5, bedrock/anthropic.claude-sonnet-5"),
            ["anthropic.claude-sonnet-5"; 2]
        );
        assert_eq!(
            found("Use anthropic.claude-sonnet-5."),
            ["anthropic.claude-sonnet-5"]
        );
        assert_eq!(
            found("bedrock:anthropic.claude-sonnet-5:"),
            ["anthropic.claude-sonnet-5"]
        );
    }

    #[test]
    fn a_prefix_is_found_whether_known_or_not() {
        assert_eq!(
            found("bedrock.anthropic.claude-sonnet-5, bedrock.us.anthropic.claude-sonnet-5"),
            ["anthropic.claude-sonnet-5", "us|anthropic.claude-sonnet-5"]
        );
        assert_eq!(
            found("us.anthropic.claude-sonnet-5"),
            ["us|anthropic.claude-sonnet-5"]
        );
        assert_eq!(
            found("us-gov.anthropic.claude-sonnet-5"),
            ["us-gov|anthropic.claude-sonnet-5"]
        );
        assert_eq!(
            found("us.us.anthropic.claude-sonnet-5"),
            ["!!|anthropic.claude-sonnet-5"]
        );
        assert_eq!(
            found("zz.anthropic.claude-sonnet-5"),
            ["zz|anthropic.claude-sonnet-5"]
        );
    }

    #[test]
    fn a_size_suffix_is_not_part_of_the_id() {
        assert_eq!(
            found("anthropic.claude-3-haiku-20240307-v1:0:48k"),
            ["anthropic.claude-3-haiku-20240307-v1:0:48k"]
        );
        assert_eq!(
            found("anthropic.claude-3-haiku-20240307-v1:0"),
            ["anthropic.claude-3-haiku-20240307-v1:0"]
        );
    }

    #[test]
    fn a_word_longer_than_any_id_is_not_an_id_but_may_begin_with_one() {
        let id = "anthropic.claude-sonnet-5";
        let long = "-7".repeat(LONGEST_WORD);
        assert_eq!(found(&format!("{id}{long}")), [""; 0]);
        assert_eq!(
            found(&format!("{}{id}", "us.".repeat(LONGEST_WORD))),
            [""; 0]
        );
        assert_eq!(
            found(&format!("{id}{}", &long[..LONGEST_WORD / 2])).len(),
            1
        );
        // IDs separated by colons are all found, in a list of any length.
        let listed = format!("{id}:").repeat(LONGEST_WORD);
        let ids = found(&listed);
        assert_eq!(ids.len(), LONGEST_WORD);
        assert!(ids.iter().all(|found| found.starts_with(id)), "{ids:?}");
    }

    #[test]
    fn look_alikes_are_not_tokens() {
        for text in [
            "anthropic.com",
            "api.anthropic.com/v1",
            "anthropic.claude-code",
            "xanthropic.claude-sonnet-5",
            "anthropic.claude-*",
            "1.anthropic.claude-sonnet-5",
            "ANTHROPIC.claude-sonnet-5",
            "anthropic.",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }
}
