//! The front end of YAML.
#![no_main]

include!("../target.rs");
fuzz!(read_yaml);
