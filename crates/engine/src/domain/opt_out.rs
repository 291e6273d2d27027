//! The annotations by which an author opts out. The policy defines where opting out is permitted.

use wildmatch::WildMatch;

/// Opts a namespace or an object out. The text is the author's reason; `false` does not opt out.
pub const IGNORE: &str = "bedrock-profiles.dev/ignore";

/// Opts containers out: globs over their names, separated by commas.
pub const IGNORE_CONTAINERS: &str = "bedrock-profiles.dev/ignore-containers";

/// Opts variables out: globs over their names, separated by commas.
pub const IGNORE_ENV: &str = "bedrock-profiles.dev/ignore-env";

/// Opts keys of a ConfigMap out: globs over their names, separated by commas.
pub const IGNORE_KEYS: &str = "bedrock-profiles.dev/ignore-keys";

/// Whether the text of an [`IGNORE`] annotation opts out.
pub fn opts_out(text: &str) -> bool {
    text != "false"
}

/// Whether a glob in the list matches `name`.
pub fn lists(globs: &str, name: &str) -> bool {
    globs
        .split(',')
        .any(|glob| WildMatch::new(glob.trim()).matches(name))
}
