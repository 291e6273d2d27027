//! The front end of JSON.
#![no_main]

include!("../target.rs");
fuzz!(read_json);
