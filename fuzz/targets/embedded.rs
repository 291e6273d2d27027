//! Texts of every format, by a name and by their content.
#![no_main]

include!("../target.rs");
fuzz!(read_embedded);
