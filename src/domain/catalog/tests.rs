//! Merging, row by row.
