//! Custom resources as written.
#![no_main]

include!("../target.rs");
fuzz!(convert_resources);
