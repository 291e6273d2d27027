//! The engine of bedrock-profiles: reads texts with spans, and finds, resolves and rewrites the model IDs in them.
//!
//! Pure: no I/O, no clock ("today" is an argument), no environment, no global state. The manifest and `clippy.toml` enforce
//! this.
//!
//! ```text
//! text      spans over JSON, YAML, TOML and other formats -> nothing
//! domain    find, resolve and plan the changes            -> text
//! ```
#![warn(clippy::iter_over_hash_type)]

pub mod domain;
pub mod text;
