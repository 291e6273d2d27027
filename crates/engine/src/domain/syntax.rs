//! The syntax of a token in its text: whole, wrapped, in a command line, or in one that is left alone.
//!
//! Sees one text at a time; what the names around it mean is decided by the context rules.

use crate::domain::placeholder::is_of_a_template;
use crate::domain::reason::Reason;
use crate::domain::region::{Region, is_bedrock_runtime};
use crate::domain::site::TextKind;
use crate::domain::tokens::Token;

#[cfg(test)]
mod tests;

/// The syntax of a token that may be rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syntax {
    /// The token is the whole value: only then can an ARN take its place.
    pub whole: bool,
    /// A region that is written in front of the ID (`bedrock/us-east-1/…`).
    pub region: Option<Region>,
    /// The token is one of a list, which other data may have to equal.
    pub listed: bool,
}

impl Syntax {
    /// Of a token that is the whole text.
    pub const WHOLE: Self = Self {
        whole: true,
        region: None,
        listed: false,
    };
}

/// Routes that clients put before an ID and that mean Bedrock itself, as `LiteLLM`, `LangChain`, pydantic-ai, opencode and others write them.
pub const WRAPPERS: &[&str] = &[
    "bedrock/",
    "bedrock/converse/",
    "bedrock/invoke/",
    "bedrock/converse_like/",
    "bedrock_converse/",
    "bedrock:",
    "bedrock-chat:",
    "bedrock_converse:",
    "amazon-bedrock/",
    "amazon_bedrock/",
    "anthropic/bedrock/",
    "aws/",
];

/// What a route contains that means something else, and the reason to leave the ID.
pub const OTHER_ROUTES: &[(&str, Reason)] = &[
    ("mantle/", Reason::Mantle),
    ("async_invoke/", Reason::Batch),
    ("-month-commitment/", Reason::ProvisionedSuffix),
    ("litellm_proxy/", Reason::GatewayClient),
    ("arn:", Reason::InArn),
];

/// How the path of Bedrock's own runtime goes on before an ID.
const RUNTIME_PATH: &str = "/model/";

/// How far around a token its text is looked at, in bytes: a bound for texts of a megabyte with thousands of IDs.
const NEAR: usize = 4096;

/// Claude Code's mark for the long context window, which may follow any ID.
const LONG_CONTEXT: &str = "[1m]";

/// A text in which tokens stand. What is true of all of it is found once: it may hold tens of thousands.
#[derive(Debug, Clone, Copy)]
pub struct TextContext<'t> {
    text: &'t str,
    trimmed: &'t str,
    setting: TextKind,
    /// Whether commas in it need not part the items of a list.
    is_a_file: bool,
    /// Whether it is one text in quotes.
    is_quoted: bool,
}

impl<'t> TextContext<'t> {
    /// A text, by where it is.
    pub fn of(text: &'t str, setting: TextKind) -> Self {
        let trimmed = text.trim();
        let unquoted = trimmed.trim_matches(['"', '\'']);
        Self {
            text,
            trimmed,
            setting,
            is_a_file: setting == TextKind::Data && is_a_file(trimmed),
            is_quoted: trimmed.len() == unquoted.len() + 2,
        }
    }

    /// The syntax of a token of the text, or why it is left.
    pub fn syntax(&self, token: &Token<'_>) -> Result<Syntax, Reason> {
        let text = self.text;
        if !token.suffix.is_empty() {
            return Err(Reason::ProvisionedSuffix);
        }
        let after = &text[token.span.end..];
        match after.as_bytes().first() {
            Some(b'%') => return Err(Reason::PercentEncoded),
            Some(b'@') => return Err(Reason::OtherCloud),
            _ => {}
        }
        let after = after.strip_prefix(LONG_CONTEXT).unwrap_or(after);
        let word = word_before(text, token.span.start);
        let start = token.span.start - word.len();
        let near = text.floor_char_boundary(token.span.start.saturating_sub(NEAR));
        let soon = &after[..after.floor_char_boundary(NEAR)];
        if is_of_a_template(&text[near..token.span.start], soon) {
            return Err(Reason::UnknownFormat);
        }
        let before = &text[near..start];
        let route = word.rfind('=').map_or(word, |at| &word[at + 1..]);
        let region = unwrap(route)?;
        let in_address = route.ends_with(RUNTIME_PATH) && after.starts_with('/');
        if !(after.is_empty() || after.starts_with(is_delimiter) || in_address) {
            return Err(Reason::UnknownFormat);
        }
        if in_address {
            return Ok(Syntax {
                whole: false,
                region,
                listed: false,
            });
        }
        let assigned = route.len() < word.len();
        let alone = self.trimmed == &text[start..text.len() - after.len()] && !assigned;
        if alone {
            return Ok(Syntax {
                whole: self.trimmed == &text[token.span.clone()],
                region,
                listed: false,
            });
        }
        let listed = self.is_listed(before, after) && !self.is_a_file;
        if !listed {
            self.check_surroundings(before, after, assigned)?;
        }
        Ok(Syntax {
            whole: false,
            region,
            listed,
        })
    }

    /// Whether a token is one of several between commas or square brackets, and no JSON object is around them.
    fn is_listed(&self, before: &str, after: &str) -> bool {
        let unquote = ['"', '\'', ' ', '\n', '\t', '\r'];
        let (before, after) = (
            before.trim_end_matches(unquote),
            after.trim_start_matches(unquote),
        );
        !before.contains('{')
            && (before.ends_with([',', '['])
                || after.starts_with([',', ']'])
                || is_bracketed(self.trimmed))
    }

    /// Why a token that shares its text with other words is left, if it is.
    fn check_surroundings(&self, before: &str, after: &str, assigned: bool) -> Result<(), Reason> {
        let quoted = before.ends_with(['"', '\'']) && after.starts_with(['"', '\'']);
        if self.setting == TextKind::Data || self.trimmed.starts_with('{') || is_inside_json(before)
        {
            return Err(if is_sent_elsewhere(before) {
                Reason::GatewayClient
            } else {
                Reason::UnknownFormat
            });
        }
        let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
        if line.starts_with('#') {
            return Err(Reason::Prose);
        }
        let behind_a_flag = line
            .trim_end_matches(['"', '\''])
            .split_whitespace()
            .next_back()
            .is_some_and(|word| word.starts_with('-'));
        match self.setting {
            TextKind::Argument => Ok(()),
            TextKind::Env if assigned || behind_a_flag || (quoted && self.is_quoted) => Ok(()),
            TextKind::Env | TextKind::Data => Err(Reason::Prose),
        }
    }
}

/// The region of the foundation-model ARN that `token` ends and that is a word of its own, as the value of a setting is.
pub fn region_of_arn(text: &str, token: &Token<'_>) -> Option<Region> {
    let before = word_before(text, token.span.start);
    let mut parts = before.strip_prefix("arn:")?.split(':');
    let service = parts.by_ref().nth(1)?;
    let (region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let ends = text[token.span.end..]
        .chars()
        .next()
        .is_none_or(is_delimiter);
    let is_one = service == "bedrock" && resource == "foundation-model/" && ends;
    Region::parse(region).ok().filter(|_| is_one)
}

/// What is between the last delimiter and `at`, as far as it is near.
fn word_before(text: &str, at: usize) -> &str {
    let near = text.floor_char_boundary(at.saturating_sub(NEAR));
    let before = &text[near..at];
    let start = before.rfind(is_delimiter).map_or(0, |at| {
        at + before[at..].chars().next().map_or(1, char::len_utf8)
    });
    &before[start..]
}

/// Whether a text is one list as a whole, and no table of a file that is named between such brackets.
fn is_bracketed(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']')
}

/// Whether commas in a text of unknown format need not part the items of a list: it says more than names.
fn is_a_file(text: &str) -> bool {
    !is_bracketed(text)
        && text.split(',').any(|item| {
            item.trim()
                .contains(|c: char| c.is_whitespace() || matches!(c, '=' | '('))
        })
}

/// Whether the text before a token ends inside a JSON value (`… -d '{"modelId": "`), whose context the words of a shell do not show.
fn is_inside_json(before: &str) -> bool {
    let before = before.trim_end_matches(['"', '\'', '\\', ' ']);
    before.ends_with(':') && before.contains('{')
}

/// Whether an address is before a token that is not one of Bedrock's own runtime (`curl http://gateway/… -d '{"model": …`).
fn is_sent_elsewhere(before: &str) -> bool {
    let address = before.rfind("://").map(|at| &before[at..]);
    address.is_some_and(|address| !is_bedrock_runtime(address))
}

/// The region that a route names, if the route means Bedrock; else why the ID behind it is left.
fn unwrap(route: &str) -> Result<Option<Region>, Reason> {
    if route.is_empty() || WRAPPERS.contains(&route) {
        return Ok(None);
    }
    if let Some((_, reason)) = OTHER_ROUTES.iter().find(|(part, _)| route.contains(part)) {
        return Err(*reason);
    }
    if route.contains("://") {
        return in_address(route);
    }
    let region = route
        .strip_prefix("bedrock/")
        .and_then(|rest| rest.strip_suffix('/'))
        .and_then(|code| Region::parse(code).ok());
    match region {
        Some(region) => Ok(Some(region)),
        None if route.ends_with('/') => Err(Reason::OtherCloud),
        None => Err(Reason::UnknownFormat),
    }
}

/// The region of an address that calls Bedrock's own runtime (`https://bedrock-runtime.eu-west-1.amazonaws.com/model/`).
fn in_address(route: &str) -> Result<Option<Region>, Reason> {
    if !is_bedrock_runtime(route) {
        return Err(Reason::GatewayClient);
    }
    if !route.ends_with(RUNTIME_PATH) {
        return Err(Reason::UnknownFormat);
    }
    let mut labels = route.split('.');
    let host = labels.find(|label| label.contains("bedrock-runtime"));
    let region = host.and_then(|_| Region::parse(labels.next()?).ok());
    Ok(region)
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '\''
                | '`'
                | '('
                | ')'
                | ';'
                | '|'
                | '&'
                | '<'
                | '>'
                | ','
                | '['
                | ']'
                | '{'
                | '}'
                | '\\'
        )
}
