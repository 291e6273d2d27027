//! Lists of names in one text, by any separator, and pairs of names and values.

use crate::domain::site::TextKind;

/// The text around a token that may be an item of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListPlace<'t> {
    /// The text before the word that ends with the token.
    pub(super) before: &'t str,
    /// The word before the token: a flag, a key or a route.
    pub(super) word: &'t str,
    /// The text after the token.
    pub(super) after: &'t str,
}

impl ListPlace<'_> {
    /// Whether the token is an item between commas without white space, or between square brackets.
    pub(super) fn is_item(&self) -> bool {
        let unquote = ['"', '\''];
        let space = ['"', '\'', ' ', '\n', '\t', '\r'];
        let (before, after) = (
            self.before.trim_end_matches(unquote),
            self.after.trim_start_matches(unquote),
        );
        let follows = |text: &str, separator: char| {
            text.strip_prefix(separator)
                .is_some_and(|rest| rest.chars().next().is_none_or(|next| !next.is_whitespace()))
        };
        let in_brackets = self.before.trim_end_matches(space).ends_with('[')
            || self.after.trim_start_matches(space).starts_with(']');
        let is_in_array = before.ends_with(',') || follows(after, ',') || in_brackets;
        is_in_array && !self.before.contains('{')
    }

    /// Whether the token is the value of one of several pairs in its word: `service.name=chat,model=ID`.
    pub(super) fn is_in_pairs(&self) -> bool {
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
        let start = self.before.rfind(ends).map_or(0, |at| at + 1);
        let before = self.before.get(start..).unwrap_or_default();
        let end = self.after.find(ends).unwrap_or(self.after.len());
        let others = before.split(',').chain(self.after[..end].split(','));
        let is_pair = |item: &str| {
            item.split_once('=')
                .is_some_and(|(name, _)| !name.is_empty() && !name.starts_with('-'))
        };
        let separated = before.ends_with(',') || self.after[..end].starts_with(',');
        self.word.contains('=') && separated && others.clone().any(is_pair)
    }
}

/// Whether a text is a list of names as a whole: in brackets, or with separators between its items.
pub(super) fn is_list_of_names(text: &str, setting: TextKind) -> bool {
    let flag = text
        .split_once('=')
        .filter(|(flag, _)| flag.starts_with('-') && setting != TextKind::Data);
    let text = flag.map_or(text, |(_, value)| value);
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let items = inner.unwrap_or(text);
    // Lines of an argument are those of a script.
    let lines = setting != TextKind::Argument || inner.is_some();
    let separators = |c: char| matches!(c, ',' | ';' | '|') || (c == '\n' && lines);
    if inner.is_some() || items.contains(separators) {
        return items.split(separators).map(unquoted).all(is_name);
    }
    // Words between spaces may be a sentence or a command.
    let mut words = items.split_whitespace();
    words.clone().nth(1).is_some() && words.all(|word| is_name(word) && is_like_a_model(word))
}

fn unquoted(item: &str) -> &str {
    item.trim().trim_matches(['"', '\''])
}

/// Whether an item is a name or empty, as after the last separator.
fn is_name(item: &str) -> bool {
    let parts = |c: char| {
        c.is_whitespace() || matches!(c, '=' | '(' | ')' | '{' | '}' | '"' | '\'' | '<' | '>')
    };
    !item.contains(parts) && !item.starts_with('-')
}

/// Whether a word may be a model's name, such as `gpt-4o`.
fn is_like_a_model(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit()) && word.contains(['-', '.', '/', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "anthropic.claude-sonnet-5";

    #[test]
    fn names_between_any_separators_are_a_list() {
        for text in [
            "ID,x",
            "x, ID",
            "ID;x",
            "ID|x",
            "ID,",
            "[\"ID\"]",
            "[\"ID\", \"x\"]",
            "['ID',\n 'x']",
            "[ID]",
            "ID gpt-4o",
        ] {
            let text = text.replace("ID", ID);
            for setting in [TextKind::Env, TextKind::Argument, TextKind::Data] {
                assert!(is_list_of_names(&text, setting), "{text}");
            }
        }
        assert!(is_list_of_names(
            &format!("--models={ID},x"),
            TextKind::Argument
        ));
        assert!(is_list_of_names(&format!("{ID}\nx"), TextKind::Env));
        assert!(!is_list_of_names(&format!("app\n{ID}"), TextKind::Argument));
    }

    #[test]
    fn texts_and_pairs_are_no_lists() {
        for text in [
            "ID",
            "Use ID, not x-1 or x-2",
            "the model ID is slow",
            "a=x,b=ID",
            "app ID",
            "--model ID --fast",
            "{\"a\": [\"ID\", \"x\"]}",
            "models = [\"ID\", \"x\"]",
            "f(ID, x)",
            "exec app ID; exit",
        ] {
            let text = text.replace("ID", ID);
            for setting in [TextKind::Env, TextKind::Argument, TextKind::Data] {
                assert!(!is_list_of_names(&text, setting), "{text}");
            }
        }
    }
}
