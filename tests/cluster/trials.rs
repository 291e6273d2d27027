//! The trials, by what they are about.

mod fixture;

use crate::trial::Trial;

/// All trials; those with a plane of their own last, as they wait for each other.
pub(crate) fn all() -> Vec<Trial> {
    fixture::trials()
}
