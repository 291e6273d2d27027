//! The syntax around a token in its text: a whole value, a wrapper, a command line, or a syntax that is never edited.
//!
//! Evaluates one text at a time; the context rules evaluate the names around the text.

use crate::domain::placeholder::is_in_template;
use crate::domain::reason::Reason;
use crate::domain::region::{Region, RuntimeEndpoint, is_bedrock_runtime};
use crate::domain::site::TextKind;
use crate::domain::tokens::Token;

#[cfg(test)]
mod tests;

/// The syntax of a token that may be rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syntax {
    /// Whether the token is the whole value, which an ARN can replace.
    pub whole: bool,
    /// The region in front of the ID (`bedrock/us-east-1/…`).
    pub region: Option<Region>,
    /// Whether the token is an item of a list, which other data may have to match.
    pub listed: bool,
}

impl Syntax {
    /// The syntax of a token that is the whole text.
    pub const WHOLE: Self = Self {
        whole: true,
        region: None,
        listed: false,
    };
}

/// Routes that clients write before an ID and that lead to Bedrock: those of `LiteLLM`, `LangChain`, pydantic-ai, opencode and
/// others.
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

/// Parts of routes that do not lead to Bedrock's runtime, with the reason for an unchanged ID.
pub const OTHER_ROUTES: &[(&str, Reason)] = &[
    ("mantle/", Reason::Mantle),
    ("async_invoke/", Reason::Batch),
    ("-month-commitment/", Reason::ProvisionedSuffix),
    ("litellm_proxy/", Reason::GatewayClient),
    ("arn:", Reason::InArn),
];

/// The path of Bedrock's runtime before an ID.
const RUNTIME_PATH: &str = "/model/";

/// The distance around a token that is evaluated, in bytes: a bound for texts of a megabyte with thousands of IDs.
const NEAR: usize = 4096;

/// Claude Code's suffix for the long context window, which may follow any ID.
const LONG_CONTEXT: &str = "[1m]";

/// A text with tokens. Its properties are computed once, because a text may contain tens of thousands of tokens.
#[derive(Debug, Clone, Copy)]
pub struct TextContext<'t> {
    text: &'t str,
    trimmed: &'t str,
    setting: TextKind,
    /// Whether the text is a file, in which commas need not separate the items of a list.
    is_a_file: bool,
    /// Whether the whole text is in quotes.
    is_quoted: bool,
}

impl<'t> TextContext<'t> {
    /// Reads the properties of a text in this kind of setting.
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

    /// The syntax of a token of the text, or the reason for an unchanged ID.
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
        if is_in_template(&text[near..token.span.start], soon) {
            return Err(Reason::UnknownFormat);
        }
        let before = &text[near..start];
        if let Some(syntax) = self.syntax_of_default(token) {
            return syntax;
        }
        if word.is_empty() && ends_with_variable(before) {
            return Err(Reason::PrefixedByTool);
        }
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

    /// The syntax of a token in the default of a parameter that is the whole text (`${X:-ID}`); `None` if the text is another.
    fn syntax_of_default(&self, token: &Token<'_>) -> Option<Result<Syntax, Reason>> {
        let inner = self.trimmed.strip_prefix("${")?.strip_suffix('}')?;
        let name = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        let operator = &inner[name..];
        let default = [":-", ":=", "-", "="]
            .iter()
            .find_map(|one| operator.strip_prefix(one))
            .filter(|_| name > 0)?;
        let trimmed = self.text.len() - self.text.trim_start().len();
        let start = trimmed + self.trimmed.len() - 1 - default.len();
        let span = token.span.start.checked_sub(start)?..token.span.end.checked_sub(start)?;
        let token = Token {
            span,
            ..token.clone()
        };
        let syntax = TextContext::of(default, self.setting).syntax(&token);
        Some(syntax.map(|syntax| Syntax {
            whole: false,
            ..syntax
        }))
    }

    /// Whether a token is an item between commas or square brackets that is not in a JSON object.
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

    /// Checks the text around a token that shares its text with other words; the error is the reason for an unchanged ID.
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
        let follows_flag = line
            .trim_end_matches(['"', '\''])
            .split_whitespace()
            .next_back()
            .is_some_and(|word| word.starts_with('-'));
        match self.setting {
            TextKind::Argument => Ok(()),
            TextKind::Env if assigned || follows_flag || (quoted && self.is_quoted) => Ok(()),
            TextKind::Env | TextKind::Data => Err(Reason::Prose),
        }
    }
}

/// The region of the foundation-model ARN that ends with `token`, if the ARN is a separate word, like the value of a setting.
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

/// The text between the last delimiter and `at`, cut at a distance of [`NEAR`].
fn word_before(text: &str, at: usize) -> &str {
    let near = text.floor_char_boundary(at.saturating_sub(NEAR));
    let before = &text[near..at];
    let start = before.rfind(is_delimiter).map_or(0, |at| {
        at + before[at..].chars().next().map_or(1, char::len_utf8)
    });
    &before[start..]
}

/// Whether a text is a list as a whole. A file that starts with a table (`[name]`) is not.
fn is_bracketed(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']')
}

/// Whether a text of unknown format is a file: an item between commas is more than a name, so commas need not separate the
/// items of a list.
fn is_a_file(text: &str) -> bool {
    !is_bracketed(text)
        && text.split(',').any(|item| {
            item.trim()
                .contains(|c: char| c.is_whitespace() || matches!(c, '=' | '('))
        })
}

/// Whether the text before a token ends inside a JSON value (`… -d '{"modelId": "`), whose context is not visible in a shell
/// command.
fn is_inside_json(before: &str) -> bool {
    let before = before.trim_end_matches(['"', '\'', '\\', ' ']);
    before.ends_with(':') && before.contains('{')
}

/// Whether a text ends with `$(X)` or `${X}`, whose value precedes the ID.
fn ends_with_variable(before: &str) -> bool {
    [("$(", ')'), ("${", '}')].into_iter().any(|(open, close)| {
        let inner = before.strip_suffix(close).unwrap_or_default();
        let start = inner.rfind(open);
        start.is_some_and(|at| !inner[at..].contains(close))
    })
}

/// Whether the last address before a token is not an endpoint of Bedrock's runtime (`curl http://gateway/… -d '{"model": …`).
fn is_sent_elsewhere(before: &str) -> bool {
    let address = before.rfind("://").map(|at| &before[at..]);
    address.is_some_and(|address| !is_bedrock_runtime(address))
}

/// The region of a route that leads to Bedrock; the error is the reason for an unchanged ID.
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

/// The region of an address of Bedrock's runtime (`https://bedrock-runtime.eu-west-1.amazonaws.com/model/`).
fn in_address(route: &str) -> Result<Option<Region>, Reason> {
    let Some(endpoint) = RuntimeEndpoint::parse(route) else {
        return Err(Reason::GatewayClient);
    };
    if !route.ends_with(RUNTIME_PATH) {
        return Err(Reason::UnknownFormat);
    }
    Ok(Region::parse(endpoint.region).ok())
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
