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

/// Globs over names, separated by commas, each compiled once.
pub struct NameGlobs(Result<Vec<WildMatch>, TooLong>);

/// A list or a name that is longer than any real one, so that it is not compared.
#[derive(Debug, Clone, Copy)]
struct TooLong;

/// The maximum length of a list of globs, in bytes.
const LONGEST_LIST: usize = 8 * 1024;

/// The maximum length of a name that is compared with globs, in bytes; Kubernetes' own names have 253.
const LONGEST_NAME: usize = 1024;

impl NameGlobs {
    /// Compiles a list. A list of more than 8 KiB has every name: its author opts out, and it is not known what.
    pub fn parse(list: &str) -> Self {
        Self(if list.len() > LONGEST_LIST {
            Err(TooLong)
        } else {
            let globs = list.split(',').map(|glob| WildMatch::new(glob.trim()));
            Ok(globs.collect())
        })
    }

    /// Whether a glob matches `name`. A name of more than 1 KiB counts as matched.
    pub fn matches(&self, name: &str) -> bool {
        let is_long = name.len() > LONGEST_NAME;
        self.0.as_ref().map_or(true, |globs| {
            is_long || globs.iter().any(|glob| glob.matches(name))
        })
    }

    /// The number of globs, which is what a comparison costs.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }
}
