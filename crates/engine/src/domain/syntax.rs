//! The syntax around a token in its text: a whole value, a wrapper, a command line, or a syntax that is never edited.
//!
//! Evaluates one text at a time; the context rules evaluate the names around the text.

use crate::domain::placeholder::is_in_template;
use crate::domain::reason::Reason;
use crate::domain::region::{Region, RuntimeEndpoint, is_bedrock_runtime};
use crate::domain::site::TextKind;
use crate::domain::tokens::Token;

mod list;
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
    /// Whether the list consists of pairs (`a=ID,b=x`), which no other data has to match.
    pub in_pairs: bool,
}

impl Syntax {
    /// The syntax of a token that is the whole text.
    pub const WHOLE: Self = Self {
        whole: true,
        region: None,
        listed: false,
        in_pairs: false,
    };

    /// The syntax of a token that is a part of the text.
    pub const PART: Self = Self {
        whole: false,
        ..Self::WHOLE
    };
}

/// Routes that clients write before an ID and that lead to Bedrock: those of `LiteLLM`, `LangChain`, pydantic-ai, opencode,
/// `MLflow`, fast-agent and others.
pub const WRAPPERS: &[&str] = &[
    "bedrock/",
    "bedrock/converse/",
    "bedrock/invoke/",
    "bedrock/converse_like/",
    "bedrock_converse/",
    "bedrock:",
    "bedrock:/",
    "bedrock.",
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
    /// Whether the whole text is a list of names.
    is_list: bool,
    /// Whether the whole text is in quotes.
    is_quoted: bool,
    /// The offset of the text, if it is the default of a parameter that is the whole text (`${X:-ID}`).
    default_start: Option<usize>,
}

impl<'t> TextContext<'t> {
    /// Reads the properties of a text in this kind of setting.
    pub fn of(text: &'t str, setting: TextKind) -> Self {
        // Defaults may be nested thousands of times.
        let (mut text, mut default_start) = (text, None);
        while let Some((start, default)) = default_of(text) {
            default_start = Some(default_start.unwrap_or(0) + start);
            text = default;
        }
        let trimmed = text.trim();
        let unquoted = trimmed.trim_matches(['"', '\'']);
        Self {
            text,
            trimmed,
            setting,
            is_list: list::is_list_of_names(trimmed, setting),
            is_quoted: trimmed.len() == unquoted.len() + 2,
            default_start,
        }
    }

    /// The syntax of a token of the text, or the reason for an unchanged ID.
    pub fn syntax(&self, token: &Token<'_>) -> Result<Syntax, Reason> {
        let Some(start) = self.default_start else {
            return self.syntax_of_part(token);
        };
        let inside = |offset: usize| offset.checked_sub(start).ok_or(Reason::UnknownFormat);
        let token = Token {
            span: inside(token.span.start)?..inside(token.span.end)?,
            ..token.clone()
        };
        let syntax = self.syntax_of_part(&token)?;
        Ok(Syntax {
            whole: false,
            ..syntax
        })
    }

    /// The syntax of a token of the text that is evaluated.
    fn syntax_of_part(&self, token: &Token<'_>) -> Result<Syntax, Reason> {
        let text = self.text;
        if !token.suffix.is_empty() {
            return Err(Reason::ProvisionedSuffix);
        }
        let after = after_id(text, token)?;
        let word = word_before(text, token.span.start);
        let start = token.span.start - word.len();
        let near = text.floor_char_boundary(token.span.start.saturating_sub(NEAR));
        let soon = &after[..after.floor_char_boundary(NEAR)];
        if is_in_template(&text[near..token.span.start], soon) {
            return Err(Reason::UnknownFormat);
        }
        let before = &text[near..start];
        if let Some(endpoint) = endpoint_around(text, token) {
            let region = Region::parse(endpoint.region).map_err(|_| Reason::RegionOutOfSight)?;
            return Ok(Syntax {
                region: Some(region),
                ..Syntax::PART
            });
        }
        if word.is_empty() && ends_with_variable(before) {
            return Err(Reason::PrefixedByTool);
        }
        let route = word.rfind('=').map_or(word, |at| &word[at + 1..]);
        let region = unwrap(route)?;
        if !(after.is_empty() || after.starts_with(is_delimiter)) {
            return Err(Reason::UnknownFormat);
        }
        let assigned = route.len() < word.len();
        let alone = self.trimmed == &text[start..text.len() - after.len()] && !assigned;
        if alone {
            return Ok(Syntax {
                whole: self.trimmed == &text[token.span.clone()],
                region,
                ..Syntax::PART
            });
        }
        let place = list::ListPlace {
            before,
            word,
            after: soon,
        };
        let in_pairs = place.is_in_pairs();
        let listed = self.is_list || (self.setting != TextKind::Data && place.is_item());
        if !(listed || in_pairs) || self.setting == TextKind::Data && !self.is_list {
            self.check_surroundings(before, after, assigned)?;
        }
        Ok(Syntax {
            region,
            listed: listed || in_pairs,
            in_pairs: in_pairs && !self.is_list,
            ..Syntax::PART
        })
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

/// The default of a parameter that is the whole text (`${X:-ID}`), with its offset; `None` if the text is another one.
fn default_of(text: &str) -> Option<(usize, &str)> {
    let trimmed = text.trim();
    let inner = trimmed.strip_prefix("${")?.strip_suffix('}')?;
    let name = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let operator = &inner[name..];
    let default = [":-", ":=", "-", "="]
        .iter()
        .find_map(|one| operator.strip_prefix(one))
        .filter(|_| name > 0)?;
    let blanks = text.len() - text.trim_start().len();
    Some((blanks + trimmed.len() - 1 - default.len(), default))
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
        let is_bedrock = is_bedrock_runtime(route) && !route.ends_with(RUNTIME_PATH);
        return Err(if is_bedrock {
            Reason::UnknownFormat
        } else {
            Reason::GatewayClient
        });
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

/// The text after a token and its suffix for the long context window, or the reason for an unchanged ID.
fn after_id<'t>(text: &'t str, token: &Token<'_>) -> Result<&'t str, Reason> {
    let after = &text[token.span.end..];
    match after.as_bytes().first() {
        Some(b'%') => Err(Reason::PercentEncoded),
        Some(b'@') => Err(Reason::OtherCloud),
        _ => Ok(after.strip_prefix(LONG_CONTEXT).unwrap_or(after)),
    }
}

/// The address of Bedrock's runtime around a token
/// (`https://bedrock-runtime.eu-west-1.amazonaws.com/model/ID/converse`), whose region may be a placeholder.
pub fn endpoint_around<'t>(text: &'t str, token: &Token<'_>) -> Option<RuntimeEndpoint<'t>> {
    let after = &text[token.span.end..];
    let ends = after.is_empty() || after.starts_with(|c| c == '/' || is_delimiter(c));
    let near = text.floor_char_boundary(token.span.start.saturating_sub(NEAR));
    let host = text[near..token.span.start]
        .strip_suffix(RUNTIME_PATH)
        .filter(|_| ends)?;
    let colon = host.rfind("://")?;
    let scheme = host[..colon].trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    RuntimeEndpoint::parse(&host[scheme.len()..])
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
