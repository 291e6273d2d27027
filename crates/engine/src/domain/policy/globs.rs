//! Patterns of names.

use wildmatch::WildMatch;

/// Case-sensitive patterns with the wildcards `*` and `?`.
#[derive(Debug, Clone, Default)]
pub struct Globs(Box<[WildMatch]>);

impl Globs {
    /// Compiles `patterns`.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Self {
        Self(
            patterns
                .into_iter()
                .map(|pattern| WildMatch::new(pattern.as_ref()))
                .collect(),
        )
    }

    /// Whether a pattern matches the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(text))
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a pattern is `*`.
    pub fn admit_everything(&self) -> bool {
        self.0.iter().any(|pattern| *pattern == "*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_ids() {
        let globs = Globs::new(["anthropic.*"]);
        assert!(globs.matches("anthropic.claude-sonnet-5"));
        assert!(!globs.matches("us.anthropic.claude-sonnet-5"));
        assert!(Globs::new(["eu-*", "*"]).admit_everything());
        assert!(!Globs::new(["eu-*"]).admit_everything());
    }
}
