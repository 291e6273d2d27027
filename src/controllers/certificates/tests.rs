//! The life of certificates: single decisions, and years of them in a world of late news.

mod craft;
mod mounted;
mod replica;
mod simulation;
mod stored;
mod world;
