//! Model IDs in any text.
#![no_main]

include!("../target.rs");
fuzz!(find_tokens);
