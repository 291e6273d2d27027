//! The annotations by which an author opts out. Who may is the policy's to say.

use wildmatch::WildMatch;

/// Opts a namespace or an object out; its text says why, and `false` is none.
pub const IGNORE: &str = "bedrock-profiles.dev/ignore";

/// Opts containers out: a comma list of globs over their names.
pub const IGNORE_CONTAINERS: &str = "bedrock-profiles.dev/ignore-containers";

/// Opts variables out: a comma list of globs over their names.
pub const IGNORE_ENV: &str = "bedrock-profiles.dev/ignore-env";

/// Opts keys of a ConfigMap out: a comma list of globs over their names.
pub const IGNORE_KEYS: &str = "bedrock-profiles.dev/ignore-keys";

/// Whether the text of [`IGNORE`] opts out.
pub fn opts_out(text: &str) -> bool {
    text != "false"
}

/// Whether a comma list of globs names `name`.
pub fn lists(globs: &str, name: &str) -> bool {
    globs
        .split(',')
        .any(|glob| WildMatch::new(glob.trim()).matches(name))
}
