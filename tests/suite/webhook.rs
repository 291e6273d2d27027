//! The webhook: its routes with the real handler, its server behind a TLS client, its process and its metrics.

mod evaluation;
mod overload;
mod process;
mod restore;
mod series;
pub(crate) mod server;
mod texts;
