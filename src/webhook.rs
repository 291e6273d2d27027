//! The webhook: reviews in, answers out.

pub mod answer;
pub mod desk;
pub mod metrics;
pub mod review;
