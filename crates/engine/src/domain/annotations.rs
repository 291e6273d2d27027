//! The annotations that the decision reads or writes, and opting out. The policy defines where opting out is permitted.

use wildmatch::WildMatch;

/// The start of the names of all annotations of this product.
pub const PREFIX: &str = in_group!("");

/// Opts a namespace or an object out. The text is the author's reason; `false` does not opt out.
pub const IGNORE: &str = in_group!("ignore");

/// Opts containers out: globs over their names, separated by commas.
pub const IGNORE_CONTAINERS: &str = in_group!("ignore-containers");

/// Opts variables out: globs over their names, separated by commas.
pub const IGNORE_ENV: &str = in_group!("ignore-env");

/// Opts keys of a ConfigMap out: globs over their names, separated by commas.
pub const IGNORE_KEYS: &str = in_group!("ignore-keys");

/// Sets the region of an object or of a namespace.
pub const REGION: &str = in_group!("region");

/// The record of the rewrites in an object, which the webhook writes.
pub const REWRITES: &str = in_group!("rewrites");

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
