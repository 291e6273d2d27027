//! The audit of a cluster: everything that is stored is judged as if it were applied today.

pub mod pages;
pub mod pass;
pub mod standing;
