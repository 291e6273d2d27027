//! The decision of bedrock-profiles: texts with spans, and what becomes of the model IDs in them.
//!
//! Pure: no I/O, no clock ("today" is an argument), no environment, no global state. The manifest and `clippy.toml` hold that.
//!
//! ```text
//! text      spans over JSON, YAML, TOML and other formats -> nothing
//! domain    find, resolve, plan: the decision             -> text
//! ```
#![warn(clippy::iter_over_hash_type)]

pub mod domain;
pub mod text;
