//! Admission over HTTPS: reviews in, answers out. It decides nothing itself.

pub mod review;
pub mod server;
