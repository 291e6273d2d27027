//! The engine of bedrock-profiles: reads texts with spans, and finds, resolves and rewrites the model IDs in them.
//!
//! Pure: no I/O, no clock ("today" is an argument), no environment, no global state. The manifest and `clippy.toml` enforce
//! this.
//!
//! ```text
//! budget    the cost that one evaluation may have          -> nothing
//! text      spans over JSON, YAML, TOML and other formats -> budget
//! domain    find, resolve and plan the changes            -> budget, text
//! ```
#![warn(clippy::iter_over_hash_type)]
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        reason = "a test counts in its own thread; the library is linted without tests too"
    )
)]

/// The API group of the custom resources, also the domain of annotations, field managers and webhook names; a literal for
/// `concat!`.
#[macro_export]
macro_rules! group {
    () => {
        "bedrock-profiles.dev"
    };
}

/// A name in the group: `in_group!("ignore")` is the annotation that opts out.
#[macro_export]
macro_rules! in_group {
    ($name:literal) => {
        concat!($crate::group!(), "/", $name)
    };
}

pub mod budget;
pub mod domain;
pub mod text;
